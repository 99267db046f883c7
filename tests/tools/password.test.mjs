// `npm run admin -- add NAME --password-stdin`, in a copy of the clone where wrangler is a script that keeps what it is told.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { copy } from "./clone.mjs";
import { works } from "./outcome.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-password-"));
const at = (...names) => path.join(scratch, ...names);
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

// Statements come as words or, where they must not be seen, in a file.
copy(scratch, `
const fs = require("node:fs");
const words = process.argv.slice(2);
const file = words.indexOf("--file");
fs.writeFileSync(__dirname + "/told", words.join(" ") + (file < 0 ? "" : fs.readFileSync(words[file + 1], "utf8")));
console.log(JSON.stringify([{ results: [{ name: "alice" }] }]));
`);

/** The hash that is written for a new account. */
function hashed(vars) {
  fs.writeFileSync(at(".dev.vars"), `PASSWORD_PEPPER="1:${"p".repeat(40)}"\n${vars}`, { mode: 0o600 });
  const env = { ...process.env, WRANGLER_COMMAND: "test" }; // the packages are there
  const words = [at("tools/admin.mjs"), "add", "alice", "--password-stdin"];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, cwd: scratch, encoding: "utf8", input: "a password" });
  works({ status, said: stdout + stderr });
  return /\$argon2id\$v=19\$[^,]*,[^,]*,[^,]*/.exec(fs.readFileSync(at("node_modules/.bin/told"), "utf8"))[0];
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
