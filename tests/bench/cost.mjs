// What an answer costs: floor, twin and index in one run, turn by turn, so that the machine's noise falls on all.

import assert from "node:assert/strict";
import { run, step } from "../../tools/lib/steps.mjs";
import { load, together, used } from "./load.mjs";
import { scratch, serve } from "./servers.mjs";
import { DATE, money } from "./prices.mjs";
import { basic, counted, databases, hashAsTwin, pairs, people } from "./fixture.mjs";
import { columns, measurePages, rows } from "./pages.mjs";

/**
 * What the twin does too, and its budget: processor time at most so many times that of the twin, or of the floor,
 * whichever is more. The floor of these makes one round trip. A page has no budget but the rate.
 */
const BUDGETS = {
  unknown: { twin: 1.25 },
  forged: { twin: 1.25 },
  malformed: { twin: 1.25 },
  wrong: { twin: 1.25 },
  auth: { twin: 1.1, floor: 1.2 },
  images: { twin: 1.1, floor: 1.55 },
  mint: { twin: 1.1, floor: 1.4 },
  exchange: { twin: 1.1, floor: 1.45 },
  login: { twin: 1.1, floor: 1.25 },
  page: {},
};
const TWINS = Object.keys(BUDGETS);
/** What is paid for, by the request that measures it. */
const MONEY = { "tokens issued": "mint", checks: "auth", searches: "search", pushes: "push", pages: "page" };
/** The least share of the twin's rate. */
const RATE = 0.9;
const CONNECTIONS = [1, 16, 64];
const always = { always: true };
const FEW = 1_000;

