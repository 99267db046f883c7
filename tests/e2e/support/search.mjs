// How a person searches: `docker search` and `podman search`, the names that they print, and how soon.

import assert from "node:assert/strict";
import { soon } from "./time.mjs";

/** `docker search`, by a client of a daemon; gives the names. */
export const bySearchOf = (docker) => async (host, term) =>
  names(await docker(["search", "--format", "{{.Name}}", `${host}/${term}`]));

/** `podman search`, which puts the host before each name; gives the names without it. */
export const bySearchOfPodman = (podman) => async (host, term) => {
  const found = names(await podman(["search", "--tls-verify=false", "--format", "{{.Name}}", `${host}/${term}`]));
  return found.map((name) => name.replace(`${host}/`, ""));
};

function names({ code, stdout, stderr }) {
  assert.equal(code, 0, stderr); // a search that finds nothing is not an error
  return stdout.split("\n").filter(Boolean);
}

/** A search must find a repository soon after it was pushed; says how soon it was. */
export async function finds(t, search, host, repository) {
  const milliseconds = await soon(`${repository} found`, async () =>
    (await search(host, repository)).includes(repository),
  );
  t.diagnostic(`found ${Math.round(milliseconds)} ms after the push`);
}
