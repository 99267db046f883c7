// Registry tokens of the twin, for an access token and for a refresh token.

import { answer, base64, basic, hex, isName, keys, role, sha256, STATUS, text, unbase64, url } from "./parts.mjs";
import { noted } from "./logins.mjs";

const SCOPES = { "repo:read": 1, "repo:write": 2, "repo:admin": 3 };
const ACTIONS = { pull: 1, push: 2, delete: 3 };
const [UNUSED, AGE] = [90 * 86_400, 365 * 86_400]; // seconds after which a refresh token ends
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const der = (pem) => unbase64(pem.replace(/-----[^-]+-----|\s/g, ""));

/** A refusal as token services write it. */
const refusal =
  (status, error, code, headers = {}) =>
  (reason) =>
    answer(
      status,
      JSON.stringify({ error, error_description: reason, details: reason, errors: [{ code, message: reason }] }),
      headers,
    );
const invalid = refusal(400, "invalid_request", "UNSUPPORTED");
const inactive = () => refusal(403, "access_denied", "DENIED")("Account is not Active");
const unauthorized = refusal(401, "invalid_grant", "UNAUTHORIZED", {
  "WWW-Authenticate": 'Basic realm="auth required"',
});

/** What a query or a form asks for: the service and the scopes. */
function wanted(parameters, env) {
  const service = parameters.get("service");
  const scopes = parameters
    .getAll("scope")
    .flatMap((scope) => scope.split(/\s+/))
    .map((scope) => /^(\w+):(.+):([^:]*)$/.exec(scope))
    .filter(Boolean)
    .map(([, type, name, actions]) => ({ type, name, actions: actions.split(",") }));
  const names = JSON.stringify(scopes.map(({ name }) => [name.split("/")[0], name.slice(name.indexOf("/") + 1)]));
  return { service, scopes, names, known: env.SERVICES.split(",").includes(service) };
}

/** After `t` and a user `u`: what each scope of the list names, and what the user is there. */
const PLACES = (names) => `left join json_each(${names}) a
  left join namespaces n on n.name = a.value ->> 0
  left join repositories r on r.namespace_id = n.id and r.name = a.value ->> 1
  left join members m on m.namespace_id = n.id and m.user_id = u.id
  left join collaborators c on c.repository_id = r.id and c.user_id = u.id`;
const COLUMNS = `u.id user, u.name, ${STATUS} status, u.epoch, a.key at, n.id namespace, n.owner_id = u.id owner,
  r.private, r.deleted_at, m.role member, c.role collaborator`;

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

/** What is granted of the scopes by these rows. */
function granted(scopes, rows, most = () => 3) {
  return rows.flatMap((row) => {
    const scope = scopes[row.at];
    if (scope?.type !== "repository" || row.namespace === null || row.deleted_at) return [];
    const may = Math.min(role(row), most(row, scope));
    const actions = Object.keys(ACTIONS).filter(
      (action) => (scope.actions.includes(action) || scope.actions.includes("*")) && may >= ACTIONS[action],
    );
    return actions.length ? [{ ...scope, actions }] : [];
  });
}

/** How an opaque token is stored; nothing for what has not the form and the checksum of one. */
async function hashed(prefix, secret) {
  const [, said, sum] = /^(hl[pr]_[0-9a-f]{40})([0-9a-f]{8})$/.exec(secret) ?? [];
  const genuine = said?.startsWith(prefix) && (await sha256(said)).startsWith(sum);
  return genuine ? sha256(secret) : undefined;
}

