// How long a newcomer waits: from a fresh clone, with caches that are empty but for the compiler, to the ready line of
// `npm start`, to the first `docker push`, and to the ready line of the second start.

import { mkdirSync } from "node:fs";
import path from "node:path";
import { root } from "../../tools/lib/steps.mjs";
import { freePort, start } from "../e2e/support/daemons.mjs";
import { startDockerd, withoutDocker } from "../e2e/support/docker.mjs";
import { makeTar } from "../e2e/support/layout.mjs";
import { works } from "../e2e/support/outcome.mjs";
import { find, succeed } from "../e2e/support/programs.mjs";
import { startRegistry } from "../e2e/support/registry-v2.mjs";
import { scratch } from "../e2e/support/scratch.mjs";

const TURNS = 3;
const LIMIT = 1_800_000;

const seconds = (from) => Number(((performance.now() - from) / 1000).toFixed(1));

/** The folders in which a machine keeps what it downloads and compiles, all of them new. */
function emptyCaches(folder) {
  const home = path.join(folder, "home");
  mkdirSync(home);
  const rustup = process.env.RUSTUP_HOME ?? path.join(process.env.HOME, ".rustup");
  return {
    HOME: home,
    CARGO_HOME: path.join(home, ".cargo"),
    RUSTUP_HOME: rustup,
    npm_config_cache: path.join(home, ".npm"),
  };
}

/** `npm start` in a clone; gives the index with the seconds to its ready line, and the lines of the steps. */
async function begin(clone, env) {
  const words = ["start", "--", "--port", String(await freePort())];
  const begun = performance.now();
  const ready = (log) => /^hublet is ready on (http:\/\/\S+)/m.exec(log)?.[1];
  const index = await start("npm", words, { cwd: clone, env, limit: LIMIT, ready });
  const steps = [...index.log.matchAll(/^✓ (.+)$/gm)].map(([, line]) => line);
  return { index, ready: seconds(begun), steps };
}

/** What the manual says to do then, up to the first push. */
async function push(index, clone) {
  const [registry, dockerd] = await Promise.all([startRegistry(path.join(clone, ".keys")), startDockerd()]);
  try {
    const docker = dockerd.client();
    const user = { username: "alice", password: "the cat in the hat", email: "alice@example.com" };
    const made = await fetch(new URL("/v1/users/", index.answer), { method: "POST", body: JSON.stringify(user) });
    if (made.status !== 201) throw new Error(`${made.status} ${await made.text()}`);
    const login = ["login", "--username", user.username, "--password-stdin", registry.host];
    works(await docker(login, { input: user.password }));
    works(await docker(["import", await makeTar("the first"), `${registry.host}/alice/app`]));
    works(await docker(["push", `${registry.host}/alice/app`]));
  } finally {
    await dockerd.stop();
    await registry.stop();
  }
}

async function turn() {
  const folder = scratch();
  const clone = path.join(folder, "hublet");
  await succeed("git", ["clone", "--quiet", root, clone]);
  const env = emptyCaches(folder);
  const begun = performance.now();
  const first = await begin(clone, env);
  await push(first.index, clone);
  const pushed = seconds(begun);
  await first.index.stop();
  const second = await begin(clone, env);
  await second.index.stop();
  return { ready: first.ready, pushed, again: second.ready, steps: first.steps };
}

export async function measure({ print }) {
  const missing = withoutDocker() || (find("docker-registry") ? false : "skipped: docker-registry is not installed");
  if (missing) throw new Error(missing);
  const turns = [];
  for (let number = 1; number <= TURNS; number += 1) {
    const result = await turn();
    turns.push(result);
    console.log(`\n${result.steps.join("\n")}`);
  }
  print(
    ["run", "ready, s", "first push, s", "second start, s"],
    turns.map(({ ready, pushed, again }, at) => [at + 1, ready, pushed, again]),
  );
  return { turns };
}
