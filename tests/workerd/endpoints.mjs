// One request at least for every route and method, and databases in which each of them has something to do.

import { eventSecret } from "../../tools/lib/services.mjs";
import { operate } from "./operator.mjs";
import { basic, imageId } from "./app.mjs";

/** What the worker is set to, so that all that it can use is used. */
export const vars = { MAIL: "on", PUBLIC_URL: "https://hub.example.com", SEARCH_CACHE: "60" };

const password = "toto42";
const [first, second] = [imageId(1), imageId(2)];
const images = [{ id: first }, { id: second, checksum: "sha256:02" }];
const form = (fields) => new URLSearchParams(fields).toString();
const digest = `sha256:${imageId(7)}`;

/** What a registry tells of a push, a pull or a deletion. */
export const event = (action, repository, tag, id = `${action}-${tag}`) => ({
  id,
  timestamp: new Date().toISOString(),
  action,
  target: { mediaType: "application/vnd.oci.image.manifest.v1+json", size: 1234, digest, repository, tag },
  request: { id, addr: "192.0.2.7:40000", method: "PUT", useragent: "docker" },
  actor: { name: "paul" },
});

/** A login to the management API. */
async function session(worker, username) {
  const headers = { "content-type": "application/json" };
  const login = await worker.succeed("POST /v2/users/login", { headers, body: JSON.stringify({ username, password }) });
  return { ...headers, authorization: `Bearer ${login.json().token}` };
}

/** Puts fresh ones in the place of what is good for some minutes only. */
export async function renew(worker, as) {
  as.session = await session(worker, "paul");
  const minted = await worker.succeed("GET /token?service=registry", { headers: as.paul });
  as.bearer = { authorization: `Bearer ${minted.json().token}` };
}

/** Fills the databases; returns the headers of each actor by name, and the names of what was created. */
export async function seedDatabases(worker) {
  const { DB, TOKEN_KEY } = await worker.env();
  const as = { nobody: {} };
  const made = {};
  const register = (username, trouble) => {
    const body = JSON.stringify({ username, password, email: `${username}@example.com` });
    return worker.succeed("POST /v1/users/", { body, trouble });
  };
  for (const name of ["paul", "jane", "mary", "boss"]) {
    await register(name, { absent: ["MAIL"] });
    as[name] = { authorization: basic(name, password) };
  }
  const signIn = async (username) => {
    const signedIn = await worker.ask("POST /sign-in", { body: form({ username, password }) });
    return { cookie: signedIn.headers.get("set-cookie").split(";")[0] };
  };
  as.browser = await signIn("paul");
  as.boss = await signIn("boss");
  as.guesser = { authorization: basic("paul", "a guess") };
  await register("late");
  made.confirm = /confirm#(\S+)/.exec(await worker.direct("mail", "late@example.com"))[1];
  const now = Math.floor(Date.now() / 1000);
  for (const command of ["namespace acme", "member acme paul admin", "member acme mary read", "grant boss"])
    await operate({ DB }, command, now);
  made.password = new URL(await operate({ DB }, "password mary", now)).hash.slice(1);

  as.session = await session(worker, "paul");
  const hub = async (request, value) => {
    const answer = await worker.succeed(request, { headers: as.session, body: value && JSON.stringify(value) });
    return answer.body && answer.json();
  };
  const push = async (repository) => {
    const init = { headers: as.paul, body: JSON.stringify(images) };
    const begun = await worker.succeed(`PUT /v1/repositories/${repository}/`, init);
    await worker.succeed(`PUT /v1/repositories/${repository}/images`, init);
    return { authorization: `Token ${begun.headers.get("x-docker-token")}` };
  };
  as.write = await push("paul/app");
  for (const repository of ["paul/starred", "paul/old", "acme/app"]) await push(repository);
  const marked = await worker.succeed("DELETE /v1/repositories/paul/old/", { headers: as.paul });
  as.delete = { authorization: `Token ${marked.headers.get("x-docker-token")}` };
  as.registry = { authorization: `Bearer ${eventSecret(TOKEN_KEY, "registry")}` };
  const [, reconciler] = (await operate({ DB, SERVICES: "registry" }, "reconciler registry", now)).split("=");
  as.reconciler = { authorization: `Bearer ${reconciler}` };
  as.deleter = { authorization: basic("reconciler", reconciler) };
  const tagged = JSON.stringify({ events: [event("push", "paul/app", "v1")] });
  await worker.succeed("POST /events", { headers: as.registry, body: tagged });

  await worker.succeed("PUT /v1/users/paul/", {
    headers: as.paul,
    body: JSON.stringify({ email: "paul@example.org" }),
    trouble: { absent: ["MAIL"] },
  });
  await hub("PUT /v2/repositories/paul/starred/star");
  await hub("POST /v2/repositories/paul/app/collaborators", { user: "jane", role: "read" });
  const token = await hub("POST /v2/access-tokens", { token_label: "builds" });
  made.token = token.uuid;
  made.access = token.token;
  as.access = { authorization: basic("paul", token.token) };
  await hub("POST /v2/namespaces/acme/machines", { username: "robot" });
  made.robot = (await hub("POST /v2/namespaces/acme/machines/robot/access-tokens", { token_label: "nightly" })).uuid;
  const login = await worker.succeed("GET /token?service=registry&offline_token=true", { headers: as.paul });
  made.refresh = login.json().refresh_token;
  made.login = (await hub("GET /v2/refresh-tokens")).results[0].uuid;
  return { as, made };
}

