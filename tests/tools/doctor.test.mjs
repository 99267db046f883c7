// What `npm run doctor` asks of an index, of its addresses, and of files that an operator keeps.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { health, tokenFor } from "../../tools/lib/at-work.mjs";
import { challenges, clients } from "../../tools/lib/challenges.mjs";
import { fallback } from "../../tools/lib/htpasswd.mjs";
import { root } from "../../tools/lib/steps.mjs";
import { copy } from "./clone.mjs";
import { works } from "./outcome.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-doctor-"));
const at = (...names) => path.join(scratch, ...names);
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** Serves with this handler while `work(url)` goes on. */
async function serving(handler, work) {
  const server = http.createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await work(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const line = ({ mark, words, cure }) => (cure ? `${mark} ${words} → ${cure}` : `${mark} ${words}`);
const lines = (remarks) => [remarks].flat().map(line);

test("clients ask /v2/ and /token with their own headers", async () => {
  const asked = [];
  const handler = ({ url, rawHeaders }, answer) => {
    asked.push([url, rawHeaders.filter((_, at) => at % 2 === 0 || rawHeaders[at - 1] === "User-Agent").join(" ")]);
    answer.writeHead(401, { "content-type": "text/html" }).end();
  };
  const found = await serving(handler, (url) => challenges(url, "my registry"));
  assert.deepEqual(lines(found), ["✓ docker, containerd, Go's client get past Cloudflare at /v2/ and /token"]);
  const wanted = Object.values(clients).flatMap((headers) => {
    const sent = `User-Agent ${headers["User-Agent"]} Accept-Encoding Host Connection`;
    return [
      ["/v2/", sent],
      ["/token?service=my%20registry", sent],
    ];
  });
  assert.deepEqual(asked.sort(), wanted.sort());
});

test("a challenge of Cloudflare is found for each client and path", async () => {
  const page = { "content-type": "text/html; charset=UTF-8" };
  const handler = ({ url, headers }, answer) => {
    const challenged = url === "/v2/" && headers["user-agent"].startsWith("docker/");
    if (challenged) return answer.writeHead(403, { ...page, "cf-mitigated": "challenge" }).end();
    if (url === "/token" && headers["user-agent"].startsWith("containerd/")) return answer.writeHead(503, page).end();
    answer.writeHead(503, { "content-type": "application/json" }).end("{}");
  };
  const found = await serving(handler, (url) => challenges(url));
  assert.deepEqual(
    found.map(({ mark, words }) => `${mark} ${words}`),
    ["✗ docker is challenged by Cloudflare at /v2/", "✗ containerd gets a page for browsers (503) at /token"],
  );
  const cut = ({ headers }, answer) =>
    headers["user-agent"].startsWith("Go") ? answer.destroy() : answer.writeHead(401).end();
  assert.deepEqual(
    (await serving(cut, (url) => challenges(url))).map(({ words }) => words),
    ["Go's client gets no answer (ECONNRESET) at /v2/", "Go's client gets no answer (ECONNRESET) at /token"],
  );
  assert.deepEqual(await challenges("http://127.0.0.1:9"), [], "the check of the address says so");
});

const local = { flag: "", started: { vars: {} } };
const remote = { ...local, flag: " --remote" };

test("every code of /health is explained", async () => {
  const answers = async (status, body, headers = {}) => {
    const handler = ({ url }, answer) => answer.writeHead(url === "/health" ? status : 404, headers).end(body);
    return lines(await serving(handler, (url) => health(remote, url)));
  };
  const says = (problems) => JSON.stringify({ status: "…", problems });
  assert.deepEqual(await answers(200, says([])), ["✓ the deployed worker is well"]);
  const [problem] = /^impl Problem \{[\s\S]*?^\}/m.exec(
    fs.readFileSync(path.join(root, "src/domain/health.rs"), "utf8"),
  );
  const codes = [...problem.matchAll(/Self::\w+ => "([a-z]+)"/g)].map(([, code]) => code);
  assert.ok(codes.includes("database"));
  const found = await answers(503, says(codes));
  assert.equal(found.length, codes.length);
  for (const line of found) assert.match(line, /^✗ the deployed worker: .{20,} → ./);
  assert.equal(new Set(found).size, codes.length);
  assert.match((await answers(200, says(["certificate"])))[0], /^! the deployed worker: the certificate/);
  assert.match(
    (await answers(503, says(["moon"])))[0],
    /^✗ the deployed worker: moon → which this hublet does not know/,
  );
  assert.match((await answers(404, "{}"))[0], /^! the deployed worker has no \/health: .* → npm run deploy$/);
  for (const [status, body] of [
    [200, "{}"],
    [200, "<html>"],
    [500, says([])],
  ])
    assert.match((await answers(status, body))[0], /^✗ \/health answers \d+, and not as hublet does/);
  assert.match(lines(await health(remote, "http://127.0.0.1:9"))[0], /^✗ .*\/health does not answer/);
});

test("an answer that another server gives is a finding", async () => {
  const found = async (work, body) =>
    lines(
      await serving(
        (_, answer) => answer.end(body),
        async (url) => work(url),
      ),
    );
  const another = ["✗ /health answers 200, and not as hublet does → is PUBLIC_URL right?"];
  for (const body of [
    "null",
    "3",
    '{"problems":[null]}',
    '{"problems":[{}]}',
    `{"problems":[],"more":"${"x".repeat(2 ** 20)}"}`,
  ])
    assert.deepEqual(await found((url) => health(remote, url), body), another, body.slice(0, 40));
  for (const [code, shown] of [
    ["constructor", "constructor"],
    ["__proto__", "__proto__"],
    ["\u001b[2J\n✓", String.raw`"\u001b[2J\n✓"`],
  ]) {
    const [line] = await found((url) => health(remote, url), JSON.stringify({ problems: [code] }));
    assert.ok(line.startsWith(`! the deployed worker: ${shown} → which this hublet does not know`), line);
  }
  const token = async (url) => (await tokenFor(remote, { name: "r" }, url)).against;
  for (const [body, words] of [
    ["null", "gives no token for r (200)"],
    ['{"token":5}', "gives no token for r (200)"],
    ['{"token":"a.bnVsbA.c"}', 'signs as undefined, and ISSUER is "hublet" here'],
    [String.raw`{"errors":[{"message":"\u001b[2J"}]}`, String.raw`gives no token for r (200: "\u001b[2J")`],
  ]) {
    const [line] = await found(token, body);
    assert.ok(line.startsWith(`✗ the deployed worker ${words} → `), line);
  }
});

test("an answer without an end is not waited for", { timeout: 5_000 }, async () => {
  const open = new Set();
  const endless = (_, answer) => {
    open.add(answer.on("close", () => open.delete(answer)));
    const more = () => answer.destroyed || answer.write("x".repeat(64 * 1024), () => setImmediate(more));
    more();
  };
  await serving(endless, async (url) => {
    assert.match(lines(await challenges(url))[0], /^✓ docker, containerd, Go's client get past Cloudflare/);
    assert.match(lines(await health(remote, url))[0], /^✗ \/health answers 200, and not as hublet does/);
    while (open.size) await setTimeout(10);
  });
});

test("a clock that differs from the one here is found", async () => {
  const body = JSON.stringify({ problems: [] });
  const found = async (seconds) => {
    const date = new Date(Date.now() + seconds * 1000).toUTCString();
    return lines(
      await serving(
        (_, answer) => answer.writeHead(200, { date }).end(body),
        (url) => health(remote, url),
      ),
    );
  };
  const well = "✓ the deployed worker is well";
  assert.deepEqual(await found(0), [well]);
  assert.deepEqual(await found(-20), [well]);
  for (const [seconds, way] of [
    [-40, "behind"],
    [600, "ahead of"],
  ]) {
    const [clock, ...rest] = await found(seconds);
    assert.match(clock, new RegExp(`^✗ the clock of the deployed worker is \\d+ seconds ${way} the one here → `));
    assert.deepEqual(rest, [well]);
  }
});

/** "secret", hashed by bcrypt, and as htpasswd does it without -B. */
const bcrypt = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
const others = [
  "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/",
  "abNANd1rDfiNc",
  "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
  "secret",
];

test("a file of passwords is a way back if every line is one that distribution reads", () => {
  const file = at("htpasswd");
  const services = [{ trust: "x5c" }, { trust: "zot" }, { trust: "jwks" }];
  const found = (text) => {
    fs.writeFileSync(file, text);
    return lines(fallback(file, services));
  };
  const [users, distribution, zot, ...rest] = found(
    `# ours\n\n alice:${bcrypt}\r\nbob:${bcrypt.replace("2y", "2a")}\n`,
  );
  assert.equal(users, `✓ ${file}: a registry takes it, for alice, bob`);
  assert.match(distribution, new RegExp(`^ {4}auth:\\n {6}htpasswd:\\n {8}realm: registry\\n {8}path: "${file}"`, "m"));
  assert.match(zot, new RegExp(`^ {4}"auth": \\{ "htpasswd": \\{ "path": "${file}" \\} \\}$`, "m"));
  assert.deepEqual(rest, []);
  for (const hash of others) {
    const cure = "htpasswd -B FILE bob";
    assert.deepEqual(found(`alice:${bcrypt}\nbob:${hash}\n`), [
      `✗ ${file}, line 2: the password of bob is not hashed by bcrypt → ${cure}`,
    ]);
  }
  assert.match(found(`alice ${bcrypt}\n`)[0], /^✗ .*, line 1 is not NAME:HASH, and then no user gets in → /);
  assert.match(found(`alice:${bcrypt.replace("$05$", "$32$")}\n`)[0], /^✗ .*bcrypt has no cost 32/);
  assert.match(found(`alice:${bcrypt}\nalice:${bcrypt}\n`)[1], /^! .*alice stands there twice/);
  assert.match(found("# nothing\n")[0], /^✗ .* has no user/);
  assert.match(lines(fallback(at("missing"), services))[0], /^✗ .*missing cannot be read \(ENOENT\)/);
});

/** Debian's registry. */
const REGISTRY = "/usr/bin/docker-registry";

test("a registry with the lines that are printed takes the passwords of the file", {
  skip: !fs.existsSync(REGISTRY) && "docker-registry is not installed",
}, async (t) => {
  const file = at("passwords");
  fs.writeFileSync(file, `alice:${bcrypt}\n`);
  const [, { words }] = fallback(file, [{ trust: "x5c" }]);
  const printed = words.split("\n").slice(1).join("\n").replace(/^ {4}/gm, "");
  const port = await serving(
    () => {},
    (url) => new URL(url).port,
  );
  const storage = `storage:\n  filesystem:\n    rootdirectory: ${at("storage")}\n`;
  fs.writeFileSync(at("registry.yml"), `version: 0.1\n${storage}http:\n  addr: 127.0.0.1:${port}\n${printed}`);
  const registry = spawn(REGISTRY, ["serve", at("registry.yml")], { stdio: "ignore" });
  t.after(() => registry.kill());
  const asks = async (user) => {
    const headers = { authorization: `Basic ${Buffer.from(user).toString("base64")}` };
    for (let tries = 0; ; tries++) {
      try {
        return (await fetch(`http://127.0.0.1:${port}/v2/`, { headers })).status;
      } catch (error) {
        if (tries === 100 || registry.exitCode !== null) throw error;
        await setTimeout(100);
      }
    }
  };
  assert.deepEqual([await asks("alice:secret"), await asks("alice:wrong"), await asks("bob:secret")], [200, 401, 401]);
});

test("only a copy of the keys that was seen counts", () => {
  copy(scratch, "");
  const module = (name) => JSON.stringify(at("tools/lib", name));
  const said = (call) => {
    const program = `import { compare, seen } from ${module("copy-of-keys.mjs")};
      import { deployed } from ${module("registry-keys.mjs")};
      for (const { mark, words, cure } of [${call}].flat()) console.log([mark, words, cure].join(" "));`;
    const words = ["--input-type=module", "--eval", program];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: scratch, encoding: "utf8" });
    return works({ status, said: stdout + stderr });
  };
  const keys = (name, text) => fs.writeFileSync(at(".keys", name), text);
  const other = at("medium");
  const seen = () => said("seen(deployed)");
  const compare = () => said(`compare(deployed, ${JSON.stringify(other)})`);
  assert.equal(seen(), "", "there is nothing yet");
  assert.equal(compare(), "");
  fs.mkdirSync(at(".keys/production"), { recursive: true });
  keys("production.vars", "TOKEN_KEY=one");
  keys("production/ca.key", "key");
  assert.match(seen(), /^! no copy of \.keys was ever seen: .*npm run doctor -- --remote --copy DIR$/m);
  const fails =
    /^✗ in the copy .*medium is not what is in \.keys\/production\.vars, \.keys\/production\/ca\.key copy it again$/m;
  assert.match(compare(), fails);
  fs.symlinkSync(at(".keys"), other);
  assert.match(compare(), /^✗ .*medium is no copy: it is \.keys itself/);
  fs.rmSync(other);
  assert.match(seen(), /^! no copy/);
  const copyKeys = () => fs.cpSync(at(".keys"), other, { recursive: true });
  copyKeys();
  const well = /^✓ a copy of the keys was seen on \d{4}-\d\d-\d\d in .*medium/;
  assert.match(compare(), well);
  fs.rmSync(other, { recursive: true });
  assert.match(seen(), well, "the medium may be elsewhere now");
  keys("production.vars", "TOKEN_KEY=another");
  assert.match(seen(), /^! the keys are others than in the copy .*medium of \d{4}/);
  copyKeys();
  keys("production/ca.key", "another");
  assert.match(compare(), /^✗ in the copy .*medium is not what is in \.keys\/production\/ca\.key copy it again$/m);
  assert.doesNotMatch(fs.readFileSync(at(".keys/production/copy.json"), "utf8"), /TOKEN_KEY/);
});
