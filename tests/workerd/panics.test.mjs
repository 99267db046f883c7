// A panic ends the program and its memory, and nothing else: every request in flight is answered, and so are the next.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../tools/lib/steps.mjs";
import { forTests, startWorker } from "./app.mjs";

/** How many requests are in flight when one of them ends the program. */
const MANY = 10;

/** Milliseconds from a panic to the last response. */
const SOON = 1_000;

let worker;
before(async () => {
  worker = await startWorker({}, { main: forTests });
});
after(() => worker.stop());

const ask = (what) => worker.ask(`GET /__test/${what}`);

/** What the memory of the program remembers. */
const remembered = async () => Number((await ask("memory")).body);

/** Asks for `what` among others that are slow, and gives its answer with theirs, once all have come. */
async function amongOthers(what) {
  const begun = Date.now();
  const others = Array.from({ length: MANY - 1 }, () => ask("slow"));
  const [answer, ...rest] = await Promise.all([ask(what), ...others]);
  return { answer, rest, milliseconds: Date.now() - begun };
}

const isFailure = ({ status, body, headers }) =>
  status === 500 && body === '"The index failed, try again"' && headers.get("cache-control") === "no-store";

for (const [what, status] of [
  ["panic-at-once", 500],
  ["panic-after-an-await", 500],
  ["panic-after-the-response", 200],
  ["overflow", 500],
]) {
  test(`${what}: all in flight are answered, the next are served, and memory is gone`, async () => {
    for (let round = 1; round <= 3; round++) {
      const known = await remembered();
      assert.equal(await remembered(), known + 1);
      const { answer, rest, milliseconds } = await amongOthers(what);
      assert.equal(answer.status, status, answer.body);
      if (status === 500) assert.ok(isFailure(answer), JSON.stringify(answer));
      // An answer of its own, or a 500: an overflow or a panic at once may come before the others began.
      for (const one of rest) assert.ok(isFailure(one) || (one.status === 200 && one.body === "slow"), one.body);
      assert.ok(milliseconds < SOON, `${milliseconds} ms`);
      for (const one of await Promise.all(Array.from({ length: MANY }, () => ask("slow"))))
        assert.deepEqual([one.status, one.body], [200, "slow"]);
      assert.equal(await remembered(), 0);
      assert.equal((await worker.ask("GET /v1/_ping")).status, 200);
    }
  });
}

test("a panic that is alone is answered", async () => {
  for (const what of ["panic-at-once", "panic-after-an-await"]) {
    for (let round = 1; round <= 3; round++) assert.ok(isFailure(await ask(what)), what);
  }
});

test("two panics of one moment are answered", async () => {
  const answers = await Promise.all(Array.from({ length: MANY }, () => ask("panic-after-an-await")));
  assert.ok(answers.every(isFailure), JSON.stringify(answers));
  assert.equal(await remembered(), 0);
});

/** How many tasks and calls wait, once what has waited for so many milliseconds is given up. */
const waiting = async (milliseconds = "") => (await ask(`waiting?value=${milliseconds}`)).body;

async function until(count) {
  while ((await waiting(60_000)) !== count) await new Promise((resolve) => setTimeout(resolve, 10));
}

test("what takes too long is given up", { timeout: 20_000 }, async () => {
  await until("(0, 0)");
  const client = new AbortController();
  const hanging = Array.from({ length: MANY }, () =>
    fetch(new URL("/__test/hour", worker.url), { signal: client.signal }).then(
      () => "answered",
      () => "hung up",
    ),
  );
  await until(`(${MANY}, ${MANY})`);
  const slow = ask("slow");
  await until(`(${MANY + 1}, ${MANY + 1})`);
  client.abort();
  assert.deepEqual(new Set(await Promise.all(hanging)), new Set(["hung up"]));
  assert.equal((await slow).body, "slow");
  assert.equal(await waiting(), `(${MANY}, ${MANY})`);
  assert.equal(await waiting(0), "(0, 0)");
});

test("the worker that is deployed has none of this", async () => {
  const deployed = readFileSync(path.join(root, "build/index_bg.wasm"));
  const tested = readFileSync(path.join(root, "build/testing/index_bg.wasm"));
  assert.ok(tested.includes("/__test/"));
  assert.ok(!deployed.includes("/__test/"));
  assert.ok(!deployed.includes("panic-at-once"));
});
