// Starts the index on this machine: brings what is missing, makes the databases, runs the worker, says when it answers.

import { setTimeout } from "node:timers/promises";
import util from "node:util";
import { build } from "./build.mjs";
import { migrateLocally } from "./lib/migrations.mjs";
import { forRegistries } from "./lib/services.mjs";
import { forDevelopment } from "./lib/settings.mjs";
import { setUp } from "./lib/setup.mjs";
import { main, pass, step } from "./lib/steps.mjs";
import { wrangler } from "./lib/wrangler.mjs";

const given = process.argv.slice(2);

/** The value of an option of wrangler's among the arguments, in either spelling. */
function option(name) {
  const at = given.findIndex((word) => word === name || word.startsWith(`${name}=`));
  if (at < 0) return undefined;
  return given[at].includes("=") ? given[at].slice(name.length + 1) : given[at + 1];
}

const defaults = { "--ip": "127.0.0.1", "--inspector-port": "0", "--show-interactive-dev-session": "false" };
const state = option("--persist-to") ?? ".wrangler/state";

const steps = [
  ["secrets", forDevelopment],
  ["keys", forRegistries],
  ["worker", build],
  ["databases", () => migrateLocally(state)],
];

// Runs until somebody ends it. wrangler may take another port than it was asked for, so it says where it is.
async function serve() {
  const options = Object.entries(defaults).filter(([name]) => option(name) === undefined);
  let address;
  let log = "";
  let ended = false;
  const heard = (text) => {
    pass(text);
    if (address) return;
    log += util.stripVTControlCharacters(text);
    address = /Ready on (https?:\/\/\S+)/.exec(log)?.[1];
  };
  const serving = wrangler(["dev", ...options.map((pair) => pair.join("=")), ...given], { heard });
  serving.catch(() => {}).then(() => (ended = true));
  await step("waiting for the worker", async () => {
    while (!ended && !(address && (await answers(address)))) await setTimeout(100);
    if (ended) await serving;
  });
  announce(address);
  everyMinute(address);
  await serving;
}

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

function announce(address) {
  const { host } = new URL(address);
  const where = option("--persist-to") ? ` --persist-to ${state}` : "";
  console.log(`
hublet is ready on ${address} — try:
  docker search ${host}/
  curl -d '{"username": "alice", "email": "alice@example.com", "password": "wonderland"}' ${address}/v1/users/
  npm run admin -- list${where}
`);
}

await main(async () => {
  await setUp();
  for (const [title, work] of steps) await step(title, work);
  await serve();
});
