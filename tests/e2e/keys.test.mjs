// The keys behind registry tokens: a new one that no registry notices, and a new CA after a theft.

import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { send } from "./support/http.mjs";
import { makeImage } from "./support/layout.mjs";
import { refused, works } from "./support/outcome.mjs";
import { startSite, tagsBecome, withoutRegistryOr } from "./support/site.mjs";
import { makeSkopeo } from "./support/skopeo.mjs";

const timeout = 180_000;

describe("the keys of registry tokens", { skip: withoutRegistryOr("skopeo") }, () => {
  let site, alice, image, skopeo;
  const at = (name) => `${site.host}/${name}`;
  const keys = async () =>
    (await send(site.index.address, "GET", "/.well-known/jwks.json")).json().keys.map(({ kid }) => kid);
  const token = async () => {
    const answer = await site.askForToken(alice, "repository:alice/app:pull");
    assert.equal(answer.status, 200, answer.text);
    return answer.json().token;
  };
  /** The certificate under which a token was signed. */
  const signer = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url")).x5c[0];
  const says = async (address, path, token) =>
    (await send(address, "GET", path, { headers: { Authorization: `Bearer ${token}` } })).status;
  const atRegistry = (token) => says(site.registry.address, "/v2/alice/app/tags/list", token);
  const atIndex = (token) => says(site.index.address, "/v2/", token);
  const doctor = () =>
    site.doctor("--registry", `registry=${site.registry.address}`, "--public-url", site.index.address);
  /** Makes new keys, and lets the worker take them. */
  const renew = async (verb) => {
    const before = await keys();
    const printed = await site.keys(verb);
    await site.reload(async () => (await keys().catch(() => before))[0] !== before[0]);
    return { before, printed };
  };
  before(
    async () => {
      site = await startSite();
      alice = await site.join("alice");
      image = await makeImage("keys");
      skopeo = makeSkopeo();
      works(await skopeo.login(site.host, alice));
      works(await skopeo.push(image, at("alice/app:1.0")));
      await tagsBecome(site, "alice/app", { "1.0": image.digest });
    },
    { timeout: 900_000 },
  );
  after(() => site?.stop(), { timeout: 60_000 });

  test("are what the registry was told to trust", { timeout }, async () => {
    assert.match(site.printed, /made a CA \(\.keys\/ca\.pem/);
    const lines = [
      "auth:",
      "  token:",
      `    realm: "${site.index.address}/token"`,
      '    service: "registry"',
      '    issuer: "hublet"',
    ];
    assert.ok(site.printed.includes(`${lines.join("\n")}\n    rootcertbundle: `), site.printed);
    assert.match(await doctor(), /^✓ registry at \S+ sends people here and takes our tokens$/m);
  });

  test("change without a registry noticing: no token ends, none is refused", { timeout }, async () => {
    const [first, log] = [await token(), site.registry.log().length];
    const { before, printed } = await renew("rotate");
    assert.match(printed, /a registry with the CA needs nothing/);
    assert.deepEqual((await keys()).slice(1), before);

    const second = await token();
    assert.notEqual(signer(second), signer(first));
    for (const one of [first, second]) assert.deepEqual([await atRegistry(one), await atIndex(one)], [200, 200]);
    works(await skopeo.push(image, at("alice/app:2.0")));
    await tagsBecome(site, "alice/app", { "1.0": image.digest, "2.0": image.digest });
    assert.doesNotMatch(site.registry.log().slice(log), /listening on/); // it was not started again
  });

  test("are replaced after a theft by what a registry must be given", { timeout }, async () => {
    const stolen = await token();
    const ca = path.join(site.folder, ".keys/ca.pem");
    const { printed } = await renew("compromised");
    assert.match(printed, /registry: rootcertbundle becomes a copy of \S*ca\.pem/);
    const fresh = await token();
    assert.deepEqual([await atIndex(stolen), await atIndex(fresh)], [401, 200]);
    assert.deepEqual([await atRegistry(stolen), await atRegistry(fresh)], [200, 401]);
    refused(await skopeo.pull(at("alice/app:1.0")), /unauthorized|denied|authentication required|invalid/);

    assert.notDeepEqual(readFileSync(site.registry.certificate), readFileSync(ca));
    copyFileSync(ca, site.registry.certificate);
    await site.registry.restart();
    assert.deepEqual([await atRegistry(stolen), await atRegistry(fresh)], [401, 200]);
    works(await skopeo.push(image, at("alice/app:3.0")));
    await tagsBecome(site, "alice/app", { "1.0": image.digest, "2.0": image.digest, "3.0": image.digest });
  });
});
