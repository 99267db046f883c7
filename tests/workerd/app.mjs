// The built worker in workerd, and the server that runs the directives of the pages against it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { buildSync } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import {
  unstable_getMiniflareWorkerOptions as getMiniflareWorkerOptions,
  unstable_readConfig as readConfig,
  unstable_splitSqlQuery as splitSqlQuery,
} from "wrangler";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { eventSecret } from "../../tools/lib/services.mjs";
import { root } from "../../tools/lib/steps.mjs";
import { operate } from "./operator.mjs";

const configPath = path.join(root, "tests/workerd/wrangler.toml");
const pem = (name) => readFileSync(path.join(root, "test-support/registry", `${name}.pem`), "utf8");
const keys = { REGISTRY_KEY: pem("key"), REGISTRY_CERTIFICATE: pem("certificates") };

/** The modules of a worker, from its entry on. */
function modules(main) {
  const { outputFiles } = buildSync({
    entryPoints: [main],
    outdir: root,
    bundle: true,
    write: false,
    format: "esm",
    target: "esnext",
    external: ["cloudflare:workers"],
    loader: { ".wasm": "copy" },
    keepNames: true, // a binding is known by the name of its class
  });
  return outputFiles
    .map(({ path, contents }) => ({ type: path.endsWith(".wasm") ? "CompiledWasm" : "ESModule", path, contents }))
    .sort((one) => (one.type === "ESModule" ? -1 : 1)); // the entry is the first
}

/** The statements of the migrations of a folder that are not `applied`, in their order, and those that record them. */
function migrations(folder, applied) {
  const files = readdirSync(folder)
    .filter((file) => !applied.includes(file))
    .sort();
  return [...files.flatMap((file) => splitSqlQuery(readFileSync(path.join(folder, file), "utf8"))), ...recorded(files)];
}

/** The statements by which wrangler records that it applied these migrations. */
export const recorded = (files) => [
  `create table if not exists d1_migrations (id integer primary key autoincrement, name text unique,
     applied_at timestamp default current_timestamp not null)`,
  ...files.map((file) => `insert into d1_migrations (name) values ('${file}')`),
];

/** The worker that has what only tests ask for, without the harness around it. */
export const forTests = path.join(root, "build/testing/index.js");

/**
 * Starts the worker with empty databases, those that are `migrated` with their tables; `vars` go over those of
 * wrangler.toml, `config` is another one, and `main` another entry, which has no harness. What is asked goes to workerd itself: through wrangler's test harness, which
 * has a proxy in another workerd before it and reports each request to Node, it takes more than twice as long.
 */
export async function startWorker(vars = {}, { migrated = ["DB", "SEARCH"], config = configPath, main } = {}) {
  await setUpOperator();
  const read = readConfig({ config }, { hideWarnings: true });
  const { bindings, modulesRules: _, ...bound } = getMiniflareWorkerOptions(read).workerOptions;
  const log = [];
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...bound,
      name: read.name,
      modulesRoot: root,
      modules: modules(main ?? read.main),
      bindings: { ...bindings, ...keys, ...(main ? vars : {}) },
      host: "127.0.0.1",
      port: 0,
      cf: false,
      logRequests: false,
      handleStructuredLogs: (line) => log.push(line),
    }),
  );
  const url = await miniflare.ready;
  const env = await miniflare.getBindings();

  /** Applies the migrations that a database lacks: those of its configuration, or of another release. */
  async function applyMigrations(binding, folder = migrationsOf(binding)) {
    const has = await env[binding].prepare("select 1 from sqlite_master where name = 'd1_migrations'").first();
    const { results } = has ? await env[binding].prepare("select name from d1_migrations").all() : { results: [] };
    const applied = results.map(({ name }) => name);
    return direct("batch", binding, migrations(folder, applied));
  }

  function migrationsOf(binding) {
    const { migrations_dir: folder } = read.d1_databases.find((one) => one.binding === binding);
    return path.resolve(path.dirname(config), folder);
  }

  /** Asks; `trouble` is what goes wrong meanwhile. The answer has `stats`: what the databases were asked. */
  async function ask(request, { trouble, ...init } = {}) {
    const [method, target] = request.split(" ");
    // As a browser does; programs are not asked for it where they may come.
    const headers = {
      "sec-fetch-site": "same-origin",
      ...init.headers,
      ...(trouble ? { "x-test-trouble": JSON.stringify(trouble) } : {}),
    };
    const response = await fetch(new URL(target, url), { method, redirect: "manual", ...init, headers });
    const body = await response.text();
    const stats = JSON.parse(response.headers.get("x-test-stats"));
    return { status: response.status, headers: response.headers, body, stats, json: () => JSON.parse(body) };
  }

  /** Asks what must succeed. */
  async function succeed(request, init) {
    const answer = await ask(request, init);
    assert.ok(answer.status < 300, `${request}: ${answer.status} ${answer.body}`);
    return answer;
  }

  /** Does what is not a request of the index: sets the clock, reads mail, dumps and restores the databases. */
  async function direct(what, value = "", body) {
    const init = body && { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(new URL(`/__test/${what}?value=${encodeURIComponent(value)}`, url), init);
    const said = await response.text();
    if (!response.ok) throw new Error(said);
    return said;
  }

  /** Gives the worker these vars over those of wrangler.toml, and none that it was given before. */
  async function set(wanted) {
    vars = wanted;
    await direct("vars", "", vars);
  }

  if (!main) {
    for (const binding of migrated) await applyMigrations(binding);
    if (Object.keys(vars).length) await set(vars);
  }
  return {
    url,
    ask,
    succeed,
    direct,
    logs: () => log,
    applyMigrations,
    env: () => ({ ...env, ...vars }),
    scheduled: async () => (await miniflare.getWorker()).scheduled({ cron: "* * * * *" }),
    set,
    stop: () => miniflare.dispose(),
  };
}

