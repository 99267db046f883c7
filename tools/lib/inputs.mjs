// What a step is made from, as one hash: a step whose inputs have not changed is not done again.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { root } from "./steps.mjs";

/** Every file of a folder, or the file itself, or nothing. */
export function files(name) {
  const place = path.join(root, name);
  if (!existsSync(place)) return [];
  if (!statSync(place).isDirectory()) return [name];
  return readdirSync(place)
    .sort()
    .flatMap((child) => files(path.join(name, child)));
}

/** Over names and contents, since a checkout changes times and not these. */
export function hash(names) {
  const sum = createHash("sha256");
  for (const name of names) {
    const content = readFileSync(path.join(root, name));
    sum.update(`${name}\0${content.length}\0`).update(content);
  }
  return sum.digest("hex");
}
