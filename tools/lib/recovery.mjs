// A backup, put into an empty database.

import { check, lasting, passing, read } from "./backup-file.mjs";
import { searchTables } from "./migrations.mjs";
import { inside } from "./database.mjs";
import { operate } from "./operator.mjs";
import { applied, counts, empty, migrate, migrations, tables, transaction } from "./sqlite.mjs";
import { Failure } from "./steps.mjs";

/**
 * Refuses what is damaged, and what needs a newer hublet: a form that is not known yet is refused where it is read, a
 * schema here.
 */
export async function acceptable(file) {
  const header = await check(file);
  const known = migrations("DB");
  const unknown = header.migrations.filter((name) => !known.includes(name));
  if (unknown.length)
    throw new Failure(`this backup is of a newer hublet, which has ${unknown.join(", ")}: update hublet first`);
  if (header.migrations.some((name, at) => name !== known[at]))
    throw new Failure(`${file} is no whole backup of hublet: its migrations are not in their order`);
  return header;
}

/** The rows that speak against a database being empty: all but those that its migrations put there. */
export function inTheWay(rows, names) {
  const made = counts(empty("DB", names));
  const more = Object.entries(rows).filter(([table, count]) => !passing.includes(table) && count > (made[table] ?? 0));
  return more.map(([table, count]) => `${count} ${table}`).join(", ");
}

/** What is said where something is in the way. */
export function notEmpty(what, cure = "give it another place with --persist-to") {
  return new Failure(
    `the database is not empty (${what}): a backup goes into an empty one, so that it replaces nothing: ${cure}`,
  );
}

/**
 * Puts a backup into a database, all or nothing. The tables become those of the backup's own version, and are then
 * brought to this one's; what was revoked since the backup was made is ended like everything of its kind. `last` is
 * done before the end, and can still fail.
 */
export async function restore(database, file, { now, keep, hide, last = () => {} }) {
  const header = await acceptable(file);
  return transaction(database, async () => {
    const what = inTheWay(counts(database), applied(database));
    if (what) throw notEmpty(what);
    for (const table of Object.keys(tables(database)).reverse()) database.exec(`drop table "${table}"`);
    if (applied(database).length) database.exec("delete from d1_migrations");
    migrate(database, "DB", header.migrations);
    await fill(database, file, header);
    migrate(
      database,
      "DB",
      migrations("DB").filter((name) => !header.migrations.includes(name)),
    );
    const wrong = database.prepare("pragma foreign_key_check").all();
    if (wrong.length)
      throw new Failure(`${file} names what is not in it: ${wrong[0].table} without ${wrong[0].parent}`);
    await afterRestore(database, { now, keep, hide });
    const rows = counts(database);
    await last();
    return rows;
  });
}

async function fill(database, file, header) {
  const columns = lasting(database);
  if (!same(columns, header.columns)) throw new Failure(`${file} has other tables than its migrations make`);
  const inserts = {};
  for (const [table, names] of Object.entries(columns)) {
    database.exec(`delete from "${table}"`); // what the migrations put there is in the backup too
    const list = names.map((name) => `"${name}"`).join(", ");
    inserts[table] = database.prepare(`insert into "${table}" (${list}) values (${names.map(() => "?").join(", ")})`);
  }
  let first = true;
  for await (const part of read(file)) {
    if (!first)
      for (const row of part[1]) put(inserts[part[0]], row, `${file} has a row of ${part[0]} that does not fit`);
    first = false;
  }
}

/** A sum is right also where somebody wrote nonsense and summed it up; the disk is another matter. */
function put(insert, row, words) {
  try {
    insert.run(...row);
  } catch (error) {
    const unfit = error.errcode === undefined || [CONSTRAINT, MISMATCH].includes(error.errcode & 0xff);
    throw unfit ? new Failure(`${words}: ${error.message}`) : error;
  }
}

const same = (one, other) =>
  JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

/** How SQLite says that a row breaks a rule of its table, or has another type. */
const CONSTRAINT = 19;
const MISMATCH = 20;

/** What `npm run admin -- after-restore` does. */
async function afterRestore(database, { now, keep, hide }) {
  const flags = { "keep-access-tokens": keep, private: hide };
  await operate({ words: ["after-restore"], flags, now }, inside(database));
}

/** Makes the file of SEARCH empty: the scheduled run fills it again. */
export async function emptySearchFile(database) {
  await transaction(database, () => {
    for (const table of searchTables) database.exec(`drop table if exists ${table}`);
    migrate(database, "SEARCH", migrations("SEARCH"));
  });
  database.close();
}
