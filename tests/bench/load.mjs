// Load from wrk, and what it cost the server by the kernel's accounting.

import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { Failure, find, root, run, step } from "../../tools/lib/steps.mjs";

/** wrk is in no package registry of a language: Debian's package is installed where that can be done unasked. */
export async function bringWrk() {
  if (find("wrk")) return;
  const advice = "wrk is missing: install it (Debian: apt-get install wrk)";
  if (!find("apt-get") || process.getuid() !== 0) throw new Failure(advice);
  const install = (...words) => run("apt-get", words, { env: { DEBIAN_FRONTEND: "noninteractive" } });
  await step(
    "wrk",
    async () => {
      await install("update");
      await install("install", "--yes", "--no-install-recommends", "wrk");
    },
    { always: true },
  );
}

/** Milliseconds of processor that a process has used, in all its threads, to the nanosecond. */
export function used(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const of = (thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return threads.reduce((sum, thread) => sum + of(thread), 0) / 1e6;
}

/** Sends one request over so many connections for so many seconds. */
export async function load(server, { method = "GET", target, authorization = "", body = "" }, connections, seconds) {
  const words = [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--timeout",
    "20s",
    "-s",
    path.join(root, "tests/bench/wrk.lua"),
    `${server.url}${target}`,
  ];
  const env = { ...process.env, BENCH_METHOD: method, BENCH_AUTHORIZATION: authorization, BENCH_BODY: body };
  const before = used(server.pid);
  const said = await new Promise((resolve, reject) => {
    const child = spawn("wrk", words, { env, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (part) => {
      said += part;
    });
    child.on("error", reject);
    child.on("close", () => resolve(said));
  });
  const line = said.split("\n").find((line) => line.startsWith("{"));
  if (!line) throw new Failure(`wrk said nothing of ${target}`, said);
  const { requests, seconds: took, bytes, failed, ...latency } = JSON.parse(line);
  // What was under way at the end is not in the count: at most one a connection.
  return {
    requests,
    rate: requests / took,
    cpu: (used(server.pid) - before) / Math.max(requests, 1),
    bytes: bytes / Math.max(requests, 1),
    failed,
    ...latency,
  };
}

/** The number below which so great a part of the numbers is: by default the middle one. */
export const quantile = (numbers, part = 1 / 2) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * part)];

/** The middle of several runs, number by number; processor time over all of them. */
export function together(runs) {
  const all = runs.reduce((sum, { requests }) => sum + requests, 0);
  const of = (name) => quantile(runs.map((run) => run[name]));
  const cpu = runs.reduce((sum, run) => sum + run.cpu * run.requests, 0) / Math.max(all, 1);
  return {
    requests: all,
    rate: of("rate"),
    cpu,
    p50: of("p50"),
    p95: of("p95"),
    p99: of("p99"),
    bytes: of("bytes"),
    failed: runs.reduce((sum, run) => sum + run.failed, 0),
  };
}
