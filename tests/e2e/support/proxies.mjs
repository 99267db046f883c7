// nginx and Caddy, with what docs/with-registry.md prints as their configuration.

import { writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { start } from "./daemons.mjs";
import { scratch } from "./scratch.mjs";

/** Starts nginx with one `server`, which listens on `port` of 127.0.0.1. */
export function startNginx(server, port) {
  const folder = scratch();
  const at = (name) => path.join(folder, name);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${at(name)};`,
  );
  const user = process.getuid() === 0 ? "user root;" : "";
  writeFileSync(
    at("nginx.conf"),
    `daemon off; pid ${at("pid")}; error_log stderr; ${user}
events {}
http {
  access_log off;
  ${temporary.join("\n  ")}
${server}
}`,
    { mode: 0o600 },
  );
  return start("nginx", ["-e", "stderr", "-p", folder, "-c", at("nginx.conf")], { ready: () => listens(port) });
}

/** Starts Caddy with one site, which listens on `port` of 127.0.0.1. */
export function startCaddy(site, port, env) {
  const folder = scratch();
  const file = path.join(folder, "Caddyfile");
  writeFileSync(file, `{\n\tadmin off\n}\n${site}`, { mode: 0o600 });
  const home = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return start("caddy", ["run", "--adapter", "caddyfile", "--config", file], {
    env: { ...home, ...env },
    ready: () => listens(port),
  });
}

const listens = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(undefined));
  });
