// `npm run admin -- log`, on a database of its own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { after, before, test } from "node:test";
import { migrate, migrations, openLocal } from "../../tools/lib/sqlite.mjs";
import { root, run } from "../../tools/lib/steps.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-log-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const command = [path.join(root, "tools/admin.mjs"), "--persist-to", scratch];
const admin = (...words) => run("node", [...command, ...words]);
const said = async (...words) => (await admin("log", ...words)).trim().split("\n");

const database = openLocal(scratch, "DB", { make: true });
const execute = (sql) => database.exec(sql);

before(async () => {
  migrate(database, "DB", migrations("DB"));
  await admin("add", "alice");
});

test("what was done is told, the newest last, and what is done while it follows", async () => {
  await admin("namespace", "acme");
  const told = (await said("--json")).map((line) => JSON.parse(line));
  assert.deepEqual(
    told.map(({ actor, action, name }) => [actor, action, name]),
    [
      ["operator", "user.create", "alice"],
      ["operator", "user.password.link", "alice"],
      ["operator", "org.create", "acme"],
    ],
  );
  assert.match((await said("--name", "acme"))[0], /^\S+Z operator org\.create acme$/);
  await admin("add-machine", "robot_one");
  await admin("member", "acme", "robot_one", "write");
  const member = (await said("--name", "acme", "--json")).map((line) => JSON.parse(line)).at(-1);
  assert.deepEqual([member.name, member.namespace, member.data], ["robot_one", "acme", { role: "write" }]);
  assert.match(
    (await said("--name", "acme"))[1],
    /^\S+Z operator org\.member\.add robot_one namespace=acme role=write$/,
  );
  await assert.rejects(admin("log", "--name", "a'b"), ({ output }) =>
    /nothing is called "a'b": a name has letters, digits/.test(output),
  );

  const following = spawn("node", [...command, "log", "--follow", "--name", "alice", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
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

test("however many there are, none is left out", async () => {
  const insert = (ages) =>
    execute(`insert into audit (at, action, name, actor, credential, address)
    with recursive n (n) as (select 1 union all select n + 1 from n where n < 2100)
    select unixepoch() - ${ages}, 'repo.tag.push', 'many/' || n, 'many', '', '' from n`);
  const numbers = (lines) => lines.map((line) => Number(JSON.parse(line).name.slice("many/".length)));
  const all = Array.from({ length: 2_100 }, (_, at) => at + 1);
  insert("iif(n <= 50, 2, 0) * 86400 - 60");

  const newest = await said("--actor", "many", "--json");
  assert.deepEqual(numbers(newest), all.slice(-1_000));
  const ids = newest.map((line) => JSON.parse(line).id);
  assert.deepEqual(
    ids,
    ids.map((_, at) => ids[0] + at),
  );
  assert.deepEqual(numbers(await said("--actor", "many", "--json", "--days", "1")), all.slice(50));
  await assert.rejects(admin("log", "--days", "0"), ({ output }) => /--days is a number/.test(output));

  const following = spawn("node", [...command, "log", "--follow", "--days", "3", "--actor", "many", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  after(() => following.kill());
  const lines = readline.createInterface({ input: following.stdout })[Symbol.asyncIterator]();
  const next = async (count) => {
    const told = [];
    while (told.length < count) told.push((await lines.next()).value);
    return numbers(told);
  };
  assert.deepEqual(await next(2_100), all);
  insert("0");
  assert.deepEqual(await next(2_100), all);
  following.kill();
  await once(following, "exit");
});

test("no text that somebody chose is read as a line, a field or a command of the terminal", async () => {
  const forged = "docker\n2026-01-01T00:00:00Z operator user.role.change eve role=administrator";
  const data = {
    forged,
    clear: "\x1b[2J",
    csi: "\x9b2J",
    turned: "a\u202eb",
    tagged: "a\u{e0041}b",
    broken: "a\u2028b",
    field: "a by password",
    quoted: '"a"',
    label: "été_构建",
    scopes: '["repo:read","repo:write"]',
  };
  const {
    lines: listed,
    everywhere,
    unseen,
  } = JSON.parse(fs.readFileSync(path.join(root, "tests/hostile-texts.json"), "utf8"));
  const hostile = Object.fromEntries(
    [...listed, ...Object.values(everywhere), ...Object.values(unseen)].map((text, at) => [`t${at}`, text]),
  );
  execute(`insert into audit (at, action, name, actor, credential, address, data)
    values (1, 'user.login', 'alice', 'alice', '', '', '${JSON.stringify(hostile)}')`);
  execute(`insert into audit (at, action, name, actor, credential, address, data) values (1, 'user.refresh_token.create',
    'a' || char(10) || 'b', 'a b', 'refresh-token a' || char(27) || 'b', '10.0.0.1' || char(9), '${JSON.stringify(data)}')`);
  const told = await said("--json");
  assert.doesNotMatch(told.join(""), /[\p{C}\u2028]/u);
  assert.deepEqual(JSON.parse(told.at(-1)).data, data);

  const lines = await said();
  assert.equal(lines.length, told.length);
  assert.equal(
    lines.at(-1),
    String.raw`1970-01-01T00:00:01Z "a b" user.refresh_token.create "a\nb" ` +
      String.raw`forged="docker\n2026-01-01T00:00:00Z operator user.role.change eve role=administrator" clear="\u001b[2J" csi="\u009b2J" ` +
      String.raw`turned="a\u202eb" tagged="a\udb40\udc41b" broken="a\u2028b" field="a by password" quoted="\"a\"" ` +
      String.raw`label=été_构建 scopes=["repo:read","repo:write"] by refresh-token "a\u001bb" from "10.0.0.1\t"`,
  );

  execute(
    "insert into emails (user_id, address, key, created_at) select id, 'a' || char(8238) || '@a.org', 'a@a.org', 1 from users where kind = 'person'",
  );
  assert.match(await admin("list"), /^alice .* "a\\u202e@a\.org \(not confirmed\)"$/m);
});
