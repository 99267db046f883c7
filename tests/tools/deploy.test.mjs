// `npm run deploy` and the databases of `npm start`, in a copy of the clone where wrangler is a script that notes its words.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { unstable_readConfig as readConfig } from "wrangler";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { migrate, migrations as all, open } from "../../tools/lib/sqlite.mjs";
import { copy } from "./clone.mjs";
import { startApi, TWO_ACCOUNTS } from "./d1-api.mjs";
import { fails, works } from "./outcome.mjs";
import { atTerminal, noTerminal } from "./terminal.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-deploy-"));
const at = (...names) => path.join(scratch, ...names);
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

await setUpOperator();
copy(
  scratch,
  `
const fs = require("node:fs");
const [state, words] = [JSON.parse(fs.readFileSync(__dirname + "/state.json")), process.argv.slice(2)];
if (words[0] !== "secret") fs.appendFileSync(__dirname + "/calls", words.slice(0, 5).join(" ") + "\\n");
if (words.join(" ") === "d1 list --json") console.log(JSON.stringify((state.databases ?? []).map((name) => ({ name }))));
if (state.accounts && !/^account_id = "second"$/m.test(fs.readFileSync(__dirname + "/../../wrangler.toml"))) {
  console.error("More than one account available but unable to select one in non-interactive mode.");
  process.exit(1);
}
if (words[0] === "secret" && state.secrets) console.log(JSON.stringify(state.secrets.map((name) => ({ name }))));
if (words[0] === "secret" && !state.secrets) { console.error("code: 10007"); process.exit(1); }
if (words[0] === state.broken) { console.error("no network"); process.exit(1); }
`,
);
fs.writeFileSync(at("tools/build.mjs"), "export async function build() {}\n"); // there is no worker in the copy

/** Puts Cloudflare in such a state, and forgets what wrangler did. */
function cloudflare(state) {
  fs.writeFileSync(at("node_modules/.bin/state.json"), JSON.stringify(state));
  fs.writeFileSync(at("node_modules/.bin/calls"), "");
}

/** What wrangler did. */
const calls = () => fs.readFileSync(at("node_modules/.bin/calls"), "utf8").trim().split("\n");

/** What wrangler does for such work, where Cloudflare is in such a state. */
function told(state, work) {
  cloudflare(state);
  work();
  return calls();
}

/** Runs a module of the copy. */
function node(...words) {
  const env = { ...process.env, WRANGLER_COMMAND: "test" }; // the packages are there
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, cwd: scratch, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

const migrations = (name) => `d1 migrations apply ${name} --remote`;

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
  const both = ["DB", "SEARCH"].map((name) => `d1 migrations apply ${name} --local`);
  assert.deepEqual(told({}, start), both);
  assert.deepEqual(told({}, start), [""]);
  const settings = fs.readFileSync(at("wrangler.toml"), "utf8");
  const named = 'database_name = "hublet"\n';
  assert.ok(settings.includes(named));
  fs.writeFileSync(at("wrangler.toml"), settings.replace(named, `${named}database_id = "another"\n`));
  assert.deepEqual(told({}, start), both);
  fs.writeFileSync(at("wrangler.toml"), settings);
});

/** The steps that were announced. */
const steps = (said) => [...said.matchAll(/^→ (.*)$/gm)].map(([, step]) => step);

test("every step is announced, and a rehearsal does none", () => {
  fs.rmSync(at(".keys"), { recursive: true, force: true });
  cloudflare({ secrets: null });
  const rehearsed = works(node(at("tools/deploy.mjs"), "--dry-run"));
  assert.deepEqual(calls(), ["deploy --dry-run"]);
  assert.ok(!fs.existsSync(at(".keys")));
  assert.deepEqual(steps(rehearsed), [
    "ask which secrets the deployed worker has: wrangler secret list",
    "at a terminal: ask for what wrangler.toml does not say, and write the answers into it",
    "make TOKEN_KEY and PASSWORD_PEPPER in .keys/production.vars, unless the worker has it",
    "at a terminal, on the first deploy: make the keys of registry tokens and the configuration of each registry, in .keys/production",
    "on the first deploy, where a location was answered: make the databases: wrangler d1 create NAME --location LOCATION",
    "bring the tables of DB up to date: wrangler d1 migrations apply DB --remote",
    "bring the tables of SEARCH up to date: wrangler d1 migrations apply SEARCH --remote",
    "deploy the worker, on the first deploy before the tables, since that makes the databases: wrangler deploy",
    "at a terminal: make the first administrator, if there is none",
  ]);
  assert.deepEqual(steps(works(node(at("tools/deploy.mjs")))), [
    "ask which secrets the deployed worker has: wrangler secret list",
    "make TOKEN_KEY and PASSWORD_PEPPER in .keys/production.vars",
    "deploy the worker with PASSWORD_PEPPER, TOKEN_KEY: wrangler deploy",
    "bring the tables of DB up to date: wrangler d1 migrations apply DB --remote",
    "bring the tables of SEARCH up to date: wrangler d1 migrations apply SEARCH --remote",
  ]);
});

