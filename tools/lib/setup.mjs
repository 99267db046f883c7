// Everything that a fresh clone lacks, brought once: npm packages, the compiler's target, the build tools.

import { existsSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { placed } from "./drafts.mjs";
import { files, hash } from "./inputs.mjs";
import { Failure, find, handOver, packaged, root, run, step, stepsAtOnce } from "./steps.mjs";

export const cache =
  process.env.HUBLET_CACHE ?? path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "hublet");

/** The program that binds WebAssembly to JavaScript: tools/bind, compiled once for all clones that have the same. */
export const bindgen = () => path.join(bindgenHome(), "bin/hublet-bind");
const bindgenHome = () =>
  path.join(cache, `bind-${hash(files("tools/bind").filter((file) => !file.includes("/target/"))).slice(0, 16)}`);

/** All of the set-up, for `development` with what only tests and lints need. A step that finds its work done takes no time. */
export async function setUp({ development = false } = {}) {
  if (packaged) return newerNode();
  prerequisites();
  await stepsAtOnce([[["npm packages", () => packages(development)]], rust]);
  await newerNode();
}

/** The compiler, and what binds its WebAssembly to JavaScript. */
export async function setUpRust() {
  prerequisites();
  await stepsAtOnce([rust]);
}

/** What needs no compiler. */
export async function setUpNode() {
  if (packaged) return newerNode();
  await step("npm packages", () => packages(false));
  await newerNode();
}

// What we cannot bring: one line for each that is missing, with how to get it.
function prerequisites() {
  const node = process.versions.node;
  const needs = [
    [Number.parseInt(node, 10) >= 18, `Node.js ${node} is too old: install 18 or later (https://nodejs.org)`],
    [find("npm"), "npm is missing: install it (Debian: apt-get install npm)"],
    [find("rustup") && find("cargo"), "Rust is missing: install it with rustup (https://rustup.rs)"],
    [
      find("cc"),
      "a C compiler is missing: install one (Debian: apt-get install build-essential; macOS: xcode-select --install)",
    ],
  ];
  const missing = needs.filter(([present]) => !present).map(([, words]) => words);
  if (missing.length) throw new Failure(missing.join("\nhublet: "));
}

async function packages(development) {
  if (process.env.WRANGLER_COMMAND) return; // wrangler runs us from the packages: not under its feet
  const installed = path.join(root, "node_modules/.package-lock.json"); // npm writes it last
  const wanted = path.join(root, "package-lock.json");
  const current = existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs;
  const whole = existsSync(path.join(root, "node_modules/.bin/biome"));
  if (current && (whole || !development)) return;
  const which = development || whole ? [] : ["--omit=dev"];
  // Nothing here needs an install script; --loglevel hides that wrangler wants the Node that is being brought.
  await run("npm", ["ci", ...which, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
}

// wrangler wants Node 22.12, a backup the SQLite of 24; the packages hold a newer one, and the same tool starts over with it.
async function newerNode() {
  if (Number.parseInt(process.versions.node, 10) >= 24 || process.env.WRANGLER_COMMAND) return;
  const node = ["node_modules", ".."]
    .map((folder) => path.join(root, folder, ".bin/node"))
    .find((file) => existsSync(file));
  if (!node)
    throw new Failure(`Node.js ${process.versions.node} is too old here: install 24 or later (https://nodejs.org)`);
  process.exit(await handOver(node, process.argv.slice(1)));
}

// rust-toolchain.toml names the compiler and its wasm target: rustup brings both when cargo is first asked.
async function compiler() {
  const target = "wasm32-unknown-unknown";
  const library = await run("rustc", ["--print", "target-libdir", "--target", target]);
  if (!existsSync(library.trim())) await run("rustup", ["target", "add", target]);
}

async function installBindgen() {
  if (existsSync(bindgen())) return;
  await placed(bindgenHome(), async (draft) => {
    const target = path.join(draft, "target");
    const flags = ["--debug", "--locked", "--path", "tools/bind", "--root", draft];
    await run("cargo", ["install", ...flags], { env: { CARGO_TARGET_DIR: target } });
    rmSync(target, { recursive: true });
  });
}

/** @type {[string, () => unknown][]} */
const rust = [
  ["Rust toolchain", compiler],
  ["tools/bind (once)", installBindgen],
];
