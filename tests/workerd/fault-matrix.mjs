// Every request of endpoints.mjs, every call that it makes of a database, every way in which that goes wrong.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../tools/lib/steps.mjs";
import { seedDatabases, renew, requests, vars } from "./endpoints.mjs";
import { dialect, methods, patterns } from "./routes.mjs";
import { recorded, startWorker } from "./app.mjs";
import { AGAIN, difference, LATE, Truth, untold } from "./states.mjs";

const overloaded = "D1 DB is overloaded. Too many requests queued.";
const exporting = "Currently processing a long-running export.";
const missing = "no such table: users: SQLITE_ERROR";

/** What goes wrong with one call, and whether a read gets over it by asking once more. */
export const faults = {
  "fails before": { trouble: { when: "before" }, passes: true },
  "takes effect and is reported as failed": { trouble: { when: "after" }, passes: true },
  "fails twice": { trouble: { when: "before", times: 2 }, reads: true },
  "is refused, since the database is overloaded": { trouble: { when: "before", message: overloaded } },
  "meets an export of the database": { trouble: { when: "before", message: exporting } },
  "finds no tables": { trouble: { when: "before", message: missing } },
};

/** Milliseconds after which the worker gives up, and that a slow call takes. */
const PATIENCE = 200;
const SLOW = 260;

/** Seconds after which what is good for five minutes is renewed. */
const RENEWED = 120;

export class Matrix {
  cases = 0;
  #last = {};
  #texts = {};
  #shift = 10;
  #loggedIn = 0;
  /** What may be other than at the start. */
  #touched = new Set(["DB", "SEARCH", "CACHE"]);

