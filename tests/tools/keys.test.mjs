// `npm run keys` and `npm run doctor`, run in a copy of the clone where wrangler is a script that notes what it is told.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash, createPrivateKey, sign, X509Certificate } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { parseEnv } from "node:util";
import { newAuthority } from "../../tools/lib/certificates.mjs";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { eventSecret } from "../../tools/lib/services.mjs";
import { migrate, migrations, openLocal } from "../../tools/lib/sqlite.mjs";
import { copy } from "./clone.mjs";
import { startApi } from "./d1-api.mjs";
import { fails, works } from "./outcome.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-keys-"));
const at = (...names) => path.join(scratch, ...names);
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const wrangler = `const fs = require("node:fs");
const [command, ...words] = process.argv.slice(2);
const state = JSON.parse(fs.readFileSync(__dirname + "/state.json"));
const input = words[0] === "bulk" ? fs.readFileSync(0, "utf8") : "";
fs.appendFileSync(__dirname + "/calls", JSON.stringify({ command, words, input }) + "\\n");
if (command === "d1") console.log("No migrations to apply!");
if (words[0] === "list" && state.secrets) console.log(JSON.stringify(state.secrets.map((name) => ({ name }))));
if (words[0] === "list" && !state.secrets) { console.error("code: 10007"); process.exit(1); }
if (words[0] === "bulk" && state.broken) { console.error("no network"); process.exit(1); }
if (words[0] === "bulk" && state.slow) return setTimeout(() => {}, 60_000);
if (words[0] === "bulk") for (const name of Object.keys(JSON.parse(input))) console.log("created " + name);
`;

/** What is wrong or may be, but that an index of `npm start` is open. */
const remarks = /^(✗|! (?!anybody may register, and pull what is new))/m;

beforeEach(() => {
  fs.rmSync(scratch, { recursive: true, force: true });
  copy(scratch, wrangler);
  cloudflare({ secrets: null });
});

/** The database of an index of the copy, with its tables. */
function tables(state) {
  const database = openLocal(at(state), "DB", { make: true });
  migrate(database, "DB", migrations("DB"));
  return database;
}

const cloudflare = (state) => fs.writeFileSync(at("node_modules/.bin/state.json"), JSON.stringify(state));
const calls = () =>
  fs
    .readFileSync(at("node_modules/.bin/calls"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

// The packages are there: WRANGLER_COMMAND keeps the tools from looking after them.
const env = { ...process.env, WRANGLER_COMMAND: "test" };

before(async () => {
  await setUpOperator();
  const api = await startApi(":memory:"); // a deployed database without tables
  after(() => api.stop());
  Object.assign(env, api.env);
});

/** Begins a tool, which goes on beside us. */
const begin = (name, words) =>
  spawn(process.execPath, [at("tools", name), ...words], { env, stdio: ["ignore", "pipe", "inherit"] });

/** Runs a tool; nothing that it says may hold a secret. `clock` shifts its idea of now by so many days. */
function tool(name, words = [], { clock = 0 } = {}) {
  const shift = `data:text/javascript,const now = Date.now; Date.now = () => now() + ${clock} * 864e5`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", shift, at("tools", name), ...words], {
    env,
    encoding: "utf8",
  });
  for (const secret of secrets()) assert.ok(!(stdout + stderr).includes(secret), `${name} ${words} printed a secret`);
  return { status, said: stdout + stderr };
}
const keys = (...words) => tool("keys.mjs", words);

const read = (name) => (fs.existsSync(at(name)) ? fs.readFileSync(at(name), "utf8") : "");
const vars = (name = ".dev.vars") => parseEnv(read(name));
function secrets() {
  const all = [vars(), vars(".keys/production.vars")].flatMap((vars) => [
    vars.TOKEN_KEY,
    vars.PASSWORD_PEPPER,
    vars.REGISTRY_KEY,
    vars.TOKEN_KEY && eventSecret(vars.TOKEN_KEY, "registry"),
  ]);
  return all.filter(Boolean);
}

/** What is there, after a look at whether all of it fits together. */
function chain(file = ".dev.vars", folder = ".keys") {
  const { REGISTRY_KEY, REGISTRY_CERTIFICATE } = vars(file);
  const key = createPrivateKey({ key: Buffer.from(REGISTRY_KEY, "base64"), format: "der", type: "pkcs8" });
  const [leaf, ca, ...earlier] = REGISTRY_CERTIFICATE.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g).map(
    (pem) => new X509Certificate(pem),
  );
  assert.ok(leaf.checkPrivateKey(key));
  assert.ok(!leaf.ca && ca.ca && ca.verify(ca.publicKey));
  for (const one of [leaf, ...earlier]) assert.ok(one.checkIssued(ca) && one.verify(ca.publicKey));
  assert.deepEqual(new X509Certificate(read(`${folder}/ca.pem`)).raw, ca.raw);
  assert.equal(leaf.publicKey.asymmetricKeyDetails.namedCurve, "prime256v1");
  return { leaf, ca, earlier };
}

