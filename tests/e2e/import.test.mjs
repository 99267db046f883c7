// Users of a registry's file of passwords move in by `npm run import`, log in with the passwords that they had, and the lines of
// the way back that it prints bring the registry back to that file.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { clone } from "./support/clone.mjs";
import { freePort, start } from "./support/daemons.mjs";
import { startIndex } from "./support/index.mjs";
import { makeImage } from "./support/layout.mjs";
import { commands, put } from "./support/manual.mjs";
import { refused, works } from "./support/outcome.mjs";
import { run, succeed } from "./support/programs.mjs";
import { scratch } from "./support/scratch.mjs";
import { withoutRegistryOr } from "./support/site.mjs";
import { makeSkopeo } from "./support/skopeo.mjs";

const timeout = 180_000;

describe("an import", { skip: withoutRegistryOr("skopeo") }, () => {
  const hash = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"; // of this password, by htpasswd -B
  const [alice, robin] = [
    { name: "alice", password: "secret" },
    { name: "Robin", password: "secret" },
  ];
  let folder, etc, host, registry, index, image, plan;
  const config = () => path.join(etc, "config.yml");
  const begin = async () => {
    registry = await start("docker-registry", ["serve", config()], {
      ready: (log) => log.includes(`listening on ${host}`) || undefined,
    });
  };
  const npm = (name, ...words) =>
    run("npm", ["run", "--silent", name, "--", ...words], { cwd: folder, limit: timeout });
  /** Commands as they are printed, for a user who is root here, without systemd. */
  const typed = (text) =>
    succeed("sh", ["-ec", text.replaceAll("sudo ", "").replace(/^systemctl .*$/gm, "")], { cwd: folder });

  before(
    async () => {
      [folder, etc, host] = [clone(), scratch(), `127.0.0.1:${await freePort()}`];
      plan = path.join(scratch(), "plan.json");
      writeFileSync(path.join(etc, "htpasswd"), `alice:${hash}\nRobin:${hash}\n`);
      writeFileSync(
        config(),
        `version: 0.1
auth:
  htpasswd:
    realm: registry
    path: ${etc}/htpasswd
storage:
  filesystem:
    rootdirectory: ${scratch()}
http:
  addr: ${host}
`,
      );
      await begin();
      image = await makeImage("one");
      const client = makeSkopeo();
      works(await client.login(host, alice));
      for (const name of ["acme/app:1", "alone:1", "alice/own:1"]) works(await client.push(image, `${host}/${name}`));
      const vars = { REGISTRATION: "closed", VISIBILITY: "private", ANONYMOUS_READ: "off" };
      index = await startIndex({ folder, vars, port: await freePort() });
    },
    { timeout: 900_000 },
  );
  after(
    async () => {
      for (const one of [registry, index]) await one?.stop();
    },
    { timeout: 60_000 },
  );

  test("reads the registry's catalog with a password of it, and plans, writes and compares", { timeout }, async () => {
    const words = ["plan", "htpasswd", path.join(etc, "htpasswd"), "--registry", `http://${host}`, "-o", plan];
    refused(await npm("import", ...words), /REGISTRY_USER and REGISTRY_PASSWORD/);
    const env = { REGISTRY_USER: alice.name, REGISTRY_PASSWORD: alice.password };
    const planned = await run("npm", ["run", "--silent", "import", "--", ...words], {
      cwd: folder,
      limit: timeout,
      env,
    });
    assert.match(works(planned), /^2 users, 1 namespace, 3 repositories/m);
    assert.match(works(await npm("import", "apply", plan)), /written, 0 there already$/m);
    assert.match(works(await npm("import", "compare", plan)), /^no user gains$/m);
  });

  test("lets users in with their passwords, and the printed way back undoes the switch", { timeout }, async () => {
    const printed = works(await npm("import", "switch", "registry", "--config", config()));
    const [back = ""] = printed.split("# The switch.");
    const [keep = "", undo = ""] = back.split("# And to return to it");
    const earlier = readFileSync(config(), "utf8");
    await typed(/^sudo .*$/m.exec(keep)?.[0] ?? "");
    assert.ok(existsSync(path.join(etc, "before-hublet.yml")));
    await typed(put(commands("switch"), { " -g docker-registry": "", "/etc/docker/registry": etc }));
    await registry.stop();
    await begin();
    const [first, second] = [makeSkopeo(), makeSkopeo()];
    works(await first.login(host, alice));
    works(await second.login(host, robin));
    works(await first.push(image, `${host}/acme/app:2`));
    works(await second.push(image, `${host}/alone:2`));
    works(await second.pull(`${host}/alice/own:1`));
    refused(await second.login(host, { ...robin, password: "wrong" }), /invalid username\/password|unauthorized/);

    await typed((undo.match(/^sudo .*$/gm) ?? []).join("\n"));
    assert.equal(readFileSync(config(), "utf8"), earlier);
    await registry.stop();
    await begin();
    works(await makeSkopeo().login(host, robin));
  });
});
