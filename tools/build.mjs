// Builds the worker into build/, unless nothing that it is made of has changed; wrangler.toml names this as its build.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { files, hash } from "./lib/inputs.mjs";
import { setUp, tool } from "./lib/setup.mjs";
import { find, main, root, run, step } from "./lib/steps.mjs";

// All that decides what comes out: the crate, and whoever compiles, binds, optimizes and bundles it.
const inputs = [
  "src", "Cargo.toml", ".cargo", "build.rs", "rust-toolchain.toml",
  "package-lock.json", "tools/build.mjs", "tools/lib/setup.mjs",
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
  const [, wasm] = outputs;
  writeFileSync(wasm, withoutNames(readFileSync(wasm)));
  // What was edited during the build is built the next time; only Cargo.lock is cargo's own to complete.
  writeFileSync(stamp, fingerprint());
}

/**
 * The module without the names of its functions, which are a seventh of what is uploaded: worker-build always keeps
 * them. A panic still says its file and line.
 */
function withoutNames(wasm) {
  const number = (at) => { // LEB128: its value, and where it ends
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return [value, at];
    }
  };
  const kept = [wasm.subarray(0, 8)];
  for (let at = 8; at < wasm.length; ) {
    const [size, inside] = number(at + 1);
    const end = inside + size;
    const name = () => {
      const [length, from] = number(inside);
      return wasm.toString("utf8", from, from + length);
    };
    if (wasm[at] !== 0 || name() !== "name") kept.push(wasm.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    await setUp();
    await step("worker", build);
  });
}
