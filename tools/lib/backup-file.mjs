// The file of a backup: lines of JSON. The first says what is in it, the last how many rows there were and the
// SHA-256 of every byte before it; between them each line is a table's name with some of its rows.

import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { applied, tables } from "./sqlite.mjs";
import { breathe, Failure, onDisk } from "./steps.mjs";
import { settle } from "./vault.mjs";

/** The form of the file. Another form gets another number, and nobody reads a later one. */
const FORMAT = 1;

/**
 * What a backup is without. A restore ends refresh tokens and links in any case; search is told of everything again, by
 * the verification, which begins anew; and refused passwords are of the day, and hold what people typed for a name.
 */
export const passing = ["refresh_tokens", "links", "outbox", "progress", "failures"];

/** Characters of one line, about, and bytes that are read at once. */
const LINE = 256 * 1024;
const CHUNK = 256 * 1024;

/** No line is longer: what is, is not one. */
const LONGEST = 256 * CHUNK;

/** The tables that a backup has of such a database. */
export function lasting(database) {
  return Object.fromEntries(Object.entries(tables(database)).filter(([name]) => !passing.includes(name)));
}

/**
 * Lets `work` write in a folder of its own beside a file that is not there yet; the folder goes with all that is in it.
 * Where there can be no such file, that is known before any work.
 */
