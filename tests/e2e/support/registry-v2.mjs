// Debian's docker-registry: CNCF distribution 2.8, with what `npm run keys` wrote for it.

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { freePort, start } from "./daemons.mjs";
import { scratch } from "./scratch.mjs";

/** The `docker-registry` of a site: `folder` is where the keys of the index are. */
export async function startRegistry(keys) {
  const folder = scratch();
  const at = (name) => path.join(folder, name);
  const host = `127.0.0.1:${await freePort()}`;
  const given = readFileSync(path.join(keys, "registry.yml"), "utf8");
  // The certificate of the CA is all that the registry is given of the keys; it has its own copy, as on a host of its own.
  copyFileSync(path.join(keys, "ca.pem"), at("ca.pem"));
  const named = given.replace(path.join(keys, "ca.pem"), at("ca.pem"));
  if (named === given) throw new Error(`no ca.pem in\n${given}`);
  writeFileSync(at("config.yml"), `version: 0.1
storage:
  filesystem:
    rootdirectory: ${JSON.stringify(at("data"))}
  delete:
    enabled: true
http:
  addr: ${host}

${named}`, { mode: 0o600 });
  const begin = () => start("docker-registry", ["serve", at("config.yml")], {
    ready: (log) => log.includes(`listening on ${host}`) || undefined,
  });
  let daemon = await begin();
  return {
    host,
    address: `http://${host}`,
    certificate: at("ca.pem"),
    log: () => daemon.log,
    stop: () => daemon.stop(),
    async restart() {
      await daemon.stop();
      daemon = await begin();
    },
  };
}
