// The index of the pictures: the built worker in workerd, at a time that stands still, with people and repositories that
// are always the same.

import { createHash } from "node:crypto";
import { eventSecret } from "../../../tools/lib/services.mjs";
import { basic, startWorker } from "../../workerd/app.mjs";
import { operate } from "../../workerd/operator.mjs";

/** The time at which the pages are seen. */
export const NOW = "2026-12-04T14:20:00Z";

/** Who is there: their name is their password, too. */
export const people = ["olga", "robin", "mina", "pavel", "greta"];
export const password = (name) => `the password of ${name}`;

/** Where clients reach the registry. */
const REGISTRY = "registry.example.com";

const settings = { SERVICES: `registry@${REGISTRY}`, VISIBILITY: "private", ANONYMOUS_READ: "on" };

const FULL = `# Run it

\`\`\`
docker run --publish 8080:8080 --env DATABASE_URL ${REGISTRY}/acme/api
\`\`\`

# Settings

| variable | what | default |
|---|---|---|
| \`DATABASE_URL\` | where PostgreSQL is | none: it is needed |
| \`PORT\` | where it listens | \`8080\` |
| \`LOG_LEVEL\` | \`debug\`, \`info\` or \`warn\` | \`info\` |

Each release is tested against PostgreSQL **16** and **17**. Tags with three numbers never move; \`latest\` is the newest of them.
`;

/** Repositories by name: what they are about, and whether they are private. */
const repositories = {
  "acme/api": ["The HTTP API of the shop: orders, stock and payment", true],
  "acme/web": ["The shop as customers see it, rendered on the server", false],
  "acme/worker": ["Mails, invoices and the nightly export", true],
  "acme/postgres": ["PostgreSQL 17 with the extensions that we use", false],
  "acme/tools/builder": ["What the pipeline builds with: Node.js, Rust, cosign", false],
  "acme/tools/migrate": ["Runs the migrations of a release, once", true],
  "olga/sandbox": ["", true],
  "robin/dotfiles": ["A shell as Robin likes it", false],
};

/** Tags by repository, the oldest first: the day of their push, who pushed, the platforms, and megabytes. */
const BOTH = ["linux/amd64", "linux/arm64"];
const tags = {
  "acme/api": [
    ["2.3.5", "2026-09-14T09:12:31Z", "acme_builds", BOTH, 61],
    ["2.3.6", "2026-10-02T15:40:02Z", "acme_builds", BOTH, 61],
    ["2.3.7", "2026-10-21T08:05:47Z", "acme_builds", BOTH, 62],
    ["2.4.0", "2026-11-12T13:33:10Z", "acme_builds", BOTH, 64],
    ["pr-498", "2026-11-25T10:02:44Z", "robin", ["linux/amd64"], 66],
    ["pr-512", "2026-12-01T16:21:09Z", "robin", ["linux/amd64"], 66],
    ["2.4.1 2.4 latest", "2026-12-03T09:47:55Z", "acme_builds", BOTH, 64],
    ["main", "2026-12-04T11:08:20Z", "acme_builds", BOTH, 65],
  ],
  "acme/web": [
    ["1.18.0", "2026-11-18T12:00:00Z", "acme_builds", BOTH, 43],
    ["1.19.0 latest", "2026-12-02T12:30:00Z", "acme_builds", BOTH, 43],
  ],
  "acme/worker": [["0.9.3 latest", "2026-11-28T07:15:00Z", "acme_builds", ["linux/amd64"], 38]],
  "acme/postgres": [["17.2-1 17 latest", "2026-11-20T18:44:00Z", "olga", BOTH, 158]],
  "acme/tools/builder": [["2026.11 latest", "2026-11-30T05:00:00Z", "acme_builds", BOTH, 412]],
  "acme/tools/migrate": [["7 latest", "2026-12-03T09:40:00Z", "acme_builds", ["linux/amd64"], 12]],
  "olga/sandbox": [["try", "2026-12-01T20:10:00Z", "olga", ["linux/arm64"], 9]],
  "robin/dotfiles": [["latest", "2026-10-30T21:55:00Z", "robin", ["linux/amd64"], 77]],
};

const digest = (text) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const type = (name) => `application/vnd.oci.image.${name}`;

