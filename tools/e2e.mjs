// Real registries and real clients against the built worker: one test file at a time, since they share daemons and ports.

import { build } from "./build.mjs";
import { forDevelopment } from "./lib/settings.mjs";
import { setUp } from "./lib/setup.mjs";
import { handOver, main, step } from "./lib/steps.mjs";
import { silence } from "./lib/wrangler.mjs";

await main(async () => {
  await setUp();
  forDevelopment();
  await step("worker", build);
  const tests = ["--test", "--test-concurrency=1", "--test-reporter=spec", "tests/e2e/*.test.mjs"];
  process.exitCode = await handOver("node", tests, { env: silence });
});
