// What a body costs in memory, whatever is in it: at most four times its bytes where a route takes many, a mebibyte in
// all elsewhere.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { seedDatabases, vars } from "./endpoints.mjs";
import { imageId, startWorker, unlessLost } from "./app.mjs";

const mebibyte = 1 << 20;
const json = "application/json";

let worker;
let fixture;
/** Every operation that takes a body, as the description has it: its method, path, limit, media type, and a good body. */
let operations;
before(
  async () => {
    worker = await startWorker(vars);
    fixture = await seedDatabases(worker);
    const { paths } = (await worker.succeed("GET /openapi.json")).json();
    operations = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([, { requestBody }]) => requestBody)
        .map(([method, { requestBody }]) => {
          const [media, { example }] = Object.entries(requestBody.content)[0];
          return { method: method.toUpperCase(), path, media, example, limit: requestBody["x-body-limit"] };
        }),
    );
  },
  { timeout: 60_000 },
);
after(() => worker?.stop(), { timeout: 60_000 });

const places = {
  account: "paul",
  email: "paul@example.com",
  image: imageId(1),
  tag: "v1",
  uuid: "00000000-0000-4000-8000-000000000000",
};

/** Asks with a body of these bytes, as who may most. */
function send({ method, path, media }, body) {
  const hub = path.startsWith("/v2/");
  const who =
    path === "/reconciler"
      ? fixture.as.reconciler
      : path === "/events"
        ? fixture.as.registry
        : hub
          ? fixture.as.session
          : path === "/token"
            ? {}
            : fixture.as.access;
  const machine = path.includes("/machines");
  const target = path.replace(
    /\{(\w+)\}/g,
    (_, name) =>
      places[name] ??
      (name === "namespace" ? (machine ? "acme" : "paul") : name === "repository" ? "app" : machine ? "robot" : "paul"),
  );
  return worker.ask(`${method} ${target}`, { headers: { ...who, "content-type": media }, body });
}

/** A text of this many bytes: a head, as often as there is room what is between commas, and an end. */
function filled(length, head, piece, end, comma = ",") {
  const times = Math.max(
    1,
    Math.floor((length - head.length - end.length + comma.length) / (piece.length + comma.length)),
  );
  const text = head + `${piece}${comma}`.repeat(times).slice(0, comma ? -comma.length : undefined) + end;
  return text + " ".repeat(Math.max(0, length - text.length));
}

const lists = ["0", "[]", "{}", '""', "[[]]", "null", '"\\u0061"', '{"id":0}'];

/** Bodies of a route's largest size that are JSON, or nearly. */
function bombs({ limit, example, path }) {
  const members = Object.keys(Array.isArray(example) ? {} : (example ?? {}));
  const kept = JSON.stringify(example ?? {});
  const beside = kept.startsWith("{") ? `${kept.slice(0, -1)}${kept === "{}" ? "" : ","}` : "{";
  const all = [
    filled(limit, "", "[", "", ""),
    filled(limit, '{"a":', "[", "", ""),
    "[".repeat(limit / 2) + "]".repeat(limit / 2),
    `{"a":${"[".repeat(limit / 2 - 5)}${"]".repeat(limit / 2 - 5)}}`,
    filled(limit, "", '{"a":', "", ""),
    filled(limit, "{", '"a":1', "}"),
    filled(limit, '{"', "\\u0061", '":1}', ""),
    filled(limit, "", '"\\n', '"', "a"),
    ...lists.map((piece) => filled(limit, "[", piece, "]")),
    ...lists.map((piece) => filled(limit, '{"more":[', piece, "]}")),
    ...(kept.startsWith("{") ? lists.map((piece) => filled(limit, `${beside}"more":[`, piece, "]}")) : []),
    ...members.flatMap((name) => [
      filled(limit, `{"${name}":"`, "\\u00e9", '"}', ""),
      filled(limit, `{"${name}":"\\n`, "a", '"}', ""),
      filled(limit, `{"${name}":"`, "\\n", '"}', ""),
      filled(limit, `{"${name}":"`, "\\ud800", '"}', ""),
      filled(limit, "{", `"${name}":"a"`, "}"),
      ...lists.map((piece) => filled(limit, `{"${name}":[`, piece, "]}")),
    ]),
  ];
  if (path === "/events" || path === "/reconciler") {
    const event = (at, action = "push") =>
      `{"id":"${at}","action":"${action}","target":{"repository":"paul/app","tag":"v${at % 40}"}}`;
    const many = (make) => {
      const events = [];
      for (let at = 0, size = 20; size + make(at).length + 1 < limit; size += make(at).length + 1, at += 1)
        events.push(make(at));
      return `{"events":[${events.join(",")}]}`;
    };
    all.push(
      many(event),
      many((at) => event(at, "pull")),
      many((at) => event(at, "dance")),
    );
    all.push(filled(limit, '{"events":[{"id":"1","action":"push","more":[', "0", "]}]}"));
    all.push(filled(limit, '{"events":[', `{"id":"1","action":"push","target":[${"0,".repeat(200_000)}0]}`, "]}"));
  }
  if (path.startsWith("/v1/repositories")) {
    const image = (at) => `{"id":"${imageId(at)}"}`;
    all.push(
      filled(limit, "[", image(1), "]"),
      `[${Array.from({ length: 10_000 }, (_, at) => `{"id":"${imageId(at)}","checksum":"${"c".repeat(99)}"}`).join(",")}]`.slice(
        0,
        limit,
      ),
    );
    all.push(
      `[${Array.from({ length: 10_000 }, (_, at) => `{"id":"${imageId(at)}","checksum":"${"c".repeat(95)}"}`).join(",")}]`,
    );
  }
  return all;
}

