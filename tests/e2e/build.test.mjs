// What is built depends on the commit alone: the same bytes come out in every folder, and nothing of the machine is in them.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync, utimesSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { root } from "./support/clone.mjs";
import { succeed } from "./support/programs.mjs";
import { scratch } from "./support/scratch.mjs";

const outputs = ["build/index.js", "build/index_bg.wasm"];
const read = (folder, name) => readFileSync(path.join(folder, name));

/** Why there is nothing to compare with: what is built has no commit. */
function uncommitted() {
  const git = (...words) =>
    execFileSync("git", words, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  try {
    return git("status", "--porcelain").trim() ? "skipped: the tree has changes without a commit" : false;
  } catch {
    return "skipped: this is no clone";
  }
}

test("two builds of one commit are equal", { skip: uncommitted(), timeout: 900_000 }, async () => {
  const folder = path.join(scratch(), "elsewhere");
  await succeed("git", ["clone", "--quiet", root, folder]);
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  utimesSync(path.join(folder, "package-lock.json"), 0, 0); // the packages are there
  await succeed(process.execPath, ["tools/build.mjs"], { cwd: folder, limit: 900_000 });
  for (const name of outputs) assert.ok(read(folder, name).equals(read(root, name)), name);
});

test("no path of this machine is in the worker", () => {
  for (const name of outputs) {
    const built = read(root, name);
    for (const path of [os.homedir(), root, ".cargo/registry", ".rustup"])
      assert.ok(!built.includes(path), `${name} has ${path}`);
  }
});
