// Debian's docker-registry: CNCF distribution 2.8, set up as README prints it, with what `npm run keys` wrote for it.

import { copyFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { freePort, start } from "./daemons.mjs";
import { succeed } from "./programs.mjs";
import { printed, put } from "./readme.mjs";
import { scratch } from "./scratch.mjs";

/** The `docker-registry` of a site: `keys` is where the keys of the index are, with its `file`; `env` goes to the registry. */
export async function startRegistry(keys, env = {}, file = "registry.yml") {
  const folder = scratch();
  const at = (name) => path.join(folder, name);
  const host = `127.0.0.1:${await freePort()}`;
  // The certificate of the CA is all that the registry is given of the keys; it has its own copy, as on a host of its own.
  copyFileSync(path.join(keys, "ca.pem"), at("ca.pem"));
  const here = {
    "/var/lib/docker-registry": at("data"),
    "127.0.0.1:5000": host,
    "/etc/docker/registry/ca.pem": at("ca.pem"),
    ".keys/registry.yml": path.join(keys, file),
  };
  const text = put(printed(/config\.yml <<END\n([\s\S]*?\n)END\n/), here);
  const config = await succeed("sh", ["-c", `cat <<END\n${text}END\n`]);
  if (!config.includes(`rootcertbundle: ${at("ca.pem")} `)) throw new Error(`no ca.pem in\n${config}`);
  writeFileSync(at("config.yml"), config, { mode: 0o600 });
  const begin = () =>
    start("docker-registry", ["serve", at("config.yml")], {
      env,
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
