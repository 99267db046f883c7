// The operator's commands on a stage: the SQL of `npm run admin`, with its parameters bound.

import { createHash, randomUUID } from "node:crypto";
import { command } from "../../tools/lib/operator.mjs";

/** Runs a command such as `grant paul` in one batch, and gives the link that it prints for a user. */
export async function operate(database, words, now) {
  const [name, ...values] = words.split(" ");
  const { usage, refusal, sql } = command(name);
  const [, ...parameters] = usage.split(" ");
  if (parameters.length !== values.length) throw new Error(`usage: ${usage}`);

  const secret = randomUUID();
  const given = new Map(parameters.map((parameter, at) => [parameter, values[at]]));
  given.set("NOW", now).set("SECRET", createHash("sha256").update(secret).digest("hex"));

  const statements = sql.split(/;\n/).filter((statement) => statement.trim());
  const results = await database.batch(statements.map((statement) => bound(database, statement, given)));
  if (!results.at(-1).results.length && refusal) throw new Error(`${name} was refused`);
  return sql.includes(":SECRET") ? `http://127.0.0.1/account/password#${secret}` : "";
}

/** D1 knows no parameters by name. What a stage does not give (a password) is null. */
function bound(database, sql, given) {
  const values = [];
  const numbered = sql.replace(/:([A-Z_]+)\b/g, (_, name) => `?${values.push(given.get(name) ?? null)}`);
  return database.prepare(numbered).bind(...values);
}