/** `GET /token`, by an access token */
export async function issue(asked, env, context) {
  const { parameters, now } = asked;
  const { service, scopes, names, known } = wanted(parameters, env);
  if (!known) return invalid(`${JSON.stringify(service)} is no service of this index`);
  const [username, password] = basic(asked.headers);
  const account = parameters.get("account");
  if (!isName(username) || (account && account !== username)) return unauthorized("Wrong username or password");
  const hash = await hashed("hlp_", password.trim());
  if (!hash) return unauthorized("The access token is not valid");
  const { results } = await env.DB.prepare(
    `select t.id token, t.is_active, t.used_at, t.scopes, t.resources, ${COLUMNS},
       iif(t.hash = ?2, t.expires_at, min(t.previous_until, ifnull(t.expires_at, t.previous_until))) expires_at
     from access_tokens t join users u on u.id = t.user_id ${PLACES("?3")}
     where (t.hash = ?2 or t.previous_hash = ?2) and u.name = ?1`,
  )
    .bind(username, hash, names)
    .all();
  asked.rounds += 1;
  const [token] = results;
  if (!token) return unauthorized("The access token is not valid");
  if (!token.is_active || (token.expires_at !== null && token.expires_at <= now)) {
    return unauthorized("The access token has expired or is not active");
  }
  if (token.status !== "active") return inactive();
  asked.user = token.user;
  asked.credential = `2.${token.user}.${token.token}`;
  const access = granted(scopes, results, (row, scope) => allowed(token, scope.name, row.private === 0));
  const statements = noted(asked, env, token.user, "access-token", token.token);
  if (!(now - token.used_at < 60)) {
    statements.push(env.DB.prepare("update access_tokens set used_at = ?2 where id = ?1").bind(token.token, now));
  }
  if (statements.length) context.waitUntil(env.DB.batch(statements));
  return answer(200, JSON.stringify(await signed(asked, env, `${username}/${token.token}`, service, access)));
}

/** `POST /token`, by a refresh token */
export async function exchange(asked, env, context) {
  const { now } = asked;
  const form = await asked.body(160 << 10);
  if (!form) return refusal(413, "invalid_request", "UNSUPPORTED")("The request body is too large");
  const parameters = new URLSearchParams(new TextDecoder("utf-8", { fatal: true }).decode(form));
  const { service, scopes, names, known } = wanted(parameters, env);
  if (!known) return invalid(`${JSON.stringify(service)} is no service of this index`);
  const missing = ["grant_type", "client_id", "refresh_token"].find((name) => !parameters.get(name));
  if (missing) return invalid(`${missing} is missing`);
  if (parameters.get("grant_type") !== "refresh_token")
    return refusal(400, "unsupported_grant_type", "UNSUPPORTED")("grant_type is neither password nor refresh_token");
  const wrong = () => unauthorized("The refresh token is not valid: log in again");
  const hash = await hashed("hlr_", parameters.get("refresh_token").trim());
  if (!hash) return wrong();
  const { results } = await env.DB.prepare(
    `select t.id token, t.used_at, u.administrator, ${COLUMNS}
     from refresh_tokens t join users u on u.id = t.user_id ${PLACES("?2")}
     where t.hash = ?1 and t.used_at > ?3 and t.created_at > ?4`,
  )
    .bind(hash, names, now - UNUSED, now - AGE)
    .all();
  asked.rounds += 1;
  const [token] = results;
  if (!token) return wrong();
  if (token.status !== "active") return inactive();
  asked.user = token.user;
  asked.credential = `1.${token.user}.${token.epoch}`;
  const access = granted(scopes, results);
  const statements = noted(asked, env, token.user, "refresh-token", token.token);
  if (!(now - token.used_at < 3600)) {
    statements.push(env.DB.prepare("update refresh_tokens set used_at = ?2 where id = ?1").bind(token.token, now));
  }
  if (statements.length) context.waitUntil(env.DB.batch(statements));
  const scope = access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`).join(" ");
  const issued = await signed(asked, env, `${token.name}/r${token.token}`, service, access);
  const body = JSON.stringify({ ...issued, token_type: "Bearer", scope });
  return answer(200, body, { "Cache-Control": "no-store" });
}

/** A signed token, as answers have it. */
async function signed({ now, credential }, env, sub, aud, access) {
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
    sub,
    aud,
    exp: now + 300,
    nbf: now - 30,
    iat: now,
    jti: hex(crypto.getRandomValues(new Uint8Array(16))),
    access,
    credential,
  };
  const body = `${keys.header}.${url(text.encode(JSON.stringify(claims)))}`;
  keys.sign ??= await crypto.subtle.importKey("pkcs8", der(env.REGISTRY_KEY), ecdsa, false, ["sign"]);
  const token = `${body}.${url(await crypto.subtle.sign(ecdsa, keys.sign, text.encode(body)))}`;
  const issued = new Date(now * 1000).toISOString().replace(".000", "");
  return { access_token: token, expires_in: 300, issued_at: issued, token };
}