const years = (certificate) => Math.round((certificate.validToDate - Date.now()) / (365.25 * 864e5));

test("an event secret is what the worker computes", () => {
  const [first, last] = ["n".repeat(32), "o".repeat(32)];
  assert.equal(
    eventSecret(`${first}, ${last} `, "registry"),
    "f4d54f0857109ee4d98ef048308be8207eab02b7c0df3bb6f181af604bba27e9",
  );
  assert.equal(
    eventSecret(first, "registry.example.com:5000"),
    "fd7c2bd761a60f02e31383a7b6a426db7c89c962250acd92d6dc772f024bea4e",
  );
});

test("keys are made once, for their owner's eyes", () => {
  fs.writeFileSync(at(".dev.vars"), 'MINE="my own"\nREGISTRY_KEY=""\nSERVICES="registry, other=jwks, old=libtrust"', {
    mode: 0o600,
  });
  works(keys());
  const { leaf, ca, earlier } = chain();
  assert.equal(leaf.subject, "CN=hublet registry token signer");
  assert.deepEqual([years(leaf), years(ca), earlier.length], [2, 10, 0]);
  assert.equal(vars().MINE, "my own");
  assert.equal(read(".dev.vars").match(/^REGISTRY_KEY=/gm).length, 1);

  assert.equal(fs.statSync(at(".keys")).mode & 0o777, 0o700);
  const files = fs.readdirSync(at(".keys"));
  assert.deepEqual(files.sort(), [
    "ca.key",
    "ca.pem",
    "jwks.json",
    "leaves.pem",
    "old.yml",
    "other.yml",
    "registry.yml",
  ]);
  for (const file of [".dev.vars", ...files.map((name) => `.keys/${name}`)])
    assert.equal(fs.statSync(at(file)).mode & 0o777, 0o600, file);
  assert.match(
    read(".keys/registry.yml"),
    new RegExp(`rootcertbundle: "${at(".keys/ca.pem")}"[\\s\\S]*Bearer ${eventSecret(vars().TOKEN_KEY, "registry")}"`),
  );
  assert.match(
    read(".keys/registry.yml"),
    /^notifications:\n {2}events:\n {4}includereferences: true( .*)?\n {2}endpoints:\n/m,
  );
  assert.match(read(".keys/old.yml"), /rootcertbundle: ".*\/leaves.pem"/);
  assert.match(read(".keys/other.yml"), /jwks: ".*\/jwks.json"/);

  const before = [".dev.vars", ".keys/ca.pem", ".keys/ca.key", ".keys/registry.yml"].map(read);
  assert.match(works(keys()), /the key is there/);
  assert.deepEqual([".dev.vars", ".keys/ca.pem", ".keys/ca.key", ".keys/registry.yml"].map(read), before);
  works(keys("--public-url", "https://index.example.com/"));
  const elsewhere = read(".keys/registry.yml");
  assert.match(elsewhere, /realm: "https:\/\/index.example.com\/token"/);
  works(keys("rotate"));
  assert.equal(read(".keys/registry.yml"), elsewhere);
  assert.equal(read(".keys/leaves.pem").match(/BEGIN/g).length, 2);
});

test("a file of secrets is whole at every moment, and its owner's alone", () => {
  fs.writeFileSync(at(".dev.vars"), 'MINE="my own"\nTOKEN_KEY=""\n', { mode: 0o644 });
  fs.linkSync(at(".dev.vars"), at("before"));
  works(keys());
  assert.equal(read("before"), 'MINE="my own"\nTOKEN_KEY=""\n', "it was written in its place");
  assert.match(read(".dev.vars"), /^MINE="my own"\nTOKEN_KEY="[\w-]{43}"\nPASSWORD_PEPPER=/);
  const mode = () => fs.statSync(at(".dev.vars")).mode & 0o777;
  assert.equal(mode(), 0o600);
  fs.chmodSync(at(".dev.vars"), 0o644);
  works(keys()); // which has nothing to write
  assert.equal(mode(), 0o600);
});

