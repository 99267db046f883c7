// What the worker serves, told by its own source and by itself.

import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../tools/lib/steps.mjs";
import { imageId } from "./stage.mjs";

/** The patterns that the routes log, which every route has. */
export function patterns() {
  const sources = ["src/routes.rs", "src/routes/hub.rs"].map((file) => readFileSync(path.join(root, file), "utf8"));
  return sources.flatMap((source) => {
    const [, arms] = /fn pattern\(&self\)[^{]*\{\s*match self \{([^]*?)\n {8}\}/.exec(source);
    return [...arms.matchAll(/=>\s*(?:\{\s*)?"([^"]+)"/g)].map(([, pattern]) => pattern);
  });
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
  if (path.startsWith("/account/")) return "page";
  if (["/token", "/token/revoke", "/events", "/v2/", "/v2/_catalog"].includes(path) || path.startsWith("/.well-known/")) return "token";
  if (/^\/v2\/.+\/(tags\/list$|manifests\/|blobs\/)/.test(path)) return "token";
  return path.startsWith("/v2/") ? "hub" : "v1";
}
