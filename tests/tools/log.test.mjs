// `npm run admin -- log`, on a database of its own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { after, before, test } from "node:test";
import { root, run } from "../../tools/lib/steps.mjs";
import { wrangler } from "../../tools/lib/wrangler.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-log-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const command = [path.join(root, "tools/admin.mjs"), "--persist-to", scratch];
const admin = (...words) => run("node", [...command, ...words]);
const said = async (...words) => (await admin("log", ...words)).trim().split("\n");

before(() => wrangler(["d1", "migrations", "apply", "DB", "--local", "--persist-to", scratch]));

test("what was done is told, the newest last, and what is done while it follows", async () => {
  await admin("add", "alice");
  await admin("namespace", "acme");
  const told = (await said("--json")).map((line) => JSON.parse(line));
  assert.deepEqual(told.map(({ actor, action, name }) => [actor, action, name]), [
    ["operator", "user.create", "alice"],
    ["operator", "user.password.link", "alice"],
    ["operator", "org.create", "acme"],
  ]);
  assert.match((await said("--name", "acme"))[0], /^\S+Z operator org\.create acme$/);
  await assert.rejects(admin("log", "--name", "a'b"), ({ output }) => /does not fit/.test(output));

  const following = spawn("node", [...command, "log", "--follow", "--name", "alice", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  after(() => following.kill());
  const lines = readline.createInterface({ input: following.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  assert.equal((await next()).action, "user.create");
  assert.equal((await next()).action, "user.password.link");
  await admin("disable", "alice");
  assert.deepEqual((await next()).data, { status: "disabled" });
  following.kill();
  await once(following, "exit");
});
