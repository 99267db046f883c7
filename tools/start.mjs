// Starts the index on this machine: brings what is missing, makes the databases, runs the worker, says when it answers.

import { chmodSync, mkdirSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import util from "node:util";
import { build } from "./build.mjs";
import { alone } from "./lib/alone.mjs";
import { migrateLocally } from "./lib/migrations.mjs";
import { forgotten, forRegistries, handOut, setting } from "./lib/services.mjs";
import { here } from "./lib/registry-keys.mjs";
import { forDevelopment } from "./lib/settings.mjs";
import { buildOperator } from "./lib/operator.mjs";
import { setUp } from "./lib/setup.mjs";
import { begun, isUsual, started, startedElsewhere, usual } from "./lib/started.mjs";
import { Failure, home, main, parse, pass, root, run, step, stepsAtOnce } from "./lib/steps.mjs";
import { silence } from "./lib/wrangler.mjs";

const help = `npm start -- [--port PORT] [--ip ADDRESS] [--persist-to DIR] [--var NAME:VALUE]...

  --port PORT         where it listens: 8787, or another that is free
  --ip ADDRESS        where it listens: 127.0.0.1, since it is for one person on one machine
  --persist-to DIR    where it keeps its databases: .wrangler/state
  --var NAME:VALUE    a setting, over wrangler.toml and .dev.vars; may be repeated`;

/** @satisfies {import("node:util").ParseArgsOptionsConfig} */
const options = {
  port: { type: "string" },
  ip: { type: "string", default: "127.0.0.1" },
  "persist-to": { type: "string", default: usual },
  var: { type: "string", multiple: true, default: [] },
  help: { type: "boolean", default: false, short: "h" },
};

/** What the command line says, or a Failure that names what nobody knows here and what there is. */
function flags() {
  try {
    const { values } = parse({ options });
    if (values.port !== undefined && !(/^\d{1,5}$/.test(values.port) && values.port < 65_536))
      throw new Failure(`--port ${values.port} is no port`);
    const odd = values.var.find((pair) => !/^\w+:/.test(pair));
    if (odd !== undefined) throw new Failure(`--var ${odd} is not NAME:VALUE`);
    const vars = Object.fromEntries(
      values.var.map((pair) => [pair.slice(0, pair.indexOf(":")), pair.slice(pair.indexOf(":") + 1)]),
    );
    return { ...values, vars };
  } catch (error) {
    throw error instanceof Failure ? new Failure(`${error.message}\n\n${help}`) : error;
  }
}

/** Makes the databases. From here on nobody else on this machine may read what is written: they, and mail that is shown. */
async function databases(state) {
  process.umask(0o077);
  for (const folder of [path.join(home, ".wrangler"), path.resolve(home, state, "v3")]) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o700); // which an earlier hublet left open
  }
  await migrateLocally(state);
}

/**
 * Refuses an address where nobody can listen, since wrangler waits there for ever.
 *
 * @returns {Promise<void>}
 */
function free(port, ip) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on("error", (/** @type {NodeJS.ErrnoException} */ { code }) =>
      reject(new Failure(`cannot listen at ${ip}, port ${port} (${code})`)),
    );
    server.listen(port, ip, () => server.close(() => resolve()));
  });
}

// Runs until somebody ends it. wrangler takes the next free port where none was asked for, so it says where it is.
async function serve({ ip, port, "persist-to": state, vars }) {
  if (port) await free(port, ip);
  let address;
  let log = "";
  let ended = false;
  const heard = (text) => {
    const lines = (log + text).split("\n");
    log = lines.pop() ?? "";
    for (const line of lines) hear(line, util.stripVTControlCharacters(line));
  };
  const hear = (line, plain) => {
    if (!twice.test(plain) && !table.test(plain)) pass(`${line}\n`);
    address ??= /Ready on (https?:\/\/\S+)/.exec(plain)?.[1];
  };
  const input = JSON.stringify({ ip, port: port && Number(port), state: path.resolve(home, state), vars });
  const serving = run(process.execPath, [path.join(root, "tools/lib/serve.mjs")], {
    env: { ...silence, ...closed, CI: "1" },
    input,
    heard,
  });
  serving.catch(() => {}).then(() => (ended = true));
  await step("waiting for the worker", async () => {
    while (!ended && !(address && (await answers(address)))) await setTimeout(100);
    if (ended) await serving;
  });
  const told = { address: reached(address), vars };
  const other = otherwise(state, vars);
  begun(state, told);
  const warnings = [...other, ...handed(told), ...(await unverified(told, state))];
  for (const words of warnings) console.log(`hublet: ${words}`);
  announce(address, state, (name) => setting({ ...here, started: told }, name));
  everyMinute(address);
  await serving;
}

