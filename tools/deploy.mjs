// Puts the index on Cloudflare: settings and secrets that are missing, tables, the worker. The first time and every time
// after. At a terminal it asks what wrangler.toml does not say, and ends with the first administrator.

import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { secretNames } from "./lib/cloudflare.mjs";
import { variable } from "./lib/configuration.mjs";
import { firstAdministrator } from "./lib/first-administrator.mjs";
import { askAccount, askSettings } from "./lib/first-settings.mjs";
import { databases } from "./lib/migrations.mjs";
import { setUpOperator } from "./lib/operator.mjs";
import { attended, questions } from "./lib/questions.mjs";
import { deployed, make, short } from "./lib/registry-keys.mjs";
import { configurations, contradiction, publicUrl, services, trust, write } from "./lib/services.mjs";
import { fill, names, production, read } from "./lib/settings.mjs";
import { setUp } from "./lib/setup.mjs";
import { Failure, main, step } from "./lib/steps.mjs";
import { wrangler, wranglerAloud } from "./lib/wrangler.mjs";

const given = process.argv.slice(2);

/** Says what is done next; `command` is the command of wrangler that does it. */
const say = (words, command) => console.log(command ? `→ ${words}: wrangler ${command}` : `→ ${words}`);

const saySecrets = () => say("ask which secrets the deployed worker has", "secret list");
const sayMigration = (name) => say(`bring the tables of ${name} up to date`, `d1 migrations apply ${name} --remote`);
const QUESTIONS = "ask for what wrangler.toml does not say, and write the answers into it";
const KEYS = "make the keys of registry tokens and the configuration of each registry, in .keys/production";
const ADMINISTRATOR = "make the first administrator, if there is none";

/** Says what a deploy does, as far as that is known without Cloudflare. */
function rehearse() {
  saySecrets();
  say(`at a terminal: ${QUESTIONS}`);
  const missing = names.filter((name) => !read(production)[name]);
  if (missing.length) say(`make ${missing.join(" and ")} in .keys/production.vars, unless the worker has it`);
  say(`at a terminal, on the first deploy: ${KEYS}`);
  say("on the first deploy, where a location was answered: make the databases", "d1 create NAME --location LOCATION");
  for (const database of databases) sayMigration(database);
  say("deploy the worker, on the first deploy before the tables, since that makes the databases", "deploy");
  say(`at a terminal: ${ADMINISTRATOR}`);
}

async function deploy() {
  const there = await secretsThere();
  const isFirst = !there;
  if (attended()) say(QUESTIONS);
  const located = attended() ? await questions((ask) => askSettings(ask, isFirst)) : [];
  await step("worker", build);
  makeSecrets(there ?? []);
  const forRegistries = attended() && isFirst && variable("PUBLIC_URL") ? services(deployed) : [];
  if (forRegistries.length) await makeKeys();
  const upload = Object.fromEntries(Object.entries(read(production)).filter(([name]) => !there?.includes(name)));
  for (const { name, location } of located) await makeDatabase(name, location);
  // The first deploy makes the databases, so tables can only come after it. Later ones meet a worker that is
  // at work: its tables grow before the code that wants them comes.
  const order = isFirst ? [() => ship(upload), migrate] : [migrate, () => ship(upload)];
  for (const part of order) await part();
  if (!variable("PUBLIC_URL")) {
    console.log(
      "hublet: now set PUBLIC_URL in wrangler.toml to the address above and deploy once more; until then the worker answers 503",
    );
  }
  if (!attended()) return;
  say(ADMINISTRATOR);
  await questions(firstAdministrator);
  for (const { name, file } of forRegistries)
    console.log(`hublet: the registry ${name} needs what is in ${short(deployed.folder)}/${file}`);
  console.log("hublet: npm run doctor -- --remote says what is still missing, and how to keep a copy of .keys");
}

/** Names of the secrets that the deployed worker has; nothing where it was never deployed. */
async function secretsThere() {
  saySecrets();
  try {
    return await secretNames();
  } catch (error) {
    if (!attended() || !/More than one account/.test(error.output)) throw error;
    await questions(askAccount);
    return secretNames();
  }
}

/** Makes those of our secrets that the worker lacks and that exist nowhere yet, once. */
function makeSecrets(there) {
  const lacking = names.filter((name) => !there.includes(name));
  const due = lacking.filter((name) => !read(production)[name]);
  if (due.length) say(`make ${due.join(" and ")} in .keys/production.vars`);
  fill(production, lacking, "# The secrets of production: keep a copy apart from the database.\n");
  const ours = read(production);
  for (const name of there.filter((name) => names.includes(name) && !ours[name])) {
    console.log(`hublet: ${name} is at work but not in .keys/production.vars: bring your copy of it`);
  }
}

/** Makes what `npm run keys -- --remote` makes. */
async function makeKeys() {
  say(KEYS);
  await make(deployed);
  write([...trust(deployed), ...configurations(deployed, publicUrl(deployed))]);
}

/** Makes a database; the deploy, which would make it elsewhere, then finds it by its name. */
async function makeDatabase(name, location) {
  say(`make the database ${name} in ${location}`, `d1 create ${name} --location ${location}`);
  await wrangler(["d1", "create", name, "--location", location]);
}

async function ship(secrets) {
  const names = Object.keys(secrets);
  say(names.length ? `deploy the worker with ${names.join(", ")}` : "deploy the worker", "deploy");
  const file = path.join(path.dirname(production), "upload.json");
  try {
    const more = names.length ? ["--secrets-file", file] : [];
    if (more.length) writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
    await wranglerAloud(["deploy", ...more, ...given]);
  } finally {
    rmSync(file, { force: true });
  }
}

async function migrate() {
  for (const database of databases) {
    sayMigration(database);
    await wranglerAloud(["d1", "migrations", "apply", database, "--remote"]);
  }
}

await main(async () => {
  await setUp();
  await setUpOperator();
  if (given.some((word) => /^(-e.*|--env(=.*)?)$/.test(word)))
    throw new Failure("what is deployed is what stands outside of [env.*]: another index has a folder of its own");
  const refused = contradiction(deployed);
  if (refused) throw new Failure(`${refused}: change one of them in wrangler.toml`);
  if (!given.includes("--dry-run")) return deploy();
  rehearse();
  await step("worker", build);
  await wranglerAloud(["deploy", ...given]);
});
