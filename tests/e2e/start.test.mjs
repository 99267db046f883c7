// `npm start` opens nothing but the index to whoever is on the same machine, and leaves nothing behind.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { clone, root } from "./support/clone.mjs";
import { freePort } from "./support/daemons.mjs";
import { send } from "./support/http.mjs";
import { startIndex } from "./support/index.mjs";
import { refused } from "./support/outcome.mjs";
import { listening, withoutProc } from "./support/ports.mjs";
import { run } from "./support/programs.mjs";
import { scratch } from "./support/scratch.mjs";
import { pause, soon } from "./support/time.mjs";

const timeout = 60_000;

/** What is not the worker's: `POST` of nothing says what was asked for. */
const known = {
  "/cdn-cgi/local/scheduled": 200,
  "/cdn-cgi/handler/scheduled": 200,
  "/cdn-cgi/mf/scheduled": 200,
  "/cdn-cgi/local/email": 400,
  "/cdn-cgi/handler/email": 400,
  "/cdn-cgi/local/platform-proxy": 401,
  "/cdn-cgi/handler/platform-proxy": 401,
};

/** Every path below /cdn-cgi/ of which wrangler and miniflare know, under all its names, and what hangs below some. */
function paths() {
  const at = (...names) => path.join(root, "node_modules", ...names);
  const workers = at("miniflare/dist/src/workers");
  const sources = [
    at("wrangler/wrangler-dist/cli.js"),
    at("wrangler/wrangler-dist/ProxyWorker.js"),
    at("miniflare/dist/src/index.js"),
    ...readdirSync(workers, { recursive: true })
      .map((name) => path.join(workers, name))
      .filter((name) => name.endsWith(".js")),
  ];
  const found = sources.flatMap((file) => readFileSync(file, "utf8").match(/\/cdn-cgi\/[\w./-]*\w/g) ?? []);
  assert.ok(found.includes("/cdn-cgi/local/explorer"), "what wrangler calls its pages");
  const below = [
    "",
    "/",
    "/api",
    "/api/d1/database",
    "/api/d1/database/DB/raw",
    "/api/storage/kv/namespaces",
    "/api/workers",
    "/play",
    "/websocket",
  ];
  const named = [
    ...found,
    "/cdn-cgi/explorer",
    "/cdn-cgi/handler",
    "/cdn-cgi/local",
    "/cdn-cgi/ProxyWorker",
    "/cdn-cgi/InspectorProxyWorker",
  ];
  const everyName = named.flatMap((path) => [
    path,
    ...(path.startsWith("/cdn-cgi/local/") ? [path.replace("local", "handler"), path.replace("local/", "")] : []),
  ]);
  return [...new Set(everyName.flatMap((path) => (known[path] ? [path] : below.map((more) => path + more))))].sort();
}

/** Whether somebody takes a websocket there. Who says nothing does not. */
function upgrades(port, path) {
  const headers = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": "aHVibGV0IGh1YmxldCBodQ==",
    "Sec-WebSocket-Version": "13",
  };
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port, path, headers });
    request.on("response", (answer) => {
      answer.destroy();
      resolve(false);
    });
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      resolve(true);
    });
    request.on("error", () => resolve(false));
    request.setTimeout(2_000, () => request.destroy(new Error("no answer")));
  });
}

/** None of these ports is an inspector: neither wrangler's nor that of a runtime. */
async function noInspector(ports) {
  assert.ok(ports.length);
  for (const { port } of ports) {
    for (const path of ["/json", "/json/list", "/json/version"]) {
      const answer = await send(`http://127.0.0.1:${port}`, "GET", path);
      assert.ok(answer.status >= 400 && !/debugger|devtools/i.test(answer.text), `${port}${path}: ${answer.text}`);
    }
    for (const path of ["/", "/ws", "/hublet", "/core:entry", "/core:user:hublet", "/core:user:ProxyWorker"]) {
      assert.equal(await upgrades(port, path), false, `${port}${path}`);
    }
  }
}