/** wrangler's line for a request, of which the log of the worker has one. */
const twice = /^\[wrangler:info\] [A-Z]+ \/\S* \d{3} /;

/** wrangler's table of all bindings, which hides the values of .dev.vars, and would be most of what is printed. */
const table = /^(?:Your Worker has access to the following bindings:|Binding {2,}Resource|env\.\w+ )/;

/** wrangler's pages on the port of the worker, which run any SQL for whoever asks, and what they would show. */
const closed = { X_LOCAL_EXPLORER: "false", X_LOCAL_OBSERVABILITY: "false" };

// Cloudflare keeps the schedule of wrangler.toml; on this machine somebody has to. The timer keeps nothing alive.
function everyMinute(address) {
  const due = () => fetch(new URL("/cdn-cgi/local/scheduled", address)).catch(() => {}); // the worker's log says why
  setInterval(due, 60_000).unref();
}

const answers = (address) =>
  fetch(new URL("/v1/_ping", address)).then(
    (reply) => reply.ok,
    () => false,
  );

/** An address as whoever is on this machine calls it, also where it is every address of it. */
const reached = (address) => address.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, "//127.0.0.1");

/** Hands registries what they need, and gives what is to be said of that. */
function handed(told) {
  try {
    return handOut(told).map(
      (file) =>
        `${file} says something else now: its registry needs it, and to be started again, unless it has this one`,
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [`registries are given nothing: ${error.message}`];
  }
}

/** What the last start had otherwise, where this one may have forgotten it. A value may be a secret, and is not printed. */
function otherwise(state, vars) {
  const found = [];
  const last = startedElsewhere(state);
  if (last) found.push(`the index that was started last has its databases in ${last}, and this one in ${state}`);
  try {
    const names = forgotten(started(state).vars, vars);
    if (names.length)
      found.push(
        `the last start had --var ${names.join(", --var ")}, and this one goes by other values: what is to stay belongs into .dev.vars`,
      );
  } catch (error) {
    if (!(error instanceof Failure)) throw error; // a note that is damaged is written again
  }
  return found;
}

/** Passwords that no pepper of today verifies. */
async function unverified(told, state) {
  const { databaseOf } = await import("./lib/database.mjs"); // wants the Node that was brought
  const { lost } = await import("./lib/peppers.mjs");
  try {
    const found = await lost({ ...here, started: told }, await databaseOf({ "persist-to": state }));
    return found.map(({ mark, words, cure }) => `${mark} ${words} → ${cure}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [`whether all passwords can be verified is not known: ${error.message}`];
  }
}

function announce(address, state, setting) {
  const { host } = new URL(address);
  const where = isUsual(state) ? "" : ` --persist-to ${state}`;
  const account = '{"username": "alice", "email": "alice@example.com", "password": "wonderland"}';
  const isOpen = setting("REGISTRATION") === "open";
  const lines = [
    ...(setting("PAGES") === "off" ? [] : [`${address}/  (its pages, in a browser)`]),
    isOpen ? `curl -d '${account}' ${address}/v1/users/` : `npm run admin -- add alice${where}`,
    `npm run admin -- list${where}`,
    `docker search ${host}/NAME  (of what was pushed)`,
  ];
  console.log(`
hublet is ready on ${address} — try:
${lines.map((line) => `  ${line}\n`).join("")}`);
  if (isOpen)
    console.log(
      'hublet: any client that reaches it may register (REGISTRATION="open" in .dev.vars); for images of your own: docs/with-registry.md, Start closed\n',
    );
}

await main(async () => {
  const given = flags();
  if (given.help) return console.log(help);
  await setUp();
  await stepsAtOnce([[["the operator's commands", buildOperator]], [["worker", build]]]);
  const steps = [
    ["secrets", forDevelopment],
    ["keys", () => forRegistries(given.vars)],
    ["databases", () => databases(given["persist-to"])],
  ];
  await alone(async () => {
    for (const [title, work] of steps) await step(title, work);
  });
  await serve(given);
});
