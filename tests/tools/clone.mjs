// A copy of the clone in which a script stands in for wrangler.

import fs from "node:fs";
import path from "node:path";
import { root } from "../../tools/lib/steps.mjs";

/** Makes the copy in a folder, with the operator's commands that are compiled (`setUpOperator`); what the tools run as wrangler is `wrangler`, a script for Node. */
export function copy(folder, wrangler) {
  const at = (...names) => path.join(folder, ...names);
  for (const part of [
    "tools",
    "src",
    "operator",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "package.json",
    "package-lock.json",
    "wrangler.toml",
    ".dev.vars.example",
  ]) {
    fs.cpSync(path.join(root, part), at(part), { recursive: true });
  }
  fs.mkdirSync(at("node_modules/.bin"), { recursive: true });
  for (const name of fs.readdirSync(path.join(root, "node_modules")).filter((name) => !name.startsWith("."))) {
    fs.symlinkSync(path.join(root, "node_modules", name), at("node_modules", name));
  }
  fs.writeFileSync(at("node_modules/.bin/wrangler"), `#!/usr/bin/env node\n${wrangler}`, { mode: 0o755 });
  fs.writeFileSync(at("node_modules/.bin/package.json"), "{}"); // where scripts are no modules
}