test("a pepper has the name of its value, so that a lost one is missed", () => {
  const named = (pepper) => {
    const [, id, value] = /^([0-9a-f]{8}):([\w-]{43})$/.exec(pepper);
    assert.equal(createHash("sha256").update(value).digest("hex").slice(0, 8), id);
    return id;
  };
  works(keys());
  const lost = named(vars().PASSWORD_PEPPER);
  fs.rmSync(at(".dev.vars"));
  fs.rmSync(at(".keys"), { recursive: true });
  works(keys());
  const made = named(vars().PASSWORD_PEPPER);
  const keyid = Buffer.from(lost).toString("base64").replace(/=+$/, "");
  const stored = `$argon2id$v=19$m=64,t=1,p=1,keyid=${keyid}$c2FsdHNhbHQ$${"A".repeat(43)}`;
  const insert = tables(".wrangler/state").prepare(
    "insert into users (name, status, password, created_at) values (?, 'active', ?, 1)",
  );
  for (let number = 1; number <= 7; number += 1) insert.run(`user${number}`, stored);
  const said = works(tool("admin.mjs", ["peppers"]));
  assert.match(said, new RegExp(`^${made} +0 +hashes and verifies$`, "m"));
  assert.match(said, new RegExp(`^${lost} +7 +not configured: these cannot log in$`, "m"));
  const doctor = tool("doctor.mjs", []);
  const words = `✗ 7 passwords are hashed under the pepper ${lost}, which PASSWORD_PEPPER in \\.dev\\.vars does not have`;
  assert.match(doctor.said, new RegExp(`^${words}: their users cannot log in → add the value of your copy`, "m"));
  assert.equal(doctor.status, 1);
});

test("rotation keeps the CA and what was signed before", () => {
  works(keys());
  const first = chain();
  for (let count = 0; count < 6; count += 1) works(keys("rotate"));
  const last = chain();
  assert.deepEqual(last.ca.raw, first.ca.raw);
  assert.equal(last.earlier.length, 4);
  assert.equal(new Set([last.leaf, ...last.earlier].map(({ serialNumber }) => serialNumber)).size, 5);
  assert.ok(vars().REGISTRY_CERTIFICATE.length < 5000, "a secret of a worker has 5 kB");

  works(tool("keys.mjs", ["rotate"], { clock: 3 * 365 }));
  assert.equal(vars().REGISTRY_CERTIFICATE.match(/BEGIN/g).length, 2, "what has expired goes");
});

test("after a theft nothing of before is left", () => {
  works(keys());
  const before = chain();
  assert.match(works(keys("compromised")), /registry: rootcertbundle becomes a copy of .*\.keys\/ca\.pem/);
  const now = chain();
  assert.equal(now.earlier.length, 0);
  assert.ok(!before.leaf.verify(now.ca.publicKey) && !now.leaf.verify(before.ca.publicKey));
});

