// Looks for what is wrong or will soon be, and says what to do about it: one line each.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import util from "node:util";
import { health, hears, signs, tokenFor } from "./lib/at-work.mjs";
import { daysLeft, expired, issued, lastDay } from "./lib/certificates.mjs";
import { challenges } from "./lib/challenges.mjs";
import { cloudflare, secretNames } from "./lib/cloudflare.mjs";
import { addresses, boundNames, crons } from "./lib/configuration.mjs";
import { compare, seen } from "./lib/copy-of-keys.mjs";
import { fallback } from "./lib/htpasswd.mjs";
import { databases } from "./lib/migrations.mjs";
import { operate, setUpOperator } from "./lib/operator.mjs";
import { differences, objections } from "./lib/registries.mjs";
import { asked, here, inspect, short } from "./lib/registry-keys.mjs";
import { doubt, well, wrong } from "./lib/remarks.mjs";
import { configurations, contradiction, publicUrl, services, setting, settled, trust } from "./lib/services.mjs";
import { read } from "./lib/settings.mjs";
import { sayWhere, stateOf } from "./lib/started.mjs";
import { Failure, failure, main, parse } from "./lib/steps.mjs";

const help = `npm run doctor -- [--remote [--copy DIR]] [--registry SERVICE=URL]... [--config SERVICE=FILE]... [--htpasswd FILE]
                   [--public-url URL] [--persist-to DIR]

  --remote                  the deployed worker, not the one of \`npm start\`
  --registry SERVICE=URL    asks the registry of a service whether it trusts the index, and why not; may be repeated
  --config SERVICE=FILE     reads the configuration of that registry, which alone says where its events go; may be repeated
  --htpasswd FILE           reads the file of passwords to which registries go back if hublet is down, and prints how
  --copy DIR                compares a copy of .keys, which may be anywhere that this machine can read
  --public-url URL          where the index is reached, if not at PUBLIC_URL
  --persist-to DIR          where \`npm start -- --persist-to DIR\` keeps its databases`;

/** @satisfies {import("node:util").ParseArgsOptionsConfig} */
const options = {
  remote: { type: "boolean", default: false },
  registry: { type: "string", multiple: true, default: [] },
  config: { type: "string", multiple: true, default: [] },
  htpasswd: { type: "string" },
  copy: { type: "string" },
  "public-url": { type: "string" },
  "persist-to": { type: "string" },
  help: { type: "boolean", default: false, short: "h" },
};

/** From so many days before its end on, a certificate is worth a warning. */
const soon = 60;

/** So many access tokens that end soon are named. */
const MOST_ENDING = 20;

async function doctor(flags) {
  if (flags.copy && !flags.remote)
    throw new Failure("--copy goes with --remote: a copy of the keys of the deployed worker");
  const place = asked(flags);
  const checks = [
    secrets,
    readers,
    signing,
    permissions,
    bindings,
    address,
    registries,
    ...flags.config.map(configuration),
    ...flags.registry.map(registry),
    ...(flags.remote ? [open, otherAddress, secretsAtWork, copyOfKeys, unchallenged] : []),
    ...(flags.remote || flags.registry.length ? [state, key, ears] : []),
    ...(flags.htpasswd ? [wayBack] : []),
    ...databases.map(migrations),
    peppers,
    ending,
  ];
  const told = new Set(); // what ails several checks is said once
  for (const check of checks) {
    for (const { mark, words, cure } of await attempt(() => check(place, flags))) {
      if (mark === "✗") process.exitCode = 1;
      const line = cure ? `${mark} ${words} → ${cure}` : `${mark} ${words}`;
      if (!told.has(line)) console.log(line);
      told.add(line);
    }
  }
}

/** A check that cannot even be made is something wrong, and its Failure says what. */
async function attempt(check) {
  try {
    return [await check()].flat();
  } catch (error) {
    const said = failure(error);
    if (!said) throw error;
    const output = util
      .stripVTControlCharacters(said.output)
      .split("\n")
      .find((line) => /error/i.test(line));
    return [wrong(output ? `${said.message} (${output.trim()})` : said.message)];
  }
}

