// `npm run import` as it is typed, on databases of its own, and against a registry and token services that this test serves.

import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { forDevelopment } from "../../tools/lib/settings.mjs";
import { migrate, migrations, openLocal } from "../../tools/lib/sqlite.mjs";
import { root, run } from "../../tools/lib/steps.mjs";
import { commands } from "../e2e/support/manual.mjs";

/** Of `secret`. */
const HASH = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

const top = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-import-"));
after(() => fs.rmSync(top, { recursive: true, force: true }));

/** The folder of a test, with a database. */
let scratch;
let database;
const at = (name) => path.join(scratch, name);
const write = (name, text) => fs.writeFileSync(at(name), typeof text === "string" ? text : JSON.stringify(text));
const query = (sql) =>
  database
    .prepare(sql)
    .all()
    .map((row) => Object.values(row).join(" "));

before(async () => {
  await setUpOperator();
  forDevelopment();
});

beforeEach(() => {
  scratch = fs.mkdtempSync(path.join(top, "case-"));
  database = openLocal(at("state"), "DB", { make: true });
  migrate(database, "DB", migrations("DB"));
});

/** Calls the tool; words that are files of this test are named `@NAME`. */
const tool =
  (name) =>
  (words, env = {}) => {
    const all = words.map((word) => word.replace(/^@/, `${scratch}/`));
    return run("node", [path.join(root, `tools/${name}.mjs`), ...all], { env });
  };
const imports = tool("import");
const onIndex = ["--persist-to", "@state"];

