// wrangler.toml, as wrangler reads it. Only what stands outside of [env.*]: the tools deploy nothing else.

import { copyFileSync, existsSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Failure, home, packaged, root } from "./steps.mjs";
import { keep } from "./vault.mjs";

/** The operator's own file; a package brings one to begin from. */
const theirs = path.join(home, "wrangler.toml");

/** What wrangler is given where hublet is a package. */
const derived = path.join(home, ".wrangler/hublet.json");

/** The file that wrangler reads: the operator's, or one that is made of it and of what the package has. */
export function configurationFile() {
  if (!packaged) return theirs;
  keep(derived, `${JSON.stringify(configuration(), undefined, 2)}\n`); // another command may be reading it
  return derived;
}

/** By which wrangler finds it. */
export const configured = () => (packaged ? ["--config", configurationFile()] : []);

/** Makes the operator's file, which nobody meets half: what it lacks would count as a setting. */
function begin() {
  const draft = `${theirs}.${process.pid}.new`;
  copyFileSync(path.join(root, "wrangler.template.toml"), draft);
  renameSync(draft, theirs);
}

/**
 * What the operator's file says, with what it does not decide: the code, its date and its flags, the schedule, and what is
 * bound under which name. An entry of theirs has their ids and their place.
 */
function completed(theirs, package_) {
  const entries = (kind, key) => {
    const own = theirs[kind] ?? [];
    const given = package_[kind].map((entry) => ({ ...entry, ...own.find((one) => one[key] === entry[key]) }));
    return [...given, ...own.filter((one) => !given.some((entry) => entry[key] === one[key]))];
  };
  const databases = entries("d1_databases", "binding").map((entry) =>
    entry.migrations_dir ? { ...entry, migrations_dir: path.join(root, entry.migrations_dir) } : entry,
  );
  const { main, compatibility_date, compatibility_flags, triggers } = package_;
  return {
    ...theirs,
    main: path.join(root, main),
    build: undefined,
    compatibility_date,
    compatibility_flags,
    triggers,
    d1_databases: databases,
    kv_namespaces: entries("kv_namespaces", "binding"),
    ratelimits: entries("ratelimits", "name"),
  };
}

/**
 * What the file says, by the parser that wrangler bundles. Wrangler's own reader comes with all of wrangler, which takes
 * more than a second to load; a test holds the two against each other.
 *
 * @returns {Record<string, any>}
 */
export function configuration(file = theirs) {
  if (!packaged || file !== theirs) return read(file);
  if (!existsSync(theirs)) begin();
  return completed(read(theirs), read(path.join(root, "wrangler.toml")));
}

const read = (file) => shaped(parsed(readFileSync(file, "utf8")));

/** What the tools read in it that is no text, and what they read in each of a list. */
const tables = ["vars", "triggers"];
const lists = ["d1_databases", "kv_namespaces", "ratelimits", "send_email"];
const texts = ["binding", "name", "database_name", "database_id", "preview_database_id", "migrations_dir"];

/** The same, where it has the types that wrangler wants; others are a Failure here, before anything is done. */
function shaped(said) {
  const isTable = (value) => typeof value === "object" && !Array.isArray(value);
  const require = (holds, name, type) => {
    if (!holds) throw new Failure(`wrangler.toml: ${name} is no ${type}`);
  };
  for (const name of tables) require(isTable(said[name] ?? {}), name, "table");
  require(Array.isArray(said.triggers?.crons ?? []), "crons", "list");
  for (const list of lists) {
    const entries = said[list] ?? [];
    require(Array.isArray(entries) && entries.every(isTable), list, "list of tables ([[…]])");
    for (const entry of entries)
      for (const name of texts) require(typeof (entry[name] ?? "") === "string", `${name} in ${list}`, "text");
  }
  return said;
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
export function variable(name, file = theirs) {
  const value = configuration(file).vars?.[name];
  return typeof value === "string" && value ? value : undefined;
}

/** What wrangler knows the database of a binding by, on this machine. */
export function databaseId(binding, file = theirs) {
  const databases = configuration(file).d1_databases ?? [];
  const { preview_database_id: preview, database_id: id } = databases.find((one) => one.binding === binding) ?? {};
  return preview ?? id ?? binding;
}

/** The names by which the worker finds databases, caches, limits and mail. */
export function boundNames(file = theirs) {
  const { d1_databases, kv_namespaces, ratelimits, send_email } = configuration(file);
  const all = [d1_databases, kv_namespaces, ratelimits, send_email].flatMap((some) => some ?? []);
  return all.map(({ binding, name }) => binding ?? name);
}

/** Whether the index has an address of its own, and whether it has the one at workers.dev: unset, only without the other. */
export function addresses(file = theirs) {
  const { route, routes, workers_dev } = configuration(file);
  const routed = [route, routes].flat().some(Boolean);
  return { routed, workersDev: workers_dev ?? !routed };
}

/** When the scheduled run comes. */
export const crons = (file = theirs) => configuration(file).triggers?.crons ?? [];

/**
 * Changes the file: `edit` changes what it says. Every comment stays, except that the example of a setting, a line in a
 * comment, becomes the line that sets it.
 */
export async function change(edit, file = theirs) {
  const { patch } = await import("@decimalturn/toml-patch"); // wrangler's own refuses a file with comments
  const text = readFileSync(file, "utf8");
  const wanted = structuredClone(parsed(text)); // objects without a prototype are others than those that `edit` makes
  edit(wanted);
  const changed = patched(patch, withExamples(text, wanted), wanted);
  if (!isDeepStrictEqual(structuredClone(says(changed)), wanted))
    throw new Failure("wrangler.toml cannot be changed without losing something: set it there yourself");
  const place = realpathSync(file); // a link stays one
  const draft = `${place}.new`;
  writeFileSync(draft, changed, { mode: statSync(file).mode, flush: true });
  renameSync(draft, place);
}

/** The text with what is wanted, or as it was where `patch` cannot write that. */
function patched(patch, text, wanted) {
  const there = structuredClone(parsed(text));
  const lists = Object.keys(wanted).filter((name) => Array.isArray(wanted[name]) && !Object.hasOwn(there, name));
  for (const name of lists) there[name] = []; // it makes no list of tables, and fills one that is empty
  try {
    return patch(lists.length ? patch(text, there) : text, wanted);
  } catch {
    return text;
  }
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