/**
 * Asks with a body that is too long. The response comes before the body has been sent, and closes the connection: a client
 * that writes on may lose the response, and asks again.
 */
export async function unlessLost(ask) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!["EPIPE", "ECONNRESET", "UND_ERR_SOCKET"].includes(error.cause?.code) || attempt === 50) throw error;
    }
  }
}

const units = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Runs the directives of pages, at an address of its own (`INDEX_DIRECTIVES`), with a clock that is ahead by `shift` ms. */
export async function startDirectives(worker, shift = 0) {
  let vars = {};
  const set = async (wanted) => {
    vars = wanted;
    await worker.set(vars);
    await worker.direct("clock", shift);
  };
  const lines = {
    // The settings of a page end with it.
    Page: async () => {
      if (Object.keys(vars).length) await set({});
      return worker.direct("clear");
    },
    Operator: async (words) => operate(await worker.env(), words, Math.floor((Date.now() + shift) / 1000)),
    Time: (span) => {
      const [, number, unit] = /^\+(\d+)([smhd])$/.exec(span);
      shift += number * units[unit] * 1000;
      return worker.direct("clock", shift);
    },
    Mail: (address) => worker.direct("mail", address),
    Secret: async (service) => eventSecret((await worker.env()).TOKEN_KEY, service),
    Scheduled: async () => void (await worker.scheduled()),
    Setting: (setting) => {
      const [name, ...value] = setting.split("=");
      return set({ ...vars, [name]: value.join("=") });
    },
  };

  const server = http.createServer(async (request, response) => {
    try {
      const { line } = JSON.parse(await text(request));
      const [, word, rest] = /^(\w+): *(.*)$/.exec(line);
      response.end((await lines[word](rest)) ?? "");
    } catch (error) {
      response.writeHead(500).end(String(error.stack));
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  if (shift) await worker.direct("clock", shift);
  return { url: `http://127.0.0.1:${server.address().port}/`, shift: () => shift, stop: () => server.close() };
}

/** The header of a user who comes with a password. */
export const basic = (name, password) => `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

/** An image id that is as good as any: 64 hexadecimal digits. */
export const imageId = (number) => number.toString(16).padStart(64, "0");

/** Registers a user and gives the header by which they are known. */
export async function join(worker, username, password = "toto42") {
  const body = JSON.stringify({ username, password, email: `${username}@example.com` });
  await worker.succeed("POST /v1/users/", { body });
  return basic(username, password);
}

/** Pushes a repository and gives its write token. */
export async function makeRepository(worker, authorization, repository, ids) {
  const init = { headers: { authorization }, body: JSON.stringify(ids.map((id) => ({ id }))) };
  const made = await worker.succeed(`PUT /v1/repositories/${repository}/`, init);
  await worker.succeed(`PUT /v1/repositories/${repository}/images`, init);
  return made.headers.get("x-docker-token");
}

/** Waits until something that follows an answer has come. */
export async function soon(what, ask) {
  for (const end = Date.now() + 5000; Date.now() < end; ) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not ${what} in time`);
}
