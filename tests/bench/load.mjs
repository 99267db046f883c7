// Load from wrk, and what it cost the server by the kernel's accounting.

import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { Failure, find, root } from "../../tools/lib/steps.mjs";

const TICK = 1000 / Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout || 100); // milliseconds

export function requireWrk() {
  if (!find("wrk")) throw new Failure("wrk is missing: install it (Debian: apt-get install wrk)");
}

/** Milliseconds of processor that a process has used, in all its threads. */
export function used(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

/** Sends one request over so many connections for so many seconds. */
export async function load(server, { method = "GET", target, authorization = "", body = "" }, connections, seconds) {
  const words = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "20s", "-s", path.join(root, "tests/bench/wrk.lua"), `${server.url}${target}`];
  const env = { ...process.env, BENCH_METHOD: method, BENCH_AUTHORIZATION: authorization, BENCH_BODY: body };
  const before = used(server.pid);
  const said = await new Promise((resolve, reject) => {
    const child = spawn("wrk", words, { env, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (part) => void (said += part));
    child.on("error", reject);
    child.on("close", () => resolve(said));
  });
  const line = said.split("\n").find((line) => line.startsWith("{"));
  if (!line) throw new Failure(`wrk said nothing of ${target}`, said);
  const { requests, seconds: took, bytes, failed, ...latency } = JSON.parse(line);
  // What was under way at the end is not in the count: at most one a connection.
  return { requests, rate: requests / took, cpu: (used(server.pid) - before) / Math.max(requests, 1), bytes: bytes / Math.max(requests, 1), failed, ...latency };
}

const middle = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** The middle of several runs, number by number; processor time over all of them. */
export function together(runs) {
  const all = runs.reduce((sum, { requests }) => sum + requests, 0);
  const of = (name) => middle(runs.map((run) => run[name]));
  const cpu = runs.reduce((sum, run) => sum + run.cpu * run.requests, 0) / Math.max(all, 1);
  return { requests: all, rate: of("rate"), cpu, p50: of("p50"), p95: of("p95"), p99: of("p99"), bytes: of("bytes"), failed: runs.reduce((sum, run) => sum + run.failed, 0) };
}
