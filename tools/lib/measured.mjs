// What the benchmark measured, as the manual has it: the results that are kept in docs/measured, and the tables of
// docs/performance.md, which are made of them.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Failure, root } from "./steps.mjs";

/** What is measured, each with a place in the manual. */
export const MEASURED = ["cost", "distance", "first-run", "flood", "growth", "rivals", "storm"];

/** What is kept of a clone, and the page that shows it. */
const places = (home) => ({ folder: path.join(home, "docs/measured"), manual: path.join(home, "docs/performance.md") });

/** A table as Markdown. */
export function table({ columns, rows }) {
  const cells = [columns, columns.map(() => "---"), ...rows.map((row) => row.map((cell) => String(cell ?? "")))];
  return cells.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** When, where and of what it was measured. */
export const origin = ({ command, begun, commit, machine, load }) =>
  `\`${command}\`, ${begun.slice(0, 16).replace("T", " ")} UTC, commit \`${commit}\`, ${machine}; load ${load} at the end.`;

/** The text of the manual with these results in the place that it has for them. */
function placed(text, name, result) {
  const [from, to] = [`<!-- measured: ${name} -->\n`, `<!-- end of ${name} -->\n`];
  const [begin, end] = [text.indexOf(from), text.indexOf(to)];
  if (begin < 0 || end < begin) throw new Failure(`docs/performance.md has no place for ${name}`);
  const parts = [...result.tables.map(table), origin(result)];
  return `${text.slice(0, begin + from.length)}\n${parts.join("\n\n")}\n\n${text.slice(end)}`;
}

/** The manual of a clone as it is to be by what is kept. */
export function rendered(home = root) {
  const { folder, manual } = places(home);
  const kept = existsSync(folder) ? readdirSync(folder).sort() : [];
  return kept.reduce(
    (text, file) => {
      const result = JSON.parse(readFileSync(path.join(folder, file), "utf8"));
      return placed(text, path.basename(file, ".json"), result);
    },
    readFileSync(manual, "utf8"),
  );
}

/** Keeps a result in a clone and writes it into the manual; one of a busy machine is refused. */
export function keep(name, result, home = root) {
  if (result.busy) throw new Failure("the machine was busy: this is not kept", "repeat it on a quiet machine");
  const { folder, manual } = places(home);
  placed(readFileSync(manual, "utf8"), name, result); // before anything is written
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  writeFileSync(manual, rendered(home));
}
