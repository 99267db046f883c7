// How often an answer waits for a database: never to refuse what is malformed, forged or unknown, once for a read or
// a check, twice for a write.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { basic, imageId, join, makeRepository, startWorker } from "./app.mjs";

const [first, second] = [imageId(1), imageId(2)];
const app = "/v1/repositories/paul/app";
const body = (value) => JSON.stringify(value);

let worker;
/** Credentials by the name that the tables have for them. */
const as = {
  nobody: undefined,
  "not base64": "Basic %%%",
  "no colon": "Basic cGF1bA==",
  twice: "Basic YTpi, Basic YTpi",
};
before(
  async () => {
    worker = await startWorker();
    as.paul = await join(worker, "paul");
    as.jane = await join(worker, "jane");
    await worker.succeed("GET /v1/users/", { headers: { authorization: as.jane } }); // so that her password is remembered
    as.mary = await join(worker, "mary");
    as.refused = basic("paul", "guess");
    as.stranger = basic("stranger", "guess");
    as.write = `Token ${await makeRepository(worker, as.paul, "paul/app", [first])}`;
    as.forged = as.write.replace(/signature=[0-9a-f]{8}/, "signature=00000000");
    as["not a token"] = "Token signature=,repository=,access=";
    const asked = await worker.succeed(`GET ${app}/images`, {
      headers: { authorization: as.paul, "x-docker-token": "true" },
    });
    as.read = `Token ${asked.headers.get("x-docker-token")}`;
    await makeRepository(worker, as.paul, "paul/old", [first]);
    const marked = await worker.succeed("DELETE /v1/repositories/paul/old/", { headers: { authorization: as.paul } });
    as.delete = `Token ${marked.headers.get("x-docker-token")}`;
  },
  { timeout: 60_000 },
);
after(() => worker?.stop(), { timeout: 60_000 });

const many = Array.from({ length: 10_000 }, (_, at) => ({ id: imageId(at), checksum: `sha256:${imageId(at)}` }));

// rounds, status, request, who asks, body; in this order, since some change what the next one finds
const table = [
  [0, 200, "GET /v1/_ping", "paul"],
  [0, 404, "GET /v1/nothing", "paul"],
  [0, 404, "GET /v3/", "nobody"],
  [1, 200, "GET /", "nobody"],
  [0, 200, "GET /robots.txt", "nobody"],
  [0, 405, "POST /v1/_ping", "paul"],
  [0, 400, "GET /v1/repositories/paul/a..b/images", "paul"],
  [0, 204, `OPTIONS ${app}/images`, "nobody"],
  [0, 401, "GET /v1/users/", "nobody"],
  [0, 401, "GET /v1/users/", "not base64"],
  [0, 401, "GET /v1/users/", "no colon"],
  [0, 401, `GET ${app}/images`, "not base64"],
  [0, 401, `GET ${app}/images`, "twice"],
  [0, 401, `GET ${app}/images`, "not a token"],
  [0, 401, `GET ${app}/images`, "forged"],
  [0, 401, "GET /v1/repositories/paul/other/images", "write"],
  [0, 403, `PUT ${app}/auth`, "forged"],
  [0, 403, `PUT ${app}/auth`, "nobody"],
  [0, 403, `PUT ${app}/images`, "read", []],
  [0, 401, `PUT ${app}/`, "write", []],
  [0, 401, `PUT ${app}/`, "nobody", []],
  [0, 401, "GET /v1/search?q=app", "forged"],
  [0, 401, "GET /v2/", "nobody"],

  [1, 200, "GET /v1/users/", "paul"],
  [1, 200, "GET /v1/users/", "jane"],
  [1, 200, "GET /v2/", "paul"],
  [1, 200, `GET ${app}/images`, "nobody"],
  [1, 200, `GET ${app}/images`, "paul"],
  [1, 200, `GET ${app}/images`, "write"],
  [1, 200, `HEAD ${app}/images`, "read"],
  [1, 200, "GET /v1/repositories/paul/old/images", "delete"],
  [1, 404, "GET /v1/repositories/paul/none/images", "nobody"],
  [1, 200, `PUT ${app}/auth`, "write"],
  [1, 200, "PUT /v1/repositories/paul/old/auth", "delete"],
  [1, 200, `GET ${app}/layer/${first}/access`, "write"],
  [1, 200, "GET /v1/search?q=app", "nobody"],
  [1, 200, "GET /v1/search", "nobody"],
  [1, 200, "GET /health", "nobody"], // both databases, at the same time
  [1, 403, `PUT ${app}/`, "jane", []],
  [1, 403, `DELETE ${app}/`, "jane"],
  [1, 403, "PUT /v1/users/paul/", "jane", { password: "another" }],
  [1, 400, `PUT ${app}/`, "paul", {}],
  [1, 400, "POST /v1/users/", "nobody", { username: "paul" }],

  // A password that is not remembered is counted as a guess.
  [2, 200, "GET /v1/users/", "mary"],
  [1, 200, "GET /v1/users/", "mary"],
  [2, 401, "GET /v1/users/", "refused"],
  [2, 401, `GET ${app}/images`, "refused"],
  [2, 401, "GET /v1/users/", "stranger"],
  [2, 200, "GET /v1/search?q=app", "paul"],
  [2, 200, `PUT ${app}/`, "paul", [{ id: second }]],
  [2, 200, "PUT /v1/repositories/paul/new/", "paul", []],
  [2, 204, `PUT ${app}/images`, "paul", []],
  [2, 204, `PUT ${app}/images`, "write", [{ id: second }]],
  [2, 204, `DELETE ${app}/images`, "paul"],
  [2, 200, "PUT /v1/repositories/paul/many/", "paul", many],
  [2, 204, "PUT /v1/repositories/paul/many/images", "paul", many],
  [2, 202, `DELETE ${app}/`, "paul"],
  [2, 200, `DELETE ${app}/`, "paul"],
  [2, 201, "POST /v1/users/", "nobody", { username: "newman", password: "toto42", email: "newman@example.com" }],
  [2, 204, "PUT /v1/users/jane/", "jane", { email: "jane@example.org" }],
  [2, 204, "PUT /v1/users/jane/", "jane", { password: "toto43" }],
];

