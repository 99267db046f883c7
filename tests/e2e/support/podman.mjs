// podman with a storage and a configuration of its own.

import { writeFileSync } from "node:fs";
import path from "node:path";
import { run, withoutRootOr } from "./programs.mjs";
import { scratch } from "./scratch.mjs";

/** The `skip` of a test that needs it. */
export const withoutPodman = () => withoutRootOr("podman");

/** A `podman` command. Call it with the words of a command; it gives `{ code, stdout, stderr, milliseconds }`. */
export function makePodman() {
  const folder = scratch();
  const at = (name) => path.join(folder, name);
  writeFileSync(at("auth.json"), "{}", { mode: 0o600 });
  const places = [
    "--root",
    at("root"),
    "--runroot",
    at("run"),
    "--tmpdir",
    at("tmp"),
    "--storage-driver",
    "vfs",
    "--cgroup-manager=cgroupfs",
  ];
  return (args, options = {}) =>
    run("podman", [...places, ...args], {
      ...options,
      env: { REGISTRY_AUTH_FILE: at("auth.json"), HOME: folder, ...options.env },
    });
}
