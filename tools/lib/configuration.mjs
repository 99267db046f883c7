// wrangler.toml, as wrangler reads it. Only what stands outside of [env.*]: the tools deploy nothing else.

import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Failure, root } from "./steps.mjs";

const ours = path.join(root, "wrangler.toml");

/**
 * What the file says, by the parser that wrangler bundles. Wrangler's own reader comes with all of wrangler, which takes
 * more than a second to load; a test holds the two against each other.
 *
 * @returns {Record<string, any>}
 */
export function configuration(file = ours) {
  return parsed(readFileSync(file, "utf8"));
}

/** @returns {Record<string, any>} */
function parsed(text) {
  const { parse, TomlError } = createRequire(import.meta.url)("smol-toml"); // a fresh clone has packages only by now
  try {
    return parse(text);
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

/**
 * Changes the file: `edit` changes what it says. Every comment stays, except that the example of a setting, a line in a
 * comment, becomes the line that sets it.
 */
export async function change(edit, file = ours) {
  const { patch } = await import("@decimalturn/toml-patch"); // wrangler's own refuses a file with comments
  const text = readFileSync(file, "utf8");
  const wanted = structuredClone(parsed(text)); // objects without a prototype are others than those that `edit` makes
  edit(wanted);
  const changed = patch(withExamples(text, wanted), wanted);
  if (!isDeepStrictEqual(structuredClone(says(changed)), wanted))
    throw new Failure("wrangler.toml cannot be changed without losing something: set it there yourself");
  const draft = `${file}.new`;
  writeFileSync(draft, changed, { mode: statSync(file).mode, flush: true });
  renameSync(draft, file);
}

/** What a text says, or nothing where it is no TOML. */
function says(text) {
  try {
    return parsed(text);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** The text in which the examples of what is wanted are lines of their own. */
function withExamples(text, wanted) {
  const names = settings(wanted);
  let lines = text.split("\n");
  for (const [at, line] of lines.entries()) {
    if (!/^# ?\w+ *=/.test(line)) continue;
    const candidate = lines.with(at, line.replace(/^# ?/, ""));
    const before = settings(parsed(lines.join("\n")));
    const more = settings(says(candidate.join("\n")) ?? {}).filter((name) => !before.includes(name));
    if (more.length === 1 && names.includes(more[0])) lines = candidate;
  }
  return lines.join("\n");
}

/** What is set, by its path; a list counts as one. */
const settings = (table, path = "") =>
  Object.entries(table).flatMap(([name, value]) =>
    value && typeof value === "object" && !Array.isArray(value) ? settings(value, `${path}${name}.`) : `${path}${name}`,
  );
