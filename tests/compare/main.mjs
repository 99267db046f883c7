// Plays three parts (the pages, every endpoint with faults, hostile requests) against two builds, each with its own copy of
// one database, and compares every answer and the tables.
//
// Not compared, since both builds may be right:
// - values that are random or signed: only the order of their appearance is (labels.mjs says which those are);
// - how often and in which order a database is called, and so no fault of a single call, where the two call differently;
// - single calls that fail twice or during an export, the scheduled run with faults, and the cases that are written by hand
//   in `faults.test.mjs`: `npm test -- faults` judges those of one build;
// - slow calls and races, which end differently from run to run: `npm test -- faults` and `-- races` judge those;
// - a database that lacks some migrations, since two builds may have different ones; that it has no tables is compared;
// - the log, and what the platform sets itself: Date, Content-Length and the headers of the connection;
// - requests that are not HTTP, which the platform answers before the worker sees them.

import http from "node:http";
import { buffer, text } from "node:stream/consumers";
import { eventSecret } from "../../tools/lib/services.mjs";
import { Failure, pass, run, step } from "../../tools/lib/steps.mjs";
import { seedDatabases, renew, requests, vars } from "../workerd/endpoints.mjs";
import { faults } from "../workerd/fault-matrix.mjs";
import { operate } from "../workerd/operator.mjs";
import { maker, randomness } from "../workerd/requests.mjs";
import { basic, imageId } from "../workerd/app.mjs";
import { Wire } from "../workerd/wire.mjs";
import { ENOUGH, Sides } from "./sides.mjs";

/** The least number of requests of a whole comparison: some 2,450 come from the pages, the rest from the other parts. */
export const LEAST = 3_000;

