// `npm run admin -- add NAME --password-stdin`, in a copy of the clone with settings of its own.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { migrate, migrations, openLocal } from "../../tools/lib/sqlite.mjs";
import { copy } from "./clone.mjs";
import { fails, works } from "./outcome.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-password-"));
const at = (...names) => path.join(scratch, ...names);
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const database = openLocal(at(".wrangler/state"), "DB", { make: true });

before(async () => {
  await setUpOperator();
  migrate(database, "DB", migrations("DB"));
  copy(scratch, "process.exit(1)");
});

/** What the command does with a password for a new account, and says. */
function add(vars, password, flags = ["--password-stdin"]) {
  database.exec("delete from users; delete from namespaces; delete from retired_names");
  fs.writeFileSync(at(".dev.vars"), `PASSWORD_PEPPER="1:${"p".repeat(40)}"\n${vars}`, { mode: 0o600 });
  const env = { ...process.env, WRANGLER_COMMAND: "test" }; // the packages are there
  const words = [at("tools/admin.mjs"), "add", "alice", ...flags];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    env,
    cwd: scratch,
    encoding: "utf8",
    input: password,
  });
  return { status, said: stdout + stderr };
}

/** The hash that is written for it. */
function hashed(vars, password = "long enough a password") {
  works(add(vars, password));
  const { password: stored } = database.prepare("select password from users where name = 'alice'").get();
  return /^\$argon2id\$v=19\$[^,]*,[^,]*,[^,]*/.exec(stored)[0];
}

test("a password that the operator sets costs what PASSWORD_COST says", () => {
  const usual = "$argon2id$v=19$m=19456,t=2,p=1";
  assert.equal(hashed(""), usual);
  assert.equal(hashed('PASSWORD_COST="m=4096,t=1,p=1"\n'), "$argon2id$v=19$m=4096,t=1,p=1");
  assert.equal(hashed('PASSWORD_COST="m=64,t=3,p=2"\n'), "$argon2id$v=19$m=64,t=3,p=2");
  for (const odd of ["m=65537,t=1,p=1", "m=7,t=1,p=1", "m=64,t=11,p=1", "m=64,t=1,p=5", "much"]) {
    assert.equal(hashed(`PASSWORD_COST="${odd}"\n`), usual, odd);
  }
});

test("a password that the operator sets is as long as PASSWORD_LENGTH says, and not the name", () => {
  const [ours, least] = ['PASSWORD_LENGTH="9"\n', /a password has at least 9 characters/];
  fails(add(ours, "8 letter"), least);
  hashed(ours, "9 letters");
  fails(add("", "9 letters"), /a password has at least 12 characters/); // as wrangler.toml has it
  hashed("", "12 letters, ");
  for (const odd of ["4", "129", "many"]) {
    fails(add(`PASSWORD_LENGTH="${odd}"\n`, "9 letters"), /a password has at least 12 characters/);
  }
  fails(add('PASSWORD_LENGTH="5"\n', "Alice"), /a password is not the user's own name/);
});

test("a password that was hashed by bcrypt is taken, at costs that a login can bear", () => {
  const hash = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
  const cheap = 'PASSWORD_COST="m=64,t=1,p=1"\n';
  const imported = (text) => add(cheap, text, ["--bcrypt-stdin"]);
  works(imported(`${hash}\n`));
  const { password: stored } = database.prepare("select password from users where name = 'alice'").get();
  assert.match(stored, /^\$2b\$05\$abcdefghijklmnopqrstuu\$argon2id\$v=19\$m=64,t=1,p=1,/);
  assert.ok(!stored.includes(hash.slice(29)));
  const refusal = /a bcrypt hash begins with \$2a\$, \$2b\$ or \$2y\$ and a cost from 4 to 10/;
  for (const odd of [
    "",
    "secret",
    hash.slice(1),
    hash.replace("$05$", "$11$"),
    hash.replace("$2y$", "$2x$"),
    `${hash}a`,
  ])
    fails(imported(odd), refusal);
  const both = ["--bcrypt-stdin", "--password-stdin"];
  fails(add(cheap, hash, both), /standard input is a password or a bcrypt hash, not both/);
});
