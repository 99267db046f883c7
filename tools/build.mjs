// Builds the worker into build/, unless nothing that it is made of has changed; wrangler.toml names this as its build.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { compile, join } from "./lib/bundle.mjs";
import { files, hash } from "./lib/inputs.mjs";
import { setUp } from "./lib/setup.mjs";
import { main, packaged, root, step } from "./lib/steps.mjs";

/** All that decides what comes out: the crate, and whatever compiles, binds, optimizes and joins it. */
const inputs = [
  "src",
  "Cargo.toml",
  ".cargo",
  "rust-toolchain.toml",
  "package-lock.json",
  "tools/bind",
  "tools/build.mjs",
  "tools/lib/bundle.mjs",
];
const folder = path.join(root, "build");
const outputs = ["index.js", "index_bg.wasm", "compiled/index.js"].map((name) => path.join(folder, name));
const stamp = path.join(folder, "inputs.sha256");

/** The worker that is deployed. */
export async function build() {
  if (packaged) return;
  const made = hash(inputs.flatMap(files));
  const fingerprint = () => `${made} ${hash(files("Cargo.lock"))}`;
  const [compiled, joined] = existsSync(stamp) ? readFileSync(stamp, "utf8").split("\n") : [];
  const current = outputs.every((name) => existsSync(name)) && compiled === fingerprint();
  const version = commit();
  if (current && joined === version) return;
  const out = path.join(folder, "compiled");
  if (!current) await compile({ crate: "hublet", place: "worker", release: true, out });
  await join(out, folder, version);
  // What was edited during the build is built the next time; only Cargo.lock is cargo's own to complete.
  writeFileSync(stamp, `${fingerprint()}\n${version}`);
}

/** The worker with what only tests ask for (src/edge/testing.rs), without optimization. */
export async function buildForTests() {
  const out = path.join(folder, "testing/compiled");
  await compile({ crate: "hublet", place: "worker", flags: ["--features", "testing"], out });
  await join(out, path.join(folder, "testing"));
}

/** The commit that is built, with a plus where files that decide have changed since; nothing is known of it without git. */
export function commit() {
  const git = (...words) =>
    execFileSync("git", words, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const changed = git("status", "--porcelain", "--", ...inputs, "Cargo.lock");
    return git("rev-parse", "--short=12", "HEAD") + (changed ? "+" : "");
  } catch {
    return "unknown";
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    await setUp();
    await step("worker", build);
  });
}
