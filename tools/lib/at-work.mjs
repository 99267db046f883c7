// Asks an index that runs whether it is the one whose secrets and settings are here.

import { deployed, inspect, short } from "./registry-keys.mjs";
import { doubt, wrong, well } from "./remarks.mjs";
import { eventSecret, jwk, setting } from "./services.mjs";
import { shown } from "./texts.mjs";

const who = ({ flag }) => (flag ? "the deployed worker" : "the index");

/**
 * Asks something at an address; where nobody answers, what is to be said of it.
 *
 * @returns {Promise<{ answer: Response, silent?: undefined } | { answer?: undefined, silent: import("./remarks.mjs").Remark }>}
 */
async function ask(place, address, options = {}) {
  try {
    return { answer: await fetch(address, { redirect: "manual", signal: AbortSignal.timeout(10_000), ...options }) };
  } catch (error) {
    const cure = place.flag
      ? "is PUBLIC_URL right, and the worker deployed?"
      : "npm start, or say by --public-url where it is";
    return { silent: wrong(`${address} does not answer (${error.cause?.code ?? error.message})`, cure) };
  }
}

/** No answer of hublet that is read here has so many bytes; that of a stranger may have no end. */
const LONGEST = 1024 * 1024;

/**
 * What an answer says in JSON; nothing where that is no object.
 *
 * @returns {Promise<any>}
 */
async function json(answer) {
  const parts = [];
  let length = 0;
  try {
    for await (const part of answer.body) {
      length += part.length;
      if (length > LONGEST) return {};
      parts.push(part);
    }
    return Object(JSON.parse(Buffer.concat(parts).toString()));
  } catch {
    return {};
  }
}

/** Whether it signs with the key that we have. */
export async function signs(place, url) {
  const { leaf } = inspect(place);
  if (!leaf) return [];
  const { answer, silent } = await ask(place, `${url}/.well-known/jwks.json`);
  if (silent) return silent;
  const { keys } = await json(answer);
  const ours = jwk(leaf);
  if (keys?.[0]?.x === ours.x && keys[0].y === ours.y) return well(`${who(place)} signs with the key that is here`);
  const cure = place.flag ? "npm run keys -- --remote sends it again" : "npm start takes it, where it is started again";
  return wrong(`${who(place)} signs with another key than the one here`, cure);
}

/** Whether it knows a registry by the secret that is made of our TOKEN_KEY. */
export async function hears(place, { name }, url) {
  const tokenKey = setting(place, "TOKEN_KEY");
  if (!tokenKey) return [];
  const headers = { authorization: `Bearer ${eventSecret(tokenKey, name)}`, "content-type": "application/json" };
  const { answer, silent } = await ask(place, `${url}/events`, { method: "POST", headers, body: '{"events":[]}' });
  if (silent) return silent;
  if (answer.status === 200) return well(`${who(place)} hears ${name} by the event secret that is here`);
  if (answer.status !== 401)
    return wrong(`${url}/events answers ${answer.status} to no events`, "what does its log say?");
  const another = place.flag
    ? `npm run deploy; else it has another TOKEN_KEY: bring your copy, or npx wrangler secret bulk ${short(deployed.secrets)} sends it the one here`
    : "npm start takes it, where it is started again; else it has another TOKEN_KEY";
  return wrong(
    `${who(place)} does not know the event secret of ${name} that is here`,
    `if SERVICES was changed, ${another}`,
  );
}

/** A token for a registry that opens nothing, as the index gives it to anybody, or what speaks against it. */
export async function tokenFor(place, { name }, url) {
  const { answer, silent } = await ask(place, `${url}/token?service=${encodeURIComponent(name)}`);
  if (silent) return { against: silent };
  const said = await json(answer);
  if (typeof said.token !== "string") {
    const why = said.errors?.[0]?.message;
    return {
      against: wrong(
        `${who(place)} gives no token for ${name} (${answer.status}${typeof why === "string" ? `: ${shown(why)}` : ""})`,
        "what does its log say?",
      ),
    };
  }
  const { iss } = claims(said.token);
  const issuer = setting(place, "ISSUER") ?? "hublet";
  if (iss === issuer) return { token: said.token };
  const cure = place.flag ? "npm run deploy" : "npm start takes it, where it is started again";
  return {
    token: said.token,
    against: wrong(
      `${who(place)} signs as ${shown(JSON.stringify(iss))}, and ISSUER is ${JSON.stringify(issuer)} here`,
      cure,
    ),
  };
}

/** What a token claims, whoever signed it. */
function claims(token) {
  try {
    return Object(JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString()));
  } catch {
    return {};
  }
}

/** What `/health` may name, in words, and the cure. */
const meanings = ({ flag }) => {
  const start = flag ? "npm run deploy" : "npm start makes it";
  const log = flag ? "npx wrangler tail shows why" : "the log of npm start says why";
  return {
    database: ["the primary database does not answer", `https://www.cloudflarestatus.com, and ${log}`],
    migrations: ["a database lacks a migration", start],
    key: [
      "TOKEN_KEY, PASSWORD_PEPPER or the key of registry tokens is missing or unusable",
      `${start}, and npm run keys${flag && ` --${flag}`}`,
    ],
    certificate: [
      "the certificate of registry tokens ends within 60 days, or has ended",
      `npm run keys -- rotate${flag}`,
    ],
    schedule: ["the scheduled job has not run for 10 minutes", `is it in crons in wrangler.toml? ${log}`],
    search: ["the search index does not answer, or has not learned of changes for 10 minutes", log],
    events: [
      "a registry has sent no notification yet, or none for a week",
      "a new one sends its first with the first push or pull; --registry and --config compare it with the index",
    ],
  };
};

/** What the index reports of its own health, and whether its clock is the one here. */
export async function health(place, url) {
  const { answer, silent } = await ask(place, `${url}/health`);
  if (silent) return silent;
  const apart = drift(answer);
  const cure = "set the clocks by a time server: tokens and certificates go by them";
  const clock = apart ? [wrong(`the clock of ${who(place)} is ${apart}`, cure)] : [];
  return [...clock, ...codes(place, answer.status, (await json(answer)).problems)];
}

function codes(place, status, problems) {
  if (status === 404) {
    const cure = place.flag ? "npm run deploy" : "npm start takes it, where it is started again";
    return [doubt(`${who(place)} has no /health: it is older than this hublet`, cure)];
  }
  const isReport = Array.isArray(problems) && problems.every((code) => typeof code === "string");
  if (![200, 503].includes(status) || !isReport)
    return [wrong(`/health answers ${status}, and not as hublet does`, "is PUBLIC_URL right?")];
  if (!problems.length)
    return [status === 200 ? well(`${who(place)} is well`) : wrong("/health answers 503", "what does its log say?")];
  const known = new Map(Object.entries(meanings(place)));
  return problems.map((code) => {
    const [words, cure] = known.get(code) ?? [
      shown(code),
      "which this hublet does not know: is it older than the worker?",
    ];
    return (status === 200 ? doubt : wrong)(`${who(place)}: ${words}`, cure);
  });
}

/** Seconds from which on a difference of clocks is worth a word: at 60, registries refuse tokens. */
const DRIFT = 30;

/** How the clock of an answer differs from the one here, by this number of seconds or more. */
export function drift(answer, least = DRIFT) {
  const late = Math.round((Date.now() - Date.parse(answer.headers.get("date"))) / 1000);
  if (!(Math.abs(late) >= least)) return undefined; // it may have no date
  return `${Math.abs(late)} seconds ${late > 0 ? "behind" : "ahead of"} the one here`;
}
