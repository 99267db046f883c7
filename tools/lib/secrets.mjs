// The secrets of an index, in files that only their owner may read.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import util from "node:util";
import { root } from "./steps.mjs";

/** What is at work on this machine, and what the deployed worker has: Cloudflare never shows a secret again. */
export const development = path.join(root, ".dev.vars");
export const production = path.join(root, ".keys/production.vars");

const key = () => randomBytes(32).toString("base64url");
const fresh = { TOKEN_KEY: key, PASSWORD_PEPPER: () => `1:${key()}` };
export const names = Object.keys(fresh);

export const read = (file) => (existsSync(file) ? util.parseEnv(readFileSync(file, "utf8")) : {});

/** Fills in the secrets that a file lacks, and begins it with `text`; a value that is there is never changed. */
export function fill(file, wanted, text = "") {
  const before = existsSync(file) ? readFileSync(file, "utf8") : null;
  let after = before ?? text;
  for (const name of wanted) {
    if (util.parseEnv(after)[name]) continue;
    const line = `${name}="${fresh[name]()}"`;
    const empty = new RegExp(`^${name}=("")?$`, "m");
    after = empty.test(after) ? after.replace(empty, line) : `${after}${line}\n`;
  }
  if (after === before) return;
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, after, { mode: 0o600 });
}

/** .dev.vars, made of its example. */
export function forDevelopment() {
  fill(development, names, readFileSync(path.join(root, ".dev.vars.example"), "utf8"));
}
