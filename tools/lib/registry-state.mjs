// How far a run got that was interrupted: the next one of its kind goes on there.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { Failure } from "./steps.mjs";
import { keep } from "./vault.mjs";

/** Milliseconds after which a run begins at the beginning: what it looked at may have changed. */
const LONGEST = 86_400_000;

export class State {
  /** The state in `file` of runs of one kind (`run`); it is read and written where there is something to look at. */
  constructor(file, run) {
    this.file = file;
    this.run = run;
    this.began = new Date().toISOString();
    this.finished = "";
    const before = read(file);
    const age = Date.now() - Date.parse(before.began);
    if (before.run === run && age >= 0 && age < LONGEST) {
      this.began = before.began;
      this.finished = before.finished;
    }
  }

  /** All repositories up to this one were looked at, and what differed was reported. */
  finish(repository) {
    this.finished = repository;
    const { run, began, finished } = this;
    keep(this.file, `${JSON.stringify({ run, began, finished })}\n`);
  }

  /** The run is done. */
  end() {
    rmSync(this.file, { force: true });
  }
}

function read(file) {
  if (!existsSync(file)) return {};
  try {
    const { run, began, finished } = JSON.parse(readFileSync(file, "utf8"));
    if ([run, began, finished].every((value) => typeof value === "string")) return { run, began, finished };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Failure(`${file} is no state of a run: delete it, and the next run begins at the beginning`);
}
