// Fifty thousand requests that nobody should send, over raw sockets: each gets an answer that is well-formed and no fault
// of ours, nothing is changed by them, and a good client finds everything as it was.
//
// SEED=… makes the same requests again, REQUESTS=… more or fewer of them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventSecret } from "../../tools/lib/services.mjs";
import { randomness, maker } from "./requests.mjs";
import { basic, imageId, join, makeRepository, startWorker } from "./app.mjs";
import { Wire } from "./wire.mjs";

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
const requests = Number(process.env.REQUESTS ?? 50_000);
const connections = 12;
const secret = "correct horse";

let worker;
const paul = {};
const guest = {};
before(
  async () => {
    worker = await startWorker();
    paul.basic = await join(worker, "paul", secret);
    guest.basic = await join(worker, "guest", secret);
    paul.write = `Token ${await makeRepository(worker, paul.basic, "paul/app", [imageId(1), imageId(2)])}`;
    await makeRepository(worker, paul.basic, "paul/secret", [imageId(3)]);
    const session = async (username, password) => {
      const init = { headers: { "content-type": "application/json" }, body: JSON.stringify({ username, password }) };
      return `Bearer ${(await worker.succeed("POST /v2/users/login", init)).json().token}`;
    };
    paul.session = await session("paul", secret);
    guest.session = await session("guest", secret);
    const init = (body, authorization = paul.session) => ({
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    await worker.succeed("POST /v2/namespaces/paul/repositories/secret/privacy", init({ is_private: true }));
    // It opens a repository that is not there: what it may do changes nothing.
    const limited = { token_label: "limited", scopes: ["repo:public_read"], resources: [{ path: "nobody/nothing" }] };
    const token = (await worker.succeed("POST /v2/access-tokens", init(limited, guest.session))).json().token;
    guest.limited = basic("guest", token);
    guest.limitedSession = await session("guest", token);
    const mint = async (authorization, scope) =>
      `Bearer ${(await worker.succeed(`GET /token?service=registry&scope=${scope}`, { headers: { authorization } })).json().token}`;
    guest.registry = await mint(guest.limited, "registry:catalog:search");
    paul.registry = await mint(paul.basic, "repository:paul/secret:pull,push");
    const asked = await worker.succeed("GET /v1/repositories/paul/app/images", {
      headers: { authorization: guest.basic, "x-docker-token": "true" },
    });
    guest.read = `Token ${asked.headers.get("x-docker-token")}`;
    paul.events = `Bearer ${eventSecret((await worker.env()).TOKEN_KEY, "registry")}`;
    // Whoever registers changes something; and without mail, a forgotten password is a 503.
    await worker.set({ REGISTRATION: "closed", MAIL: "on", PUBLIC_URL: worker.url.origin });
  },
  { timeout: 120_000 },
);
after(() => worker?.stop(), { timeout: 60_000 });

// What may be different afterwards, and why.
const changing = {
  failures: "passwords that were refused are counted",
  clients: "of what kind each client was that somebody logged in with",
  refusals: "what was refused is counted",
  progress: "the scheduled run writes down how far it has come, and when a registry was last heard",
};
const changingRows = {
  // Logins are written down, and what a registry tells of a namespace that is not there, for the operator alone.
  audit: ({ account, action }) => /^user\.login/.test(action) || (account === null && /^repo\.manifest\./.test(action)),
  events: ({ id }) => id.startsWith("many-"), // what a registry told is remembered, also where there is no such namespace
};
const changingColumns = ["used_at"]; // tokens note when they were last used

/** Every row of every table. */
async function dump() {
  const env = await worker.env();
  const tables = {};
  for (const name of ["DB", "SEARCH"]) {
    const { results } = await env[name]
      .prepare(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name not like '_cf_%'",
      )
      .all();
    for (const { name: table } of results.filter(({ name }) => !(name in changing))) {
      const all = (await env[name].prepare(`select * from "${table}"`).all()).results;
      const rows = all.filter((row) => !changingRows[table]?.(row));
      for (const row of rows) for (const column of changingColumns) delete row[column];
      tables[`${name}.${table}`] = rows;
    }
  }
  return tables;
}

/** The rows that one dump has and the other has not, some of each table: a diff of very many takes all memory. */
function gained(dump, other) {
  const rows = (of, table) => of[table].map((row) => `${table} ${JSON.stringify(row)}`);
  return Object.keys(dump).flatMap((table) => {
    const known = new Set(rows(other, table));
    return rows(dump, table)
      .filter((row) => !known.has(row))
      .slice(0, 10);
  });
}

/** What is wrong with an answer, if anything is. */
function wrong({ method, broken }, { status, headers, body }) {
  // The platform itself answers what is no HTTP; then there is no request of ours.
  const ours = headers.has("x-request-id");
  if (broken && !ours) return;
  if (status >= 500) return `${status}`;
  if (!ours) return `${status} without X-Request-Id`;
  if (!/^[0-9a-f]{16}$/.test(headers.get("x-request-id"))) return "an X-Request-Id that is not ours";
  if (headers.get("x-content-type-options") !== "nosniff") return "a type that may be guessed";
  const type = headers.get("content-type") ?? "";
  if (method === "HEAD" || status === 204) return body.length ? "a body" : undefined;
  if (type === "application/json" && body.length) {
    try {
      JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    } catch {
      return "JSON that is none";
    }
  } else if (type.startsWith("text/plain")) {
    if (String(body) !== "User-agent: *\nDisallow: /\n") return "a text that is not that of /robots.txt";
  } else if (body.length && !type.startsWith("text/html")) return `a body of the type ${type}`;
  if (status === 401 && !headers.has("www-authenticate")) return "401 without a challenge";
  if (status === 405 && !headers.has("allow")) return "405 without Allow";
  if (status === 429 && !headers.has("retry-after")) return "429 without Retry-After";
}

test("nothing that is sent breaks or changes anything", { timeout: 3_600_000 }, async (t) => {
  t.diagnostic(`SEED=${seed}`);
  const description = (await worker.succeed("GET /openapi.json")).json();
  const random = randomness(seed);
  const flipped = (header) => header.replace(/[0-9a-f](?=[^0-9a-f]*$)/, (digit) => (digit === "0" ? "1" : "0"));
  const make = maker(description, random, {
    names: ["paul", "app", "secret", "registry", imageId(1), "latest"],
    reading: [paul.basic, paul.session, paul.write, paul.registry, guest.basic, guest.session],
    harmless: [
      undefined,
      undefined,
      guest.limited,
      guest.limitedSession,
      guest.registry,
      guest.read,
      flipped(paul.write),
      flipped(guest.read),
      basic("paul", "guess"),
      basic("nobody", "guess"),
      basic("", ""),
      basic("paul ", `${secret} `),
      basic("paul", "hlp_0000"),
      "Bearer a.b.c",
      "Bearer eyJhbGciOiJub25lIn0.e30.",
      "Token",
      "Basic",
      "Basic %%%",
      'Token signature=,repository="",access=',
      paul.session.slice(0, -4),
    ],
    owner: { basic: paul.basic, session: paul.session, registry: paul.events },
  });
  const statuses = {};
  const failures = [];
  let slowest = { seconds: 0 };
  const before = await dump();
  let left = requests;
  const port = Number(worker.url.port);
  const drive = async () => {
    const wire = new Wire(port);
    while (left > 0 && failures.length < 20) {
      left -= 1;
      const request = make();
      const shown = () =>
        `${request.broken ? "broken " : ""}${JSON.stringify(request.bytes.toString("latin1").slice(0, 600))}`;
      try {
        const began = performance.now();
        const answer = await wire.send(request.bytes, { bodiless: request.method === "HEAD", broken: request.broken });
        const seconds = (performance.now() - began) / 1_000;
        if (seconds > slowest.seconds) slowest = { seconds, text: request.text.slice(0, 100) };
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        const fault = wrong(request, answer);
        if (fault) failures.push(`${fault}\n  ${shown()}\n  ${answer.body.toString("latin1", 0, 300)}`);
      } catch (error) {
        failures.push(`${error.message}\n  ${shown()}`);
      }
    }
    wire.close();
  };
  await Promise.all(Array.from({ length: connections }, drive));
  t.diagnostic(
    `statuses: ${JSON.stringify(statuses)}; the slowest took ${slowest.seconds.toFixed(1)} s: ${slowest.text}`,
  );
  assert.deepEqual(failures, [], failures.join("\n"));
  const afterwards = await dump();
  assert.deepEqual({ gained: gained(afterwards, before), lost: gained(before, afterwards) }, { gained: [], lost: [] });
  // Most were more than a wrong path.
  assert.ok(
    statuses[200] > requests / 50 && statuses[400] > requests / 50 && statuses[403] > 0,
    "the requests are not what they should be",
  );
  t.diagnostic(`cases: ${requests} hostile requests`);
});

test("nothing of it is in the log as a fault, and no secret at all", () => {
  // What is no address, and CONNECT, are refused before the worker is asked.
  const theirs =
    /^Uncaught exception: workerd\/\S+ failed: remote\.jsg\.(TypeError: Invalid URL string|Error: Handler does not export a connect\(\) function)\.$/;
  const messages = worker.logs().map(({ message }) => message);
  const faults = messages.filter((message) => /"level":"error"|panicked|Uncaught/.test(message));
  assert.deepEqual(
    faults.filter((message) => !theirs.test(message)),
    [],
  );
  const log = messages.join("\n");
  assert.ok(log.includes("round_trips"), "there is no log");
  for (const header of [paul.basic, paul.session, paul.write, paul.registry, guest.limited, guest.read]) {
    assert.ok(!log.includes(header.split(" ")[1]), header);
  }
  assert.ok(!log.includes(secret));
});

test("a good client finds everything as it was", { timeout: 120_000 }, async () => {
  // Paul was guessed at all the while, which an hour forgets.
  await worker.direct("clock", 60 * 60 * 1_000);
  const as = (authorization, body) => ({
    headers: { authorization, "content-type": "application/json", "x-docker-token": "true" },
    body,
  });
  await worker.succeed("GET /v1/users/", as(paul.basic));
  const token = `Token ${await makeRepository(worker, paul.basic, "paul/new", [imageId(7)])}`;
  await worker.succeed("PUT /v1/repositories/paul/new/auth", as(token));
  assert.deepEqual((await worker.succeed("GET /v1/repositories/paul/new/images", as(token))).json(), [
    { id: imageId(7) },
  ]);
  await worker.succeed(`GET /v1/repositories/paul/new/layer/${imageId(7)}/access`, as(token));
  assert.deepEqual((await worker.succeed("GET /v1/repositories/paul/app/images")).json(), [
    { id: imageId(1) },
    { id: imageId(2) },
  ]);
  assert.equal((await worker.ask("GET /v1/repositories/paul/secret/images", as(guest.basic))).status, 404);
  await worker.succeed("GET /v1/search?q=app");
  const minted = await worker.succeed(
    "GET /token?service=registry&scope=repository:paul/new:pull,push",
    as(paul.basic),
  );
  await worker.succeed("GET /v2/", as(`Bearer ${minted.json().token}`));
  const login = JSON.stringify({ username: "paul", password: secret });
  const session = `Bearer ${(await worker.succeed("POST /v2/users/login", as("", login))).json().token}`;
  await worker.succeed("POST /v2/access-tokens", as(session, JSON.stringify({ token_label: "new" })));
  await worker.succeed("DELETE /v2/namespaces/paul/repositories/new", as(session));
  assert.equal((await worker.ask("GET /v1/repositories/paul/new/images")).status, 404);
});
