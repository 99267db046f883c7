// The pages of the contract, played against the built worker in workerd.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { unstable_readConfig as readConfig } from "wrangler";
import { root } from "../../tools/lib/steps.mjs";
import { startDirectives, startWorker } from "./app.mjs";

let worker;
let directives;
before(
  async () => {
    worker = await startWorker();
    directives = await startDirectives(worker);
    await play("--no-run"); // which may take minutes, or wait for another cargo
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

/** Plays every page, and gives what was said of it; with "--no-run", only builds what plays them. */
function play(...words) {
  const env = { ...process.env, INDEX_URL: worker.url.origin, INDEX_DIRECTIVES: directives.url, RUST_BACKTRACE: "0" };
  const test = ["test", "--locked", "--quiet", "--test", "it", ...words];
  const cargo = spawn("cargo", test, { cwd: root, env });
  let said = "";
  for (const stream of [cargo.stdout, cargo.stderr])
    stream.on("data", (part) => {
      said += part;
    });
  return new Promise((resolve, reject) => {
    cargo.on("error", reject);
    cargo.on("close", (code) => (code === 0 ? resolve(said) : reject(new Error(said))));
  });
}

// One server plays them twice: no page may count on being the first.
for (const time of ["once", "once more"]) {
  test(`the pages hold ${time}`, { timeout: 600_000 }, async (t) => {
    const [, played, skipped] = /(\d+) exchanges played, (\d+) skipped/.exec(await play("wire::pages_hold"));
    t.diagnostic(`${played} exchanges played`);
    assert.ok(played > 0);
    assert.equal(skipped, "0");
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
