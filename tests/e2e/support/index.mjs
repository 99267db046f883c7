// The product: `npm start` on a free port, with a state of its own.

import assert from "node:assert/strict";
import { root } from "./clone.mjs";
import { freePort, start } from "./daemons.mjs";
import { scratch } from "./scratch.mjs";

/**
 * Starts an index; `vars` lie over its settings. `address` is its URL, `host` is 127.0.0.1:PORT, `state` its
 * directory. The limit is that of a build, which is needed where something has changed.
 */
export async function startIndex({ folder = root, port, state = scratch(), vars = {}, limit = 900_000 } = {}) {
  const more = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const words = ["--port", port ?? (await freePort()), "--persist-to", state, ...more];
  const daemon = await start("npm", ["start", "--", ...words], {
    cwd: folder,
    limit,
    ready: (log) => /^hublet is ready on (http:\/\/\S+)/m.exec(log)?.[1],
  });
  const { hostname, host, origin } = new URL(daemon.answer);
  assert.equal(hostname, "127.0.0.1");
  const { stop, processes } = daemon;
  return { address: origin, host, state, stop, processes, log: () => daemon.log };
}
