// `npm run admin` as it is typed: what it does on a database of its own, what it prints, and what others on the machine see.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { forDevelopment } from "../../tools/lib/settings.mjs";
import { migrate, migrations, openLocal } from "../../tools/lib/sqlite.mjs";
import { root, run } from "../../tools/lib/steps.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-operator-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const command = [path.join(root, "tools/admin.mjs"), "--persist-to", scratch];
const admin = (...words) => run("node", [...command, ...words]);

const database = openLocal(scratch, "DB", { make: true });
const query = (sql) =>
  database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));

before(async () => {
  await setUpOperator();
  forDevelopment();
  migrate(database, "DB", migrations("DB"));
});

/** What everybody on the machine sees: the words of every command line. */
function seen() {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((id) => {
      try {
        return fs.readFileSync(`/proc/${id}/cmdline`, "utf8");
      } catch {
        return ""; // it has ended
      }
    });
}

test("nobody on the machine sees a hash", { skip: process.platform !== "linux" && "there is no /proc" }, async () => {
  const child = spawn("node", [...command, "add", "alice", "--password-stdin"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.stdin.end("wonderland\n");
  const exit = once(child, "exit");
  const lines = new Set();
  while (child.exitCode === null) {
    for (const line of seen()) lines.add(line);
    await setTimeout(5);
  }
  assert.deepEqual(await exit, [0, null]);
  const [{ password }] = query("select password from users where name = 'alice'");
  assert.match(password, /^\$argon2id\$/);
  const secrets = ["argon2id", "wonderland", password.split("$").at(-1)];
  const all = [...lines];
  assert.ok(
    all.some((line) => line.includes("password-stdin")),
    "the command was seen",
  );
  assert.deepEqual(
    all.filter((line) => secrets.some((secret) => line.includes(secret))),
    [],
  );
});

test("the words are those of the manual", async () => {
  const help = (await admin("--help")).replaceAll(/add-machine|--machine/g, "");
  assert.doesNotMatch(help, /\b(machines?|persons?)('s)?\b/i);
  assert.match(help, /admins of no namespace see or renew/);
  assert.match(await admin("namespaces"), /^namespace +owner +members +service accounts +repositories$/m);
});

test("a service account with any name that it may have is removed by it", async () => {
  await admin("add-machine", "____-ci");
  await admin("remove", "____-ci");
  assert.deepEqual(query("select name from users where name = '____-ci'"), []);
});

test("a command that is refused has changed nothing, and says why", async () => {
  await admin("add-machine", "robot_one");
  const everything = () => ["users", "namespaces", "audit", "links"].map((table) => query(`select * from ${table}`));
  const earlier = everything();
  await assert.rejects(
    admin("add", "robot_one"),
    ({ output }) => /^hublet: robot_one is taken: it is a service account\.$/m.test(output) && !output.includes("✗"),
  );
  assert.deepEqual(everything(), earlier);
});

test("what is printed can be typed, and undoes what it stands beside", async () => {
  await admin("namespace", "acme");
  await admin("token", "robot_one");
  query("update access_tokens set created_by = 'alice'");
  query(`insert into audit (at, account, action, name, actor, credential, address, data) select unixepoch(), id, 'org.member.add',
    'robot_one', 'alice', 'password', '::1', '{"role":"admin"}' from namespaces where name = 'acme'`);
  await admin("member", "acme", "robot_one", "admin");
  await admin("email", "alice", "o'neill$x@example.com", "confirm");

  const said = await admin("compromised", "alice", "--since", "1h");
  assert.match(said, /account\/password#\S{43}\n$/);
  const commands = said
    .split("\n")
    .map((line) => /npm run admin -- (.*)$/.exec(line)?.[1])
    .filter(Boolean);
  assert.equal(commands.length, 3, said);
  assert.deepEqual(
    commands.filter((words) => !words.endsWith(`--persist-to ${scratch}`)),
    [],
  );
  // As a shell reads them.
  for (const words of commands) await run("sh", ["-c", `node ${command[0]} ${words}`]);
  assert.deepEqual(query("select address, confirmed_at is null as pending from emails"), [
    { address: "o'neill$x@example.com", pending: 0 },
  ]);
  assert.deepEqual(query("select count(*) as tokens from access_tokens"), [{ tokens: 0 }]);
  assert.deepEqual(query("select count(*) as members from members"), [{ members: 0 }]);
});

test("whoever is in the way of a removal is named", async () => {
  query(`insert into repositories (namespace_id, name, full_name, private, created_at, updated_at)
    select id, 'app', 'acme/app', 1, 1, 1 from namespaces where name = 'acme'`);
  await assert.rejects(admin("remove", "acme"), ({ output }) =>
    /repository acme\/app +npm run admin -- transfer acme\/app NAMESPACE --persist-to/.test(output),
  );
  assert.match(await admin("remove", "acme", "--repositories"), /repository acme\/app is removed/);
  await assert.rejects(admin("namespace", "acme"), ({ output }) => /release acme/.test(output));
  assert.match(await admin("release", "acme"), /^acme +20\S+Z +[1-9]/m);
});

test("what there is is listed, and one token is ended by what its row says", async () => {
  await admin("namespace", "guild");
  await admin("add-machine", "baker");
  const made = await admin(
    "token",
    "baker",
    "--label",
    "found in a log",
    "--scope",
    "repo:write",
    "--resource",
    "guild/*",
  );
  await admin("token", "baker");
  query(`insert into repositories (namespace_id, name, full_name, private, created_at, updated_at)
    select id, 'bread', 'guild/bread', 1, 1, 1 from namespaces where name = 'guild'`);

  const all = await admin("tokens");
  const [, uuid] = /^baker +(\S+) +found in a log +repo:write +guild\/\* +good .* operator +20\S+Z/m.exec(all);
  assert.match(made, new RegExp(`^baker +${uuid} +repo:write +guild/\\* +never$`, "m"));
  assert.ok(made.includes(uuid) && all.includes("alice") === (await admin("tokens", "alice")).includes("good"));
  assert.match(await admin("token", uuid, "end"), new RegExp(`^${uuid} +baker +ended$`, "m"));
  const left = await admin("tokens", "baker");
  assert.equal(left.trim().split("\n").length, 2, left);
  assert.ok(!left.includes(uuid));
  assert.match(await admin("repositories"), /^guild\/bread +private +0 +0$/m);
  assert.match(await admin("repositories", "library"), /^\(none\)/m);
  assert.match(await admin("namespaces"), /^guild +\(shared\) +0 +0 +1$/m);
  await assert.rejects(admin("tokens", "nobody_"), ({ output }) => /there is no user nobody_/.test(output));
  await assert.rejects(admin("repositories", "nothing"), ({ output }) => /there is no namespace nothing/.test(output));
});

test("why says yes, or no with what allows it, and by its exit code too", async () => {
  await admin("namespace", "bakery");
  query(`insert into repositories (namespace_id, name, full_name, private, created_at, updated_at)
    select id, 'rye', 'bakery/rye', 1, 1, 1 from namespaces where name = 'bakery'`);
  await admin("member", "bakery", "alice", "read");
  assert.match(
    await admin("why", "alice", "pull", "bakery/rye"),
    /^yes: alice may pull bakery\/rye, with the role read as a member of the namespace\.\n$/,
  );
  let said = "";
  await assert.rejects(admin("why", "alice", "push", "bakery/rye"), ({ output }) => {
    said = output;
    return true;
  });
  assert.match(
    said,
    /^no: alice may not push bakery\/rye\nbecause +command\nit takes the role write, and alice has read/,
  );
  const [, words] = /npm run admin -- (member bakery alice write --persist-to \S+)$/m.exec(said);
  await run("sh", ["-c", `node ${command[0]} ${words}`]);
  assert.match(await admin("why", "alice", "push", "bakery/rye"), /^yes: /);
  await assert.rejects(admin("why", "anonymous", "pull", "bakery/rye"), ({ output }) =>
    /^no: a request without credentials may not pull bakery\/rye$/m.test(output),
  );
  await assert.rejects(admin("why", "alice", "pull", "bakery/rye", "--token", "hlp_0"), ({ output }) =>
    /--token cannot be "hlp_0": an access token goes by its UUID/.test(output),
  );
  const [, uuid] = /^alice +(\S+)/m.exec(await admin("token", "alice", "--resource", "guild/*"));
  await assert.rejects(admin("why", "alice", "push", "bakery/rye", "--token", uuid), ({ output }) =>
    /scopes of the access token[\s\S]*resources of the access token/.test(output),
  );
});

test("a word that cannot be is refused in words", async () => {
  for (const [words, sentence] of [
    [["add", "Alice"], 'NAME cannot be "Alice": a user\'s name has 2 to 64 of a-z'],
    [["namespace", "a b"], 'NAME cannot be "a b": a '],
    [["privacy", "alice//app", "public"], 'REPOSITORY cannot be "alice//app": a repository is given as namespace/name'],
    [["member", "acme", "alice", "owner"], 'ROLE cannot be "owner": a role is read, write or admin, or none'],
    [["email", "alice", "Alice <a@b.c>", "confirm"], 'ADDRESS cannot be "Alice <a@b.c>": an address'],
    [["token", "hlp_0", "end"], 'UUID cannot be "hlp_0": an access token goes by its UUID'],
    [["remove", "../x"], 'ACCOUNT cannot be "../x": a namespace'],
  ]) {
    await assert.rejects(
      admin(...words),
      ({ output }) => output.includes(sentence) && !/\(\?|\[a-z/.test(output),
      sentence,
    );
  }
});

test("a repository is read as docker reads it, and a token for a bare name is warned of", async () => {
  await assert.rejects(admin("why", "alice", "pull", "standalone:1.0"), ({ output }) =>
    [
      /^hublet: standalone:1\.0 is read as library\/standalone$/m,
      /^no: alice may not pull library\/standalone$/m,
    ].every((line) => line.test(output)),
  );
  let said = "";
  const heard = (text) => (said += text);
  await run("node", [...command, "token", "alice", "--resource", "bakery"], { heard });
  assert.match(said, /^hublet: --resource bakery is the one repository library\/bakery\. .* 'bakery\/\*'/m);
});

test("a token is good no longer than ACCESS_TOKEN_MAX_DAYS, which the index was started with", async () => {
  const note = path.join(scratch, "v3/started.json");
  const ends = async (...words) => {
    await admin("token", "alice", ...words);
    const [{ days }] = query(
      "select round((expires_at - created_at) / 86400.0) as days from access_tokens order by id desc limit 1",
    );
    return days;
  };
  assert.equal(await ends(), 365);
  assert.equal(await ends("--days", "400"), 400);
  fs.writeFileSync(note, JSON.stringify({ vars: { ACCESS_TOKEN_MAX_DAYS: "90" } }));
  assert.equal(await ends("--days", "90"), 90);
  assert.equal(await ends(), 90);
  await assert.rejects(ends("--days", "91"), ({ output }) =>
    /--days is at most 90: ACCESS_TOKEN_MAX_DAYS/.test(output),
  );
  fs.rmSync(note);
});

test("a database without tables is named", async () => {
  const where = path.join(scratch, "nothing");
  await assert.rejects(run("node", [command[0], "list", "--persist-to", where]), ({ output }) =>
    output.includes(`the database in ${where} has no tables yet: \`npm start -- --persist-to ${where}\` makes them`),
  );
});
