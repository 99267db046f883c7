// The built worker with a world that tests can hold: databases that are counted, slowed and broken, a clock that is
// set, a mailbox that is read. The worker itself is not touched.

import { WorkerEntrypoint } from "cloudflare:workers";
import Index from "../../build/index.js";

const stage = { shift: 0, mails: [], behind: false };

const Clock = globalThis.Date;
globalThis.Date = class Date extends Clock {
  constructor(...words) {
    super(...(words.length ? words : [Date.now()]));
  }

  static now() {
    return Clock.now() + stage.shift;
  }
};

const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * What one request asked of the databases. A round trip is a call that the answer waits for: one that began when
 * another had ended follows it, and what has not ended when the answer is ready was not waited for.
 */
class Tally {
  calls = { DB: 0, SEARCH: 0 };
  statements = 0;
  rows = 0; // that the databases looked at, as D1 bills them
  rounds = 0;

  async count(database, statements, call) {
    const round = this.rounds + 1;
    try {
      const answer = await call();
      this.rows += answer.reduce((sum, { meta }) => sum + (meta?.rows_read ?? 0), 0);
      return answer;
    } finally {
      this.calls[database] += 1;
      this.statements += statements;
      this.rounds = Math.max(this.rounds, round);
    }
  }

  toString() {
    return JSON.stringify({ rounds: this.rounds, calls: this.calls, statements: this.statements, rows: this.rows });
  }
}

/**
 * A database that counts, and fails as it is told: `{"database": "DB", "call": 1, "when": "before"}`, with `call` every
 * one if it is missing, and `when`: "before" (nothing happens), "after" (it happens, but that is not said), or "slow"
 * (after `milliseconds`). The name of the class is what the worker knows a binding by.
 */
class D1Database {
  #name;
  #inner;
  #tally;
  #trouble;
  #replica;
  #begun = 0;

  constructor(name, inner, tally, trouble, replica) {
    this.#replica = replica;
    this.#name = name;
    this.#inner = inner;
    this.#tally = tally;
    this.#trouble = trouble;
  }

  prepare(sql) {
    return this.#inner.prepare(sql);
  }

  batch(statements) {
    return this.#tally.count(this.#name, statements.length, () => this.#troubled(() => this.#inner.batch(statements)));
  }

  /** A session that may read anywhere reads from the replica, where the stage has one that is behind. */
  withSession(constraint) {
    const anywhere = constraint === "first-unconstrained" && stage.behind && this.#replica;
    const session = (anywhere || this.#inner).withSession(constraint);
    const lent = new D1Database(this.#name, session, this.#tally, this.#trouble);
    lent.getBookmark = () => session.getBookmark();
    return lent;
  }

  async #troubled(call) {
    const number = (this.#begun += 1);
    const due = (trouble) => (trouble.database ?? this.#name) === this.#name && (trouble.call ?? number) === number;
    const trouble = this.#trouble.find(due);
    const fail = () => {
      throw new Error(`D1_ERROR: ${trouble.message ?? "Network connection lost."}`);
    };
    if (trouble?.when === "slow") await after(trouble.milliseconds);
    if (trouble?.when === "before") fail();
    const answer = await call();
    return trouble?.when === "after" ? fail() : answer;
  }
}

/** A cache that is out of order. */
const brokenCache = Object.fromEntries(
  ["get", "getWithMetadata", "put", "list", "delete"].map((name) => [name, async () => {
    throw new Error(`KV ${name.toUpperCase()} failed: 429 Too Many Requests`);
  }]),
);

const mailbox = {
  async send({ to, subject, text }) {
    stage.mails.push({ to, subject, text });
    return { messageId: String(stage.mails.length) };
  },
};

/** The bindings, as this request shall find them. `MAIL` is bound where the var of this name says "on". */
function lend(env, tally, { databases = [], cache } = {}) {
  const { DB, SEARCH, REPLICA, MAIL, ...rest } = env;
  return {
    ...rest,
    DB: new D1Database("DB", DB, tally, databases, REPLICA),
    SEARCH: new D1Database("SEARCH", SEARCH, tally, databases),
    ...(cache === "broken" ? { CACHE: brokenCache } : {}),
    ...(MAIL === "on" ? { MAIL: mailbox } : {}),
  };
}

/** What tests ask of the stage. */
function direct(url) {
  const value = url.searchParams.get("value");
  switch (url.pathname) {
    case "/__stage/clock":
      stage.shift = Number(value);
      return new Response();
    case "/__stage/behind":
      stage.behind = value === "true";
      return new Response();
    case "/__stage/clear":
      stage.mails = [];
      return new Response();
    case "/__stage/mail": {
      const mail = stage.mails.findLast(({ to }) => to === value);
      return mail ? new Response(mail.text) : new Response(`no mail was sent to ${value}`, { status: 404 });
    }
  }
  return new Response("no such thing", { status: 404 });
}

export default class extends WorkerEntrypoint {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/__stage/")) return direct(url);
    const tally = new Tally();
    const trouble = JSON.parse(request.headers.get("x-test-trouble") ?? "{}");
    const response = await new Index(this.ctx, lend(this.env, tally, trouble)).fetch(request);
    const counted = new Response(response.body, response);
    counted.headers.set("x-test-stats", String(tally));
    return counted;
  }

  scheduled(controller) {
    return new Index(this.ctx, lend(this.env, new Tally())).scheduled(controller);
  }
}
