// skopeo with a registry that trusts the index: who may push, pull and delete what, and what the index learns of it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { blobs, makeImage, makeIndex } from "./support/layout.mjs";
import { refused, works } from "./support/outcome.mjs";
import { startSite, tagsBecome, withoutRegistryOr } from "./support/site.mjs";
import { makeSkopeo } from "./support/skopeo.mjs";
import { soon } from "./support/time.mjs";

const timeout = 60_000;
const denied = /unauthorized|denied|authentication required/;

describe("skopeo", { skip: withoutRegistryOr("skopeo") }, () => {
  let site, alice, images;
  const clients = {};
  const at = (name) => `${site.host}/${name}`;
  const pulls = async () => (await site.manage()(200, "GET", "namespaces/alice/repositories/app")).pull_count;
  before(
    async () => {
      site = await startSite();
      for (const name of ["nobody", "alice", "mallory", "robert"]) clients[name] = makeSkopeo();
      alice = await site.join("alice");
      images = [await makeImage("one"), await makeImage("another")];
    },
    { timeout: 900_000 },
  );
  after(() => site?.stop(), { timeout: 60_000 });

  test("is not logged in with a wrong password", { timeout }, async () => {
    refused(await clients.alice.login(site.host, { ...alice, password: "guess" }), /invalid username\/password/);
    assert.deepEqual(clients.alice.stored(), {});
  });

  test("is logged in with the right one", { timeout }, async () => {
    assert.match(works(await clients.alice.login(site.host, alice)), /^Login Succeeded!$/m);
    assert.deepEqual(Object.keys(clients.alice.stored().auths), [site.host]);
  });

  test("pushes, and the index knows the tags", { timeout }, async () => {
    works(await clients.alice.push(images[0], at("alice/app:1.0")));
    works(await clients.alice.push(images[1], at("alice/app:2.0")));
    await tagsBecome(site, "alice/app", { "1.0": images[0].digest, "2.0": images[1].digest });
    const tag = await site.manage()(200, "GET", "namespaces/alice/repositories/app/tags/1.0");
    assert.equal(tag.last_updater_username, "alice");
    assert.deepEqual(
      [tag.full_size, tag.images[0].size, tag.images[0].last_pulled],
      [images[0].size, images[0].size, null],
    );
  });

  test("pulls what is public, with the same bytes, as anybody", { timeout }, async () => {
    for (const client of [clients.alice, clients.nobody]) {
      const counted = await pulls();
      const pulled = await client.pull(at("alice/app:1.0"));
      works(pulled);
      assert.deepEqual(blobs(pulled.folder), blobs(images[0].folder));
      await soon("pull counted", async () => (await pulls()) > counted, 5_000);
      assert.equal(await pulls(), counted + 1);
    }
  });

  describe("with an index", () => {
    let index;
    const tag = (name) => site.manage()(200, "GET", `namespaces/alice/repositories/app/tags/${name}`);

    test("pushes it, and the index knows its images and how large they are", { timeout }, async () => {
      index = makeIndex({ "linux/amd64": images[0], "linux/arm64": images[1] });
      works(await clients.alice.push(index, at("alice/app:3.0")));
      await tagsBecome(site, "alice/app", { "1.0": images[0].digest, "2.0": images[1].digest, "3.0": index.digest });
      const { images: known, full_size: size } = await tag("3.0");
      assert.deepEqual(
        known.map(({ digest, size }) => [digest, size]),
        images.map(({ digest, size }) => [digest, size]),
      );
      assert.equal(size, images[0].size);
      // This registry does not tell for which platforms they are.
      assert.deepEqual(
        known.map(({ os, architecture }) => `${os}/${architecture}`),
        ["unknown/unknown", "unknown/unknown"],
      );
    });

    test("pulls one image of it, which is one pull, of the tag of the index", { timeout }, async () => {
      const [counted, before] = [await pulls(), await tag("1.0")];
      const pulled = await clients.nobody.pull(at("alice/app:3.0"));
      works(pulled);
      await soon(
        "pull of an image seen",
        async () => (await tag("3.0")).images[0].last_pulled > before.images[0].last_pulled,
        5_000,
      );
      const after = await tag("3.0");
      assert.equal(await pulls(), counted + 1);
      assert.ok(after.tag_last_pulled, "the index was pulled by its tag");
      assert.equal(after.images[1].last_pulled, null, "nobody took the other image");
      assert.equal(
        (await tag("1.0")).tag_last_pulled,
        before.tag_last_pulled,
        "nobody asked for the other tag of that image",
      );
    });

    test("a docker that asks for the digest of the tag, and takes index and image by digest, pulls once", {
      timeout,
    }, async () => {
      const counted = await pulls();
      const { token } = (await site.askForToken(alice, "repository:alice/app:pull")).json();
      const ask = async (method, reference) => {
        const headers = {
          Authorization: `Bearer ${token}`,
          Accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json",
        };
        const answer = await fetch(`http://${site.host}/v2/alice/app/manifests/${reference}`, { method, headers });
        assert.equal(answer.status, 200);
        return answer.headers.get("docker-content-digest");
      };
      assert.equal(await ask("HEAD", "3.0"), index.digest);
      await ask("GET", index.digest);
      await ask("GET", images[1].digest);
      await soon("pull of an image seen", async () => (await tag("3.0")).images[1].last_pulled, 5_000);
      assert.equal(await pulls(), counted + 1);
      // Who looks for updates takes nothing; the event after it is there when it would be.
      await ask("HEAD", "3.0");
      await ask("GET", "1.0");
      await soon("pull counted", async () => (await pulls()) > counted + 1, 5_000);
      assert.equal(await pulls(), counted + 2);
    });

    test("deletes it", { timeout }, async () => {
      works(await clients.alice.delete(at("alice/app:3.0")));
      await tagsBecome(site, "alice/app", { "1.0": images[0].digest, "2.0": images[1].digest });
    });
  });

  test("inspects, and lists tags", { timeout }, async () => {
    for (const client of [clients.alice, clients.nobody]) {
      const { Name, Digest, RepoTags } = JSON.parse(works(await client.inspect(at("alice/app:1.0"))));
      assert.deepEqual([Name, Digest, RepoTags.sort()], [at("alice/app"), images[0].digest, ["1.0", "2.0"]]);
      assert.deepEqual(JSON.parse(works(await client.listTags(at("alice/app")))).Tags.sort(), ["1.0", "2.0"]);
    }
  });

  test("pushes to nobody else's namespace, and to none that does not exist", { timeout }, async () => {
    works(await clients.mallory.login(site.host, await site.join("mallory")));
    for (const client of [clients.mallory, clients.nobody]) {
      for (const name of ["alice/app:1.0", "alice/new:1.0", "nowhere/app:1.0", "app:1.0"]) {
        refused(await client.push(images[1], at(name)), denied);
      }
      refused(await client.delete(at("alice/app:1.0")), denied);
    }
    assert.deepEqual(await site.tags("alice/app"), { "1.0": images[0].digest, "2.0": images[1].digest });
    await site.manage(alice)(404, "GET", "namespaces/alice/repositories/new");
  });

  test("deletes, and the index forgets the tag", { timeout }, async () => {
    works(await clients.alice.delete(at("alice/app:2.0")));
    await tagsBecome(site, "alice/app", { "1.0": images[0].digest });
    assert.deepEqual(JSON.parse(works(await clients.alice.listTags(at("alice/app")))).Tags, ["1.0"]);
  });

  describe("in a private repository", () => {
    const pushed = () => ({ "1.0": images[0].digest });
    const robert = { name: "robert", password: "password of robert" };
    const collaborators = "namespaces/alice/repositories/secret/collaborators";

    before(
      async () => {
        works(await clients.robert.login(site.host, await site.join("robert")));
        await site.manage(alice)(201, "POST", "namespaces/alice/repositories", { name: "secret", is_private: true });
        works(await clients.alice.push(images[0], at("alice/secret:1.0")));
        await tagsBecome(site, "alice/secret", pushed(), alice);
      },
      { timeout },
    );

    const reads = async (client) => {
      const pulled = await client.pull(at("alice/secret:1.0"));
      works(pulled);
      assert.deepEqual(blobs(pulled.folder), blobs(images[0].folder));
    };
    const readsNot = async (client) => {
      refused(await client.pull(at("alice/secret:1.0")), denied);
      refused(await client.inspect(at("alice/secret:1.0")), denied);
      refused(await client.listTags(at("alice/secret")), denied);
    };
    const writesNot = async (client) => {
      refused(await client.push(images[1], at("alice/secret:1.0")), denied);
      refused(await client.delete(at("alice/secret:1.0")), denied);
      assert.deepEqual(await site.tags("alice/secret", alice), pushed());
    };

    test("the owner reads", { timeout }, () => reads(clients.alice));

    test("others do not, and do not see that it is there", { timeout }, async () => {
      for (const client of [clients.nobody, clients.mallory, clients.robert]) {
        await readsNot(client);
        await writesNot(client);
      }
      for (const user of [undefined, robert])
        await site.manage(user)(404, "GET", "namespaces/alice/repositories/secret/tags");
    });

    test("a collaborator with read reads", { timeout }, async () => {
      await site.manage(alice)(200, "POST", collaborators, { user: "robert", role: "read" });
      await reads(clients.robert);
      await writesNot(clients.robert);
      assert.deepEqual(await site.tags("alice/secret", robert), pushed());
    });

    test("a collaborator with write pushes too", { timeout }, async () => {
      await site.manage(alice)(200, "POST", collaborators, { user: "robert", role: "write" });
      await reads(clients.robert);
      works(await clients.robert.push(images[1], at("alice/secret:2.0")));
      await tagsBecome(site, "alice/secret", { "1.0": images[0].digest, "2.0": images[1].digest }, robert);
      const tag = await site.manage(robert)(200, "GET", "namespaces/alice/repositories/secret/tags/2.0");
      assert.equal(tag.last_updater_username, "robert");
      refused(await clients.robert.delete(at("alice/secret:2.0")), denied);
    });

    test("nobody is one any more who was removed", { timeout }, async () => {
      await site.manage(alice)(204, "DELETE", `${collaborators}/robert`);
      await readsNot(clients.robert);
      refused(await clients.robert.push(images[1], at("alice/secret:3.0")), denied);
    });

    test("everybody reads what becomes public", { timeout }, async () => {
      await site.manage(alice)(200, "POST", "repositories/alice/secret/privacy", { is_private: false });
      await reads(clients.nobody);
      refused(await clients.nobody.push(images[1], at("alice/secret:1.0")), denied);
    });
  });
});