/** What a registry reports of one push: images, the index that names them, where there are several, and its tags. */
function pushed(repository, [names, timestamp, name, platforms, megabytes], actor) {
  const event = (target, about) => ({
    id: digest(`${repository} ${names} ${about}`).slice(7, 43),
    timestamp,
    action: "push",
    target: { repository, ...target },
    request: { id: "1", addr: "192.0.2.20:40918", host: REGISTRY, method: "PUT", useragent: "docker/28.0" },
    actor: { name: actor(name) },
  });
  const images = platforms.map((platform, at) => {
    const [os, architecture] = platform.split("/");
    return {
      mediaType: type("manifest.v1+json"),
      size: 1_042,
      digest: digest(`${repository} ${names} ${platform}`),
      platform: { os, architecture },
      bytes: (megabytes + at) * 1_000_000 + 412_345,
    };
  });
  const contents = images.map(({ platform, bytes, ...image }) => ({
    ...image,
    references: [
      { mediaType: type("config.v1+json"), size: 2_345, digest: digest(`configuration of ${image.digest}`) },
      { mediaType: type("layer.v1.tar+gzip"), size: bytes - 2_345, digest: digest(`layer of ${image.digest}`) },
    ],
  }));
  const named = images.map(({ bytes: _, ...image }) => image);
  const index = {
    mediaType: type("index.v1+json"),
    size: 856,
    digest: digest(`${repository} ${names}`),
    references: named,
  };
  const tagged = names.split(" ");
  if (platforms.length === 1) return tagged.map((tag) => event({ ...contents[0], tag }, tag));
  return [
    ...contents.map((image) => event(image, image.digest)),
    ...tagged.map((tag) => event({ ...index, tag }, tag)),
  ];
}

/** What a registry reports of a pull. */
function pulled(repository, tag, timestamp, name) {
  const [names] = tags[repository].find(([names]) => names.split(" ").includes(tag));
  const target = { repository, tag, mediaType: type("index.v1+json"), digest: digest(`${repository} ${names}`) };
  const request = { id: "2", addr: "192.0.2.30:51000", host: REGISTRY, method: "GET", useragent: "containerd/2.1" };
  return {
    id: digest(`${repository} ${tag} ${timestamp}`).slice(7, 43),
    timestamp,
    action: "pull",
    target,
    request,
    actor: { name },
  };
}

/** Everything that happens in it, at its times. */
class Story {
  #now;
  #sessions = {};

  constructor(worker) {
    this.worker = worker;
  }

  /** From here on it is this time. */
  at(time) {
    this.#now = Date.parse(time);
    this.#sessions = {};
  }

