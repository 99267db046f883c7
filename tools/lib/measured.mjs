// What the benchmark measured, as the manual has it: the results that are kept in docs/measured, and the tables of
// docs/performance.md, which are made of them.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Failure, root } from "./steps.mjs";

const folder = path.join(root, "docs/measured");
const manual = path.join(root, "docs/performance.md");

/** A table as Markdown. */
export function table({ columns, rows }) {
  const cells = [columns, columns.map(() => "---"), ...rows.map((row) => row.map((cell) => String(cell ?? "")))];
  return cells.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** When, where and of what it was measured. */
export const origin = ({ command, begun, commit, machine, load }) =>
  `\`${command}\`, ${begun.slice(0, 16).replace("T", " ")} UTC, commit \`${commit}\`, ${machine}; load ${load} at the end.`;

/** The names of the results that are kept. */
export const kept = () =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .sort();

/** The text of the manual with these results in the place that it has for them. */
function placed(text, name, result) {
  const [from, to] = [`<!-- measured: ${name} -->\n`, `<!-- end of ${name} -->\n`];
  const [begin, end] = [text.indexOf(from), text.indexOf(to)];
  if (begin < 0 || end < begin) throw new Failure(`docs/performance.md has no place for ${name}`);
  const parts = [...result.tables.map(table), origin(result)];
  return `${text.slice(0, begin + from.length)}\n${parts.join("\n\n")}\n\n${text.slice(end)}`;
}

/** The manual as it is to be by what is kept. */
export function rendered(text = readFileSync(manual, "utf8")) {
  const read = (name) => JSON.parse(readFileSync(path.join(folder, `${name}.json`), "utf8"));
  return kept().reduce((text, name) => placed(text, name, read(name)), text);
}

/** Keeps a result and writes it into the manual; one of a busy machine is refused. */
export function keep(name, result) {
  if (result.busy) throw new Failure("the machine was busy: this is not kept", "repeat it on a quiet machine");
  if (!existsSync(folder)) throw new Failure("docs/measured is missing: this is no clone");
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  writeFileSync(manual, rendered());
}
