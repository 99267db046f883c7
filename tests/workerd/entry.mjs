// The built worker with a platform that tests control: databases that are counted, slowed and broken, a clock that is
// set or stands still at the `now` of a request, a mailbox that is read. The worker itself is not touched.

import { WorkerEntrypoint } from "cloudflare:workers";
import { crossings, memory } from "./program.mjs"; // before the worker, which it watches
import built from "../../build/index.js";
import { dump, restore } from "./dump.mjs";

/** A build from before hublet had an entry module of its own has a class for it. */
const index =
  typeof built !== "function"
    ? built
    : {
        fetch: (request, env, ctx) => new built(ctx, env).fetch(request),
        scheduled: (controller, env, ctx) => new built(ctx, env).scheduled(controller),
      };

const state = { changing: false, shift: 0, now: undefined, mails: [], behind: false, vars: {} };

const Clock = globalThis.Date;
globalThis.Date = class extends Clock {
  constructor(...words) {
    super(...(words.length ? words : [Date.now()]));
  }

  static now() {
    return (state.now ?? Clock.now()) + state.shift;
  }
};

const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A number from 0 to 1 that a seed always gives. */
const random = (seed) => (((Math.sin(seed * 12.9898) * 43758.5453) % 1) + 1) % 1;

/** How much is still running: answers may go out before all is done that they began. */
let running = 0;

/**
 * Counts what is to follow the answer until it is over; gives what does so with other work, whose request lives until
 * then: a database ends what it was asked, whoever has given it up.
 */
function watching(ctx) {
  const follow = ctx.waitUntil.bind(ctx);
  const watch = (work) => {
    running += 1;
    const over = () => {
      running -= 1;
    };
    follow(work.then(over, over));
    return work;
  };
  Object.defineProperty(ctx, "waitUntil", { value: watch });
  return watch;
}

/** Waits until nothing runs any more. */
async function settled() {
  for (const end = Clock.now() + 10_000; running > 0; await after(2)) {
    if (Clock.now() > end) throw new Error("it never comes to its end");
  }
}

/**
 * What one request asked of the databases. A round trip is a call that the answer waits for: one that began when
 * another had ended follows it, and what has not ended when the answer is ready was not waited for.
 */
class CallCounter {
  calls = { DB: 0, SEARCH: 0 };
  asked = []; // each call as it began: the database, its number there, whether it only reads, whether it was waited for
  statements = 0;
  rows = 0; // that the databases looked at, as D1 bills them
  written = 0; // rows, each entry of an index among them
  rounds = 0;
  crossings = -crossings(); // calls between the program and JavaScript until the answer, if no other request is served

  constructor(watch) {
    this.watch = watch;
  }

  /** A call that begins. */
  begin(database, reads) {
    const call = this.asked.filter((other) => other.database === database).length + 1;
    const asked = { database, call, reads };
    this.asked.push(asked);
    return asked;
  }

  /** The answer is ready. */
  answered() {
    this.crossings += crossings();
    for (const asked of this.asked) asked.waited = Boolean(asked.ended);
  }

  async count(asked, statements, call) {
    const round = this.rounds + 1;
    try {
      const answer = await call();
      this.rows += answer.reduce((sum, { meta }) => sum + (meta?.rows_read ?? 0), 0);
      this.written += answer.reduce((sum, { meta }) => sum + (meta?.rows_written ?? 0), 0);
      return answer;
    } finally {
      asked.ended = true;
      this.calls[asked.database] += 1;
      this.statements += statements;
      this.rounds = Math.max(this.rounds, round);
    }
  }

  toString() {
    const { rounds, calls, statements, rows, written, crossings, asked } = this;
    return JSON.stringify({ rounds, calls, statements, rows, written, crossings, asked });
  }
}

/** A statement that can say what it is. */
class Statement {
  constructor(sql, inner) {
    this.sql = sql;
    this.inner = inner;
  }

  bind(...values) {
    return new Statement(this.sql, this.inner.bind(...values));
  }

  get reads() {
    return /^\s*(select|with(?![\s\S]*\b(insert|update|delete) )[\s\S]*)\b/.test(this.sql);
  }
}

/**
 * A database that counts, and fails as it is told: `{"database": "DB", "call": 1, "when": "before"}`, with `call` every
 * one if it is missing (`times`: so many from that one on), and `when`: "before" (nothing happens), "after" (it happens,
 * but that is not said), "slow" (after `milliseconds`), or "jitter" (up to so many before and
 * after it, as `seed` says). The name of the class is what the worker knows a binding by.
 */
class D1Database {
  #name;
  #inner;
  #counter;
  #trouble;
  #replica;

  constructor(name, inner, counter, trouble, replica) {
    this.#replica = replica;
    this.#name = name;
    this.#inner = inner;
    this.#counter = counter;
    this.#trouble = trouble;
  }

  prepare(sql) {
    return new Statement(sql, this.#inner.prepare(sql));
  }

  batch(statements) {
    const asked = this.#counter.begin(
      this.#name,
      statements.every(({ reads }) => reads),
    );
    const inner = statements.map((statement) => statement.inner);
    const call = () => this.#troubled(asked.call, () => this.#inner.batch(inner));
    return this.#counter.watch(this.#counter.count(asked, statements.length, call));
  }

