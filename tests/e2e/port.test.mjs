// `npm start` at any port, and everything after it as the manual says: registry, login, push, events, links, the doctor.

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { clone } from "./support/clone.mjs";
import { freePort } from "./support/daemons.mjs";
import { startDockerd, withoutDocker } from "./support/docker.mjs";
import { basic, send } from "./support/http.mjs";
import { startIndex } from "./support/index.mjs";
import { makeTar } from "./support/layout.mjs";
import { manage } from "./support/management.mjs";
import { refused, works } from "./support/outcome.mjs";
import { run, succeed } from "./support/programs.mjs";
import { startRegistry } from "./support/registry-v2.mjs";
import { scratch } from "./support/scratch.mjs";
import { withoutRegistryOr } from "./support/site.mjs";
import { soon } from "./support/time.mjs";

const timeout = 120_000;
const state = path.join(scratch(), "state");
const password = "wonderland";

describe("npm start at any port", { skip: withoutRegistryOr("dockerd", "docker") || withoutDocker() }, () => {
  let folder, index, registry, dockerd, docker;
  const npm = (...words) => succeed("npm", ["run", "--silent", ...words], { cwd: folder, limit: timeout });
  /** What the doctor says, well or not. */
  const doctor = async (name = "registry") => {
    const words = ["run", "--silent", "doctor", "--", "--registry", `${name}=${registry.address}`];
    return (await run("npm", words, { cwd: folder, limit: timeout })).stdout;
  };
  const begin = async (vars, port) => {
    await index?.stop();
    index = await startIndex({ folder, state, vars, port: port ?? (await freePort()) });
  };
  /** The registry as it is told by a file of .keys now. */
  const configured = async (file) => {
    await registry?.stop();
    registry = await startRegistry(path.join(folder, ".keys"), {}, file);
  };
  const login = () => docker(["login", "--username", "alice", "--password-stdin", registry.host], { input: password });
  /** Pushes a tag, and waits until the index has heard of it. */
  const push = async (tag) => {
    const image = `${registry.host}/alice/app:${tag}`;
    works(await docker(["import", await makeTar(tag), image]));
    works(await docker(["push", image]));
    const known = async () =>
      (await manage(index.address)(200, "GET", "namespaces/alice/repositories/app/tags")).results;
    await soon(`the tag ${tag}`, async () => (await known().catch(() => [])).some(({ name }) => name === tag));
  };
  /** Registers somebody. */
  const make = async (name) => {
    const answer = await send(index.address, "POST", "/v1/users/", {
      body: { username: name, password, email: `${name}@example.com` },
    });
    assert.equal(answer.status, 201, answer.text);
  };
  before(
    async () => {
      folder = clone();
      dockerd = await startDockerd();
      docker = dockerd.client();
      await begin();
      await configured();
    },
    { timeout: 900_000 },
  );
  after(
    async () => {
      for (const one of [dockerd, registry, index]) await one?.stop();
    },
    { timeout: 60_000 },
  );

  test("a link of the operator's leads to it, and admin finds its database", { timeout }, async () => {
    const [, link, secret] = /(http:\/\/\S+)#(\S+)/.exec(await npm("admin", "--", "add", "alice"));
    assert.equal(link, `${index.address}/account/password`);
    assert.equal((await send(link, "GET", "/account/password")).status, 200);
    const form = {
      headers: { "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin" },
      body: `secret=${secret}&password=${password}`,
    };
    assert.equal((await send(link, "POST", "/account/password", form)).status, 200);
    const headers = { Authorization: basic({ name: "alice", password }) };
    assert.equal((await send(index.address, "GET", "/v1/users/", { headers })).status, 200);
  });

  test("docker logs in, pushes, and the index hears of it", { timeout }, async () => {
    assert.match(await doctor(), /^✓ registry at \S+ sends people here and takes our tokens$/m);
    works(await login());
    await push("first");
  });

  test("at another port the registry needs what is written then, and the doctor says so", { timeout }, async () => {
    const before = index.address;
    await begin();
    assert.match(index.log(), /^hublet: \.keys\/registry\.yml says something else now/m);
    refused(await login(), /./); // nobody is where the registry sends docker
    const said = await doctor();
    assert.ok(
      said.includes(`✗ registry at ${registry.address} says realm "${before}/token" and not "${index.address}/token"`),
      said,
    );
    assert.match(said, /→ give it what is in \.keys\/registry\.yml and start it again$/m);
    await configured();
    works(await login());
    await push("second");
  });

  test("settings that it is started with are those of its registries", { timeout }, async () => {
    await begin({ SERVICES: "hall,registry" });
    await configured("hall.yml");
    assert.match(await doctor("hall"), /^✓ hall at \S+ sends people here and takes our tokens$/m);
    works(await login());
    await push("third");
  });

  test("what a registry held before the index is there once an administrator pushes it again", {
    timeout,
  }, async () => {
    const [image, nobody] = [`${registry.host}/alice/app:third`, dockerd.client()];
    const tags = async () => (await send(index.address, "GET", "/v2/namespaces/alice/repositories/app/tags")).status;
    await index.stop();
    index = await startIndex({ folder, vars: { SERVICES: "hall,registry" }, port: new URL(index.address).port });
    for (const name of ["alice", "root_2"]) await make(name);
    await npm("admin", "--", "grant", "root_2");
    works(await docker(["rmi", image]));
    refused(await nobody(["pull", image]), /denied/);
    assert.equal(await tags(), 404);
    works(await docker(["login", "--username", "root_2", "--password-stdin", registry.host], { input: password }));
    works(await docker(["pull", image]));
    assert.match(works(await docker(["push", image])), /Layer already exists/);
    await soon("known", async () => (await tags()) === 200);
    works(await nobody(["pull", image]));
  });

  test("a login that is refused without a word is explained by the doctor", { timeout }, async () => {
    await begin({ SERVICES: "hall", ISSUER: "another" }, new URL(index.address).port);
    refused(await login(), /401 Unauthorized/);
    assert.match(
      await doctor("hall"),
      /^✗ hall at \S+ refuses our token \(401\): its issuer is "hublet" and not "another" → give it what is in \.keys\/hall\.yml/m,
    );
  });
});
