// A terminal for a tool that asks questions: `script`, of util-linux, makes one.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import util from "node:util";

/** Why a test that needs a terminal is skipped, or nothing. */
export const noTerminal = /util-linux/.test(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "")
  ? false
  : "script (util-linux) is not installed";

/**
 * Runs a command of a shell there. `answers` are typed, each once what comes before it was printed since the last:
 * `[[prompt, keys]]`. Gives `{ status, said, left }`: `left` are the prompts that did not come.
 */
export async function atTerminal(command, answers, options) {
  const child = spawn("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"], {
    ...options,
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 120_000,
  });
  const left = [...answers];
  let said = "";
  let heard = 0;
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
    const plain = util.stripVTControlCharacters(said);
    while (left.length && plain.includes(left[0][0], heard)) {
      const [prompt, keys] = left.shift();
      heard = plain.indexOf(prompt, heard) + prompt.length;
      child.stdin.write(keys);
    }
  });
  const [status] = await once(child, "close");
  return {
    status,
    said: util.stripVTControlCharacters(said).replaceAll("\r", ""),
    left: left.map(([prompt]) => prompt),
  };
}
