// The commands of a package, in a folder that stands in for what npm makes of one.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import consumers from "node:stream/consumers";
import { after, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { migrate, migrations, openLocal } from "../../tools/lib/sqlite.mjs";
import { copy } from "./clone.mjs";
import { startApi } from "./d1-api.mjs";
import { fails, works } from "./outcome.mjs";
import { atTerminal, noTerminal } from "./terminal.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-package-"));
const code = path.join(scratch, `the "operator's" code, 100%`);
const home = path.join(scratch, "their folder");
const theirs = path.join(home, "wrangler.toml");
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

await setUpOperator();
copy(
  code,
  `
const words = process.argv.slice(2).join(" ");
if (process.env.CLOUDFLARE_ENV) process.exit(2);
if (words.startsWith("d1 list --json")) console.log("[]");
if (words.startsWith("secret")) { console.error("code: 10007"); process.exit(1); }
`,
);
fs.rmSync(path.join(code, "Cargo.toml"));
fs.writeFileSync(path.join(code, "wrangler.template.toml"), 'name = "hublet"\n');

beforeEach(() => {
  fs.rmSync(home, { recursive: true, force: true });
  fs.mkdirSync(home);
});

const program = path.join(code, "tools/hublet.mjs");

function hublet(...words) {
  const env = { ...process.env, CLOUDFLARE_ENV: "staging" }; // which says nothing to the tools
  const options = { cwd: home, env, encoding: /** @type {const} */ ("utf8") };
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], options);
  return { status, said: stdout + stderr };
}

test("a tool is named by its path, as where it starts over with a newer Node", (t) => {
  const tool = path.join(code, "tools/keys.mjs");
  const text = fs.readFileSync(tool);
  t.after(() => fs.writeFileSync(tool, text));
  fs.writeFileSync(tool, "console.log(process.argv.slice(1).join());\n");
  assert.equal(works(hublet("keys", "rotate")), `${tool},rotate\n`);
});

/** Runs a program several times at once, in the folder of the operator; gives how each ended. */
function atOnce(count, text) {
  const one = async () => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", text], { cwd: home });
    const said = Promise.all([child.stdout, child.stderr].map(consumers.text));
    const [status] = await once(child, "close");
    return { status, said: (await said).join("") };
  };
  return Promise.all(Array.from({ length: count }, one));
}

const module = (name) => JSON.stringify(pathToFileURL(path.join(code, "tools/lib", name)));

test("two that start at once make one folder", async () => {
  const text = `import { mkdirSync, rmdirSync } from "node:fs";
    import { setTimeout } from "node:timers/promises";
    import { alone } from ${module("alone.mjs")};
    import { forDevelopment, read, development } from ${module("settings.mjs")};
    await alone(async () => {
      mkdirSync("work"); // which only one can
      await setTimeout(200);
      rmdirSync("work");
      forDevelopment();
    });
    console.log(read(development).TOKEN_KEY);`;
  const keys = (await atOnce(3, text)).map(works);
  assert.match(keys[0], /^[\w-]{43}\n$/);
  assert.deepEqual(keys, [keys[0], keys[0], keys[0]]);
});

test("what two commands write at once is whole, and nothing else is left", async () => {
  const text = `import { readFileSync } from "node:fs";
    import { configuration, configurationFile } from ${module("configuration.mjs")};
    for (let times = 0; times < 200; times++) {
      if (configuration().name !== "hublet") throw new Error("half of a file");
      JSON.parse(readFileSync(configurationFile(), "utf8"));
    }`;
  for (const outcome of await atOnce(4, text)) works(outcome);
  assert.deepEqual(fs.readdirSync(home, { recursive: true }).sort(), [
    ".wrangler",
    ".wrangler/hublet.json",
    "wrangler.toml",
  ]);
});

test("what the machine refuses is said", () => {
  fs.mkdirSync(theirs);
  fails(hublet("admin", "list"), /^hublet: EISDIR: /m);
  fs.writeFileSync(path.join(home, ".wrangler"), "");
  fails(hublet("start"), /^hublet: EEXIST: /m);
  const found = hublet("doctor");
  fails(found, /^✗ EISDIR: /m);
  assert.match(found.said, /^✓ nobody else reads the secrets$/m, "the other checks are made");
});

test("a damaged note of the last start is said", () => {
  const note = path.join(home, ".wrangler/state/v3/started.json");
  fs.mkdirSync(path.dirname(note), { recursive: true });
  fs.writeFileSync(note, "{");
  fails(hublet("admin", "list"), /^hublet: .*started\.json is damaged: npx hublet start writes it anew$/m);
});

test("commands are printed as they are typed, and what people wrote as they wrote it", () => {
  const database = openLocal(path.join(home, ".wrangler/state"), "DB", { make: true });
  migrate(database, "DB", migrations("DB"));
  database.close();
  works(hublet("admin", "add-machine", "robot"));
  works(hublet("admin", "token", "robot", "--label", "npm run keys"));
  assert.match(works(hublet("admin", "tokens", "robot")), / npm run keys /);
  assert.match(works(hublet("admin", "log")), / label="npm run keys" /);
  assert.equal(
    JSON.parse(
      works(hublet("admin", "log", "--json"))
        .trim()
        .split("\n")
        .at(-1),
    ).data.label,
    "npm run keys",
  );
  fails(
    hublet("admin", "why", "robot", "push", "acme/app"),
    /^because +command\n(?:.*\n)* *.+ npx hublet admin member acme robot write$/m,
  );
});

test("an environment of wrangler.toml is not deployed", () => {
  works(hublet("deploy", "--dry-run"));
  for (const words of [["--env", "staging"], ["--env=staging"], ["-e", "staging"]])
    fails(
      hublet("deploy", "--dry-run", ...words),
      /^hublet: what is deployed is what stands outside of \[env\.\*\]: /m,
    );
});

test("a jurisdiction is written for each database that a deploy makes, also for one that the file leaves out", {
  skip: noTerminal,
}, async () => {
  const api = await startApi(path.join(scratch, "deployed"));
  const { CI, ...ours } = process.env;
  const env = { ...ours, ...api.env };
  const ENTER = "\r";
  try {
    for (const text of ['name = "hublet"\n', 'name = "hublet"\n\n[[d1_databases]]\nbinding = "DB" # ours\n']) {
      fs.writeFileSync(theirs, text);
      const command = `exec '${process.execPath}' "$HUBLET" deploy`;
      const { left, said } = await atTerminal(
        command,
        [
          ["Public address", ENTER],
          ["Jurisdiction or location of hublet and hublet-search [near you]: ", `eu${ENTER}`],
          ["Host of the registry", "\x04"],
        ],
        { env: { ...env, HUBLET: program }, cwd: home },
      );
      assert.deepEqual(left, [], said);
      const written = fs.readFileSync(theirs, "utf8");
      assert.equal(written.match(/jurisdiction = "eu"/g)?.length, 2, written);
      assert.ok(written.includes(text.match(/#.*$/m)?.[0] ?? ""));
    }
  } finally {
    api.stop();
  }
});
