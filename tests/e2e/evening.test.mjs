// A registry of 300 repositories behind nginx, with a file of forty users, moves to the index and back by the commands of
// docs/evening.md, while one client pushes and another pulls every second: nothing that is allowed fails but for the
// registry's restart.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { clone } from "./support/clone.mjs";
import { freePort, start } from "./support/daemons.mjs";
import { startIndex } from "./support/index.mjs";
import { makeImage } from "./support/layout.mjs";
import { commands, put } from "./support/manual.mjs";
import { refused, works } from "./support/outcome.mjs";
import { run } from "./support/programs.mjs";
import { startNginx } from "./support/proxies.mjs";
import { fill, RegistryStorage } from "./support/registry-storage.mjs";
import { scratch } from "./support/scratch.mjs";
import { withoutRegistryOr } from "./support/site.mjs";
import { makeSkopeo } from "./support/skopeo.mjs";
import { pause, soon } from "./support/time.mjs";

const timeout = 600_000;
const denied = /unauthorized|denied|authentication required/;
const password = "secret";
const hash = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"; // of this password, by htpasswd -B
const REPOSITORIES = 300;
const TAGS = 5_000;

/** Somebody who does the same every second: what came of it, and when. */
function busy(work) {
  const attempts = [];
  let ends = false;
  const done = (async () => {
    while (!ends) {
      const began = Date.now();
      const { code, stderr } = await work();
      attempts.push({ began, ended: Date.now(), code, stderr });
      await pause(Math.max(0, began + 1_000 - Date.now()));
    }
  })();
  return {
    attempts,
    stop: () => {
      ends = true;
      return done;
    },
  };
}

