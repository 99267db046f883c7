// Programs that are installed on this machine: found, skipped with a clear line, or run to their end.

import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { end, marked } from "./marks.mjs";

// A daemon lies in sbin, which the PATH of a person often lacks.
const folders = [...process.env.PATH.split(path.delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The full name of a program, or undefined. */
export function find(program) {
  return folders.map((folder) => path.join(folder, program)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The `skip` of a test that needs these programs: false, or the line that says which of them is missing. */
export function without(...programs) {
  const missing = programs.find((program) => !find(program));
  return missing ? `skipped: ${missing} is not installed` : false;
}

/** The same for a test that needs them as root, as the daemons do. */
export function withoutRootOr(...programs) {
  return without(...programs) || (process.getuid() === 0 ? false : `skipped: ${programs[0]} needs root`);
}

/** What npm and node:test told this process about itself is not for what it starts. */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_TEST_|NODE_OPTIONS$)/.test(name)),
);

/**
 * Runs a program to its end, whatever its exit code: `{ code, stdout, stderr, milliseconds }`. `env` is set for it over the
 * environment of this process, or over one that is `bare`.
 * After `limit` milliseconds it is ended together with what it started, and this throws.
 */
export async function run(
  program,
  args,
  { env = {}, bare = environment, input = "", limit = 60_000, ...options } = {},
) {
  const mark = marked();
  const began = performance.now();
  const child = spawn(find(program) ?? program, args, { ...options, env: { ...bare, ...env, ...mark.env } });
  const answer = { code: null, stdout: "", stderr: "", milliseconds: 0 };
  for (const stream of ["stdout", "stderr"]) {
    child[stream].setEncoding("utf8").on("data", (text) => (answer[stream] += text));
  }
  child.stdin.on("error", () => {}); // it may end without having read everything
  child.stdin.end(input);
  let late = false;
  const clock = setTimeout(() => {
    late = true;
    end(mark, "SIGKILL");
  }, limit);
  try {
    answer.code = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(code ?? signal));
    });
  } finally {
    clearTimeout(clock);
    mark.forget();
  }
  answer.milliseconds = performance.now() - began;
  if (late) throw new Error(`${program} ${args.join(" ")}: not done after ${limit} ms\n${answer.stderr}`);
  return answer;
}

/** Runs a program that must succeed, and returns what it printed. */
export async function succeed(program, args, options) {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} failed (${code})\n${stdout}${stderr}`);
  return stdout;
}