export function beside(file, work) {
  return onDisk(`cannot write ${file}`, async () => {
    if (existsSync(file)) throw taken(file);
    const folder = mkdtempSync(`${file}.`);
    try {
      return await work(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

const taken = (file) => new Failure(`${file} is there already: a backup replaces nothing`);

/** Writes a backup of the database as it is at one moment, beside its place first; gives the number of rows of each table. */
export async function write(database, file, madeAt, folder) {
  if (!folder) return beside(file, (folder) => write(database, file, madeAt, folder));
  const draft = path.join(folder, "draft");
  const out = openSync(draft, "wx", 0o600);
  let rows;
  try {
    database.exec("begin"); // what is read until the end is of one moment, whoever writes meanwhile
    rows = await writeAll(database, out, madeAt);
    fsyncSync(out);
  } finally {
    if (database.isTransaction) database.exec("rollback");
    closeSync(out);
  }
  name(draft, file);
  return rows;
}

/** Gives a whole draft its name, unless somebody took that meanwhile. Not by a link: a stick that one carries home has none. */
function name(draft, file) {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    throw error.code === "EEXIST" ? taken(file) : error;
  }
  renameSync(draft, file);
  settle(path.dirname(file));
}

async function writeAll(database, out, madeAt) {
  const sum = createHash("sha256");
  const put = (value) => {
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    for (let at = 0; at < line.length; ) at += writeSync(out, line, at);
    return line;
  };
  const columns = lasting(database);
  const header = { hublet: "backup", format: FORMAT, made_at: madeAt, migrations: applied(database), columns };
  sum.update(put(header));
  const counts = {};
  for (const [table, names] of Object.entries(columns)) {
    counts[table] = 0;
    for (const rows of chunks(database, table, names)) {
      sum.update(put([table, rows]));
      counts[table] += rows.length;
      await breathe(`${counts[table]} ${table}`);
    }
  }
  put({ rows: counts, sha256: sum.digest("hex") });
  return counts;
}

/** The rows of a table, so many at once as make a line. */
function* chunks(database, table, columns) {
  const all = database.prepare(`select ${columns.map((name) => `"${name}"`).join(", ")} from "${table}"`);
  all.setReturnArrays(true);
  all.setReadBigInts(true);
  let rows = [];
  let length = 0;
  for (const row of all.iterate()) {
    rows.push(row.map(exact));
    for (const value of row) length += typeof value === "string" ? value.length + 3 : 8;
    if (length < LINE) continue;
    yield rows;
    [rows, length] = [[], 0];
  }
  if (rows.length) yield rows;
}

/** Text that JSON.stringify takes as it is; `JSON.rawJSON` is newer than its types. */
const { rawJSON: rawJson } = /** @type {{ rawJSON: (text: string) => unknown }} */ (/** @type {unknown} */ (JSON));

/** An integer as it is written in JSON: SQLite's have 64 bits, of which a number of JavaScript keeps 53. */
function exact(value) {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : rawJson(`${value}`);
}

/** Where a line may hold an integer of more than 53 bits. */
const long = /[[,]-?(?:9\d{15}|\d{17,})[\],]/;

/** Keeps such an integer as it is written. */
function kept(_, value, { source }) {
  return typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/**
 * Reads a backup: first its header, then `[table, rows]` again and again. Only who came to the end without a Failure has
 * read a whole one: the sum comes last.
 */
export async function* read(file) {
  const damaged = (what) => new Failure(`${file} is no whole backup of hublet: ${what}`);
  const sum = createHash("sha256");
  const counts = {};
  let header;
  let last; // the line before: only the next one shows that it was not the last of the file
  for (const line of lines(file, damaged)) {
    if (last && !header) {
      header = understood(last, damaged);
      for (const table of Object.keys(header.columns)) counts[table] = 0;
      yield header;
    } else if (last) {
      const [table, rows] = content(last, header, damaged);
      counts[table] += rows.length;
      await breathe(`${counts[table]} ${table}`);
      yield [table, rows];
    }
    if (last) sum.update(last);
    last = line;
  }
  if (!header) throw damaged("it ends before it begins");
  const wanted = `${JSON.stringify({ rows: counts, sha256: sum.digest("hex") })}\n`;
  if (last.toString() !== wanted) throw damaged("its sum is not that of its lines");
}

/** Reads a backup to its end for nothing but that it is whole; gives its header. */
export async function check(file) {
  let header;
  for await (const part of read(file)) header ??= part;
  return header;
}

function* lines(file, damaged) {
  const from = readable(file, () => openSync(file, "r"));
  try {
    let rest = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const length = readable(file, () => readSync(from, chunk));
      if (!length) break;
      rest = Buffer.concat([rest, chunk.subarray(0, length)]);
      let begin = 0;
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, begin)) {
        yield rest.subarray(begin, end + 1);
        begin = end + 1;
      }
      rest = rest.subarray(begin);
      if (rest.length > LONGEST) throw damaged("a line does not end");
    }
    if (rest.length) throw damaged("it was cut off");
  } finally {
    closeSync(from);
  }
}

/** Reads of a file; that the machine refuses it is a Failure. */
function readable(file, work) {
  try {
    return work();
  } catch (error) {
    throw new Failure(`cannot read ${file} (${error.code})`);
  }
}

function understood(line, damaged) {
  const header = json(line);
  if (header?.hublet !== "backup" || !Number.isInteger(header.format))
    throw damaged("its first line is not that of one");
  if (header.format > FORMAT)
    throw new Failure(`this backup has the form ${header.format}: a newer hublet made it, and restores it`);
  const { migrations, columns } = header;
  const names = (list) => Array.isArray(list) && list.every((name) => typeof name === "string");
  if (!names(migrations) || !columns || !Object.values(columns).every(names))
    throw damaged("its first line is not that of one");
  return header;
}

function content(line, header, damaged) {
  const part = json(line);
  const [table, rows] = Array.isArray(part) ? part : [];
  const columns = Object.hasOwn(header.columns, table) ? header.columns[table] : [];
  const fits = (row) => Array.isArray(row) && row.length === columns.length;
  if (!columns.length || !Array.isArray(rows) || !rows.every(fits)) throw damaged("a line of it is not one");
  return [table, rows];
}

function json(line) {
  try {
    const text = line.toString();
    return JSON.parse(text, long.test(text) ? kept : undefined);
  } catch {
    return undefined;
  }
}
