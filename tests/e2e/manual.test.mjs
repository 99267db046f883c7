// The commands of the manual, as they are printed: the first repository, the first push, a service account, the answer to
// why, and the way back to htpasswd. tests/it/docs/commands.rs holds that each block is run or marked.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { startDockerd, withoutDocker } from "./support/docker.mjs";
import { commands, put } from "./support/manual.mjs";
import { refused, works } from "./support/outcome.mjs";
import { run, succeed, without } from "./support/programs.mjs";
import { scratch } from "./support/scratch.mjs";
import { startSite, withoutRegistryOr } from "./support/site.mjs";
import { soon } from "./support/time.mjs";

const timeout = 180_000;
const index = "http://127.0.0.1:8787";

describe("the commands of the manual", {
  skip: withoutRegistryOr("dockerd", "docker", "curl") || withoutDocker(),
}, () => {
  let site, dockerd, home;
  /** Runs what is printed in the folder of the clone, as a shell does that stops at the first failure. */
  const shell = (text, { cwd = site.folder, env = {} } = {}) =>
    run("sh", ["-ec", text], {
      cwd,
      env: { DOCKER_HOST: `unix://${dockerd.socket}`, DOCKER_CONFIG: home, ...env },
      limit: timeout,
    });
  /** The last command of a block, until it finds what it looks for: a registry reports a push after it. */
  const finds = async (text, words) => {
    const last = text.trim().split("\n").at(-1);
    await soon(words, async () => works(await shell(last)).includes(words));
  };
  before(
    async () => {
      site = await startSite();
      dockerd = await startDockerd();
      home = scratch();
      writeFileSync(path.join(home, "config.json"), "{}", { mode: 0o600 });
    },
    { timeout: 900_000 },
  );
  after(
    async () => {
      for (const one of [dockerd, site]) await one?.stop();
    },
    { timeout: 60_000 },
  );

  test("the quickstart makes a repository, and docker finds it", { timeout }, async () => {
    const text = put(commands("first-repository"), {
      [index]: site.index.address,
      "docker search 127.0.0.1:8787": `docker search ${site.index.host}`,
    });
    works(await shell(text));
    await finds(text, "alice/rabbit");
  });

  test("docker pushes to a new registry, and finds what it pushed", { timeout }, async () => {
    const text = put(commands("first-push"), {
      [index]: site.index.address,
      "127.0.0.1:8787": site.index.host,
      "127.0.0.1:5000": site.registry.host,
    });
    const printed = works(await shell(text));
    assert.match(printed, /^✓ registry at \S+ sends people here and takes our tokens$/m);
    assert.doesNotMatch(printed, /^✗/m);
    assert.match(printed, /^latest: digest: sha256:/m);
    await finds(text, "alice/app");
  });

  test("a service account pushes with its token, also from a config.json", { timeout }, async () => {
    await site.admin("namespace", "acme");
    const printed = works(await shell(commands("service-account")));
    const [TOKEN] = /hlp_\w+/.exec(printed) ?? assert.fail(printed);
    const folder = scratch();
    const text = put(commands("config-json"), {
      "registry.example.com": site.registry.host,
      "acme-cluster": "acme-ci",
    });
    works(await shell(text, { cwd: folder, env: { TOKEN } }));
    const image = `${site.registry.host}/acme/app`;
    const docker = (words) => shell(`docker ${words}`, { env: { DOCKER_CONFIG: folder } });
    works(await shell(`tar -c README.md | docker import - ${image}`));
    works(await docker(`push ${image}`));
    works(await docker(`rmi ${image}`));
    works(await docker(`pull ${image}`));
    works(await docker(`rmi ${image}`));
  });

  test("a user asks why", { skip: without("jq"), timeout }, async () => {
    const robin = await site.join("robin");
    await site.admin("member", "acme", "robin", "read");
    const text = put(commands("access-review"), { [index]: site.index.address, "…": robin.password });
    const answer = JSON.parse(works(await shell(text)));
    assert.equal(answer.allowed, false);
    assert.match(answer.text, /robin may pull acme\/app.*robin may not push acme\/app: it takes the role write/);

    // The operator finds the same; of a namespace that does not exist the registry alone has a line.
    const { host, log } = site.registry;
    const env = { DOCKER_CONFIG: scratch() };
    works(await shell(`echo '${robin.password}' | docker login --username robin --password-stdin ${host}`, { env }));
    for (const name of ["acme/refused", "other/app"]) {
      works(await shell(`tar -c README.md | docker import - ${host}/${name}`));
      refused(await shell(`docker push ${host}/${name}`, { env }), /denied/);
    }
    await soon("listed", async () => /robin +push +acme\/refused +role/.test(await site.admin("refusals", "acme")));
    assert.doesNotMatch(await site.admin("refusals"), /other/);
    assert.match(log(), /insufficient scope.*other\/app/);
  });

  test("without the index, docker pushes by htpasswd", { skip: without("caddy"), timeout }, async () => {
    const { folder, host } = site.registry;
    const text = put(commands("htpasswd-configuration"), {
      sudo: "",
      " -g docker-registry": "",
      "/etc/docker/registry": folder,
    });
    works(await shell(text));
    const hash = (await succeed("caddy", ["hash-password", "--plaintext", "in an emergency"])).trim();
    writeFileSync(path.join(folder, "emergency.htpasswd"), `emergency:${hash}\n`, { mode: 0o600 });
    const config = (name) => readFileSync(path.join(folder, name), "utf8");
    const before = config("config.yml");
    const hour = put(commands("in-the-hour"), { sudo: "", "/etc/docker/registry": folder });
    for (let times = 0; times < 2; times += 1) works(await shell(hour)); // the second one loses nothing
    assert.deepEqual([config("hublet.yml"), config("config.yml")], [before, config("htpasswd.yml")]);
    await site.index.stop();
    await site.registry.restart();
    const login = (password) => shell(`echo ${password} | docker login --username emergency --password-stdin ${host}`);
    refused(await login("'a guess'"), /unauthorized|401/i);
    works(await login("'in an emergency'"));
    works(await shell(`tar -c README.md | docker import - ${host}/alice/later && docker push ${host}/alice/later`));
    works(await shell(`docker rmi ${host}/alice/later && docker pull ${host}/alice/later`));
  });
});