  ask(request, { address = "192.0.2.10", headers, body, ...more } = {}) {
    return this.worker.ask(request, {
      ...more,
      headers: { "cf-connecting-ip": address, ...headers },
      body: typeof body === "object" && !(body instanceof URLSearchParams) ? JSON.stringify(body) : body?.toString(),
      trouble: { now: this.#now, settle: true },
    });
  }

  async succeed(request, init) {
    const answer = await this.ask(request, init);
    if (answer.status >= 400) throw new Error(`${request}: ${answer.status} ${answer.body}`);
    return answer;
  }

  async operator(command) {
    return operate(await this.worker.env(), command, Math.floor(this.#now / 1000));
  }

  /** Uses the management API as somebody. */
  async manage(name, request, body) {
    const json = { "content-type": "application/json" };
    if (!this.#sessions[name]) {
      const login = { username: name, password: password(name) };
      const answer = await this.succeed("POST /v2/users/login", { headers: json, body: login });
      this.#sessions[name] = answer.json().token;
    }
    const headers = { ...json, authorization: `Bearer ${this.#sessions[name]}` };
    const answer = await this.succeed(request, { headers, body });
    return answer.body ? answer.json() : undefined;
  }

  /** Asks for a registry token; what is refused stays refused. */
  token(credentials, scope, more = {}) {
    const headers = { authorization: credentials && basic(...credentials), "user-agent": "docker/28.0.1" };
    const request = `GET /token?service=registry&client_id=docker&${scope}`;
    return this.ask(request, { ...more, headers: credentials ? headers : { "user-agent": headers["user-agent"] } });
  }

  async report(...events) {
    const { TOKEN_KEY } = await this.worker.env();
    const headers = { authorization: `Bearer ${eventSecret(TOKEN_KEY, "registry")}` };
    await this.succeed("POST /events", { headers, body: { events } });
  }
}

async function fill(worker) {
  const story = new Story(worker);
  const me = (name) => [name, password(name)];
  const scope = (repository, actions) => `scope=repository:${repository}:${actions}`;

  story.at("2026-11-24T08:30:00Z");
  for (const username of people) {
    const body = { username, password: password(username), email: `${username}@example.com` };
    await story.succeed("POST /v1/users/", { body });
  }
  for (const command of ["grant greta", "namespace acme", "member acme olga admin"]) await story.operator(command);
  const [, reconciler] = (await story.operator("reconciler registry")).split("=");

  story.at("2026-11-24T09:00:00Z");
  for (const [name, role] of [
    ["robin", "write"],
    ["mina", "read"],
  ])
    await story.manage("olga", `PUT /v2/namespaces/acme/members/${name}`, { role });
  await story.manage("olga", "POST /v2/namespaces/acme/machines", { username: "acme_builds" });
  await story.manage("olga", "PUT /v2/namespaces/acme/members/acme_builds", { role: "write" });
  for (const [full, [description, is_private]] of Object.entries(repositories)) {
    const [namespace] = full.split("/");
    const name = full.slice(namespace.length + 1);
    const body = { name, description, is_private };
    await story.manage(
      namespace === "acme" ? "olga" : namespace,
      `POST /v2/namespaces/${namespace}/repositories`,
      body,
    );
  }
  await story.manage("olga", "PATCH /v2/namespaces/acme/repositories/api", { full_description: FULL });
  const machine = "/v2/namespaces/acme/machines/acme_builds/access-tokens";
  const pipeline = await story.manage("olga", `POST ${machine}`, { token_label: "pipeline", scopes: ["repo:write"] });
  // Whom a registry reports: the subject of the token that it was given.
  const given = await story.token(["acme_builds", pipeline.token], scope("acme/api", "pull,push"));
  const { sub } = JSON.parse(Buffer.from(given.json().token.split(".")[1], "base64url"));
  const actor = (name) => (name === "acme_builds" ? sub : name);

  const all = Object.entries(tags).flatMap(([repository, pushes]) => pushes.map((push) => [repository, push]));
  for (const [repository, push] of all.toSorted(([, [, one]], [, [, other]]) => (one < other ? -1 : 1))) {
    const [, time] = push;
    // Nothing is pushed before there is anything to push to; what registries report of before keeps its time.
    story.at(time < "2026-11-24T09:30:00Z" ? "2026-11-24T09:30:00Z" : time);
    await story.report(...pushed(repository, push, actor));
  }

  story.at("2026-11-26T10:00:00Z");
  const token = (label, scopes, days, more = {}) => {
    const expires_at = new Date(Date.parse("2026-11-26T10:00:00Z") + days * 86_400_000)
      .toISOString()
      .replace(".000", "");
    return story.manage("olga", "POST /v2/access-tokens", { token_label: label, scopes, expires_at, ...more });
  };
  const laptop = await token("laptop", ["repo:write"], 90);
  await token("Grafana, what was pushed", ["repo:read"], 12, { resources: [{ path: "acme/**" }] });
  const old = await token("the old build server", ["repo:admin"], 60, {
    resources: [{ path: "acme/api" }, { path: "acme/web" }],
  });
  await story.manage("olga", `PATCH /v2/access-tokens/${old.uuid}`, { is_active: false });

  story.at("2026-12-02T16:05:00Z");
  await story.manage("olga", "POST /v2/repositories/acme/api/collaborators", { user: "pavel", role: "read" });
  for (let count = 0; count < 3; count += 1)
    await story.token(me("mina"), scope("acme/api", "pull,push"), { address: "192.0.2.44" });
  story.at("2026-12-03T07:41:00Z");
  await story.token(me("pavel"), scope("acme/worker", "pull"), { address: "198.51.100.7" });
  for (let count = 0; count < 12; count += 1)
    await story.token(undefined, scope("acme/api", "pull"), { address: "203.0.113.90" });

  story.at("2026-12-03T08:10:00Z");
  await story.token(me("olga"), "offline_token=true", { address: "192.0.2.12" });
  await story.token(["olga", laptop.token], scope("acme/api", "pull,push"), { address: "192.0.2.12" });
  const agent =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1";
  const form = new URLSearchParams({ username: "olga", password: password("olga") });
  const headers = { "user-agent": agent, "content-type": "application/x-www-form-urlencoded" };
  await story.succeed("POST /sign-in", { headers, body: form, address: "198.51.100.23" });

  story.at("2026-12-04T13:00:00Z");
  await story.report(
    pulled("acme/api", "2.4.1", "2026-12-04T12:58:03Z", "acme_builds"),
    pulled("acme/api", "2.4.0", "2026-12-03T22:15:30Z", "mina"),
    pulled("acme/api", "2.3.7", "2026-11-29T04:00:12Z", "mina"),
    pulled("acme/web", "latest", "2026-12-04T09:30:00Z", "mina"),
  );
  await story.succeed("GET /reconciler", { headers: { authorization: `Bearer ${reconciler}` } });
  await story.manage("olga", "DELETE /v2/namespaces/acme/repositories/api/tags/pr-498");
  await story.manage("olga", "DELETE /v2/namespaces/acme/repositories/web/tags/1.18.0");
  const kept = { action: "keep", id: "keep-1", target: { repository: "acme/web", tag: "1.18.0" }, reason: "" };
  const reason = "the registry does not delete: storage.delete.enabled is not set there";
  const body = { events: [{ ...kept, reason }] };
  await story.succeed("POST /reconciler", { headers: { authorization: `Bearer ${reconciler}` }, body });
  // All is well: what is done every minute was done a moment ago.
  story.at("2026-12-04T14:19:30Z");
  await story.succeed("GET /v1/_ping");
  await worker.scheduled();
}

/** Starts it; `address` is where it is, `visit` what a browser sends beside its own headers so that the time stands still. */
export async function startShowcase() {
  const worker = await startWorker(settings);
  const address = worker.url.origin;
  await fill(worker);
  // Mail, for which the accounts above would have to wait, and what it needs.
  await worker.set({ ...settings, MAIL: "on", PUBLIC_URL: address });
  const seen = (time = NOW) => ({
    "cf-connecting-ip": "192.0.2.10",
    "x-test-trouble": JSON.stringify({ now: Date.parse(time) }),
  });
  return { worker, address, seen, stop: worker.stop };
}