/** TOKEN_KEY and PASSWORD_PEPPER, by the rules of the worker. */
function secrets(place) {
  const made = place.flag ? "npm run deploy makes it, unless you have a copy" : "npm start makes it";
  const long = (value) => Buffer.byteLength(value) >= 32;
  const rules = {
    TOKEN_KEY: (part) => long(part),
    PASSWORD_PEPPER: (part) => /^[^:]{1,8}:/.test(part) && long(part.slice(part.indexOf(":") + 1)),
  };
  return Object.entries(rules).map(([name, fits]) => {
    const where = `${name} in ${short(place.secrets)}`;
    const parts = read(place.secrets)
      [name]?.trim()
      .split(",")
      .map((part) => part.trim());
    if (!parts?.[0]) return wrong(`${where} is missing`, made);
    if (!parts.every(fits)) return wrong(`${where} is too short or ill-formed`, "values as .dev.vars.example says");
    return well(`${where}: ${parts.length === 1 ? "one value" : `${parts.length} values, of which the first is used`}`);
  });
}

async function secretsAtWork() {
  const there = await secretNames();
  if (!there) return wrong("the worker was never deployed", "npm run deploy");
  const [deploy, keys] = ["npm run deploy", "npm run keys -- --remote"];
  const cures = { TOKEN_KEY: deploy, PASSWORD_PEPPER: deploy, REGISTRY_KEY: keys, REGISTRY_CERTIFICATE: keys };
  const missing = Object.keys(cures).filter((name) => !there.includes(name));
  if (!missing.length) return well("the deployed worker has all secrets");
  return missing.map((name) => wrong(`the deployed worker has no ${name}`, cures[name]));
}

/** Who reads what is public. */
function readers(place) {
  const refused = contradiction(place);
  if (refused) return wrong(refused, "change one of them");
  const open = (setting(place, "ANONYMOUS_READ") ?? "on") === "on";
  const published = open && setting(place, "VISIBILITY") === "public" && setting(place, "REGISTRATION") === "open";
  if (published && !place.flag)
    return doubt(
      "anybody may register, and pull what is new: this is to try it",
      "with images of your own: docs/with-registry.md, a registry that holds images already",
    );
  return well(open ? "what is public is so for anybody" : "what is public is so for every user who is signed in");
}

/** REGISTRY_KEY, REGISTRY_CERTIFICATE, and the CA beside them. */
function signing(place) {
  const { key, leaf, chained, earlier, ca, caKey } = inspect(place);
  const silent = `${short(place.secrets)}: /token answers 503`;
  if (!key) return wrong(`REGISTRY_KEY is missing in ${silent}`, keys(place));
  if (!leaf || !chained) return wrong(`REGISTRY_CERTIFICATE is missing in ${silent}`, keys(place));
  const copy = `bring your copy of both, or ${keys(place, "rotate")}`;
  if (!leaf.checkPrivateKey(key)) return wrong(`REGISTRY_KEY does not fit REGISTRY_CERTIFICATE in ${silent}`, copy);
  if (!issued(chained, leaf))
    return wrong("the certificate that signs is not of the CA behind it", keys(place, "rotate"));
  const before = earlier.length
    ? `; what the ${earlier.length === 1 ? "one" : earlier.length} before signed is good`
    : "";
  return [
    well(`REGISTRY_KEY fits REGISTRY_CERTIFICATE${before}`),
    dated(leaf, "the key that signs", keys(place, "rotate")),
    dated(chained, "the CA", `${keys(place, "compromised")}, and every registry gets the new file`),
    ours(place, chained, ca, caKey),
  ];
}

/** The command that changes keys. */
function keys({ flag }, verb = "") {
  const words = `${verb}${flag}`.trim();
  return `npm run keys${words && ` -- ${words}`}`;
}

/** Whether a new key could be made under the CA. */
function ours(place, chained, ca, caKey) {
  const at = (name) => `${short(place.folder)}/${name}`;
  if (!ca || !caKey)
    return doubt(`${at(ca ? "ca.key" : "ca.pem")}, for the next key, is missing`, "bring your copy of it");
  if (!ca.checkPrivateKey(caKey))
    return wrong(`${at("ca.key")} is not the key of ${at("ca.pem")}`, "bring your copy of both");
  if (!ca.raw.equals(chained.raw))
    return wrong(`${at("ca.pem")} is not the CA of REGISTRY_CERTIFICATE`, keys(place, "rotate"));
  return well(`${at("ca.key")} fits ${at("ca.pem")}`);
}

function dated(certificate, what, cure) {
  if (expired(certificate)) return wrong(`${what} ended on ${lastDay(certificate)}`, cure);
  if (daysLeft(certificate) < soon)
    return doubt(`${what} ends on ${lastDay(certificate)}, in ${daysLeft(certificate)} days`, cure);
  return well(`${what} is good until ${lastDay(certificate)}`);
}

