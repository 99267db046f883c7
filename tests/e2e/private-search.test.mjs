// A private repository is found by who may read it, as soon as a public one, and by nobody else.

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
    hub = await startHub({ vars: { VISIBILITY: "private" } });
    alice = await hub.join("alice");
  },
  { timeout: 900_000 },
);
after(() => hub?.stop(), { timeout: 60_000 });

const timeout = 120_000;

test("docker search", { skip: withoutDocker(), timeout }, async (t) => {
  const dockerd = await startDockerd();
  t.after(() => dockerd.stop());
  const as = (user) => dockerd.client({ [hub.host]: user });
  const search = (docker, repository) => bySearchOf(docker)(hub.host, repository);
  let repository;

  await t.test("finds it for its owner", async (t) => {
    repository = await hub.push(alice, "of-docker");
    await finds(t, bySearchOf(as(alice)), hub.host, repository);
  });

  await t.test("does not find it for others", async () => {
    assert.deepEqual(await search(dockerd.client(), repository), []);
    assert.deepEqual(await search(as(await hub.join("mallory")), repository), []);
  });

  await t.test("is refused with a wrong password", async () => {
    const { code, stdout, stderr } = await as({ ...alice, password: "guess" })(["search", `${hub.host}/${repository}`]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /401|unauthorized/i);
  });

  await t.test("finds it after docker login", async () => {
    const docker = dockerd.client();
    const login = (input) => docker(["login", "--username", alice.name, "--password-stdin", hub.host], { input });
    assert.notEqual((await login("guess")).code, 0);
    assert.deepEqual(await search(docker, repository), []);
    assert.equal((await login(alice.password)).code, 0);
    assert.deepEqual(await search(docker, repository), [repository]);
  });
});

// It sends no credentials.
test("podman search does not find it", { skip: withoutPodman(), timeout }, async () => {
  const repository = await hub.push(alice, "of-podman");
  const names = await bySearchOfPodman(makePodman())(hub.host, repository);
  assert.deepEqual(names, []);
});
