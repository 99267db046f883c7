// Work on the operator's folder that two tools must not do at once.

import { mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { breathe, home, onDisk, step } from "./steps.mjs";

/** Whoever has it locked works; it is empty, and what it was locked by ends with its process. */
const file = path.join(home, ".wrangler/lock");

/** How SQLite says that another process has locked a file, and milliseconds until it is asked again. */
const BUSY = 5;
const PAUSE = 250;

/** Does `work` once no other process does such work in this folder. */
export async function alone(work) {
  const { DatabaseSync } = await import("node:sqlite"); // wants the Node that was brought
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const lock = await onDisk(`cannot write ${file}`, () => new DatabaseSync(file, { timeout: 0 }));
  try {
    await step("waiting for another tool", () => locked(lock));
    return await work();
  } finally {
    lock.close();
  }
}

async function locked(lock) {
  for (;;) {
    try {
      return lock.exec("begin exclusive");
    } catch (error) {
      if ((error.errcode & 0xff) !== BUSY) return onDisk(`cannot lock ${file}`, () => Promise.reject(error));
      await setTimeout(PAUSE);
      await breathe("");
    }
  }
}
