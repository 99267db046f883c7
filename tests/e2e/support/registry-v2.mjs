// Debian's docker-registry: CNCF distribution 2.8, set up as docs/with-registry.md prints it, with what `npm run keys`
// wrote for it.

import { readFileSync } from "node:fs";
import path from "node:path";
import { freePort, start } from "./daemons.mjs";
import { succeed } from "./programs.mjs";
import { commands, put } from "./manual.mjs";
import { scratch } from "./scratch.mjs";

/** The `docker-registry` of a site: `keys` is where the keys of the index are, with its `file`; `env` goes to the registry. */
export async function startRegistry(keys, env = {}, file = "registry.yml") {
  const folder = scratch();
  const at = (name) => path.join(folder, name);
  const host = `127.0.0.1:${await freePort()}`;
  // The certificate of the CA is all that the registry is given of the keys; it has its own copy, as on a host of its own.
  const here = {
    sudo: "",
    " -g docker-registry": "",
    "/var/lib/docker-registry": at("data"),
    "127.0.0.1:5000": host,
    "/etc/docker/registry": folder,
    ".keys/ca.pem": path.join(keys, "ca.pem"),
    ".keys/registry.yml": path.join(keys, file),
  };
  await succeed("sh", ["-ec", put(commands("registry-configuration"), here)]);
  const config = readFileSync(at("config.yml"), "utf8");
  if (!config.includes(`rootcertbundle: ${at("ca.pem")} `)) throw new Error(`no ca.pem in\n${config}`);
  const begin = (name = "config.yml") =>
    start("docker-registry", ["serve", at(name)], {
      env,
      ready: (log) => log.includes(`listening on ${host}`) || undefined,
    });
  let daemon = await begin();
  return {
    host,
    address: `http://${host}`,
    folder,
    certificate: at("ca.pem"),
    log: () => daemon.log,
    stop: () => daemon.stop(),
    /** Starts it again, with another configuration of its folder if one is named. */
    async restart(name) {
      await daemon.stop();
      daemon = await begin(name);
    },
  };
}
