// The tables of both databases, brought to where src/store/migrations says.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { files, hash } from "./inputs.mjs";
import { databaseId } from "./configuration.mjs";
import { home, step } from "./steps.mjs";
import { patiently, wrangler } from "./wrangler.mjs";

/** The bindings of the two databases in wrangler.toml. */
export const databases = ["DB", "SEARCH"];

/** What goes when SEARCH is made anew. */
export const searchTables = ["terms", "trigrams", "prefixes", "fragments", "documents", "d1_migrations"];

/**
 * Makes SEARCH empty: the scheduled run fills it again. Its tables go and come, since to delete from an index of words
 * is work for every row. `where` is for wrangler.
 */
export async function emptySearch(where) {
  const drop = searchTables.map((table) => `drop table if exists ${table};`);
  await step("emptying search", async () => {
    await patiently(["d1", "execute", "SEARCH", ...where, "--json", "--command", drop.join(" ")]);
    await patiently(["d1", "migrations", "apply", "SEARCH", ...where]);
  });
}

/** Migrates the local databases under `state`, unless this was done: the note of it lies beside them and goes with them. */
export async function migrateLocally(state) {
  const note = path.resolve(state, "v3/d1/migrations.sha256");
  // The ids of wrangler.toml say which databases they are.
  const wanted = hash(files("src/store/migrations")) + databases.map((binding) => databaseId(binding)).join();
  if (existsSync(note) && readFileSync(note, "utf8") === wanted) return;
  for (const database of databases) {
    await wrangler(["d1", "migrations", "apply", database, "--local", "--persist-to", path.resolve(home, state)]);
  }
  writeFileSync(note, wanted);
}
