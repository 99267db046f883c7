// Coverage-guided fuzzing of every parser of foreign bytes, on the stable compiler: libFuzzer, and the marks that it
// reads put in by LLVM.
//
//   npm run fuzz                 five minutes
//   npm run fuzz -- SECONDS
//
// What it finds that is new for coverage goes into target/fuzz/found, what fails into target/fuzz. A case that is worth
// keeping goes into tests/fuzz/corpus, under a short name; cargo test replays those.

import { cpus } from "node:os";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { setUp } from "./lib/setup.mjs";
import { Failure, find, main, pass, root, run, step } from "./lib/steps.mjs";

const marks = [
  "-Cpasses=sancov-module",
  "-Cllvm-args=-sanitizer-coverage-level=4",
  "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
  "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
const folder = path.join(root, "target/fuzz");

await main(async () => {
  const seconds = Number(process.argv[2] ?? 300);
  if (!(seconds > 0)) throw new Failure("usage: npm run fuzz [-- SECONDS]");
  await setUp({ development: true });
  if (!find("c++"))
    throw new Failure("a C++ compiler is missing: install one (Debian: apt-get install build-essential)");
  const [, host] = /^host: (.*)$/m.exec(await run("rustc", ["-vV"])) ?? [];
  if (!host) throw new Failure("rustc does not say for which machine it compiles");
  await step("fuzzer", () =>
    // With a target that is named, build scripts and macros are left without the marks.
    run(
      "cargo",
      [
        "build",
        "--locked",
        "--release",
        "--manifest-path",
        "tests/fuzz/Cargo.toml",
        "--target-dir",
        folder,
        "--target",
        host,
      ],
      {
        env: { RUSTFLAGS: marks.join(" ") },
      },
    ),
  );
  const found = path.join(folder, "found");
  mkdirSync(found, { recursive: true });
  const program = path.join(folder, host, "release/hublet-fuzz");
  const limits = [
    `-max_total_time=${seconds}`,
    "-max_len=4096",
    "-timeout=10",
    "-rss_limit_mb=2048",
    `-artifact_prefix=${folder}/`,
  ];
  const jobs = Math.max(1, Math.floor(cpus().length / 2));
  const words = [
    ...limits,
    "-print_final_stats=1",
    ...(jobs > 1 ? [`-fork=${jobs}`] : []),
    found,
    path.join(root, "tests/fuzz/corpus"),
  ];
  let said = "";
  const heard = (text) => {
    pass(text);
    said += text;
  };
  await run(program, words, { heard }).catch((error) => {
    throw new Failure(`${error.message}: what it was fed is in target/fuzz`);
  });
  // With -fork there are no statistics at the end: each line of it has the number so far.
  const last = [...said.matchAll(/^(?:stat::number_of_executed_units: +|#)(\d+)(?:$|: cov: )/gm)].at(-1);
  if (!last) throw new Failure("the fuzzer did not say how many inputs it ran");
  console.log(`cases: ${last[1]} inputs fuzzed`);
});
