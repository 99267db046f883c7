// `docker search` and `podman search`, which ask the Hub API v1 to this day, find what was pushed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startDockerd, withoutDocker } from "./support/docker.mjs";
import { startHub } from "./support/hub.mjs";
import { makePodman, withoutPodman } from "./support/podman.mjs";
import { bySearchOf, bySearchOfPodman, finds } from "./support/search.mjs";

let hub;
let alice;
before(
  async () => {
    hub = await startHub();
    alice = await hub.join("alice");
  },
  { timeout: 900_000 },
);
after(() => hub?.stop(), { timeout: 60_000 });

const timeout = 120_000;

test("docker search", { skip: withoutDocker(), timeout }, async (t) => {
  const dockerd = await startDockerd();
  t.after(() => dockerd.stop());
  const clients = { nobody: dockerd.client(), alice: dockerd.client({ [hub.host]: alice }) };

  for (const [who, docker] of Object.entries(clients)) {
    await t.test(`finds what was pushed, as ${who}`, async (t) => {
      const repository = await hub.push(alice, `of-docker-${who}`);
      await finds(t, bySearchOf(docker), hub.host, repository);
    });

    await t.test(`answers in less than 2 s, as ${who}`, async (t) => {
      const { stdout, milliseconds } = await docker(["search", `${hub.host}/alice`]);
      t.diagnostic(`answered in ${Math.round(milliseconds)} ms`);
      assert.match(stdout, /^NAME +DESCRIPTION +STARS +OFFICIAL/);
      assert.match(stdout, /^alice\/of-docker-/m);
      assert.ok(milliseconds < 2_000, `${milliseconds} ms`);
    });
  }
});

test("podman search", { skip: withoutPodman(), timeout }, async (t) => {
  const repository = await hub.push(alice, "of-podman");
  await finds(t, bySearchOfPodman(makePodman()), hub.host, repository);
});
