// What two token services grant: asked with the password of each user.

import { basicOf, fetched } from "./catalog.mjs";
import { Failure } from "./steps.mjs";

/** Scopes of one request: an address of 8 kB is the most that every server takes. */
const MOST = 40;

const ACTIONS = ["pull", "push", "delete"];

/** The address of a token service, which says for which registry. */
export function service(text) {
  const address = URL.canParse(text) ? new URL(text) : undefined;
  if (!address?.searchParams.get("service")) throw new Failure(`${text} is not https://host/token?service=NAME`);
  return address;
}

/**
 * What a service grants an account in repositories, as lists `{ users, actions, repositories }` for the user of this name
 * here. Gives nothing where it refuses the password.
 */
export async function granted(address, { name, account, password }, repositories) {
  const found = new Map();
  for (let at = 0; at < repositories.length; at += MOST) {
    const some = repositories.slice(at, at + MOST);
    const url = new URL(address);
    for (const repository of some) url.searchParams.append("scope", `repository:${short(repository)}:${ACTIONS}`);
    if (account) url.searchParams.set("account", account);
    const answer = await fetched(url, basicOf({ user: account, password }));
    if (answer.status === 401 || answer.status === 403) return undefined;
    if (!answer.ok)
      throw new Failure(`${address.origin} answers ${answer.status} to ${account || "an anonymous client"}`);
    const { token, access_token: other } = /** @type {any} */ (await answer.json());
    for (const { type, name: place, actions } of access(token ?? other, address)) {
      if (type === "repository") found.set(place, actions);
    }
  }
  return lists(name, repositories, found);
}

/** As a registry names it: what is in `library` here has one component there. */
const short = (repository) => repository.replace(/^library\/(?=[^/]+$)/, "");

/** The claim of a token that says what it opens. */
function access(token, address) {
  try {
    return JSON.parse(Buffer.from(`${token}`.split(".")[1], "base64url").toString()).access ?? [];
  } catch {
    throw new Failure(`${address.origin} gives tokens that say nothing`);
  }
}

/** Repositories with the same actions are one list. */
function lists(name, repositories, found) {
  const all = new Map();
  for (const repository of repositories) {
    const given = found.get(short(repository)) ?? [];
    const actions = given.includes("*") ? ACTIONS : ACTIONS.filter((action) => given.includes(action));
    if (!actions.length) continue;
    const key = actions.join();
    if (!all.has(key)) all.set(key, { users: [name], actions, repositories: [] });
    all.get(key).repositories.push(repository);
  }
  return [...all.values()];
}
