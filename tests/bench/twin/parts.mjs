// What several answers of the twin are made of.

export const text = new TextEncoder();
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const unhex = (digits) => Uint8Array.from(digits.match(/../g), (pair) => Number.parseInt(pair, 16));
export const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
export const url = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export const unbase64 = (encoded) => Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
export const sha256 = async (secret) => hex(new Uint8Array(await crypto.subtle.digest("SHA-256", text.encode(secret))));

export const hmac = { name: "HMAC", hash: "SHA-256" };
export const keys = {}; // imported once an isolate

/** Texts, each after its length. */
export function framed(...texts) {
  const parts = texts.map((part) => (typeof part === "string" ? text.encode(part) : part));
  const all = new Uint8Array(parts.reduce((sum, part) => sum + 8 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    new DataView(all.buffer).setBigUint64(at, BigInt(part.length));
    all.set(part, at + 8);
    at += 8 + part.length;
  }
  return all;
}

/** An answer before its headers. */
export const answer = (status, body, headers = {}) => ({ status, body, headers });
export const unauthorized = (reason) =>
  answer(401, JSON.stringify(reason), { "WWW-Authenticate": 'Basic realm="auth required",Token' });

/** Name and secret of an `Authorization: Basic`. */
export function basic({ authorization }) {
  const [, encoded] = /^basic (.+)$/i.exec(authorization?.trim() ?? "") ?? [];
  const decoded = new TextDecoder().decode(unbase64(encoded ?? ""));
  const at = decoded.indexOf(":");
  return [decoded.slice(0, Math.max(at, 0)).trim().toLowerCase(), decoded.slice(at + 1)];
}
export const isName = (name) => /^[a-z0-9_]{4,30}$/.test(name);

/** The number of each role. */
export const ROLES = { read: 1, write: 2, admin: 3 };

/** Whether a user `u` is active: an account of a program is while the user is whose namespace it belongs to. */
export const STATUS = `coalesce((select o.status from namespaces n join users o on o.id = n.owner_id
  where n.id = u.machine_of and u.status = 'active'), u.status)`;

/** The most that a user may do. */
export const role = (row) =>
  row.owner || row.administrator
    ? 3
    : Math.max(ROLES[row.member] ?? 0, ROLES[row.collaborator] ?? 0, row.user && row.private === 0 ? 1 : 0);
