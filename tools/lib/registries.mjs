// Asks a registry whom it trusts, and reads what it was told.

import { randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { drift } from "./at-work.mjs";
import { certificates } from "./certificates.mjs";
import { unchallenged } from "./challenges.mjs";
import { crate } from "./operator.mjs";
import { inspect, short } from "./registry-keys.mjs";
import { eventSecret, jwk, setting, trusted } from "./services.mjs";
import { Failure } from "./steps.mjs";
import { shown } from "./texts.mjs";

/** A clock that is so many seconds from ours is one that refuses tokens: registries allow for a minute. */
const SKEW = 60;

const configuration = (place, service) => short(path.join(place.folder, service.file));
const again = "and start it again";
const clocks = "set both clocks by one time server";

/**
 * What speaks against a registry at `address` being this service of the index at `url`, which gave `token` for it:
 * `{ words, cure }` each.
 *
 * @returns {Promise<{ words: string, cure?: string }[]>}
 */
export async function objections(place, service, address, { url, token }) {
  const configure = `give it what is in ${configuration(place, service)} ${again}`;
  const closed = await ask(address);
  if (closed.words) return [closed];
  if (closed.headers.get("cf-mitigated") === "challenge")
    return [{ words: "is challenged by Cloudflare: no client gets past it", cure: unchallenged }];
  if (closed.status !== 401) return [{ words: `answers ${closed.status} and asks for no token`, cure: configure }];
  const challenge = closed.headers.get("www-authenticate") ?? "";
  const differ = Object.entries({ realm: `${url}/token`, service: service.name }).flatMap(([name, wanted]) => {
    const said = new RegExp(`^Bearer\\b.*\\b${name}="([^"]*)"`, "i").exec(challenge)?.[1];
    if (said === wanted) return [];
    const whither = name === "realm" ? "; whoever logs in is sent there, and its events may go to the same place" : "";
    return [{ words: `says ${name} "${shown(said ?? "")}" and not "${wanted}"${whither}`, cure: configure }];
  });
  if (differ.length || !token) return differ;
  const open = await ask(address, token);
  if (open.words) return [open];
  if (open.status !== 200) return [await refusal(place, service, address, open)];
  const apart = drift(open);
  return apart ? [{ words: `takes our tokens, but its clock is ${apart}`, cure: clocks }] : [];
}

/** Why a registry refuses what the index signs for it. It says only that it does, and docker that it is a 401. */
async function refusal(place, service, address, answer) {
  const issuer = setting(place, "ISSUER") ?? "hublet";
  const apart = drift(answer, SKEW);
  if (apart) return { words: `refuses our token (${answer.status}): its clock is ${apart}`, cure: clocks };
  for (const other of new Set(["hublet", ...issuers(place, service)])) {
    if (other === issuer || (await ask(address, signed(place, service, other))).status !== 200) continue;
    const words = `refuses our token (${answer.status}): its issuer is ${JSON.stringify(other)} and not ${JSON.stringify(issuer)}`;
    return { words, cure: `give it what is in ${configuration(place, service)} ${again}` };
  }
  const { setting: name, file } = trusted(place, service);
  const words = `refuses our token (${answer.status}): its ${name} is no copy of ${short(file)}, or its issuer is not ${JSON.stringify(issuer)}`;
  return { words, cure: `give it that file, and what is in ${configuration(place, service)}, ${again}` };
}

/** Whom the file that it was given says: it may have a copy of before. */
function issuers(place, service) {
  try {
    return [told(readFileSync(path.join(place.folder, service.file), "utf8"), service).issuer ?? "hublet"];
  } catch {
    return []; // there is none yet
  }
}

/**
 * Asks a registry for its version; where it does not answer, what speaks against it.
 *
 * @returns {Promise<any>}
 */
async function ask(address, token) {
  try {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const signal = AbortSignal.timeout(10_000);
    return await fetch(`${address.replace(/\/+$/, "")}/v2/`, { headers, redirect: "manual", signal });
  } catch (error) {
    return { words: `does not answer (${error.cause?.code ?? error.message})`, cure: "start it, or give its address" };
  }
}

/** A token as the worker makes it, for a minute and for nothing. */
function signed(place, service, issuer) {
  const { key } = inspect(place);
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    sub: "",
    aud: service.name,
    iat: now,
    nbf: now - 30,
    exp: now + 60,
    jti: randomUUID(),
    access: [],
  };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const words = `${part({ alg: "ES256", typ: "JWT", ...named(place, service) })}.${part(claims)}`;
  return `${words}.${sign("sha256", Buffer.from(words), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** How a registry is told which key signed. */
function named(place, { trust }) {
  const { leaf, chained } = inspect(place);
  if (trust === "x5c" || trust === "zot") return { x5c: [leaf, chained].map(({ raw }) => raw.toString("base64")) };
  return { kid: trust === "jwks" ? jwk(leaf).kid : crate().libtrustId(leaf.raw) };
}

/** What the configuration of a registry says of the index: `{ realm, service, issuer, trusted, events, secrets }`. */
function told(text, { trust }) {
  if (trust === "zot") {
    const { http, extensions } = JSON.parse(text);
    const sinks = extensions?.events?.sinks ?? [];
    const secrets = sinks.map(({ credentials }) => credentials?.token);
    return {
      ...http?.auth?.bearer,
      trusted: http?.auth?.bearer?.cert,
      events: sinks.map(({ address }) => address),
      secrets,
    };
  }
  // The part of a file that a word of its first column begins, without comments.
  const part = (name) =>
    new RegExp(`^${name}:.*\\n((?:[ \\t-].*\\n?|\\n)*)`, "m").exec(text.replace(/^\s*#.*\n/gm, ""))?.[1] ?? "";
  const all = (part, name) =>
    [...part.matchAll(new RegExp(`^[ \\t-]*${name}:[ \\t]*["']?([^"'#\\n]*[^"'#\\s])`, "gm"))].map(
      ([, value]) => value,
    );
  const [auth, notifications] = [part("auth"), part("notifications")];
  const [realm, service, issuer, trusted] = [
    "realm",
    "service",
    "issuer",
    trust === "jwks" ? "jwks" : "rootcertbundle",
  ].map((name) => all(auth, name)[0]);
  const secrets = [...notifications.matchAll(/Bearer ([0-9a-f]+)/g)].map(([, secret]) => secret);
  const references = all(notifications, "includereferences").includes("true");
  return { realm, service, issuer, trusted, events: all(notifications, "url"), secrets, references };
}

