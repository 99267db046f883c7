// What is too much, or of a form that no client has: each is refused, and changes nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { basic, imageId, join, makeRepository, startWorker, unlessLost } from "./app.mjs";

const app = "/v1/repositories/paul/app";
const small = 16 << 10;
const list = (length) => JSON.stringify(Array.from({ length }, (_, at) => ({ id: imageId(at) })));

let worker;
let paul;
let write;
before(
  async () => {
    worker = await startWorker();
    paul = await join(worker, "paul");
    write = await makeRepository(worker, paul, "paul/app", [imageId(1)]);
  },
  { timeout: 60_000 },
);
after(() => worker?.stop(), { timeout: 60_000 });

/** A body of which nobody says beforehand how long it is. */
function chunked(text) {
  const body = new ReadableStream({
    start(controller) {
      for (let at = 0; at < text.length; at += 65_536)
        controller.enqueue(new TextEncoder().encode(text.slice(at, at + 65_536)));
      controller.close();
    },
  });
  return { body, duplex: "half" };
}

const registration = (length) => {
  const words = { username: "bigger", password: "toto42", email: "bigger@example.com", more: "" };
  return JSON.stringify({ ...words, more: "x".repeat(length - JSON.stringify(words).length) });
};
const blanks = (length) => `${" ".repeat(length - 2)}[]`;

const bodies = [
  [413, "POST /v1/users/", registration(small + 1)],
  [413, "PUT /v1/users/paul/", registration(small + 1)],
  [413, `PUT ${app}/`, blanks(2_000_001)],
  [413, `PUT ${app}/images`, blanks(2_000_001)],
  [200, `PUT ${app}/`, blanks(2_000_000)],
  [201, "POST /v1/users/", registration(small)],
  [400, `PUT ${app}/`, list(10_001)],
  [400, `PUT ${app}/images`, list(10_001)],
];

for (const [status, request, text] of bodies) {
  for (const [form, init] of [
    ["announced", () => ({ body: text })],
    ["in chunks", () => chunked(text)],
  ]) {
    test(`${status} ${request} of ${text.length} bytes ${form}`, { timeout: 60_000 }, async () => {
      const ask = () => worker.ask(request, { headers: { authorization: paul }, ...init() });
      const answer = await (status === 413 ? unlessLost(ask) : ask());
      // What was registered a moment ago is taken.
      assert.equal(answer.status, status === 201 && form !== "announced" ? 400 : status, answer.body);
      assert.equal(answer.headers.get("x-docker-token") === null, status !== 200);
      // Perhaps by the connection that the 413 is about to close.
      const images = await unlessLost(() => worker.succeed(`GET ${app}/images`));
      assert.deepEqual(images.json(), [{ id: imageId(1) }]);
    });
  }
}

test("the 10,001st image is refused, also when it comes alone", { timeout: 60_000 }, async () => {
  const headers = { authorization: paul };
  await worker.succeed("PUT /v1/repositories/paul/full/", { headers, body: list(10_000) });
  const one = JSON.stringify([{ id: "f".repeat(64) }]);
  assert.equal((await worker.ask("PUT /v1/repositories/paul/full/", { headers, body: one })).status, 400);
  assert.equal((await worker.ask("PUT /v1/repositories/paul/full/images", { headers, body: one })).status, 400);
  await worker.succeed("PUT /v1/repositories/paul/full/", { headers, body: list(10_000) });
  assert.equal((await worker.succeed("GET /v1/repositories/paul/full/images")).json().length, 10_000);
});

test("a token is what we print and nothing else", { timeout: 60_000 }, async () => {
  const { signature, repository } = /signature=(?<signature>[^,]+),repository="(?<repository>[^"]+)"/.exec(
    write,
  ).groups;
  const flipped = (at) => write.slice(0, at) + (write[at] === "0" ? "1" : "0") + write.slice(at + 1);
  const tokens = [
    ...Array.from(signature, (_, at) => flipped("signature=".length + at)),
    write.replace("paul/app", "paul/other"),
    write.replace("access=write", "access=delete"),
    write.replace("access=write", "access=read"),
    write.replace("access=", "Access="),
    write.replace("access=", "access ="),
    write.replace(`"${repository}"`, repository),
    write.replace(signature, signature.toUpperCase()),
    `${write},access=write`,
    `${write},access=read`,
    `repository="${repository}",signature=${signature},access=write`,
    `access=write,repository="${repository}",signature=${signature}`,
    `signature=${signature},repository="${repository}",repository="${repository}",access=write`,
    `signature=${signature},repository="${repository}"`,
    `${write} `.repeat(50),
    `signature=${"0".repeat(10_000)},repository="${repository}",access=write`,
    "",
  ];
  for (const token of tokens.filter((token) => token !== write)) {
    const answer = await worker.ask(`GET ${app}/images`, { headers: { authorization: `Token ${token}` } });
    assert.equal(answer.status, 401, token);
    assert.equal(answer.stats.rounds, 0, token);
  }
  await worker.succeed(`GET ${app}/images`, { headers: { authorization: `Token ${write}` } });
});

test("paths that no client sends are no paths", { timeout: 60_000 }, async () => {
  const asked = [
    "paul%2Fapp",
    "paul/ap%70",
    "paul/app%00",
    "paul/äpp",
    `paul/${"a".repeat(256)}`,
    "paul/..app",
    "paul//app",
  ];
  for (const name of asked) {
    const answer = await worker.ask(`GET /v1/repositories/${name}/images`);
    assert.ok([400, 404].includes(answer.status), `${name}: ${answer.status}`);
    assert.equal(answer.stats.rounds, 0, name);
  }
});

test("a method that nobody knows is never taken for GET", { timeout: 60_000 }, async () => {
  for (const method of ["PURGE", "PROPFIND", "PATCH", "REPORT"]) {
    const answer = await worker.ask(`${method} ${app}/images`);
    assert.equal(answer.status, 405, method);
    assert.equal(answer.headers.get("allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
  }
});

test("of sixty wrong passwords at once five are looked at, and then as many as the wait lets through", {
  timeout: 60_000,
}, async () => {
  await join(worker, "guessed");
  const guess = (number) =>
    worker.ask("GET /v1/users/", { headers: { authorization: basic("guessed", `guess ${number}`) } });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, number) => guess(number)));
  const counted = (status) => answers.filter((answer) => answer.status === status).length;
  assert.equal(counted(401) + counted(429), 60);
  // They wait for their turns up to five seconds, in which waits of one and two seconds end.
  assert.ok(counted(401) >= 5 && counted(401) <= 8, `${counted(401)} were looked at`);
});
