// @ts-nocheck: for as long as it is being rewritten
// What an operator's command is: one of src/store/operator/*.sql.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { Failure, root } from "./steps.mjs";

/** Names of users, those that were registered and those that were given: the grammar of src/domain/names.rs. */
export const userName = /^(?:[a-z0-9_]{4,30}|(?=.{2,64}$)(?:[a-z0-9_]{4,30}-)?[a-z0-9]+(?:[._-][a-z0-9]+)*)$/;

const folder = path.join(root, "src/store/operator");

/** The files that there are. */
export const names = readdirSync(folder)
  .map((file) => path.basename(file, ".sql"))
  .sort();

/** Where a file goes on with what is asked after a refusal: what stands in the way. */
const IN_THE_WAY = "\n-- In the way:\n";

/**
 * A command is a file: its first line is the usage and names the parameters, the sentence behind it says what it does,
 * and where it can be refused, another says why. Its last `select` returns a row when it worked. Where it returns
 * none, the statement behind all fails, and with it the whole batch: what was refused has changed nothing.
 */
export function command(name) {
  const [text, inTheWay = ""] = readFileSync(path.join(folder, `${name}.sql`), "utf8").split(IN_THE_WAY);
  const lines = text.split("\n");
  const said = lines.filter((line) => line.startsWith("-- ")).map((line) => line.slice(3));
  const [usage, ...sentences] = said;
  const [purpose] = /^.*?\.(?= |$)/.exec(sentences.join(" ")) ?? [""];
  const refusal = said.find((line) => line.startsWith("Refused: "))?.slice("Refused: ".length);
  const sql = lines
    .filter((line) => !line.startsWith("--"))
    .join("\n")
    .trimEnd();
  const statements = sql.split(/;\n/);
  const told = statements.findLastIndex((statement) => /^(?:select|with)\b/.test(statement));
  const guard = refusal && `\nselect json(iif(exists (${statements[told].replace(/;$/, "")}), 'true', 'refused'));\n`;
  const fromEnd = statements.length - told + (guard ? 1 : 0);
  return { name, usage, purpose, refusal, inTheWay, fromEnd, sql: sql + (guard ?? "\n") };
}

/** Whether a batch failed because the command was refused. */
export const refused = (words) => /malformed JSON/.test(words);

/** The rows that a command answers with, of the results of all its statements. */
export const answer = ({ fromEnd = 1 }, results) => results.at(-fromEnd).results;

/** What a command takes, of which what stands in brackets may be missing: `{ least, parameters }`. */
export function takes({ usage }) {
  const [, ...words] = usage.split(" ");
  return {
    least: words.filter((word) => !word.startsWith("[")).length,
    parameters: words.map((word) => word.replace(/[[\]]/g, "")),
  };
}

/** The command that these words are: of those that begin alike, the one that takes so many. */
export function find([first, ...rest]) {
  const alike = names.map(command).filter(({ usage }) => usage.split(" ")[0] === first);
  if (!alike.length) throw new Failure(`there is no command ${JSON.stringify(first)}: see \`npm run admin -- --help\``);
  const fits = ({ least, parameters }) => rest.length >= least && rest.length <= parameters.length;
  const found = alike.find((command) => fits(takes(command)));
  if (!found) throw new Failure(`usage: ${alike.map(({ usage }) => `npm run admin -- ${usage}`).join(", or ")}`);
  return found;
}

/** Puts each `:PARAMETER` into the text as a literal. */
export function inline(sql, values) {
  return sql.replace(/:([A-Z_]+)\b/g, (_, name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the command wants :${name}, which nobody gives`);
    return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
  });
}

/** The moment that --since says: an RFC 3339 time, or hours or days before `now`. */
export function since(text, now) {
  const [, number, unit] = /^([1-9][0-9]{0,4})([hd])$/.exec(text) ?? [];
  if (number) return now - number * { h: 3_600, d: 86_400 }[unit];
  const [time] = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const moment = Math.floor(Date.parse(time) / 1000);
  if (Number.isNaN(moment)) throw new Failure("--since is 36h, 7d, or a time such as 2026-11-20T08:00:00Z");
  return moment;
}

/** How far back `compromised` looks unless it is told. */
export const SINCE = "7d";

/** What whoever brought a database back must know, and look at. */
export function restored({ keep, hide, where }) {
  const hiding = `npm run admin -- after-restore --private${keep ? " --keep-access-tokens" : ""}${where}`;
  const seen = hide
    ? "every repository is private: their admins say which may be seen"
    : `repositories that were made private or deleted since are public and there again: look, or hide all of them: ${hiding}`;
  return `hublet: everybody logs in again${keep ? "" : ", and access tokens are not active: their users make them so, or new ones"}
hublet: passwords, roles, and who is disabled are those of before: look whether one of them was changed since for a reason
hublet: ${seen}
hublet: search finds everything once the scheduled run has been through, 10,000 repositories a minute`;
}
