// schemathesis, of one version, in a Python environment of its own that every clone shares.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cache } from "./setup.mjs";
import { find, run } from "./steps.mjs";

const version = "4.32.5";
const home = path.join(cache, `schemathesis-${version}`);

/** Why it cannot be had here, or false. */
export const missing = existsSync(home) || venv() ? false : "python3 with venv is not installed";

// Debian has the part that makes environments in a package of its own.
function venv() {
  return Boolean(find("python3")) && spawnSync("python3", ["-c", "import ensurepip, venv"]).status === 0;
}

/** Its program, brought when it is first asked for. */
export async function schemathesis() {
  const whole = path.join(home, "whole"); // written last: an environment cannot be moved once it is made
  const python = path.join(home, "bin/python");
  if (!existsSync(whole)) {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    await run("python3", ["-m", "venv", home]);
    await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", `schemathesis==${version}`]);
    writeFileSync(whole, "");
  }
  return path.join(home, "bin/schemathesis");
}
