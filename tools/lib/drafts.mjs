// Folders that are there whole, or not at all.

import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

/** Lets `make` fill a folder beside its place, and then renames it: two runs may do it at once, and the first one stays. */
export async function placed(folder, make) {
  mkdirSync(path.dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}.`);
  try {
    await make(draft);
    renameSync(draft, folder);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST"].includes(error.code)) throw error; // another run was faster
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
