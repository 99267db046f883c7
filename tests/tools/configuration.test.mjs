// What the tools read in wrangler.toml is what wrangler reads in it.

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { unstable_readConfig as readConfig } from "wrangler";
import {
  addresses,
  boundNames,
  change,
  configuration,
  crons,
  databaseId,
  variable,
} from "../../tools/lib/configuration.mjs";
import { Failure, root } from "../../tools/lib/steps.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-configuration-"));
const file = path.join(scratch, "wrangler.toml");
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** Writes the file, and holds what the tools read in it against what wrangler does. */
function both(text) {
  fs.writeFileSync(file, text);
  const theirs = readConfig({ config: file }, { hideWarnings: true });
  const { d1_databases, kv_namespaces, ratelimits, send_email } = theirs;
  const names = [...d1_databases, ...kv_namespaces, ...ratelimits, ...send_email].map((one) => one.binding ?? one.name);
  assert.deepEqual(boundNames(file), names);
  assert.deepEqual(configuration(file).vars ?? {}, theirs.vars);
  assert.deepEqual(crons(file), theirs.triggers.crons ?? []);
}

const shipped = fs.readFileSync(path.join(root, "wrangler.toml"), "utf8");

test("the file that comes with hublet is read as wrangler reads it", () => {
  both(shipped);
  assert.equal(variable("REGISTRATION", file), "closed");
  assert.equal(variable("PUBLIC_URL", file), undefined);
  assert.deepEqual(addresses(file), { routed: false, workersDev: true });
  assert.equal(crons(file).length, 1);
  assert.equal(databaseId("DB", file), "DB");
});

for (const [form, text] of Object.entries({
  "single quotes": "[vars]\nREADS = 'nearest'",
  "a comment behind it": '[vars]\nREADS = "nearest" # or "primary"',
  "blanks before it": '[vars]\n  READS="nearest"',
  "an inline table": 'vars = { REGISTRATION = "open", READS = "nearest" }',
  "a dotted key": 'vars.READS = "nearest"',
  "a quoted key": '[vars]\n"READS" = "nearest"',
  "a text of several lines": '[vars]\nREADS = """\nnearest"""',
  "an environment after it": '[vars]\nREADS = "nearest"\n[env.staging.vars]\nREADS = "primary"',
  "an environment before it": '[env.staging.vars]\nREADS = "primary"\n[vars]\nREADS = "nearest"',
  "another table with the same key": '[vars]\nREADS = "nearest"\n[define]\nREADS = "primary"',
})) {
  test(`a var with ${form} is read`, () => {
    both(`name = "hublet"\n${text}\n`);
    assert.equal(variable("READS", file), "nearest");
  });
}

test("a var that is not set is none, nor is one that is empty, in a comment, of an environment, or no text", () => {
  both('[vars]\nA = ""\n# B = "b"\nC = 1\nD = """\nE = "e"\n"""\n[env.staging.vars]\nF = "f"\n');
  for (const name of ["A", "B", "C", "E", "F"]) assert.equal(variable(name, file), undefined, name);
  assert.equal(variable("D", file), 'E = "e"\n');
});

test("a database is known by its preview, its id or its binding", () => {
  const table = (...lines) => ["[[d1_databases]]", "database_name = 'x'", ...lines].join("\n");
  const ids = ["database_id = 'one'", "preview_database_id = 'two'"];
  both([table("binding = 'DB' # the truth", ...ids), table(ids[0], 'binding="SEARCH"'), ""].join("\n"));
  assert.deepEqual(
    ["DB", "SEARCH", "OTHER"].map((name) => databaseId(name, file)),
    ["two", "one", "OTHER"],
  );
  both(`d1_databases = [{ binding = "DB", database_name = "x", database_id = "three" }]`);
  assert.equal(databaseId("DB", file), "three");
});

test("the address at workers.dev is there unless it is switched off or there is another", () => {
  for (const [text, routed, workersDev] of [
    ["", false, true],
    ["workers_dev = false", false, false],
    ["route = 'a.example.com/*'", true, false],
    ["routes = [ # ours\n  'a.example.com/*',\n]", true, false],
    ["routes = []", false, true],
    ["workers_dev = true\n[[routes]]\npattern = 'a.example.com'\ncustom_domain = true", true, true],
    ["[env.staging]\nworkers_dev = false", false, true],
  ]) {
    both(`name = 'hublet'\n${text}\n`);
    assert.deepEqual(addresses(file), { routed, workersDev }, text);
  }
});