test("after a theft of TOKEN_KEY no secret that it made is left", () => {
  works(keys());
  fs.writeFileSync(at(".dev.vars"), read(".dev.vars").replace(/^TOKEN_KEY="/m, `TOKEN_KEY="${"n".repeat(32)},`));
  const [before, file] = [vars(), read(".keys/registry.yml")];
  assert.match(
    works(keys("compromised", "TOKEN_KEY")),
    /registry: the Authorization of its notifications becomes that of \.keys\/registry\.yml/,
  );
  const now = vars();
  assert.match(now.TOKEN_KEY, /^[\w-]{43}$/);
  for (const key of before.TOKEN_KEY.split(",")) assert.ok(!now.TOKEN_KEY.includes(key));
  assert.equal(
    read(".keys/registry.yml"),
    file.replaceAll(eventSecret(before.TOKEN_KEY, "registry"), eventSecret(now.TOKEN_KEY, "registry")),
  );
  assert.deepEqual({ ...now, TOKEN_KEY: "" }, { ...before, TOKEN_KEY: "" });
  fails(keys("compromised", "PASSWORD_PEPPER"), /usage/);
  fails(keys("rotate", "TOKEN_KEY"), /usage/);

  fs.writeFileSync(at("wrangler.toml"), read("wrangler.toml").replace(/^# (PUBLIC_URL|SERVICES) /gm, "$1 "));
  cloudflare({ secrets: ["TOKEN_KEY", "PASSWORD_PEPPER"] });
  works(keys("compromised", "TOKEN_KEY", "--remote"));
  const sent = calls()
    .filter(({ words }) => words[0] === "bulk")
    .map(({ input }) => JSON.parse(input));
  assert.deepEqual(sent, [{ TOKEN_KEY: vars(".keys/production.vars").TOKEN_KEY }]);
  assert.equal(vars(".keys/production.vars").PASSWORD_PEPPER, undefined, "what is at work and lost is not made anew");
});

test("a new TOKEN_KEY that did not get to the worker is said to be on its way", async () => {
  fs.writeFileSync(at("wrangler.toml"), read("wrangler.toml").replace(/^# (PUBLIC_URL|SERVICES) /gm, "$1 "));
  works(keys("--remote"));
  const [first, file] = [vars(".keys/production.vars"), read(".keys/production/registry.yml")];
  const there = { secrets: Object.keys(first) };
  cloudflare({ ...there, broken: true });
  fails(keys("compromised", "TOKEN_KEY", "--remote"), /it may be that the old key is still at work: run this again/);
  const second = vars(".keys/production.vars");
  assert.notEqual(second.TOKEN_KEY, first.TOKEN_KEY);
  assert.deepEqual({ ...second, TOKEN_KEY: "" }, { ...first, TOKEN_KEY: "" });
  assert.equal(read(".keys/production/registry.yml"), file, "no registry is given what the worker may not know");

  cloudflare({ ...there, slow: true });
  const tool = begin("keys.mjs", ["compromised", "TOKEN_KEY", "--remote"]);
  const [said, exit] = [text(tool.stdout), once(tool, "exit")];
  while (calls().filter(({ words }) => words[0] === "bulk").length < 2) await setTimeout(10);
  tool.kill("SIGINT");
  assert.deepEqual(await exit, [130, null]);
  assert.match(
    await said,
    /has a new TOKEN_KEY; until the deployed worker has it too, the old one is at work:\nhublet: if this ends before, run it again/,
  );
  assert.notEqual(vars(".keys/production.vars").TOKEN_KEY, second.TOKEN_KEY);

  cloudflare(there);
  works(keys("compromised", "TOKEN_KEY", "--remote"));
  const { TOKEN_KEY } = vars(".keys/production.vars");
  assert.deepEqual(JSON.parse(calls().at(-1).input), { TOKEN_KEY });
  assert.ok(read(".keys/production/registry.yml").includes(eventSecret(TOKEN_KEY, "registry")));
});

test("the doctor finds that the worker has another TOKEN_KEY than the operator", async () => {
  fs.writeFileSync(at("wrangler.toml"), read("wrangler.toml").replace(/^# (PUBLIC_URL|SERVICES) /gm, "$1 "));
  works(keys("--remote"));
  cloudflare({ secrets: Object.keys(vars(".keys/production.vars")) });
  const secret = () => `Bearer ${eventSecret(vars(".keys/production.vars").TOKEN_KEY, "registry")}`;
  let atWork = secret();
  let status = (given) => (given === atWork ? 200 : 401);
  const asked = [];
  const index = http.createServer(async (request, answer) => {
    const body = await text(request);
    if (request.url !== "/events") return answer.end("{}");
    asked.push([request.method, body]);
    answer.writeHead(status(request.headers.authorization)).end("{}");
  });
  await once(index.listen(0, "127.0.0.1"), "listening");
  const doctor = async () => {
    const tool = begin("doctor.mjs", ["--remote", "--public-url", `http://127.0.0.1:${index.address().port}`]);
    return text(tool.stdout);
  };
  try {
    assert.match(await doctor(), /^✓ the deployed worker hears registry by the event secret that is here$/m);
    assert.deepEqual(asked, [["POST", '{"events":[]}']]);
    atWork = "Bearer another";
    assert.match(
      await doctor(),
      /^✗ the deployed worker does not know the event secret of registry .* → .*npx wrangler secret bulk \.keys\/production\.vars sends it the one here$/m,
    );
    status = () => 503;
    assert.match(await doctor(), /^✗ \S+\/events answers 503 to no events/m);
  } finally {
    index.close();
    index.closeAllConnections();
  }
});

/** Notes in the copy that an index was started there. */
function begun(state, { address, vars = {} }) {
  fs.mkdirSync(at(state, "v3"), { recursive: true });
  const module = (name) => JSON.stringify(at("tools/lib", name));
  const program = `import { begun } from ${module("started.mjs")};
    import { forRegistries, handOut } from ${module("services.mjs")};
    import { main } from ${module("steps.mjs")};
    const told = ${JSON.stringify({ address, vars })};
    await main(async () => {
      await forRegistries(told.vars);
      begun(${JSON.stringify(state)}, told);
      console.log(handOut(told).join());
    });`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    env,
    encoding: "utf8",
  });
  return { status, said: stdout + stderr };
}

