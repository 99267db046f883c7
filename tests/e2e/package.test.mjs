// The package, on a machine that has Node and npm and no compiler, in an empty folder with an empty home.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { root } from "./support/clone.mjs";
import { freePort, start } from "./support/daemons.mjs";
import { works } from "./support/outcome.mjs";
import { find, run, succeed } from "./support/programs.mjs";
import { scratch } from "./support/scratch.mjs";

const timeout = 120_000;

/** Milliseconds from the call to the ready line, once npm has installed the package. */
const READY = 30_000;

/** Debian's coreutils, and what npm itself calls. */
async function coreutils() {
  const listed = await succeed("dpkg", ["--listfiles", "coreutils"]);
  return listed.split("\n").filter((file) => /^(\/usr)?\/bin\/./.test(file));
}

/** A program of the machine: that of this clone's packages is another Node. */
function installed(program) {
  const folders = process.env.PATH.split(path.delimiter).filter((folder) => !folder.includes("node_modules"));
  return folders.map((folder) => path.join(folder, program)).find((file) => existsSync(file));
}

/** A folder for PATH with node, npm and coreutils. */
async function programs() {
  const folder = scratch();
  for (const file of [...(await coreutils()), ...["sh", "node", "npm", "npx"].map(installed)])
    symlinkSync(file, path.join(folder, path.basename(file)));
  return folder;
}

/** The same package with another version, as a later release is. */
async function later(file, version) {
  const folder = scratch();
  await succeed("tar", ["-xzf", file, "-C", folder]);
  const described = path.join(folder, "package/package.json");
  writeFileSync(described, JSON.stringify({ ...JSON.parse(readFileSync(described, "utf8")), version }));
  await succeed("npm", ["pack", path.join(folder, "package"), "--pack-destination", folder, "--loglevel=error"]);
  return path.join(folder, `hublet-${version}.tgz`);
}

describe("the package", { skip: find("dpkg") ? false : "skipped: dpkg is not installed" }, () => {
  let folder, env, name, index;
  const at = (file) => path.join(folder, file);
  const hublet = (words, options = {}) =>
    run("npx", ["--yes", `./${name}`, ...words], { cwd: folder, limit: timeout, ...options, bare: env });

  before(
    async () => {
      folder = scratch();
      const home = path.join(scratch(), "home");
      mkdirSync(home);
      env = { PATH: await programs(), HOME: home };
      name = (await succeed("npm", ["run", "--silent", "pack"], { cwd: root, limit: 900_000 })).trim();
      renameSync(path.join(root, name), at(name));
      const nothing = await hublet([], { limit: 600_000 });
      assert.match(
        nothing.stderr,
        /^hublet: there are start, deploy, admin, keys, doctor, registry, backup, restore, import, export$/m,
      );
      const port = await freePort();
      index = await start("npx", ["--yes", `./${name}`, "start", "--port", port], {
        cwd: folder,
        bare: env,
        limit: READY,
        ready: (log) => /^hublet is ready on (http:\/\/\S+)/m.exec(log)?.[1],
      });
    },
    { timeout: 1_800_000 },
  );
  after(
    async () => {
      // A signal to npx goes no further; at a terminal, all of them get it.
      const tool = index?.processes().find(({ command }) => /bin\/hublet start/.test(command));
      if (tool) process.kill(tool.id, "SIGTERM");
      await index?.stop();
    },
    { timeout },
  );

  test("has nothing of this machine, and nothing that is compiled or tested with", async () => {
    const listed = await succeed("tar", ["-tzf", at(name)]);
    assert.match(listed, /^package\/build\/index_bg\.wasm$/m);
    assert.doesNotMatch(
      listed,
      /^package\/(src\/(?!store\/migrations)|tests|target|node_modules|\.keys|\.dev\.vars$|tools\/(test|bind|bench))/m,
    );
  });

  test("makes the operator's files in the folder where it was called", () => {
    const made = readdirSync(folder).sort();
    assert.deepEqual(made, [".dev.vars", ".keys", ".wrangler", name, "wrangler.toml"].sort());
    const theirs = readFileSync(at("wrangler.toml"), "utf8");
    assert.doesNotMatch(theirs, /^(main|compatibility_|migrations_dir|crons|\[build\])/m);
  });

  test("serves, and its commands work on what it keeps", { timeout }, async () => {
    const user = { username: "alice", password: "the cat in the hat", email: "alice@example.com" };
    const made = await fetch(new URL("/v1/users/", index.answer), { method: "POST", body: JSON.stringify(user) });
    assert.equal(made.status, 201);
    assert.match(works(await hublet(["admin", "list"])), /^alice /m);
    assert.match((await hublet(["admin", "nothing"])).stderr, /npx hublet-[\d.]+\.tgz admin/);
    works(await hublet(["keys"]));
    works(await hublet(["doctor"]));
    assert.match(works(await hublet(["registry", "--help"])), /npx hublet\S* registry reconcile SERVICE=URL/);
    works(await hublet(["backup", "copy.sql"]));
    assert.ok(existsSync(at("copy.sql")));
    works(await hublet(["restore", "copy.sql", "--persist-to", "elsewhere"]));
    assert.match(works(await hublet(["admin", "list", "--persist-to", "elsewhere"])), /^alice /m);
  });

  test("would deploy what it brought, with what the operator's file says", { timeout }, async () => {
    const file = at("wrangler.toml");
    writeFileSync(file, readFileSync(file, "utf8").replace('name = "hublet"', 'name = "registry-index"'));
    const printed = works(await hublet(["deploy", "--dry-run"]));
    assert.match(printed, /^Total Upload: \d{4}/m);
    assert.match(printed, /^env\.DB \(hublet\)/m);
    const given = JSON.parse(readFileSync(at(".wrangler/hublet.json"), "utf8"));
    assert.equal(given.name, "registry-index");
    assert.deepEqual(given.triggers, { crons: ["* * * * *"] });
  });

  test("an upgrade is a newer package in the same folder", { timeout: 600_000 }, async () => {
    const newer = await later(at(name), "99.0.0");
    name = path.basename(newer);
    renameSync(newer, at(name));
    assert.match(works(await hublet(["admin", "list"], { limit: 600_000 })), /^alice /m);
  });
});
