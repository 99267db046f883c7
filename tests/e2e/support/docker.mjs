// A Docker daemon of one's own, and clients of it that each have their own stored logins.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { start } from "./daemons.mjs";
import { basic } from "./http.mjs";
import { run, withoutRootOr } from "./programs.mjs";
import { scratch } from "./scratch.mjs";

/** The `skip` of a test that needs both. */
export const withoutDocker = () => withoutRootOr("dockerd", "docker");

/**
 * Starts a daemon that shares nothing with the one of the system, and touches no network settings; `env` is for it and
 * its clients.
 */
export async function startDockerd({ env } = {}) {
  const folder = scratch();
  const at = (name) => path.join(folder, name);
  const socket = at("docker.sock");
  writeFileSync(at("daemon.json"), "{}");
  const daemon = await start(
    "dockerd",
    [
      "--bridge=none",
      "--iptables=false",
      "--ip6tables=false",
      "--storage-driver=vfs",
      "--config-file",
      at("daemon.json"),
      "--data-root",
      at("data"),
      "--exec-root",
      at("exec"),
      "--pidfile",
      at("pid"),
      "-H",
      `unix://${socket}`,
      "--insecure-registry",
      "127.0.0.0/8",
    ],
    {
      env,
      limit: 60_000,
      ready: (log) => (log.includes("API listen on") && existsSync(socket)) || undefined,
    },
  );
  return { socket, stop: daemon.stop, client: (logins) => client(socket, logins, env) };
}

/**
 * A `docker` command with a configuration of its own: `logins` is the users by host. Call it with the words of a
 * command; it gives `{ code, stdout, stderr, milliseconds }`. `stored` is what it keeps of its logins, as text.
 */
function client(socket, logins = {}, env = {}) {
  const config = scratch();
  const auths = Object.entries(logins).map(([host, user]) => [host, { auth: basic(user).slice("Basic ".length) }]);
  writeFileSync(path.join(config, "config.json"), JSON.stringify({ auths: Object.fromEntries(auths) }), {
    mode: 0o600,
  });
  const docker = (args, options = {}) =>
    run("docker", args, {
      ...options,
      env: { DOCKER_CONFIG: config, DOCKER_HOST: `unix://${socket}`, ...env, ...options.env },
    });
  return Object.assign(docker, { stored: () => readFileSync(path.join(config, "config.json"), "utf8") });
}
