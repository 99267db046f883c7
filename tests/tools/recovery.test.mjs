// `npm run backup` and `npm run restore`: what goes in comes out, at one moment, whole or not at all.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { check, lasting, write } from "../../tools/lib/backup-file.mjs";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { restore } from "../../tools/lib/recovery.mjs";
import { applied, counts, empty, localFile, migrate, migrations, openLocal, tables } from "../../tools/lib/sqlite.mjs";
import { Failure, root } from "../../tools/lib/steps.mjs";
import { copy } from "./clone.mjs";
import { startApi } from "./d1-api.mjs";
import { fails, works } from "./outcome.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-recovery-"));
const at = (...names) => path.join(scratch, ...names);
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

before(setUpOperator);

const NOW = 1_800_000_000;

/** How npm runs a tool. The packages are there: WRANGLER_COMMAND keeps the tool from looking after them. */
const env = { ...process.env, WRANGLER_COMMAND: "test", INIT_CWD: scratch };
const script = (name) => path.join(root, "tools", `${name}.mjs`);

/** Runs a tool as npm does, and gives what it said. */
function run(name, ...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script(name), ...words], { env, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

/** Sends a tool a signal in the middle of its work, which is when `busy` says so; gives the signal or the code that ended it. */
async function stopped(signal, busy, name, ...words) {
  const child = spawn(process.execPath, [script(name), ...words], { env, stdio: "ignore" });
  const exit = once(child, "exit");
  while (!busy()) {
    assert.equal(child.exitCode, null, "it has ended already");
    await setTimeout(2);
  }
  child.kill(signal);
  const [code, by] = await exit;
  return by ?? code;
}

/** Bytes of a file, if there is one. */
const size = (file) => fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** A place where `npm start` keeps databases, with tables and nothing else. */
function place(name, names = migrations("DB")) {
  const state = at(name);
  const database = openLocal(state, "DB", { make: true });
  migrate(database, "DB", names);
  return { state, database };
}

/** Fills the tables, for so many repositories with so many images and tags each. */
function fill(database, repositories, { images = 10, tags = 2 } = {}) {
  const users = Math.ceil(repositories / 10);
  const each = (most, sql) =>
    database.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${most}) ${sql}`);
  const hex = (seed) => `lower(hex(randomblob(28))) || printf('%08x', ${seed})`;
  database.exec("begin");
  each(
    users,
    `insert into users (name, kind, status, password, epoch, created_at)
    select 'user' || i, 'person', 'active', '$argon2id$v=19$' || ${hex("i")}, 1 + i % 7, ${NOW} from n`,
  );
  each(
    users,
    `insert into emails (user_id, address, key, confirmed_at, created_at)
    select i, 'User' || i || '@Example.com', 'user' || i || '@example.com', ${NOW}, ${NOW} from n`,
  );
  each(users, `insert into namespaces (name, owner_id, created_at) select 'user' || i, i, ${NOW} from n`);
  each(
    users,
    `insert into links (hash, user_id, expires_at, created_at) select ${hex("i")}, i, ${NOW} + 60, ${NOW} from n`,
  );
  each(users, `insert into members select 1, i, 'read' from n`);
  each(
    users,
    `insert into access_tokens (uuid, user_id, hash, label, scopes, resources, created_at, created_by, creator_ip, creator_ua)
    select 'uuid' || i, i, ${hex("i")}, 'it''s ☃ number ' || i, '["repo:read"]', null, ${NOW}, 'user' || i, '::1', 'curl' from n`,
  );
  each(
    users,
    `insert into refresh_tokens (uuid, user_id, hash, client, address, created_at, used_at)
    select 'uuid' || i, i, ${hex("i")}, 'docker', '::1', ${NOW}, ${NOW} from n`,
  );
  each(
    repositories,
    `insert into repositories (namespace_id, name, private, description, full_description, created_at, updated_at, pushed_at, full_name)
    select 2 + (i - 1) / 10, 'app' || i, i % 2, 'what; it''s "for"', char(10) || '# ☃ two' || char(13, 10) || 'lines, \\n; and ''quotes''', ${NOW}, ${NOW}, ${NOW},
      'user' || (1 + (i - 1) / 10) || '/app' || i from n`,
  );
  each(
    repositories * images,
    `insert into images (repository_id, position, id, checksum)
    select 1 + (i - 1) / ${images}, i % ${images}, ${hex("i")}, 'sha256:' || ${hex("i")} from n order by 1, 3`,
  );
  each(
    repositories * tags,
    `insert into tags (repository_id, service, name, digest, size, media_type, pushed_at, pushed_by)
    select 1 + (i - 1) / ${tags}, 'registry', 'tag' || (i % ${tags}), 'sha256:' || ${hex("i")}, i, 'application/json', ${NOW}000, 'user1' from n`,
  );
  each(users, `insert into collaborators select i, 1 + i % ${users}, 'write' from n`);
  each(users, `insert into stars select i, i from n`);
  each(users, `insert into events select 'registry', 'event' || i, ${NOW} from n`);
  each(
    users,
    `insert into audit (at, account, action, name, actor, credential, address, data)
    select ${NOW}, 1 + i, 'repo.tag.push', 'user' || i || '/app', 'user' || i, 'access-token uuid' || i, '::1', '{"tag":"it''s"}' from n`,
  );
  each(users, `insert into outbox (repository_id) select i from n`);
  each(users, `insert into failures select 'user' || i, '::1', 3, ${NOW} from n`);
  database.exec(`insert into progress values ('verify search', 500); commit`);
}

/** Integers that a number of JavaScript keeps, and some that it does not. */
const integers = [
  "9223372036854775807",
  "-9223372036854775808",
  "9007199254740993",
  "-9007199254740993",
  "9007199254740992",
  "9007199254740991",
  "1234567890123456789",
  "1800000000000000",
  "0",
  "-1",
];

/** Gives tags such sizes, and one a text that looks like a row of them. */
function large(database) {
  for (const [at, number] of integers.entries()) database.exec(`update tags set size = ${number} where id = ${at + 1}`);
  database.exec("update tags set media_type = '[9223372036854775807,1] it''s 99999999999999999999' where id = 1");
}

/** What a restore changes on purpose, so that what was revoked does not come back. */
const renewed = { users: ["epoch"], access_tokens: ["id", "is_active"] };

/** The row by which a restore itself is written down. */
const ITSELF = { audit: "where name <> 'everybody'" };

/** One sum over all rows of each table, but for what a restore renews and adds. */
function sums(database) {
  const sum = (table, columns) => {
    const shown = columns
      .filter((name) => !renewed[table]?.includes(name))
      .map((name) => `"${name}"`)
      .join(", ");
    const hash = createHash("sha256");
    const all = database.prepare(`select ${shown} from "${table}" ${ITSELF[table] ?? ""} order by ${shown}`);
    all.setReturnArrays(true);
    all.setReadBigInts(true);
    for (const row of all.iterate())
      hash.update(JSON.stringify(row.map((value) => (typeof value === "bigint" ? `${value}` : value))));
    return hash.digest("hex");
  };
  return Object.fromEntries(Object.entries(lasting(database)).map(([table, columns]) => [table, sum(table, columns)]));
}

const one = (database, sql) => Object.values(database.prepare(sql).get())[0];

test("a hundred thousand repositories go through a backup and come out the same", { timeout: 600_000 }, async (t) => {
  const { state, database } = place("from");
  fill(database, 100_000, { images: 4 });
  assert.match(
    works(run("backup", "large", "--persist-to", state)),
    /100000 repositories, 10000 collaborators, 400000 images/,
  );
  assert.equal(fs.statSync(at("large")).mode & 0o777, 0o600);
  works(run("restore", "large", "--persist-to", at("to"), "--keep-access-tokens"));
  const to = openLocal(at("to"), "DB");
  assert.deepEqual(sums(to), sums(database));
  const rows = Object.values(counts(to)).reduce((total, count) => total + count);
  t.diagnostic(`${rows} rows, ${fs.statSync(at("large")).size} bytes`);
});

/** A filled database that no command looks at. */
function filled(repositories = 20, names = migrations("DB")) {
  const database = empty("DB", names);
  fill(database, repositories, { images: 2, tags: 1 });
  return database;
}

/** All that a database holds and what form it has. */
function whole(database) {
  const schema = database.prepare("select sql from sqlite_schema order by name").all();
  const rows = (table) => {
    const all = database.prepare(`select * from "${table}"`);
    all.setReadBigInts(true);
    return all.all();
  };
  return [schema, ...Object.keys(tables(database)).map(rows)];
}

test("a damaged backup is refused wherever the damage is, and nothing has happened", {
  timeout: 120_000,
}, async (t) => {
  const small = filled(1);
  await write(small, at("small"), "now");
  const good = fs.readFileSync(at("small"));
  const target = empty("DB", migrations("DB"));
  const before = whole(target);
  let cases = 0;
  const refuse = async (what, bytes) => {
    fs.writeFileSync(at("bad"), bytes);
    await assert.rejects(restore(target, at("bad"), { now: NOW }), /no whole backup|newer hublet/, what);
    assert.equal(target.isTransaction, false, what);
    cases += 1;
  };
  for (let place = 0; place < good.length; place += 1) {
    const bytes = Buffer.from(good);
    bytes[place] ^= 1 << randomInt(8);
    await refuse(`byte ${place}: ${bytes[place]}`, bytes);
  }
  for (let length = 0; length < good.length; length += 1)
    await refuse(`the first ${length} bytes`, good.subarray(0, length));
  const lines = good.toString().split(/(?<=\n)/);
  for (let line = 0; line < lines.length; line += 1) {
    await refuse(`without line ${line}`, lines.toSpliced(line, 1).join(""));
    await refuse(`line ${line} twice`, lines.toSpliced(line, 0, lines[line]).join(""));
  }
  await refuse("two in one file", Buffer.concat([good, good]));
  await refuse("more behind it", `${good}\n`);
  assert.deepEqual(whole(target), before);
  await restore(target, at("small"), { now: NOW });
  assert.deepEqual(sums(target), sums(small));
  t.diagnostic(`cases: ${cases} recovery`);
});

/** Writes a backup with another first line, or with one more row in a table, as whole as one can be. */
function rewritten(file, change, [table, row] = []) {
  const [first, ...others] = fs.readFileSync(at(file), "utf8").trim().split("\n");
  const { rows } = JSON.parse(others.pop());
  if (table) others.push(JSON.stringify([table, [row]]));
  if (table) rows[table] += 1;
  const body = [JSON.stringify(change(JSON.parse(first))), ...others].map((line) => `${line}\n`).join("");
  fs.writeFileSync(
    at("other"),
    `${body}${JSON.stringify({ rows, sha256: createHash("sha256").update(body).digest("hex") })}\n`,
  );
}

test("what a newer hublet made is refused, and so is a database with something in it", async () => {
  await write(filled(), at("new"), "now");
  const { state, database } = place("refusing");
  const search = openLocal(state, "SEARCH", { make: true });
  migrate(search, "SEARCH", migrations("SEARCH"));
  search.exec("insert into documents values (1, 1, 'a', 'a', ' a ', '', 'pub', 0, 0, null, null)");
  const refuse = (file, pattern) => {
    const before = [whole(database), whole(search)];
    fails(run("restore", file, "--persist-to", state), pattern);
    assert.deepEqual([whole(database), whole(search)], before);
  };
  rewritten("new", (header) => ({ ...header, format: 2 }));
  refuse("other", /a newer hublet made it/);
  rewritten("new", (header) => ({ ...header, migrations: [...header.migrations, "9999_dreams.sql"] }));
  refuse("other", /newer hublet, which has 9999_dreams.sql/);
  rewritten("new", ({ columns: { stars, ...columns }, ...header }) => ({ ...header, columns }));
  refuse("other", /no whole backup/);
  rewritten("new", ({ columns, ...header }) => ({
    ...header,
    columns: { ...columns, 'stars"; drop table users; --': ["id"] },
  }));
  refuse("other", /no whole backup|other tables/);
  for (const change of [(names) => names.toReversed(), (names) => [...names, names[0]], (names) => names.slice(1)]) {
    rewritten("new", (header) => ({ ...header, migrations: change(header.migrations) }));
    refuse("other", /no whole backup of hublet: its migrations are not in their order/);
  }
  refuse("nothing", /cannot read/);
  refuse(".", /cannot read .* \(EISDIR\)/);
  fs.writeFileSync(at("half"), fs.readFileSync(at("new")).subarray(0, 5000));
  refuse("half", /no whole backup/);

  for (const sql of [
    "insert into namespaces (name, created_at) values ('acme', 0)",
    `insert into users (name, status, created_at) values ('alice', 'active', 0)`,
  ]) {
    database.exec(sql);
    refuse("new", /the database is not empty \(\d+ \w+/);
  }
  fails(run("backup", "new", "--persist-to", state), /there already/);
  fails(run("backup", "more", "--persist-to", at("nowhere")), /there is no database/);
  assert.ok(!fs.existsSync(at("more")) && !fs.existsSync(at("nowhere")));

  database.exec(
    "delete from users; delete from namespaces where name = 'acme'; insert into progress values ('verify search', 7)",
  );
  works(run("restore", "new", "--persist-to", state));
  assert.equal(one(search, "select count(*) from documents"), 0, "search shows what was");
  assert.equal(one(search, "select count(*) from trigrams where trigrams match 'app'"), 0);
  assert.equal(one(database, "select count(*) from progress"), 0, "its verification begins anew");
  assert.deepEqual(applied(database), migrations("DB"));
});

test("what fails in the middle of a restore has not happened", async () => {
  const from = filled();
  await write(from, at("whole"), "now");
  const { state, database } = place("failing");
  database.exec("insert into progress values ('verify search', 7)");
  const before = whole(database);
  const refuse = (row, pattern) => {
    rewritten("whole", (header) => header, row);
    fails(run("restore", "other", "--persist-to", state), pattern);
    assert.deepEqual(whole(database), before, `${row}`);
  };
  refuse(["stars", [999, 1]], /names what is not in it: stars without users/);
  refuse(["stars", [1, 999]], /names what is not in it: stars without repositories/);
  refuse(["stars", [1, 1]], /a row of stars that does not fit: UNIQUE/);
  refuse(["members", [1, 1, "king"]], /a row of members that does not fit: CHECK/);
  refuse(["stars", ["one", 1]], /a row of stars that does not fit: /);
  refuse(["stars", [{}, 1]], /a row of stars that does not fit: /);
  fails(run("restore", "whole", "--persist-to", at("whole")), /cannot write the database \(E/);

  const last = () => Promise.reject(new Error("search is out"));
  await assert.rejects(restore(database, at("whole"), { now: NOW, last }), /search is out/);
  assert.deepEqual(whole(database), before);
  works(run("restore", "whole", "--persist-to", state));
  assert.deepEqual(sums(database), sums(from));
});

test("a restore that is stopped or killed has not happened", { timeout: 300_000 }, async () => {
  const from = filled(20_000);
  await write(from, at("long"), "now");
  const { state, database } = place("stopped");
  const before = whole(database);
  database.close();
  const written = () => size(`${localFile(state, "DB")}-wal`) > 1_000_000; // and many times that is to come
  for (const [signal, end] of [
    ["SIGTERM", 143],
    ["SIGKILL", "SIGKILL"],
  ]) {
    assert.equal(await stopped(signal, written, "restore", "long", "--persist-to", state), end);
    const left = openLocal(state, "DB");
    assert.deepEqual(whole(left), before, signal);
    left.close();
  }
  works(run("restore", "long", "--persist-to", state));
  assert.deepEqual(sums(openLocal(state, "DB")), sums(from));
});

/** What there is in the folder of backups under such a name. */
const called = (name) => fs.readdirSync(scratch).filter((file) => file.startsWith(name));

test("a backup that is stopped leaves nothing, and one that is killed no backup", { timeout: 300_000 }, async () => {
  const { state, database } = place("long place");
  fill(database, 20_000);
  const written = (name) => () => called(name).some((folder) => size(at(folder, "draft")) > 1_000_000);
  assert.equal(await stopped("SIGTERM", written("ended"), "backup", "ended", "--persist-to", state), 143);
  assert.deepEqual(called("ended"), []);
  assert.equal(await stopped("SIGKILL", written("killed"), "backup", "killed", "--persist-to", state), "SIGKILL");
  assert.deepEqual(
    called("killed").filter((name) => !/^killed\../.test(name)),
    [],
  );
  works(run("backup", "killed", "--persist-to", state));
  await check(at("killed"));
});

test("a backup replaces nothing, also what comes meanwhile, and says why there is none", async (t) => {
  const both = [filled(1), filled(300)];
  const [one, other] = await Promise.allSettled(both.map((database) => write(database, at("twice"), "now")));
  assert.deepEqual([one, other].map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.match((one.reason ?? other.reason).message, /there already: a backup replaces nothing/);
  const target = empty("DB", []);
  await restore(target, at("twice"), { now: NOW });
  assert.deepEqual(sums(target), sums(both[one.reason ? 1 : 0]));
  assert.deepEqual(called("twice"), ["twice"]);

  const { state } = place("plain");
  fails(run("backup", "nowhere/file", "--persist-to", state), /cannot write .*nowhere\/file \(ENOENT\)/);
  fails(run("backup", "twice/file", "--persist-to", state), /cannot write .*twice\/file \(ENOTDIR\)/);
  t.mock.method(fs, "writeSync", () => {
    throw Object.assign(new Error("no space left on device, write"), { code: "ENOSPC", syscall: "write" });
  });
  syncBuiltinESMExports();
  try {
    await assert.rejects(write(filled(1), at("full"), "now"), {
      constructor: Failure,
      message: /cannot write .*full \(ENOSPC\)/,
    });
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
  assert.deepEqual(called("full"), []);
});

test("a backup of every earlier version is restored, and then migrated", async () => {
  for (let count = 1; count < migrations("DB").length; count += 1) {
    const names = migrations("DB").slice(0, count);
    const old = empty("DB", names);
    old.exec(`insert into users (name, status, created_at) values ('alice', 'active', 5);
      insert into namespaces (name, owner_id, created_at) values ('alice', 1, 5);
      insert into repositories (namespace_id, name, private, created_at, updated_at) values (2, 'app', 1, 5, 5)`);
    await write(old, at(`version ${count}`), "then");
    const target = empty("DB", []);
    await restore(target, at(`version ${count}`), { now: NOW });
    assert.deepEqual(applied(target), migrations("DB"));
    assert.deepEqual(schema(target), schema(empty("DB", migrations("DB"))));
    assert.deepEqual(
      { ...target.prepare("select name, status, created_at from users").get() },
      { name: "alice", status: "active", created_at: 5 },
    );
    assert.equal(one(target, "select name from repositories where private = 1"), "app");
  }
});

const schema = (database) =>
  database
    .prepare("select type, name, sql from sqlite_schema where name not like 'sqlite_%' order by type, name")
    .all()
    .map((row) => ({ ...row }));

test("what was revoked does not come back, however often one restores", async () => {
  const index = filled();
  index.exec(
    "update access_tokens set id = id + 40; delete from access_tokens where id > 41; update users set epoch = 9 where id = 1",
  );
  await write(index, at("revoked"), "now");
  const held = fs.readFileSync(at("revoked"), "utf8");
  for (const hash of index.prepare("select hash from refresh_tokens union all select hash from links").all())
    assert.ok(!held.includes(hash.hash));

  const begin = (now, keep) => {
    const target = empty("DB", migrations("DB"));
    return restore(target, at("revoked"), { now, keep }).then(() => target);
  };
  /** What anybody could have been given by the index as it is: epochs, ids of access tokens, ids of repositories. */
  const given = (database) => {
    const epochs = database
      .prepare("select epoch from users order by id")
      .all()
      .map(({ epoch }) => epoch);
    database.exec(`insert into users (name, status, created_at) values ('zoe_', 'active', 0);
      insert into repositories (namespace_id, name, private, created_at, updated_at) values (1, 'new', 0, 0, 0);
      insert into access_tokens (uuid, user_id, hash, label, scopes, created_at, created_by, creator_ip, creator_ua)
        values ('u', 1, 'h', '', '[]', 0, '', '', '')`);
    const ids = (table) => database.prepare(`select id from "${table}" order by id desc limit 1`).get().id;
    return {
      epochs,
      ids: ["users", "repositories", "access_tokens"].map(ids),
      tokens: database.prepare("select id from access_tokens").all(),
    };
  };
  const first = await begin(NOW, false);
  assert.equal(one(first, "select count(*) from refresh_tokens") + one(first, "select count(*) from links"), 0);
  assert.equal(one(first, "select sum(is_active) from access_tokens"), 0);
  const kept = await begin(NOW, true);
  assert.equal(one(kept, "select sum(is_active) from access_tokens"), 1);

  // The lost days come after the first time, and one restores the same file again.
  const lost = given(first);
  first.exec("update users set epoch = epoch + 1");
  const after = given(await begin(NOW + 1, true));
  for (const [user, epoch] of lost.epochs.entries())
    assert.ok(epoch > 9 && after.epochs[user] > epoch + 1, `epoch ${epoch}`);
  for (const [table, id] of lost.ids.entries()) assert.ok(after.ids[table] > id);
  for (const { id } of lost.tokens) assert.ok(after.tokens.every((token) => token.id > id));
  for (const number of [...after.epochs, ...after.ids]) assert.ok(Number.isSafeInteger(number));
});

test("an integer comes back as it was, up to the largest of 64 bits", async () => {
  const from = filled();
  large(from);
  await write(from, at("numbers"), "now");
  const target = empty("DB", []);
  await restore(target, at("numbers"), { now: NOW });
  const found = target.prepare("select cast(size as text) as size from tags order by id limit ?").all(integers.length);
  assert.deepEqual(
    found.map(({ size }) => size),
    integers,
  );
  assert.deepEqual(sums(target), sums(from));
});

test("a backup is of one moment, whoever writes meanwhile", { timeout: 60_000 }, async () => {
  const { state, database } = place("busy");
  fill(database, 2000);
  // One transaction makes a user and a namespace; no moment has one without the other.
  const writer = spawn(
    process.execPath,
    [
      "-e",
      `
    const { DatabaseSync } = require("node:sqlite");
    const database = new DatabaseSync(process.argv[1], { timeout: 10000 });
    for (let i = 0; ; i += 1) database.exec("begin immediate; insert into users (name, status, created_at) values ('busy" + i +
      "', 'active', 0); insert into namespaces (name, owner_id, created_at) values ('busy" + i + "', last_insert_rowid(), 0);" +
      "insert into stars values (last_insert_rowid(), 1); commit");
  `.replace("last_insert_rowid(), 1)", "(select max(id) from users), 1)"),
      localFile(state, "DB"),
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  try {
    const seen = new Set();
    for (let time = 0; time < 5; time += 1) {
      const file = `busy ${time}`;
      works(run("backup", file, "--persist-to", state));
      const target = empty("DB", []);
      const rows = await restore(target, at(file), { now: NOW });
      const busy = (table, where) => one(target, `select count(*) from ${table} where ${where}`);
      const users = busy("users", "name like 'busy%'");
      assert.deepEqual(
        [busy("namespaces", "name like 'busy%'"), busy("stars", "repository_id = 1 and user_id > 200")],
        [users, users],
      );
      assert.equal(rows.images, 20_000);
      seen.add(users);
    }
    assert.ok(seen.size > 1, "nobody wrote");
    assert.equal(writer.exitCode, null);
  } finally {
    writer.kill();
  }
});

/**
 * A copy of the clone whose wrangler takes a place on this machine for Cloudflare; what only asks, it answers itself.
 * `meanwhile` is done to DB right before an import; then SEARCH is nobody's concern. What begins like `broken` fails.
 */
function away(name) {
  const wrangler = `
const { spawnSync } = require("node:child_process");
const { existsSync, readFileSync } = require("node:fs");
const { DatabaseSync } = require("node:sqlite");
const words = process.argv.slice(2).map((word) => (word === "--remote" ? "--local" : word));
const wrangler = (words) => spawnSync(process.execPath, [${JSON.stringify(path.join(root, "node_modules/wrangler/bin/wrangler.js"))}, ...words], { stdio: "inherit" });
if (existsSync("broken") && words.join(" ").startsWith(readFileSync("broken", "utf8"))) {
  console.error("no network");
  process.exit(1);
}
import(${JSON.stringify(at(name, "tools/lib/sqlite.mjs"))}).then(({ localFile }) => {
  const file = localFile(".wrangler/state", "DB");
  if (words[1] === "execute" && words.at(-1).startsWith("select")) {
    try {
      const results = new DatabaseSync(existsSync(file) ? file : ":memory:").prepare(words.at(-1)).all();
      console.log(JSON.stringify([{ results }]));
    } catch (error) {
      console.error(error.message);
      process.exit(1);
    }
  } else if (!(words.includes("SEARCH") && existsSync("meanwhile"))) {
    const text = words.includes("--file") ? readFileSync(words.at(-1), "utf8") : "";
    if (text.split(";\\n").some((text) => Buffer.byteLength(text) > 100_000)) process.exit(1); // D1 takes no longer statement
    if (text && existsSync("meanwhile")) new DatabaseSync(file).exec(readFileSync("meanwhile", "utf8"));
    process.exit(wrangler(words.filter((word) => word !== "--skip-confirmation" && word !== "--yes")).status);
  }
});
`;
  copy(at(name), wrangler);
  const asking = { ...env };
  const tool = (tool, ...words) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [at(name, "tools", `${tool}.mjs`), ...words, "--remote"],
      { env: asking, encoding: "utf8" },
    );
    return { status, said: stdout + stderr };
  };
  const sqlite = import(at(name, "tools/lib/sqlite.mjs")); // which reads the wrangler.toml of the copy
  const database = async (binding = "DB") =>
    (await sqlite).openLocal(at(name, ".wrangler/state"), binding, { make: true });
  const meanwhile = (sql) => fs.writeFileSync(at(name, "meanwhile"), sql);
  const broken = (command) => fs.writeFileSync(at(name, "broken"), command);
  /** Lets the tools ask an API of this machine, too, which works on DB. */
  const answering = async () => {
    const api = await startApi((await sqlite).localFile(at(name, ".wrangler/state"), "DB"), at(name, "broken"));
    after(() => api.stop());
    Object.assign(asking, api.env);
  };
  return { tool, database, meanwhile, broken, answering };
}

/** Puts two new databases into wrangler.toml, as `wrangler d1 create` names them. */
function renew(name, number) {
  const file = at(name, "wrangler.toml");
  const text = fs.readFileSync(file, "utf8").replace(/^database_id.*\n/gm, "");
  const renewed = text.replace(
    /^database_name = "(hublet(?:-search)?)(?:-\d+)?"$/gm,
    `database_name = "$1-${number}"\ndatabase_id = "$1-id-${number}"`,
  );
  assert.equal(renewed.match(/^database_id/gm).length, 2);
  fs.writeFileSync(file, renewed);
}

test("a deployed database goes through a backup into a new one, and stays", { timeout: 300_000 }, async () => {
  const { tool, database, meanwhile } = away("there");
  const from = await database();
  migrate(from, "DB", migrations("DB"));
  fill(from, 40, { images: 3 });
  from.prepare("update repositories set full_description = ? where id = 7").run("🐳".repeat(25_000)); // the longest that there is
  large(from);
  const before = whole(from);
  works(tool("backup", "far"));
  assert.deepEqual(
    fs.readdirSync(scratch).filter((name) => name.startsWith("far")),
    ["far"],
  );
  fails(tool("restore", "far"), /not empty[\s\S]*make two new databases/);

  renew("there", 2); // without a table, of which the first deploy would make them
  works(tool("restore", "far", "--keep-access-tokens"));
  assert.deepEqual(whole(from), before);
  const there = await database();
  assert.deepEqual(sums(there), sums(from));
  assert.deepEqual(applied(there), migrations("DB"));
  assert.deepEqual(schema(there), schema(from));
  assert.ok(one(there, "select min(epoch) from users") > 1e15);
  const seq = (name) => one(there, `select seq from sqlite_sequence where name = '${name}'`);
  assert.ok(seq("repositories") > 1e15 && seq("d1_migrations") < 100);
  const search = await database("SEARCH");
  assert.deepEqual(applied(search), migrations("SEARCH"));
  assert.equal(one(search, "select count(*) from documents"), 0);

  fails(tool("restore", "far"), /not empty/);

  // A worker that is at work already writes now and then: what does not last is in nobody's way.
  renew("there", 3);
  const empty = await database();
  migrate(empty, "DB", migrations("DB"));
  meanwhile(`insert into failures values ('alice', '::1', 1, ${NOW}); insert into progress values ('verify search', 0);
    insert into outbox (repository_id) values (1)`);
  works(tool("restore", "far", "--keep-access-tokens"));
  assert.deepEqual(sums(empty), sums(from));
  assert.deepEqual(
    ["failures", "progress", "outbox"].map((table) => one(empty, `select count(*) from ${table}`)),
    [0, 0, 0],
  );

  renew("there", 4);
  const busy = await database();
  migrate(busy, "DB", migrations("DB"));
  const refused =
    "insert into audit (at, action, name, actor, credential, address) values (0, 'user.login.refused', 'alice', '', '', '')";
  meanwhile(refused);
  fails(tool("restore", "far"), /wrote to the database meanwhile, and it is as they left it: make two new databases/);
  assert.deepEqual(
    Object.entries(counts(busy)).filter(([, count]) => count),
    [
      ["namespaces", 1],
      ["audit", 1],
    ],
  );
  fails(tool("restore", "far"), /not empty \(1 audit\)[\s\S]*make two new databases/);
});

test("after the platform's own restore each half is done, whatever becomes of the other", {
  timeout: 300_000,
}, async () => {
  const { tool, database, broken, answering } = away("travelled");
  await answering();
  const [truth, search] = [await database(), await database("SEARCH")];
  migrate(truth, "DB", migrations("DB"));
  fill(truth, 20);
  migrate(search, "SEARCH", migrations("SEARCH"));
  search.exec("insert into documents values (1, 1, 'a', 'a', ' a ', '', 'pub', 0, 0, null, null)");
  const revoked = () =>
    one(truth, "select count(*) from refresh_tokens") + one(truth, "select sum(is_active) from access_tokens");
  const shown = () => one(search, "select count(*) from documents");

  broken("d1");
  fails(
    tool("admin", "after-restore"),
    /what was revoked may be good again; [\s\S]*search may show what is private: run this again/,
  );
  assert.deepEqual([revoked(), shown()], [4, 1]);
  broken("d1 execute SEARCH");
  fails(
    tool("admin", "after-restore"),
    /no network[\s\S]*failed \(1\): search may show what is private: run this again/,
  );
  assert.deepEqual([revoked(), shown()], [0, 1]);
  truth.exec("update access_tokens set is_active = 1");
  broken("d1 execute DB");
  fails(tool("admin", "after-restore"), /Cloudflare: no network: what was revoked may be good again: run this again/);
  assert.deepEqual([revoked(), shown()], [2, 0]);
  broken("nothing");
  assert.match(
    works(tool("admin", "after-restore", "--private")),
    /everybody logs in again[\s\S]*every repository is private/,
  );
  assert.deepEqual([revoked(), one(truth, "select min(private) from repositories")], [0, 1]);
});

test("what was made private or deleted since is public again, unless nothing is", async () => {
  const from = filled(4);
  from.exec("update repositories set deleted_at = 5 where id = 4");
  await write(from, at("seen"), "now");
  assert.match(
    works(run("restore", "seen", "--persist-to", at("seen as before"))),
    /made private or deleted since are public and there again: [\s\S]* after-restore --private --persist-to '\S*seen as before'$/m,
  );
  const before = openLocal(at("seen as before"), "DB");
  assert.deepEqual(
    before
      .prepare("select private from repositories")
      .all()
      .map((row) => row.private),
    [1, 0, 1, 0],
  );
  assert.match(
    works(run("restore", "seen", "--persist-to", at("seen by few"), "--private")),
    /every repository is private/,
  );
  const hidden = openLocal(at("seen by few"), "DB");
  assert.deepEqual(
    hidden
      .prepare("select private, revision from repositories")
      .all()
      .map((row) => [row.private, row.revision]),
    [
      [1, 1],
      [1, 2],
      [1, 1],
      [1, 2],
    ],
  );
  const told = "select account, name, data from audit where action = 'repo.change_privacy' order by id";
  const data = '{"is_private":"true"}';
  assert.deepEqual(
    hidden
      .prepare(told)
      .all()
      .map((row) => ({ ...row })),
    ["user1/app2", "user1/app4"].map((name) => ({ account: 2, name, data })),
  );
});
