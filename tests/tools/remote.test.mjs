// `npm run admin -- … --remote`, with an API of this machine in place of Cloudflare's.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { migrate, migrations, open } from "../../tools/lib/sqlite.mjs";
import { root, run } from "../../tools/lib/steps.mjs";
import { copy } from "./clone.mjs";
import { credentials, startApi } from "./d1-api.mjs";
import { fails, works } from "./outcome.mjs";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-remote-"));
const file = path.join(scratch, "deployed");
const database = open(file);
const rows = (sql) =>
  database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));

let api;
before(async () => {
  await setUpOperator();
  migrate(database, "DB", migrations("DB"));
  api = await startApi(file);
});
after(() => {
  api.stop();
  fs.rmSync(scratch, { recursive: true, force: true });
});

const admin = (words, env = {}) =>
  run("node", [path.join(root, "tools/admin.mjs"), ...words, "--remote"], { env: { ...api.env, ...env } });

test("a command is sent as statements with bound values, one batch each", async () => {
  api.requests.length = 0;
  assert.match(await admin(["namespace", "acme"]), /^acme$/m);
  assert.match(await admin(["add-machine", "baker"]), /^baker +service account +active$/m);
  assert.match(await admin(["member", "acme", "baker", "write"]), /^acme +baker +write$/m);
  assert.match(await admin(["tokens"]), /none yet/);
  assert.deepEqual(rows("select role from members"), [{ role: "write" }]);
  assert.deepEqual(
    rows("select actor, action, name from audit order by id").map((row) => Object.values(row).join(" ")),
    ["operator org.create acme", "operator org.machine.create baker", "operator org.member.add baker"],
  );
  const statements = api.requests.flatMap(({ body }) => body?.batch ?? []);
  assert.ok(statements.length > 10);
  for (const { sql } of statements) assert.doesNotMatch(sql, /acme|baker/);
  assert.ok(statements.some(({ params }) => params.includes("baker")));
});

test("a plan is written as statements with bound values, and compared", async () => {
  const plan = path.join(scratch, "plan.json");
  const members = [{ namespace: "tools", user: "baker", role: "read" }];
  fs.writeFileSync(plan, JSON.stringify({ namespaces: ["tools"], members, repositories: ["tools/app"] }));
  const imports = (...words) =>
    run("node", [path.join(root, "tools/import.mjs"), ...words, "--remote"], { env: api.env });
  api.requests.length = 0;
  assert.match(await imports("apply", plan), /^3 written, 0 there already$/m);
  assert.match(await imports("apply", plan), /^0 written, 3 there already$/m);
  const statements = api.requests.flatMap(({ body }) => body?.batch ?? []);
  for (const { sql } of statements) assert.doesNotMatch(sql, /tools|baker/);
  assert.deepEqual(rows("select full_name from repositories"), [{ full_name: "tools/app" }]);
  // The plan has no grants, and gives what it gives; baker is none of its users, and so gains.
  await assert.rejects(imports("compare", plan), ({ output }) => /^gains +baker +pull +tools\/app$/m.test(output));
  await run("node", [path.join(root, "tools/admin.mjs"), "remove", "tools", "--repositories", "--remote"], {
    env: api.env,
  });
});

test("what is refused has changed nothing", async () => {
  const everything = () => ["users", "namespaces", "audit", "outbox"].map((table) => rows(`select * from ${table}`));
  database.exec(`insert into repositories (namespace_id, name, full_name, private, created_at, updated_at)
    select id, 'app', 'acme/app', 1, 1, 1 from namespaces where name = 'acme'`);
  const earlier = everything();
  await assert.rejects(admin(["remove", "acme"]), ({ output }) =>
    /npm run admin -- transfer acme\/app NAMESPACE --remote/.test(output),
  );
  await assert.rejects(admin(["namespace", "baker"]), ({ output }) =>
    /baker is taken: it is a service account/.test(output),
  );
  assert.deepEqual(everything(), earlier);
});

