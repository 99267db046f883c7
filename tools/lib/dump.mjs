// A database as the text of SQL, which is the form in which Cloudflare gives one and takes one.

import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { passing } from "./backup-file.mjs";
import { keys, tables } from "./sqlite.mjs";
import { breathe } from "./steps.mjs";

/** Bytes of one statement, about: D1 takes 100,000. */
const STATEMENT = 40_000;

/** A longer text goes in piece by piece: so many characters have 40,000 bytes at most. */
const pieces = /[\s\S]{1,10000}/gu;

/** The statements of a text that holds no comments and no triggers: a semicolon in quotes ends nothing. */
export async function* statements(file) {
  let rest = "";
  let seen = 0; // how much of `rest` was looked at
  let quote = "";
  for await (const chunk of createReadStream(file, { encoding: "utf8", highWaterMark: 1024 * 1024 })) {
    rest += chunk;
    const marks = /['";]/g;
    marks.lastIndex = seen;
    let begin = 0;
    for (let mark = marks.exec(rest); mark; mark = marks.exec(rest)) {
      if (quote)
        quote = mark[0] === quote ? "" : quote; // one that is doubled ends, and begins again
      else if (mark[0] !== ";") quote = mark[0];
      else {
        yield rest.slice(begin, mark.index).trim();
        begin = mark.index + 1;
      }
    }
    rest = rest.slice(begin);
    seen = rest.length;
  }
  if (rest.trim()) yield rest.trim();
}

/** Puts the rows of an export into tables that are there already, and the migrations that it had. */
export async function load(database, file) {
  const known = { ...tables(database), d1_migrations: [] };
  for (const table of Object.keys(known)) database.exec(`delete from "${table}"`); // what migrations put there is in it
  let count = 0;
  for await (const statement of statements(file)) {
    const [, table] = /^insert into "?([a-z0-9_]+)"?[ (]/i.exec(statement) ?? [];
    if (!Object.hasOwn(known, table) || passing.includes(table)) continue; // the platform's own, or a pragma
    insert(database, statement);
    if (++count % 1000 === 0) await breathe(`${count} rows`);
  }
}

/** How SQLite says that a value is not of its column's type: so is an integer that an export rounded up beyond 64 bits. */
const DATATYPE = 3091;

function insert(database, statement) {
  try {
    database.exec(statement);
  } catch (error) {
    if (error.errcode !== DATATYPE) throw error;
    database.exec(
      statement.replace(/'(?:[^']|'')*'|-?\d{19,}/g, (word) =>
        word[0] === "'" ? word : String(nearest(BigInt(word))),
      ),
    );
  }
}

/** The nearest of the integers that there are. */
function nearest(number) {
  const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
  return number > most ? most : number < least ? least : number;
}

/**
 * Writes a text that makes a database what this one is. Where the database at which it is aimed holds more lasting rows
 * in a table than `most` says, it fails, and nothing of it has happened.
 */
export async function write(database, file, most) {
  const out = openSync(file, "wx", 0o600);
  const put = (text) => writeSync(out, `${text};\n`);
  const schema = (where) =>
    database.prepare(`select name, sql from sqlite_schema where sql is not null and ${where}`).all();
  const own = Object.keys(tables(database));
  try {
    put("pragma defer_foreign_keys = true");
    put("create table restore_guard (too_many integer check (too_many <= 0))");
    for (const [table, rows] of Object.entries(most).filter(([table]) => !passing.includes(table))) {
      put(`insert into restore_guard select count(*) - ${rows} from "${table}"`);
    }
    put("drop table restore_guard");
    for (const table of Object.keys(most).reverse()) put(`drop table "${table}"`);
    put("drop table if exists d1_migrations");
    for (const table of [...own, "d1_migrations"]) put(schema(`type = 'table' and name = '${table}'`)[0].sql);
    for (const table of [...own, "d1_migrations"]) await rows(database, table, put);
    put("delete from sqlite_sequence");
    await rows(database, "sqlite_sequence", put);
    for (const { sql } of schema("type in ('index', 'trigger', 'view') order by type, rowid")) put(sql);
  } finally {
    closeSync(out);
  }
}

async function rows(database, table, put) {
  const all = database.prepare(`select * from "${table}"`);
  const columns = all.columns().map(({ name }) => name);
  const names = columns.map((name) => `"${name}"`).join(", ");
  all.setReturnArrays(true);
  all.setReadBigInts(true); // a number of JavaScript does not keep 64 bits
  let values = [];
  let length = 0;
  const flush = async () => {
    if (values.length) put(`insert into "${table}" (${names}) values ${values.join(",")}`);
    [values, length] = [[], 0];
    await breathe(table);
  };
  for (const row of all.iterate()) {
    const cut = row.map((value) => (typeof value === "string" && value.match(pieces)) || [value]);
    const text = `(${cut.map(([value]) => literal(value)).join(",")})`;
    const bytes = Buffer.byteLength(text);
    if (length + bytes > STATEMENT) await flush();
    values.push(text);
    length += bytes;
    if (cut.every(({ length }) => length === 1)) continue;
    await flush();
    const where = keys(database, table)
      .map((key) => `"${key}" = ${literal(row[columns.indexOf(key)])}`)
      .join(" and ");
    cut.forEach(([, ...more], at) => {
      for (const piece of more)
        put(`update "${table}" set "${columns[at]}" = "${columns[at]}" || ${literal(piece)} where ${where}`);
    });
  }
  await flush();
}

function literal(value) {
  if (value === null) return "null";
  if (typeof value !== "string") return String(value);
  if (value.includes("\0")) return `cast(x'${Buffer.from(value).toString("hex")}' as text)`;
  return `'${value.replaceAll("'", "''")}'`;
}