test("what was started last is what is written, and what the other tools go by", () => {
  works(keys());
  assert.match(read(".keys/registry.yml"), /realm: "http:\/\/127\.0\.0\.1:8787\/token"/);
  const address = "http://127.0.0.1:18750";
  assert.equal(works(begun("elsewhere", { address })), ".keys/registry.yml\n", "which says something else now");
  assert.match(
    read(".keys/registry.yml"),
    /realm: "http:\/\/127\.0\.0\.1:18750\/token"[\s\S]* url: "http:\/\/127\.0\.0\.1:18750\/events"/,
  );
  assert.equal(works(begun("elsewhere", { address })), "\n");

  tables("elsewhere").exec("insert into namespaces (name, created_at) values ('here', 1)");
  tables(".wrangler/state").exec("insert into namespaces (name, created_at) values ('there', 1)");
  const listed = works(tool("admin.mjs", ["namespaces"]));
  assert.match(listed, /^here [\s\S]*on the index that was started last, with --persist-to elsewhere/m);

  works(
    begun("elsewhere", {
      address,
      vars: { SERVICES: "hall, zoo=zot", ISSUER: "somebody", PUBLIC_URL: "http://localhost:1" },
    }),
  );
  assert.match(
    read(".keys/hall.yml"),
    new RegExp(
      `realm: "http://localhost:1/token"[\\s\\S]*issuer: "somebody"[\\s\\S]*Bearer ${eventSecret(vars().TOKEN_KEY, "hall")}"`,
    ),
  );
  assert.equal(JSON.parse(read(".keys/zoo.json")).extensions.events.sinks[0].address, "http://localhost:1/events");
  const doctor = works(tool("doctor.mjs"));
  assert.match(doctor, /^✓ the index is reached at http:\/\/localhost:1$/m);
  assert.match(doctor, /^✓ ISSUER "somebody" signs for hall \(x5c\), zoo \(zot\)$/m);
  assert.doesNotMatch(doctor, remarks);
  fails(begun("elsewhere", { address, vars: { SERVICES: "hall=rsa" } }), /SERVICES: "hall=rsa" is not/);
  fails(
    begun("elsewhere", { address, vars: { PUBLIC_URL: "http://hub.example.com" } }),
    /PUBLIC_URL "http:\/\/hub\.example\.com" is not https/,
  );

  fs.rmSync(at("elsewhere"), { recursive: true });
  assert.match(works(tool("doctor.mjs")), /^✓ the index is reached at http:\/\/127\.0\.0\.1:8787$/m);
  assert.match(works(tool("admin.mjs", ["namespaces"])), /^there /m);
});

test("a start that forgets a setting of the last one knows which", () => {
  works(keys());
  const forgotten = (before, now) => {
    const program = `import { forgotten } from ${JSON.stringify(at("tools/lib", "services.mjs"))};
      console.log(forgotten(${JSON.stringify(before)}, ${JSON.stringify(now)}).join());`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      env,
      encoding: "utf8",
    });
    return works({ status, said: stdout + stderr }).trim();
  };
  const closed = { REGISTRATION: "closed", ANONYMOUS_READ: "off" };
  assert.equal(forgotten(closed, {}), "REGISTRATION,ANONYMOUS_READ");
  assert.equal(forgotten(closed, { ...closed, REGISTRATION: "open" }), "", "which was typed");
  fs.writeFileSync(at(".dev.vars"), read(".dev.vars").replace('REGISTRATION="open"', 'REGISTRATION="closed"'));
  assert.equal(forgotten(closed, {}), "ANONYMOUS_READ", "what is in the file stays");
});

