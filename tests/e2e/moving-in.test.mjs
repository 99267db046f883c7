// A registry that holds images, with users of its own in a file of passwords, comes to the index by the commands that the
// manual prints: who was nobody pulls nothing, roles decide about the others, and no image is another afterwards.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { clone } from "./support/clone.mjs";
import { freePort, start } from "./support/daemons.mjs";
import { startIndex } from "./support/index.mjs";
import { makeImage, makeIndex } from "./support/layout.mjs";
import { commands, put } from "./support/manual.mjs";
import { refused, works } from "./support/outcome.mjs";
import { run, succeed } from "./support/programs.mjs";
import { scratch } from "./support/scratch.mjs";
import { withoutRegistryOr } from "./support/site.mjs";
import { makeSkopeo } from "./support/skopeo.mjs";

const timeout = 180_000;
const denied = /unauthorized|denied|authentication required/;

describe("moving in", { skip: withoutRegistryOr("skopeo", "curl", "jq") }, () => {
  const owner = { name: "owner", password: "secret" };
  const home = scratch();
  let folder, etc, host, registry, index, images, here;
  const begin = async () => {
    registry = await start("docker-registry", ["serve", path.join(etc, "config.yml")], {
      ready: (log) => log.includes(`listening on ${host}`) || undefined,
    });
  };
  /** Runs a block of the manual in the folder of the clone, with what is of this machine. */
  const printed = (text, env = {}) => {
    const values = Object.entries(here).filter(([from]) => text.includes(from));
    const login = { REGISTRY_AUTH_FILE: path.join(home, "auth.json") };
    const options = { cwd: folder, env: { ...login, ...env }, limit: timeout };
    return run("sh", ["-ec", put(text, Object.fromEntries(values))], options);
  };
  const admin = (...words) => succeed("npm", ["run", "--silent", "admin", "--", ...words], { cwd: folder });
  const digest = async (client, name) => JSON.parse(works(await client.inspect(`${host}/${name}`))).Digest;

  before(
    async () => {
      [folder, etc, host] = [clone(), scratch(), `127.0.0.1:${await freePort()}`];
      const hash = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"; // of this password, by htpasswd -B
      writeFileSync(path.join(etc, "htpasswd"), `# who pushes\n${owner.name}:${hash}\n`);
      const config = `version: 0.1
auth:
  htpasswd:
    realm: registry
    path: ${etc}/htpasswd
notifications:
  endpoints: []
storage:
  filesystem:
    rootdirectory: ${scratch()}
http:
  addr: ${host}
`;
      writeFileSync(path.join(etc, "config.yml"), config);
      await begin();
      const [one, other] = [await makeImage("one"), await makeImage("another")];
      const both = makeIndex({ "linux/amd64": one, "linux/arm64": other });
      images = {
        "acme/app:1.0": both,
        "acme/app:2.0": one,
        "acme/deep/db:1": other,
        "tools/cli:1": one,
        "alone:1": other,
      };
      const client = makeSkopeo();
      works(await client.login(host, owner));
      for (const [name, image] of Object.entries(images)) works(await client.push(image, `${host}/${name}`));
    },
    { timeout: 900_000 },
  );
  after(
    async () => {
      for (const one of [registry, index]) await one?.stop();
    },
    { timeout: 60_000 },
  );

  test("its images are listed by its own passwords", { timeout }, async () => {
    here = { "127.0.0.1:5000": host, sudo: "", " -g docker-registry": "", "/etc/docker/registry": etc };
    works(await printed(commands("list-of-images"), { OLD_LOGIN: `${owner.name}:${owner.password}` }));
    const listed = readFileSync(path.join(folder, "images.txt"), "utf8").trim().split("\n").sort();
    assert.deepEqual(listed, Object.keys(images).sort());
  });

  test("users, roles and the switch are as printed, and the doctor finds nothing wrong", { timeout }, async () => {
    works(await printed(commands("start-closed")));
    index = await startIndex({ folder, port: await freePort() });
    const body = JSON.stringify({ username: "mallory", password: "wonderland", email: "m@example.com" });
    assert.equal((await fetch(`${index.address}/v1/users/`, { method: "POST", body })).status, 401);
    works(await printed(commands("users-of-htpasswd")));
    works(await printed(commands("users-and-roles")));
    works(await printed(commands("administrator")));
    await admin("member", "tools", owner.name, "read");
    works(await printed(commands("switch")));
    await registry.stop();
    await begin();
    assert.doesNotMatch(works(await printed(commands("doctor-of-a-registry"))), /^✗/m);
    assert.equal(readFileSync(path.join(etc, "config.yml"), "utf8").match(/^(auth|notifications):/gm).length, 2);
  });

  test("images that are imported are private, and what they were", { timeout }, async () => {
    assert.match(works(await printed(commands("images-known"))), /^added 5 tags$/m);
    assert.match(await admin("repositories"), /library\/alone/);
    assert.doesNotMatch(await admin("repositories"), /public/);
    const [nobody, robin, keeper, before] = [makeSkopeo(), makeSkopeo(), makeSkopeo(), makeSkopeo()];
    works(await before.login(host, owner));
    works(await before.pull(`${host}/tools/cli:1`));
    refused(await before.pull(`${host}/acme/app:1.0`), denied);
    works(await robin.login(host, { name: "robin", password: "the password of robin" }));
    works(await keeper.login(host, { name: "keeper", password: "the password of keeper" }));
    for (const [name, image] of Object.entries(images)) {
      refused(await nobody.pull(`${host}/${name}`), denied);
      const pulled = await robin.pull(`${host}/${name}`);
      if (name.startsWith("tools/")) refused(pulled, denied);
      else works(pulled);
      assert.equal(await digest(keeper, name), image.digest, name);
    }
    refused(await robin.push(images["acme/app:2.0"], `${host}/acme/app:3.0`), denied);
    works(await robin.push(images["acme/app:2.0"], `${host}/alone:2`));
  });
});
