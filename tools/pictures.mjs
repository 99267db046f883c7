// Makes the pictures of the manual: every screen of an index with a fixed fill, in docs/pictures.

import path from "node:path";
import { build } from "./build.mjs";
import { setUpOperator } from "./lib/operator.mjs";
import { setUp } from "./lib/setup.mjs";
import { main, root, step } from "./lib/steps.mjs";

/** Where the screens are; it is no literal of an import, since tsc looks at the tools alone. */
const tests = "../tests/e2e/support";

await main(async () => {
  await setUp({ development: true });
  await setUpOperator();
  await step("worker", build);
  const { bring, take } = await import(`${tests}/pictures.mjs`);
  await bring();
  const folder = path.join(root, "docs/pictures");
  const made = await step("pictures", () => take(folder), { always: true });
  for (const { name, bytes } of made) console.log(`${path.relative(root, folder)}/${name}.png  ${bytes} bytes`);
  console.log(`${made.length} pictures, ${made.reduce((sum, { bytes }) => sum + bytes, 0)} bytes`);
});
// The runtime of the worker may still run, also after a failure.
process.exit();
