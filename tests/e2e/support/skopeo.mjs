// skopeo with logins of its own.

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "./programs.mjs";
import { scratch } from "./scratch.mjs";

/** One client; each method gives `{ code, stdout, stderr, milliseconds }`. */
export function makeSkopeo() {
  const folder = scratch();
  const logins = path.join(folder, "auth.json");
  writeFileSync(logins, "{}", { mode: 0o600 });
  const skopeo = (command, words, options) =>
    run("skopeo", ["--insecure-policy", command, ...words], {
      ...options,
      env: { REGISTRY_AUTH_FILE: logins, HOME: folder },
    });
  const plain = "--tls-verify=false";
  return {
    login: (host, { name, password }) =>
      skopeo("login", [plain, "--username", name, "--password-stdin", host], { input: password }),
    logout: (host) => skopeo("logout", [host]),
    push: (image, name) => skopeo("copy", ["--all", "--dest-tls-verify=false", image.name, `docker://${name}`]),
    /** With `folder`: a layout of what came. */
    async pull(name) {
      const folder = path.join(scratch(), "layout");
      const answer = await skopeo("copy", ["--src-tls-verify=false", `docker://${name}`, `oci:${folder}:made`]);
      return { ...answer, folder };
    },
    copy: (from, to) =>
      skopeo("copy", [
        "--all",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        `docker://${from}`,
        `docker://${to}`,
      ]),
    inspect: (name) => skopeo("inspect", [plain, `docker://${name}`]),
    listTags: (name) => skopeo("list-tags", [plain, `docker://${name}`]),
    delete: (name) => skopeo("delete", [plain, `docker://${name}`]),
    stored: () => JSON.parse(readFileSync(logins, "utf8")),
  };
}