describe("npm start", { skip: withoutProc() }, () => {
  let index, folder, ports;
  before(
    async () => {
      folder = clone();
      mkdirSync(path.join(folder, ".wrangler"), { mode: 0o755 }); // as an earlier hublet left it
      const settings = path.join(folder, "wrangler.toml");
      writeFileSync(
        settings,
        readFileSync(settings, "utf8").replace(/# (\[\[send_email\]\])\n# (name = "MAIL")/, "$1\n$2"),
      );
      const state = path.join(scratch(), "state");
      const vars = {
        MAIL_FROM: "index@example.com",
        PUBLIC_URL: "http://127.0.0.1:1",
        REGISTRY: "registry.example.com:5000",
      };
      index = await startIndex({ folder, state, vars });
      ports = listening(index.processes());
    },
    { timeout: 900_000 },
  );
  after(() => index?.stop(), { timeout });

  test("listens on 127.0.0.1 alone", () => {
    assert.ok(
      ports.some(({ port }) => index.host === `127.0.0.1:${port}`),
      JSON.stringify(ports),
    );
    assert.deepEqual(
      ports.filter(({ ip }) => ip !== "127.0.0.1"),
      [],
    );
  });

  test("opens no inspector, which shows all secrets", { timeout }, () => noInspector(ports));

  test("has none of wrangler's pages below /cdn-cgi/, some of which run SQL", { timeout: 300_000 }, async (t) => {
    const all = paths();
    for (const { port } of ports) {
      const address = `http://127.0.0.1:${port}`;
      const speaks = (await send(address, "GET", "/v1/_ping")).status === 200;
      for (const path of all) {
        const asked = await send(address, "POST", path, {
          headers: { "Content-Type": "application/json", ...(path.endsWith("platform-proxy") && { "MF-Op": "GET" }) },
          body: { sql: "select * from users" },
        });
        const said = `${asked.request} at ${port}: ${asked.status} ${asked.text}`;
        if (!speaks) assert.ok(asked.status >= 400, said);
        else if (asked.header("x-request-id")) assert.equal(asked.status, 404, said);
        else assert.equal(asked.status, known[path], said);
      }
    }
    t.diagnostic(`${all.length} paths at ${ports.length} ports`);
  });

  test("lets nobody else read its databases, its secrets, and the mail that it shows", { timeout }, async () => {
    const body = { username: "alice", password: "wonderland", email: "alice@example.com" };
    assert.equal((await send(index.address, "POST", "/v1/users/", { body })).status, 201);
    let mail;
    await soon("mail", () => (mail = /^Text: (\/\S+\.txt)$/m.exec(index.log())?.[1]), 10_000);
    assert.match(readFileSync(mail, "utf8"), /http:\/\/127\.0\.0\.1:1\/account\/confirm/);
    const inside = (folder) => readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name));
    const wrangler = path.join(folder, ".wrangler");
    const databases = inside(index.state).filter((file) => file.endsWith(".sqlite"));
    assert.ok(databases.length >= 2 && mail.startsWith(wrangler), `${databases} ${mail}`);
    const all = [
      index.state,
      ...inside(index.state),
      ...inside(path.join(folder, ".keys")),
      path.join(folder, ".dev.vars"),
      wrangler,
      mail,
    ];
    assert.deepEqual(
      all.filter((file) => statSync(file).mode & 0o077),
      [],
    );
  });

  test("tells of each request in one line", { timeout }, async () => {
    const before = index.log().length;
    for (const status of [200, 404])
      assert.equal((await send(index.address, "GET", status === 200 ? "/v1/_ping" : "/v1/nothing")).status, status);
    const lines = () => index.log().slice(before).split("\n").filter(Boolean);
    await soon("told", () => lines().some((line) => line.includes("404")));
    await pause(500);
    assert.deepEqual(
      lines()
        .map((line) => JSON.parse(line).status)
        .filter(Boolean),
      [200, 404],
    );
  });

  test("takes changed settings, and opens nothing more", { timeout }, async () => {
    const [vars, settings] = [path.join(folder, ".dev.vars"), path.join(folder, "wrangler.toml")];
    writeFileSync(vars, readFileSync(vars, "utf8").replace('REGISTRATION="open"', 'REGISTRATION="closed"'));
    utimesSync(settings, new Date(), new Date()); // which is watched
    let asked = 0;
    await soon(
      "taken",
      async () => {
        asked += 1;
        const body = { username: `user${asked}`, password: "wonderland", email: `user${asked}@example.com` };
        const { status } = await send(index.address, "POST", "/v1/users/", { body });
        if (status === 201) await pause(500);
        return status === 401;
      },
      30_000,
    );
    await noInspector(listening(index.processes()));
  });

  test("says when it cannot listen", { timeout }, async () => {
    const port = index.host.split(":")[1];
    const start = (...words) => run("npm", ["start", "--", "--persist-to", index.state, ...words], { cwd: folder });
    refused(await start("--port", port), /cannot listen at 127\.0\.0\.1, port \d+ \(EADDRINUSE\)/);
    refused(
      await start("--port", `${await freePort()}`, "--ip", "192.0.2.1"),
      /cannot listen at 192\.0\.2\.1, port \d+ \(EADDRNOTAVAIL\)/,
    );
  });

  test("reports that it is open, what the last start had otherwise, and passwords that it cannot verify", {
    timeout,
  }, async () => {
    assert.match(index.log(), /^hublet: any client that reaches it may register /m);
    assert.doesNotMatch(index.log(), /^env\.|✗/m);
    await index.stop("SIGINT");
    const vars = path.join(folder, ".dev.vars");
    writeFileSync(vars, readFileSync(vars, "utf8").replace(/^PASSWORD_PEPPER=.*$/m, 'PASSWORD_PEPPER=""'));
    index = await startIndex({ folder, state: index.state });
    assert.match(index.log(), /^hublet: the last start had --var MAIL_FROM, --var PUBLIC_URL, --var REGISTRY, and/m);
    const lost = /^hublet: ✗ \d+ passwords? (is|are) hashed under the pepper \w{8}, .* → add the value of your copy /m;
    assert.match(index.log(), lost);
    await soon("ready", () => index.log().includes("docker search"));
    assert.doesNotMatch(index.log(), /may register/, "which is closed in .dev.vars by now");
  });

  test("ends with all that it started, by either signal", { timeout }, async () => {
    await index.stop("SIGINT"); // which fails where something is left
    index = await startIndex({ folder, state: index.state });
    assert.ok(index.processes().length > 1);
    await index.stop("SIGTERM");
    index = undefined;
  });
});
