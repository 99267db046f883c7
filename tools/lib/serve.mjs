// The worker on this machine, run by wrangler's library: its command `dev` would open an inspector, which shows every
// secret, and pages that run any SQL. A process of its own, so that whoever started it can end all of it. Options come
// on standard input.

import { readFileSync } from "node:fs";
import { unstable_startWorker as startWorker } from "wrangler";
import { configurationFile } from "./configuration.mjs";
import { development } from "./settings.mjs";
import { packaged } from "./steps.mjs";

const { ip, port, state, vars } = JSON.parse(readFileSync(0, "utf8"));

const worker = await startWorker({
  config: configurationFile(),
  bindings: Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, { type: "plain_text", value }])),
  dev: { server: { hostname: ip, port }, persist: state, inspector: false, remote: false, watch: !packaged },
  // A package is built, and its configuration does not lie where the operator's secrets do.
  ...(packaged ? { envFiles: [development], build: { bundle: false, custom: { command: "" } } } : {}),
});
worker.raw.on("error", ({ reason, cause, message }) => {
  console.error([message, reason, cause?.message].filter(Boolean).join(": "));
  process.exit(1);
});
