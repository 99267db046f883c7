// Where statements with bound values go: `[{ sql, params }]`, one transaction, and the rows of each come back.

import { existsSync } from "node:fs";
import { accountId, apiToken, ask } from "./cloudflare-api.mjs";
import { configuration } from "./configuration.mjs";
import { localFile, openLocal, transaction } from "./sqlite.mjs";
import { isUsual, stateOf } from "./started.mjs";
import { Failure } from "./steps.mjs";

/** Runs statements one after the other, for one who has begun a transaction. */
export const inside = (database) => (statements) =>
  statements.map(({ sql, params }) => database.prepare(sql).all(...params));

/** A database of `npm start`, which may run. */
export function local(state, binding) {
  if (!existsSync(localFile(state, binding))) throw new NoTables();
  const database = openLocal(state, binding);
  database.exec("pragma foreign_keys = on"); // as D1 has it
  const carry = inside(database);
  return named((statements) => transaction(database, () => carry(statements)));
}

/** A database of the deployed worker, through D1's REST API. */
export async function remote(binding) {
  const token = await apiToken();
  const account = await accountId(token);
  const database = await deployedId(binding, account, token);
  const query = `/accounts/${account}/d1/database/${database}/query`;
  return named(async (statements) => {
    const answers = await ask(query, token, { batch: statements });
    return answers.map(({ results }) => results);
  });
}

/** The database of the index that the flags of a tool name. */
export async function databaseOf(flags) {
  const state = stateOf(flags);
  const more = isUsual(state) ? "" : ` -- --persist-to ${state}`;
  const where = flags.remote
    ? "on Cloudflare has no tables yet: `npm run deploy` makes them"
    : `in ${state} has no tables yet: \`npm start${more}\` makes them`;
  const said = (error) => (error instanceof NoTables ? new NoTables(`the database ${where}`) : error);
  try {
    const batch = await (flags.remote ? remote("DB") : local(state, "DB"));
    return (statements) => batch(statements).catch((error) => Promise.reject(said(error)));
  } catch (error) {
    throw said(error);
  }
}

/** The database has no tables. */
export class NoTables extends Failure {
  constructor(words = "the database has no tables yet") {
    super(words);
  }
}

/** The same, where what the database says is a Failure, and a database without tables one of its own. */
function named(batch) {
  return async (statements) => {
    try {
      return await batch(statements);
    } catch (error) {
      if (/no such table/.test(error.message)) throw new NoTables();
      throw error.errcode === undefined ? error : new Failure(`the database fails: ${error.message}`);
    }
  };
}

/** The id of the database, which wrangler.toml may leave out: then it is found by its name. */
async function deployedId(binding, account, token) {
  const databases = configuration().d1_databases ?? [];
  const { database_id: id, database_name: name } = databases.find((one) => one.binding === binding) ?? {};
  if (id) return id;
  const found = await ask(`/accounts/${account}/d1/database?name=${encodeURIComponent(name)}`, token);
  const database = found.find((one) => one.name === name);
  if (!database) throw new NoTables();
  return database.uuid;
}