/** What of a registry's configuration, a file, differs from what the index at `url` needs. */
export function differences(place, service, file, url) {
  const text = read(file);
  const is = told(text, service);
  const wanted = { realm: `${url}/token`, service: service.name, issuer: setting(place, "ISSUER") ?? "hublet" };
  if (service.trust === "zot") delete wanted.issuer; // which it does not look at
  const found = Object.entries(wanted)
    .filter(([name, value]) => is[name] !== value)
    .map(([name, value]) => `${name} is ${JSON.stringify(is[name] ?? "")} and not ${JSON.stringify(value)}`);
  const { setting: trust, file: ours } = trusted(place, service);
  if (!is.trusted) found.push(`${trust} is missing`);
  else if (!trusts(place, service, is.trusted)) found.push(`${trust} ${is.trusted} is no copy of ${short(ours)}`);
  for (const name of ["auth", "notifications"])
    if ([...text.matchAll(new RegExp(`^${name}:`, "gm"))].length > 1)
      found.push(`${name}: stands more than once, and the registry takes the last`);
  const events = `${url}/events`;
  if (!is.events.includes(events)) found.push(`events go to ${is.events.join(", ") || "nobody"} and not to ${events}`);
  const tokenKey = setting(place, "TOKEN_KEY");
  if (tokenKey && !is.secrets.includes(eventSecret(tokenKey, service.name)))
    found.push("events come with another secret");
  if (is.references === false) found.push("includereferences is not true: sizes and platforms are not told");
  return found.map((words) => ({
    words: `in ${file} ${words}`,
    cure: `give it what is in ${configuration(place, service)} ${again}`,
  }));
}

/** Whether a file that a registry trusts holds the CA, or the key, that signs now. */
function trusts(place, { trust }, file) {
  const { leaf, chained } = inspect(place);
  const text = read(file);
  if (trust === "jwks") return text.includes(jwk(leaf).x);
  const wanted = trust === "x5c" ? chained : leaf;
  const all = trust === "zot" ? certificates(text).slice(0, 1) : certificates(text);
  return all.some(({ fingerprint256 }) => fingerprint256 === wanted.fingerprint256);
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`${file} cannot be read (${error.code})`);
  }
}
