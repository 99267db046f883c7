// What a deploy asks at a terminal, since only its operator knows it: each answer is written into wrangler.toml.

import { accounts, apiToken, workersDevAddress } from "./cloudflare-api.mjs";
import { addresses, change, configuration, variable } from "./configuration.mjs";
import { crate } from "./operator.mjs";
import { oneOf } from "./questions.mjs";
import { service } from "./services.mjs";
import { Failure } from "./steps.mjs";
import { wrangler } from "./wrangler.mjs";

/** Where D1 may be bound to make and keep a database, and near where it may be asked to make one. */
const jurisdictions = ["eu", "us", "fedramp"];
const locations = ["weur", "eeur", "wnam", "enam", "apac", "oc"];

/** Asks which account it is, where there are several. */
export async function askAccount(ask) {
  const all = await accounts(await apiToken());
  for (const [at, { name, id }] of all.entries()) console.log(`  ${at + 1}  ${name} (${id})`);
  const read = (text) => {
    if (!all[text - 1]) throw new Failure(`a number from 1 to ${all.length}`);
    return all[text - 1];
  };
  const { id } = await ask("Which account", read);
  await write("account_id", (settings) => {
    settings.account_id = id;
  });
}

/**
 * Asks what wrangler.toml does not say yet, most of it on the first deploy alone. Returns the databases that are made
 * before the deploy, `[{ name, location }]`: wrangler.toml cannot say a location.
 */
export async function askSettings(ask, isFirst) {
  if (!variable("PUBLIC_URL")) await askAddress(ask);
  if (!isFirst) return [];
  const databases = await askDatabases(ask);
  if (!variable("SERVICES")) await askRegistry(ask);
  if (variable("REGISTRATION") !== "open") await askRegistration(ask);
  return databases;
}

async function askAddress(ask) {
  const given = await workersDevAddress().catch((error) => {
    if (!(error instanceof Failure)) throw error;
    console.log(`The address at workers.dev is not known yet (${error.message}).`);
    return "";
  });
  console.log("PUBLIC_URL: where clients and registries reach hublet. A domain of your own can be set later too.");
  const url = await ask(`Public address [${given || "none yet"}]`, (text) => publicUrl(text || given));
  if (!url) return;
  const { hostname, port } = new URL(url);
  const isOwn = !hostname.endsWith(".workers.dev") && !port && !addresses().routed;
  const question = `Is ${hostname} in a zone of this Cloudflare account, for the deploy to connect it? [yes]`;
  const connect = isOwn && (await ask(question, oneOf(["yes", "no"]))) === "yes";
  await write(connect ? "PUBLIC_URL, routes and workers_dev = false" : "PUBLIC_URL", (settings) => {
    settings.vars = { ...settings.vars, PUBLIC_URL: url };
    if (!connect) return;
    settings.routes = [{ pattern: hostname, custom_domain: true }];
    settings.workers_dev = false;
  });
}

/** An address as it is typed, with or without `https://`. */
function publicUrl(text) {
  if (!text) return "";
  const url = (/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`).replace(/\/+$/, "");
  if (!url.startsWith("https://") || !crate().isPublicUrl(url)) throw new Failure(`${url} is not https://host`);
  return url;
}

/** Asks where the databases are kept that this deploy makes. Returns `[{ name, location }]`: those that are made before it. */
async function askDatabases(ask) {
  const there = JSON.parse(await wrangler(["d1", "list", "--json"])).map(({ name }) => name);
  const all = configuration().d1_databases ?? [];
  const isNew = (one) => !one.database_id && !one.jurisdiction && !there.includes(one.database_name);
  const made = all.filter(isNew);
  const names = made.map((one) => one.database_name);
  if (!names.length) return [];
  console.log(`Databases stay where they are made: in a jurisdiction, which binds Cloudflare (${jurisdictions.join(", ")}),
near a location (${locations.join(", ")}), or near you.`);
  const question = `Jurisdiction or location of ${names.join(" and ")} [near you]`;
  const where = await ask(question, oneOf(["near you", ...jurisdictions, ...locations]));
  if (locations.includes(where)) return names.map((name) => ({ name, location: where }));
  if (!jurisdictions.includes(where)) return [];
  await write(`jurisdiction = "${where}"`, (settings) => {
    settings.d1_databases ??= []; // where a package binds what the file leaves out
    for (const { binding, database_name } of made) {
      const own = settings.d1_databases.find((one) => one.binding === binding);
      if (own) own.jurisdiction = where;
      else settings.d1_databases.push({ binding, database_name, jurisdiction: where });
    }
  });
  return [];
}

async function askRegistry(ask) {
  console.log("SERVICES: the registry that takes hublet's tokens; for a zot, add =zot to its host.");
  const host = await ask("Host of the registry, such as registry.example.com:5000 [none yet]", (text) => {
    if (text) service(`registry@${text}`);
    return text;
  });
  if (!host) return;
  const named = (text) => `${text || "registry"}@${host}`;
  const SERVICES = await ask("Its name, the service of its tokens [registry]", (text) => {
    service(named(text));
    return named(text);
  });
  await write("SERVICES", (settings) => {
    settings.vars = { ...settings.vars, SERVICES };
  });
}

async function askRegistration(ask) {
  const isPrivate = (variable("ANONYMOUS_READ") ?? "on") !== "on"; // which excludes open registration
  const more = isPrivate ? ", and then anonymous requests may read what is public" : "";
  console.log(`REGISTRATION: closed (you add users) or open (any client may register${more}).`);
  if ((await ask("Registration [closed]", oneOf(["closed", "open"]))) === "closed") return;
  await write(isPrivate ? "REGISTRATION and ANONYMOUS_READ" : "REGISTRATION", (settings) => {
    settings.vars = { ...settings.vars, REGISTRATION: "open", ...(isPrivate && { ANONYMOUS_READ: "on" }) };
  });
}

async function write(what, edit) {
  await change(edit);
  console.log(`wrangler.toml: ${what} written`);
}
