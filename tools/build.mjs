// Builds the worker into build/, unless nothing that it is made of has changed; wrangler.toml names this as its build.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { files, hash } from "./lib/inputs.mjs";
import { setUp, tool } from "./lib/setup.mjs";
import { find, main, root, run, step } from "./lib/steps.mjs";

// All that decides what comes out: the crate, and whoever compiles, binds, optimizes and bundles it.
const inputs = [
  "src",
  "Cargo.toml",
  ".cargo",
  "build.rs",
  "rust-toolchain.toml",
  "package-lock.json",
  "tools/build.mjs",
  "tools/lib/setup.mjs",
];
const outputs = ["build/index.js", "build/index_bg.wasm"].map((name) => path.join(root, name));
const stamp = path.join(root, "build/inputs.sha256");

export async function build() {
  const made = hash(inputs.flatMap(files));
  const fingerprint = () => `${made} ${hash(files("Cargo.lock"))}`;
  if ([...outputs, stamp].every((name) => existsSync(name)) && readFileSync(stamp, "utf8") === fingerprint()) return;
  await run(tool("worker-build"), ["--release"], {
    env: {
      WASM_BINDGEN_BIN: tool("wasm-bindgen"),
      WASM_OPT_BIN: find("wasm-opt"),
      ESBUILD_BIN: find("esbuild"),
      RUST_BACKTRACE: "0", // worker-build's own, under the compiler's words
    },
  });
  // worker-build keeps the names of functions, a seventh of what is uploaded. A panic still says its file and line.
  // After its -Oz, -O2 takes another thousand bytes off what is compressed.
  const [, wasm] = outputs;
  await run("wasm-opt", [
    "-O2",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    wasm,
    "--output",
    wasm,
  ]);
  // What was edited during the build is built the next time; only Cargo.lock is cargo's own to complete.
  writeFileSync(stamp, fingerprint());
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    await setUp();
    await step("worker", build);
  });
}
