// The comparison of two builds (`npm run compare`) finds what differs, and nothing where only random values do.

import assert from "node:assert/strict";
import http from "node:http";
import { after, test } from "node:test";
import { Labels } from "../compare/labels.mjs";
import { Sides } from "../compare/sides.mjs";

const uuid = (digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`;
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (claims, signature) => `${encoded({ alg: "ES256" })}.${encoded(claims)}.${signature}`;

/** Whether two lists of texts, one of each build, are equal after labelling. */
const equal = (texts, others) => {
  const [one, other] = [texts, others].map((texts) => {
    const labels = new Labels();
    return texts.map((text) => labels.label(text)).join("\n");
  });
  return one === other;
};

test("random values are equal where they appear in the same order", () => {
  assert.ok(equal([uuid("a"), uuid("b"), uuid("a")], [uuid("c"), uuid("d"), uuid("c")]));
  assert.ok(equal([`token hlp_${"1".repeat(48)}`], [`token hlp_${"2".repeat(48)}`]));
  assert.ok(equal([jwt({ sub: "paul", jti: uuid("a") }, "sig1")], [jwt({ sub: "paul", jti: uuid("b") }, "sig2")]));
});

test("everything else is a difference", () => {
  assert.ok(!equal([uuid("a"), uuid("b"), uuid("a")], [uuid("c"), uuid("d"), uuid("d")]), "another order");
  assert.ok(!equal(["200"], ["201"]), "a status");
  assert.ok(!equal(["2026-11-29T06:00:00Z"], ["2026-11-29T06:00:01Z"]), "a time");
  assert.ok(!equal([uuid("a")], ["a".repeat(32)]), "the form of an id");
  assert.ok(!equal([jwt({ sub: "paul" }, "sig1")], [jwt({ sub: "jane" }, "sig2")]), "a claim");
});

test("a request carries the values of the build that it goes to", () => {
  const [one, other] = [new Labels(), new Labels()];
  one.label(`{"token":"hlp_1111","id":"${uuid("a")}"}`);
  other.label(`{"token":"hlp_2222","id":"${uuid("b")}"}`);
  assert.equal(one.translate(`/v2/access-tokens/${uuid("a")}`, other), `/v2/access-tokens/${uuid("b")}`);
  const basic = (password) => `Basic ${Buffer.from(`paul:${password}`).toString("base64")}`;
  assert.equal(one.translate(basic("hlp_1111"), other), basic("hlp_2222"));
  // What comes from outside stays, and is compared by its value.
  assert.equal(one.translate(uuid("e"), other), uuid("e"));
  assert.equal(one.label(uuid("e")), uuid("e"));
});

test("rows are compared in an order that random ids do not change", () => {
  const dump = (ids) => ({
    DB: { users: ids.map((id, at) => ({ id, name: `user${at}` })).sort((a, b) => (a.id < b.id ? -1 : 1)) },
  });
  const [one, other] = [
    [uuid("a"), uuid("b")],
    [uuid("d"), uuid("c")],
  ].map((ids) => new Labels().sorted(dump(ids)));
  assert.ok(equal([one], [other]));
});

/** Two builds that are servers of the test: each answers and dumps what it is given. */
async function builds(...worlds) {
  const sides = new Sides();
  sides.playing = "a test";
  sides.workers = await Promise.all(
    worlds.map(async ({ answer, tables = {} }) => {
      const server = http.createServer((_, response) => {
        const id = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
        response
          .writeHead(200, { "x-request-id": id, "x-test-stats": '{"asked":[]}', ...answer?.headers })
          .end(answer?.body ?? "OK");
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      after(() => server.close());
      return {
        url: new URL(`http://127.0.0.1:${server.address().port}`),
        direct: async () => JSON.stringify({ DB: tables }),
      };
    }),
  );
  return sides;
}

test("an altered build is found by its answers and by its tables", async () => {
  const tables = { users: [{ id: 1, name: "paul" }] };
  const altered = {
    nothing: [{ tables }, 0],
    body: [{ tables, answer: { body: "Ok" } }, 1],
    header: [{ tables, answer: { headers: { "cache-control": "no-store" } } }, 1],
    row: [{ tables: { users: [{ id: 1, name: "jane" }] } }, 1],
  };
  for (const [what, [build, differences]] of Object.entries(altered)) {
    const sides = await builds({ tables }, build);
    await sides.ask("GET /v1/users/");
    await sides.dump("the request");
    assert.equal(sides.many, differences, `${what}: ${sides.differences.join("\n")}`);
    assert.deepEqual([sides.requests, sides.dumps], [1, 1]);
  }
});
