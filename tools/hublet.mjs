#!/usr/bin/env node
// What a package is called by: `npx hublet-VERSION.tgz start`, and the other commands of an operator.

import { fileURLToPath } from "node:url";
import { commands } from "./lib/steps.mjs";

const [name] = process.argv.slice(2);
if (!commands.includes(name)) {
  console.error(`hublet: ${name === undefined ? "" : `${name} is no command; `}there are ${commands.join(", ")}`);
  process.exit(1);
}
// The tool starts over with a newer Node where this one is too old, so it is named as if it had been called itself.
const tool = new URL(`${name}.mjs`, import.meta.url);
process.argv.splice(1, 2, fileURLToPath(tool));
await import(tool.href);
