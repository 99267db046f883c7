// docker with a registry that trusts the index: a login that leaves no password behind, and what it opens.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startDockerd, withoutDocker } from "./support/docker.mjs";
import { makeTar } from "./support/layout.mjs";
import { refused, works } from "./support/outcome.mjs";
import { FrontProxy, search as searchAlone } from "./support/proxy.mjs";
import { bySearchOf } from "./support/search.mjs";
import { startSite, tagsBecome, withoutRegistryOr } from "./support/site.mjs";
import { soon } from "./support/time.mjs";

const timeout = 60_000;
const denied = /denied: requested access to the resource is denied/;

describe("docker", { skip: withoutRegistryOr("dockerd", "docker") || withoutDocker() }, () => {
  let site, dockerd, docker, alice, robert, digest;
  const at = (name) => `${site.host}/${name}`;
  const login = (docker, host, { name, password }) =>
    docker(["login", "--username", name, "--password-stdin", host], { input: password });
  const make = async (text, name) => works(await docker(["import", await makeTar(text), at(name)]));
  const push = (docker, name) => docker(["push", at(name)]);
  const digestOf = (printed) => /digest: (sha256:[0-9a-f]{64})/i.exec(printed)?.[1];
  before(
    async () => {
      [site, dockerd] = await Promise.all([startSite(), startDockerd()]);
      docker = dockerd.client();
      [alice, robert] = [await site.join("alice"), await site.join("robert")];
      await site.manage(alice)(201, "POST", "namespaces/alice/repositories", { name: "secret", is_private: true });
    },
    { timeout: 900_000 },
  );
  after(
    async () => {
      await dockerd?.stop();
      await site?.stop();
    },
    { timeout: 60_000 },
  );

  test("is not logged in with a wrong password, and says why", { timeout }, async () => {
    refused(
      await login(docker, site.host, { ...alice, password: "guess" }),
      /unauthorized: Wrong username or password/,
    );
    assert.deepEqual(JSON.parse(docker.stored()), { auths: {} });
  });

  test("is told after five wrong passwords to wait, and how long", { timeout }, async () => {
    const guessed = await site.join("guessed");
    const guess = () => login(docker, site.host, { ...guessed, password: "guess" });
    for (let at = 0; at < 5; at += 1) refused(await guess(), /unauthorized: Wrong username or password/);
    // On a slow machine the first second may be over before the next login comes; each wait is twice the one before.
    const words = /Too many attempts, try again in \d+ seconds/;
    let last;
    for (let at = 0; at < 8 && !words.test(last?.stderr); at += 1) last = await guess();
    refused(last, words);
    assert.deepEqual(JSON.parse(docker.stored()), { auths: {} });
  });

  test("keeps an identity token after the login, and no password", { timeout }, async () => {
    assert.match(works(await login(docker, site.host, alice)), /^Login Succeeded$/m);
    const { auth, identitytoken, ...more } = JSON.parse(docker.stored()).auths[site.host];
    assert.match(identitytoken, /^hlr_/);
    assert.equal(Buffer.from(auth, "base64").toString(), "alice:");
    assert.deepEqual(more, {});
    const base64 = (text) => Buffer.from(text).toString("base64");
    for (const form of [alice.password, base64(alice.password), base64(`alice:${alice.password}`)]) {
      assert.ok(!docker.stored().includes(form));
    }
  });

  test("pushes, and the index knows the tag", { timeout }, async () => {
    await make("public", "alice/app:1.0");
    digest = digestOf(works(await push(docker, "alice/app:1.0")));
    await tagsBecome(site, "alice/app", { "1.0": digest });
    const tag = await site.manage()(200, "GET", "namespaces/alice/repositories/app/tags/1.0");
    assert.equal(tag.last_updater_username, "alice");
  });

  test("mounts a layer from another repository", { timeout }, async () => {
    works(await docker(["tag", at("alice/app:1.0"), at("alice/copy/of:1.0")]));
    const pushed = works(await push(docker, "alice/copy/of:1.0"));
    assert.match(pushed, /: Mounted from alice\/app$/m);
    assert.equal(digestOf(pushed), digest);
    await tagsBecome(site, "alice/copy/of", { "1.0": digest });
  });

  test("pulls what is public as anybody", { timeout }, async () => {
    for (const client of [docker, dockerd.client()]) {
      works(await docker(["rmi", "--force", at("alice/app:1.0"), at("alice/copy/of:1.0")]));
      assert.equal(digestOf(works(await client(["pull", at("alice/app:1.0")]))), digest);
      works(await client(["pull", at("alice/copy/of:1.0")]));
    }
  });

  describe("with a private repository", () => {
    const name = "alice/secret:1.0";
    let other;
    before(
      async () => {
        other = dockerd.client();
        works(await login(other, site.host, robert));
        await make("private", name);
      },
      { timeout },
    );

    test("pushes and pulls as who may", { timeout }, async () => {
      const pushed = digestOf(works(await push(docker, name)));
      await tagsBecome(site, "alice/secret", { "1.0": pushed }, alice);
      works(await docker(["tag", at(name), "kept"]));
      works(await docker(["rmi", at(name)]));
      for (const client of [other, dockerd.client()]) refused(await client(["pull", at(name)]), /pull access denied/);
      assert.equal(digestOf(works(await docker(["pull", at(name)]))), pushed);
    });

    test("does not push as somebody else", { timeout }, async () => {
      const before = await site.tags("alice/app");
      for (const client of [other, dockerd.client()]) refused(await push(client, "alice/app:1.0"), denied);
      assert.deepEqual(await site.tags("alice/app"), before);
    });

    test("does not mount a layer from where it may not read", { timeout }, async () => {
      works(await docker(["tag", at(name), at("robert/own:1.0")]));
      const pushed = works(await push(other, "robert/own:1.0"));
      assert.match(pushed, /: Pushed$/m);
      assert.doesNotMatch(pushed, /Mounted/);
      await tagsBecome(site, "robert/own", { "1.0": digestOf(pushed) });
    });

    test("is found with the identity token of who may read it, and by nobody else", { timeout }, async () => {
      works(await login(docker, site.index.host, alice));
      works(await login(other, site.index.host, robert));
      assert.match(JSON.parse(docker.stored()).auths[site.index.host].identitytoken, /^hlr_/);
      const search = (client, term) => bySearchOf(client)(site.index.host, term);
      await soon("found", async () => (await search(docker, "secret")).includes("alice/secret"));
      for (const client of [other, dockerd.client()]) assert.deepEqual(await search(client, "secret"), []);
      for (const client of [docker, other, dockerd.client()]) {
        const found = await search(client, "alice");
        assert.deepEqual(found.filter((name) => name !== "alice/secret").sort(), ["alice/app", "alice/copy/of"]);
      }
    });
  });

  // The index keeps its own address, to which the registry sends for tokens.
  test("needs one login where the registry's host passes search on", { timeout }, async (t) => {
    const proxy = await FrontProxy.listen(searchAlone);
    t.after(() => proxy.close());
    Object.assign(proxy, { index: site.index.address, registry: site.registry.address });
    const client = dockerd.client();
    works(await login(client, proxy.host, alice));
    works(await client(["tag", at("alice/app:1.0"), `${proxy.host}/alice/app:2.0`]));
    works(await client(["push", `${proxy.host}/alice/app:2.0`]));
    await tagsBecome(site, "alice/app", { "1.0": digest, "2.0": digest });
    assert.deepEqual(await bySearchOf(client)(proxy.host, "secret"), ["alice/secret"]);
    assert.deepEqual(await bySearchOf(dockerd.client())(proxy.host, "secret"), []);
    works(await client(["logout", proxy.host]));
    assert.deepEqual(await bySearchOf(client)(proxy.host, "secret"), []);
  });

  test("is not logged in any more once the index ended the login", { timeout }, async () => {
    const manage = site.manage(alice);
    const { results } = await manage(200, "GET", "refresh-tokens");
    assert.deepEqual(new Set(results.map(({ client }) => client)), new Set(["docker"]));
    works(await push(docker, "alice/app:1.0"));
    for (const { uuid } of results) await manage(204, "DELETE", `refresh-tokens/${uuid}`);
    refused(await push(docker, "alice/app:1.0"), /unauthorized: The refresh token is not valid: log in again/);
    works(await login(docker, site.host, alice));
    works(await push(docker, "alice/app:1.0"));
  });

  test("keeps nothing after the logout", { timeout }, async () => {
    for (const host of [site.host, site.index.host]) works(await docker(["logout", host]));
    assert.deepEqual(JSON.parse(docker.stored()), { auths: {} });
    refused(await push(docker, "alice/app:1.0"), denied);
  });
});
