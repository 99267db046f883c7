// The release before this one, built from git: what an operator goes back to, and comes from.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { compile, join } from "./bundle.mjs";
import { cache } from "./setup.mjs";
import { root } from "./steps.mjs";

/** What stands for it until there is a tag. */
const FIRST = "9f55bf59feda5b6bf3c4db1b448a5ddf7c6b81d6";

const git = (...words) =>
  execFileSync("git", words, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** Its commit, or nothing where this is no clone or has no history that goes so far back. */
export function releaseBefore() {
  try {
    const tags = git("tag", "--merged", "HEAD", "--no-contains", "HEAD", "--sort=-creatordate").split("\n");
    return git("rev-parse", "--verify", `${tags[0] || FIRST}^{commit}`);
  } catch {
    return undefined;
  }
}

/** The folder with its build, its migrations and its pages; it is made once for all clones. */
export async function builtRelease(commit) {
  const folder = path.join(cache, `release-${commit.slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(`${folder}.`);
  try {
    const archive = execFileSync("git", ["archive", commit], { cwd: root, maxBuffer: 1 << 28 });
    execFileSync("tar", ["-x", "-C", draft], { input: archive });
    const compiled = path.join(draft, "build/compiled");
    await compile({ folder: draft, crate: "hublet", place: "worker", release: true, out: compiled });
    await join(compiled, path.join(draft, "build"), commit.slice(0, 12));
    rmSync(path.join(draft, "target"), { recursive: true, force: true });
    renameSync(draft, folder);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST"].includes(error.code)) throw error; // another run was faster
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}
