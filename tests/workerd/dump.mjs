// All that the databases hold, and the way back to it: ids that were given since are given again.

/** The tables of a database in the order in which they were made, each with its columns. */
async function tables(database) {
  const { results } = await database
    .prepare(
      `select t.name, json_group_array(c.name) columns from
         (select rowid, name from sqlite_master m where type = 'table' and name not like '\\_cf\\_%' escape '\\'
            and name not like 'd1\\_%' escape '\\' and (name not like 'sqlite\\_%' escape '\\' or name = 'sqlite_sequence')
            and sql not like 'create virtual%' and not exists (select 1 from sqlite_master v
              where v.sql like 'create virtual%' and m.name like v.name || '\\_%' escape '\\')) t
       join pragma_table_info(t.name) c group by t.rowid order by t.name = 'sqlite_sequence', t.rowid`,
    )
    .all();
  return results.map(({ name, columns }) => ({ name, columns: JSON.parse(columns) }));
}

const known = new Map();
async function tablesOf(env, binding) {
  if (!known.has(binding)) known.set(binding, await tables(env[binding]));
  return known.get(binding);
}

const databases = ["DB", "SEARCH"];

/** `{DB: {table: [row]}, SEARCH: …}`, the rows in the order of their text. */
export async function dump(env) {
  const one = async (binding) => {
    const all = await tablesOf(env, binding);
    if (!all.length) return [binding, {}];
    const answers = await env[binding].batch(all.map(({ name }) => env[binding].prepare(`select * from ${name}`)));
    return [binding, Object.fromEntries(answers.map(({ results }, at) => [all[at].name, sorted(results)]))];
  };
  return Object.fromEntries(await Promise.all(databases.map(one)));
}

const sorted = (rows) => {
  const texts = rows.map((row) => [JSON.stringify(row), row]);
  return texts.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
};

/** Makes databases what a dump says, and the cache empty, if they are named. */
export async function restore(env, wanted, names) {
  const one = async (binding) => {
    const database = env[binding];
    const all = await tablesOf(env, binding);
    if (!all.length) return;
    const [counters, others] = [true, false].map((is) => all.filter(({ name }) => (name === "sqlite_sequence") === is));
    const empty = ({ name }) => database.prepare(`delete from ${name}`);
    const fill = ({ name, columns }) => {
      const values = columns.map((_, at) => `value ->> ${at}`).join();
      const rows = (wanted[binding][name] ?? []).map((row) => columns.map((column) => row[column]));
      const sql = `insert into ${name} (${columns.map((column) => `"${column}"`).join()}) select ${values} from json_each(?1)`;
      return database.prepare(sql).bind(JSON.stringify(rows));
    };
    const deferred = database.prepare("pragma defer_foreign_keys = on");
    // Filling the tables makes it count on from what was there.
    await database.batch([
      deferred,
      ...others.toReversed().map(empty),
      ...others.map(fill),
      ...counters.map(empty),
      ...counters.map(fill),
    ]);
  };
  await Promise.all(names.map((name) => (name === "CACHE" ? forget(env.CACHE) : one(name))));
}

async function forget(cache) {
  const { keys } = await cache.list();
  await Promise.all(keys.map(({ name }) => cache.delete(name)));
}
