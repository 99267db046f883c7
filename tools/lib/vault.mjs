// Files with secrets in them: only their owner may read them, and nobody ever meets half of one.

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

/** Writes a whole file, beside its place first. */
export function keep(file, text) {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const place = existsSync(file) ? realpathSync(file) : file; // a link stays one
  const draft = `${place}.${process.pid}.new`; // two commands may write at once, and the last one stays
  rmSync(draft, { force: true });
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: "wx", flush: true });
    renameSync(draft, place);
  } finally {
    rmSync(draft, { force: true });
  }
  settle(path.dirname(place));
}

/** Waits until the disk has what a folder names: a name that is only in memory goes with the power. */
export function settle(folder) {
  if (process.platform === "win32") return; // which opens no folder
  const opened = openSync(folder, "r");
  fsyncSync(opened);
  closeSync(opened);
}

/** Sets variables of a file, all by one write; every other line stays as it is. */
export function assign(file, values) {
  let text = existsSync(file) ? readFileSync(file, "utf8") : "";
  for (const [name, value] of Object.entries(values)) {
    const line = `${name}="${value.replaceAll("\n", "\\n")}"`;
    // A quoted value may go over several lines.
    const there = new RegExp(`^${name}[ \\t]*=[ \\t]*(?:"[^"]*"|'[^']*'|)[^\\n]*$`, "m");
    text = there.test(text) ? text.replace(there, () => line) : `${text.replace(/([^\n])$/, "$1\n")}${line}\n`;
  }
  keep(file, text);
}