const shipped = fs.readFileSync(at("wrangler.toml"), "utf8");

/** Deploys at a terminal with `wrangler.toml` as it is shipped, where Cloudflare is in such a state. */
async function deployAtTerminal(state, answers, { settings = shipped, more = {} } = {}) {
  fs.writeFileSync(at("wrangler.toml"), settings);
  fs.rmSync(at(".keys"), { recursive: true, force: true });
  cloudflare(state);
  const { CI, ...ours } = process.env;
  const env = { ...ours, ...api.env, WRANGLER_COMMAND: "test", ...more };
  const command = `exec ${process.execPath} ${at("tools/deploy.mjs")}`;
  const { left, ...outcome } = await atTerminal(command, answers, { env, cwd: scratch });
  assert.deepEqual(left, [], outcome.said);
  return outcome;
}

let api;
const database = open(at("deployed"));
before(async () => {
  migrate(database, "DB", all("DB"));
  api = await startApi(at("deployed"));
});
after(() => api.stop());

const ENTER = "\r";
const [address, home, host, registration, administrator] = [
  "Public address [https://hublet.example.workers.dev]: ",
  "Jurisdiction or location of hublet and hublet-search [near you]: ",
  "Host of the registry, such as registry.example.com:5000 [none yet]: ",
  "Registration [closed]: ",
  "Name of the first administrator [none now]: ",
];

