// Requests at a bounded rate: again where a server is busy or does not answer, and answers of a bounded length.

import { setTimeout } from "node:timers/promises";
import { Failure, goOn } from "./steps.mjs";

/** What a server answers that may answer better in a moment. */
const BUSY = [408, 429, 500, 502, 503, 504];

/** Requests until one counts as refused, and milliseconds before the second; each later one waits twice as long. */
const ATTEMPTS = 5;
const PAUSE = 500;

/** Milliseconds that a server may ask to be left alone. */
const LONGEST_PAUSE = 60_000;

/** Milliseconds until an answer begins. */
const PATIENCE = 60_000;

/** A server that does not answer, or not with what was asked for. */
export class Unanswered extends Failure {}

export class Requests {
  #next = 0;

  /** At most `rate` requests a second. */
  constructor({ rate = 50, pause = PAUSE } = {}) {
    this.interval = 1000 / rate;
    this.pause = pause;
    this.sent = 0;
  }

  /**
   * Sends one request, and again while the server is busy; an answer that is no better in the end is an Unanswered.
   *
   * @param {string} address
   * @param {RequestInit & { patience?: number }} options
   */
  async send(address, { patience = PATIENCE, ...options } = {}) {
    const what = `${options.method ?? "GET"} ${address.split("?")[0]}`;
    for (let attempt = 1; ; attempt += 1) {
      await this.#turn();
      const { answer, failure } = await this.#once(address, { redirect: "manual", ...options }, patience);
      if (answer && !BUSY.includes(answer.status)) return answer;
      await answer?.body?.cancel();
      if (attempt === ATTEMPTS)
        throw new Unanswered(answer ? `${what} answers ${answer.status}` : `${what} does not answer (${failure})`);
      const asked = Number(answer?.headers.get("retry-after")) * 1000 || 0;
      const wait = this.pause * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
      await setTimeout(Math.min(Math.max(asked, wait), LONGEST_PAUSE));
    }
  }

  /** @returns {Promise<{ answer?: Response, failure?: string }>} */
  async #once(address, options, patience) {
    this.sent += 1;
    try {
      return { answer: await fetch(address, { signal: AbortSignal.timeout(patience), ...options }) };
    } catch (error) {
      return { failure: error.cause?.code ?? error.cause?.message ?? error.message };
    }
  }

  /** Waits until the rate has room for one more. */
  async #turn() {
    const now = performance.now();
    const turn = Math.max(now, this.#next);
    this.#next = turn + this.interval;
    if (turn > now) await setTimeout(turn - now);
    goOn();
  }
}

/** The bytes of an answer; more than `most` are an Unanswered. */
export async function bytes(answer, most) {
  const parts = [];
  let length = 0;
  try {
    for await (const part of answer.body ?? []) {
      length += part.length;
      if (length > most) throw new Unanswered(`${answer.url} answers with more than ${most} bytes`);
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Unanswered(`${answer.url} broke off (${error.cause?.code ?? error.message})`);
  }
  return Buffer.concat(parts);
}

/** The JSON object of an answer; anything else is an Unanswered. */
export async function json(answer, most) {
  const value = object(await bytes(answer, most));
  if (!value) throw new Unanswered(`${answer.url} answers with no JSON object`);
  return value;
}

/**
 * The JSON object that these bytes are, or nothing.
 *
 * @returns {any}
 */
export function object(text) {
  try {
    const value = JSON.parse(text.toString());
    return value && typeof value === "object" && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Does `work` on each, `most` at once; the results are in the order of `all`. The first that throws ends it. */
export async function each(all, most, work) {
  const results = new Array(all.length);
  let next = 0;
  let failed = false;
  const one = async () => {
    while (!failed && next < all.length) {
      const at = next;
      next += 1;
      try {
        results[at] = await work(all[at]);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, all.length) }, one));
  return results;
}
