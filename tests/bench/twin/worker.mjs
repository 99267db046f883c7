// What somebody would write who did not want Rust: the check of a repository token, the list of images, the issue of a
// registry token, a login and the page of a repository, in the shortest good way, on the tables of the index and with
// its duties: it reads the same headers, makes the same checks, answers with the same headers and the same body, and
// writes the same line into the log.

import { login } from "./logins.mjs";
import { page } from "./page.mjs";
import { answer } from "./parts.mjs";
import { repository } from "./repository.mjs";
import { exchange, issue } from "./tokens.mjs";

const HEADERS = [
  "authorization",
  "x-docker-token",
  "content-type",
  "user-agent",
  "cf-connecting-ip",
  "x-forwarded-for",
  "x-hublet-proxy",
  "cookie",
  "origin",
  "sec-fetch-site",
  "ce-id",
  "ce-type",
  "ce-time",
];

const ROUTES = { images: "/v1/repositories/{repository}/images", auth: "/v1/repositories/{repository}/auth" };

/** The answer to a request, and the route that it took. */
function routed(asked, env, context) {
  const { method, path } = asked;
  if (path === "/token" && method === "GET") return [path, issue(asked, env, context)];
  if (path === "/token" && method === "POST") return [path, exchange(asked, env, context)];
  if (path === "/v1/users/" && method === "GET") return [path, login(asked, env, context)];
  const [, name, what] = /^\/v1\/repositories\/([a-z0-9_]{4,30}\/[a-z0-9._-]{1,224})\/(images|auth)$/.exec(path) ?? [];
  if (name && method === (what === "auth" ? "PUT" : "GET")) {
    return [ROUTES[what], repository(asked, env, name, what === "images")];
  }
  const [, shown] = /^\/r\/([a-z0-9_]{4,30}\/[a-z0-9._-]{1,224})$/.exec(path) ?? [];
  if (shown && method === "GET") return ["/r/{repository}", page(asked, env, shown)];
  const error = `The requested URL (${path}) was not found on this server.`;
  return ["none", answer(404, JSON.stringify({ error, status_code: "404" }))];
}

/** The body of a request, of at most so many bytes. */
async function body(request, limit) {
  if (Number(request.headers.get("content-length")) > limit) return undefined;
  const bytes = await request.arrayBuffer();
  return bytes.byteLength > limit ? undefined : bytes;
}

export default {
  async fetch(request, env, context) {
    const begun = Date.now();
    const { protocol, host, pathname: path, searchParams: parameters } = new URL(request.url);
    const headers = {};
    for (const name of HEADERS) headers[name] = request.headers.get(name) ?? undefined;
    const id = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
    const { method } = request;
    const asked = {
      method,
      host,
      path,
      parameters,
      headers,
      body: (limit) => body(request, limit),
      now: Math.floor(begun / 1000),
      rounds: 0,
      user: null,
      credential: "0.0.0",
    };
    const [route, going] = routed(asked, env, context);
    const { status, body: text, headers: own } = await going;

    const all = {
      "Content-Type": "application/json",
      ...own,
      "X-Request-Id": id,
      "X-Content-Type-Options": "nosniff",
    };
    all.Vary ??= "Accept";
    if (protocol === "https:") all["Strict-Transport-Security"] = "max-age=31536000";
    if (headers.authorization || status >= 400) all["Cache-Control"] = "no-store";
    if (route === "/token" && method === "GET") {
      all["Access-Control-Allow-Origin"] = "*";
      all["Access-Control-Allow-Methods"] = "GET, HEAD";
      all["Access-Control-Max-Age"] = "86400";
      all["Access-Control-Allow-Headers"] = "Authorization";
    }
    const line = {
      level: "info",
      request: id,
      method,
      route,
      status,
      milliseconds: Date.now() - begun,
      round_trips: asked.rounds,
      user: asked.user,
      credential: asked.credential,
      fault: null,
    };
    console.log(JSON.stringify(line));
    return new Response(text, { status, headers: all });
  },
};
