// The repositories of a registry, by its catalog.

import { Failure } from "./steps.mjs";

/** Milliseconds that a registry may take for a page. */
const PATIENCE = 60_000;

/** All repositories of the registry at an address; `user` and `password` are for what asks for them. */
export async function catalog(address, { user, password }) {
  const names = [];
  /** @type {URL | undefined} */
  let page = new URL("/v2/_catalog?n=1000", address);
  const seen = new Set();
  while (page && !seen.has(page.href)) {
    seen.add(page.href);
    const answer = await asked(page, { user, password });
    const { repositories: found } = /** @type {any} */ (await answer.json());
    if (!Array.isArray(found)) throw new Failure(`${page} answers with no list of repositories`);
    names.push(...found);
    const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(answer.headers.get("link") ?? "")?.[1];
    page = next ? new URL(next, page) : undefined;
    if (page && page.origin !== new URL(address).origin) throw new Failure(`the next page is at another host: ${page}`);
  }
  return [...new Set(names)].sort();
}

/** A page, with a token where the registry asks for one. */
async function asked(page, credentials) {
  const basic = basicOf(credentials);
  const first = await fetched(page, basic);
  if (first.ok) return first;
  const challenge = first.headers.get("www-authenticate") ?? "";
  if (first.status !== 401 || !/^Bearer\b/i.test(challenge)) throw refusal(page, first, credentials);
  const part = (name) => new RegExp(`\\b${name}="([^"]*)"`).exec(challenge)?.[1];
  const realm = new URL(part("realm") ?? "", page);
  for (const name of ["service", "scope"]) {
    const value = part(name);
    if (value !== undefined) realm.searchParams.set(name, value);
  }
  const given = await fetched(realm, basic);
  if (!given.ok) throw refusal(realm, given, credentials);
  const { token, access_token: other } = /** @type {any} */ (await given.json());
  const second = await fetched(page, { authorization: `Bearer ${token ?? other}` });
  if (!second.ok) throw refusal(page, second, credentials);
  return second;
}

/** The header for a name and a password, where there is one. */
export const basicOf = ({ user, password }) =>
  user ? { authorization: `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}` } : {};

function refusal(address, { status }, { user }) {
  const cure = user ? `${user} may not list it` : "REGISTRY_USER and REGISTRY_PASSWORD are who may list it";
  return new Failure(
    `${address.origin}${address.pathname} answers ${status}${[401, 403].includes(status) ? `: ${cure}` : ""}`,
  );
}

/** An answer; none is a Failure. */
export async function fetched(address, headers) {
  try {
    return await fetch(address, { headers, signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    throw new Failure(`${address.origin} does not answer (${error.cause?.code ?? error.message})`);
  }
}
