// Real registries and real clients against the built worker: one test file at a time, since they share daemons and ports.

import { build } from "./build.mjs";
import { nodeTests } from "./lib/node-tests.mjs";
import { forDevelopment } from "./lib/settings.mjs";
import { setUpOperator } from "./lib/operator.mjs";
import { setUp } from "./lib/setup.mjs";
import { handOver, main, step } from "./lib/steps.mjs";
import { silence } from "./lib/wrangler.mjs";

await main(async () => {
  await setUp({ development: true });
  await setUpOperator();
  forDevelopment();
  await step("worker", build);
  process.exitCode = await handOver("node", nodeTests("tests/e2e/*.test.mjs", "--test-concurrency=1"), {
    env: silence,
  });
});