test("round trips", { timeout: 120_000 }, async (t) => {
  for (const [rounds, status, request, who, sent] of table) {
    await t.test(`${rounds}: ${status} ${request} by ${who}`, async () => {
      assert.ok(who in as, `${who} is nobody`);
      const headers = as[who] ? { authorization: as[who] } : {};
      const answer = await worker.ask(request, { headers, ...(sent === undefined ? {} : { body: body(sent) }) });
      assert.equal(answer.status, status, answer.body);
      assert.equal(answer.stats.rounds, rounds, JSON.stringify(answer.stats));
    });
  }
});

// What D1 bills, and what makes an answer slow as tables grow: rows that were looked at.
const reads = [
  [2, "GET /v1/users/", "paul"],
  [6, `PUT /v1/repositories/paul/many/auth`, "many"],
  [6, `GET /v1/repositories/paul/many/layer/${first}/access`, "many"],
  [9, "GET /token?service=registry&scope=repository:paul/many:pull,push", "paul"],
  [10_008, "GET /v1/repositories/paul/many/images", "many"],
];

test("rows read", { timeout: 60_000 }, async (t) => {
  as.many = `Token ${await makeRepository(worker, as.paul, "paul/many", [first])}`;
  for (const [most, request, who] of reads) {
    await t.test(`at most ${most}: ${request} by ${who}`, async () => {
      const answer = await worker.succeed(request, { headers: { authorization: as[who] } });
      assert.ok(answer.stats.rows > 0 && answer.stats.rows <= most, JSON.stringify(answer.stats));
    });
  }
});

// Calls between the program and JavaScript, each of which costs about as much as the work of a refusal.
const crossings = [
  [7, "GET /v1/nothing", "nobody"],
  [8, `GET ${app}/images`, "forged"],
  [13, `PUT ${app}/auth`, "write"],
  [13, `GET ${app}/images`, "write"],
  [16, "GET /v1/users/", "paul"],
  [22, "GET /token?service=registry&scope=repository:paul/many:pull,push", "paul"],
];

test("crossings between wasm and JavaScript", { timeout: 60_000 }, async (t) => {
  for (const [most, request, who] of crossings) {
    await t.test(`at most ${most}: ${request} by ${who}`, async () => {
      const headers = as[who] ? { authorization: as[who] } : {};
      await worker.ask(request, { headers }); // what is done once is done
      const { stats } = await worker.ask(request, { headers });
      assert.ok(stats.crossings > 0 && stats.crossings <= most, JSON.stringify(stats));
    });
  }
});

test("10,000 images come back in one round trip, in their order", { timeout: 60_000 }, async () => {
  const answer = await worker.succeed("GET /v1/repositories/paul/many/images");
  assert.equal(answer.stats.rounds, 1);
  assert.deepEqual(answer.json(), many);
});

test("what follows an answer is not waited for", { timeout: 60_000 }, async () => {
  const latency = 500;
  const slow = { databases: [{ database: "SEARCH", when: "slow", milliseconds: latency }] };
  const begun = Date.now();
  await worker.succeed("PUT /v1/repositories/paul/many/images", { headers: { authorization: as.paul }, trouble: slow });
  assert.ok(Date.now() - begun < latency, "the answer waited for search");
});