test("what is bound in a list or an inline table counts, and what is in a comment does not", () => {
  both(
    "send_email = [{ name = 'MAIL' }]\n[[ratelimits]]\nsimple = { limit = 1, period = 60 }\nname='LOGIN_LIMIT'\nnamespace_id = '1'\n# [[kv_namespaces]]\n# binding = 'CACHE'\n",
  );
  assert.deepEqual(boundNames(file), ["LOGIN_LIMIT", "MAIL"]);
});

test("what is no TOML is said with its line", () => {
  fs.writeFileSync(file, 'name = "hublet"\n[vars]\nREADS = nearest\n');
  assert.throws(
    () => variable("READS", file),
    (error) => error instanceof Failure && /^wrangler\.toml, line 3: /.test(error.message),
  );
});

/** The file after a change of what it says. */
async function changed(text, edit) {
  fs.writeFileSync(file, text);
  await change(edit, file);
  return fs.readFileSync(file, "utf8");
}

test("a change keeps comments, and an example in a comment becomes the line", async () => {
  const text = `# ours
name = "hublet"  # the name

[vars]
# PUBLIC_URL = "https://index.example.com"  # where it is
# MAIL_FROM = "index@example.com"
READS = "primary" # or "nearest"

# The primary database.
[[d1_databases]]
binding = "DB"
# migrations_table = "x"

# [[send_email]]
# name = "MAIL"

[env.staging.vars]
# PUBLIC_URL = "https://staging.example.com"
`;
  const settings = await changed(text, (settings) => {
    settings.vars.PUBLIC_URL = "https://hub.example.org";
    settings.vars.READS = "nearest";
    settings.d1_databases[0].jurisdiction = "eu";
    settings.account_id = "one";
  });
  const lines = (text) => text.split("\n").map((line) => line.replace(/ +#/, " #")); // which may move
  const expected = text
    .replace('# PUBLIC_URL = "https://index.example.com"', 'PUBLIC_URL = "https://hub.example.org"')
    .replace('READS = "primary"', 'READS = "nearest"');
  assert.deepEqual(
    lines(settings).filter((line) => !/^(account_id = "one"|jurisdiction = "eu")$/.test(line)),
    lines(expected),
  );
  both(settings);
  assert.equal(configuration(file).account_id, "one");
});

test("a change of what is no TOML is refused and changes nothing", async () => {
  const text = 'name = "hublet"\n[vars]\nREADS = nearest\n';
  await assert.rejects(
    changed(text, () => {}),
    Failure,
  );
  assert.equal(fs.readFileSync(file, "utf8"), text);
});

test("a file that is a link stays one", async () => {
  const other = path.join(scratch, "theirs.toml");
  fs.writeFileSync(other, 'name = "hublet"\n');
  const link = path.join(scratch, "link.toml");
  fs.symlinkSync(other, link);
  await change((settings) => {
    settings.account_id = "one";
  }, link);
  assert.ok(fs.lstatSync(link).isSymbolicLink());
  assert.match(fs.readFileSync(other, "utf8"), /^account_id = "one"$/m);
});

test("a list of tables that is new is written, whatever else there is", async () => {
  for (const text of [
    "",
    "[vars]\n",
    shipped.replace(/^# routes.*\n/m, ""),
    'name = "hublet" # ours\n\n# vars\n[vars]\n',
  ]) {
    const settings = await changed(text, (settings) => {
      settings.routes = [{ pattern: "hub.example.org", custom_domain: true }];
    });
    both(settings);
    const [{ pattern, custom_domain }] = configuration(file).routes;
    assert.deepEqual([pattern, custom_domain], ["hub.example.org", true]);
    for (const comment of text.match(/#.*$/gm) ?? []) assert.ok(settings.includes(comment), comment);
  }
});

test("a type that wrangler refuses is said", () => {
  for (const [text, words] of [
    ['vars = "x"', "vars is no table"],
    ["[[vars]]", "vars is no table"],
    ["triggers = 5", "triggers is no table"],
    ['[triggers]\ncrons = "* * * * *"', "crons is no list"],
    ["d1_databases = 5", "d1_databases is no list of tables ([[…]])"],
    ['[d1_databases]\nbinding = "DB"', "d1_databases is no list of tables ([[…]])"],
    ["kv_namespaces = [1]", "kv_namespaces is no list of tables ([[…]])"],
    ["[[d1_databases]]\nbinding = 'DB'\ndatabase_id = 5", "database_id in d1_databases is no text"],
  ]) {
    fs.writeFileSync(file, text);
    assert.throws(() => configuration(file), new Failure(`wrangler.toml: ${words}`), text);
  }
});
