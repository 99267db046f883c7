// What is answered when a database, the cache or the connection to one fails, and what is left behind.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Matrix, Unmigrated } from "./fault-matrix.mjs";
import { basic, imageId, join, makeRepository, soon, startWorker } from "./app.mjs";

const [first, second] = [imageId(1), imageId(2)];
const app = "/v1/repositories/paul/app";
const body = (value) => JSON.stringify(value);

let worker;
let paul;
before(
  async () => {
    worker = await startWorker();
    paul = { authorization: await join(worker, "paul") };
    await makeRepository(worker, paul.authorization, "paul/app", [first]);
  },
  { timeout: 60_000 },
);
after(() => worker?.stop(), { timeout: 60_000 });

const down = (database = "DB") => ({ databases: [{ database, when: "before" }] });
const lost = (call) => ({ databases: [{ database: "DB", call, when: "after" }] });
const images = async (repository) => (await worker.succeed(`GET /v1/repositories/${repository}/images`)).json();
const found = async (query) =>
  (await worker.succeed(`GET /v1/search?q=${query}`)).json().results.map(({ name }) => name);

/** A failure of ours: when to come back, and the name of the request, in the words of the Hub API. */
function isTemporary(answer) {
  assert.equal(answer.status, 503, answer.body);
  assert.match(answer.headers.get("retry-after"), /^\d+$/);
  assert.equal(answer.headers.get("x-docker-token"), null);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const id = answer.headers.get("x-request-id");
  assert.equal(answer.json(), `The index is temporarily unavailable, try again (request ${id})`);
}

const requests = [
  ["GET /v1/users/"],
  ["POST /v1/users/", { username: "newman", password: "toto42", email: "newman@example.com" }],
  ["PUT /v1/users/paul/", { password: "another" }],
  [`PUT ${app}/`, [{ id: second }]],
  [`PUT ${app}/images`, [{ id: second }]],
  [`DELETE ${app}/images`],
  [`DELETE ${app}/`],
  [`GET ${app}/images`],
  [`GET ${app}/layer/${first}/access`],
  ["GET /v1/search?q=app"],
];

for (const [request, sent] of requests) {
  test(`${request} without DB`, { timeout: 60_000 }, async () => {
    const init = { headers: paul, ...(sent ? { body: body(sent) } : {}) };
    isTemporary(await worker.ask(request, { ...init, trouble: down() }));
    assert.deepEqual(await images("paul/app"), [{ id: first }]);
    await worker.succeed("GET /v1/users/", { headers: paul });
  });
}

test("search without SEARCH", { timeout: 60_000 }, async () => {
  isTemporary(await worker.ask("GET /v1/search?q=app", { trouble: down("SEARCH") }));
});

test("a gate without DB speaks its own dialect", { timeout: 60_000 }, async () => {
  const answer = await worker.ask("GET /v2/", { headers: paul, trouble: down() });
  assert.equal(answer.status, 503);
  assert.equal(answer.json().errors[0].code, "UNAVAILABLE");
});

test("what needs no database is answered without", { timeout: 60_000 }, async () => {
  const trouble = { databases: [{ when: "before" }] };
  await worker.succeed("GET /v1/_ping", { trouble });
  assert.equal((await worker.ask(`GET ${app}/images`, { headers: { authorization: "Token x" }, trouble })).status, 401);
});

test("a read that fails once is tried again", { timeout: 60_000 }, async () => {
  for (const when of ["before", "after"]) {
    const trouble = { databases: [{ database: "DB", call: 1, when }] };
    const answer = await worker.succeed(`GET ${app}/images`, { headers: paul, trouble });
    assert.equal(answer.stats.rounds, 2);
  }
});

test("an overloaded database is not asked again", { timeout: 60_000 }, async () => {
  const message = "D1 DB is overloaded. Too many requests queued.";
  const trouble = { databases: [{ database: "DB", when: "before", message }] };
  const answer = await worker.ask(`GET ${app}/images`, { headers: paul, trouble });
  isTemporary(answer);
  assert.equal(answer.stats.calls.DB, 1);
});

test("what nobody foresaw is a 500 that says nothing, and is logged with its id", { timeout: 60_000 }, async () => {
  const message = "UNIQUE constraint failed: surprises.name";
  const trouble = { databases: [{ database: "DB", when: "before", message }] };
  const answer = await worker.ask(`GET ${app}/images`, { trouble });
  assert.equal(answer.status, 500);
  const id = answer.headers.get("x-request-id");
  assert.ok(answer.json().includes(id));
  assert.doesNotMatch(answer.body, /UNIQUE|surprises/);
  assert.ok(
    worker.logs().some((line) => JSON.stringify(line).includes(id) && JSON.stringify(line).includes("surprises")),
  );
});

