// A mint by access token while somebody guesses passwords, beside the same without: what costs an Argon2 must
// not keep waiting what costs none.

import { spawn } from "node:child_process";
import { Failure } from "../../tools/lib/steps.mjs";
import { load, together } from "./load.mjs";
import { scratch, serve } from "./servers.mjs";
import { databases, people } from "./fixture.mjs";

const CONNECTIONS = 16; // of the good clients
const GUESSERS = [1, 16, 64]; // connections of the flood

/** Guesses over so many connections until it is stopped, each guess at another name from another address. */
function flood(server, connections) {
  const guesser = spawn(
    process.execPath,
    [
      "-e",
      `
    const seen = {};
    let number = 0;
    const guess = async () => {
      for (;;) {
        number += 1;
        const name = "guessed" + number % 1000;
        const address = [198, 51, number >> 8 & 255, number & 255].join(".");
        const headers = { authorization: "Basic " + Buffer.from(name + ":guess" + number).toString("base64"), "cf-connecting-ip": address };
        try {
          const answer = await fetch(process.argv[1] + "/token?service=registry", { headers });
          await answer.arrayBuffer();
          seen[answer.status] = (seen[answer.status] ?? 0) + 1;
        } catch { seen.failed = (seen.failed ?? 0) + 1; }
      }
    };
    process.on("SIGTERM", () => { console.log(JSON.stringify(seen)); process.exit(); });
    for (let at = 0; at < ${connections}; at += 1) guess();
  `,
      server.url,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let said = "";
  guesser.stdout.on("data", (part) => {
    said += part;
  });
  const ended = new Promise((resolve) => guesser.on("close", resolve));
  process.on("exit", () => guesser.kill("SIGKILL"));
  return async () => {
    guesser.kill("SIGTERM");
    await ended;
    return JSON.parse(said || "{}");
  };
}

export async function measure({ quick, print }) {
  const [rounds, seconds] = quick ? [1, 3] : [3, 5];
  const folder = scratch();
  await databases(folder);
  const server = await serve("hublet", folder);
  const { mint } = await people(server);
  const check = await fetch(`${server.url}${mint.target}`, { headers: { authorization: mint.authorization } });
  if (check.status !== mint.status) throw new Failure(`a mint is answered ${check.status}`, await check.text());
  const runs = new Map([0, ...GUESSERS].map((guessers) => [guessers, { loads: [], guesses: {} }]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [guessers, run] of runs) {
      const stop = guessers ? flood(server, guessers) : async () => ({});
      await new Promise((resolve) => setTimeout(resolve, 500)); // until the flood has risen
      run.loads.push(await load(server, mint, CONNECTIONS, seconds));
      for (const [status, many] of Object.entries(await stop()))
        run.guesses[status] = (run.guesses[status] ?? 0) + many;
      await new Promise((resolve) => setTimeout(resolve, 6_000)); // who waits for a turn has gone
    }
  }
  const results = [...runs].map(([guessers, { loads, guesses }]) => ({ guessers, guesses, ...together(loads) }));
  const ms = (number) => `${number.toFixed(1)} ms`;
  const without = results[0];
  print(
    ["guessers", "guesses answered", "mints/s", "p50", "p95", "p99", "p95 to without"],
    results.map(({ guessers, guesses, rate, p50, p95, p99 }) => [
      guessers,
      Object.entries(guesses)
        .map(([status, many]) => `${status}: ${many}`)
        .join(", ") || "none",
      Math.round(rate),
      ms(p50),
      ms(p95),
      ms(p99),
      (p95 / without.p95).toFixed(2),
    ]),
  );
  await server.stop();
  return { connections: CONNECTIONS, seconds, rounds, results };
}
