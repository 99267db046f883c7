// The switch of a registry to hublet, and before it what puts its configuration back.

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { short } from "./registry-keys.mjs";
import { authentication, trusted } from "./services.mjs";
import { Failure, onDisk } from "./steps.mjs";

/** Where the packages of each kind have their configuration, and how they are started again. */
const usual = {
  distribution: { config: "/etc/docker/registry/config.yml", restart: "sudo systemctl restart docker-registry" },
  zot: { config: "/etc/zot/config.json", restart: "sudo systemctl restart zot" },
};

const kindOf = ({ trust }) => (trust === "zot" ? "zot" : "distribution");

/** The lines for a registry: the way back, then the switch. `file` is its configuration of today, where it can be read. */
export async function instructions(place, service, url, file) {
  const { setting, file: trust } = trusted(place, service);
  const keys = `npm run keys${place.flag && " -- --remote"}`;
  if (!existsSync(trust)) throw new Failure(`${short(trust)} is not there yet: ${keys} makes it`);
  const { config, restart } = usual[kindOf(service)];
  const today = file ? await onDisk(`${file} cannot be read`, () => readFileSync(file, "utf8")) : undefined;
  const where = file ?? config;
  const before = path.join(path.dirname(where), `before-hublet${path.extname(where)}`);
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])(:|$)/.test(service.host ?? "");
  const registry = service.host ? `http${isLoopback ? "" : "s"}://${service.host}` : "URL";
  return `# The way back. First of all, on the host of the registry, and only where there is none yet:
sudo test -e ${before} || sudo cp -p ${where} ${before}
# And to return to it, at any time:
sudo cp -p ${before} ${where}
${restart}
# Users who have logged in with docker since the switch: docker logout HOST, docker login HOST, with the password that they
# had there. What was stored before the switch goes on working.
# The old token server, if there is one, goes on running for as long as the way back is wanted.
${today === undefined ? "# --config FILE prints here what that file says of users today." : said(today, kindOf(service))}
# The switch. In place of ${kindOf(service) === "zot" ? '"auth" and "accessControl"' : "auth:"} in ${where}:
${authentication(place, service, url)}
# ${setting} is a copy of ${short(trust)}, on the host of the registry.
# Events are in ${short(path.join(place.folder, service.file))}, which holds a secret: ${keys} writes it.
${restart}
# Users whose password is the same go on without a new login; after one, docker keeps a token in place of the password.
npm run doctor --${place.flag} --registry ${service.name}=${registry} --config ${service.name}=${where}`;
}

/** What a configuration says of users today. */
function said(text, kind) {
  if (kind === "zot") {
    const { auth, accessControl } = understood(text).http ?? {};
    return `# It has today:\n${JSON.stringify({ auth, accessControl }, undefined, 2)}`;
  }
  const auth = /^auth:.*\n(?:[ \t#-].*\n?|\n)*/m.exec(text)?.[0].trimEnd();
  return auth ? `# It has today:\n${auth}` : "# It has no auth: today, and is open to every client.";
}

function understood(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure(`the configuration is no JSON: ${error.message}`);
  }
}
