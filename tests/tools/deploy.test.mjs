// `npm run deploy` and the databases of `npm start`, in a copy of the clone where wrangler is a script that notes what it is told.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { copy } from "./clone.mjs";
import { fails, works } from "./outcome.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-deploy-"));
const at = (...names) => path.join(scratch, ...names);
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

await setUpOperator();
copy(
  scratch,
  `
const fs = require("node:fs");
const [state, words] = [JSON.parse(fs.readFileSync(__dirname + "/state.json")), process.argv.slice(2)];
if (words[0] !== "secret") fs.appendFileSync(__dirname + "/calls", words.slice(0, 4).join(" ") + "\\n");
if (words[0] === "secret" && state.secrets) console.log(JSON.stringify(state.secrets.map((name) => ({ name }))));
if (words[0] === "secret" && !state.secrets) { console.error("code: 10007"); process.exit(1); }
if (words[0] === state.broken) { console.error("no network"); process.exit(1); }
`,
);
fs.writeFileSync(at("tools/build.mjs"), "export async function build() {}\n"); // there is no worker in the copy

/** What wrangler is told to do by such work, where Cloudflare is in such a state. */
function told(state, work) {
  fs.writeFileSync(at("node_modules/.bin/state.json"), JSON.stringify(state));
  fs.writeFileSync(at("node_modules/.bin/calls"), "");
  work();
  return fs.readFileSync(at("node_modules/.bin/calls"), "utf8").trim().split("\n");
}

/** Runs a module of the copy. */
function node(...words) {
  const env = { ...process.env, WRANGLER_COMMAND: "test" }; // the packages are there
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, cwd: scratch, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

const migrations = (name) => `d1 migrations apply ${name}`;

test("a worker at work has its tables before it has the code that wants them", () => {
  const deploy = () => node(at("tools/deploy.mjs"));
  const [first] = told({ secrets: null }, () => works(deploy()));
  assert.match(first, /^deploy --secrets-file /, "which makes the databases");
  const there = { secrets: ["TOKEN_KEY", "PASSWORD_PEPPER"] };
  assert.deepEqual(
    told(there, () => works(deploy())),
    [migrations("DB"), migrations("SEARCH"), "deploy"],
  );
  assert.deepEqual(
    told({ ...there, broken: "d1" }, () => fails(deploy(), /wrangler d1 failed/)),
    [migrations("DB")],
  );
});

test("what would answer nothing is not deployed", () => {
  const settings = fs.readFileSync(at("wrangler.toml"), "utf8");
  const [from, words] = [
    'REGISTRATION = "closed"',
    /REGISTRATION = "open" with ANONYMOUS_READ = "off": .*: change one of them in wrangler\.toml/,
  ];
  assert.ok(settings.includes(from) && settings.includes('ANONYMOUS_READ = "off"'));
  fs.writeFileSync(at("wrangler.toml"), settings.replace(from, 'REGISTRATION = "open"'));
  for (const more of [[], ["--dry-run"]]) {
    assert.deepEqual(
      told({ secrets: null }, () => fails(node(at("tools/deploy.mjs"), ...more), words)),
      [""],
    );
  }
  fs.writeFileSync(
    at("wrangler.toml"),
    settings.replace(from, 'REGISTRATION = "open"').replace('ANONYMOUS_READ = "off"', 'ANONYMOUS_READ = "on"'),
  );
  works(node(at("tools/deploy.mjs"), "--dry-run"));
  fs.writeFileSync(at("wrangler.toml"), settings);
});

test("a database that wrangler.toml names anew is made on this machine too", () => {
  fs.mkdirSync(at("state/v3/d1"), { recursive: true });
  const program = `import { migrateLocally } from ${JSON.stringify(at("tools/lib/migrations.mjs"))}; await migrateLocally(${JSON.stringify(at("state"))});`;
  const start = () => works(node("--input-type=module", "--eval", program));
  const both = [migrations("DB"), migrations("SEARCH")];
  assert.deepEqual(told({}, start), both);
  assert.deepEqual(told({}, start), [""]);
  fs.appendFileSync(at("wrangler.toml"), "# another id\n");
  assert.deepEqual(told({}, start), both);
});
