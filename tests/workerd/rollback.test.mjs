// A deploy that is undone, and one that is made: the release before holds its contract on the databases that this one has
// left, and this one on those of the release before.

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { builtRelease, releaseBefore } from "../../tools/lib/release.mjs";
import { root } from "../../tools/lib/steps.mjs";
import { startDirectives, startWorker } from "./app.mjs";
import { buildPlayer, play } from "./play.mjs";
import { stage } from "./stage.mjs";

const commit = releaseBefore();
const skip = commit ? false : "skipped: this clone has no history";
const minutes = 60_000;

let release;
const running = [];
before(
  async () => {
    if (!commit) return;
    release = await builtRelease(commit);
    await buildPlayer();
  },
  { timeout: 20 * minutes },
);
after(async () => {
  for (const { worker, directives } of running) {
    directives.stop();
    await worker.stop();
  }
});

/** The worker of one folder on the databases of one. */
async function start(build, migrations, name) {
  const worker = await startWorker({}, { config: stage(build, migrations, `rollback/${name}`) });
  const directives = await startDirectives(worker);
  running.push({ worker, directives });
  return { worker, directives };
}

/** Plays the pages of a folder. */
async function holds({ worker, directives }, tree, t) {
  const { played } = await play(worker, directives, path.join(tree, "tests/wire"));
  t.diagnostic(`${played} exchanges played`);
  assert.ok(played > 0);
}

test("the release before holds its contract on the databases of this one", {
  skip,
  timeout: 10 * minutes,
}, async (t) => {
  const now = await start(root, root, "now");
  await holds(now, root, t);
  const then = await start(release, root, "back");
  await then.worker.direct("restore", "DB,SEARCH", JSON.parse(await now.worker.direct("dump")));
  await holds(then, release, t);
});

test("this release holds its contract on the databases of the one before", {
  skip,
  timeout: 10 * minutes,
}, async (t) => {
  const then = await start(release, release, "then");
  await holds(then, release, t);
  const now = await start(root, root, "forth");
  await now.worker.direct("restore", "DB,SEARCH", JSON.parse(await then.worker.direct("dump")));
  await holds(now, root, t);
});
