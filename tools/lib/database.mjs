// Where statements with bound values go: `[{ sql, params }]`, one transaction, and the rows of each come back.

import { existsSync } from "node:fs";
import { cloudflare } from "./cloudflare.mjs";
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

/** Where Cloudflare's API is; wrangler knows the variable too. */
const api = () => process.env.CLOUDFLARE_API_BASE_URL ?? "https://api.cloudflare.com/client/v4";

/** Milliseconds after which it is given up: a query of D1 takes 30 seconds at most. */
const PATIENCE = 60_000;

/** Asks Cloudflare. What it refuses is a Failure with its words. */
async function ask(path, token, body) {
  let answer;
  try {
    const response = await fetch(api() + path, {
      method: body ? "POST" : "GET",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    answer = await response.json();
  } catch (error) {
    throw new Failure(`Cloudflare does not answer (${error.cause?.code ?? error.message})`);
  }
  if (answer.success) return answer.result;
  const [{ code, message } = { code: 0, message: "no reason" }] = answer.errors ?? [];
  if (code === AUTHENTICATION) throw new Failure("Cloudflare does not take this token: npx wrangler login");
  throw new Failure(`Cloudflare: ${message}`);
}

/** How Cloudflare says that it does not know a token. */
const AUTHENTICATION = 10_000;

/** The token by which wrangler is logged in, or that of the environment. It is in no command line. */
async function apiToken() {
  if (process.env.CLOUDFLARE_API_TOKEN) return process.env.CLOUDFLARE_API_TOKEN;
  const { token } = JSON.parse(await cloudflare(["auth", "token", "--json"]));
  if (!token) throw new Failure("this needs a token: npx wrangler login, or CLOUDFLARE_API_TOKEN");
  return token;
}

/** The account that wrangler would take: what is set, or the only one. */
async function accountId(token) {
  const set = process.env.CLOUDFLARE_ACCOUNT_ID ?? configuration().account_id;
  if (set) return set;
  const accounts = await ask("/accounts", token);
  if (accounts.length === 1) return accounts[0].id;
  const names = accounts.map(({ name, id }) => `${name} (${id})`).join(", ");
  throw new Failure(`there are ${accounts.length} accounts: say which by CLOUDFLARE_ACCOUNT_ID: ${names}`);
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
