// Access tokens in the place of a password: limited, expired, ended while at work, and those of a machine; and a user
// who is shut out.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { send } from "./support/http.mjs";
import { makeImage } from "./support/layout.mjs";
import { refused, works } from "./support/outcome.mjs";
import { startSite, tagsBecome, withoutRegistryOr } from "./support/site.mjs";
import { makeSkopeo } from "./support/skopeo.mjs";
import { pause } from "./support/time.mjs";

const timeout = 180_000; // what the operator runs takes seconds each
const denied = /unauthorized|denied|authentication required/;

describe("an access token", { skip: withoutRegistryOr("skopeo") }, () => {
  let site, alice, manage, image, early;
  const at = (name) => `${site.host}/${name}`;
  const make = (wanted) =>
    manage(201, "POST", "access-tokens", { token_label: "e2e", scopes: ["repo:write"], ...wanted });
  const loggedIn = async (name, password) => {
    const skopeo = makeSkopeo();
    works(await skopeo.login(site.host, { name, password }));
    return skopeo;
  };
  const ask = (user, scope) => site.askForToken(user, scope);
  /** What the registry says of a manifest to somebody with this registry token. */
  const manifest = (repository, token) =>
    send(site.registry.address, "GET", `/v2/${repository}/manifests/1.0`, {
      headers: { Authorization: `Bearer ${token}`, Accept: "application/vnd.oci.image.manifest.v1+json" },
    });
  before(
    async () => {
      site = await startSite({ vars: { VISIBILITY: "private", REGISTRY_TOKEN_SECONDS: "60" } });
      alice = await site.join("alice");
      manage = site.manage(alice);
      image = await makeImage("access token");
      const skopeo = await loggedIn("alice", alice.password);
      for (const name of ["app", "other"]) {
        works(await skopeo.push(image, at(`alice/${name}:1.0`)));
        await tagsBecome(site, `alice/${name}`, { "1.0": image.digest }, alice);
      }
      early = { ...(await ask(alice, "repository:alice/other:pull")).json(), asked: performance.now() };
    },
    { timeout: 900_000 },
  );
  after(() => site?.stop(), { timeout: 60_000 });

  test("opens what it is limited to, and nothing else", { timeout }, async () => {
    const { token, uuid } = await make({ resources: [{ path: "alice/app" }] });
    assert.match(token, /^hlp_/);
    const skopeo = await loggedIn("alice", token);
    works(await skopeo.pull(at("alice/app:1.0")));
    works(await skopeo.push(image, at("alice/app:2.0")));
    await tagsBecome(site, "alice/app", { "1.0": image.digest, "2.0": image.digest }, alice);
    refused(await skopeo.pull(at("alice/other:1.0")), denied);
    refused(await skopeo.push(image, at("alice/other:2.0")), denied);
    refused(await skopeo.push(image, at("alice/new:1.0")), denied);
    refused(await skopeo.delete(at("alice/app:2.0")), denied); // it may write, not more
    assert.deepEqual(await site.tags("alice/other", alice), { "1.0": image.digest });
    assert.ok((await manage(200, "GET", `access-tokens/${uuid}`)).last_used);
  });

  test("is read-only where it says so, and open by a pattern", { timeout }, async () => {
    const { token } = await make({ scopes: ["repo:read"], resources: [{ path: "alice/ap*" }] });
    const skopeo = await loggedIn("alice", token);
    works(await skopeo.pull(at("alice/app:1.0")));
    refused(await skopeo.push(image, at("alice/app:3.0")), denied);
    refused(await skopeo.pull(at("alice/other:1.0")), denied);
  });

  test("ends when it expires", { timeout }, async () => {
    const expires = Date.now() + 4_000;
    const { token } = await make({ expires_at: new Date(expires).toISOString().replace(/\.\d+Z$/, "Z") });
    const skopeo = await loggedIn("alice", token);
    works(await skopeo.pull(at("alice/app:1.0")));
    await pause(expires - Date.now());
    refused(await skopeo.pull(at("alice/app:1.0")), denied);
    refused(await skopeo.login(site.host, { name: "alice", password: token }), /invalid username\/password/);
    const answer = await ask({ name: "alice", password: token }, "repository:alice/app:pull");
    assert.equal(answer.status, 401);
    assert.match(answer.json().details, /has expired/);
  });

  test("ends when it is revoked; the registry takes the registry token in hand until that ends", {
    timeout,
  }, async () => {
    const { token, uuid } = await make({});
    const user = { name: "alice", password: token };
    const skopeo = await loggedIn("alice", token);
    const answer = await ask(user, "repository:alice/app:pull");
    const { token: inHand, expires_in } = answer.json();
    assert.equal(expires_in, 60);
    assert.equal((await manifest("alice/app", inHand)).status, 200);

    await manage(204, "DELETE", `access-tokens/${uuid}`);
    assert.equal((await manifest("alice/app", inHand)).status, 200);
    assert.equal((await ask(user, "repository:alice/app:pull")).status, 401);
    refused(await skopeo.pull(at("alice/app:1.0")), denied);
    refused(await skopeo.push(image, at("alice/app:3.0")), denied);
  });

  test("of a machine pushes into a shared namespace", { timeout }, async () => {
    await site.admin("namespace", "shop");
    await site.admin("add-machine", "builder");
    await site.admin("member", "shop", "builder", "write");
    const printed = await site.admin(
      "token",
      "builder",
      "--resource",
      "shop/app",
      "--scope",
      "repo:write",
      "--days",
      "90",
    );
    const [token] = /^hlp_\w+$/m.exec(printed);
    const machine = { name: "builder", password: token };
    const skopeo = await loggedIn(machine.name, token);
    works(await skopeo.push(image, at("shop/app:1.0")));
    await tagsBecome(site, "shop/app", { "1.0": image.digest }, machine);
    const tag = await site.manage(machine)(200, "GET", "namespaces/shop/repositories/app/tags/1.0");
    assert.equal(tag.last_updater_username, "builder");
    works(await skopeo.pull(at("shop/app:1.0")));
    refused(await skopeo.push(image, at("shop/other:1.0")), denied);
    const person = await loggedIn("alice", alice.password);
    refused(await person.pull(at("shop/app:1.0")), denied);
    refused(await person.push(image, at("shop/app:2.0")), denied);
  });

  test("a disabled user has nothing more, and all of it again when enabled", { timeout }, async () => {
    const robert = await site.join("robert");
    const { token } = await site.manage(robert)(201, "POST", "access-tokens", {
      token_label: "e2e",
      scopes: ["repo:write"],
    });
    const skopeo = await loggedIn("robert", robert.password);
    works(await skopeo.push(image, at("robert/app:1.0")));
    const inHand = (await ask(robert, "repository:robert/app:pull")).json().token;

    await site.admin("disable", "robert");
    for (const password of [robert.password, token]) {
      const answer = await ask({ name: "robert", password }, "repository:robert/app:pull");
      assert.equal(answer.status, 403);
      assert.match(answer.json().details, /not Active/);
    }
    refused(await skopeo.push(image, at("robert/app:2.0")), /not Active|denied|403/);
    refused(await skopeo.login(site.host, robert), /not Active|403/);
    assert.equal((await manifest("robert/app", inHand)).status, 200);

    await site.admin("enable", "robert");
    works(await skopeo.push(image, at("robert/app:2.0")));
    await tagsBecome(site, "robert/app", { "1.0": image.digest, "2.0": image.digest }, robert);
  });

  // The registry adds a minute to the minute of the token, for clocks that differ.
  test("a registry token in hand ends by itself", { timeout }, async () => {
    const { exp, iat } = JSON.parse(Buffer.from(early.token.split(".")[1], "base64url"));
    assert.equal(exp - iat, 60);
    const end = early.asked + 121_000;
    if (performance.now() < early.asked + 60_000)
      assert.equal((await manifest("alice/other", early.token)).status, 200);
    await pause(end - performance.now());
    assert.equal((await manifest("alice/other", early.token)).status, 401);
    const fresh = (await ask(alice, "repository:alice/other:pull")).json().token;
    assert.equal((await manifest("alice/other", fresh)).status, 200);
  });
});
