// Compares two builds: both get the same requests, and must give the same answers and store the same rows.
//
//   npm run compare -- DIR           the build in the folder DIR and the one of this checkout
//   npm run compare -- DIR OTHER     the builds in two folders
//
// A folder needs build/ and src/store/migrations. SEED=… repeats the hostile requests of a run, REQUESTS=… sets how many
// there are.

import { build } from "./build.mjs";
import { setUpOperator } from "./lib/operator.mjs";
import { setUp } from "./lib/setup.mjs";
import { Failure, main, parse, root, step } from "./lib/steps.mjs";
import { built } from "./lib/trees.mjs";
import { silence } from "./lib/wrangler.mjs";

/** No literal of an import, since tsc looks at the tools alone. */
const tests = "../tests/compare/main.mjs";

await main(async () => {
  const { positionals: folders } = parse({ allowPositionals: true });
  if (folders.length < 1 || folders.length > 2) throw new Failure("usage: npm run compare -- DIR [OTHER]");
  const trees = folders.map(built);
  await setUp({ development: true });
  await setUpOperator();
  if (trees.length === 1) {
    await step("worker", build);
    trees.push(root);
  }
  Object.assign(process.env, silence);
  const { compare, LEAST } = await import(tests);
  const { SEED: seed, REQUESTS: many } = process.env;
  const given = Object.fromEntries(
    Object.entries({ seed, many })
      .filter(([, value]) => value)
      .map(([name, value]) => [name, Number(value)]),
  );
  const { requests, dumps, differences } = await compare(trees, given);
  if (differences) throw new Failure(`${differences} differences (- ${trees[0]}, + ${trees[1]})`);
  if (requests < LEAST) throw new Failure(`only ${requests} requests were played, and ${LEAST} are the least`);
  console.log(`cases: ${requests} requests and ${dumps} dumps of all tables, 0 differences`);
});
// workerd and its connections may still be open, also after a failure.
process.exit();