/** The repository of this name is no longer there. */
const gone =
  (name) =>
  ({ DB }) =>
    DB.repositories.every((row) => row.full_name !== name);

/**
 * The requests: what, who asks (a name of `as`), what is sent, and about it
 * - `needs`: what else than `DB` it cannot do without,
 * - `reports`: that its answer says what else is out of order,
 * - `without`: what it does without,
 * - `again`: why a second one does more than the first, where it does,
 * - `ends`: how it must be after the client has asked until it was told that it is done.
 */
export function requests({ made }) {
  const app = "/v1/repositories/paul/app";
  const hub = "/v2/repositories/paul/app";
  const machine = "/v2/namespaces/acme/machines/robot";
  const mint = "/token?service=registry&scope=repository:paul/app:pull,push";
  const told = (action, tag) => ({ events: [event(action, "paul/app", tag, `told-${action}`)] });
  return [
    ["GET /v1/_ping", "nobody"],
    ["GET /openapi.json", "nobody"],
    ["GET /health", "nobody", undefined, { reports: true }],
    ["GET /health", "session", undefined, { reports: true }],
    ["GET /", "nobody"],
    ["GET /", "browser"],
    ["GET /sign-in", "nobody"],
    ["POST /sign-in", "nobody", form({ username: "paul", password }), { again: "it is another session" }],
    ["POST /sign-out", "browser"],
    ["GET /search?q=app", "nobody", undefined, { reports: true, without: ["SEARCH"] }],
    ["GET /search?q=app", "browser", undefined, { reports: true, without: ["SEARCH"] }],
    ["GET /register", "nobody"],
    ["POST /register", "nobody", form({ username: "newman", password, email: "newman@example.com" })],
    ["GET /settings", "browser"],
    [
      "POST /settings",
      "browser",
      form({ action: "add", new: "paul@example.net", password }),
      { again: "it mails another link" },
    ],
    ["GET /settings/tokens", "browser"],
    ["POST /settings/tokens", "browser", form({ action: "off", uuid: made.token })],
    ["GET /settings/tokens/new", "browser"],
    [
      "POST /settings/tokens/new",
      "browser",
      form({ label: "more", scope: "repo:read", days: 90 }),
      { again: "it is another token, and only its answer tells it" },
    ],
    ["GET /settings/sessions", "browser"],
    ["POST /settings/sessions", "browser", form({ action: "name", uuid: made.login, label: "the laptop" })],
    ["GET /admin", "boss", undefined, { reports: true }],
    ["POST /admin", "boss", form({ action: "write", notice: "a line" })],
    ["GET /admin/users", "boss"],
    ["GET /admin/users/mary", "boss"],
    ["POST /admin/users/mary", "boss", form({ action: "disable" })],
    [
      "POST /admin/users/mary",
      "boss",
      form({ action: "incident", days: "7" }),
      { again: "it is another link, and only its answer has it" },
    ],
    ["GET /admin/namespaces", "boss"],
    ["GET /admin/limits", "boss"],
    ["GET /static/pages.css", "nobody"],
    ["GET /r/paul", "browser"],
    ["GET /r/paul/-/new", "browser"],
    ["POST /r/paul/-/new", "browser", form({ name: "made", visibility: "private" })],
    ["GET /r/paul/-/members", "browser"],
    ["POST /r/paul/-/members", "browser", form({ action: "set", user: "mary", role: "read" })],
    ["GET /r/acme/-/service-accounts", "browser"],
    ["POST /r/acme/-/service-accounts", "browser", form({ action: "create", username: "another", role: "read" })],
    ["GET /r/acme/-/service-accounts/robot", "browser"],
    ["POST /r/acme/-/service-accounts/robot", "browser", form({ action: "off", uuid: made.robot })],
    ["GET /r/paul/-/audit", "browser"],
    ["GET /r/paul/-/refusals", "browser"],
    ["GET /r/paul/-/deletions", "browser"],
    ["GET /r/paul/app", "browser"],
    ["GET /r/paul/app", "nobody"],
    ["GET /r/paul/app/-/tags/v1", "browser"],
    ["GET /r/paul/app/-/settings", "browser"],
    ["POST /r/paul/app/-/settings", "browser", form({ action: "describe", description: "a", full_description: "b" })],
    ["GET /r/paul/app/-/access", "browser"],
    ["POST /r/paul/app/-/access", "browser", form({ action: "set", user: "mary", role: "read" })],
    ["POST /r/paul/app/-/tags", "browser", form({ tag: "v1" })],
    ["GET /favicon.ico", "nobody"],
    ["GET /robots.txt", "nobody"],
    ["GET /v1/users/", "paul"],
    ["GET /v1/users/", "access"],
    ["GET /v1/users/", "guesser", undefined, { again: "it counts another failure" }],
    ["POST /v1/users/", "nobody", { username: "newman", password, email: "newman@example.com" }],
    ["PUT /v1/users/jane/", "jane", { email: "jane@example.org" }, { again: "it mails another link" }],
    [
      "PUT /v1/users/paul/",
      "paul",
      { password: "another" },
      { again: "the password is no longer the one it is asked with" },
    ],
    [`PUT ${app}/`, "paul", images],
    ["PUT /v1/repositories/paul/new/", "paul", images],
    ["PUT /v1/repositories/paul/old/", "paul", [{ id: first }]],
    [`DELETE ${app}/`, "paul", undefined, { needs: ["SEARCH"], again: "the second removes", ends: gone("paul/app") }],
    ["DELETE /v1/repositories/paul/old/", "paul", undefined, { ends: gone("paul/old") }],
    [`GET ${app}/images`, "nobody"],
    [`GET ${app}/images`, "write"],
    [`GET ${app}/tags`, "nobody"],
    [`PUT ${app}/images`, "write", [{ id: imageId(3), checksum: "sha256:03" }]],
    [`DELETE ${app}/images`, "paul"],
    ["DELETE /v1/repositories/paul/old/images", "delete"],
    [`PUT ${app}/auth`, "write"],
    [`GET ${app}/layer/${first}/access`, "write"],
    ["GET /v1/search?q=app", "nobody", undefined, { needs: ["SEARCH"] }],
    ["GET /v1/search?q=app", "paul", undefined, { needs: ["SEARCH"] }],

    ["GET /v2/", "paul"],
    ["GET /v2/", "bearer"],
    ["GET /v2/_catalog", "paul"],
    ["GET /v2/paul/app/tags/list", "paul"],
    ["GET /v2/paul/app/manifests/v1", "nobody"],
    ["PUT /v2/paul/app/manifests/v1", "paul", {}],
    [`GET /v2/paul/app/blobs/${digest}`, "nobody"],
    ["POST /v2/paul/app/blobs/uploads/", "paul"],
    [`GET ${mint}`, "nobody"],
    [`GET ${mint}`, "access"],
    [`GET ${mint}&offline_token=true&client_id=docker`, "paul", undefined, { again: "it is another login" }],
    [
      "POST /token",
      "nobody",
      form({ grant_type: "password", service: "registry", client_id: "x", username: "paul", password }),
    ],
    [
      "POST /token",
      "nobody",
      form({ grant_type: "refresh_token", service: "registry", client_id: "x", refresh_token: made.refresh }),
    ],
    ["POST /token/revoke", "nobody", form({ token: made.refresh })],
    ["POST /token/revoke", "nobody", form({ token: made.access })],
    ["GET /.well-known/jwks.json", "nobody"],
    ["POST /events", "registry", told("push", "v2")],
    ["POST /events", "registry", told("pull", "v1")],
    ["POST /events", "registry", told("delete", "v1")],
    ["GET /reconciler", "reconciler"],
    ["POST /reconciler", "reconciler", told("push", "v3")],
    ["POST /reconciler", "reconciler", told("delete", "v1")],
    ["POST /reconciler", "reconciler", told("request", "v1")],
    ["POST /reconciler", "reconciler", told("keep", "v1")],
    [`GET ${mint}`, "deleter"],

    ["GET /account/confirm", "nobody"],
    ["POST /account/confirm", "nobody", form({ secret: made.confirm })],
    ["GET /account/password", "nobody"],
    ["POST /account/password", "nobody", form({ secret: made.password, password: "another" })],
    ["GET /account/forgotten", "nobody", undefined, { needs: ["MAIL"] }],
    [
      "POST /account/forgotten",
      "nobody",
      form({ email: "paul@example.com" }),
      { needs: ["MAIL"], again: "it mails another link" },
    ],
    [
      "POST /account/forgotten",
      "nobody",
      form({ email: "late@example.com" }),
      { needs: ["MAIL"], again: "it mails another link" },
    ],

    ["POST /v2/user/password", "session", { password, new_password: "another" }],
    ["GET /v2/user/emails", "session"],
    ["POST /v2/user/emails", "session", { email: "paul@example.net", password }, { again: "it mails another link" }],
    ["PATCH /v2/user/emails/paul@example.com", "session", { primary: true, password }],
    ["DELETE /v2/user/emails/paul@example.org", "session", { password }],
    ["DELETE /v2/user", "session", { password, repositories: true }],
    ["POST /v2/users/login", "session", { username: "paul", password }],
    ["POST /v2/auth/token", "session", { identifier: "paul", secret: password }],
    ["GET /v2/user", "session"],
    ["GET /v2/user/orgs", "session"],
    ["GET /v2/repositories/namespaces", "session"],
    ["GET /v2/users/jane", "session"],
    ["GET /v2/orgs/acme", "session"],
    ["POST /v2/logout", "session"],
    ["GET /v2/access-tokens", "session"],
    [
      "POST /v2/access-tokens",
      "session",
      { token_label: "more" },
      { again: "it is another token, and only its answer tells it" },
    ],
    [`GET /v2/access-tokens/${made.token}`, "session"],
    [`PATCH /v2/access-tokens/${made.token}`, "session", { is_active: false }],
    [`POST /v2/access-tokens/${made.token}/renew`, "session", { overlap_seconds: 60 }],
    [`DELETE /v2/access-tokens/${made.token}`, "session"],
    ["GET /v2/refresh-tokens", "session"],
    [`DELETE /v2/refresh-tokens/${made.login}`, "session"],
    ["GET /v2/repositories/paul", "session"],
    ["POST /v2/namespaces/paul/repositories", "session", { name: "new", description: "a new one" }],
    ["POST /v2/repositories", "session", { name: "new", namespace: "acme", is_private: true }],
    ["POST /v2/repositories", "session", { name: "old", namespace: "paul" }],
    [`GET ${hub}`, "session"],
    [`PATCH ${hub}`, "session", { description: "described" }],
    [`DELETE ${hub}`, "session", undefined, { needs: ["SEARCH"], ends: gone("paul/app") }],
    [`POST ${hub}/privacy`, "session", { is_private: true }, { needs: ["SEARCH"] }],
    ["POST /v2/repositories/paul/starred/transfer", "session", { namespace: "acme" }],
    [`PUT ${hub}/star`, "session"],
    [`POST ${hub}/star`, "session"],
    ["GET /v2/repositories/paul/starred/star", "session"],
    [`GET ${hub}/images`, "session"],
    [`GET ${hub}/images-summary`, "session"],
    ["GET /v2/search/repositories?query=app", "session", undefined, { needs: ["SEARCH"] }],
    ["GET /v2/search/repositories?query=app", "nobody", undefined, { needs: ["SEARCH"] }],
    ["DELETE /v2/repositories/paul/starred/star", "session"],
    [`GET ${hub}/tags`, "session"],
    [`GET ${hub}/tags/v1`, "session"],
    [`DELETE ${hub}/tags/v1`, "session"],
    [`GET ${hub}/collaborators`, "session"],
    [`POST ${hub}/collaborators`, "session", { user: "mary", role: "write" }],
    [`DELETE ${hub}/collaborators/jane`, "session"],
    ["GET /v2/auditlogs/acme", "session"],
    ["GET /v2/auditlogs/acme/actions", "session"],
    [`GET ${hub}/access`, "session"],
    ["POST /v2/access-reviews", "session", { repository: "paul/app" }],
    ["GET /v2/namespaces/acme/refusals", "session"],
    ["GET /v2/namespaces/acme/members", "session"],
    ["PUT /v2/namespaces/acme/members/jane", "session", { role: "write" }],
    ["DELETE /v2/namespaces/acme/members/mary", "session"],
    ["GET /v2/namespaces/acme/machines", "session"],
    ["POST /v2/namespaces/acme/machines", "session", { username: "another" }],
    ["DELETE /v2/namespaces/acme/machines/robot", "session"],
    [`GET ${machine}/access-tokens`, "session"],
    [
      `POST ${machine}/access-tokens`,
      "session",
      { token_label: "more" },
      { again: "it is another token, and only its answer tells it" },
    ],
    [`GET ${machine}/access-tokens/${made.robot}`, "session"],
    [`PATCH ${machine}/access-tokens/${made.robot}`, "session", { token_label: "renamed" }],
    [`POST ${machine}/access-tokens/${made.robot}/renew`, "session", {}],
    [`DELETE ${machine}/access-tokens/${made.robot}`, "session"],
  ].map(([request, who, sent, about]) => ({
    needs: [],
    without: [],
    ...about,
    request,
    who,
    sent,
    name: `${request.replace(/[0-9a-f]{12,}/g, "…")} by ${who}`,
  }));
}