test("a batch is one transaction: where its last statement fails, nothing is written", async () => {
  const batch = [
    { sql: "insert into outbox (repository_id) values (?1)", params: [7] },
    { sql: "select json(?1)", params: ["refused"] },
  ];
  const { env } = api;
  const program = `import { remote } from ${JSON.stringify(path.join(root, "tools/lib/database.mjs"))};
    const batch = await remote("DB");
    await batch(${JSON.stringify(batch)}).then(() => process.exit(1), ({ message }) => console.log(message));`;
  const said = await run("node", ["--input-type=module", "--eval", program], { env });
  assert.match(said, /Cloudflare: malformed JSON/);
  assert.deepEqual(rows("select * from outbox where repository_id = 7"), []);
});

test("no other process sees the token", { skip: process.platform !== "linux" && "there is no /proc" }, async () => {
  const child = spawn("node", [path.join(root, "tools/admin.mjs"), "list", "--remote"], {
    stdio: "ignore",
    env: { ...process.env, ...api.env },
  });
  const exit = once(child, "exit");
  const lines = new Set();
  while (child.exitCode === null) {
    for (const id of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        lines.add(fs.readFileSync(`/proc/${id}/cmdline`, "utf8"));
      } catch {
        // it has ended
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(await exit, [0, null]);
  assert.deepEqual(
    [...lines].filter((line) => line.includes(api.env.CLOUDFLARE_API_TOKEN)),
    [],
  );
});

test("the only account is taken, and what Cloudflare refuses is said", async () => {
  api.requests.length = 0;
  await admin(["list"], { CLOUDFLARE_ACCOUNT_ID: undefined });
  assert.deepEqual(
    api.requests.map(({ method, path }) => [method, path.split("/").at(-1)]),
    [
      ["GET", "accounts"],
      ["GET", "database?name=hublet"],
      ["POST", "query"],
    ],
  );
  await assert.rejects(admin(["list"], { CLOUDFLARE_API_TOKEN: "another" }), ({ output }) =>
    /Cloudflare does not take this token: npx wrangler login/.test(output),
  );
  await assert.rejects(admin(["list"], { CLOUDFLARE_ACCOUNT_ID: "other" }), ({ output }) =>
    /Cloudflare: Could not route to/.test(output),
  );
  await assert.rejects(admin(["list"], { CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:1" }), ({ output }) =>
    /Cloudflare does not answer \(/.test(output),
  );
  await assert.rejects(admin(["add", "alice"]), ({ output }) => /PUBLIC_URL, where/.test(output));
});

test("the token is the one by which wrangler is logged in", async () => {
  const clone = path.join(scratch, "clone");
  copy(
    clone,
    `
const words = process.argv.slice(2).join(" ");
if (words !== "auth token --json") throw new Error(words);
if (process.env.LOGGED_IN) console.log(JSON.stringify({ type: "oauth", token: ${JSON.stringify(credentials.CLOUDFLARE_API_TOKEN)} }));
else console.error("Not logged in. Please run \`wrangler login\` to authenticate."), process.exit(1);
`,
  );
  const { CLOUDFLARE_API_TOKEN, ...env } = { ...process.env, ...api.env, WRANGLER_COMMAND: "test" };
  const list = (more) => {
    const words = [path.join(clone, "tools/admin.mjs"), "namespaces", "--remote"];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, {
      env: { ...env, ...more },
      encoding: "utf8",
    });
    return { status, said: stdout + stderr };
  };
  // The API is a process of its own, and so may be waited for.
  assert.match(works(list({ LOGGED_IN: "1" })), /^acme /m);
  fails(list({}), /log in to Cloudflare first: npx wrangler login/);
});

test("a deployed database without tables is named", async () => {
  const other = await startApi(path.join(scratch, "empty"));
  after(() => other.stop());
  await assert.rejects(admin(["list"], other.env), ({ output }) =>
    output.includes("the database on Cloudflare has no tables yet: `npm run deploy` makes them"),
  );
});
