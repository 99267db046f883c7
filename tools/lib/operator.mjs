// What an operator's command is: one of src/store/operator/*.sql.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./steps.mjs";

/** Names of users, those that were registered and those that were given: the grammar of src/domain/names.rs. */
export const userName = /^(?:[a-z0-9_]{4,30}|(?=.{2,64}$)[a-z0-9]+(?:[._-][a-z0-9]+)*)$/;

const folder = path.join(root, "src/store/operator");

/** The commands that there are. */
export const names = readdirSync(folder).map((file) => path.basename(file, ".sql")).sort();

/**
 * A command is a file: its first line is the usage and names the parameters, its second says what it does,
 * and where it can be refused, the third says why. Its last statement returns a row when it worked.
 */
export function command(name) {
  const lines = readFileSync(path.join(folder, `${name}.sql`), "utf8").split("\n");
  const said = lines.filter((line) => line.startsWith("-- ")).map((line) => line.slice(3));
  const [usage, purpose] = said;
  const refusal = said.find((line) => line.startsWith("Refused: "))?.slice("Refused: ".length);
  return { usage, purpose, refusal, sql: lines.filter((line) => !line.startsWith("--")).join("\n") };
}

/** Puts each `:PARAMETER` into the text as a literal. */
export function inline(sql, values) {
  return sql.replace(/:([A-Z_]+)\b/g, (_, name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the command wants :${name}, which nobody gives`);
    return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
  });
}

/** What whoever brought a database back must know, and look at. */
export function restored({ keep, hide, remote }) {
  const flags = ["--private", ...(keep ? ["--keep-access-tokens"] : []), ...(remote ? ["--remote"] : [])];
  const hiding = `npm run admin -- after-restore ${flags.join(" ")}`;
  const seen = hide
    ? "every repository is private: their admins say which may be seen"
    : `repositories that were made private or deleted since are public and there again: look, or hide all of them: ${hiding}`;
  return `hublet: everybody logs in again${keep ? "" : ", and access tokens are not active: their users make them so, or new ones"}
hublet: passwords, roles, and who is disabled are those of before: look whether one of them was changed since for a reason
hublet: ${seen}
hublet: search finds everything once the scheduled run has been through, 10,000 repositories a minute`;
}