test("tables that are missing are for the operator", { timeout: 60_000 }, async () => {
  const trouble = { databases: [{ database: "DB", when: "before", message: "no such table: users: SQLITE_ERROR" }] };
  assert.equal((await worker.ask(`GET ${app}/images`, { trouble })).status, 503);
});

// The second call is the one that writes.
test("a push whose answer is lost is pushed again", { timeout: 60_000 }, async () => {
  const make = { headers: paul, body: body([{ id: first }, { id: second }]) };
  isTemporary(await worker.ask("PUT /v1/repositories/paul/lost/", { ...make, trouble: lost(2) }));
  const token = (await worker.succeed("PUT /v1/repositories/paul/lost/", make)).headers.get("x-docker-token");
  const finish = { headers: { authorization: `Token ${token}` }, body: body([{ id: second, checksum: "sha256:00" }]) };
  isTemporary(await worker.ask("PUT /v1/repositories/paul/lost/images", { ...finish, trouble: lost(2) }));
  assert.equal((await worker.ask("PUT /v1/repositories/paul/lost/images", finish)).status, 204);
  assert.deepEqual(await images("paul/lost"), [{ id: first }, { id: second, checksum: "sha256:00" }]);
});

test("a registration whose answer is lost is a taken name, and the login works", { timeout: 60_000 }, async () => {
  const register = { body: body({ username: "lucy", password: "toto42", email: "lucy@example.com" }) };
  isTemporary(await worker.ask("POST /v1/users/", { ...register, trouble: lost(2) }));
  const again = await worker.ask("POST /v1/users/", register);
  assert.deepEqual([again.status, again.body], [400, '"Username or email already exists"']);
  await worker.succeed("GET /v1/users/", { headers: { authorization: basic("lucy", "toto42") } });
});

test("a registration whose mail never came is confirmed by a link that is asked for", { timeout: 60_000 }, async () => {
  await worker.set({ MAIL: "on", PUBLIC_URL: "https://hub.example.com" });
  const troubles = { unanswered: [503, lost(2)], unsent: [201, { down: ["MAIL"] }] };
  for (const [username, [status, trouble]] of Object.entries(troubles)) {
    const email = `${username}@example.com`;
    const register = { body: body({ username, password: "toto42", email }) };
    assert.equal(
      (await worker.ask("POST /v1/users/", { ...register, trouble: { settle: true, ...trouble } })).status,
      status,
    );
    await assert.rejects(worker.direct("mail", email), /no mail was sent/);
    assert.equal((await worker.ask("POST /v1/users/", register)).status, 400);
    const login = { headers: { authorization: basic(username, "toto42") } };
    assert.equal((await worker.ask("GET /v1/users/", login)).status, 403);

    await worker.succeed("POST /account/forgotten", {
      body: new URLSearchParams({ email }).toString(),
      trouble: { settle: true },
    });
    const [, secret] = /confirm#(\S+)/.exec(await worker.direct("mail", email));
    await worker.succeed("POST /account/confirm", { body: new URLSearchParams({ secret }).toString() });
    await worker.succeed("GET /v1/users/", login);
  }
  await worker.set({});
});

test("a deletion that failed has changed nothing, and is done when it is asked again", {
  timeout: 60_000,
}, async () => {
  await makeRepository(worker, paul.authorization, "paul/gone", [first]);
  const request = "DELETE /v1/repositories/paul/gone/";
  const failing = { databases: [{ database: "DB", call: 2, when: "before" }] };
  isTemporary(await worker.ask(request, { headers: paul, trouble: failing }));
  assert.deepEqual(await images("paul/gone"), [{ id: first }]);
  assert.equal((await worker.ask(request, { headers: paul })).status, 202);
  isTemporary(await worker.ask(request, { headers: paul, trouble: failing }));
  assert.equal((await worker.ask(request, { headers: paul })).status, 200);
  assert.equal((await worker.ask("GET /v1/repositories/paul/gone/images")).status, 404);
});

test("two pushes at once end in the same rows", { timeout: 60_000 }, async () => {
  const slow = { databases: [{ database: "DB", when: "slow", milliseconds: 50 }] };
  const push = (ids) => {
    const init = { headers: paul, body: body(ids.map((id) => ({ id }))), trouble: slow };
    return worker.succeed("PUT /v1/repositories/paul/both/", init);
  };
  await Promise.all([push([first, second]), push([first, second]), push([second, imageId(3)])]);
  const ids = (await images("paul/both")).map(({ id }) => id);
  assert.deepEqual(ids.toSorted(), [first, second, imageId(3)].toSorted());
});

