// Other clones, whose builds are held against the one of this checkout.

import { existsSync } from "node:fs";
import path from "node:path";
import { Failure } from "./steps.mjs";

/** The full name of a folder that has what a build is served from; any other is a Failure. */
export function built(folder) {
  if (!existsSync(folder)) throw new Failure(`there is no folder "${folder}"`);
  const tree = path.resolve(folder);
  for (const part of ["build/index.js", "build/index_bg.wasm", "src/store/migrations"]) {
    if (!existsSync(path.join(tree, part))) throw new Failure(`${tree} has no ${part}`);
  }
  return tree;
}