describe("an evening", { skip: withoutRegistryOr("skopeo", "jq", "nginx") }, () => {
  const etc = scratch();
  const users = ["robin", "olga", ...Array.from({ length: 38 }, (_, at) => `user-${String(at + 1).padStart(2, "0")}`)];
  const clients = Object.fromEntries(["robin", "olga", "user-07", "user-08"].map((name) => [name, makeSkopeo()]));
  const restarts = [];
  const took = [];
  let folder, own, host, registry, proxy, index, image, here, pushes, pulls;

  const begin = async () => {
    registry = await start("docker-registry", ["serve", path.join(etc, "config.yml")], {
      ready: (log) => log.includes(`listening on ${own}`) || undefined,
    });
  };
  /** Stops the registry and starts it, as its host does. */
  const restart = async () => {
    const began = Date.now();
    await registry.stop();
    await begin();
    restarts.push({ began, ended: Date.now() });
  };
  /** Runs a block of the manual; its time is the machine's part. */
  const printed = async (t, text) => {
    const values = Object.entries(here).filter(([from]) => text.includes(from));
    const env = { OLD_USER: "user-01", OLD_PASSWORD: password };
    const began = performance.now();
    const done = await run("sh", ["-ec", put(text, Object.fromEntries(values))], { cwd: folder, env, limit: timeout });
    took.push((performance.now() - began) / 1_000);
    t.diagnostic(`${text.split("\n")[0]}: ${took.at(-1).toFixed(1)} s`);
    return done;
  };
  /** All that failed did so while the registry was restarted. */
  const unharmed = ({ attempts }) => {
    const during = ({ began, ended }) => restarts.some((one) => began <= one.ended && ended >= one.began);
    assert.ok(attempts.length > 3);
    assert.deepEqual(
      attempts.filter((one) => one.code !== 0 && !during(one)),
      [],
    );
    assert.equal(attempts.at(-1).code, 0, attempts.at(-1).stderr);
  };
  const at = (name) => `${host}/${name}`;

  before(
    async () => {
      folder = clone();
      const [port, front] = [await freePort(), await freePort()];
      [own, host] = [`127.0.0.1:${port}`, `127.0.0.1:${front}`];
      here = {
        "127.0.0.1:5000": own,
        sudo: "",
        " -g docker-registry": "",
        "/etc/docker/registry": etc,
        "--deep": "--deep --rate 2000", // not to take minutes
      };
      writeFileSync(path.join(etc, "htpasswd"), users.map((name) => `${name}:${hash}\n`).join(""));
      const data = scratch();
      const config = `version: 0.1
auth:
  htpasswd:
    realm: registry
    path: ${etc}/htpasswd
storage:
  filesystem:
    rootdirectory: ${data}
http:
  addr: ${own}
  host: http://${host}
`;
      writeFileSync(path.join(etc, "config.yml"), config);
      fill(new RegistryStorage(data), { repositories: REPOSITORIES, tags: TAGS });
      await begin();
      proxy = await startNginx(
        `server { listen ${host}; client_max_body_size 0; location / {
           proxy_pass http://${own}; proxy_set_header Host $http_host; } }`,
        front,
      );
      image = await makeImage("one");
      for (const [name, client] of Object.entries(clients)) works(await client.login(host, { name, password }));
      works(await clients.robin.pull(at("acme/app-0002:1.0")));
      works(await clients.olga.push(image, at("acme/app-0003:of-olga")));
      let number = 0;
      pushes = busy(() => {
        number += 1;
        return clients["user-07"].push(image, at(`acme/app-0001:live-${number}`));
      });
      pulls = busy(() => clients["user-08"].pull(at("acme/app-0002:1.0")));
    },
    { timeout: 900_000 },
  );
  after(
    async () => {
      for (const one of [pushes, pulls, proxy, registry, index]) await one?.stop();
    },
    { timeout: 60_000 },
  );

  test("users and roles are there before the switch, and nothing has changed", { timeout }, async (t) => {
    works(await printed(t, commands("start-closed")));
    index = await startIndex({ folder, port: await freePort() });
    assert.doesNotMatch(index.log(), /any client that reaches it may register/);
    assert.match(works(await printed(t, commands("evening-copy"))), /The way back/);
    assert.match(works(await printed(t, commands("evening-plan"))), /40 users/);
    works(await printed(t, commands("evening-edit")));
    const compared = works(await printed(t, commands("evening-apply")));
    for (const name of ["robin", "olga"]) assert.match(compared, new RegExp(name));
    assert.match(works(await printed(t, commands("evening-administrator"))), /account\/password#/);
    works(await clients.robin.pull(at("acme/app-0002:1.0")));
    assert.deepEqual(restarts, []);
  });

  test("the switch costs a restart, and the plan counts from then on", { timeout }, async (t) => {
    works(await printed(t, commands("switch")));
    await restart();
    assert.doesNotMatch(works(await printed(t, commands("doctor-of-a-registry"))), /^✗/m);
    // Nobody has logged in again.
    refused(await clients.robin.pull(at("acme/app-0002:1.0")), denied);
    works(await clients.olga.pull(at("acme/app-0002:1.0")));
    refused(await clients.olga.push(image, at("acme/app-0003:again")), denied);
    refused(await makeSkopeo().pull(at("acme/app-0002:1.0")), denied);
  });

  test("the index learns what the registry holds", { timeout }, async (t) => {
    assert.match(works(await printed(t, commands("evening-contents"))), /^added \d+ tags/m);
    const look = await printed(t, commands("evening-look"));
    assert.match(look.stdout, /acme\/app-0299/);
    assert.doesNotMatch(look.stdout, /public/);
  });

  test("and back within a minute, to what was there before", { timeout }, async (t) => {
    const began = performance.now();
    works(await printed(t, commands("evening-back")));
    await restart();
    await soon("robin pulls again", async () => (await clients.robin.pull(at("acme/app-0002:1.0"))).code === 0, 60_000);
    assert.ok(performance.now() - began < 60_000);
    works(await clients.olga.push(image, at("acme/app-0003:of-olga")));
    const config = (name) => readFileSync(path.join(etc, `${name}.yml`), "utf8");
    assert.equal(config("config"), config("before-hublet"));
    // Once more, and the way back is still there.
    const before = config("before-hublet");
    works(await printed(t, commands("switch")));
    assert.equal(config("before-hublet"), before);
    assert.equal(config("config"), config("hublet"));
    works(await printed(t, commands("evening-back")));
    works(await printed(t, commands("switch-again")));
    assert.equal(config("config"), config("hublet"));
    await restart();
    refused(await clients.robin.pull(at("acme/app-0002:1.0")), denied);
    assert.match(works(await printed(t, commands("after-a-way-back"))), /^(added|nothing)/m);
    works(await printed(t, commands("evening-clean")));
  });

  test("nothing that was allowed failed but for the restarts", { timeout }, async (t) => {
    await Promise.all([pushes.stop(), pulls.stop()]);
    unharmed(pushes);
    unharmed(pulls);
    const long = restarts.map(({ began, ended }) => `${((ended - began) / 1_000).toFixed(1)} s`).join(" and ");
    const sum = took.reduce((sum, one) => sum + one, 0) / 60;
    t.diagnostic(`${pushes.attempts.length} pushes, ${pulls.attempts.length} pulls; restarts of ${long}`);
    t.diagnostic(`the machine's part of the evening: ${sum.toFixed(1)} minutes`);
    assert.ok(sum < 45);
  });
});
