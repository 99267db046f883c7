// The pages of the contract, played against the built worker in workerd. Then a deploy that is undone, and one that is
// made: the release before holds its contract on the databases that this one has left, and this one on those of the
// release before.

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { unstable_readConfig as readConfig } from "wrangler";
import { buildRelease, releaseBefore } from "../../tools/lib/release.mjs";
import { root } from "../../tools/lib/steps.mjs";
import { startDirectives, startWorker } from "./app.mjs";
import { buildPlayer, play } from "./play.mjs";
import { stage } from "./stage.mjs";

const commit = releaseBefore();
const skip = commit ? false : "skipped: this clone has no history";
const minutes = 60_000;
const databases = ["DB", "SEARCH"];

let release;
let now;
let then;
const running = [];
before(
  async () => {
    now = await start(root, root);
    await buildPlayer();
    if (commit) release = await buildRelease(commit);
  },
  { timeout: 20 * minutes },
);
after(
  async () => {
    for (const { worker, directives } of running) {
      directives.stop();
      await worker.stop();
    }
  },
  { timeout: minutes },
);

/** The worker of one tree with the tables of one; it goes on from where another stopped. */
async function start(tree, tables, from) {
  const name = `contract/${running.length}`;
  const worker = await startWorker({}, { config: stage(tree, tables, name) });
  if (from) await worker.direct("restore", databases.join(), JSON.parse(await from.worker.direct("dump")));
  const directives = await startDirectives(worker, from?.directives.shift());
  running.push({ worker, directives });
  return { worker, directives };
}

/** Plays the pages of a tree. */
async function holds({ worker, directives }, tree, t) {
  const { played, skipped } = await play(worker, directives, path.join(tree, "tests/wire"));
  t.diagnostic(`${played} exchanges played`);
  assert.ok(played > 0);
  assert.equal(skipped, 0);
}

/** The columns of a database, each with its table. */
async function columns(worker, database) {
  const sql = "select t.name || '.' || c.name name from sqlite_master t join pragma_table_info(t.name) c order by 1";
  const { results } = await worker.env()[database].prepare(sql).all();
  return results.map(({ name }) => name);
}

// One server plays them twice: no page may count on being the first.
for (const time of ["once", "once more"])
  test(`the pages hold ${time}`, { timeout: 10 * minutes }, (t) => holds(now, root, t));

test("the worker under test has the bindings of the deployed worker", () => {
  const bound = (config) => {
    const read = readConfig({ config: path.join(root, config) });
    const own = read.d1_databases.filter(({ binding }) => binding !== "REPLICA"); // by which a test shows a lag
    const databases = own.map(({ binding, migrations_dir: folder }) => [binding, folder.split("src/").at(-1)]);
    const others = [...read.kv_namespaces.map(({ binding }) => binding), ...read.ratelimits.map(({ name }) => name)];
    return { date: read.compatibility_date, flags: read.compatibility_flags, databases, others };
  };
  assert.deepEqual(bound("tests/workerd/wrangler.toml"), bound("wrangler.toml"));
});

test("the release before holds its contract on the databases of this one", {
  skip,
  timeout: 10 * minutes,
}, async (t) => {
  await holds(await start(release, root, now), release, t);
});

test("this release holds its contract on the databases of the one before", {
  skip,
  timeout: 10 * minutes,
}, async (t) => {
  then = await start(release, release);
  await holds(then, release, t);
  const here = await start(root, release, then);
  for (const database of databases)
    await here.worker.applyMigrations(database, path.join(root, "src/store/migrations", database.toLowerCase()));
  await holds(here, root, t);
});

test("migrations only add", { skip }, async () => {
  for (const database of databases) {
    const [before, today] = [await columns(then.worker, database), await columns(now.worker, database)];
    assert.ok(before.length > 0);
    assert.deepEqual(
      before.filter((column) => !today.includes(column)),
      [],
    );
  }
});
