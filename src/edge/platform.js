import { waitUntil } from "cloudflare:workers";

// What crosses between wasm and JavaScript, each in one call: a call costs about as much as the work of most answers,
// and a request has nine headers. A line feed is in no method, URL or header.

/**
 * A request as lines: method, protocol, host, path, query, a name for it, `body` where it may have one, and each of the
 * headers that are named, behind `=` where it is there.
 */
export function requestParts(request, names) {
  const { protocol, host, pathname, search } = new URL(request.url);
  const id = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  const body = request.body === null || request.headers.get("content-length") === "0" ? "" : "body";
  let lines = `${request.method}\n${protocol}\n${host}\n${pathname}\n${search}\n${id}\n${body}`;
  for (const name of names.split(",")) {
    const value = request.headers.get(name);
    lines += value === null ? "\n" : `\n=${value}`;
  }
  return lines;
}

/** The body of a request up to this number of bytes; nothing as soon as it is longer. */
export async function body(request, limit) {
  const announced = request.headers.get("content-length");
  if (Number(announced) > limit) return undefined;
  if (announced !== null) return new Uint8Array(await request.arrayBuffer());
  return collect(request.body, limit);
}

/** The bytes of a stream up to this number; nothing as soon as there are more. */
async function collect(stream, limit) {
  const parts = [];
  let length = 0;
  for await (const part of stream) {
    length += part.byteLength;
    if (length > limit) return undefined;
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * The status and the body of a URL, in this many milliseconds and bytes: the length that a response announces may be that
 * of a compressed body, so the bytes are counted.
 */
export async function fetchUrl(url, milliseconds, limit) {
  const { status, body } = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(milliseconds) });
  return [String(status), body ? await collect(body, limit) : new Uint8Array()];
}

/** A response; `lines` are its headers, name and value in turn. The bytes are wasm's own and soon others. */
export function response(status, lines, bytes) {
  const headers = {};
  const words = lines.split("\n");
  for (let at = 0; at + 1 < words.length; at += 2) headers[words[at]] = words[at + 1];
  return new Response(bytes.length ? bytes.slice() : null, { status, headers });
}

/** What the program is called back with: the number of a call, whether it succeeded, and a text. */
let settle;

/** What ends the task of a number in the program. */
let abandon;

/** What resolves the promises that the program made, by their numbers, the oldest first, and since when they wait. */
const waiting = new Map();

/** No scheduled run takes as many milliseconds, and no request. */
const LONGEST = 15 * 60 * 1000;

/** A program that begins listens; nothing waits for the one before it. */
export function listen(settling, abandoning) {
  settle = settling;
  abandon = abandoning;
  waiting.clear();
}

/**
 * Ends what has waited for this many milliseconds: where a client hangs up, Cloudflare goes on with nothing of its request,
 * and reports nothing.
 */
export function sweep(milliseconds) {
  for (const [number, { since }] of waiting) {
    if (Date.now() - since < milliseconds) return;
    waiting.delete(number);
    abandon(number);
  }
}

/** Calls back with what a promise of a text resolves to, or with the message of its error. */
function reply(number, promise) {
  const listener = settle;
  const over = (succeeded) => (result) => {
    if (listener !== settle) return; // its program has ended
    try {
      listener(number, succeeded, succeeded ? result : String(result?.message ?? result));
    } catch (error) {
      // As of a call that the platform makes: the entry module learns of it.
      queueMicrotask(() => {
        throw error;
      });
    }
  };
  promise.then(over(true), over(false));
}

/** A promise of the program's, and what it resolves it with. */
export function promised(number) {
  sweep(LONGEST);
  return new Promise((resolve) => waiting.set(number, { resolve, since: Date.now() }));
}
export function resolve(number, value) {
  waiting.get(number)?.resolve(value);
  waiting.delete(number);
}

/** Calls back after this number of milliseconds, or as soon as what runs now has ended. */
export const sleep = (milliseconds, number) =>
  reply(number, new Promise((resolve) => setTimeout(() => resolve(""), milliseconds)));
export const later = (number) => reply(number, Promise.resolve(""));

/**
 * The rows of each statement of a batch, as JSON; `statements` are the texts that several have, and lists of a text and its
 * values, in which a list is the place of one of those. What `writes` goes on
 * when the client hangs up, which on Cloudflare ends all that an answer waits for (workerd on this machine ends nothing):
 * a guess is counted, whether or not somebody waits to hear of it. It is given up after this many milliseconds.
 */
export const batch = (env, binding, nearest, writes, milliseconds, statements, number) =>
  reply(number, rows(env, binding, nearest, writes, milliseconds, statements));

async function rows(env, binding, nearest, writes, milliseconds, statements) {
  const database = env[binding];
  if (!database) throw new Error(`no such binding: ${binding}`);
  const session = nearest ? database.withSession("first-unconstrained") : database;
  const [shared, lines] = JSON.parse(statements);
  const value = (given) => (Array.isArray(given) ? shared[given[0]] : given);
  const prepared = lines.map(([sql, ...values]) => session.prepare(sql).bind(...values.map(value)));
  const answer = session.batch(prepared);
  if (writes) waitUntil(answer.catch(() => {}));
  const results = await inTime(answer, milliseconds);
  return JSON.stringify(results.map(({ results }) => results));
}

/** What a promise resolves to, if it does so in time. */
async function inTime(answer, milliseconds) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

// ES256. The bytes are wasm's own: WebCrypto copies them before it returns.
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
export const importKey = (format, bytes, usage) => crypto.subtle.importKey(format, bytes, ecdsa, false, [usage]);
const signature = async (key, bytes) => new Uint8Array(await crypto.subtle.sign(ecdsa, key, bytes)).toBase64();
const isSignature = async (key, bytes, signed) => String(await crypto.subtle.verify(ecdsa, key, bytes, signed));
export const sign = (key, bytes, number) => reply(number, signature(key, bytes));
export const verify = (key, bytes, signed, number) => reply(number, isSignature(key, bytes, signed));

/**
 * The variables and secrets, names and texts in turn, with zeros between them, which have no place in either:
 * wrangler.toml may have numbers and booleans.
 */
export function variables(env) {
  const texts = Object.entries(env).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  return texts.map(([name, value]) => `${name}\0${String(value).replaceAll("\0", "")}`).join("\0");
}

/** Replies with the text that is deflated in this base64. */
export const inflate = (base64, number) => reply(number, inflated(base64));

async function inflated(base64) {
  const deflated = new Blob([Uint8Array.fromBase64(base64)]).stream();
  return new Response(deflated.pipeThrough(new DecompressionStream("deflate-raw"))).text();
}

/** The commit that was built: the build defines it. */
export const commit = () => HUBLET_COMMIT;

/** Whether something is bound under this name. */
export const hasBinding = (env, binding) => Boolean(env[binding]);

/** What is bound, each for one thing; where it is missing or out of order the promise fails, and the caller does without. */
export const rateLimit = async (env, limit, key) => !env[limit] || (await env[limit].limit({ key })).success;
export const cacheGet = async (env, key) => env.CACHE.get(key);
export const cachePut = async (env, key, value, expirationTtl) => env.CACHE.put(key, value, { expirationTtl });
export const sendMail = async (env, from, to, subject, text) => env.MAIL.send({ from, to, subject, text });
