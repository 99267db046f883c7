// What somebody would write who did not want Rust: the check of a repository token, the list of images and the mint of
// a registry token, in the shortest good way, on the schema of the index.

const text = new TextEncoder();
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (digits) => Uint8Array.from(digits.match(/../g), (pair) => Number.parseInt(pair, 16));
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const url = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const der = (pem) => Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, "")), (letter) => letter.charCodeAt(0));
const keys = {}; // imported once an isolate

/** What a repository token says, or nothing. */
async function claim(env, authorization) {
  const [, signature, name, access] =
    /^Token signature=([0-9a-f]{156}),repository="([^"]+)",access=(\w+)$/.exec(authorization) ?? [];
  if (!signature) return;
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
  const hmac = { name: "HMAC", hash: "SHA-256" };
  keys.mac ??= await crypto.subtle.importKey("raw", text.encode(env.TOKEN_KEY), hmac, false, ["verify"]);
  if (!(await crypto.subtle.verify("HMAC", keys.mac, bytes.subarray(46), framed))) return;
  const view = new DataView(signed.buffer);
  const number = (place) => Number(view.getBigInt64(place));
  if (number(5) <= Date.now() / 1000) return;
  return { kind: bytes[13], user: number(14), credential: number(22), repository: number(30), name, access };
}

/** What the database says of a repository to a user, with the list of images where that is asked for. */
const place = (images) =>
  `select r.id, r.private, r.deleted_at, n.owner_id = u.id owner, u.status, u.epoch, u.name username, m.role member,
     c.role collaborator${
       images
         ? `, (select json_group_array(json_object('id', id, 'checksum', checksum)) from
       (select id, checksum from images where repository_id = r.id order by position)) images`
         : ""
     }
   from namespaces n join repositories r on r.namespace_id = n.id left join users u on u.id = ?3
   left join members m on m.namespace_id = n.id and m.user_id = u.id
   left join collaborators c on c.repository_id = r.id and c.user_id = u.id where n.name = ?1 and r.name = ?2`;

async function opens(env, said, name, images) {
  const [namespace, ...rest] = name.split("/");
  const row = await env.DB.prepare(place(images)).bind(namespace, rest.join("/"), said.user).first();
  const may = row?.owner || (said.access === "read" && !row?.private) || row?.member || row?.collaborator;
  const good = row && row.id === said.repository && row.status === "active" && row.epoch === said.credential && may;
  return good ? row : undefined;
}

async function mint(env, request, parameters) {
  const [, basic] = /^Basic (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  const [username, secret] = atob(basic ?? "").split(":");
  const hash = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", text.encode(secret))));
  const [, name, actions] = /^repository:([^:]+):([a-z,]+)$/.exec(parameters.get("scope")) ?? [];
  const [namespace, ...rest] = name.split("/");
  const row = await env.DB.prepare(
    `select t.id token, t.is_active, t.expires_at, t.scopes, u.id user, u.status, n.owner_id = u.id owner
     from access_tokens t join users u on u.id = t.user_id left join namespaces n on n.name = ?3
     left join repositories r on r.namespace_id = n.id and r.name = ?4 where t.hash = ?2 and u.name = ?1`,
  )
    .bind(username, hash, namespace, rest.join("/"))
    .first();
  if (!row?.is_active || row.status !== "active") return new Response("", { status: 401 });
  const now = Math.floor(Date.now() / 1000);
  const chain = env.REGISTRY_CERTIFICATE.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g).slice(0, 2);
  const header = { alg: "ES256", typ: "JWT", x5c: chain.map((pem) => base64(der(pem))) };
  const claims = {
    iss: "hublet",
    sub: username,
    aud: parameters.get("service"),
    exp: now + 300,
    nbf: now - 30,
    iat: now,
    jti: hex(crypto.getRandomValues(new Uint8Array(16))),
    credential: `2.${row.user}.${row.token}`,
    access: row.owner ? [{ type: "repository", name, actions: actions.split(",") }] : [],
  };
  const body = `${url(text.encode(JSON.stringify(header)))}.${url(text.encode(JSON.stringify(claims)))}`;
  const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  keys.sign ??= await crypto.subtle.importKey("pkcs8", der(env.REGISTRY_KEY), ecdsa, false, ["sign"]);
  const token = `${body}.${url(await crypto.subtle.sign(ecdsa, keys.sign, text.encode(body)))}`;
  return Response.json({ token, access_token: token, expires_in: 300, issued_at: new Date(now * 1000).toISOString() });
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/token") return mint(env, request, searchParams);
    const [, name, what] = /^\/v1\/repositories\/([^/]+\/[^/]+)\/(images|auth)$/.exec(pathname) ?? [];
    if (!name) return Response.json("Not found", { status: 404 });
    const said = await claim(env, request.headers.get("authorization") ?? "");
    if (said?.name !== name) return Response.json("Unauthorized", { status: what === "auth" ? 403 : 401 });
    const row = await opens(env, said, name, what === "images");
    if (!row) return Response.json("Unauthorized", { status: what === "auth" ? 403 : 401 });
    return what === "auth"
      ? Response.json("OK")
      : new Response(row.images, { headers: { "content-type": "application/json" } });
  },
};
