// The database of the deployed worker: read whole, and made whole.

import { closeSync, openSync } from "node:fs";
import { cloudflare } from "./cloudflare.mjs";
import { lasting } from "./backup-file.mjs";
import { load, write } from "./dump.mjs";
import { inTheWay, notEmpty } from "./recovery.mjs";
import { applied, counts, empty, keys, migrate, migrations, open } from "./sqlite.mjs";
import { Failure, step } from "./steps.mjs";

/** What a statement answers. */
async function ask(sql) {
  return JSON.parse(await cloudflare(["d1", "execute", "DB", "--remote", "--json", "--command", sql])).at(-1).results;
}

/** The migrations that it has. */
async function appliedThere() {
  try {
    return (await ask("select name from d1_migrations order by id")).map(({ name }) => name);
  } catch (error) {
    if (/no such table/.test(error.output)) return [];
    throw error;
  }
}

/**
 * Brings all of it into a file of this machine, as it was at one moment: D1 does nothing else while it exports. The rows
 * come as text, into tables that are made by the same migrations.
 */
export async function fetchRemote(draft) {
  const there = await step("asking", appliedThere);
  const unknown = there.filter((name) => !migrations("DB").includes(name));
  if (!there.length) throw new Failure("the database has no tables yet: `npm run deploy` makes them");
  if (unknown.length)
    throw new Failure(`the database is of a newer hublet, which has ${unknown.join(", ")}: update this clone first`);
  closeSync(openSync(draft, "wx", 0o600)); // before anything is in it
  closeSync(openSync(`${draft}.sql`, "wx", 0o600));
  await step("exporting", () =>
    cloudflare(["d1", "export", "DB", "--remote", "--no-schema", "--skip-confirmation", "--output", `${draft}.sql`]),
  );
  const database = open(draft);
  await step("reading", async () => {
    database.exec("pragma journal_mode = off; pragma synchronous = off; begin");
    migrate(database, "DB", there);
    await load(database, `${draft}.sql`);
    database.exec("commit");
    if (`${applied(database)}` !== `${there}`) throw new Failure("the database was migrated meanwhile: try again");
  });
  await step("line ends", () => mend(database));
  await step("large numbers", () => mendIntegers(database));
  return database;
}

/**
 * Gives texts of several lines back their backslashes. An export writes the end of a line as `\n` and then cannot tell
 * it from a `\n` that somebody typed: texts that have both are asked for once more, by themselves.
 */
async function mend(database) {
  for (const [table, columns] of Object.entries(lasting(database))) {
    const key = keys(database, table).map((name) => `"${name}"`);
    for (const column of columns) {
      const several = `instr("${column}", char(10)) > 0 or instr("${column}", char(13)) > 0`;
      if (!database.prepare(`select 1 from "${table}" where ${several} limit 1`).get()) continue;
      const rows = await ask(`select ${key}, "${column}" as "the text" from "${table}"
        where (${several}) and (instr("${column}", '\\n') > 0 or instr("${column}", '\\r') > 0)`);
      const where = key.map((name) => `${name} = ?`).join(" and ");
      const fix = database.prepare(`update "${table}" set "${column}" = ? where ${where} and "${column}" = ?`);
      for (const { "the text": text, ...of } of rows) {
        const { changes } = fix.run(text, ...Object.values(of), exported(text));
        if (!changes) throw new Failure(`a ${column} was changed meanwhile: try again`);
      }
    }
  }
}

/** Gives integers of more than 53 bits back what an export rounds away: they are asked for once more. */
async function mendIntegers(database) {
  for (const [table, columns] of Object.entries(lasting(database))) {
    const key = keys(database, table).map((name) => `"${name}"`);
    const where = key.map((name) => `${name} = ?`).join(" and ");
    for (const column of columns) {
      const large = `typeof("${column}") = 'integer' and abs("${column}" / 2) >= ${2 ** 52}`;
      const { count } = database.prepare(`select count(*) as count from "${table}" where ${large}`).get();
      if (!count) continue;
      const rows = await ask(`select ${key}, cast("${column}" as text) as "the number" from "${table}" where ${large}`);
      const held = database.prepare(`select cast("${column}" as text) as held from "${table}" where ${where}`);
      const fix = database.prepare(`update "${table}" set "${column}" = ? where ${where}`);
      const differs = ({ "the number": number, ...of }) =>
        Number(held.get(...Object.values(of))?.held) !== Number(number);
      if (rows.length !== count || rows.some(differs))
        throw new Failure(`a ${column} was changed meanwhile: try again`);
      for (const { "the number": number, ...of } of rows) fix.run(BigInt(number), ...Object.values(of));
    }
  }
}

/** A text as it comes out of an export. */
function exported(text) {
  const returned = text.includes("\r") ? text.replaceAll("\\r", "\r") : text;
  return text.includes("\n") ? returned.replaceAll("\\n", "\n") : returned;
}

/** An index that is at work writes down who was refused and what registries told: its database does not stay empty. */
const elsewhere = "make two new databases, which nobody asks yet (docs/operate.md, Restore)";

/** Refuses a database with something in it; gives how many rows each of its tables may have. */
export async function requireEmpty() {
  const there = await appliedThere();
  const found = await ask(`select name from sqlite_schema where type = 'table' and name <> 'd1_migrations'
    and substr(name, 1, 7) <> 'sqlite_' and substr(name, 1, 4) <> '_cf_' order by rowid`);
  const count = ({ name }) => `(select count(*) from "${name}") as "${name}"`;
  const [rows] = found.length ? await ask(`select ${found.map(count).join(", ")}`) : [{}];
  const what = inTheWay(rows, there);
  if (what) throw notEmpty(what, elsewhere);
  const made = counts(empty("DB", there));
  return Object.fromEntries(Object.keys(rows).map((table) => [table, Math.max(made[table] ?? 0, rows[table])]));
}

/** Makes the database there what this one is, all or nothing: D1 goes back to where it was when an import fails. */
export async function sendRemote(database, draft, most) {
  const file = `${draft}.sql`;
  await step("preparing", () => write(database, file, most));
  try {
    await step("importing", () => cloudflare(["d1", "execute", "DB", "--remote", "--yes", "--file", file]));
  } catch (error) {
    if (!/too_many <= 0/.test(error.output)) throw error;
    throw new Failure(`somebody wrote to the database meanwhile, and it is as they left it: ${elsewhere}`);
  }
}