test("at a terminal the first deploy asks, writes the answers, and ends with an administrator", {
  skip: noTerminal,
}, async () => {
  const outcome = await deployAtTerminal({ secrets: null }, [
    [address, `http://index.example.com${ENTER}`],
    ["http://index.example.com is not https://host", ""],
    [address, `index.example.com${ENTER}`],
    ["Is index.example.com in a zone of this Cloudflare account, for the deploy to connect it? [yes]: ", ENTER],
    [home, `moon${ENTER}`],
    ["one of: near you, eu, us, fedramp, weur", ""],
    [home, `weur${ENTER}`],
    [host, `registry.example.com:5000${ENTER}`],
    ["Its name, the service of its tokens [registry]: ", `hall${ENTER}`],
    [registration, `open${ENTER}`],
    [administrator, `library${ENTER}`],
    ["library is reserved", ""],
    [administrator, `alice${ENTER}`],
  ]);
  const said = works(outcome);
  assert.deepEqual(calls(), [
    "d1 list --json",
    "d1 create hublet --location weur",
    "d1 create hublet-search --location weur",
    `deploy --secrets-file ${at(".keys/upload.json")}`,
    migrations("DB"),
    migrations("SEARCH"),
  ]);
  assert.match(
    said,
    /^hublet: alice is an administrator\n\nTo choose the password, once, within a week:\nhttps:\/\/index\.example\.com\/account\/password#[\w-]{43}$/m,
  );
  assert.match(said, /^→ deploy the worker with PASSWORD_PEPPER, REGISTRY_CERTIFICATE, REGISTRY_KEY, TOKEN_KEY: /m);
  assert.match(said, /^hublet: the registry hall needs what is in \.keys\/production\/hall\.yml$/m);
  const configuration = fs.readFileSync(at(".keys/production/hall.yml"), "utf8");
  assert.match(configuration, /realm: "https:\/\/index\.example\.com\/token"\n +service: "hall"/);
  assert.deepEqual(
    { ...database.prepare("select name, administrator from users").get() },
    { name: "alice", administrator: 1 },
  );
  const changes = {
    "workers_dev = true": "workers_dev = false",
    "# routes = [": "routes = [",
    "# PUBLIC_URL =": "PUBLIC_URL =",
    '# SERVICES = "registry"': 'SERVICES = "hall@registry.example.com:5000"',
    'REGISTRATION = "closed"': 'REGISTRATION = "open"',
    'ANONYMOUS_READ = "off"': 'ANONYMOUS_READ = "on"',
  };
  let expected = shipped;
  for (const [from, to] of Object.entries(changes)) {
    assert.ok(expected.includes(from), from);
    expected = expected.replace(from, to);
  }
  const plain = (text) => text.replace(/ +#/g, " #"); // comments after a line may move
  assert.equal(plain(fs.readFileSync(at("wrangler.toml"), "utf8")), plain(expected));
});

test("a jurisdiction is written where wrangler, which makes the databases, reads it", {
  skip: noTerminal,
}, async () => {
  const { said, ...outcome } = await deployAtTerminal({ secrets: null }, [
    [address, ENTER],
    [home, `eu${ENTER}`],
    [host, ENTER],
    [registration, ENTER],
  ]);
  works({ said, ...outcome });
  assert.doesNotMatch(said, /administrator \[/, "there is one");
  assert.ok(calls().every((call) => !call.startsWith("d1 create")));
  const { vars, routes, d1_databases } = readConfig({ config: at("wrangler.toml") }, { hideWarnings: true });
  assert.equal(vars.PUBLIC_URL, "https://hublet.example.workers.dev");
  assert.equal(routes, undefined);
  assert.deepEqual(
    d1_databases.map(({ jurisdiction }) => jurisdiction),
    ["eu", "eu"],
  );
  const settings = fs.readFileSync(at("wrangler.toml"), "utf8");
  for (const comment of shipped.match(/#.*$/gm).filter((comment) => !comment.startsWith("# PUBLIC_URL")))
    assert.ok(settings.includes(comment), comment);

  // What is there is not asked again, nor what could be changed later.
  works(await deployAtTerminal({ secrets: ["TOKEN_KEY", "PASSWORD_PEPPER"] }, [], { settings }));
  assert.deepEqual(calls(), [migrations("DB"), migrations("SEARCH"), "deploy"]);
  assert.equal(fs.readFileSync(at("wrangler.toml"), "utf8"), settings);
});

test("databases that are there are not asked about", { skip: noTerminal }, async () => {
  const half = "Jurisdiction or location of hublet-search [near you]: ";
  const state = { secrets: null, databases: ["hublet"] };
  works(
    await deployAtTerminal(state, [
      [address, ENTER],
      [half, `enam${ENTER}`],
      [host, ENTER],
      [registration, ENTER],
    ]),
  );
  assert.deepEqual(
    calls().filter((call) => call.startsWith("d1 create")),
    ["d1 create hublet-search --location enam"],
  );
});

test("which of several accounts it is, is asked", { skip: noTerminal }, async () => {
  const more = { CLOUDFLARE_API_TOKEN: TWO_ACCOUNTS, CLOUDFLARE_ACCOUNT_ID: undefined };
  const settings = shipped.replace("# PUBLIC_URL", "PUBLIC_URL");
  const { status, said } = await deployAtTerminal(
    { secrets: ["TOKEN_KEY", "PASSWORD_PEPPER"], accounts: 2 },
    [
      ["Which account: ", `3${ENTER}`],
      ["a number from 1 to 2", ""],
      ["Which account: ", `2${ENTER}`],
    ],
    { settings, more },
  );
  assert.equal(calls().at(-1), "deploy");
  assert.match(fs.readFileSync(at("wrangler.toml"), "utf8"), /^account_id = "second"$/m);
  assert.equal(status, 1, "the second account of the test has no database");
  assert.match(said, /Cloudflare: Could not route to/);
});

test("a person who leaves at a question has deployed nothing", { skip: noTerminal }, async () => {
  for (const key of ["\x03", "\x04"]) {
    fails(await deployAtTerminal({ secrets: null }, [[address, key]]), /^hublet: stopped$/m);
    assert.deepEqual(calls(), [""]);
    assert.equal(fs.readFileSync(at("wrangler.toml"), "utf8"), shipped);
  }
});

test("a CI with a terminal is asked nothing", { skip: noTerminal }, async () => {
  works(await deployAtTerminal({ secrets: null }, [], { more: { CI: "1" } }));
  assert.equal(fs.readFileSync(at("wrangler.toml"), "utf8"), shipped);
});
