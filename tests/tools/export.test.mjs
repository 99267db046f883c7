// `npm run export` as it is typed: what people take along, and what they cannot.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fallback } from "../../tools/lib/htpasswd.mjs";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { forDevelopment } from "../../tools/lib/settings.mjs";
import { migrate, migrations, openLocal } from "../../tools/lib/sqlite.mjs";
import { root, run } from "../../tools/lib/steps.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-export-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const at = (name) => path.join(scratch, name);

const tool = (name, ...words) =>
  run("node", [path.join(root, `tools/${name}.mjs`), ...words, "--persist-to", at("state")]);

before(async () => {
  await setUpOperator();
  forDevelopment();
  const database = openLocal(at("state"), "DB", { make: true });
  migrate(database, "DB", migrations("DB"));
  for (const words of [
    ["add", "alice"],
    ["add", "bob_"],
    ["add", "carol"],
    ["disable", "carol"],
    ["add-machine", "robot_one"],
    ["namespace", "acme"],
    ["member", "acme", "alice", "write"],
    ["member", "acme", "robot_one", "read"],
    ["email", "alice", "alice@example.com", "confirm"],
  ])
    await tool("admin", ...words);
  database.exec(`insert into repositories (namespace_id, name, full_name, private, description, created_at, updated_at)
    select id, 'app', 'acme/app', 1, 'An "app"', 1, 1 from namespaces where name = 'acme'`);
  await tool("admin", "collaborator", "acme/app", "bob_", "admin");
});

test("everything without a secret is one file of JSON", async () => {
  assert.match(await tool("export", "json", "-o", at("all.json")), /4 users, 5 namespaces, 1 repositories/);
  const { users, namespaces, repositories } = JSON.parse(fs.readFileSync(at("all.json"), "utf8"));
  assert.deepEqual(users[0], {
    name: "alice",
    kind: "user",
    status: "active",
    administrator: false,
    namespace: null,
    emails: [{ address: "alice@example.com", confirmed: true }],
  });
  assert.deepEqual(
    users.map(({ name, kind, status }) => `${name} ${kind} ${status}`),
    ["alice user active", "bob_ user active", "carol user disabled", "robot_one service account active"],
  );
  const members = [
    { user: "alice", role: "write" },
    { user: "robot_one", role: "read" },
  ];
  assert.deepEqual(namespaces[0], { name: "acme", owner: null, members });
  assert.deepEqual(repositories, [
    {
      name: "acme/app",
      visibility: "private",
      description: 'An "app"',
      full_description: "",
      collaborators: [{ user: "bob_", role: "admin" }],
    },
  ]);
  assert.equal(fs.statSync(at("all.json")).mode & 0o777, 0o600);
  await assert.rejects(tool("export", "json", "-o", at("all.json")), ({ output }) => /is there already/.test(output));
});

test("a file of passwords has new ones, which are asked for", async () => {
  const file = at("htpasswd");
  await assert.rejects(tool("export", "htpasswd", "-o", file), ({ output }) =>
    /no password can be taken along/.test(output),
  );
  assert.match(await tool("export", "htpasswd", "--new-passwords", "-o", file), /has 2 users/);
  const passwords = fs.readFileSync(`${file}.passwords`, "utf8").trim().split("\n");
  assert.deepEqual(
    passwords.map((line) => line.split(":")[0]),
    ["alice", "bob_"],
  );
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.equal(fs.statSync(`${file}.passwords`).mode & 0o777, 0o600);
  assert.match(fs.readFileSync(file, "utf8"), /^(\w+:\$2y\$05\$[./A-Za-z0-9]{53}\n){2}$/);
  // By the program of others, where it is here.
  const there = spawnSync("htpasswd", ["-v", "-b", file, "alice", passwords[0]?.split(":")[1] ?? ""]);
  if (!there.error) assert.equal(there.status, 0, `${there.stderr}`);
  const [remark] = [fallback(file, [])].flat();
  assert.match(remark?.words ?? "", /a registry takes it, for alice, bob_$/);
});
