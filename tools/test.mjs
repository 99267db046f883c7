// The gate: everything that must hold before a change lands, in the order in which it fails fastest.

import { build } from "./build.mjs";
import { files } from "./lib/inputs.mjs";
import { forDevelopment } from "./lib/settings.mjs";
import { setUp } from "./lib/setup.mjs";
import { Failure, main, run, step } from "./lib/steps.mjs";
import { silence } from "./lib/wrangler.mjs";

const told = { passed: 0, skipped: 0 };

// What cargo and node say of the tests they ran, so that a gate that ran none shows.
function count(output) {
  const sum = (...patterns) =>
    patterns.flatMap((pattern) => [...output.matchAll(pattern)]).reduce((total, [, number]) => total + Number(number), 0);
  const passed = sum(/^test result: .*?(\d+) passed/gm, /^ℹ pass (\d+)/gm);
  const skipped = sum(/^test result: .*?(\d+) ignored/gm, /^ℹ (?:skipped|todo) (\d+)/gm);
  told.passed += passed;
  told.skipped += skipped;
  return `${passed} passed${skipped ? `, ${skipped} skipped` : ""}`;
}

const cargo = (...words) => run("cargo", words);

// --locked: what is tested is what Cargo.lock says, not what is newest today.
const gate = [
  ["format", () => cargo("fmt", "--check")],
  ["clippy", () => cargo("clippy", "--locked", "--all-targets", "--", "-D", "warnings")],
  ["clippy for wasm", () => cargo("clippy", "--locked", "--target", "wasm32-unknown-unknown", "--lib", "--", "-D", "warnings")],
  ["tests", async () => count(await cargo("test", "--locked"))],
  ["tests of the tools", ofTools],
  ["release build", build],
  ["tests in workerd", inWorkerd],
];

async function ofTools() {
  if (!files("tests/tools").length) return "none yet";
  return count(await run("node", ["--test", "--test-reporter=spec", "tests/tools/*.test.mjs"]));
}

async function inWorkerd() {
  if (!files("tests/workerd").length) return "none yet";
  forDevelopment();
  return count(await run("node", ["--test", "--test-reporter=spec", "tests/workerd/*.test.mjs"], { env: silence }));
}

await main(async () => {
  await setUp();
  for (const [title, work] of gate) await step(title, work, { always: true });
  if (!told.passed) throw new Failure("no test ran");
  console.log(`${told.passed} passed, 0 failed, ${told.skipped} skipped`);
});
