// Secrets, in files that only their owner may read.

import { createHash, randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import util from "node:util";
import { home, root } from "./steps.mjs";
import { keep } from "./vault.mjs";

/** What is at work on this machine, and what the deployed worker has: Cloudflare never shows a secret again. */
export const development = path.join(home, ".dev.vars");
export const production = path.join(home, ".keys/production.vars");

const key = () => randomBytes(32).toString("base64url");

/** A pepper, named by its own value: a hash of another one must not be taken for one of its own. */
function pepper() {
  const value = key();
  return `${createHash("sha256").update(value).digest("hex").slice(0, 8)}:${value}`;
}

/** How a secret is made that there was never before. */
export const fresh = { TOKEN_KEY: key, PASSWORD_PEPPER: pepper };
export const names = Object.keys(fresh);

export const read = (file) => (existsSync(file) ? util.parseEnv(readFileSync(file, "utf8")) : {});

/**
 * Makes the secrets that a file lacks, and the file out of `beginning`; a value that is there is never changed. A file
 * that others may read is its owner's from then on.
 */
export function fill(file, wanted, beginning) {
  if (existsSync(file) && statSync(file).mode & 0o077) chmodSync(file, 0o600);
  const missing = wanted.filter((name) => !read(file)[name]);
  if (!missing.length) return;
  let after = existsSync(file) ? readFileSync(file, "utf8") : beginning;
  for (const name of missing) {
    const line = `${name}="${fresh[name]()}"`;
    const empty = new RegExp(`^${name}=("")?$`, "m");
    after = empty.test(after) ? after.replace(empty, line) : `${after.replace(/\n?$/, "\n")}${line}\n`;
  }
  keep(file, after);
}

/**
 * .dev.vars, made of its example. One of before gets what the example sets since: where it says nothing, wrangler.toml
 * would speak for this machine.
 */
export function forDevelopment() {
  const example = readFileSync(path.join(root, ".dev.vars.example"), "utf8");
  fill(development, names, example);
  const ours = read(development);
  const lacking = Object.entries(util.parseEnv(example)).filter(([name, value]) => value && ours[name] === undefined);
  if (!lacking.length) return;
  const lines = lacking.map(([name, value]) => `${name}="${value}"\n`);
  keep(development, readFileSync(development, "utf8").replace(/\n?$/, "\n") + lines.join(""));
}
