// Rows as a table, in which a column `command` has commands that can be typed.

import { asTyped } from "./steps.mjs";
import { shown } from "./texts.mjs";

/** The lines of a table: its head, and a line for each row. */
export function table(found) {
  const rows = found.map((row) => ("command" in row ? { ...row, command: asTyped(row.command) } : row));
  const columns = Object.keys(rows[0] ?? {});
  const width = (column) => rows.reduce((most, row) => Math.max(most, shown(row[column]).length), column.length);
  const widths = columns.map(width);
  const line = (cell) =>
    columns
      .map((column, at) => shown(cell(column)).padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  return [line((column) => column), ...rows.map((row) => line((column) => row[column]))].join("\n");
}