test("what search did not hear at once, it hears from the scheduled run", { timeout: 60_000 }, async () => {
  const init = { headers: paul, body: body([{ id: first }]) };
  await worker.succeed("PUT /v1/repositories/paul/quagga/", init);
  assert.equal(
    (await worker.ask("PUT /v1/repositories/paul/quagga/images", { ...init, trouble: down("SEARCH") })).status,
    204,
  );
  assert.deepEqual(await found("quagga"), []);
  await worker.scheduled();
  await soon("found", async () => (await found("quagga")).includes("paul/quagga"));
});

test("search is made again from nothing", { timeout: 60_000 }, async () => {
  await soon("found", async () => (await found("lost")).includes("paul/lost"));
  const { SEARCH } = await worker.env();
  await SEARCH.prepare("delete from documents").run();
  assert.deepEqual(await found("lost"), []);
  await worker.scheduled();
  await soon("found again", async () => (await found("lost")).includes("paul/lost"));
});

test("a broken cache is no cache", { timeout: 60_000 }, async () => {
  await worker.set({ SEARCH_CACHE: "60" });
  await soon(
    "answered",
    async () => (await worker.ask("GET /v1/search?q=lost", { trouble: { down: ["CACHE"] } })).status === 200,
  );
  const cold = await worker.succeed("GET /v1/search?q=lost", { trouble: { down: ["CACHE"] } });
  assert.equal(cold.stats.rounds, 1);
  await soon("remembered", async () => (await worker.succeed("GET /v1/search?q=lost")).stats.rounds === 0);
  const away = { databases: [{ database: "SEARCH", when: "before" }] };
  assert.deepEqual((await worker.succeed("GET /v1/search?q=lost", { trouble: away })).json(), cold.json());
});

test("the log has no secrets", { timeout: 60_000 }, async () => {
  const authorization = `Token ${await makeRepository(worker, paul.authorization, "paul/quiet", [first])}`;
  await worker.succeed("GET /v1/repositories/paul/quiet/images", { headers: { authorization } });
  const log = JSON.stringify(worker.logs());
  assert.ok(log.includes("/v1/repositories/{repository}/images"));
  for (const secret of ["toto42", paul.authorization, "signature=", "$argon2"])
    assert.ok(!log.includes(secret), secret);
});

// All of the above for everything that is served, in every way: generated from the routes.
const LANES = 2;

test("the matrix", { timeout: 1_200_000, concurrency: LANES }, async (t) => {
  const lanes = await Promise.all(Array.from({ length: LANES }, (_, lane) => Matrix.start(lane, LANES)));
  t.after(() => Promise.all(lanes.map((lane) => lane.stop())));
  const inEach = (work) => Promise.all(lanes.map(work));
  const each = (name, work) =>
    inEach(async (lane) => {
      for (const request of lane.requests) await t.test(`${request.name}${name}`, () => work(lane, request));
    });

  await t.test("goes well when nothing goes wrong", () =>
    inEach(async (lane) => {
      for (const request of lane.requests) await lane.learn(request);
      for (const request of lane.requests) lane.settle(request);
    }),
  );
  await t.test("has a request for every route and method", async () => {
    const asked = new Set(lanes.flatMap((lane) => lane.asked()));
    const served = await lanes[0].served();
    assert.deepEqual(
      served.filter((pair) => !asked.has(pair)),
      [],
      "nothing in endpoints.mjs asks these",
    );
    assert.deepEqual(
      [...asked].filter((pair) => !served.includes(pair)),
      [],
      "these are asked and not served",
    );
  });
  await each("", async (lane, request) => {
    await lane.calls(request);
    await lane.bindings(request);
    if (request.request.startsWith("GET ")) await lane.head(request);
  });
  await t.test("what was only read is as it was", () => inEach((lane) => lane.unread()));
  await t.test("the scheduled run", () => lanes[0].scheduled());
  await inEach((lane) => lane.hurry());
  await each(", slowly", (lane, request) => lane.slowly(request));

  const unmigrated = new Unmigrated(lanes[0]);
  await t.test("a worker that was deployed before its migrations", async () => {
    const { length } = Unmigrated.migrations;
    // The later ones may hold nothing that anybody asks for.
    assert.ok((await unmigrated.ask(0, true)) > 0);
    for (let many = 1; many < length; many += 1) await unmigrated.ask(many, true);
    assert.ok((await unmigrated.ask(length, false)) > 0);
  });
  const cases = [...lanes, unmigrated].reduce((sum, { cases }) => sum + cases, 0);
  t.diagnostic(`cases: ${cases} faults`);
});
