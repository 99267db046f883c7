// Two builds of the worker, each in workerd with its own databases, that get the same requests at the same time of a clock
// that stands still between requests.

import http from "node:http";
import { buffer } from "node:stream/consumers";
import { breathe } from "../../tools/lib/steps.mjs";
import { startWorker } from "../workerd/app.mjs";
import { stage } from "../workerd/stage.mjs";
import { Labels } from "./labels.mjs";

/** Milliseconds between two requests: no request waits for another's Argon2 (150), and tokens of 5 minutes last for 1,500. */
const BETWEEN = 200;

/** Differences of a part after which it ends, and no more are printed: more of them have the same cause. */
export const ENOUGH = 20;

/** Headers that the platform or the harness sets, and not the worker. */
const BESIDE = ["date", "connection", "keep-alive", "content-length", "transfer-encoding", "x-test-stats"];

/** Sends exactly these headers and bytes; `fetch` would add and change some. */
function send(url, { method, target, headers, body }) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = url;
    const request = http.request(
      { hostname, port, method, path: target, headers, setHost: false, agent: false },
      async (response) => {
        const lines = response.rawHeaders.flatMap((name, at, all) =>
          at % 2 ? [] : [[name.toLowerCase(), all[at + 1]]],
        );
        resolve({
          status: response.statusCode,
          headers: new Headers(lines),
          body: (await buffer(response)).toString("latin1"),
        });
      },
    );
    request.on("error", reject).end(body);
  });
}

/** The text of an answer that is compared. */
function shown(answer) {
  if (answer instanceof Error) return answer.message;
  const { status, headers, body } = answer;
  const lines = [...headers].filter(([name]) => !BESIDE.includes(name)).map(([name, value]) => `${name}: ${value}`);
  return `${status}\n${lines.sort().join("\n")}\n\n${body}`;
}

/** Both builds and their differences. It has the methods of one worker (app.mjs), so that the same code can drive both. */
export class Sides {
  requests = 0;
  dumps = 0;
  lost = 0;
  differences = [];
  /** What is played now, to name a difference by. */
  playing = "";
  #labels = [new Labels(), new Labels()];
  // The present: the certificates of the tests are valid, and the pages compare times with their own clock.
  #now = Date.now();

  /** Gets each difference as it is found, up to ENOUGH. */
  onDifference = () => {};

  static async start(trees, vars = {}) {
    const sides = new Sides();
    const start = (tree, at) => startWorker(vars, { config: stage(tree, tree, `compare/${["first", "second"][at]}`) });
    sides.workers = await Promise.all(trees.map(start));
    return sides;
  }

  stop() {
    return Promise.all(this.workers.map((worker) => worker.stop()));
  }

  /** Moves the clock of both. */
  later(milliseconds) {
    this.#now += milliseconds;
  }

