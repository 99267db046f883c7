// The index as the tool beside a registry uses it: tokens for the registry, what the index knows, and what is reported to it.

import { randomUUID } from "node:crypto";
import { json } from "./registry-requests.mjs";
import { Failure } from "./steps.mjs";
import { shown } from "./texts.mjs";

/** Events of one request, and their bytes. */
const MOST_EVENTS = 500;
const LONGEST_EVENTS = 200_000;

/** Bytes of an answer. */
const LONGEST = 16 * 1024 * 1024;

/** What `npm run admin -- reconciler` prints. */
const TOKEN = /^hlc_[0-9a-f]{48}$/;

/** The reconciler's token of a text, or a Failure. */
export function checked(text, where) {
  const token = text.trim();
  if (TOKEN.test(token)) return token;
  throw new Failure(`${where} has no token of a reconciler: npm run admin -- reconciler SERVICE makes one`);
}

export class Index {
  #run = randomUUID();
  #reported = 0;

  /** The index at `address`; `credential` is the token of the reconciler of `service`. */
  constructor({ address, service, credential, requests }) {
    this.address = address.replace(/\/+$/, "");
    this.service = service;
    this.credential = credential;
    this.requests = requests;
  }

  /** A registry token with these scopes: `{ token, expires_in }`. */
  async token(scopes) {
    const query = new URLSearchParams([["service", this.service], ...scopes.map((scope) => ["scope", scope])]);
    const basic = Buffer.from(`reconciler:${this.credential}`).toString("base64");
    const answer = await this.#ask(`/token?${query}`, { headers: { authorization: `Basic ${basic}` } });
    if (typeof answer.token !== "string") throw new Failure(`${this.address}/token answers without a token`);
    return { token: answer.token, expires_in: Number(answer.expires_in) || 60 };
  }

  /**
   * What it knows of the registry: `tags` by repository and name, the `deletions` that wait, and since when it is
   * notified (`watchedSince`).
   *
   * @returns {Promise<{ tags: Map<string, Map<string, any>>, deletions: any[], watchedSince: string }>}
   */
  async known() {
    const tags = new Map();
    const first = await this.#first();
    for (let page = first; ; page = await this.#page(page.next)) {
      for (const { repository, tag, ...known } of page.tags) {
        if (!tags.has(repository)) tags.set(repository, new Map());
        tags.get(repository).set(tag, known);
      }
      if (page.next === null) break;
    }
    return { tags, deletions: first.deletions ?? [], watchedSince: first.watched_since };
  }

  /** Whether deletions wait. */
  async hasDeletions() {
    const { deletions = [] } = await this.#first();
    return deletions.length > 0;
  }

  async #first() {
    const first = await this.#page();
    if (first.service === this.service) return first;
    throw new Failure(`the token is that of the reconciler of ${shown(first.service)}, and not of ${this.service}`);
  }

  /** @param {string} [last] */
  async #page(last) {
    const page = await this.#ask(`/reconciler${last === undefined ? "" : `?${new URLSearchParams({ last })}`}`, {
      headers: { authorization: `Bearer ${this.credential}` },
    });
    if (!Array.isArray(page.tags) || page.next === undefined)
      throw new Failure(`${this.address}/reconciler answers with no list of tags: is it older than this hublet?`);
    return page;
  }

  /** Reports events, each without its id; gives lines about what the index did not take. */
  async report(events) {
    const [reasons, unknown] = [new Set(), new Set()];
    let odd = 0;
    for (const batch of batches(events.map((event) => ({ id: this.#id(), ...event })))) {
      const answer = await this.#ask("/reconciler", {
        method: "POST",
        headers: {
          authorization: `Bearer ${this.credential}`,
          "content-type": "application/json",
        },
        body: `{"events":[${batch.join(",")}]}`,
      });
      odd += Number(answer.not_understood) || 0;
      for (const reason of answer.reasons ?? []) reasons.add(reason);
      for (const name of answer.no_such_namespace ?? []) unknown.add(name.split("/")[0]);
    }
    const lines = [...unknown]
      .sort()
      .map((name) => `there is no namespace ${name}: npm run admin -- namespace ${name}`);
    return odd
      ? [...lines, `the index did not understand ${odd} of ${events.length} events: ${[...reasons].join("; ")}`]
      : lines;
  }

  /** One that no event ever had; a request that is sent again has the same. */
  #id() {
    this.#reported += 1;
    return `${this.#run}-${this.#reported}`;
  }

  async #ask(path, options) {
    const answer = await this.requests.send(`${this.address}${path}`, options);
    if (answer.status === 200) return json(answer, LONGEST);
    const said = await json(answer, LONGEST).catch(() => ({}));
    const message = said.errors?.[0]?.message ?? said.message;
    const words = typeof message === "string" ? ` (${shown(message)})` : "";
    const cure = answer.status === 401 ? ": npm run admin -- reconciler SERVICE makes a new token" : "";
    throw new Failure(`${this.address}${path.split("?")[0]} answers ${answer.status}${words}${cure}`);
  }
}

/** Events as JSON, in lists that one request takes. */
export function batches(events) {
  const all = [];
  let length = Number.POSITIVE_INFINITY;
  for (const text of events.map((event) => JSON.stringify(event))) {
    length += Buffer.byteLength(text) + 1;
    if (length > LONGEST_EVENTS || all.at(-1).length === MOST_EVENTS) {
      all.push([]);
      length = Buffer.byteLength(text) + 1;
    }
    all.at(-1).push(text);
  }
  return all;
}
