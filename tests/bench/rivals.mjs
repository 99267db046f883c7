// What a registry token costs beside what people use without hublet: the file of passwords that the registry verifies
// itself, and a token server that verifies bcrypt, in one run. The token server is a stand-in of our own, the least that
// one does; one of those that people run, docker_auth, is measured where DOCKER_AUTH is the path of its program.

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import bcrypt from "bcrypt";
import { find, root, step } from "../../tools/lib/steps.mjs";
import { freePort, start } from "../e2e/support/daemons.mjs";
import { basic, databases, people } from "./fixture.mjs";
import { load, together, used } from "./load.mjs";
import { scratch, serve } from "./servers.mjs";

const always = { always: true };
const CONNECTIONS = [1, 16];
const COST = 5; // of htpasswd -B, and in the example of docker_auth
const PASSWORD = "correct horse";
const pem = (name) => path.join(root, "test-support/registry", `${name}.pem`);

/** Starts a program that answers at a port; gives what a load goes to. */
async function daemon(program, words, port, env = {}) {
  const url = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(url).then(
      (answer) => answer.text().then(() => true),
      () => undefined,
    );
  const { processes, stop } = await start(program, words, { env, ready: answers });
  const [{ id }] = processes();
  return { url, pid: id, stop };
}

/** Debian's registry with a file of passwords: every request verifies one. */
async function withHtpasswd(folder) {
  if (!find("docker-registry")) return undefined;
  mkdirSync(folder, { recursive: true });
  const [port, file] = [await freePort(), path.join(folder, "htpasswd")];
  writeFileSync(file, `paul:${await bcrypt.hash(PASSWORD, COST)}\n`, { mode: 0o600 });
  const config = path.join(folder, "config.yml");
  writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: "error", accesslog: { disabled: true } },
      storage: { inmemory: {} },
      http: { addr: `127.0.0.1:${port}` },
      auth: { htpasswd: { realm: "registry", path: file } },
    }),
  );
  return daemon("docker-registry", ["serve", config], port);
}

/** The stand-in for a token server. */
async function standIn() {
  const port = await freePort();
  const words = [path.join(root, "tests/bench/token-server.mjs")];
  const env = {
    PORT: port,
    HASH: await bcrypt.hash(PASSWORD, COST),
    KEY: pem("key"),
    CERTIFICATES: pem("certificates"),
  };
  return daemon(process.execPath, words, port, env);
}

/** docker_auth, where there is one. */
async function dockerAuth(folder) {
  const program = process.env.DOCKER_AUTH;
  if (!program) return undefined;
  mkdirSync(folder, { recursive: true });
  const [port, config] = [await freePort(), path.join(folder, "auth.yml")];
  writeFileSync(
    config,
    JSON.stringify({
      server: { addr: `127.0.0.1:${port}` },
      token: { issuer: "hublet", expiration: 300, certificate: pem("certificates"), key: pem("key") },
      users: { paul: { password: await bcrypt.hash(PASSWORD, COST) } },
      acl: [{ match: { account: "paul" }, actions: ["*"] }],
    }),
  );
  return daemon(program, [config], port);
}

/** What a password costs that an isolate has not seen, one after the other: processor time and milliseconds. */
async function unseen(server) {
  const names = Array.from({ length: 10 }, (_, at) => `unseen${at}`);
  for (const username of names) {
    const body = JSON.stringify({ username, password: PASSWORD, email: `${username}@example.com` });
    await (await fetch(`${server.url}/v1/users/`, { method: "POST", body })).text();
  }
  const fresh = await server.again();
  Object.assign(server, fresh);
  const [before, began] = [used(server.pid), performance.now()];
  for (const name of names) {
    const headers = { authorization: basic(name, PASSWORD) };
    const answer = await fetch(`${server.url}/token?service=registry&scope=repository:paul/app:pull`, { headers });
    if ((await answer.text()) && answer.status !== 200) throw new Error(`${answer.status} for a new password`);
  }
  return {
    cpu: (used(server.pid) - before) / names.length,
    p50: (performance.now() - began) / names.length,
  };
}

export async function measure({ quick, print }) {
  const folder = scratch();
  await databases(folder);
  const index = await serve("hublet", folder);
  const { mint } = await people(index);
  const first = await step("new passwords", () => unseen(index), always);
  const target = "/token?service=registry&scope=repository:paul/app:pull,push";
  const password = { target, authorization: basic("paul", PASSWORD) };
  const [registry, server, other] = [
    await withHtpasswd(path.join(folder, "registry")),
    await standIn(),
    await dockerAuth(path.join(folder, "docker_auth")),
  ];
  const subjects = [
    { name: "hublet, access token", server: index, request: mint },
    { name: "hublet, a password that was seen in five minutes", server: index, request: password },
    { name: "stand-in for a token server, password (bcrypt)", server, request: password },
    other && { name: "docker_auth, password (bcrypt)", server: other, request: password },
    registry && {
      name: "the registry's own htpasswd (bcrypt), at each request",
      server: registry,
      request: { ...password, target: "/v2/" },
    },
  ].filter(Boolean);
  if (!registry) console.error("skipped: docker-registry is not installed");
  if (!other) console.error("skipped: docker_auth (DOCKER_AUTH is the path of its program)");
  for (const { name, server, request } of subjects) {
    const answer = await fetch(server.url + request.target, { headers: { authorization: request.authorization } });
    if ((await answer.text()) && answer.status !== 200) throw new Error(`${name}: ${answer.status}`);
  }
  const runs = {};
  await step(
    "load",
    async () => {
      for (const { server, request } of subjects) await load(server, request, 4, 1); // warm
      for (let turn = 0; turn < (quick ? 1 : 3); turn += 1) {
        for (const connections of CONNECTIONS) {
          for (const { name, server, request } of subjects) {
            const run = `${name} ${connections}`;
            runs[run] = [...(runs[run] ?? []), await load(server, request, connections, quick ? 1 : 2)];
          }
        }
      }
    },
    always,
  );
  const results = Object.fromEntries(
    subjects.map(({ name }) => [
      name,
      Object.fromEntries(CONNECTIONS.map((connections) => [connections, together(runs[`${name} ${connections}`])])),
    ]),
  );
  results["hublet, a password that was not seen"] = { 1: first };
  print(
    ["who issues", "CPU ms", "p50 ms at 1", "p95 ms at 16", "a second at 16"],
    Object.entries(results).map(([name, { 1: one, 16: many }]) => [
      name,
      (many ?? one).cpu.toFixed(2),
      one.p50.toFixed(1),
      many?.p95.toFixed(1),
      many?.rate.toFixed(0),
    ]),
  );
  for (const { server } of subjects.slice(1)) await server.stop();
  return { cost: COST, results };
}