  /** One of several that share the requests among them, each with a fixture of its own. */
  static async start(lane, lanes) {
    const matrix = new Matrix();
    matrix.worker = await startWorker(vars);
    const fixture = await seedDatabases(matrix.worker);
    matrix.as = fixture.as;
    matrix.all = requests(fixture);
    matrix.requests = matrix.all.filter((_, at) => at % lanes === lane);
    matrix.start = await matrix.#dump();
    matrix.#texts = Object.fromEntries(
      Object.entries(matrix.start).map(([name, tables]) => [name, JSON.stringify(tables)]),
    );
    matrix.truth = new Truth(matrix.start);
    // What is written from now on has other times than the fixture.
    await matrix.#later(0);
    return matrix;
  }

  stop() {
    return this.worker.stop();
  }

  async #dump() {
    const state = JSON.parse(await this.worker.direct("dump"));
    for (const [name, text] of Object.entries(this.#texts)) {
      if (JSON.stringify(state[name]) === text) this.#touched.delete(name);
      else this.#touched.add(name);
    }
    this.#last = state;
    return state;
  }

  #later(seconds) {
    this.#shift += seconds;
    return this.worker.direct("clock", this.#shift * 1000);
  }

  async #restore() {
    if (this.#touched.size) await this.worker.direct("restore", [...this.#touched], this.start);
    this.#touched.clear();
    this.#last = this.start;
    if (Date.now() - this.#loggedIn < RENEWED * 1000) return;
    await renew(this.worker, this.as);
    this.#loggedIn = Date.now();
  }

  async #ask({ request, who, sent }, trouble = {}) {
    const body = sent === undefined || typeof sent === "string" ? sent : JSON.stringify(sent);
    const answer = await this.worker.ask(request, {
      headers: this.as[who],
      body,
      trouble: { settle: true, ...trouble },
    });
    if (!readsOnly(answer)) for (const name of ["DB", "SEARCH"]) this.#touched.add(name);
    if (request.includes("search")) this.#touched.add("CACHE");
    return answer;
  }

  /** Asks, and looks what is there afterwards; where every call only read, that is looked at once, at the end. */
  async #then(request, trouble) {
    const answer = await this.#ask(request, trouble);
    const state = readsOnly(answer) ? this.#last : await this.#dump();
    assert.deepEqual(untold(state, { patient: true }), [], "search was told nothing, and will not be");
    return { answer, state };
  }

  /** How the request goes when nothing goes wrong: asked once, and once more. */
  async learn(request) {
    const both = async () => {
      await this.#later(1);
      await this.#restore();
      return [await this.#then(request), await this.#then(request)];
    };
    const probe = await both();
    request.good = await both();
    for (const at of [0, 1]) this.truth.learn(probe[at].state, request.good[at].state);
    request.same = !request.reports && probe[0].answer.body === request.good[0].answer.body;
  }

  /** The truths before the request, after it, and after a second one; when all columns are known that vary. */
  settle(request) {
    request.truths = [this.start, ...request.good.map(({ state }) => state)].map((state) => this.truth.of(state));
    request.changes = request.truths[0] !== request.truths[1];
    const [once, twice] = request.good.map(({ state }) => this.truth.of(state, AGAIN));
    if (request.again) assert.notEqual(once, twice, `a second one changes nothing, so ${request.again} is not so`);
    else assert.equal(once, twice, `a second one changes: ${difference(once, twice)}`);
  }

  /** Which of the truths a state is: of equal ones the first. */
  #which(request, state) {
    const truth = this.truth.of(state);
    const which = request.truths.indexOf(truth);
    assert.notEqual(which, -1, `neither before nor after:${difference(truth, request.truths[1])}`);
    return which;
  }

  /**
   * One case: asked in trouble, then again without. `well` says that the answer must be as if nothing were wrong; else
   * it may also be that the index is out of order, with `retry` when to come back.
   */
  async play(request, trouble, { well = false, ill = false, retry = true, anything = false, again = false } = {}) {
    await this.#restore();
    const { answer, state } = await this.#then(request, trouble);
    const good = request.good[0].answer;
    const which = anything ? 0 : this.#which(request, state);
    assert.ok(which < 2, "done twice");
    if (answer.status === good.status && !ill) {
      if (request.same && !anything) assert.equal(answer.body, good.body);
      if (!anything) assert.equal(which, request.changes ? 1 : 0, "it was told to be done, and is not");
    } else {
      assert.ok(!well, `${answer.status} ${answer.body} instead of ${good.status}`);
      outOfOrder(request.request, answer, retry);
    }
    // From where nothing is on its way, how it goes is known.
    const onItsWay = state.DB.outbox.length > 0 || untold(state, { patient: false }).length > 0;
    if (!anything && (again || onItsWay)) await this.#repeat(request, which);
    this.cases += 1;
    return answer;
  }

  /** The client asks again, and all is well. */
  async #repeat(request, which) {
    const { answer, state: end } = await this.#then(request);
    const good = request.good[which].answer;
    assert.equal(answer.status, good.status, `asked again: ${answer.status} ${answer.body}`);
    const truth = this.truth.of(end);
    assert.equal(truth, request.truths[which + 1], `asked again:${difference(truth, request.truths[which + 1])}`);
    await this.#mended(end);
    if (request.ends) await this.#ended(request, answer, end);
  }

  /** Search holds the truth, or does so after the scheduled run of a minute later. */
  async #mended(state) {
    if (!untold(state, { patient: false }).length) return;
    await this.worker.direct("clock", (this.#shift + 61) * 1000);
    await this.worker.direct("scheduled");
    await this.worker.direct("clock", this.#shift * 1000);
    assert.deepEqual(untold(await this.#dump(), { patient: false }), [], "search was never told");
  }

  /** Who asks until there is nothing to do has what was wanted. */
  async #ended(request, answer, state) {
    for (let more = 3; more && [202, 503].includes(answer.status); more -= 1)
      ({ answer, state } = await this.#then(request));
    assert.ok(request.ends(state), `it does not end: ${answer.status}`);
  }

  /** Every call of the request, in every way but slowly. */
  async calls(request) {
    for (const { database, call, reads } of request.good[0].answer.stats.asked) {
      for (const [name, { trouble, passes, reads: only }] of Object.entries(faults)) {
        if (only && !reads) continue;
        await named(`${request.name}: call ${call} of ${database} ${name}`, async () => {
          const retry = trouble.message !== missing;
          const answer = await this.play(
            request,
            { databases: [{ database, call, ...trouble }] },
            { well: passes && reads, retry, again: passes },
          );
          const met = answer.stats.asked.filter((asked) => asked.database === database);
          assert.ok(met.length >= call, "the call was not made");
          if (passes && reads) assert.ok(met.length > call, "the read was not tried again");
          if (only && answer.status === 503) assert.equal(met.length, call + 1, "the read was tried more than twice");
        });
      }
    }
  }

  /** Everything that is bound, out of order or absent. */
  async bindings(request) {
    const asksDatabase = request.good[0].answer.stats.asked.some(({ database }) => database === "DB");
    const needs = [...request.needs, ...(asksDatabase ? ["DB"] : [])];
    const play = (name, trouble, expected) =>
      named(`${request.name}: ${name}`, () => this.play(request, trouble, expected));
    for (const name of ["DB", "SEARCH"]) {
      const needed = { well: !needs.includes(name), ill: needs.includes(name) };
      await play(`${name} is down`, { databases: [{ database: name, when: "before" }] }, needed);
      await play(`${name} is absent`, { absent: [name] }, { ...needed, retry: false });
    }
    // Mail follows the answer: that it cannot be sent is seen only by its absence, which makes other accounts.
    const limits = ["LOGIN_LIMIT", "ANONYMOUS_LIMIT", "WRITE_LIMIT"];
    for (const name of ["CACHE", "MAIL", ...limits]) await play(`${name} is down`, { down: [name] }, { well: true });
    for (const name of ["CACHE", ...limits]) await play(`${name} is absent`, { absent: [name] }, { well: true });
    const mails = needs.includes("MAIL");
    await play("MAIL is absent", { absent: ["MAIL"] }, { well: !mails, ill: mails, retry: false, anything: true });
  }

  /** HEAD fails as GET does, without a body; OPTIONS needs nothing. */
  async head(request) {
    const target = request.request.split(" ")[1];
    const troubles = { databases: [{ when: "before" }] };
    for (const method of ["HEAD", "OPTIONS"]) {
      await this.#restore();
      const answer = await this.#ask({ ...request, request: `${method} ${target}`, sent: undefined }, troubles);
      const asks = request.good[0].answer.stats.asked.some(({ database }) => !request.without.includes(database));
      const expected = { HEAD: asks ? 503 : request.good[0].answer.status, OPTIONS: 204 }[method];
      assert.equal(answer.status, expected, `${method} ${target}`);
      assert.equal(answer.body, "");
      assert.ok(answer.headers.get("x-request-id"));
      this.cases += 1;
    }
  }

  /** What was only read is as it was. */
  async unread() {
    await this.#restore();
    await this.#dump();
    assert.deepEqual([...this.#touched], []);
  }

  /** From here on the worker gives up a database that takes too long. */
  async hurry() {
    await this.worker.set({ ...vars, DATABASE_TIMEOUT: String(PATIENCE) });
    await this.#later(0);
  }

  /** Every call of the request, slowly: asked again when it has come to its end, and at once. */
  async slowly(request) {
    for (const asked of request.good[0].answer.stats.asked) {
      const { database, call, reads, waited } = asked;
      const trouble = { databases: [{ database, call, when: "slow", milliseconds: SLOW }] };
      await named(`${request.name}: call ${call} of ${database} is slow`, () => this.#slow(request, asked, trouble));
      if (waited && !reads)
        await named(`${request.name}: call ${call} of ${database} is slow, and it is asked again at once`, () =>
          this.#impatient(request, trouble),
        );
    }
  }

  /** An answer that waits for the call says in time that it did not; any other is as if nothing were wrong. */
  async #slow(request, { database, call, waited }, trouble) {
    const good = request.good[0].answer;
    let answer, state, met;
    // On a slow machine it may be another call that is given up.
    for (let more = 3; more; more -= 1) {
      await this.#restore();
      ({ answer, state } = await this.#then(request, trouble));
      met = answer.stats.asked.find((asked) => asked.database === database && asked.call === call);
      if (waited ? met : answer.status === good.status) break;
    }
    assert.ok(met, "the call was not made");
    assert.ok(!met.waited, `it was waited for to its end: ${answer.status}`);
    if (waited && !(request.reports && database !== "DB")) outOfOrder(request.request, answer, true);
    else assert.equal(answer.status, good.status, answer.body);
    if (answer.status === good.status) assert.equal(this.#which(request, state), request.changes ? 1 : 0);
    // A slow machine is given up on as a slow database is: then whoever asks does so once more.
    for (let more = 5; more; more -= 1) {
      const which = this.#which(request, state);
      ({ answer, state } = await this.#then(request));
      if (answer.status === 503) continue;
      assert.equal(answer.status, request.good[which].answer.status, answer.body);
      assert.equal(this.#which(request, state), request.truths.indexOf(request.truths[which + 1]));
      await this.#mended(state);
      this.cases += 1;
      return;
    }
    throw new Error("the machine is too slow for this");
  }

  /** What was given up takes effect after what was asked again: as if both had been asked, or one. */
  async #impatient(request, trouble) {
    await this.#restore();
    const given = await this.#ask(request, { ...trouble, settle: false });
    assert.equal(given.status, 503, given.body);
    for (let more = 5; more; more -= 1) if ((await this.#ask(request)).status !== 503) break;
    const state = await this.#dump();
    const ends = request.good.map(({ state }) => this.truth.of(state, LATE));
    const truth = this.truth.of(state, LATE);
    assert.ok(ends.includes(truth), `neither once nor twice:${difference(truth, ends[0])}`);
    await this.#mended(state);
    this.cases += 1;
  }

  /** The methods and routes that were asked, as the log has them. */
  asked() {
    const logged = new Map(
      this.worker.logs().flatMap(({ message }) => {
        const [, line] = /(\{.*\})/.exec(message) ?? [];
        const { request, route } = line ? JSON.parse(line) : {};
        return route ? [[request, route]] : [];
      }),
    );
    return this.requests.map(({ request, good }) => {
      const route = logged.get(good[0].answer.headers.get("x-request-id"));
      assert.ok(route, `${request} was not logged`);
      return `${request.split(" ")[0]} ${route}`;
    });
  }

  /** The methods and routes that are served. What every route answers to HEAD and OPTIONS follows from the others. */
  async served() {
    const all = [];
    for (const pattern of patterns()) {
      for (const method of await methods(this.worker, pattern)) all.push(`${method} ${pattern}`);
    }
    return all.filter((pair) => !/^(HEAD|OPTIONS) /.test(pair));
  }

  /** The scheduled run, with every call failing in every way: the next one does what is left. */
  async scheduled() {
    await this.#restore();
    const down = { databases: [{ database: "SEARCH", when: "before" }], settle: true };
    for (const who of ["app", "starred"]) {
      await this.worker.succeed(`PUT /v1/repositories/paul/${who}/images`, {
        headers: this.as.paul,
        body: "[]",
        trouble: down,
      });
    }
    const left = await this.#dump();
    assert.equal(left.DB.outbox.length, 2);
    const run = async (trouble = {}) => JSON.parse(await this.worker.direct("scheduled", JSON.stringify(trouble)));
    const begin = () => this.worker.direct("restore", "DB,SEARCH", left);
    const { asked } = await run();
    const good = this.truth.of(await this.#dump());
    for (const { database, call } of asked) {
      for (const [name, { trouble }] of Object.entries(faults)) {
        await named(`the scheduled run: call ${call} of ${database} ${name}`, async () => {
          await begin();
          await run({ databases: [{ database, call, ...trouble }] });
          assert.deepEqual(untold(await this.#dump(), { patient: true }), []);
          await run();
          const end = await this.#dump();
          assert.deepEqual(untold(end, { patient: false }), []);
          assert.deepEqual(end.DB.outbox, []);
          assert.equal(this.truth.of(end), good);
          this.cases += 1;
        });
      }
    }
  }
}

/** Every request to a worker that was deployed before its migrations: it works, or says so and has changed nothing. */
export class Unmigrated {
  cases = 0;

  constructor({ as, all, start }) {
    Object.assign(this, { as, all, start });
  }

  /** How many migrations there are. */
  static migrations = readdirSync(path.join(root, "src/store/migrations/db")).sort();

  /** With so many migrations of `DB`, and those of `SEARCH` or none; how many were refused. */
  async ask(many, searches) {
    this.worker = await startWorker(vars, { migrated: searches ? ["SEARCH"] : [] });
    try {
      const { DB } = await this.worker.env();
      const applied = Unmigrated.migrations.slice(0, many);
      for (const file of applied) {
        const sql = readFileSync(path.join(root, "src/store/migrations/db", file), "utf8").replace(/--.*$/gm, "");
        // What a trigger does is written further in.
        await DB.batch(
          sql
            .split(/;\n(?! |end)/)
            .filter((text) => text.trim())
            .map((text) => DB.prepare(text)),
        );
      }
      if (many) await DB.batch(recorded(applied).map((text) => DB.prepare(text)));
      let refused = 0;
      for (const request of this.all)
        refused += await named(`${request.name}, with ${many} migrations`, () => this.#one(request, searches));
      return refused;
    } finally {
      await this.worker.stop();
    }
  }

  async #one({ request, who, sent, needs }, searches) {
    await this.worker.direct("restore", "DB,SEARCH,CACHE", this.start);
    const dump = async () => JSON.parse(await this.worker.direct("dump"));
    const { DB: before } = await dump();
    const body = sent === undefined || typeof sent === "string" ? sent : JSON.stringify(sent);
    const answer = await this.worker.ask(request, { headers: this.as[who], body, trouble: { settle: true } });
    this.cases += 1;
    if (answer.status < 500) return 0;
    outOfOrder(request, answer, false);
    // Half of what needs both may be done: the matrix sees to what becomes of it.
    if (!searches && needs.includes("SEARCH")) return 1;
    // Search may have hidden ahead what then did not come about.
    const { DB: behind } = await dump();
    assert.ok(JSON.stringify(behind) === JSON.stringify(before), "something has changed");
    return 1;
  }
}

const readsOnly = (answer) => answer.stats.asked.every(({ reads }) => reads);

/** Says in which case something was wrong. */
async function named(name, work) {
  try {
    return await work();
  } catch (error) {
    error.message = `${name}: ${error.message}`;
    throw error;
  }
}

/** A documented answer of an index that is out of order, in the dialect of the path, which names the request. */
function outOfOrder(request, answer, retry) {
  const said = `${answer.status} ${answer.body}`;
  assert.equal(answer.status, 503, said);
  const id = answer.headers.get("x-request-id");
  assert.match(id, /^[0-9a-f-]{16,}$/);
  if (retry) assert.match(answer.headers.get("retry-after") ?? "none", /^\d+$/, said);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.equal(answer.headers.get("x-docker-token"), null);
  assert.equal(answer.headers.get("www-authenticate"), null);
  assert.doesNotMatch(answer.body, /D1|SQL|table|binding/, said);
  forms[dialect(request.split(" ")[1])](answer, id);
}

const forms = {
  v1: (answer, id) => {
    assert.equal(typeof answer.json(), "string");
    assert.ok(answer.json().includes(id));
  },
  hub: (answer) => {
    const { message, detail, errinfo } = answer.json();
    assert.ok(message);
    assert.equal(detail, message);
    assert.deepEqual(errinfo, {});
  },
  token: (answer) => {
    const { error, error_description: description, details, errors } = answer.json();
    assert.equal(error, "temporarily_unavailable");
    assert.ok(description);
    assert.equal(details, description);
    assert.deepEqual(errors, [{ code: "UNAVAILABLE", message: description }]);
  },
  health: (answer) => {
    const { status, problems, ...more } = answer.json();
    assert.equal(status, "down");
    assert.ok(problems.some((problem) => ["database", "migrations"].includes(problem)));
    assert.deepEqual(more, {});
  },
  page: (answer) => {
    assert.match(answer.headers.get("content-type"), /^text\/html/);
    assert.match(answer.body, /<html/);
  },
};
