// The one way in which wrangler is called.

import { setTimeout } from "node:timers/promises";
import { configured } from "./configuration.mjs";
import { Failure, handOver, run } from "./steps.mjs";

/** Wrangler keeps to itself what it is doing, asks nobody for news, and takes no [env.*] from the environment. */
export const silence = {
  CLOUDFLARE_ENV: "",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/** Runs wrangler to its end and returns what it answered; it asks nothing. */
export function wrangler(args, options) {
  return run("wrangler", [...args, ...configured()], { ...options, env: { ...silence, CI: "1" } });
}

/** Lets wrangler talk with the person at the terminal. */
export async function wranglerAloud(args) {
  const code = await handOver("wrangler", [...args, ...configured()], { env: silence });
  if (code !== 0) throw new Failure(`wrangler ${args[0]} failed (${code})`);
}

/** How often a command is tried again that met a write of the running worker, and after how long. */
const BUSY = { times: 20, milliseconds: 250 };

/** Runs wrangler on a database where somebody else may be writing. */
export async function patiently(args, again = BUSY.times) {
  try {
    return await wrangler(args);
  } catch (error) {
    if (!again || !/SQLITE_BUSY|database is locked/.test(error.output)) throw error;
    await setTimeout(BUSY.milliseconds);
    return patiently(args, again - 1); // it took no effect: the commands of a batch are one transaction
  }
}