  /** A session that may read anywhere reads from the replica, if a test set it behind. */
  withSession(constraint) {
    const anywhere = constraint === "first-unconstrained" && state.behind && this.#replica;
    const session = (anywhere || this.#inner).withSession(constraint);
    const wrapped = new D1Database(this.#name, session, this.#counter, this.#trouble);
    wrapped.getBookmark = () => session.getBookmark();
    return wrapped;
  }

  async #troubled(number, call) {
    const meant = ({ call, times = 1 }) => call === undefined || (call <= number && number < call + times);
    const trouble = this.#trouble.find((trouble) => (trouble.database ?? this.#name) === this.#name && meant(trouble));
    const fail = () => {
      throw new Error(`D1_ERROR: ${trouble.message ?? "Network connection lost."}`);
    };
    if (trouble?.when === "slow") await after(trouble.milliseconds);
    if (trouble?.when === "jitter") await after(random(trouble.seed + number) * trouble.milliseconds);
    if (trouble?.when === "before") fail();
    const answer = await call();
    if (trouble?.when === "jitter") await after(random(trouble.seed - number) * trouble.milliseconds);
    return trouble?.when === "after" ? fail() : answer;
  }
}

/** A binding that is out of order. */
const broken = (name, ...methods) =>
  Object.fromEntries(
    methods.map((method) => [
      method,
      async () => {
        throw new Error(`${name} ${method} failed: 429 Too Many Requests`);
      },
    ]),
  );
class KvNamespace {}
class Ratelimit {}
const down = {
  CACHE: Object.assign(new KvNamespace(), broken("KV", "get", "getWithMetadata", "put", "list", "delete")),
  MAIL: broken("mail", "send"),
  LOGIN_LIMIT: Object.assign(new Ratelimit(), broken("rate limit", "limit")),
  ANONYMOUS_LIMIT: Object.assign(new Ratelimit(), broken("rate limit", "limit")),
  WRITE_LIMIT: Object.assign(new Ratelimit(), broken("rate limit", "limit")),
};

const mailbox = {
  async send({ to, subject, text }) {
    state.mails.push({ to, subject, text });
    return { messageId: String(state.mails.length) };
  },
};

/**
 * The bindings, as this request shall find them: `databases` as above, others `down` or `absent` by their names. `MAIL`
 * is bound where the var of this name says "on".
 */
function wrap(env, counter, { databases = [], down: out = [], absent = [] } = {}) {
  const { MAIL, REPLICA, ...wrapped } = { ...env, ...state.vars };
  wrapped.DB = new D1Database("DB", env.DB, counter, databases, REPLICA);
  wrapped.SEARCH = new D1Database("SEARCH", env.SEARCH, counter, databases);
  if (MAIL === "on") wrapped.MAIL = mailbox;
  for (const name of out) if (name in wrapped) wrapped[name] = down[name];
  for (const name of absent) delete wrapped[name];
  return wrapped;
}

/**
 * Lets the next request meet a program that has computed nothing, with memory of its own: it reads its settings once. So
 * does the entry module after a panic.
 */
function beginAnew() {
  dispatchEvent(new ErrorEvent("error", { error: new WebAssembly.RuntimeError("to be begun anew") }));
}

/** What tests ask for between requests. */
async function direct(url, request, env, ctx) {
  const value = url.searchParams.get("value");
  switch (url.pathname) {
    case "/__test/clock":
      state.shift = Number(value);
      return new Response();
    case "/__test/vars":
      // A new program ends what waits for the old one: nothing does then.
      state.changing = true;
      try {
        state.vars = await request.json();
        await settled();
        beginAnew();
      } finally {
        state.changing = false;
      }
      return new Response();
    case "/__test/memory":
      return new Response(String(memory()));
    case "/__test/behind":
      state.behind = value === "true";
      return new Response();
    case "/__test/clear":
      state.mails = [];
      return new Response();
    case "/__test/mail": {
      const mail = state.mails.findLast(({ to, text }) => to === value && text.includes("#"));
      return mail
        ? new Response(mail.text)
        : new Response(`no mail was sent to ${value} whose link carries a secret`, { status: 404 });
    }
    case "/__test/scheduled": {
      const counter = new CallCounter(watching(ctx));
      const trouble = JSON.parse(value || "{}");
      state.now = trouble.now;
      await index.scheduled({ cron: "* * * * *", scheduledTime: Date.now() }, wrap(env, counter, trouble), ctx);
      await settled();
      return new Response(String(counter));
    }
    case "/__test/batch": {
      const database = env[value];
      await database.batch((await request.json()).map((sql) => database.prepare(sql)));
      return new Response();
    }
    case "/__test/catch-up":
      await settled();
      await restore(env, { REPLICA: (await dump(env)).DB }, ["REPLICA"]);
      return new Response();
    case "/__test/dump":
      await settled();
      return Response.json(await dump(env));
    case "/__test/restore":
      await settled();
      await restore(env, await request.json(), value.split(","));
      return new Response();
  }
  return new Response("no such thing", { status: 404 });
}

export default class extends WorkerEntrypoint {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/__test/")) return direct(url, request, this.env, this.ctx);
    const counter = new CallCounter(watching(this.ctx));
    const trouble = JSON.parse(request.headers.get("x-test-trouble") ?? "{}");
    state.now = trouble.now;
    while (state.changing) await after(2);
    running += 1;
    let response;
    try {
      response = await index.fetch(request, wrap(this.env, counter, trouble), this.ctx);
    } finally {
      running -= 1;
    }
    counter.answered();
    if (trouble.settle) await settled();
    const counted = new Response(response.body, response);
    counted.headers.set("x-test-stats", String(counter));
    return counted;
  }

  scheduled(controller) {
    return index.scheduled(controller, wrap(this.env, new CallCounter(watching(this.ctx))), this.ctx);
  }
}