  get seconds() {
    return Math.floor(this.#now / 1000);
  }

  /** Does the same with both and compares the results; returns that of the first. */
  async both(what, work) {
    const results = await Promise.all(this.workers.map((worker, side) => work(worker, side)));
    this.same(
      what,
      results.map((result) => (typeof result === "string" ? result : JSON.stringify(result ?? null))),
    );
    return results[0];
  }

  /** Compares two texts. */
  same(what, texts) {
    const [one, other] = texts.map((text, side) => this.#labels[side].label(text));
    if (one !== other) this.differ(`${what}\n${apart(one, other)}`);
  }

  differ(what) {
    this.differences.push(`${this.playing}: ${what}`);
    if (this.many <= ENOUGH) this.onDifference(`${this.differences.at(-1)}\n`);
  }

  get many() {
    return this.differences.length;
  }

  /** Part of a request to the first build, with the values that the second build gave in the same places. */
  translated(text) {
    return this.#labels[0].translate(text, this.#labels[1]);
  }

  /** Sends a request to both and compares the answers, which come after all background work; `trouble` is the fault. */
  async send({ method, target, headers, body }, trouble = {}) {
    this.later(BETWEEN);
    const troubled = { "x-test-trouble": JSON.stringify({ settle: true, ...trouble, now: this.#now }) };
    const mine = { method, target, headers: { ...headers, ...troubled }, body };
    const others = {
      method,
      target: this.translated(target),
      headers: {
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, this.translated(value)])),
        ...troubled,
      },
      body: body && Buffer.from(this.translated(body.toString("latin1")), "latin1"),
    };
    const length = Object.keys(headers).find((name) => name.toLowerCase() === "content-length");
    if (length && others.body) others.headers[length] = String(others.body.length);
    const answers = await Promise.all([mine, others].map((request, side) => send(this.workers[side].url, request)));
    this.compare(`${method} ${target}`, answers);
    await breathe(`${this.requests} requests, ${this.many} differences, ${this.playing}`);
    return { ...answers[0], calls: answers.map(({ headers }) => JSON.parse(headers.get("x-test-stats")).asked) };
  }

  /** Sends raw bytes to both. An answer that the proxy of the harness lost is counted, and is no difference by itself. */
  async raw(wires, { method, bytes, text }) {
    this.later(BETWEEN);
    const end = bytes.indexOf("\r\n") + 2;
    const line = `x-test-trouble: ${JSON.stringify({ settle: true, now: this.#now })}\r\n`;
    const [start, rest] = [bytes.subarray(0, end), bytes.subarray(end)].map((part) => part.toString("latin1"));
    const sent = [start + line + rest, this.translated(start) + line + this.translated(rest)];
    const ask = async (wire, side) => {
      const answer = await wire.send(Buffer.from(sent[side], "latin1"), { bodiless: method === "HEAD" });
      return { ...answer, body: answer.body.toString("latin1") };
    };
    const answers = await Promise.all(wires.map((wire, side) => ask(wire, side).catch((error) => error)));
    const isLost = (answer) =>
      answer instanceof Error
        ? /ended before an answer/.test(answer.message)
        : answer.status === 500 &&
          !answer.headers.has("x-request-id") &&
          answer.body.includes("Network connection lost");
    const lost = answers.filter(isLost).length;
    this.lost += lost;
    if (!lost) this.compare(text, answers);
    await breathe(`${this.requests} requests, ${this.many} differences`);
  }

  /** Runs the job of every minute. */
  async scheduled() {
    const trouble = JSON.stringify({ now: this.#now });
    await Promise.all(this.workers.map((worker) => worker.direct("scheduled", trouble)));
  }

  /** Compares two answers. */
  compare(what, answers) {
    this.requests += 1;
    this.same(what, answers.map(shown));
  }

  /** Like `ask` of one worker; `calls` are those of each build to its databases. */
  async ask(request, { headers = {}, body, trouble } = {}) {
    const [method, target] = request.split(" ");
    const { host } = this.workers[0].url;
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const sized = bytes ? { "content-length": String(bytes.length) } : {};
    const answer = await this.send({ method, target, headers: { host, ...headers, ...sized }, body: bytes }, trouble);
    const text = Buffer.from(answer.body, "latin1").toString();
    return { ...answer, body: text, json: () => JSON.parse(text) };
  }

  async succeed(request, init) {
    const answer = await this.ask(request, init);
    if (answer.status >= 300) throw new Error(`${this.playing}: ${request}: ${answer.status} ${answer.body}`);
    return answer;
  }

  direct(what, value, body) {
    return this.both(what, (worker) => worker.direct(what, value, body));
  }

  set(vars) {
    return Promise.all(this.workers.map((worker) => worker.set(vars)));
  }

  /** The secrets, which both share, and a database that runs each statement in both. */
  async env() {
    const envs = await Promise.all(this.workers.map((worker) => worker.env()));
    // A command may name what the first build gave, such as the UUID of a token.
    const given = (values, side) =>
      values.map((value) => (side && typeof value === "string" ? this.translated(value) : value));
    const statement = (pair) => ({
      pair,
      bind: (...values) => statement(pair.map((one, side) => one.bind(...given(values, side)))),
    });
    const both = (pair) => ({
      prepare: (sql) => statement(pair.map((database) => database.prepare(sql))),
      batch: async (statements) => {
        const answers = await Promise.all(
          pair.map((database, side) => database.batch(statements.map(({ pair }) => pair[side])).then(rows)),
        );
        // A command may list rows by texts that hold an id, so their order is not compared.
        this.same(
          "operator",
          answers.map((answer, side) =>
            answer.map(({ results }) => this.#labels[side].lines(results).join("\n")).join("\n\n"),
          ),
        );
        return answers[0];
      },
    });
    return { ...envs[0], DB: both(envs.map(({ DB }) => DB)) };
  }

  /** Compares all tables; returns them for `restore`. */
  async dump(what) {
    this.dumps += 1;
    const states = await Promise.all(this.workers.map(async (worker) => JSON.parse(await worker.direct("dump"))));
    this.same(
      `the tables after ${what}`,
      states.map((state, side) => this.#labels[side].sorted(state)),
    );
    return states;
  }

  restore(names, states) {
    return Promise.all(this.workers.map((worker, side) => worker.direct("restore", names, states[side])));
  }
}

const rows = (answers) => answers.map(({ results, success }) => ({ results, success, meta: {} }));

/** The first lines in which two texts differ, around the place. */
function apart(one, other) {
  const [mine, others] = [one, other].map((text) => text.split("\n"));
  const lines = Array.from({ length: Math.max(mine.length, others.length) }, (_, at) => at);
  const different = lines.filter((at) => mine[at] !== others[at]).slice(0, 6);
  const around = (line = "", from) => line.slice(Math.max(0, from - 80), from + 240);
  return different
    .flatMap((at) => {
      const [a, b] = [mine[at] ?? "", others[at] ?? ""];
      let from = 0;
      while (from < a.length && a[from] === b[from]) from += 1;
      return [`    - ${around(a, from)}`, `    + ${around(b, from)}`];
    })
    .join("\n");
}
