// At a distance: an answer costs as many delays as its round trips.

import { scratch, serve } from "./servers.mjs";
import { counted, databases, people } from "./fixture.mjs";

const DELAYS = [0, 30, 120];

export async function measure({ print }) {
  const folder = scratch();
  await databases(folder);
  const hublet = await serve("hublet", folder);
  const cases = await people(hublet);
  await hublet.stop();
  const instrumented = await serve("instrumented", folder, hublet);
  const results = {};
  for (const [name, request] of Object.entries(cases)) {
    await counted(instrumented, request);
    results[name] = { rounds: 0, took: [] };
    for (const milliseconds of DELAYS) {
      const trouble = { databases: [{ when: "slow", milliseconds }] };
      const times = [];
      for (let time = 0; time < 7; time += 1) {
        const { rounds, took, status } = await counted(instrumented, request, milliseconds ? trouble : undefined);
        if (status !== request.status) throw new Error(`${name}: ${status}`);
        results[name].rounds = rounds;
        times.push(took);
      }
      results[name].took.push(times.toSorted((a, b) => a - b)[3]);
    }
  }
  const [, near, far] = DELAYS;
  print(
    ["request", "round trips", ...DELAYS.map((delay) => `${delay} ms a call`), "delays in the answer"],
    Object.entries(results).map(
      ([
        name,
        {
          rounds,
          took: [none, some, most],
        },
      ]) => [
        name,
        rounds,
        ...[none, some, most].map((took) => took.toFixed(0)),
        ((most - some) / (far - near)).toFixed(1),
      ],
    ),
  );
  return { results };
}
