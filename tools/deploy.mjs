// Puts the index on Cloudflare: secrets that are missing, tables, the worker. The first time and every time after.

import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { variable } from "./lib/configuration.mjs";
import { databases } from "./lib/migrations.mjs";
import { contradiction, fill, names, production, read } from "./lib/settings.mjs";
import { setUpOperator } from "./lib/operator.mjs";
import { setUp } from "./lib/setup.mjs";
import { Failure, main, step } from "./lib/steps.mjs";
import { wrangler, wranglerAloud } from "./lib/wrangler.mjs";

const given = process.argv.slice(2);

async function deploy() {
  const there = await deployed();
  const upload = missing(there ?? []);
  // The first deploy makes the databases, so tables can only come after it. Later ones meet a worker that is
  // at work: its tables grow before the code that wants them comes.
  const order = there ? [migrate, () => ship(upload)] : [() => ship(upload), migrate];
  for (const part of order) await part();
  if (!variable("PUBLIC_URL")) {
    console.log(
      "hublet: now set PUBLIC_URL in wrangler.toml to the address above and deploy once more; until then the worker answers 503",
    );
  }
}

/** Names of the secrets that the deployed worker has; nothing where it was never deployed. */
async function deployed() {
  try {
    return JSON.parse(await wrangler(["secret", "list"])).map(({ name }) => name);
  } catch (error) {
    if (/Worker "[^"]*" not found|code: 10007/.test(error.output)) return null;
    if (/CLOUDFLARE_API_TOKEN|logged in/.test(error.output))
      throw new Failure("log in to Cloudflare first: npx wrangler login");
    throw error;
  }
}

/** What the worker still lacks of our secrets; those that exist nowhere yet are made, once. */
function missing(there) {
  fill(
    production,
    names.filter((name) => !there.includes(name)),
    "# The secrets of production: keep a copy apart from the database.\n",
  );
  const ours = read(production);
  for (const name of there.filter((name) => names.includes(name) && !ours[name])) {
    console.log(`hublet: ${name} is at work but not in .keys/production.vars: bring your copy of it`);
  }
  return Object.fromEntries(Object.entries(ours).filter(([name]) => !there.includes(name)));
}

async function ship(secrets) {
  const file = path.join(path.dirname(production), "upload.json");
  try {
    const more = Object.keys(secrets).length ? ["--secrets-file", file] : [];
    if (more.length) writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
    await wranglerAloud(["deploy", ...more, ...given]);
  } finally {
    rmSync(file, { force: true });
  }
}

async function migrate() {
  for (const database of databases) await wranglerAloud(["d1", "migrations", "apply", database, "--remote"]);
}

await main(async () => {
  await setUp();
  await setUpOperator();
  const refused = contradiction(variable);
  if (refused) throw new Failure(`${refused}: change one of them in wrangler.toml`);
  await step("worker", build);
  if (given.includes("--dry-run")) await wranglerAloud(["deploy", ...given]);
  else await deploy();
});
