// The operator's commands on a stage: the SQL of `npm run admin`, with its parameters bound.

import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../tools/lib/steps.mjs";

/** Runs a command such as `grant paul` in one batch, and gives the link that it prints for a user. */
export async function operate(database, words, now) {
  const [name, ...values] = words.split(" ");
  const text = readFileSync(path.join(root, "src/store/operator", `${name}.sql`), "utf8");
  const [, ...parameters] = text.split("\n", 1)[0].replace("-- ", "").split(" ");
  if (parameters.length !== values.length) throw new Error(`${name} wants ${parameters.join(" ")}`);

  const secret = randomUUID();
  const given = new Map(parameters.map((parameter, at) => [parameter, values[at]]));
  given.set("NOW", now).set("SECRET", createHash("sha256").update(secret).digest("hex"));

  const statements = text.replace(/^--.*$/gm, "").split(/;\n/).filter((sql) => sql.trim());
  const results = await database.batch(statements.map((sql) => bound(database, sql, given)));
  if (!results.at(-1).results.length && text.includes("-- Refused:")) throw new Error(`${name} was refused`);
  return text.includes(":SECRET") ? `http://127.0.0.1/account/password#${secret}` : "";
}

/** D1 knows no parameters by name. What a stage does not give (a password) is null. */
function bound(database, sql, given) {
  const values = [];
  const numbered = sql.replace(/:([A-Z_]+)\b/g, (_, name) => `?${values.push(given.get(name) ?? null)}`);
  return database.prepare(numbered).bind(...values);
}