const migrations = (name) => async (_, flags) => {
  const where = flags.remote ? ["--remote"] : ["--local", "--persist-to", stateOf(flags)];
  const said = await cloudflare(["d1", "migrations", "list", name, ...where]);
  if (/No migrations to apply/.test(said)) return well(`${name} has all its tables`);
  const pending = said.match(/\d+_\w+\.sql/g) ?? ["(it does not say which)"];
  return wrong(`${name} waits for ${pending.join(", ")}`, flags.remote ? "npm run deploy" : "npm start");
};

/** Whether every password can be verified. */
async function peppers(place, flags) {
  const { databaseOf, NoTables } = await import("./lib/database.mjs"); // wants the Node that was brought
  const { lost } = await import("./lib/peppers.mjs");
  try {
    const found = await lost(place, await databaseOf(flags));
    return found.length ? found : well("every password is hashed under a pepper that is here");
  } catch (error) {
    if (error instanceof NoTables) return []; // the check of the tables says so
    throw error;
  }
}

/** Access tokens that end soon: what uses them stands still then. */
async function ending(_, flags) {
  const { databaseOf, NoTables } = await import("./lib/database.mjs"); // wants the Node that was brought
  let rows;
  try {
    ({ rows } = await operate({ words: ["ending"] }, await databaseOf(flags)));
  } catch (error) {
    if (error instanceof NoTables || /no such column/.test(error.message)) return []; // the check of the tables says so
    throw error;
  }
  if (!rows.length) return well("no access token ends within 60 days");
  const told = rows
    .slice(0, MOST_ENDING)
    .map(({ name, uuid, expires, days }) =>
      doubt(
        `the access token ${uuid} of ${name} ends on ${expires.slice(0, 10)}, in ${days} ${days === 1 ? "day" : "days"}`,
        "whoever uses it renews it: POST …/access-tokens/UUID/renew",
      ),
    );
  if (rows.length > told.length)
    told.push(doubt(`${rows.length - told.length} more end within 60 days`, "npm run admin -- ending"));
  return told;
}

/** What a deployed index leaves open. Some want that. */
function open(place) {
  const settings = [
    ["REGISTRATION", "open", "closed", "anybody may make an account"],
    ["VISIBILITY", "public", "private", "anybody may pull what is new"],
  ];
  return settings.map(([name, loose, tight, risk]) => {
    if (setting(place, name) !== loose) return well(`${name} is ${tight}`);
    return doubt(`${name} is ${loose}: ${risk}`, `"${tight}" in wrangler.toml, unless you want that`);
  });
}

/** Whether the index is still reached at the address that Cloudflare gave it, beside its own. */
function otherAddress(place, flags) {
  const { routed, workersDev } = addresses();
  if (!workersDev) return well("the index has no address at workers.dev");
  if (new URL(publicUrl(place, flags["public-url"])).hostname.endsWith(".workers.dev") && !routed) return [];
  const cure = "workers_dev = false in wrangler.toml, unless a proxy of yours passes requests there";
  return doubt(
    "workers_dev is on: the index is reached at its address at workers.dev too, past all that guards its own",
    cure,
  );
}

/** Whether the keys are anywhere else than here. */
const copyOfKeys = (place, { copy }) => (copy ? compare(place, typed(copy)) : seen(place));

/** Whether programs get to the index, past what Cloudflare asks of browsers. */
const unchallenged = (place, flags) => challenges(publicUrl(place, flags["public-url"]), services(place)[0]?.name);

/** What the index reports of itself. */
const state = (place, flags) => health(place, publicUrl(place, flags["public-url"]));

/** Whether registries could go back to a file of passwords. */
const wayBack = (place, { htpasswd }) => fallback(typed(htpasswd), services(place));

/** A path as it was typed: npm runs us from the clone. */
const typed = (file) => path.resolve(process.env.INIT_CWD ?? ".", file);

/** Whether the index answers where it says, with the key that we have. */
const key = (place, flags) => signs(place, publicUrl(place, flags["public-url"]));

/** Whether it hears the registries by the secrets that we have. */
async function ears(place, flags) {
  const all = flags.remote
    ? services(place)
    : services(place).filter(({ name }) => flags.registry.some((pair) => pair.startsWith(`${name}=`)));
  return (await Promise.all(all.map((service) => hears(place, service, publicUrl(place, flags["public-url"]))))).flat();
}

