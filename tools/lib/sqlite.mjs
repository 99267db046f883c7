// The databases as files: those that `npm start` keeps, and drafts of those that go to Cloudflare.

import { createHash, createHmac } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { databaseId } from "./configuration.mjs";
import { Failure, home, root } from "./steps.mjs";

/** Milliseconds that a writer waits for another one: the running worker writes for less. */
const PATIENCE = 30_000;

/** Opens a database. Foreign keys are not looked after one by one: whoever changes rows looks at all in the end. */
export function open(file) {
  return new DatabaseSync(file, { enableForeignKeyConstraints: false, timeout: PATIENCE });
}

/** The database of `npm start` behind a binding; `make` makes the file where there is none. */
export function openLocal(state, binding, { make = false } = {}) {
  const file = localFile(state, binding);
  if (!make && !existsSync(file)) throw new Failure(`there is no database in ${state}: \`npm start\` makes it`);
  mkdirSync(path.dirname(file), { recursive: true });
  const database = open(file);
  database.exec("pragma journal_mode = wal"); // as workerd has it
  return database;
}

/** Where miniflare keeps it: a durable object, whose id is made of the database's own. */
export function localFile(state, binding) {
  const hmac = (key, text) => createHmac("sha256", key).update(text).digest().subarray(0, 16);
  const key = createHash("sha256").update("miniflare-D1DatabaseObject").digest();
  const name = hmac(key, databaseId(binding));
  const id = Buffer.concat([name, hmac(key, name)]).toString("hex");
  return path.resolve(home, state, "v3/d1/miniflare-D1DatabaseObject", `${id}.sqlite`);
}

const folder = (binding) => path.join(root, "src/store/migrations", binding.toLowerCase());

/** The migrations of a database that this clone knows, in their order. */
export const migrations = (binding) => readdirSync(folder(binding)).sort();

/** Applies migrations, and notes them where wrangler does. */
export function migrate(database, binding, names) {
  database.exec(`create table if not exists d1_migrations (id integer primary key autoincrement, name text unique,
    applied_at timestamp default current_timestamp not null)`);
  const note = database.prepare("insert into d1_migrations (name) values (?)");
  for (const name of names) {
    database.exec(readFileSync(path.join(folder(binding), name), "utf8"));
    note.run(name);
  }
}

/** The migrations that a database has, in the order in which they came. */
export function applied(database) {
  const has = database.prepare("select 1 from sqlite_schema where name = 'd1_migrations'").get();
  return has
    ? database
        .prepare("select name from d1_migrations order by id")
        .all()
        .map(({ name }) => name)
    : [];
}

/** The tables that the migrations made, in their order, each with its columns. */
export function tables(database) {
  const found = database
    .prepare(`select name from sqlite_schema where type = 'table' and name <> 'd1_migrations'
    and substr(name, 1, 7) <> 'sqlite_' and substr(name, 1, 4) <> '_cf_' order by rowid`)
    .all();
  const columns = database.prepare("select name from pragma_table_info(?) order by cid");
  return Object.fromEntries(found.map(({ name }) => [name, columns.all(name).map((column) => column.name)]));
}

/** The columns by which a row of a table is known. */
export const keys = (database, table) =>
  database
    .prepare("select name from pragma_table_info(?) where pk > 0 order by pk")
    .all(table)
    .map(({ name }) => name);

/** How many rows each table has. */
export function counts(database) {
  const count = (table) => database.prepare(`select count(*) as rows from "${table}"`).get().rows;
  return Object.fromEntries(Object.keys(tables(database)).map((table) => [table, count(table)]));
}

/** An empty database of these migrations, in memory. */
export function empty(binding, names) {
  const database = open(":memory:");
  migrate(database, binding, names);
  return database;
}

/** Does all of it or nothing, and meanwhile nobody else writes. */
export async function transaction(database, work) {
  database.exec("begin immediate");
  try {
    const result = await work();
    database.exec("commit");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("rollback");
    throw error;
  }
}
