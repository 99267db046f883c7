// wrangler.toml, as wrangler reads it. Only what stands outside of [env.*]: the tools deploy nothing else.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Failure, root } from "./steps.mjs";

const ours = path.join(root, "wrangler.toml");

/**
 * What the file says, by the parser that wrangler bundles. Wrangler's own reader comes with all of wrangler, which takes
 * more than a second to load; a test holds the two against each other.
 *
 * @returns {Record<string, any>}
 */
export function configuration(file = ours) {
  const { parse, TomlError } = createRequire(import.meta.url)("smol-toml"); // a fresh clone has packages only by now
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new Failure(`wrangler.toml, line ${error.line}: ${error.message.split("\n")[0]}`);
  }
}

/** A var, if it is set there: the worker takes texts alone. */
export function variable(name, file = ours) {
  const value = configuration(file).vars?.[name];
  return typeof value === "string" && value ? value : undefined;
}

/** What wrangler knows the database of a binding by, on this machine. */
export function databaseId(binding, file = ours) {
  const databases = configuration(file).d1_databases ?? [];
  const { preview_database_id: preview, database_id: id } = databases.find((one) => one.binding === binding) ?? {};
  return preview ?? id ?? binding;
}

/** The names by which the worker finds databases, caches, limits and mail. */
export function boundNames(file = ours) {
  const { d1_databases, kv_namespaces, ratelimits, send_email } = configuration(file);
  const all = [d1_databases, kv_namespaces, ratelimits, send_email].flatMap((some) => some ?? []);
  return all.map(({ binding, name }) => binding ?? name);
}

/** Whether the index has an address of its own, and whether it has the one at workers.dev: unset, only without the other. */
export function addresses(file = ours) {
  const { route, routes, workers_dev } = configuration(file);
  const routed = [route, routes].flat().some(Boolean);
  return { routed, workersDev: workers_dev ?? !routed };
}

/** When the scheduled run comes. */
export const crons = (file = ours) => configuration(file).triggers?.crons ?? [];
