// What an answer costs two builds, turn by turn. The ratio is taken pair by pair, because what else the machine does
// falls on both runs of a pair.

import path from "node:path";
import { breathe, Failure, root, step } from "../../tools/lib/steps.mjs";
import { load, quantile, together, used } from "./load.mjs";
import { scratch, serve } from "./servers.mjs";
import { counted, databases, people } from "./fixture.mjs";

const CONNECTIONS = 16;

/** A build that runs, with databases by its own migrations, and the requests that are valid there. */
async function side(tree, folder) {
  await databases(folder, tree);
  const server = await serve("hublet", folder, undefined, tree);
  return { tree, server, cases: await people(server), runs: {}, starts: [] };
}

/** Fails where a build does not answer as it should: what a refusal costs says nothing of the answer. */
async function check(sides) {
  for (const [name, { status }] of Object.entries(sides[0].cases)) {
    const said = [];
    for (const { server, cases } of sides) said.push((await counted(server, cases[name])).status);
    if (said.some((one) => one !== status)) {
      throw new Failure(
        `${name} should be answered ${status}: ${sides.map(({ tree }, at) => `${tree} answers ${said[at]}`).join(", ")}`,
      );
    }
  }
}

/** Two lists of numbers, of which those in the same place are a pair. */
function held(mine, others) {
  const ratios = mine.map((number, at) => number / others[at]);
  return {
    cpu: [mine, others].map((numbers) => quantile(numbers)),
    ratio: quantile(ratios),
    quartiles: [1 / 4, 3 / 4].map((part) => quantile(ratios, part)),
    ratios,
  };
}

export async function measure({ quick, against, print }) {
  // Never fewer than nine pairs; an odd number has a middle.
  const [pairs, seconds] = quick ? [9, 1] : [15, 2];
  const folder = scratch();
  const sides = [];
  await step(
    "databases",
    async () => {
      for (const [at, tree] of [root, against].entries()) sides.push(await side(tree, path.join(folder, String(at))));
      await check(sides);
    },
    { always: true },
  );
  const names = Object.keys(sides[0].cases);
  const turns = Array.from({ length: pairs }, (_, pair) => (pair % 2 ? sides.toReversed() : sides));

  await step(
    "load",
    async () => {
      for (const name of names) for (const { server, cases } of sides) await load(server, cases[name], 4, 1); // warm
      for (const [pair, turn] of turns.entries()) {
        for (const name of names) {
          for (const { server, cases, runs } of turn) {
            await breathe(`pair ${pair + 1} of ${pairs}, ${name}`);
            runs[name] = [...(runs[name] ?? []), await load(server, cases[name], CONNECTIONS, seconds)];
          }
        }
      }
      await check(sides); // so that what was measured was no limit that had been reached
    },
    { always: true },
  );
  await step(
    "start-up",
    async () => {
      for (const turn of turns) {
        for (const one of turn) {
          one.server = await one.server.again();
          one.starts.push(used(one.server.pid));
        }
      }
    },
    { always: true },
  );

  const results = Object.fromEntries(
    names.map((name) => {
      const runs = sides.map(({ runs }) => runs[name]);
      return [name, { ...held(...runs.map((list) => list.map(({ cpu }) => cpu))), together: runs.map(together) }];
    }),
  );
  const start = held(...sides.map(({ starts }) => starts));
  const row = ({ cpu, ratio, quartiles }, shown) => [
    ...cpu.map(shown),
    ratio.toFixed(3),
    quartiles.map((number) => number.toFixed(3)).join(" to "),
  ];
  const columns = (unit) => [`CPU ${unit}, this build`, `CPU ${unit}, the other`, "ratio", "its quartiles"];
  print(
    ["request", ...columns("µs")],
    Object.entries(results).map(([name, result]) => [name, ...row(result, (ms) => (ms * 1000).toFixed(0))]),
  );
  print(["start-up", ...columns("ms")], [["to the first answer", ...row(start, (ms) => ms.toFixed(0))]]);
  return { against, connections: CONNECTIONS, seconds, pairs, results, start };
}
