// Measures the worker against the least that a worker can do, and against a twin in JavaScript. It prints what it
// measured in this run, and nothing else.
//
//   npm run bench             everything at 1, 16 and 64 connections: at most twelve minutes
//   npm run bench -- --quick  what has a budget: two and a half minutes, once everything is built
//   npm run bench -- distance an answer costs as many delays as its round trips
//   npm run bench -- flood    p95 of a mint by access token while passwords are guessed, beside the one without
//   npm run bench -- rivals   what a registry token costs beside a file of passwords and a token server with bcrypt
//   npm run bench -- storm    120 nodes that start at once: queries, refusals, and when the last one has its tokens
//   npm run bench -- growth   p50 with 1,000, 30,000 and 1,000,000 repositories (or the sizes that are named): at most
//                             twenty minutes
//   npm run bench -- first-run
//                             seconds from a fresh clone with empty caches to the ready line, and to the first push
//   npm run bench -- --against DIR
//                             processor time of this build and of the one in the folder DIR, pair by pair: twenty
//                             minutes, with --quick six; DIR needs build/ and src/store/migrations, and is . to see
//                             how far the machine alone takes the ratios from 1
//
// A run that is not quick waits up to five minutes for a load below 1. With --keep, what was measured goes into
// docs/measured and the manual, unless the machine was busy.

import { mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { build, commit } from "./build.mjs";
import { compile, join } from "./lib/bundle.mjs";
import { keep, MEASURED, origin, table } from "./lib/measured.mjs";
import { setUpOperator } from "./lib/operator.mjs";
import { setUp } from "./lib/setup.mjs";
import { breathe, Failure, main, parse, root, step } from "./lib/steps.mjs";
import { built } from "./lib/trees.mjs";

/** The floor is a crate of its own, built as the worker is. */
async function floor() {
  const folder = "tests/bench/floor";
  const out = path.join(root, folder, "build/compiled");
  await compile({ folder, crate: "floor", place: "worker", release: true, out });
  await join(out, path.join(root, folder, "build"));
}

/** How busy a machine may be whose numbers are kept, and how long it is waited for. */
const QUIET = 1;
const PATIENCE = 300;

/** Waits until the machine is quiet; whether it is. */
async function quiet() {
  const load = () => os.loadavg()[0];
  for (const end = Date.now() + PATIENCE * 1000; load() >= QUIET && Date.now() < end; ) {
    await breathe(`load ${load().toFixed(1)}`);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
  }
  return load() < QUIET;
}

/** Where what is measured stands; it is no literal of an import, since tsc looks at the tools alone. */
const tests = "../tests/bench";

await main(async () => {
  const { values, positionals } = parse({
    options: { quick: { type: "boolean" }, keep: { type: "boolean" }, against: { type: "string" } },
    allowPositionals: true,
  });
  const { quick, against: folder } = values;
  if (values.keep && (quick || folder !== undefined))
    throw new Failure("--keep takes a whole run, of this build alone");
  const held = folder !== undefined;
  if (held && positionals.length) throw new Failure(`--against DIR goes without ${positionals[0]}`);
  const [what = held ? "against" : "cost", ...sizes] = positionals;
  if (!held && !MEASURED.includes(what)) throw new Failure(`${what} is nothing that is measured`);
  const against = held ? built(folder) : undefined;
  if (values.keep && sizes.length) throw new Failure("--keep takes all sizes");
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
  const busy = quick ? os.loadavg()[0] >= QUIET : !(await step("a quiet machine", quiet, { always: true }));
  if (busy) console.error(`hublet: the load is ${QUIET} or more: the ratios hold better than the milliseconds`);
  const machine = `${os.cpus()[0].model}, ${os.cpus().length} cores`;
  const begun = new Date().toISOString();
  const tables = [];
  const print = (columns, rows) => {
    tables.push({ columns, rows });
    console.log(`\n${table({ columns, rows })}`);
  };
  const start = performance.now();
  const measured = await measure({ quick, against, sizes: sizes.map(Number), print });
  const load = os
    .loadavg()
    .map((number) => number.toFixed(1))
    .join(" ");
  const command = ["npm run bench", ...(what === "cost" ? [] : ["--", what])].join(" ");
  const seconds = Math.round((performance.now() - start) / 1000);
  const result = { command, begun, took: seconds, commit: commit(), machine, load, busy, tables, ...measured };
  console.log(`\n${origin(result)} It took ${seconds} s.${busy ? " It began on a busy machine." : ""}`);
  const file = path.join(root, `target/bench/${what}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
  console.log(path.relative(root, file));
  if (values.keep) keep(what, result);
});
// Servers may still run, also after a failure.
process.exit();
