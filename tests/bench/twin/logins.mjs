// Logins of the twin: a name with its password, and the records of who logged in.

import { answer, basic, framed, hmac, isName, keys, STATUS, text, unauthorized, unbase64 } from "./parts.mjs";

const REMEMBERED = 300; // seconds
const PASSWORDS = 1024;
const LOGINS = 4096;
const WRONG = "Wrong username or password";

const passwords = new Map(); // when each was verified
const logins = new Map(); // when each was noted

/** Whether a password is right, by PBKDF2, since that is what WebCrypto has for it. */
async function matches(password, stored) {
  const [, , iterations, salt, hash] = stored.split("$");
  const key = await crypto.subtle.importKey("raw", text.encode(password), "PBKDF2", false, ["deriveBits"]);
  const by = { name: "PBKDF2", hash: "SHA-256", salt: unbase64(salt), iterations: Number(iterations) };
  return crypto.subtle.timingSafeEqual(await crypto.subtle.deriveBits(by, key, 256), unbase64(hash));
}

/** What is remembered of a password that was right: a MAC under a key that never leaves the isolate. */
async function entry(name, password, stored) {
  keys.passwords ??= await crypto.subtle.importKey("raw", crypto.getRandomValues(new Uint8Array(32)), hmac, false, [
    "sign",
  ]);
  const mac = await crypto.subtle.sign("HMAC", keys.passwords, framed("verified password", name, password, stored));
  return String.fromCharCode(...new Uint8Array(mac));
}

const addressOf = (headers) => headers["cf-connecting-ip"] ?? "local";

/** Seconds to wait after so many failures. */
const wait = (count, last, free, now) =>
  count < free ? 0 : Math.max(last + Math.min(2 ** Math.min(count - free, 10), 900) - now, 0);

/** `GET /v1/users/` */
export async function login(asked, env, context) {
  if (!asked.headers.authorization) return unauthorized("Login required");
  const [name, password] = basic(asked.headers);
  if (!isName(name) || password.length > 1024) return unauthorized(WRONG);
  const { now } = asked;
  const address = addressOf(asked.headers);
  const user = await env.DB.prepare(
    `select u.id, ${STATUS} status, u.password, u.epoch, f.count here, f.last_at here_at, g.count anywhere, g.last_at anywhere_at
     from (select ?1 name) typed left join users u on u.name = typed.name
     left join failures f on f.name = typed.name and f.address = ?2
     left join failures g on g.name = typed.name and g.address = ''`,
  )
    .bind(name, address)
    .first();
  asked.rounds += 1;
  const seconds = Math.max(wait(user.here, user.here_at, 5, now), wait(user.anywhere, user.anywhere_at, 50, now));
  if (seconds)
    return answer(429, `"Too many attempts, try again in ${seconds} seconds"`, { "Retry-After": String(seconds) });
  const known = user.password && (await entry(name, password, user.password));
  const age = now - passwords.get(known);
  if (!(age >= 0 && age < REMEMBERED)) {
    if (!user.password || !(await matches(password, user.password))) {
      const count = `insert into failures (name, address, count, last_at) values (?1, ?2, 1, ?3), (?1, '', 1, ?3)
        on conflict (name, address) do update set count = count + 1, last_at = excluded.last_at`;
      await env.DB.prepare(count).bind(name, address, now).run();
      asked.rounds += 1;
      return unauthorized(WRONG);
    }
    if (passwords.size >= PASSWORDS) passwords.clear();
    passwords.set(known, now);
  }
  if (user.status !== "active") return answer(403, '"Account is not Active"');
  asked.user = user.id;
  asked.credential = `1.${user.id}.${user.epoch}`;
  const statements = noted(asked, env, user.id, "password");
  if (user.here > 0) {
    const forget = "update failures set count = 0 where name = ?1 and address = ?2";
    statements.push(env.DB.prepare(forget).bind(name, address));
  }
  if (statements.length) context.waitUntil(env.DB.batch(statements));
  return answer(200, '"OK"');
}

/** What notes a login, once an hour by each credential from each address. */
export function noted({ headers, now }, env, user, method, id = null) {
  const address = addressOf(headers);
  const login = `${user} ${method} ${id} ${address}`;
  if (now - logins.get(login) < 3600) return [];
  if (logins.size >= LOGINS) logins.clear();
  logins.set(login, now);
  const table = { "access-token": "access_tokens", "refresh-token": "refresh_tokens" }[method];
  const row = `insert into audit (at, account, action, name, actor, credential, address)
    select ?2, n.id, 'user.login', u.name, u.name, ?5${table ? " || ' ' || t.uuid" : ""}, ?3
    from users u join namespaces n on n.owner_id = u.id ${table ? `join ${table} t on t.id = ?4` : ""} where u.id = ?1`;
  return [env.DB.prepare(row).bind(user, now, address, id, method)];
}
