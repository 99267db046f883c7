// Everything that a fresh clone lacks, brought once: npm packages, the compiler's target, the build tools.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Failure, find, handOver, root, run, step } from "./steps.mjs";

export const cache =
  process.env.HUBLET_CACHE ?? path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "hublet");

/** What turns the crate into a worker; from crates.io, because worker-build would fetch binaries by itself. */
const crates = {
  "wasm-bindgen": { name: "wasm-bindgen-cli", version: "0.2.129" }, // the very version that Cargo.toml pins
  "worker-build": { name: "worker-build", version: "0.8.7" },
};

/** The program of a build tool; its version is in the path, so clones of any age share one cache. */
export const tool = (program) => path.join(home(crates[program]), "bin", program);
const home = ({ name, version }) => path.join(cache, `${name}-${version}`);

/** All of the set-up, in order. A step that finds its work done takes no time. */
export async function setUp() {
  const programs = Object.keys(crates);
  prerequisites(programs);
  await setUpNode();
  await setUpRust(programs);
}

/** The compiler, and these of the build tools, for what is made besides the worker. */
export async function setUpRust(programs) {
  prerequisites(programs);
  await compiler();
  await buildTools(programs);
}

/** What needs no compiler. */
export async function setUpNode() {
  await packages();
  await newerNode();
}

// What we cannot bring: one line for each that is missing, with how to get it.
function prerequisites(programs) {
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
  // worker-build speaks TLS through the system: OpenSSL on Linux, something built in elsewhere.
  const builds = programs.includes("worker-build") && !existsSync(tool("worker-build"));
  if (process.platform === "linux" && builds) {
    needs.push(
      [find("pkg-config"), "pkg-config is missing: install it (Debian: apt-get install pkg-config)"],
      [openssl(), "OpenSSL's headers are missing: install them (Debian: apt-get install libssl-dev)"],
    );
  }
  const missing = needs.filter(([present]) => !present).map(([, words]) => words);
  if (missing.length) throw new Failure(missing.join("\nhublet: "));
}

const openssl = () => process.env.OPENSSL_DIR || spawnSync("pkg-config", ["--exists", "openssl"]).status === 0;

async function packages() {
  if (process.env.WRANGLER_COMMAND) return; // wrangler runs us from the packages: not under its feet
  const installed = path.join(root, "node_modules/.package-lock.json"); // npm writes it last
  const wanted = path.join(root, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  // Nothing here needs an install script; --loglevel hides that wrangler wants the Node that is being brought.
  await step("npm packages", async () => {
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  });
}

// wrangler wants Node 22.12, a backup the SQLite of 24; the packages hold a newer one, and the same tool starts over with it.
async function newerNode() {
  if (Number.parseInt(process.versions.node, 10) >= 24 || process.env.WRANGLER_COMMAND) return;
  const node = path.join(root, "node_modules/.bin/node");
  if (!existsSync(node))
    throw new Failure(`Node.js ${process.versions.node} is too old here: install 24 or later (https://nodejs.org)`);
  process.exit(await handOver(node, process.argv.slice(1)));
}

// rust-toolchain.toml names the compiler and its wasm target: rustup brings both when cargo is first asked.
async function compiler() {
  await step("Rust toolchain", async () => {
    const target = "wasm32-unknown-unknown";
    const library = await run("rustc", ["--print", "target-libdir", "--target", target]);
    if (!existsSync(library.trim())) await run("rustup", ["target", "add", target]);
  });
}

async function buildTools(programs) {
  for (const program of programs.filter((program) => !existsSync(tool(program)))) {
    const crate = crates[program];
    await step(`${crate.name} ${crate.version} (once, takes minutes)`, () => install(crate));
  }
}

// Installed beside its place and then renamed, so that nobody ever meets half a tool and two runs may do it at once.
async function install(crate) {
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(`${home(crate)}.`);
  try {
    await run("cargo", ["install", crate.name, "--version", crate.version, "--locked", "--root", draft]);
    try {
      renameSync(draft, home(crate));
    } catch (error) {
      if (!["ENOTEMPTY", "EEXIST"].includes(error.code)) throw error; // another run was faster
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
