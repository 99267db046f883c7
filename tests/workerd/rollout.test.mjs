// A roll-out behind few addresses, with the limits that wrangler.toml has: what is right is never told to wait.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../tools/lib/steps.mjs";
import { basic, imageId, join, makeRepository, startWorker } from "./app.mjs";

const addresses = ["203.0.113.1", "203.0.113.2"];
const mint = "GET /token?service=registry&scope=repository:paul/app:pull";

/** The worker with the limits of the deployed worker. */
function deployedLimits(folder) {
  const text = (file) => readFileSync(path.join(root, file), "utf8");
  const limits = (toml) => [...toml.matchAll(/^\[\[ratelimits\]\]\n(?:[^\n]+\n)+/gm)].map(([limit]) => limit);
  let config = text("tests/workerd/wrangler.toml");
  for (const limit of limits(config)) config = config.replace(limit, "");
  config = config
    .replaceAll("../../", `${root}/`)
    .replace('"entry.mjs"', JSON.stringify(path.join(root, "tests/workerd/entry.mjs")));
  const deployed = limits(text("wrangler.toml"));
  assert.equal(deployed.length, 3);
  const file = path.join(folder, "wrangler.toml");
  writeFileSync(file, `${config}\n${deployed.join("\n")}`);
  return file;
}

let folder;
let worker;
let access;
let paul;
before(
  async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "hublet-rollout-"));
    worker = await startWorker({}, { config: deployedLimits(folder) });
    paul = await join(worker, "paul");
    await makeRepository(worker, paul, "paul/app", [imageId(1)]);
    const json = { "content-type": "application/json" };
    const login = await worker.succeed("POST /v2/users/login", {
      headers: json,
      body: JSON.stringify({ username: "paul", password: "toto42" }),
    });
    const headers = { ...json, authorization: `Bearer ${login.json().token}` };
    const made = await worker.succeed("POST /v2/access-tokens", {
      headers,
      body: JSON.stringify({ token_label: "nodes" }),
    });
    access = basic("paul", made.json().token);
    for (let number = 0; number < 10; number += 1) await join(worker, `person${number}`, `a password of ${number}`);
    // Registered, and never verified.
    const email = "fresh@example.com";
    await worker.succeed("POST /v1/users/", {
      body: JSON.stringify({ username: "fresh", password: "a password", email }),
    });
  },
  { timeout: 60_000 },
);
after(
  async () => {
    await worker?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  },
  { timeout: 60_000 },
);

const from = (address, authorization) => ({
  headers: { "cf-connecting-ip": address, ...(authorization ? { authorization } : {}) },
});

/** A node that pulls eight public images: it asks where tokens are had, then for one for each. */
async function node(number) {
  const address = addresses[number % addresses.length];
  const statuses = [(await worker.ask("GET /v2/", from(address))).status];
  for (let image = 0; image < 8; image += 1) statuses.push((await worker.ask(mint, from(address))).status);
  return statuses;
}

test("240 requests at once with one password: it is verified once", { timeout: 60_000 }, async () => {
  const answers = await Promise.all(
    Array.from({ length: 240 }, (_, number) =>
      worker.ask(mint, from(addresses[number % 2], basic("fresh", "a password"))),
    ),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]), "the limit of logins is a hundred");
});

test("240 requests at once with a wrong password, and with an unknown name, are refused alike", {
  timeout: 60_000,
}, async () => {
  for (const name of ["fresh", "unheard"]) {
    const answers = await Promise.all(
      Array.from({ length: 240 }, () => worker.ask(mint, from("203.0.113.9", basic(name, "a wrong one")))),
    );
    const many = (status) => answers.filter((answer) => answer.status === status).length;
    assert.equal(many(401) + many(429), 240);
    assert.ok(many(401) <= 10, `${many(401)} guesses of ${name} were compared`);
  }
});

test("120 nodes behind two addresses, and ten people who log in there", { timeout: 120_000 }, async (t) => {
  // Both happen within one minute as the limiters count it.
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 30_000) await new Promise((resolve) => setTimeout(resolve, left + 100));
  const begun = Date.now();
  const people = Array.from({ length: 10 }, (_, number) =>
    worker.ask("GET /token?service=registry", from(addresses[0], basic(`person${number}`, `a password of ${number}`))),
  );
  const nodes = Array.from({ length: 120 }, (_, number) => node(number));
  const logins = await Promise.all(people);
  const statuses = (await Promise.all(nodes)).flat();
  assert.deepEqual(
    logins.map(({ status }) => status),
    Array(10).fill(200),
  );
  const expected = [401, ...Array(8).fill(200)];
  assert.deepEqual(statuses, Array(120).fill(expected).flat());
  t.diagnostic(`${statuses.length} answers and ten logins in ${Date.now() - begun} ms`);

  // There is a limit all the same, for who shows nothing, and only for them.
  const more = await Promise.all(Array.from({ length: 140 }, () => worker.ask(mint, from(addresses[0]))));
  const refused = more.filter(({ status }) => status === 429);
  assert.equal(refused.length, 20, "480 of 600 were asked for");
  assert.ok(refused.every(({ headers }) => headers.get("retry-after") === "60"));
  assert.equal((await worker.ask("GET /v2/", from(addresses[0]))).status, 401);
  assert.equal((await worker.ask(mint, from(addresses[1]))).status, 200);
  for (const authorization of [access, paul])
    assert.equal((await worker.ask(mint, from(addresses[0], authorization))).status, 200);
  assert.ok(Date.now() - begun < 30_000, "that took longer than what was left of the minute");
});
