// What somebody would write who did not want Rust: the check of a repository token, the list of images and the issue of
// a registry token, in the shortest good way, on the tables of the index and with its duties: it reads the same headers,
// makes the same checks, answers with the same headers and the same body, and writes the same line into the log.

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
const ROLES = { read: 1, write: 2, admin: 3 };
const SCOPES = { "repo:read": 1, "repo:write": 2, "repo:admin": 3 };
const ACTIONS = { pull: 1, push: 2, delete: 3 };

const text = new TextEncoder();
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (digits) => Uint8Array.from(digits.match(/../g), (pair) => Number.parseInt(pair, 16));
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const url = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const der = (pem) => Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, "")), (letter) => letter.charCodeAt(0));
const hmac = { name: "HMAC", hash: "SHA-256" };
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const keys = {}; // imported once an isolate
const logins = new Map(); // when each was noted

/** An answer before its headers. */
const answer = (status, body, headers = {}) => ({ status, body, headers });
const unauthorized = (reason) =>
  answer(401, JSON.stringify(reason), { "WWW-Authenticate": 'Basic realm="auth required",Token' });

/** What a repository token says, or nothing. */
async function claim(env, token, now) {
  const [, signature, name, access] =
    /^signature=([0-9a-f]{156}),repository="([a-z0-9_]{4,30}\/[a-z0-9._/-]{1,224})",access=(read|write|delete)$/.exec(
      token,
    ) ?? [];
  if (!signature) return undefined;
  const bytes = unhex(signature);
  const signed = bytes.subarray(0, 46);
  const parts = [
    text.encode("hublet"),
    text.encode("repository token"),
    signed,
    text.encode(name),
    text.encode(access),
  ];
  const framed = new Uint8Array(parts.reduce((sum, part) => sum + 8 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    new DataView(framed.buffer).setBigUint64(at, BigInt(part.length));
    framed.set(part, at + 8);
    at += 8 + part.length;
  }
  keys.mac ??= await crypto.subtle.importKey("raw", text.encode(env.TOKEN_KEY), hmac, false, ["verify"]);
  if (signed[0] !== 1 || !(await crypto.subtle.verify("HMAC", keys.mac, bytes.subarray(46), framed))) return undefined;
  const view = new DataView(signed.buffer);
  const number = (place) => Number(view.getBigInt64(place));
  if (number(5) <= now) return undefined;
  return { kind: bytes[13], user: number(14), number: number(22), repository: number(30), name, access };
}

/** What the database says of a repository to a user, with the list of images where that is asked for. */
const place = (images) =>
  `select r.id, r.private, r.deleted_at, n.owner_id = u.id owner, u.status, u.epoch, u.administrator, m.role member,
     c.role collaborator${
       images
         ? `, (select json_group_array(json_object('id', id, 'checksum', checksum)) from
       (select id, checksum from images where repository_id = r.id order by position)) images`
         : ""
     }
   from namespaces n join repositories r on r.namespace_id = n.id left join users u on u.id = ?3
   left join members m on m.namespace_id = n.id and m.user_id = u.id
   left join collaborators c on c.repository_id = r.id and c.user_id = u.id where n.name = ?1 and r.name = ?2`;

/** The most that a user may do. */
const role = (row) =>
  row.owner ? 3 : Math.max(ROLES[row.member] ?? 0, ROLES[row.collaborator] ?? 0, row.user && row.private === 0 ? 1 : 0);

/** `GET …/images` and `PUT …/auth` */
async function repository(asked, env, name, images) {
  const header = asked.headers.authorization?.trim();
  const [, token] = /^token (?:token )?(.+)$/i.exec(header ?? "") ?? [];
  if (!token) return unauthorized("Malformed credentials");
  const said = await claim(env, token.replaceAll(", ", ","), asked.now);
  if (!said) return unauthorized("The token is not valid");
  if (said.name !== name) return unauthorized("The token is for another repository");
  const [namespace, ...rest] = name.split("/");
  const row = await env.DB.prepare(place(images)).bind(namespace, rest.join("/"), said.user).first();
  asked.rounds += 1;
  const current = row?.status === "active" && said.kind === 1 && row.epoch === said.number;
  if (!current) return unauthorized("The token is no longer valid");
  asked.user = said.user;
  asked.credential = `${said.kind}.${said.user}.${said.number}`;
  if (row.id !== said.repository || !role({ ...row, user: said.user }) || row.deleted_at) {
    return answer(404, '"Repository not found"');
  }
  if (!images) return answer(200, '"OK"');
  const vary = "Accept, Authorization, X-Docker-Token";
  return answer(200, row.images, { Vary: vary, "X-Docker-Endpoints": asked.host });
}

/** Whether a pattern of a token's resources names a repository. */
const matches = (pattern, name) =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.]/g, "\\.")
      .replace(/\*\*$/, ".+")
      .replaceAll(/(?<!\.)\*/g, "[^/]*")}$`,
  ).test(name);

/** The most that an access token allows in a repository. */
function allowed(token, name, isPublic) {
  const strongest = (scopes) =>
    Math.max(0, ...scopes.map((scope) => (scope === "repo:public_read" ? Number(isPublic) : (SCOPES[scope] ?? 0))));
  const most = strongest(JSON.parse(token.scopes));
  if (token.resources === null) return most;
  const within = JSON.parse(token.resources).filter(({ path }) => matches(path, name));
  return Math.min(most, Math.max(0, ...within.map(({ scopes }) => (scopes?.length ? strongest(scopes) : 3))));
}

/** `GET /token`, by an access token */
async function issue(asked, env, context) {
  const parameters = asked.parameters;
  const service = parameters.get("service");
  if (!env.SERVICES.split(",").includes(service)) return answer(400, JSON.stringify({ error: "invalid_request" }));
  const scopes = parameters
    .getAll("scope")
    .flatMap((scope) => scope.split(/\s+/))
    .map((scope) => /^(\w+):(.+):([^:]*)$/.exec(scope))
    .filter(Boolean)
    .map(([, type, name, actions]) => ({ type, name, actions: actions.split(",") }));
  const [, basic] = /^basic (.+)$/i.exec(asked.headers.authorization?.trim() ?? "") ?? [];
  const decoded = atob(basic ?? "");
  const [username, secret] = [decoded.slice(0, decoded.indexOf(":")), decoded.slice(decoded.indexOf(":") + 1).trim()];
  const account = parameters.get("account");
  if (!/^[a-z0-9_]{4,30}$/.test(username) || !/^hlp_\w+$/.test(secret) || (account && account !== username)) {
    return unauthorized("Wrong username or password");
  }
  const hash = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", text.encode(secret))));
  const names = JSON.stringify(scopes.map(({ name }) => [name.split("/")[0], name.slice(name.indexOf("/") + 1)]));
  const { results } = await env.DB.prepare(
    `select t.id token, t.is_active, t.expires_at, t.used_at, t.scopes, t.resources, u.id user, u.status, a.key at,
       n.id namespace, n.owner_id = u.id owner, r.private, r.deleted_at, m.role member, c.role collaborator
     from access_tokens t join users u on u.id = t.user_id left join json_each(?3) a
     left join namespaces n on n.name = a.value ->> 0
     left join repositories r on r.namespace_id = n.id and r.name = a.value ->> 1
     left join members m on m.namespace_id = n.id and m.user_id = u.id
     left join collaborators c on c.repository_id = r.id and c.user_id = u.id
     where t.hash = ?2 and u.name = ?1`,
  )
    .bind(username, hash, names)
    .all();
  asked.rounds += 1;
  const [token] = results;
  if (!token) return unauthorized("The access token is not valid");
  if (!token.is_active || (token.expires_at !== null && token.expires_at <= asked.now)) {
    return unauthorized("The access token has expired or is not active");
  }
  if (token.status !== "active") return answer(403, '"Account is not Active"');
  asked.user = token.user;
  asked.credential = `2.${token.user}.${token.token}`;
  const access = [];
  for (const row of results) {
    const scope = scopes[row.at];
    if (scope?.type !== "repository" || row.namespace === null || row.deleted_at) continue;
    const may = Math.min(role(row), allowed(token, scope.name, row.private === 0));
    const actions = Object.keys(ACTIONS).filter(
      (action) => (scope.actions.includes(action) || scope.actions.includes("*")) && may >= ACTIONS[action],
    );
    if (actions.length) access.push({ ...scope, actions });
  }
  note(asked, env, context, token);

  const { now } = asked;
  keys.header ??= url(
    text.encode(
      JSON.stringify({
        alg: "ES256",
        typ: "JWT",
        x5c: env.REGISTRY_CERTIFICATE.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)
          .slice(0, 2)
          .map((pem) => base64(der(pem))),
      }),
    ),
  );
  const claims = {
    iss: "hublet",
    sub: `${username}/${token.token}`,
    aud: service,
    exp: now + 300,
    nbf: now - 30,
    iat: now,
    jti: hex(crypto.getRandomValues(new Uint8Array(16))),
    access,
    credential: asked.credential,
  };
  const body = `${keys.header}.${url(text.encode(JSON.stringify(claims)))}`;
  keys.sign ??= await crypto.subtle.importKey("pkcs8", der(env.REGISTRY_KEY), ecdsa, false, ["sign"]);
  const signed = `${body}.${url(await crypto.subtle.sign(ecdsa, keys.sign, text.encode(body)))}`;
  const issued = new Date(now * 1000).toISOString().replace(".000", "");
  return answer(200, JSON.stringify({ access_token: signed, expires_in: 300, issued_at: issued, token: signed }));
}

/** Notes a login once an hour, and the use of an access token once a minute, after the answer. */
function note({ headers, now }, env, context, { token, user, used_at }) {
  const address = headers["cf-connecting-ip"] ?? "local";
  const login = `${user} ${token} ${address}`;
  const statements = [];
  if (!(now - logins.get(login) < 3600)) {
    logins.set(login, now);
    if (logins.size > 4096) logins.clear();
    const row = `insert into audit (at, account, action, name, actor, credential, address)
      select ?2, n.id, 'user.login', u.name, u.name, 'access-token ' || t.uuid, ?3
      from users u join namespaces n on n.owner_id = u.id join access_tokens t on t.id = ?4 where u.id = ?1`;
    statements.push(env.DB.prepare(row).bind(user, now, address, token));
  }
  if (!(now - used_at < 60)) {
    statements.push(env.DB.prepare("update access_tokens set used_at = ?2 where id = ?1").bind(token, now));
  }
  if (statements.length) context.waitUntil(env.DB.batch(statements));
}

const ROUTES = { images: "/v1/repositories/{repository}/images", auth: "/v1/repositories/{repository}/auth" };

/** The answer to a request, and the route that it took. */
function routed(asked, env, context) {
  if (asked.path === "/token" && asked.method === "GET") return ["/token", issue(asked, env, context)];
  const [, name, what] =
    /^\/v1\/repositories\/([a-z0-9_]{4,30}\/[a-z0-9._-]{1,224})\/(images|auth)$/.exec(asked.path) ?? [];
  if (name && asked.method === (what === "auth" ? "PUT" : "GET")) {
    return [ROUTES[what], repository(asked, env, name, what === "images")];
  }
  const error = `The requested URL (${asked.path}) was not found on this server.`;
  return ["none", answer(404, JSON.stringify({ error, status_code: "404" }))];
}

export default {
  async fetch(request, env, context) {
    const begun = Date.now();
    const { protocol, host, pathname: path, searchParams: parameters } = new URL(request.url);
    const headers = {};
    for (const name of HEADERS) headers[name] = request.headers.get(name) ?? undefined;
    const id = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
    const { method } = request;
    const now = Math.floor(begun / 1000);
    const asked = { method, host, path, parameters, headers, now, rounds: 0, user: null, credential: "0.0.0" };
    const [route, going] = routed(asked, env, context);
    const { status, body, headers: own } = await going;

    const all = {
      "Content-Type": "application/json",
      ...own,
      "X-Request-Id": id,
      "X-Content-Type-Options": "nosniff",
    };
    all.Vary ??= "Accept";
    if (protocol === "https:") all["Strict-Transport-Security"] = "max-age=31536000";
    if (headers.authorization || status >= 400) all["Cache-Control"] = "no-store";
    if (route === "/token") {
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
    return new Response(body, { status, headers: all });
  },
};
