// Clients of the Hub, of one version each, in folders of their own that every clone shares.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cache } from "./setup.mjs";
import { find, run } from "./steps.mjs";

const home = (name) => path.join(cache, name);

// Debian has the part that makes environments in a package of its own.
const venv = () =>
  spawnSync("python3", ["-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"]).status === 0;

/** Why a client that PyPI has cannot be had here, or false. */
export const missing = find("python3") && venv() ? false : "python3 (3.11 or later) with venv is not installed";

/** A folder with a client, brought when it is first asked for. */
async function brought(name, bring) {
  const folder = home(name);
  const whole = path.join(folder, "whole"); // written last
  if (!existsSync(whole)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await bring(folder);
    writeFileSync(whole, "");
  }
  return folder;
}

/** A Python environment with one package, of one version. */
export const fromPyPI = (name, version) =>
  brought(`${name}-${version}`, async (folder) => {
    await run("python3", ["-m", "venv", folder]);
    await run(path.join(folder, "bin/python"), [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      `${name}==${version}`,
    ]);
  });

/** A folder with one npm package, of one version, and what it needs. */
export const fromNpm = (name, version) =>
  brought(`${name.replaceAll(/[@/]/g, "-").replace(/^-/, "")}-${version}`, async (folder) => {
    writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    await run("npm", [
      "install",
      "--prefix",
      folder,
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      "--silent",
      `${name}@${version}`,
    ]);
  });