const units = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Plays tests/wire. Its player gets the answers of the first build; the second gets the same requests. */
export async function pages(sides) {
  let vars = {};
  const set = async (wanted) => {
    vars = wanted;
    await sides.set(vars);
  };
  const lines = {
    Page: async (page) => {
      // The settings of a page end with it.
      if (Object.keys(vars).length) await set({});
      if (sides.playing) await sides.dump("the page");
      sides.playing = page;
      return sides.direct("clear");
    },
    Operator: async (words) => operate(await sides.env(), words, sides.seconds),
    Time: (span) => {
      const [, number, unit] = /^\+(\d+)([smhd])$/.exec(span);
      sides.later(number * units[unit] * 1000);
    },
    Mail: (address) => sides.direct("mail", address),
    Secret: async (service) => eventSecret((await sides.env()).TOKEN_KEY, service),
    Scheduled: () => sides.scheduled(),
    Setting: (setting) => {
      const [name, ...value] = setting.split("=");
      return set({ ...vars, [name]: value.join("=") });
    },
  };
  const listen = async (handle) => {
    const server = http.createServer((request, response) => {
      handle(request, response).catch((error) => response.writeHead(500).end(String(error.stack)));
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return server;
  };
  const directives = await listen(async (request, response) => {
    const [, word, rest] = /^(\w+): *(.*)$/.exec(JSON.parse(await text(request)).line);
    response.end((await lines[word](rest)) ?? "");
  });
  const index = await listen(async (request, response) => {
    const { method, url: target, headers } = request;
    const body = await buffer(request);
    const answer = await sides.send({ method, target, headers, body: body.length ? body : undefined });
    for (const [name, value] of answer.headers)
      if (!["connection", "keep-alive", "transfer-encoding"].includes(name)) response.appendHeader(name, value);
    response.writeHead(answer.status).end(Buffer.from(answer.body, "latin1"));
  });
  const address = (server) => `http://127.0.0.1:${server.address().port}`;
  const env = { INDEX_URL: address(index), INDEX_DIRECTIVES: address(directives), RUST_BACKTRACE: "0" };
  try {
    await run("cargo", ["test", "--locked", "--quiet", "--test", "it", "wire::pages_hold"], { env });
    await sides.dump("the page");
  } catch (error) {
    // The player judges the first build by the pages of this checkout.
    if (!(error instanceof Failure)) throw error;
    sides.differ(`the pages do not hold for the first build:\n${error.output}`);
  } finally {
    for (const server of [directives, index]) server.close();
  }
}

const down = ["CACHE", "MAIL", "LOGIN_LIMIT", "ANONYMOUS_LIMIT", "WRITE_LIMIT"];
const overloaded = "D1 DB is overloaded. Too many requests queued.";
const missing = "no such table: users: SQLITE_ERROR";

/** Faults of a whole database or binding. */
const TROUBLES = [
  ...["DB", "SEARCH"].flatMap((database) =>
    [
      ["is down", { databases: [{ database, when: "before" }] }],
      ["does what it is asked and fails", { databases: [{ database, when: "after" }] }],
      ["is overloaded", { databases: [{ database, when: "before", message: overloaded }] }],
      ["has no tables", { databases: [{ database, when: "before", message: missing }] }],
      ["is absent", { absent: [database] }],
    ].map(([how, trouble]) => [`${database} ${how}`, trouble]),
  ),
  ...down.map((name) => [`${name} is down`, { down: [name] }]),
  ...down.map((name) => [`${name} is absent`, { absent: [name] }]),
];

/** The faults of each single call that differ from those of a whole database. */
const OF_CALLS = ["fails before", "takes effect and is reported as failed"];

/** These faults, if both builds make the same calls; else none. */
function faultsOfCalls([one, other]) {
  const texts = [one, other].map((calls) => JSON.stringify(calls.map(({ database, reads }) => [database, reads])));
  if (texts[0] !== texts[1]) return [];
  return one.flatMap(({ database, call }) =>
    OF_CALLS.map((name) => [
      `call ${call} of ${database} ${name}`,
      { databases: [{ database, call, ...faults[name].trouble }] },
    ]),
  );
}

/**
 * Plays every request of the fault matrix from its starting state: twice without a fault, and with every fault once, and
 * once more without if it wrote. Tables are dumped after requests that write, and once after all of an endpoint.
 */
export async function endpoints(sides) {
  sides.playing = "the fixture of the fault matrix";
  await sides.set(vars);
  const fixture = await seedDatabases(sides);
  const start = await sides.dump("its making");
  for (const { request, who, sent, name } of requests(fixture)) {
    sides.playing = `before ${name}`;
    await sides.restore("DB,SEARCH,CACHE", start);
    await renew(sides, fixture.as);
    const body = sent === undefined || typeof sent === "string" ? sent : JSON.stringify(sent);
    const target = request.split(" ")[1];
    let touched = true;
    const ask = async (request, sent, trouble, time) => {
      const answer = await sides.ask(request, { headers: fixture.as[who], body: sent, trouble });
      const wrote = answer.calls.some((calls) => calls.some(({ reads }) => !reads));
      if (wrote) await sides.dump(time);
      touched ||= wrote || target.includes("search"); // a search may fill the cache
      return answer;
    };
    const play = async (title, trouble) => {
      sides.playing = `${name}, ${title}`;
      if (touched) await sides.restore("DB,SEARCH,CACHE", start);
      touched = false;
      const { calls } = await ask(request, body, trouble, "the request");
      // From where nothing was written, a second request is the one without a fault again.
      if (touched || !trouble) await ask(request, body, undefined, "the second request");
      return calls;
    };
    const calls = await play("no fault");
    for (const [title, trouble] of [...TROUBLES, ...faultsOfCalls(calls)]) {
      if (sides.many > ENOUGH) return;
      await play(title, trouble);
    }
    for (const method of request.startsWith("GET ") ? ["HEAD", "OPTIONS"] : []) {
      sides.playing = `${name}, ${method}, DB is down`;
      await ask(`${method} ${target}`, undefined, { databases: [{ when: "before" }] }, "the request");
    }
    await sides.dump("all of it");
  }
}

/** Plays the hostile requests that follow from a seed. */
export async function hostile(sides, many, seed) {
  sides.playing = `hostile, SEED=${seed}`;
  await sides.set({ REGISTRATION: "closed" });
  const secret = "toto42";
  const { DB, TOKEN_KEY } = await sides.env();
  for (const name of ["tom", "una"]) {
    await operate({ DB }, `add ${name}`, sides.seconds);
    const link = await operate({ DB }, `password ${name}`, sides.seconds);
    const form = new URLSearchParams({ secret: new URL(link).hash.slice(1), password: secret }).toString();
    await sides.succeed("POST /account/password", {
      body: form,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  }
  const tom = basic("tom", secret);
  const init = { headers: { authorization: tom }, body: JSON.stringify([{ id: imageId(1) }]) };
  const made = await sides.succeed("PUT /v1/repositories/tom/app/", init);
  await sides.succeed("PUT /v1/repositories/tom/app/images", init);
  const json = { "content-type": "application/json" };
  const session = `Bearer ${(await sides.succeed("POST /v2/users/login", { headers: json, body: JSON.stringify({ username: "tom", password: secret }) })).json().token}`;
  const reading = [tom, session, `Token ${made.headers.get("x-docker-token")}`, basic("una", secret)];
  const description = (await sides.succeed("GET /openapi.json")).json();
  const make = maker(description, randomness(seed), {
    names: ["tom", "app", "una", imageId(1), "registry"],
    reading,
    harmless: [
      undefined,
      undefined,
      ...reading,
      basic("tom", "guess"),
      basic("nobody", "guess"),
      "Bearer a.b.c",
      "Token",
      "Basic %%%",
      session.slice(0, -4),
    ],
    owner: { basic: tom, session, registry: `Bearer ${eventSecret(TOKEN_KEY, "registry")}` },
  });
  const wires = sides.workers.map(({ url }) => new Wire(Number(url.port)));
  for (let left = many; left > 0 && sides.many <= ENOUGH; left -= 1) {
    const request = make();
    // The platform answers these, or nothing does.
    if (request.broken) continue;
    await sides.raw(wires, request);
    if (left % 100 === 0) await sides.dump(`${many - left} requests`);
  }
  for (const wire of wires) wire.close();
  await sides.dump("all requests");
  // As in the test of hostile requests: the proxy of the harness loses a connection now and then.
  if (sides.lost > Math.max(5, many / 1_000)) sides.differ(`the proxy lost ${sides.lost} answers`);
}

/** Runs the three parts on fresh databases and prints the differences of each; returns the sums. */
export async function compare(trees, { many = 3_000, seed = Math.floor(Math.random() * 2 ** 32) } = {}) {
  const sums = { requests: 0, dumps: 0, differences: 0 };
  for (const [title, play] of [
    ["pages", pages],
    ["endpoints", endpoints],
    ["hostile requests", (sides) => hostile(sides, many, seed)],
  ]) {
    await step(
      title,
      async () => {
        const sides = await Sides.start(trees);
        sides.onDifference = pass;
        try {
          await play(sides);
        } finally {
          await sides.stop();
        }
        sums.requests += sides.requests;
        sums.dumps += sides.dumps;
        sums.differences += sides.many;
        return `${sides.requests} requests, ${sides.dumps} dumps of all tables, ${sides.many} differences`;
      },
      { always: true },
    );
  }
  return sums;
}