export async function measure({ quick, print }) {
  const folder = scratch();
  await databases(folder);
  const hublet = await serve("hublet", folder);
  const cases = await people(hublet);
  const argon2 = await step("Argon2", () => password(hublet), always);
  const index = await hublet.again();
  const instrumented = await serve("instrumented", folder, index);
  const counts = {};
  for (const name of Object.keys(cases)) {
    await counted(instrumented, cases[name]);
    counts[name] = await counted(instrumented, cases[name]);
  }
  await instrumented.stop();

  const [twin, floor] = [await hashAsTwin(await serve("twin", folder, index)), await serve("floor", folder)];
  for (const name of TWINS) await agree(name, cases[name], index, twin);
  const subjects = [
    { key: "floor constant", server: floor, request: { target: "/" } },
    { key: "floor db", server: floor, request: { target: "/db" } },
    ...TWINS.map((name) => ({ key: `twin ${name}`, server: twin, request: cases[name] })),
    ...Object.keys(cases)
      .filter((name) => !quick || BUDGETS[name] || Object.values(MONEY).includes(name))
      .map((name) => ({ key: name, server: index, request: cases[name] })),
  ];
  const runs = {};
  const turns = quick ? 2 : 3;
  await step(
    "load",
    async () => {
      for (const { server, request } of subjects) await load(server, request, 4, 1); // warm
      for (let turn = 0; turn < turns; turn += 1) {
        // The last turn is shorter: what many connections cost is measured in the others.
        const most = turn + 1 < turns ? CONNECTIONS.length : quick ? 1 : 2;
        for (const connections of CONNECTIONS.slice(0, most)) {
          for (const { key, server, request } of subjects) {
            const run = `${key} ${connections}`;
            runs[run] = [...(runs[run] ?? []), await load(server, request, connections, quick ? 1 : 2)];
          }
        }
      }
    },
    { always: true },
  );
  const results = Object.fromEntries(
    subjects.map(({ key }) => [
      key,
      Object.fromEntries(CONNECTIONS.map((connections) => [connections, together(runs[`${key} ${connections}`])])),
    ]),
  );

  const few = subjects.filter(
    ({ key }) => together(CONNECTIONS.flatMap((connections) => runs[`${key} ${connections}`])).requests < FEW,
  );
  if (few.length)
    console.error(
      `hublet: under ${FEW} answers, so that what was under way at the end shows (repeat on a quiet machine): ${few.map(({ key }) => key).join(", ")}`,
    );

  const cpu = (key) => together(CONNECTIONS.flatMap((connections) => runs[`${key} ${connections}`])).cpu;
  const costs = Object.fromEntries(
    subjects.map(({ key }) => {
      const floor = cpu(key) / cpu(`floor ${counts[key]?.rounds ? "db" : "constant"}`);
      if (!TWINS.includes(key)) return [key, { cpu: cpu(key), floor }];
      const rate = results[key][16].rate / results[`twin ${key}`][16].rate;
      return [key, { cpu: cpu(key), floor, twin: cpu(key) / cpu(`twin ${key}`), rate }];
    }),
  );
  const fixed = (number) => number?.toFixed(2) ?? "";
  print(
    [
      "request",
      "CPU ms",
      "× floor",
      "× twin",
      "budget",
      "× twin's rate",
      "requests/s at 1, 16, 64",
      "p50 / p95 / p99 ms at 16",
      "round trips",
      "rows",
      "crossings",
      "bytes",
    ],
    subjects.map(({ key }) => {
      const { p50, p95, p99 } = results[key][16];
      const [mine, cost] = [key in cases, costs[key]];
      return [
        `\`${key}\``,
        cost.cpu.toFixed(2),
        mine ? fixed(cost.floor) : "",
        fixed(cost.twin),
        budget(BUDGETS[key], cost),
        cost.rate ? `${fixed(cost.rate)}${cost.rate < RATE ? ": missed" : ""}` : "",
        CONNECTIONS.map((connections) => results[key][connections].rate.toFixed(0)).join(", "),
        [p50, p95, p99].map((number) => number.toFixed(1)).join(" / "),
        counts[key]?.rounds,
        counts[key]?.rows,
        counts[key]?.crossings,
        counts[key]?.bytes,
      ];
    }),
  );

  const pages = await step("pages", () => measurePages(index, quick ? 100 : 400), always);
  print(columns, rows(pages));

  const paid = Object.fromEntries(
    Object.entries(MONEY).map(([words, name]) => {
      const { rows: read, written } = counts[name];
      return [words, money({ cpu: costs[name].cpu, read, written })];
    }),
  );
  print(
    [
      `a million, prices of ${DATE}`,
      "CPU s",
      "rows read, M",
      "rows written, M",
      "requests $",
      "CPU $",
      "rows $",
      "logs $",
      "together $",
      "free plan, a day",
      "which ends by",
    ],
    Object.entries(paid).map(([words, { used, dollars, together, free, ends }]) => [
      words,
      Math.round(used.cpu * 1000),
      used.read,
      used.written,
      fixed(dollars.requests),
      fixed(dollars.cpu),
      fixed(dollars.read + dollars.written),
      fixed(dollars.logs),
      fixed(together),
      free,
      ends,
    ]),
  );

  const [compiled, begun] = [await serve("compiled", folder), await serve("begun", folder)];
  const starts = await step("start-up", () => startUp([floor, twin, compiled, begun, index], quick ? 3 : 7), always);
  print(
    ["start-up to the first answer", "CPU ms", "× floor"],
    ["floor", "twin", "hublet"].map((kind) => [kind, starts[kind].toFixed(1), fixed(starts[kind] / starts.floor)]),
  );
  print(
    ["of which", "CPU ms"],
    [
      ["workerd, as the twin takes it", starts.twin],
      ["compiling", starts.compiled - starts.twin],
      ["beginning", starts.begun - starts.compiled],
      ["settings and the first answer", starts.hublet - starts.begun],
    ].map(([words, cpu]) => [words, cpu.toFixed(1)]),
  );
  const pushes = await step("pushes", () => push(index.last), always);
  print(
    ["images in a push", "ms"],
    Object.entries(pushes).map(([many, took]) => [many, took.toFixed(0)]),
  );
  print(
    ["Argon2id, m=19456,t=2,p=1", "ms"],
    [
      ["in the worker (processor time)", argon2.worker.toFixed(1)],
      ["native", argon2.native.toFixed(1)],
      ["ratio", (argon2.worker / argon2.native).toFixed(2)],
    ],
  );
  return { results, counts, costs, paid, pages, starts, pushes, argon2 };
}

