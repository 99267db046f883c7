// A crate as a worker: compiled, bound to JavaScript, made small, and joined with its entry module.

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { deflateRawSync } from "node:zlib";
import { placed } from "./drafts.mjs";
import { bindgen } from "./setup.mjs";
import { root, run } from "./steps.mjs";

const target = "wasm32-unknown-unknown";

/** What rustc emits and workerd takes; with --all-features, wasm-opt would emit what workerd does not. */
const features = [
  "mutable-globals",
  "sign-ext",
  "nontrapping-float-to-int",
  "bulk-memory",
  "multivalue",
  "reference-types",
  "exception-handling",
  "simd",
].map((feature) => `--enable-${feature}`);

/**
 * What is uploaded is compressed: functions that are put into their only caller compress worse by a fourteenth of all, and
 * those of similar names, one after the other, better by a seventieth. Names are a seventh; a panic says its file and line
 * without them.
 */
const small = [
  "-Os",
  "--one-caller-inline-max-function-size=0",
  "--reorder-functions-by-name",
  "--strip-debug",
  "--strip-producers",
  "--strip-target-features",
];

/**
 * Sixteen bytes are moved by one instruction where that is known, which is a seventieth of the size; loops are left as they
 * are, since Argon2 is a quarter slower with vectors of two.
 */
const simd = ["-Ctarget-feature=+simd128", "-Cno-vectorize-loops", "-Cno-vectorize-slp"];

/** Paths of this machine have no place in the worker: builds of one commit are the same bytes in every folder. */
const remapped = (folder) => {
  const cargoHome = process.env.CARGO_HOME || path.join(os.homedir(), ".cargo");
  const from = { [cargoHome]: "cargo", [path.resolve(root, folder)]: "hublet" };
  return Object.entries(from).map(([folder, name]) => `--remap-path-prefix=${folder}=${name}`);
};

/**
 * Compiles a crate of `folder` and binds it for `place`: `out` then has `index.js`, `index_bg.wasm` and the modules that
 * the crate brings, and the entry module of a worker; all of them or none.
 *
 * @param {{ folder?: string, crate: string, place: "worker" | "node", release?: boolean, flags?: string[], out: string }} what
 */
export async function compile({ folder = ".", crate, place, release = false, flags = [], out }) {
  const manifest = ["--manifest-path", path.resolve(root, folder, "Cargo.toml")];
  const build = ["build", ...manifest, "--package", crate, "--lib", "--target", target, ...flags];
  await run("cargo", release ? [...build, "--release"] : build, {
    env: release ? { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: [...remapped(folder), ...simd].join(" ") } : {},
  });
  const words = ["metadata", ...manifest, "--no-deps", "--format-version", "1"];
  const { target_directory } = JSON.parse(execFileSync("cargo", words, { encoding: "utf8", maxBuffer: 1 << 24 }));
  const made = path.join(target_directory, target, release ? "release" : "debug");
  await placed(out, async (draft) => {
    const at = (name) => path.join(draft, name);
    await run(bindgen(), [path.join(made, `${crate.replaceAll("-", "_")}.wasm`), draft, place]);
    if (release) await run("wasm-opt", [...small, ...features, at("index_bg.wasm"), "--output", at("index_bg.wasm")]);
    if (place === "worker") {
      // To workerd, a module of WebAssembly is a source phase import without saying so.
      writeFileSync(at("index.js"), readFileSync(at("index.js"), "utf8").replace("import source ", "import "));
      // Texts that the program leaves beside it: one that is rarely asked for is small and not read at a start.
      const inside = readdirSync(at("snippets"), { recursive: true }).map((name) => path.join("snippets", `${name}`));
      for (const text of inside.filter((name) => /\/src\/[^/]+\.json$/.test(name))) {
        writeFileSync(at(text), deflateRawSync(readFileSync(at(text)), { level: 9 }));
      }
      const entry = path.resolve(root, folder, "src/edge/entry.mjs");
      copyFileSync(existsSync(entry) ? entry : path.join(root, "src/edge/entry.mjs"), at("entry.mjs"));
    }
    rmSync(out, { recursive: true, force: true });
  });
}

/** Makes the two files of a worker from what was compiled: `index.js` and `index_bg.wasm`. */
export async function join(compiled, out, commit = "unknown") {
  mkdirSync(out, { recursive: true });
  const draft = mkdtempSync(path.join(out, "draft."));
  const at = (name) => path.join(draft, name);
  try {
    await run("esbuild", [
      path.join(compiled, "entry.mjs"),
      "--bundle",
      "--minify",
      "--loader:.json=base64",
      "--format=esm",
      "--external:./index_bg.wasm",
      "--external:cloudflare:*",
      `--define:HUBLET_COMMIT=${JSON.stringify(commit)}`,
      `--outfile=${at("index.js")}`,
      "--log-level=warning",
    ]);
    copyFileSync(path.join(compiled, "index_bg.wasm"), at("index_bg.wasm"));
    for (const name of ["index_bg.wasm", "index.js"]) renameSync(at(name), path.join(out, name));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
