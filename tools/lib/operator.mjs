// What an operator's command is: one of src/store/operator/*.sql.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./steps.mjs";

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