test("the doctor compares a registry with the index that it is asked about, and says which differs", {
  timeout: 300_000,
}, async (t) => {
  works(keys());
  const { leaf, ca } = chain();
  const key = createPrivateKey({ key: Buffer.from(vars().REGISTRY_KEY, "base64"), format: "der", type: "pkcs8" });
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const serve = async (work) => {
    const server = http.createServer(work).listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${server.address().port}`;
  };
  const index = {
    iss: "hublet",
    services: ["registry"],
    secret: `Bearer ${eventSecret(vars().TOKEN_KEY, "registry")}`,
    x: undefined,
  };
  const url = await serve((request, answer) => {
    const { pathname, searchParams } = new URL(request.url, "http://index");
    const json = (status, value) => answer.writeHead(status).end(JSON.stringify(value));
    if (pathname === "/events") return json(request.headers.authorization === index.secret ? 200 : 401, {});
    if (pathname === "/health") return json(200, { status: "ok", problems: [] });
    if (pathname !== "/token")
      return json(200, { keys: [{ ...leaf.publicKey.export({ format: "jwk" }), ...(index.x && { x: index.x }) }] });
    if (!index.services.includes(searchParams.get("service")))
      return json(400, { errors: [{ message: "is no service of this index" }] });
    const words = `${part({ x5c: [leaf, ca].map(({ raw }) => raw.toString("base64")) })}.${part({ iss: index.iss })}`;
    json(200, {
      token: `${words}.${sign("sha256", Buffer.from(words), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`,
    });
  });
  // Like distribution, it does not say why it refuses a token.
  const registry = { realm: `${url}/token`, service: "registry", issuer: "hublet", ca, clock: 0 };
  const address = await serve((request, answer) => {
    const [head, claims] = (request.headers.authorization ?? "")
      .replace("Bearer ", "")
      .split(".", 2)
      .map((part) => JSON.parse(Buffer.from(part, "base64url").toString() || "{}"));
    const signer = head.x5c && new X509Certificate(Buffer.from(head.x5c[0], "base64"));
    const good = claims?.iss === registry.issuer && signer?.verify(registry.ca.publicKey) && registry.clock > -60_000;
    const challenge = `Bearer realm="${registry.realm}",service="${registry.service}"`;
    answer
      .writeHead(good ? 200 : 401, {
        "WWW-Authenticate": challenge,
        Date: new Date(Date.now() + registry.clock).toUTCString(),
      })
      .end("{}");
  });
  const doctor = async (...words) =>
    text(begin("doctor.mjs", ["--registry", `registry=${address}`, "--public-url", url, ...words]).stdout);
  works(keys("--public-url", url));

  const fine = await doctor("--config", `registry=${at(".keys/registry.yml")}`);
  assert.doesNotMatch(fine, remarks);
  for (const line of [
    `✓ registry at ${address} sends people here and takes our tokens`,
    "✓ the index signs with the key that is here",
    "✓ the index is well",
    "✓ the index hears registry by the event secret that is here",
    `✓ ${at(".keys/registry.yml")} says what registry needs, and that its events go to ${url}/events`,
  ])
    assert.ok(fine.includes(`${line}\n`), fine);

  const cure = "→ give it what is in \\.keys/registry\\.yml and start it again";
  const another = new X509Certificate((await newAuthority()).certificate.toString());
  for (const [where, change, pattern] of [
    [
      registry,
      { realm: "http://127.0.0.1:8787/token" },
      `says realm "http://127\\.0\\.0\\.1:8787/token" and not "${url}/token".* ${cure}`,
    ],
    [registry, { service: "hall" }, `says service "hall" and not "registry" ${cure}`],
    [
      registry,
      { issuer: "nobody we know" },
      'refuses our token \\(401\\): its rootcertbundle is no copy of \\.keys/ca\\.pem, or its issuer is not "hublet" → ',
    ],
    [registry, { ca: another }, "refuses our token \\(401\\): its rootcertbundle is no copy of \\.keys/ca\\.pem, or "],
    [registry, { clock: -600_000 }, "refuses our token \\(401\\): its clock is \\d+ seconds behind the one here → "],
    [
      registry,
      { clock: -45_000 },
      "takes our tokens, but its clock is \\d+ seconds behind the one here → set both clocks",
    ],
    [index, { iss: "somebody" }, 'the index signs as "somebody", and ISSUER is "hublet" here → npm start'],
    [index, { services: [] }, "the index gives no token for registry \\(400: is no service of this index\\) → "],
    [
      index,
      { secret: "" },
      "the index does not know the event secret of registry that is here → if SERVICES was changed, npm start",
    ],
    [index, { x: "another" }, "the index signs with another key than the one here → npm start"],
  ]) {
    const before = { ...where };
    Object.assign(where, change);
    assert.match(await doctor(), new RegExp(`^✗ .*${pattern}`, "m"));
    Object.assign(where, before);
  }
  Object.assign(registry, { issuer: "hublet" });
  Object.assign(index, { iss: "mine" });
  fs.writeFileSync(at(".dev.vars"), `${read(".dev.vars").trim()}\nISSUER="mine"\n`, { mode: 0o600 });
  assert.match(
    await doctor(),
    new RegExp(`^✗ .* refuses our token \\(401\\): its issuer is "hublet" and not "mine" ${cure}`, "m"),
  );

  const given = read(".keys/registry.yml");
  const theirs = (from, to) => {
    assert.ok(given.includes(from), from);
    fs.writeFileSync(at("theirs.yml"), `log:\n  fields:\n    service: of the log\n${given.replaceAll(from, to)}`);
    return tool("doctor.mjs", ["--public-url", url, "--config", `registry=${at("theirs.yml")}`]);
  };
  works(keys("--public-url", url));
  fs.writeFileSync(at("other.pem"), `${another}`);
  for (const [from, to, pattern] of [
    [
      `${url}/events`,
      "http://127.0.0.1:8787/events",
      `events go to http://127\\.0\\.0\\.1:8787/events and not to ${url}/events`,
    ],
    [
      `${url}/token`,
      "http://127.0.0.1:8787/token",
      `realm is "http://127\\.0\\.0\\.1:8787/token" and not "${url}/token"`,
    ],
    ['service: "registry"', "service: hall", 'service is "hall" and not "registry"'],
    ["hublet", "hublet", 'issuer is "hublet" and not "mine"'],
    [at(".keys/ca.pem"), at("other.pem"), "rootcertbundle .*other\\.pem is no copy of \\.keys/ca\\.pem"],
    ["    rootcertbundle:", "    # rootcertbundle:", "rootcertbundle is missing"],
    [eventSecret(vars().TOKEN_KEY, "registry"), "0".repeat(64), "events come with another secret"],
    ["notifications:", "auth: {}\nnotifications:", "auth: stands more than once, and the registry takes the last"],
    ["includereferences: true", "timeout: 1s", "includereferences is not true: sizes and platforms are not told"],
  ])
    fails(theirs(from, to), new RegExp(`^✗ in .*theirs\\.yml ${pattern} ${cure}`, "m"));
});

