// The keys that sign registry tokens: made once, changed without touching a registry, replaced when somebody stole them.

import { lastDay } from "./lib/certificates.mjs";
import { secretNames, upload } from "./lib/cloudflare.mjs";
import { asked, inspect, make, replace, rotate, short } from "./lib/registry-keys.mjs";
import { authentication, configurations, publicUrl, services, trust, trusted, write } from "./lib/services.mjs";
import { fill, forDevelopment, fresh, names, production, read } from "./lib/settings.mjs";
import { setUpOperator } from "./lib/operator.mjs";
import { sayWhere } from "./lib/started.mjs";
import { Failure, main, parse, step } from "./lib/steps.mjs";
import { assign } from "./lib/vault.mjs";

const help = `npm run keys -- [rotate | compromised [TOKEN_KEY]] [--remote] [--public-url URL]

  (nothing)              makes the keys where there are none, and the configuration of each registry in SERVICES
  rotate                 a new key under the same CA: registries that trust the CA need nothing
  compromised            a new CA and a new key, when somebody else may have them: every registry needs the new file
  compromised TOKEN_KEY  a new TOKEN_KEY alone: what the old one signed ends, and registries need their new event secret

  --remote            the keys of the deployed worker, not those of \`npm start\`
  --public-url URL    where registries and their clients reach the index, if not at PUBLIC_URL`;

/** @satisfies {import("node:util").ParseArgsConfig["options"]} */
const options = {
  remote: { type: "boolean", default: false },
  "public-url": { type: "string" },
  help: { type: "boolean", default: false, short: "h" },
};

const verbs = { make, rotate, compromised: replace };

async function keys() {
  const {
    values: flags,
    positionals: [verb = "make", ...more],
  } = parse({ options, allowPositionals: true });
  if (flags.help) return console.log(help);
  const ofTokens = verb === "compromised" && `${more}` === "TOKEN_KEY";
  if (!Object.hasOwn(verbs, verb) || (more.length && !ofTokens)) throw new Failure(`usage: ${help}`);

  // All that can be wrong with the settings comes before the first key changes.
  const place = asked(flags);
  if (!flags.remote) forDevelopment();
  const all = services(place);
  if (ofTokens) return newTokenKey(place, all, all.length ? publicUrl(place, flags["public-url"]) : undefined);
  const url = verb === "make" && all.length ? publicUrl(place, flags["public-url"]) : undefined;
  const there = flags.remote ? await atWork(verb) : undefined;
  const made = await verbs[verb](place);
  if (flags.remote) await send(there);
  write([...trust(place), ...(url ? configurations(place, url) : [])]);
  sayWhere(flags);
  const news = { make: made ? established : unchanged, rotate: rotated, compromised: replaced }[verb];
  console.log(news(place, all));
  if (news !== unchanged || flags.remote) console.log(whoHasThem(place, there));
  if (verb === "make") console.log(invitation(place, all, url));
}

/** Names of the secrets at work. Where the keys are not here too, they are somebody's: no new ones over them. */
async function atWork(verb) {
  const there = await step("secrets at work", secretNames);
  const missing = names.filter((name) => !there?.includes(name));
  fill(production, missing, "# The secrets of production: keep a copy apart from the database.\n");
  if (verb !== "compromised" && there?.includes("REGISTRY_KEY") && !read(production).REGISTRY_KEY) {
    const lost = "if it is lost: npm run keys -- compromised --remote";
    throw new Failure(`REGISTRY_KEY is at work but not in ${short(production)}: bring your copy of .keys; ${lost}`);
  }
  return there;
}

async function send(there) {
  if (!there) return; // never deployed
  const due = Object.entries(read(production)).filter(
    ([name]) => name.startsWith("REGISTRY_") || !there.includes(name),
  );
  try {
    await step("key and certificates, at once", () => upload(Object.fromEntries(due)));
  } catch (error) {
    const again = `${short(production)} has the key: \`npm run keys -- --remote\` sends it again`;
    throw new Failure(`${error.message}; ${again}`, error.output);
  }
}

/** A TOKEN_KEY that nobody has seen, and none beside it. */
async function newTokenKey(place, all, url) {
  let there;
  if (place.flag) there = await step("secrets at work", secretNames);
  const TOKEN_KEY = fresh.TOKEN_KEY();
  assign(place.secrets, { TOKEN_KEY });
  if (there) {
    console.log(`hublet: ${short(place.secrets)} has a new TOKEN_KEY; until the deployed worker has it too, the old one is at work:
hublet: if this ends before, run it again`);
    try {
      await step("the new key", () => upload({ TOKEN_KEY }));
    } catch (error) {
      throw new Failure(`${error.message}: it may be that the old key is still at work: run this again`, error.output);
    }
  }
  if (url) write(configurations(place, url));
  const told = all.map(
    ({ name, file }) =>
      `  ${name}: the Authorization of its notifications becomes that of ${short(place.folder)}/${file}`,
  );
  console.log(`hublet: a new TOKEN_KEY: repository tokens, session tokens and event secrets of before are worth nothing
hublet: a registry is not heard until it has its new secret and was started again:
${told.join("\n") || "  (SERVICES names none)"}
hublet: who had the key could come as anybody, and may have made access tokens: npm run admin -- after-restore${place.flag} ends those too`);
  console.log(whoHasThem(place, there));
}

const until = (place) => `it signs until ${lastDay(inspect(place).leaf)}`;

function established(place) {
  const { ca } = inspect(place);
  return `hublet: made a CA (${short(place.folder)}/ca.pem, until ${lastDay(ca)}) and a key: ${until(place)}
hublet: keep a copy of ${place.flag ? ".keys" : ".keys and .dev.vars"} apart from the database; nobody shows a secret again`;
}

const unchanged = (place) => `hublet: the key is there: ${until(place)}`;

function rotated(place, all) {
  const kept = inspect(place).earlier.length;
  const told = all.filter(({ trust }) => trust !== "x5c").map((service) => errand(place, service));
  const others = told.length
    ? `; others refuse until they are given a file and started again:\n${told.join("\n")}`
    : "";
  return `hublet: a new key: ${until(place)}; what the ${kept === 1 ? "one" : kept} before signed stays good
hublet: a registry with the CA needs nothing${others}`;
}

function replaced(place, all) {
  return `hublet: a new CA and a new key: ${until(place)}
hublet: a registry takes what the old key signs, and refuses the new one, until it is given a file and started again:
${all.map((service) => errand(place, service)).join("\n") || "  (SERVICES names none)"}
hublet: a zot: in any case "cert" becomes a copy of ${short(place.folder)}/leaves.pem`;
}

function errand(place, service) {
  const { setting, file } = trusted(place, service);
  return `  ${service.name}: ${setting} becomes a copy of ${file}`;
}

function whoHasThem({ flag }, there) {
  if (!flag) return "hublet: a running `npm start` takes them when it is started again";
  return there ? "hublet: the deployed worker has them" : "hublet: `npm run deploy` takes them along";
}

/** What a registry adds; the whole is in a file, since it has a secret. */
function invitation(place, all, url) {
  if (!all.length) return "hublet: SERVICES names no registry yet: name one, and run this again for its configuration";
  return all
    .map(
      (service) => `
For the registry ${service.name}, from ${short(place.folder)}/${service.file}, which has the notifications too:

${authentication(place, service, url)}`,
    )
    .join("\n");
}

await main(async () => {
  await setUpOperator();
  await keys();
});
