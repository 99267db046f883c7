// The one way in which wrangler is called.

import path from "node:path";
import { Failure, handOver, root, run } from "./steps.mjs";

const program = path.join(root, "node_modules/.bin/wrangler");

/** Wrangler keeps to itself what it is doing, and asks nobody for news. */
export const silence = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/** Runs wrangler to its end and returns what it answered; it asks nothing. */
export const wrangler = (args, options) => run(program, args, { ...options, env: { ...silence, CI: "1" } });

/** Lets wrangler talk with the person at the terminal. */
export async function wranglerAloud(args) {
  const code = await handOver(program, args, { env: silence });
  if (code !== 0) throw new Failure(`wrangler ${args[0]} failed (${code})`);
}