/** A budget, and whether it is met. */
function budget(most, cost) {
  if (!most?.twin) return "";
  const words = [most.twin && `${most.twin} × twin`, most.floor && `${most.floor} × floor`].filter(Boolean);
  const met = cost.twin <= most.twin || cost.floor <= most.floor;
  return `${words.join(" or ")}: ${met ? "met" : "missed"}`;
}

/** Fails where the twin does not answer as the index does, but for what is new in each answer. */
async function agree(name, { method = "GET", target, authorization, body }, ...servers) {
  const [mine, others] = await Promise.all(
    servers.map(async ({ url }) => {
      const headers = authorization ? { authorization } : {};
      const answer = await fetch(`${url}${target}`, { method, headers, body });
      const text = await answer.text();
      const said = answer.headers.get("content-type") === "application/json" ? JSON.parse(text) : text;
      if (said.token) Object.assign(said, { token: parts(said.token), access_token: "", issued_at: "" });
      const { date, "content-length": length, "x-request-id": id, ...rest } = Object.fromEntries(answer.headers);
      const named = { ...rest, "x-docker-endpoints": rest["x-docker-endpoints"]?.replace(/:.*/, "") };
      return { status: answer.status, headers: named, said };
    }),
  );
  assert.deepEqual(others, mine, `the twin answers ${name} otherwise`);
}

/** Header and claims of a registry token, without what is new in each. */
function parts(token) {
  const [header, claims] = token.split(".").map((part) => Buffer.from(part, "base64url").toString());
  const { iat, nbf, exp, jti, ...rest } = JSON.parse(claims);
  return { header: JSON.parse(header), ...rest, lifetime: exp - nbf };
}

/** The first check of a password in an isolate, less what a remembered one costs; and the same natively. */
async function password(server) {
  const names = Array.from({ length: 10 }, (_, at) => `first${at}`);
  const register = (username) =>
    fetch(`${server.url}/v1/users/`, {
      method: "POST",
      body: JSON.stringify({ username, password: "correct horse", email: `${username}@example.com` }),
    });
  for (const name of names) await (await register(name)).text();
  const fresh = await server.again();
  const logIn = async () => {
    const before = used(fresh.pid);
    for (const name of names)
      await (
        await fetch(`${fresh.url}/v1/users/`, { headers: { authorization: basic(name, "correct horse") } })
      ).text();
    return (used(fresh.pid) - before) / names.length;
  };
  await (await fetch(`${fresh.url}/v1/users/`, { headers: { authorization: basic("paul", "correct horse") } })).text();
  const [first, second] = [await logIn(), await logIn()];
  Object.assign(server, fresh);
  const said = await run("cargo", ["bench", "--locked", "--profile", "dev", "--bench", "argon2"]);
  return { worker: first - second, native: Number(/([\d.]+) ms/.exec(said)[1]) };
}

async function startUp(servers, times) {
  const all = {};
  for (let time = 0; time < times; time += 1) {
    for (const server of servers) {
      server.last = await (server.last ?? server).again();
      all[server.kind] = [...(all[server.kind] ?? []), used(server.last.pid)];
    }
  }
  return Object.fromEntries(
    Object.entries(all).map(([kind, cpu]) => [kind, cpu.toSorted((a, b) => a - b)[Math.floor(cpu.length / 2)]]),
  );
}

async function push(server) {
  const took = {};
  const authorization = basic("paul", "correct horse");
  for (const many of [1_000, 10_000]) {
    const times = [];
    for (let time = 0; time < 5; time += 1) {
      const put = async (target) => {
        const began = performance.now();
        const answer = await fetch(`${server.url}/v1/repositories/paul/push-${many}-${time}/${target}`, {
          method: "PUT",
          headers: { authorization },
          body: pairs(many),
        });
        await answer.text();
        if (!answer.ok) throw new Error(`${answer.status} for ${many} images`);
        return performance.now() - began;
      };
      await fetch(`${server.url}/v1/users/`, { headers: { authorization } }).then((answer) => answer.text());
      times.push(await put(""));
    }
    took[many] = times.toSorted((a, b) => a - b)[2];
  }
  return took;
}