test("what is lost is asked for, not made anew", () => {
  fails(keys("rotate"), /no keys yet/);
  works(keys());
  const all = read(".dev.vars");
  fs.rmSync(at(".keys/ca.key"));
  fails(keys("rotate"), /ca\.key is missing: bring your copy/);
  fs.rmSync(at(".keys/ca.pem"));
  works(keys()); // the worker has the certificate too
  chain();
  fs.writeFileSync(at(".dev.vars"), all.replace(/^REGISTRY_KEY=.*$/m, ""));
  fails(keys(), /REGISTRY_CERTIFICATE without REGISTRY_KEY/);
  fails(keys("rotated"), /usage/);
  fs.writeFileSync(at(".dev.vars"), all.replace('SERVICES="registry"', 'SERVICES="registry=rsa"'));
  fails(keys(), /SERVICES: "registry=rsa" is not/);
});

test("production has keys of its own, which go up together", () => {
  fs.writeFileSync(at("wrangler.toml"), read("wrangler.toml").replace(/^# (PUBLIC_URL|SERVICES) /gm, "$1 "));
  works(keys());
  works(keys("--remote"));
  const draft = chain(".keys/production.vars", ".keys/production");
  assert.notDeepEqual(draft.ca.raw, chain().ca.raw);
  assert.ok(
    calls().every(({ words }) => words[0] !== "bulk"),
    "the first deploy takes them along",
  );

  cloudflare({ secrets: ["TOKEN_KEY", "PASSWORD_PEPPER"] });
  works(keys("--remote"));
  cloudflare({ secrets: ["TOKEN_KEY", "PASSWORD_PEPPER", "REGISTRY_KEY", "REGISTRY_CERTIFICATE"], broken: true });
  fails(keys("rotate", "--remote"), /sends it again/);
  cloudflare({ secrets: ["TOKEN_KEY", "PASSWORD_PEPPER", "REGISTRY_KEY", "REGISTRY_CERTIFICATE"] });
  works(keys("--remote"));
  const sent = calls()
    .filter(({ words }) => words[0] === "bulk")
    .map(({ input }) => JSON.parse(input));
  assert.equal(sent.length, 3);
  for (const one of sent) assert.deepEqual(Object.keys(one).sort(), ["REGISTRY_CERTIFICATE", "REGISTRY_KEY"]);
  assert.deepEqual(sent[2], sent[1]);
  assert.notEqual(sent[1].REGISTRY_KEY, sent[0].REGISTRY_KEY);
  assert.match(sent[2].REGISTRY_CERTIFICATE, /-----\nMII/);

  fs.rmSync(at(".keys"), { recursive: true });
  fails(keys("--remote"), /at work but not in .keys\/production.vars: bring your copy/);
  assert.equal(calls().filter(({ words }) => words[0] === "bulk").length, 3);
});

test("the doctor finds what is wrong and says the cure", () => {
  const doctor = (...words) => tool("doctor.mjs", words);
  fails(
    doctor(),
    /TOKEN_KEY in .dev.vars is missing → npm start makes it[\s\S]*REGISTRY_KEY is missing .* → npm run keys$/m,
  );
  works(keys());
  assert.doesNotMatch(works(doctor()), remarks);

  assert.match(
    works(tool("doctor.mjs", [], { clock: 700 })),
    /^! the key that signs ends on .*, in \d\d days → npm run keys -- rotate$/m,
  );
  fails(tool("doctor.mjs", [], { clock: 800 }), /^✗ the key that signs ended on .* → npm run keys -- rotate$/m);

  const key = vars().REGISTRY_KEY;
  works(keys("rotate"));
  const good = read(".dev.vars");
  fs.writeFileSync(at(".dev.vars"), good.replace(/^REGISTRY_KEY=.*$/m, `REGISTRY_KEY="${key}"`));
  fails(doctor(), /^✗ REGISTRY_KEY does not fit REGISTRY_CERTIFICATE/m);
  fs.writeFileSync(at(".dev.vars"), good.replace(/^PASSWORD_PEPPER=.*$/m, 'PASSWORD_PEPPER="1:short"'));
  fails(doctor(), /^✗ PASSWORD_PEPPER .* is too short/m);
  fs.writeFileSync(at(".dev.vars"), good);
  fs.chmodSync(at(".keys/ca.key"), 0o644);
  fails(doctor(), /^✗ others may read .keys\/ca.key → chmod 600 .keys\/ca.key$/m);
  fs.chmodSync(at(".keys/ca.key"), 0o600);
  fails(doctor("--registry", "registry=http://127.0.0.1:9"), /^✗ registry at http:\/\/127.0.0.1:9 does not answer/m);
});

test("the doctor is shown a copy of the keys, and a file of passwords", () => {
  fs.writeFileSync(at("wrangler.toml"), read("wrangler.toml").replace(/^# (PUBLIC_URL|SERVICES) /gm, "$1 "));
  works(keys("--remote"));
  const remote = (...words) => tool("doctor.mjs", ["--remote", "--public-url", "http://127.0.0.1:9", ...words]).said;
  assert.match(remote(), /^! no copy of \.keys was ever seen: .* → copy \.keys /m);
  fs.cpSync(at(".keys"), at("copy"), { recursive: true });
  assert.match(remote("--copy", at("copy")), /^✓ a copy of the keys was seen on /m);
  assert.match(remote(), /^✓ a copy of the keys was seen on /m);
  fails(tool("doctor.mjs", ["--copy", at("copy")]), /--copy goes with --remote/);

  works(keys());
  fs.writeFileSync(at("htpasswd"), `emergency:$2y$05$${"a".repeat(53)}\n`);
  const local = () => tool("doctor.mjs", ["--htpasswd", at("htpasswd")]);
  assert.match(works(local()), /^✓ .*htpasswd: a registry takes it, for emergency$[\s\S]*^ {6}htpasswd:$/m);
  fs.appendFileSync(at("htpasswd"), "bob:secret\n");
  fails(local(), /^✗ .*htpasswd, line 2: the password of bob is not hashed by bcrypt → /m);
});

test("the doctor names the access tokens that end within 60 days", () => {
  works(keys());
  tables(".wrangler/state").close();
  works(tool("admin.mjs", ["add-machine", "robot"]));
  for (const days of ["59", "61"]) works(tool("admin.mjs", ["token", "robot", "--days", days]));
  const ending = works(tool("doctor.mjs")).match(/^! the access token .*$/gm);
  assert.equal(ending.length, 1);
  assert.match(ending[0], /^! the access token \S{36} of robot ends on \S+, in 59 days → /);
});

test("the doctor says that two settings exclude each other, there and here", () => {
  works(keys());
  const words = /^✗ REGISTRATION = "open" with ANONYMOUS_READ = "off": .* → change one of them$/m;
  assert.match(works(tool("doctor.mjs")), /^! anybody may register, and pull what is new: .* → .*with-registry/m);
  fs.writeFileSync(at(".dev.vars"), read(".dev.vars").replace('ANONYMOUS_READ="on"', 'ANONYMOUS_READ="off"'), {
    mode: 0o600,
  });
  fails(tool("doctor.mjs"), words);
  const remote = () => tool("doctor.mjs", ["--remote", "--public-url", "https://index.example.com"]).said;
  assert.match(remote(), /^✓ what is public is so for every user who is signed in$/m);
  fs.writeFileSync(
    at("wrangler.toml"),
    read("wrangler.toml").replace('REGISTRATION = "closed"', 'REGISTRATION = "open"'),
  );
  assert.match(remote(), words);
});

test("the doctor says that the index is still at workers.dev, once it has an address of its own", {
  timeout: 120_000,
}, () => {
  const settings = read("wrangler.toml");
  const doctor = (from, to, url = "https://index.example.com") => {
    fs.writeFileSync(at("wrangler.toml"), settings.replace(from, to));
    return tool("doctor.mjs", ["--remote", "--public-url", url]).said;
  };
  const other = /^! workers_dev is on: .* → workers_dev = false in wrangler\.toml/m;
  const [on, route] = [/^workers_dev = true.*$/m, /^# (routes = .*)$/m];
  assert.match(settings, on);
  assert.match(settings, route);
  const given = "https://hublet.example.workers.dev";
  assert.match(doctor("", ""), other);
  assert.doesNotMatch(doctor("", "", given), other);
  assert.match(doctor(route, "$1", given), other);
  assert.match(doctor(on, "workers_dev = false"), /^✓ the index has no address at workers\.dev$/m);
  assert.match(doctor(on, ""), other); // as Cloudflare has it by itself
  assert.match(doctor(on, 'routes = ["index.example.com/*"]'), /^✓ the index has no address at workers\.dev$/m);
});
