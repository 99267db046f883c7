// An index and a registry of today that trusts it, set up from nothing as the manual says, and people who use both.

import assert from "node:assert/strict";
import { utimesSync } from "node:fs";
import path from "node:path";
import { clone } from "./clone.mjs";
import { freePort } from "./daemons.mjs";
import { basic, send } from "./http.mjs";
import { startIndex } from "./index.mjs";
import { manage } from "./management.mjs";
import { succeed, without } from "./programs.mjs";
import { everything, FrontProxy } from "./proxy.mjs";
import { startRegistry } from "./registry-v2.mjs";
import { soon } from "./time.mjs";

/** The `skip` of a test that needs a registry, and these programs as its clients. */
export const withoutRegistryOr = (...programs) => without("docker-registry", ...programs);

/**
 * Starts both: `vars` are settings of the index; with `oneHost` both are reached at the address of a reverse proxy, or
 * at `url`, where the test has one of its own, which the registry trusts by `env`.
 * `host` is where the registry is for its clients, `index.host` where the index is.
 */
export async function startSite({ vars = {}, oneHost = false, url: given, env } = {}) {
  const folder = clone();
  const proxy = oneHost ? await FrontProxy.listen(everything) : undefined;
  const port = await freePort();
  const url = given ?? proxy?.address ?? `http://127.0.0.1:${port}`;
  const npm = (...words) => succeed("npm", ["run", "--silent", ...words], { cwd: folder, limit: 120_000 });

  const printed = await npm("keys", "--", "--public-url", url);
  const running = [proxy && { stop: () => proxy.close() }].filter(Boolean);
  const stop = async () => {
    for (const { stop } of running.reverse()) await stop();
  };
  let registry, index;
  try {
    registry = await startRegistry(path.join(folder, ".keys"), env);
    running.push(registry);
    const settings = proxy || given ? { PUBLIC_URL: url, ...vars } : vars;
    index = await startIndex({ folder, port, state: path.join(folder, ".wrangler/state"), vars: settings });
    running.push(index);
    assert.equal(index.host, `127.0.0.1:${port}`);
  } catch (error) {
    await stop();
    throw error;
  }
  if (proxy) Object.assign(proxy, { index: index.address, registry: registry.address });
  const front = proxy ?? index;

  return {
    folder,
    printed,
    registry,
    index: { ...index, host: front.host, address: front.address },
    host: proxy?.host ?? registry.host,
    stop,
    /** `npm run admin -- …`; gives what it printed. */
    admin: (...words) => npm("admin", "--", ...words),
    /** `npm run keys -- …` */
    keys: (...words) => npm("keys", "--", ...words),
    /** `npm run doctor -- …` */
    doctor: (...words) => npm("doctor", "--", ...words),
    /** A registry token, asked for by its scope; the answer of the index, whatever it is. */
    askForToken(user, scope) {
      const path = `/token?service=registry&scope=${scope}`;
      return send(front.address, "GET", path, { headers: { Authorization: basic(user) } });
    },
    /** Registers a user: `{ name, password }`. */
    async join(name) {
      const user = { name, password: `password of ${name}` };
      const body = { username: name, password: user.password, email: `${name}@example.com` };
      const answer = await send(front.address, "POST", "/v1/users/", { body });
      assert.equal(answer.status, 201, answer.text);
      return user;
    },
    /** The management API for a user, or for nobody. */
    manage: (user) => manage(front.address, user),
    /** What the index knows of the tags of a repository: their digests by name. */
    async tags(repository, user) {
      const path = `namespaces/${repository.replace("/", "/repositories/")}/tags?page_size=100`;
      const { results } = await manage(front.address, user)(200, "GET", path);
      return Object.fromEntries(results.map(({ name, digest }) => [name, digest]));
    },
    /** Lets `npm start` take a changed .dev.vars, which it does not watch; `changed` says when it did. */
    async reload(changed) {
      const now = new Date();
      utimesSync(path.join(folder, "wrangler.toml"), now, now);
      await soon("settings taken", changed, 30_000);
    },
  };
}

/** The tags that the index must know soon after a push or a delete: the registry tells it in its own time. */
export async function tagsBecome(site, repository, expected, user) {
  let tags;
  const same = async () => {
    tags = await site.tags(repository, user).catch((error) => ({ error: error.message }));
    return JSON.stringify(tags, Object.keys(tags).sort()) === JSON.stringify(expected, Object.keys(expected).sort());
  };
  await soon(`tags of ${repository}`, same, 5_000).catch(() => assert.deepEqual(tags, expected));
}
