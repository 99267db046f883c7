// What the worker serves, told by its document and by itself.

import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../tools/lib/steps.mjs";
import { imageId } from "./app.mjs";

/** The patterns of the paths, as the table of the API has them. */
export function patterns() {
  const table = readFileSync(path.join(root, "src/api.rs"), "utf8");
  return [...table.matchAll(/^ {4}"(\/[^"]*)" (?:V1|Hub|Token|Page) /gm)].map(([, pattern]) => pattern);
}

const samples = { "{image}": imageId(1), "{repository}": "paul/app" };

/** The methods of a pattern, as the worker lists them. */
export async function methods(worker, pattern) {
  const target = pattern.replace(/\{\w+\}/g, (name) => samples[name] ?? "paul");
  const answer = await worker.succeed(`OPTIONS ${target}`);
  return answer.headers.get("allow").split(", ");
}

/** In which form a failure is written on a path. */
export function dialect(target) {
  const path = target.split("?")[0];
  if (path === "/" || /^\/(account|admin|r|register|search|settings|sign-in|sign-out|static)(\/|$)/.test(path))
    return "page";
  if (path === "/health") return "health";
  if (["/token", "/token/revoke", "/events", "/v2/", "/v2/_catalog"].includes(path) || path.startsWith("/.well-known/"))
    return "token";
  if (/^\/v2\/.+\/(tags\/list$|manifests\/|blobs\/)/.test(path)) return "token";
  return path.startsWith("/v2/") || path === "/reconciler" ? "hub" : "v1";
}
