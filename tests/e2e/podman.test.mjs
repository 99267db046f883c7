// podman with a registry that trusts the index.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { makeTar } from "./support/layout.mjs";
import { refused, works } from "./support/outcome.mjs";
import { makePodman, withoutPodman } from "./support/podman.mjs";
import { scratch } from "./support/scratch.mjs";
import { bySearchOfPodman } from "./support/search.mjs";
import { startSite, tagsBecome, withoutRegistryOr } from "./support/site.mjs";
import { soon } from "./support/time.mjs";

const timeout = 60_000;
const denied = /unauthorized|denied|authentication required/;
const plain = "--tls-verify=false";

describe("podman", { skip: withoutRegistryOr("podman") || withoutPodman() }, () => {
  let site, alice, digest;
  const [of_alice, of_nobody] = [makePodman(), makePodman()];
  const at = (name) => `${site.host}/${name}`;
  const login = (podman, host, { name, password }) =>
    podman(["login", plain, "--username", name, "--password-stdin", host], { input: password });
  const push = async (podman, name) => {
    const file = path.join(scratch(), "digest");
    const answer = await podman(["push", plain, "--digestfile", file, name]);
    return { ...answer, digest: existsSync(file) ? readFileSync(file, "utf8") : undefined };
  };
  before(
    async () => {
      site = await startSite();
      alice = await site.join("alice");
      await site.manage(alice)(201, "POST", "namespaces/alice/repositories", { name: "secret", is_private: true });
      const tar = await makeTar("podman");
      for (const name of ["alice/app:1.0", "alice/secret:1.0"]) works(await of_alice(["import", tar, at(name)]));
    },
    { timeout: 900_000 },
  );
  after(() => site?.stop(), { timeout: 60_000 });

  test("is not logged in with a wrong password", { timeout }, async () => {
    refused(await login(of_alice, site.host, { ...alice, password: "guess" }), /invalid username\/password/);
    refused(await push(of_alice, at("alice/app:1.0")), denied);
  });

  test("is told after five wrong passwords that they are too many", { timeout }, async () => {
    const guessed = await site.join("guessed");
    const guess = () => login(of_nobody, site.host, { ...guessed, password: "guess" });
    for (let at = 0; at < 5; at += 1) refused(await guess(), /invalid username\/password/);
    // On a slow machine the first second may be over before the next login comes; each wait is twice the one before.
    const words = /too many requests to registry/; // its own, for every 429
    let last;
    for (let at = 0; at < 8 && !words.test(last?.stderr); at += 1) last = await guess();
    refused(last, words);
  });

  test("is logged in with the right one", { timeout }, async () => {
    for (const host of [site.host, site.index.host]) {
      assert.match(works(await login(of_alice, host, alice)), /^Login Succeeded!$/m);
      assert.equal(works(await of_alice(["login", "--get-login", host])).trim(), "alice");
    }
  });

  test("pushes, and the index knows the tags", { timeout }, async () => {
    for (const name of ["app", "secret"]) {
      const pushed = await push(of_alice, at(`alice/${name}:1.0`));
      works(pushed);
      digest = pushed.digest;
      await tagsBecome(site, `alice/${name}`, { "1.0": digest }, alice);
    }
  });

  test("pulls what is public as anybody, and what is private as who may read it", { timeout }, async () => {
    const pull = (podman, name) => podman(["pull", plain, at(name)]);
    const inspect = async (podman, name) =>
      works(await podman(["image", "inspect", "--format", "{{.Digest}}", at(name)])).trim();
    works(await of_alice(["rmi", "--all", "--force"]));
    for (const [podman, name] of [
      [of_nobody, "alice/app:1.0"],
      [of_alice, "alice/app:1.0"],
      [of_alice, "alice/secret:1.0"],
    ]) {
      works(await pull(podman, name));
      assert.equal(await inspect(podman, name), digest);
    }
    refused(await pull(of_nobody, "alice/secret:1.0"), denied);
  });

  test("finds what is public, and not what is private: it sends no credentials", { timeout }, async () => {
    for (const podman of [of_nobody, of_alice]) {
      const search = bySearchOfPodman(podman);
      await soon("found", async () => (await search(site.index.host, "app")).includes("alice/app"));
      assert.deepEqual(await search(site.index.host, "secret"), []);
    }
  });

  test("is logged out", { timeout }, async () => {
    works(await of_alice(["logout", site.host]));
    refused(await push(of_alice, at("alice/app:1.0")), denied);
  });
});
