// The operator's commands on the worker under test: the SQL of `npm run admin`, with its parameters bound.

import { createHash, randomUUID } from "node:crypto";
import { answer, find, refused, SINCE, since } from "../../tools/lib/operator.mjs";

/** Runs a command such as `grant paul` in one batch, and gives the link that it prints for a user. */
export async function operate(database, words, now) {
  const { flags, values } = read(words.split(" "), now);
  const chosen = find(values);
  const [, ...parameters] = chosen.usage.split(" ");

  const secret = randomUUID();
  const given = new Map([...flags, ...parameters.map((parameter, at) => [parameter, values[at + 1]])]);
  given.set("NOW", now).set("SECRET", createHash("sha256").update(secret).digest("hex"));
  given.set("KEY", given.get("ADDRESS")?.toLowerCase());

  const statements = chosen.sql.split(/;\n/).filter((statement) => statement.trim());
  try {
    answer(chosen, await database.batch(statements.map((statement) => bound(database, statement, given))));
  } catch (error) {
    if (chosen.refusal && refused(error.message)) throw new Error(`${words} was refused`);
    throw error;
  }
  return chosen.sql.includes(":SECRET") ? `http://127.0.0.1/account/password#${secret}` : "";
}

/** The words of a command, and what its flags say. */
function read(words, now) {
  const flags = new Map([["SINCE", since(SINCE, now)]]);
  const values = [];
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] === "--since") {
      at += 1;
      flags.set("SINCE", since(words[at], now));
    } else if (words[at].startsWith("--")) flags.set(words[at].slice(2).toUpperCase().replaceAll("-", "_"), 1);
    else values.push(words[at]);
  }
  return { flags, values };
}

/** D1 knows no parameters by name. What is not given here (a password) is null. */
function bound(database, sql, given) {
  const values = [];
  const numbered = sql.replace(/:([A-Z_]+)\b/g, (_, name) => `?${values.push(given.get(name) ?? null)}`);
  return database.prepare(numbered).bind(...values);
}
