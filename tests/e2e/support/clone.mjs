// A copy of the tree: what somebody has who begins. What was built comes along, so that nothing is built twice; keys,
// secrets and databases stay with whom they belong to.

import { cpSync, readdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { scratch } from "./scratch.mjs";

/** The tree that these tests are in. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

const left = [".git", ".wrangler", ".keys", "node_modules", "target"];
const isLeft = (name) => left.includes(name) || (/^\.(dev\.vars|env)/.test(name) && name !== ".dev.vars.example");

/** A new copy; gives its folder. */
export function clone() {
  const folder = scratch();
  for (const name of readdirSync(root).filter((name) => !isLeft(name))) {
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  return folder;
}
