// The release before this one, built from git: what an operator goes back to, and comes from.

import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import { compile, join } from "./bundle.mjs";
import { placed } from "./drafts.mjs";
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

/** The folder with the source of a commit and its build, made once for all clones. */
export async function buildRelease(commit) {
  const short = commit.slice(0, 12);
  const folder = path.join(cache, `release-${short}`);
  if (existsSync(folder)) return folder;
  await placed(folder, async (draft) => {
    const archive = execFileSync("git", ["archive", commit], { cwd: root, maxBuffer: 1 << 28 });
    execFileSync("tar", ["-x", "-C", draft], { input: archive });
    const compiled = path.join(draft, "build/compiled");
    await compile({ folder: draft, crate: "hublet", place: "worker", release: true, out: compiled });
    await join(compiled, path.join(draft, "build"), short);
    rmSync(path.join(draft, "target"), { recursive: true, force: true });
  });
  return folder;
}