/** A server that answers as a function of the request says: `[status, body, headers]`. */
async function serve(answer) {
  const server = http.createServer((request, response) => {
    const [status, body, headers = {}] = answer(new URL(request.url ?? "", "http://x"), request);
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  after(() => server.close());
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}

test("users of htpasswd move in with the commands of the manual", async () => {
  write("htpasswd", `alice:${HASH}\nRobin:${HASH}\neve:$apr1$x$y\n`);
  write("repositories.txt", "app\nacme/app\nalice/own\n");
  const lines = commands("import-htpasswd").trim().split("\n");
  const typed = lines.map((line) => /^npm run import -- (.*)$/.exec(line)?.[1]?.split(" ") ?? []);
  assert.deepEqual(
    typed.map(([verb]) => verb),
    ["plan", "apply", "apply", "compare"],
  );
  const local = typed.map((words) =>
    words.map((word) =>
      /^\S+\.(json|txt)$|htpasswd$/.test(word) && word !== "htpasswd" ? `@${path.basename(word)}` : word,
    ),
  );
  const [plan, dry, apply, compare] = local.map((words) => {
    const more = words[0] === "plan" ? ["-o", "@plan.json"] : onIndex;
    return [...words, ...more, ...(words[0] === "apply" ? ["--links", "@links.txt"] : [])];
  });
  const planned = await imports(plan);
  assert.match(planned, /^3 users, 1 namespace, 3 repositories/m);
  assert.match(planned, /^ {2}Robin becomes robin$/m);
  assert.match(planned, /^loses +eve, robin +delete +all repositories$/m);
  assert.equal(fs.statSync(at("plan.json")).mode & 0o777, 0o600);
  const dryly = await imports(dry);
  assert.match(dryly, /^user alice, with the password of before$/m);
  assert.doesNotMatch(dryly, /\$2y\$/);
  assert.deepEqual(query("select name from users"), []);
  const applied = await imports(apply);
  assert.match(applied, /^15 written, 0 there already$/m);
  assert.doesNotMatch(applied, /account\/password#/);
  assert.match(fs.readFileSync(at("links.txt"), "utf8"), /^eve http:\/\/127\.0\.0\.1:\d+\/account\/password#\S{43}\n$/);
  assert.equal(fs.statSync(at("links.txt")).mode & 0o777, 0o600);
  assert.deepEqual(query("select name, password like '$2b$05$%$argon2id$%' from users order by 1"), [
    "alice 1",
    "eve ",
    "robin 1",
  ]);
  assert.match(await imports(compare), /^no user gains$/m);
  assert.match(await imports(apply), /^0 written, 15 there already$/m);
});

test("a plan is not written over, and what is wrong with one is named", async () => {
  write("htpasswd", `alice:${HASH}\n`);
  const plan = ["plan", "htpasswd", "@htpasswd", "-o", "@plan.json"];
  const fails = (words, pattern) =>
    assert.rejects(imports(words), ({ output }) => pattern.test(output) || assert.fail(output));
  await fails([...plan, ...onIndex], /there is no repository yet: --registry URL, or --repositories FILE/);
  write("repositories.txt", "app\n");
  await imports([...plan, "--repositories", "@repositories.txt"]);
  await fails([...plan, "--repositories", "@repositories.txt"], /plan\.json is there already/);
  await fails(["plan", "quay", "@htpasswd"], /a plan is made of htpasswd, docker_auth, zot, not of quay/);
  await fails(["apply", "@nothing.json", ...onIndex], /nothing\.json cannot be read/);
  write("bad.json", { users: [{ name: "Robin" }] });
  await fails(["apply", "@bad.json", ...onIndex], /"Robin" is no name of a user/);
  write("config.yml", "users: {\n");
  await fails(["plan", "docker_auth", "@config.yml", "-o", "@other.json"], /config\.yml: /);
});

test("docker_auth's YAML is evaluated, and compare says who gains", async () => {
  write(
    "config.yml",
    `server: { addr: ":5001" }
token: { issuer: "Acme auth server", expiration: 900 }
users:
  "": {}
  admin: { password: "${HASH}" }
  "123": { password: "${HASH}", labels: { group: [acme] } }
  open: {}
acl:
  - match: { account: admin }
    actions: ["*"]
  - match: { account: "/.+/", name: "\${labels:group}/*" }
    actions: [push, pull]
  - match: { ip: "10.0.0.0/8" }
    actions: ["*"]
    comment: office
  - match: { name: "public/*" }
    actions: [pull]
`,
  );
  write("repositories.txt", "acme/app\nacme/lib\npublic/site\nsecret/x\n");
  const plan = ["plan", "docker_auth", "@config.yml", "-o", "@plan.json", "--repositories", "@repositories.txt"];
  const planned = await imports([...plan, "--rename", "admin=keeper", "--delete"]);
  assert.match(planned, /^ {2}the user open: it has no password there, and so any password opens it/m);
  assert.match(planned, /^ {2}rule 3 \(office\) depends on an address/m);
  const { members, public: open } = JSON.parse(fs.readFileSync(at("plan.json"), "utf8"));
  assert.deepEqual(
    members.map(({ namespace, user, role }) => `${namespace} ${user} ${role}`),
    ["acme 123 write", "acme keeper admin", "public keeper admin", "secret keeper admin"],
  );
  assert.deepEqual(open, ["public/site"]);
  await imports(["apply", "@plan.json", ...onIndex]);
  assert.match(await imports(["compare", "@plan.json", ...onIndex]), /^every user may do what they could before/);
  await tool("admin")(["add-machine", "robot_one", ...onIndex]);
  await tool("admin")(["member", "secret", "robot_one", "read", ...onIndex]);
  const gains = /^gains +robot_one +pull +secret\/x$/m; // what is public it could pull before, as any client
  await assert.rejects(imports(["compare", "@plan.json", ...onIndex]), ({ output }) => gains.test(output));
  assert.match(await imports(["compare", "@plan.json", "--accept-gains", ...onIndex]), gains);
});

test("the repositories come from the registry's catalog, page by page, and with its token", async () => {
  write("htpasswd", `alice:${HASH}\n`);
  const basic = `Basic ${Buffer.from("keeper:secret").toString("base64")}`;
  const registry = await serve((url, { headers }) => {
    if (url.pathname === "/token") {
      const fits = headers.authorization === basic && url.searchParams.get("scope") === "registry:catalog:*";
      return fits ? [200, { token: "of-the-catalog" }] : [401, {}];
    }
    const challenge = `Bearer realm="http://${headers.host}/token",service="registry",scope="registry:catalog:*"`;
    if (headers.authorization !== "Bearer of-the-catalog") return [401, {}, { "www-authenticate": challenge }];
    const names = ["a/one", "b/two", "three"];
    const from = names.indexOf(url.searchParams.get("last") ?? "") + 1;
    const link =
      from < 2 ? { link: `</v2/_catalog?last=${encodeURIComponent(names[from] ?? "")}&n=1>; rel="next"` } : {};
    return [200, { repositories: names.slice(from, from + 1) }, link];
  });
  const plan = ["plan", "htpasswd", "@htpasswd", "--registry", registry, "-o", "@plan.json"];
  await assert.rejects(imports(plan), ({ output }) => /REGISTRY_USER and REGISTRY_PASSWORD/.test(output));
  await imports(plan, { REGISTRY_USER: "keeper", REGISTRY_PASSWORD: "secret" });
  const { repositories } = JSON.parse(fs.readFileSync(at("plan.json"), "utf8"));
  assert.deepEqual(repositories, ["a/one", "b/two", "library/three"]);
});

test("two token services are asked with the passwords of users", async () => {
  const service = (rights) =>
    serve((url, { headers }) => {
      const [name = "", password] = Buffer.from((headers.authorization ?? "").replace(/^Basic /, ""), "base64")
        .toString()
        .split(":");
      if (name && password !== "secret") return [401, {}];
      const access = url.searchParams.getAll("scope").map((scope) => {
        const [type, place] = scope.split(":");
        return { type, name: place, actions: rights[`${name} ${place}`] ?? [] };
      });
      const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      assert.equal(url.searchParams.get("service"), "registry");
      return [200, { token: `${part({})}.${part({ access })}.x` }];
    });
  const old = await service({ "Robin acme/app": ["pull", "push"], "Robin app": ["pull"] });
  const now = await service({ "robin acme/app": ["pull"], "robin app": ["pull", "delete"], " app": ["pull"] });
  write("plan.json", {
    users: [{ name: "robin", source: "Robin" }, { name: "other" }],
    repositories: ["acme/app", "library/app"],
  });
  write("passwords.txt", "Robin:secret\n");
  const words = ["compare", "@plan.json", "--passwords", "@passwords.txt"];
  const both = ["--old", `${old}/auth?service=registry`, "--new", `${now}/token?service=registry`];
  await assert.rejects(imports([...words, ...both]), ({ output }) => {
    assert.match(output, /^gains +\(anonymous\) +pull +library\/app$/m);
    assert.match(output, /^gains +robin +delete +library\/app$/m);
    assert.match(output, /^loses +robin +push +acme\/app$/m);
    assert.match(output, /without a password, and not asked: 1/);
    return true;
  });
  await assert.rejects(imports([...words, "--old", old, "--new", now]), ({ output }) => /is not https:/.test(output));
});

test("the switch is printed after the way back from it", async () => {
  await tool("keys")([]);
  const [line = ""] = commands("import-switch").trim().split("\n");
  const words = line.replace("npm run import -- ", "").split(" ");
  write(
    "config.yml",
    "version: 0.1\nauth:\n  htpasswd:\n    realm: x\n    path: /old/htpasswd\nhttp:\n  addr: :5000\n",
  );
  const printed = await imports([...words, "--config", "@config.yml", "--public-url", "https://hub.example.com"]);
  const [back, there] = printed.split("# The switch.");
  assert.match(back ?? "", /sudo cp -p \S+\/before-hublet\.yml \S+\/config\.yml/);
  assert.match(back ?? "", /^auth:\n {2}htpasswd:\n {4}realm: x\n {4}path: \/old\/htpasswd$/m);
  assert.doesNotMatch(back ?? "", /addr/);
  assert.match(there ?? "", /^ {4}realm: "https:\/\/hub\.example\.com\/token"$/m);
  assert.match(there ?? "", /npm run doctor -- --registry registry=/);
  assert.doesNotMatch(printed, /Bearer [0-9a-f]/);
  const usual = await imports([...words, "--public-url", "https://hub.example.com"]);
  assert.match(usual, /sudo cp -p \/etc\/docker\/registry\/config\.yml/);
  await assert.rejects(imports(["switch", "nothing"]), ({ output }) =>
    /SERVICES names no registry nothing/.test(output),
  );
});
