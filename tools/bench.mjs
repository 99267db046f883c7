// Measures the worker against the least that a worker can do, and against a twin in JavaScript. It prints what it
// measured in this run, and nothing else.
//
//   npm run bench             everything at 1, 16 and 64 connections: about eight minutes
//   npm run bench -- --quick  what has a budget: under two minutes, once everything is built
//   npm run bench -- distance an answer costs as many delays as its round trips
//   npm run bench -- flood    p95 of a mint by access token while passwords are guessed, beside the one without
//   npm run bench -- growth   p50 with 1,000, 30,000 and 1,000,000 repositories (or the sizes that are named)
//   npm run bench -- first-run
//                             seconds from a fresh clone with empty caches to the ready line, and to the first push
//   npm run bench -- --against DIR
//                             processor time of this build and of the one in the folder DIR, pair by pair: twenty
//                             minutes, with --quick six; DIR needs build/ and src/store/migrations, and is . to see
//                             how far the machine alone takes the ratios from 1

import { mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "./build.mjs";
import { compile, join } from "./lib/bundle.mjs";
import { setUpOperator } from "./lib/operator.mjs";
import { setUp } from "./lib/setup.mjs";
import { Failure, main, parse, root, step } from "./lib/steps.mjs";
import { built } from "./lib/trees.mjs";

/** The floor is a crate of its own, built as the worker is. */
async function floor() {
  const folder = "tests/bench/floor";
  const out = path.join(root, folder, "build/compiled");
  await compile({ folder, crate: "floor", place: "worker", release: true, out });
  await join(out, path.join(root, folder, "build"));
}

/** A table as Markdown, its columns as wide as they must be. */
function print(columns, rows) {
  const cells = [columns, columns.map(() => "---"), ...rows.map((row) => row.map((cell) => String(cell ?? "")))];
  console.log(`\n${cells.map((row) => `| ${row.join(" | ")} |`).join("\n")}`);
}

/** Where what is measured stands; it is no literal of an import, since tsc looks at the tools alone. */
const tests = "../tests/bench";

await main(async () => {
  const {
    values: { quick, against: folder },
    positionals,
  } = parse({ options: { quick: { type: "boolean" }, against: { type: "string" } }, allowPositionals: true });
  const held = folder !== undefined;
  if (held && positionals.length) throw new Failure(`--against DIR goes without ${positionals[0]}`);
  const [what = held ? "against" : "cost", ...sizes] = positionals;
  if (!held && !["cost", "distance", "first-run", "flood", "growth"].includes(what))
    throw new Failure(`${what} is nothing that is measured`);
  const against = held ? built(folder) : undefined;
  if (process.platform !== "linux") throw new Failure("the kernel's accounting is read as Linux has it");
  await setUp({ development: true });
  if (what !== "first-run") {
    await setUpOperator();
    await step("worker", build);
    if (what === "cost") await step("floor", floor);
    const { bringWrk } = await import(`${tests}/load.mjs`);
    await bringWrk();
  }
  const { measure } = await import(`${tests}/${what}.mjs`);
  const machine = `${os.cpus()[0].model}, ${os.cpus().length} cores, ${os.hostname()}`;
  const begun = new Date();
  const result = await measure({ quick, against, sizes: sizes.map(Number), print });
  const load = os
    .loadavg()
    .map((number) => number.toFixed(1))
    .join(" ");
  console.log(`\n${begun.toISOString().slice(0, 16).replace("T", " ")} UTC, ${machine}; load ${load} at the end`);
  const file = path.join(root, `target/bench/${what}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ begun, machine, load, ...result }, undefined, 2)}\n`);
  console.log(path.relative(root, file));
});
// Servers may still run, also after a failure.
process.exit();
