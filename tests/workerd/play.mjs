// Plays the pages of the contract against a worker, by the test that plays them in process.

import { spawn } from "node:child_process";
import { root } from "../../tools/lib/steps.mjs";

function cargo(env, ...words) {
  const child = spawn("cargo", ["test", "--locked", "--quiet", "--test", "it", ...words], {
    cwd: root,
    env: { ...process.env, RUST_BACKTRACE: "0", ...env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part) => {
      output += part;
    });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(output))));
  });
}

/** Compiles what plays them, which may take minutes, or wait for another cargo. */
export const buildPlayer = () => cargo({}, "--no-run");

/** Plays every page of `pages`, a folder, or of this clone; a page that does not hold is an error. */
export async function play(worker, directives, pages) {
  const env = { INDEX_URL: worker.url.origin, INDEX_DIRECTIVES: directives.url, ...(pages && { PAGES: pages }) };
  const output = await cargo(env, "wire::pages_hold");
  const [, played, skipped] = /(\d+) exchanges played, (\d+) skipped/.exec(output);
  return { played: Number(played), skipped: Number(skipped) };
}
