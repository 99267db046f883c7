// Every screen as it comes to a browser: what it weighs, compressed, also with as much as a list holds; and what it says
// where a database is out of order.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { join, startWorker } from "./app.mjs";
import { fillCrowd, LISTS } from "./crowd.mjs";
import { operate } from "./operator.mjs";
import { screens } from "../e2e/support/screens.mjs";
import { password, startShowcase } from "../e2e/support/showcase.mjs";

/** Bytes of a page that come with the first round trips of a connection. */
const MAX = 12 * 1024;
const timeout = 120_000;

let crowd, showcase;
before(
  async () => {
    [crowd, showcase] = await Promise.all([startWorker({ VISIBILITY: "private" }), startShowcase()]);
  },
  { timeout: 900_000 },
);
after(() => Promise.all([crowd?.stop(), showcase?.stop()]), { timeout });

/** The cookie of somebody who signs in. */
async function cookie(worker, headers, username, password) {
  const body = new URLSearchParams({ username, password }).toString();
  const answer = await worker.ask("POST /sign-in", { headers, body });
  assert.equal(answer.status, 303, answer.body);
  return answer.headers.get("set-cookie").split(";")[0];
}

/** Asserts what each page weighs. */
async function weigh(t, worker, paths, headers) {
  const sizes = [];
  for (const path of paths) {
    const answer = await worker.ask(`GET ${path}`, { headers });
    assert.equal(answer.status, 200, path);
    sizes.push([gzipSync(answer.body).length, path]);
  }
  const [[most, path]] = sizes.toSorted(([one], [other]) => other - one);
  t.diagnostic(`at most ${most} bytes of ${MAX}: ${path}`);
  assert.deepEqual(
    sizes.filter(([size]) => size > MAX),
    [],
  );
}

test("a page of much is small", { timeout }, async (t) => {
  await join(crowd, "olga", "the cat in the hat");
  const now = Math.floor(Date.now() / 1000);
  for (const command of ["namespace crowd", "member crowd olga admin", "grant olga"])
    await operate(await crowd.env(), command, now);
  await fillCrowd(crowd, "olga", now);
  await weigh(t, crowd, LISTS, { cookie: await cookie(crowd, {}, "olga", "the cat in the hat") });
});

/** The screens of each user, with the headers by which the user is known. */
async function* ofUsers() {
  for (const name of new Set(screens.map((screen) => screen.as))) {
    const seen = showcase.seen();
    const headers = name ? { ...seen, cookie: await cookie(showcase.worker, seen, name, password(name)) } : seen;
    const paths = new Set(screens.filter((screen) => screen.as === name).map(({ path }) => path));
    yield { headers, paths: [...paths] };
  }
}

test("every screen is small", { timeout }, async (t) => {
  for await (const { headers, paths } of ofUsers()) await weigh(t, showcase.worker, paths, headers);
});

/** What a database does, for a page that is seen at the time of the pictures. */
const troubled = ({ "x-test-trouble": seen, ...headers }, ...databases) => ({
  ...headers,
  "x-test-trouble": JSON.stringify({ ...JSON.parse(seen), databases }),
});

test("without SEARCH its page and that of administrators say so, and all others are as before", {
  timeout,
}, async () => {
  const without = { database: "SEARCH", when: "before" };
  const said = {
    "/search?q=acme": '<p class="error" role="alert">Search is out of order at the moment.',
    "/admin": "Search does not answer",
  };
  const seen = [];
  for await (const { headers, paths } of ofUsers()) {
    for (const path of paths) {
      const before = await showcase.worker.ask(`GET ${path}`, { headers });
      const answer = await showcase.worker.ask(`GET ${path}`, { headers: troubled(headers, without) });
      assert.equal(answer.status, 200, path);
      if (answer.body === before.body) continue;
      assert.ok(answer.body.includes(said[path]), `${path}: ${answer.body}`);
      assert.match(answer.body, /<nav aria-label="Account">/, "what leads elsewhere is still there");
      seen.push(path);
    }
  }
  assert.deepEqual(seen.sort(), Object.keys(said).sort());
});

test("while DB is exported or down a page says so, and what needs none is as before", { timeout }, async () => {
  const export_ = { database: "DB", when: "before", message: "Currently processing a long-running export." };
  const open = ["/sign-in", "/register", "/account/forgotten", "/account/password", "/account/confirm"];
  for await (const { headers, paths } of ofUsers()) {
    for (const path of paths) {
      const before = await showcase.worker.ask(`GET ${path}`, { headers });
      for (const trouble of [export_, { database: "DB", when: "before" }]) {
        const answer = await showcase.worker.ask(`GET ${path}`, { headers: troubled(headers, trouble) });
        if (open.includes(path)) {
          assert.deepEqual([answer.status, answer.body], [200, before.body], path);
          continue;
        }
        assert.equal(answer.status, 503, path);
        assert.match(answer.headers.get("content-type"), /^text\/html/);
        assert.match(answer.headers.get("retry-after"), /^\d+$/);
        assert.match(answer.headers.get("content-security-policy"), /default-src 'none'/);
        assert.equal(answer.headers.get("set-cookie"), null, "nobody is signed out");
        const id = answer.headers.get("x-request-id");
        assert.ok(answer.body.includes("<h1>Not now</h1>"), answer.body);
        assert.ok(answer.body.includes(`The index is temporarily unavailable, try again (request ${id})`), answer.body);
        assert.ok(answer.body.includes("/static/pages-"), "it looks as the others do");
      }
      const after = await showcase.worker.ask(`GET ${path}`, { headers });
      assert.equal(after.body, before.body, path);
    }
  }
});

test("a setting may be a number in wrangler.toml", { timeout }, async () => {
  await crowd.set({ VISIBILITY: "private", SITE_NAME: 42 });
  assert.match((await crowd.ask("GET /sign-in")).body, /<h1>42<\/h1>/);
});
