// The pages of the contract, played against the built worker in workerd.

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { unstable_readConfig as readConfig } from "wrangler";
import { root } from "../../tools/lib/steps.mjs";
import { startDirectives, startWorker } from "./app.mjs";
import { buildPlayer, play } from "./play.mjs";

let worker;
let directives;
before(
  async () => {
    worker = await startWorker();
    directives = await startDirectives(worker);
    await buildPlayer();
  },
  { timeout: 1_200_000 },
);
after(
  async () => {
    directives?.stop();
    await worker?.stop();
  },
  { timeout: 60_000 },
);

// One server plays them twice: no page may count on being the first.
for (const time of ["once", "once more"]) {
  test(`the pages hold ${time}`, { timeout: 600_000 }, async (t) => {
    const { played, skipped } = await play(worker, directives);
    t.diagnostic(`${played} exchanges played`);
    assert.ok(played > 0);
    assert.equal(skipped, 0);
  });
}

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
