// What a page takes to its first byte, beside the API's answers about the same thing: in turns, one connection.

import { gzipSync } from "node:zlib";
import { basic, pushes } from "./fixture.mjs";
import { quantile } from "./load.mjs";

/** At most so many times what the API takes. */
const MOST = 1.3;

/** Turns before those that count. */
const WARM = 20;

/** Measures them on a server that has the people of the fixture. */
export async function measurePages(server, times) {
  const send = async (target, { headers, ...init } = {}) => {
    const began = performance.now();
    const answer = await fetch(`${server.url}${target}`, { ...init, headers, redirect: "manual" });
    const took = performance.now() - began;
    const text = await answer.text();
    if (answer.status >= 400) throw new Error(`${target}: ${answer.status} ${text}`);
    return { took, text, answer };
  };
  await send("/events", pushes("paul/app", 50));
  const form = new URLSearchParams({ username: "paul", password: "correct horse" });
  const signed = await send("/sign-in", { method: "POST", headers: { "sec-fetch-site": "same-origin" }, body: form });
  const page = { cookie: signed.answer.headers.get("set-cookie").split(";")[0] };
  const login = JSON.stringify({ username: "paul", password: "correct horse" });
  const session = await send("/v2/users/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: login,
  });
  const api = { authorization: `Bearer ${JSON.parse(session.text).token}` };
  const cases = {
    "a repository": [
      "/r/paul/app",
      [
        ["/v2/repositories/paul/app", api],
        ["/v2/repositories/paul/app/tags?page_size=50", api],
      ],
    ],
    "a search": ["/search?q=quagga", [["/v1/search?q=quagga", { authorization: basic("paul", "correct horse") }]]],
  };
  const results = {};
  for (const [name, [path, answers]] of Object.entries(cases)) {
    const [pages, others] = [[], []];
    for (let time = 0; time < times + WARM; time += 1) {
      const ours = await send(path, { headers: page });
      let theirs = 0;
      for (const [target, headers] of answers) theirs += (await send(target, { headers })).took;
      if (time < WARM) continue;
      pages.push(ours.took);
      others.push(theirs);
    }
    const [ours, theirs] = [pages, others].map((list) => quantile(list));
    const { text } = await send(path, { headers: page });
    results[name] = { ours, theirs, ratio: ours / theirs, bytes: gzipSync(text).length };
  }
  return results;
}

/** The rows of their table. */
export const columns = ["page", "first byte, ms", "of the API, ms", "×", "at most", "bytes, compressed"];
export const rows = (results) =>
  Object.entries(results).map(([name, { ours, theirs, ratio, bytes }]) => [
    name,
    ours.toFixed(2),
    theirs.toFixed(2),
    ratio.toFixed(2),
    `${MOST}: ${ratio <= MOST ? "met" : "missed"}`,
    bytes,
  ]);
