// Index and registry behind one host name: a login serves the push and the search.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startDockerd, withoutDocker } from "./support/docker.mjs";
import { makeImage, makeTar } from "./support/layout.mjs";
import { refused, works } from "./support/outcome.mjs";
import { makePodman, withoutPodman } from "./support/podman.mjs";
import { bySearchOf, bySearchOfPodman } from "./support/search.mjs";
import { startSite, tagsBecome, withoutRegistryOr } from "./support/site.mjs";
import { makeSkopeo } from "./support/skopeo.mjs";
import { soon } from "./support/time.mjs";

const timeout = 60_000;

describe("one host name", { skip: withoutRegistryOr() }, () => {
  let site, host, alice;
  before(
    async () => {
      site = await startSite({ oneHost: true, vars: { VISIBILITY: "private" } });
      host = site.host;
      assert.equal(site.index.host, host);
      alice = await site.join("alice");
      await site.manage(alice)(201, "POST", "namespaces/alice/repositories", { name: "public", is_private: false });
    },
    { timeout: 900_000 },
  );
  after(() => site?.stop(), { timeout: 60_000 });

  test("docker logs in once, pushes, searches, pulls", { skip: withoutDocker(), timeout: 120_000 }, async (t) => {
    const dockerd = await startDockerd();
    t.after(() => dockerd.stop());
    const [docker, nobody] = [dockerd.client(), dockerd.client()];
    const words = ["login", "--username", "alice", "--password-stdin", host];
    refused(await docker(words, { input: "guess" }), /Wrong username or password/);
    works(await docker(words, { input: alice.password }));
    assert.match(JSON.parse(docker.stored()).auths[host].identitytoken, /^hlr_/);

    const tar = await makeTar("one host");
    for (const name of ["public", "secret"]) {
      const image = `${host}/alice/${name}:1.0`;
      works(await docker(["import", tar, image]));
      const [, digest] = /digest: (sha256:\w+)/.exec(works(await docker(["push", image])));
      await tagsBecome(site, `alice/${name}`, { "1.0": digest }, alice);
    }
    const found = async (client) => (await bySearchOf(client)(host, "alice")).sort();
    await soon("found", async () => (await found(docker)).length === 2);
    assert.deepEqual(await found(docker), ["alice/public", "alice/secret"]);
    assert.deepEqual(await found(nobody), ["alice/public"]);

    works(await docker(["rmi", "--force", `${host}/alice/public:1.0`, `${host}/alice/secret:1.0`]));
    works(await docker(["pull", `${host}/alice/secret:1.0`]));
    works(await nobody(["pull", `${host}/alice/public:1.0`]));
    works(await docker(["rmi", "--force", `${host}/alice/public:1.0`, `${host}/alice/secret:1.0`]));
    refused(await nobody(["pull", `${host}/alice/secret:1.0`]), /denied|unauthorized/);
    works(await docker(["logout", host]));
    assert.deepEqual(await found(docker), ["alice/public"]);
  });

  test("podman logs in, pushes and searches", { skip: withoutPodman(), timeout }, async () => {
    const podman = makePodman();
    const plain = "--tls-verify=false";
    works(await podman(["login", plain, "--username", "alice", "--password-stdin", host], { input: alice.password }));
    works(await podman(["import", await makeTar("podman"), `${host}/alice/public:podman`]));
    works(await podman(["push", plain, `${host}/alice/public:podman`]));
    await soon("found", async () => (await bySearchOfPodman(podman)(host, "public")).includes("alice/public"));
  });

  // The names are words of the index, in each kind of path that a client asks the registry for.
  test("skopeo pushes, lists and deletes under any name", { skip: withoutRegistryOr("skopeo"), timeout }, async () => {
    const user = await site.join("users");
    const skopeo = makeSkopeo();
    const image = await makeImage("one host");
    works(await skopeo.login(host, user));
    for (const name of ["users/login", "users/repositories", "users/deep/er/app"]) {
      works(await skopeo.push(image, `${host}/${name}:1.0`));
      await tagsBecome(site, name, { "1.0": image.digest }, user);
      assert.deepEqual(JSON.parse(works(await skopeo.listTags(`${host}/${name}`))).Tags, ["1.0"]);
      works(await skopeo.delete(`${host}/${name}:1.0`));
      await tagsBecome(site, name, {}, user);
    }
  });
});