function bindings(place) {
  const bound = boundNames();
  /** @type {[string, typeof wrong, string][]} */
  const losses = [
    ["DB", wrong, "nothing works"],
    ["SEARCH", wrong, "search answers 503"],
    ["CACHE", doubt, "every anonymous search asks the database"],
    ["LOGIN_LIMIT", doubt, "one address may try passwords of many users at full speed"],
    ["ANONYMOUS_LIMIT", doubt, "one address may ask without credentials as often as it likes"],
    ["WRITE_LIMIT", doubt, "one user may fill the audit as quickly as they like"],
  ];
  const found = losses
    .filter(([name]) => !bound.includes(name))
    .map(([name, judge, loss]) =>
      judge(`wrangler.toml binds no ${name}: ${loss}`, "take it from the wrangler.toml that came with hublet"),
    );
  if (!crons().length) {
    found.push(
      doubt("wrangler.toml has no crons: nothing clears what has expired", 'crons = ["* * * * *"] under [triggers]'),
    );
  }
  if (bound.includes("MAIL") && !(setting(place, "MAIL_FROM") && setting(place, "PUBLIC_URL"))) {
    found.push(
      wrong("MAIL is bound, but nobody can confirm an account", "set MAIL_FROM and PUBLIC_URL in wrangler.toml"),
    );
  }
  return found.length
    ? found
    : well(`all bindings are there${bound.includes("MAIL") ? "" : "; without MAIL an account is active at once"}`);
}

const address = (place, flags) => well(`the index is reached at ${publicUrl(place, flags["public-url"])}`);

/** SERVICES, and whether what was written for each is still what it needs. */
function registries(place, flags) {
  const all = services(place);
  if (!all.length) return doubt("SERVICES names no registry: nobody gets a token", `name one, then ${keys(place)}`);
  const issuer = setting(place, "ISSUER") ?? "hublet";
  const signedFor = all.map(({ name, host, trust }) => `${name} (${host ? `${host}, ` : ""}${trust})`).join(", ");
  const found = [well(`ISSUER ${JSON.stringify(issuer)} signs for ${signedFor}`)];
  if (!inspect(place).leaf) return found;
  const wanted = [...trust(place), ...configurations(place, publicUrl(place, flags["public-url"]))];
  for (const { file, text } of wanted) {
    if (!existsSync(file)) found.push(wrong(`${short(file)} is missing`, keys(place)));
    else if (settled(readFileSync(file, "utf8")) !== settled(text)) {
      const elsewhere = flags["public-url"] ? `--public-url ${flags["public-url"]}` : "";
      found.push(
        doubt(
          `${short(file)} is not what the settings say today`,
          `${keys(place, elsewhere)}, and then the registry needs it`,
        ),
      );
    }
  }
  return found;
}

/** A registry beside the index that was asked about. */
const registry = (pair) => async (place, flags) => {
  const [, name, address] = /^([^=]+)=(https?:\/\/\S+)$/.exec(pair) ?? [];
  const service = services(place).find((service) => service.name === name);
  if (!service) return wrong(`--registry ${pair} is not SERVICE=URL with a service of SERVICES`);
  if (!inspect(place).leaf) return [];
  const url = publicUrl(place, flags["public-url"]);
  const { token, against } = await tokenFor(place, service, url);
  const found = (await objections(place, service, address, { url, token })).map(({ words, cure }) =>
    wrong(`${name} at ${address} ${words}`, cure),
  );
  if (!found.length && token) found.push(well(`${name} at ${address} sends people here and takes our tokens`));
  return [against, ...found].flat().filter(Boolean);
};

/** The configuration of a registry, where it is on this machine: it alone says where events go. */
const configuration = (pair) => (place, flags) => {
  const [, name, file] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
  const service = services(place).find((service) => service.name === name);
  if (!service) return wrong(`--config ${pair} is not SERVICE=FILE with a service of SERVICES`);
  if (!inspect(place).leaf) return [];
  const url = publicUrl(place, flags["public-url"]);
  const found = differences(place, service, typed(file), url);
  return found.length
    ? found.map(({ words, cure }) => wrong(words, cure))
    : well(`${file} says what ${name} needs, and that its events go to ${url}/events`);
};

/** Nobody but the owner reads a secret. */
function permissions(place) {
  const keys = here.folder;
  const inside = existsSync(keys) ? readdirSync(keys, { recursive: true }).map((name) => path.join(keys, name)) : [];
  const all = [keys, ...inside, place.secrets].filter((file) => existsSync(file));
  const loose = [...new Set(all)].filter((file) => statSync(file).mode & 0o077);
  if (process.platform === "win32" || !loose.length) return well("nobody else reads the secrets");
  const mode = (file) => (statSync(file).isDirectory() ? 700 : 600);
  return loose.map((file) => wrong(`others may read ${short(file)}`, `chmod ${mode(file)} ${short(file)}`));
}

await main(async () => {
  await setUpOperator();
  const flags = parse({ options }).values;
  if (flags.help) console.log(help);
  else {
    sayWhere(flags);
    await doctor(flags);
  }
});
