// Clients of the Hub as they are: they ask https://hub.docker.com, and a proxy that their own setting names leads there.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fromNpm, fromPyPI, missing } from "../../tools/lib/hub-clients.mjs";
import { eventSecret } from "../../tools/lib/services.mjs";
import { event } from "../workerd/endpoints.mjs";
import { operate } from "../workerd/operator.mjs";
import { join, startWorker } from "../workerd/app.mjs";
import { succeed } from "./support/programs.mjs";
import { certify, cloudflare, serve } from "./support/tls.mjs";

const hub = "hub.docker.com";
const password = "correct horse";

let worker, folder, front, proxy, env;
before(
  async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "hublet-hub-clients-"));
    worker = await startWorker({ PUBLIC_URL: `https://${hub}` });
    const ca = await certify();
    front = await serve(await certify({ names: [hub], ca }), cloudflare(hub, worker.url.origin));
    proxy = http.createServer().on("connect", (request, socket) => {
      assert.equal(request.url, `${hub}:443`);
      const there = net.connect(front.port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
      for (const [one, other] of [
        [socket, there],
        [there, socket],
      ])
        one.on("error", () => other.destroy()).pipe(other);
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    const file = path.join(folder, "ca.pem");
    writeFileSync(file, ca.cert);
    env = {
      HOME: folder,
      HTTPS_PROXY: `http://127.0.0.1:${proxy.address().port}`,
      NO_PROXY: "",
      NODE_EXTRA_CA_CERTS: file,
      REQUESTS_CA_BUNDLE: file,
      SSL_CERT_FILE: file,
    };
    await makeWorld();
  },
  { timeout: 120_000 },
);
after(
  async () => {
    proxy?.closeAllConnections();
    proxy?.close();
    await front?.stop();
    await worker?.stop();
    rmSync(folder, { recursive: true, force: true });
  },
  { timeout: 60_000 },
);

/** paul has a repository with three tags, and is an admin of the namespace acme, where mary reads. */
async function makeWorld() {
  const { DB, TOKEN_KEY } = await worker.env();
  for (const name of ["paul", "mary"]) await join(worker, name, password);
  const now = Math.floor(Date.now() / 1000);
  for (const command of ["namespace acme", "member acme paul admin", "member acme mary read"])
    await operate({ DB }, command, now);
  const headers = { authorization: `Bearer ${eventSecret(TOKEN_KEY, "registry")}` };
  const events = ["1.0", "1.1", "latest"].map((tag) => event("push", "paul/app", tag));
  await worker.succeed("POST /events", { headers, body: JSON.stringify({ events }) });
}

/** The last line of what a program printed, as JSON. */
const lastLine = (said) => JSON.parse(said.trim().split("\n").at(-1));

test("@docker/actions-toolkit logs in, reads tags page by page, and describes a repository", {
  timeout: 300_000,
}, async () => {
  const home = await fromNpm("@docker/actions-toolkit", "0.101.0");
  const script = path.join(home, "ask.mjs");
  writeFileSync(
    script,
    `
    import { DockerHub } from "@docker/actions-toolkit/lib/dockerhub.js";
    const credentials = { username: "paul", password: ${JSON.stringify(password)} };
    const refused = await DockerHub.build({ credentials: { ...credentials, password: "a guess" } }).catch(({ message }) => message);
    const hub = await DockerHub.build({ credentials });
    const app = { namespace: "paul", name: "app" };
    const tags = await hub.getRepositoryAllTags({ ...app, page_size: 2 });
    const described = await hub.updateRepoDescription({ ...app, description: "short", full_description: "# long" });
    const repository = await hub.getRepository(app);
    const none = await hub.getRepository({ ...app, name: "none" }).catch(({ message }) => message);
    console.log(JSON.stringify({ refused, tags, described, repository, none }));
  `,
  );
  const said = lastLine(await succeed(process.execPath, [script], { env, cwd: home }));
  assert.equal(said.refused, "Docker Hub API: operation not permitted");
  assert.deepEqual(said.tags.results.map(({ name }) => name).sort(), ["1.0", "1.1", "latest"]);
  assert.equal(said.tags.next, null);
  assert.deepEqual([said.described.description, said.described.full_description], ["short", "# long"]);
  assert.deepEqual([said.repository.name, said.repository.full_description], ["app", "# long"]);
  assert.equal(said.none, "Docker Hub API: bad status code 404: repository not found");
});

test("docker-hub of PyPI lists repositories and tags, and shows a user", {
  skip: missing,
  timeout: 300_000,
}, async () => {
  const program = path.join(await fromPyPI("docker-hub", "5.0.0"), "bin/docker-hub");
  const ask = async (...words) => {
    const named = { DOCKER_HUB_USERNAME: "paul", DOCKER_HUB_PASSWORD: password };
    return lastLine(
      (await succeed(program, [...words, "--format", "json"], { env: { ...env, ...named }, cwd: folder })).replaceAll(
        /\n\s*/g,
        "",
      ),
    );
  };
  const repositories = await ask("repos", "--orgname", "paul");
  assert.deepEqual(
    repositories.map(({ Name, "Repository Type": type }) => [Name, type]),
    [["app", "image"]],
  );
  const tags = await ask("tags", "--orgname", "paul", "--reponame", "app");
  assert.deepEqual(tags.map(({ Name }) => Name).sort(), ["1.0", "1.1", "latest"]);
  const [user] = await ask("users", "--username", "paul");
  assert.equal(user.username, "paul");
  assert.match(user.id, /^\d+$/);
});

test("dockerhub-api of PyPI reads and writes repositories, tags, access tokens, members and the log", {
  skip: missing,
  timeout: 600_000,
}, async () => {
  const home = await fromPyPI("dockerhub-api", "1.0.1");
  const script = path.join(folder, "ask.py");
  writeFileSync(
    script,
    `
import json
from dockerhub_api import dockerhub_response_models as models
from dockerhub_api.auth import get_client

shapes = {
    "create_repository": models.Repository,
    "get_repositories": models.RepositoryPage,
    "get_repository_tags": models.TagPage,
    "get_repository_tag": models.Tag,
    "create_access_token": models.AccessToken,
    "get_access_tokens": models.AccessTokenPage,
    "update_access_token": models.AccessToken,
    "get_access_token": models.AccessToken,
    "get_org_members": models.OrgMemberPage,
    "update_org_member": models.OrgMember,
    "get_audit_logs": models.AuditLogPage,
    "get_audit_log_actions": models.AuditLogActions,
}

api = get_client(username="paul", token=${JSON.stringify(password)}, allow_destructive=True)
said = {}

def ask(name, *words, **named):
    answer = getattr(api, name)(*words, **named)
    said[name] = answer["data"]
    # What it cannot read as it expects it hands on as it came, so that it is read once more.
    if name in shapes:
        shapes[name].model_validate(said[name])
    return said[name]

ask("whoami")
ask("create_repository", "acme", "web", description="of acme", is_private=True)
ask("get_repositories", "acme", ordering="name")
said["exists"] = [api.check_repository("acme", name)["exists"] for name in ("web", "none")]
ask("get_repository_tags", "paul", "app", page_size=2)
ask("get_repository_tag", "paul", "app", "latest")
token = ask("create_access_token", "by a client", ["repo:read"])
ask("get_access_tokens")
ask("update_access_token", token["uuid"], is_active=False)
ask("get_access_token", token["uuid"])
said["deleted"] = api.delete_access_token(token["uuid"])["status_code"]
ask("get_org_members", "acme")
ask("update_org_member", "acme", "mary", "editor")
said["removed"] = api.remove_org_member("acme", "mary")["status_code"]
ask("get_audit_logs", "acme")
ask("get_audit_log_actions", "acme")
print(json.dumps(said))
`,
  );
  const said = lastLine(await succeed(path.join(home, "bin/python"), [script], { env, cwd: folder }));
  assert.equal(said.whoami.authenticated, true);
  assert.deepEqual([said.create_repository.name, said.create_repository.is_private], ["web", true]);
  assert.deepEqual(
    said.get_repositories.results.map(({ name }) => name),
    ["web"],
  );
  assert.deepEqual(said.exists, [true, false]);
  assert.equal(said.get_repository_tags.count, 3);
  assert.equal(said.get_repository_tags.results.length, 2);
  assert.match(said.get_repository_tag.digest, /^sha256:/);
  assert.match(said.create_access_token.token, /^hlp_/);
  assert.deepEqual(
    said.get_access_tokens.results.map(({ token_label: label }) => label),
    ["by a client"],
  );
  assert.equal(said.get_access_token.is_active, false);
  assert.deepEqual([said.deleted, said.removed], [204, 204]);
  assert.deepEqual(said.get_org_members.results.map(({ username, role }) => [username, role]).sort(), [
    ["mary", "Read"],
    ["paul", "Admin"],
  ]);
  assert.equal(said.update_org_member.role, "Write");
  assert.ok(said.get_audit_logs.logs.some(({ action }) => action === "repo.create"));
});
