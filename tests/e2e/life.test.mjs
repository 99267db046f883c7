// The whole life of a repository, in the wire forms of each generation of Docker 1.x and of the v1 registry.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { generations, listed, makeImages } from "./support/docker-v1.mjs";
import { startHub } from "./support/hub.mjs";
import { soon } from "./support/time.mjs";

let hub;
before(
  async () => {
    hub = await startHub();
  },
  { timeout: 900_000 },
);
after(() => hub?.stop(), { timeout: 60_000 });

const timeout = 60_000;
const tags = ["latest", "1.0"];

for (const [at, generation] of generations.entries()) {
  test(generation.name, { timeout }, async (t) => {
    const user = { name: `paul${at}`, password: "a secret: with a colon" };
    const repository = `${user.name}/app`;
    const images = makeImages(repository);
    const paul = hub.client(user, generation);
    const nobody = hub.client(undefined, generation);

    await t.test("registers, and logs in where the name is taken", async () => {
      const registers = generation.login.includes("register");
      assert.equal(await (registers ? paul : hub.client(user)).login(`${user.name}@example.com`), "registered");
      assert.equal(await paul.login(`${user.name}.at.work@example.com`), "logged in");
      assert.equal(await paul.tries("a secret"), 401);
    });

    await t.test("pushes", async () => {
      hub.registry.asked.length = 0;
      await paul.push(repository, images, tags);
      assert.deepEqual(
        hub.registry.asked.map(({ request }) => request),
        askedInPush(repository, images),
      );
      assert.ok(hub.registry.asked.every(({ status, token }) => status === 200 && token === undefined));
    });

    await t.test("pushes again", () => paul.push(repository, images, tags));

    await t.test("pulls with and without an account", async () => {
      for (const client of [nobody, paul]) {
        hub.registry.asked.length = 0;
        assert.deepEqual((await client.list(repository)).json(), listed(generation, images, tags));
        for (const tag of tags) assert.deepEqual(await client.pull(repository, tag), images);
        assert.equal(hub.registry.asked.length, 2 * (2 + 2 * images.length));
        assert.ok(hub.registry.asked.every(({ status, token }) => status === 200 && token === undefined));
      }
    });

    await t.test("finds it", async () => {
      for (const client of [nobody, paul]) {
        await soon("found", async () => (await client.search(repository)).includes(repository));
      }
    });

    await t.test("deletes it", async () => {
      hub.registry.asked.length = 0;
      await paul.delete(repository);
      const [authorized, list, ...more] = hub.registry.asked;
      assert.equal(authorized.request, `PUT /v1/repositories/${repository}/auth`);
      assert.deepEqual([authorized.status, authorized.text], [200, '"OK"']);
      assert.equal(list.request, `GET /v1/repositories/${repository}/images`);
      assert.deepEqual(JSON.parse(list.text), listed(generation, images, tags));
      assert.deepEqual(more, []);
      for (const client of [nobody, paul]) {
        assert.equal((await client.list(repository)).status, 404);
        assert.deepEqual(await client.search(repository), []);
      }
    });
  });
}

/** What the registry asks the index during a push: each request of the client's once more, and once about a parent. */
function askedInPush(repository, images) {
  const check = `GET /v1/repositories/${repository}/images`;
  const image = ({ parent }) => [
    check,
    ...(parent ? [`GET /v1/repositories/${repository}/layer/${parent}/access`] : []),
    check, // its layer
    check, // its checksum
  ];
  return [...images.flatMap(image), ...tags.map(() => check)];
}

test("nobody pushes for somebody else", { timeout }, async () => {
  const [alice, mallory] = [await hub.join("alice"), await hub.join("mallory")];
  const images = makeImages("alice/app");
  await hub.client(alice).push("alice/app", images, tags);

  assert.equal((await hub.client().announce("alice/app", images, tags)).status, 401);
  assert.equal((await hub.client({ ...alice, password: "guess" }).announce("alice/app", images, tags)).status, 401);
  assert.equal((await hub.client(mallory).announce("alice/app", images, tags)).status, 403);
  assert.equal((await hub.client(mallory).announce("alice/new", images, tags)).status, 403);

  // An image of somebody else's does not become one's own by being named as a parent.
  const stolen = makeImages("mallory/app")[1];
  const push = hub.client(mallory).push("mallory/app", [{ ...stolen, parent: images[0].id }], tags);
  await assert.rejects(push, /400 .*Image depends on an unauthorized parent/);

  const list = await hub.client().list("alice/app");
  assert.deepEqual(
    list.json().map(({ id }) => id),
    images.map(({ id }) => id),
  );
});