/** Forms of a route's largest size. */
function forms({ limit, example }) {
  const names = Object.keys(example ?? {});
  return [
    ...["a", "a=", "=", "&", "a=b", "%", "%61=%62", "scope=a"].map((pair) =>
      filled(limit, "", pair, "", "&").trimEnd(),
    ),
    ...names.flatMap((name) => [
      filled(limit, "", `${name}=a`, "", "&").trimEnd(),
      `${name}=${"%ff".repeat((limit - name.length - 1) / 3)}`,
      `${name}=${"+a".repeat((limit - name.length - 1) / 2)}`,
    ]),
    Buffer.concat([Buffer.from("scope="), Buffer.alloc(limit - 6, 0xff)]),
  ];
}

/** Sends fifty bodies at least of each of these operations, and gives by how much the memory grew. */
async function growth(t, some) {
  // An isolate of its own, which has computed nothing.
  await worker.set({ ...vars, ISSUER: `for ${some.length}` });
  await worker.ask("GET /v1/_ping");
  const began = Number(await worker.direct("memory"));
  assert.ok(began > 0, "no memory was seen");
  let sent = 0;
  let highest = began;
  for (const operation of some) {
    const bodies = operation.media === json ? bombs(operation) : forms(operation);
    for (let at = 0; at < Math.max(50, bodies.length); at += 1) {
      const body = bodies[at % bodies.length];
      const answer = await send(operation, body);
      sent += 1;
      assert.ok(
        answer.status < 500,
        `${operation.method} ${operation.path}: ${answer.status} ${answer.body} to ${String(body).slice(0, 80)}`,
      );
      const now = Number(await worker.direct("memory"));
      if (now > highest)
        t.diagnostic(`${operation.method} ${operation.path}: ${now - began} bytes after ${String(body).slice(0, 60)}`);
      highest = Math.max(highest, now);
    }
  }
  t.diagnostic(`cases: ${sent} bodies; ${highest - began} bytes`);
  return highest - began;
}

test("what takes little costs a mebibyte in all", { timeout: 600_000 }, async (t) => {
  const small = operations.filter(({ limit }) => limit < 256 << 10);
  assert.ok(small.length > 20);
  assert.ok((await growth(t, small)) <= mebibyte);
});

for (const limit of [256 << 10, 2_000_000, 8 << 20]) {
  test(`what takes ${limit} bytes costs at most four times as many`, { timeout: 600_000 }, async (t) => {
    const some = operations.filter((operation) => operation.limit === limit);
    assert.ok(some.length > 0);
    assert.ok((await growth(t, some)) <= 4 * limit);
  });
}

test("one byte more is too many, everywhere", { timeout: 60_000 }, async () => {
  for (const operation of operations) {
    const { status } = await unlessLost(() => send(operation, " ".repeat(operation.limit + 1)));
    assert.equal(status, 413, `${operation.method} ${operation.path}`);
  }
});

test("no operation takes a body of which this does not know how much it costs", () => {
  const known = operations.every(({ limit }) => limit < 256 << 10 || [256 << 10, 2_000_000, 8 << 20].includes(limit));
  assert.ok(known);
});
