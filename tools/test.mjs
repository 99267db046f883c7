// The gate: everything that must hold before a change lands, in the order in which it fails fastest.
//
//   npm test                 the whole gate
//   npm test -- quick        what takes a minute after a change: no workerd, no tools, no tests that make their own cases
//   npm test -- faults       one part of it: tests/it/faults.rs, tests/workerd/faults.test.mjs, tests/tools/faults.test.mjs

import { existsSync } from "node:fs";
import path from "node:path";
import { build, buildForTests } from "./build.mjs";
import { advisories, crates, packages } from "./lib/dependencies.mjs";
import { nodeTests } from "./lib/node-tests.mjs";
import { setUpOperator } from "./lib/operator.mjs";
import { buildRelease, releaseBefore } from "./lib/release.mjs";
import { forDevelopment } from "./lib/settings.mjs";
import { setUp } from "./lib/setup.mjs";
import { Failure, main, root, run, stepsAtOnce } from "./lib/steps.mjs";
import { silence } from "./lib/wrangler.mjs";

/** @type {{ passed: number, skipped: number, cases: string[] }} */
const told = { passed: 0, skipped: 0, cases: [] };

// What cargo and node say of the tests they ran, so that a gate that ran none shows; and the lines by which a test
// that makes its own cases says how many: "cases: 1204 faults".
function count(output) {
  told.cases.push(...[...output.matchAll(/^(?:ℹ )?(cases: .*)$/gm)].map(([, line]) => line));
  const sum = (...patterns) =>
    patterns
      .flatMap((pattern) => [...output.matchAll(pattern)])
      .reduce((total, [, number]) => total + Number(number), 0);
  const passed = sum(/^test result: .*?(\d+) passed/gm, /^ℹ pass (\d+)/gm);
  const skipped = sum(/^test result: .*?(\d+) ignored/gm, /^ℹ (?:skipped|todo) (\d+)/gm);
  told.passed += passed;
  told.skipped += skipped;
  return `${passed} passed${skipped ? `, ${skipped} skipped` : ""}`;
}

const cargo = (...words) => run("cargo", words);

/** The crates that are compiled for it. */
const forWasm = ["--package", "hublet", "--package", "hublet-operator"];

// --locked: what is tested is what Cargo.lock says, not what is newest today.
/** @type {[string, () => unknown][]} */
const lints = [
  ["format", () => Promise.all([cargo("fmt", "--all", "--check"), run("biome", ["check", "--error-on-warnings"])])],
  ["types", () => run("tsc", [])],
];

/** @type {[string, () => unknown]} */
const clippy = ["clippy", () => cargo("clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings")];

/** These make their own cases, many of them. */
const generated = ["forgery", "leaks", "properties"];

/** @type {[string, () => unknown][]} */
const quick = [
  ...lints,
  clippy,
  ["tests", () => inProcess("--workspace", "--", ...generated.flatMap((name) => ["--skip", `${name}::`]))],
];

/** @type {Promise<void> | undefined} */
let testing;
/** What the tests in workerd need besides the release: both lists ask for it, and the first one has it made. */
const forTests = () => (testing ??= setUpOperator().then(buildForTests));

/** @type {[string, () => unknown][]} */
const compiled = [
  clippy,
  // Before what takes long: the tests in workerd wait for it, and cargo lets one build at a time into a profile.
  ["build for tests", forTests],
  [
    "clippy for wasm",
    () =>
      cargo("clippy", "--locked", ...forWasm, "--target", "wasm32-unknown-unknown", "--lib", "--", "-D", "warnings"),
  ],
  // The fuzzer is built later, by what its own file says.
  [
    "Cargo.lock of the fuzzer",
    async () => void (await cargo("tree", "--locked", "--manifest-path", "tests/fuzz/Cargo.toml")),
  ],
  ["crates", crates],
  ["advisories of crates", advisories],
  ["npm audit", packages],
  ["tests", () => inProcess("--workspace")],
  ["tests of the tools", () => ofTools()],
];

/** @type {[string, () => unknown]} */
const earlier = [
  "release before (once)",
  async () => {
    const commit = releaseBefore();
    if (commit) await buildRelease(commit);
  },
];

/** @type {[string, () => unknown][]} */
const built = [["release build", build], earlier, ["tests in workerd", () => inWorkerd()]];

/** One part of the gate by the name of its file. */
function part(name) {
  if (name === "quick") return quick;
  const has = (file) => existsSync(path.join(root, file));
  /** @type {[string, () => unknown][]} */
  const steps = [];
  if (has(`tests/it/${name}.rs`) || has(`tests/it/${name}/mod.rs`))
    steps.push(["tests", () => inProcess("--test", "it", "--", `${name}::`)]);
  if (has(`tests/tools/${name}.test.mjs`)) steps.push(["tests of the tools", () => ofTools(name)]);
  if (has(`tests/workerd/${name}.test.mjs`))
    steps.push(["release build", build], ...(name === "contract" ? [earlier] : []), [
      "tests in workerd",
      () => inWorkerd(name),
    ]);
  if (!steps.length) throw new Failure(`no test is called ${name}`);
  return steps;
}

async function inProcess(...which) {
  const dashes = which.includes("--") ? [] : ["--"];
  return count(await cargo("test", "--locked", "--no-fail-fast", ...which, ...dashes, "--show-output"));
}

async function ofTools(name = "*") {
  await setUpOperator();
  return count(await run("node", nodeTests(`tests/tools/${name}.test.mjs`)));
}

async function inWorkerd(name = "*") {
  await forTests();
  forDevelopment();
  // Two files at once: each has an index of its own, and waits a part of its time.
  // Hostile requests are many only where nothing else is asked for: fifty thousand take minutes.
  const env = name === "*" ? { REQUESTS: "5000", ...silence } : silence;
  return count(await run("node", nodeTests(`tests/workerd/${name}.test.mjs`, "--test-concurrency=2"), { env }));
}

await main(async () => {
  const names = process.argv.slice(2);
  // What two cores may do at once: much of it has one thread, or waits.
  const parts = names.length ? [[names.flatMap(part)]] : [[lints], [compiled, built]];
  await setUp({ development: true });
  for (const lists of parts) await stepsAtOnce(lists, { always: true });
  if (!told.passed) throw new Failure("no test ran");
  for (const line of told.cases) console.log(line);
  console.log(`${told.passed} passed, 0 failed, ${told.skipped} skipped`);
});
