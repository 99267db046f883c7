// Asks a registry whom it trusts.

import { createHash, randomUUID, sign } from "node:crypto";
import path from "node:path";
import { inspect, short } from "./registry-keys.mjs";
import { jwk, setting, trusted } from "./services.mjs";

/** What speaks against a registry at `address` being this service of the index at `url`, if anything. */
export async function objection(place, service, address, url) {
  const configure = `give it what is in ${short(path.join(place.folder, service.file))} and start it again`;
  const closed = await ask(address);
  if (closed.words) return closed;
  if (closed.status !== 401) return { words: `answers ${closed.status} and asks for no token`, cure: configure };
  const challenge = closed.headers.get("www-authenticate") ?? "";
  for (const [name, wanted] of Object.entries({ realm: `${url}/token`, service: service.name })) {
    const said = new RegExp(`^Bearer\\b.*\\b${name}="([^"]*)"`, "i").exec(challenge)?.[1];
    if (said !== wanted) return { words: `says ${name} "${said ?? ""}" and not "${wanted}"`, cure: configure };
  }
  const open = await ask(address, await token(place, service));
  if (open.words) return open;
  const needs = `give it ${short(trusted(place, service).file)}, our issuer and the right time, and start it again`;
  return open.status === 200 ? undefined : { words: `refuses our token (${open.status})`, cure: needs };
}

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
async function token(place, service) {
  const { key } = inspect(place);
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: setting(place, "ISSUER") ?? "hublet", sub: "", aud: service.name,
    iat: now, nbf: now - 30, exp: now + 60, jti: randomUUID(), access: [],
  };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "ES256", typ: "JWT", ...named(place, service) })}.${part(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** How a registry is told which key signed. */
function named(place, { trust }) {
  const { leaf, chained } = inspect(place);
  if (trust === "x5c" || trust === "zot") return { x5c: [leaf, chained].map(({ raw }) => raw.toString("base64")) };
  return { kid: trust === "jwks" ? jwk(leaf).kid : libtrust(leaf.publicKey) };
}

/** libtrust's id of a key: base32 of the first 240 bits of SHA-256 over its DER, in groups of four. */
function libtrust(publicKey) {
  const digest = createHash("sha256").update(publicKey.export({ format: "der", type: "spki" })).digest().subarray(0, 30);
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const digits = bits.match(/.{5}/g).map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five, 2)]);
  return digits.join("").match(/.{4}/g).join(":");
}
