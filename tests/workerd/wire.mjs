// HTTP/1.1 by hand: bytes out, and an answer that must be well-formed in.

import net from "node:net";

/** What came back was no HTTP, or nothing came back. */
export class Malformed extends Error {}

/** Bytes of a part of a request. */
const PART = 65_536;

/** Milliseconds in which an answer to the first part alone, and to each later one, may come; longer at each attempt. */
const PAUSES = [
  { first: 25, later: 0 },
  { first: 25, later: 25 },
  { first: 250, later: 250 },
];

/** One connection, on which one request follows the other's answer. It is opened again when the other side closes it. */
export class Wire {
  #port;
  #socket;
  #buffer = Buffer.alloc(0);
  #ended = true;
  #wake = () => {};
  #patience;

  constructor(port) {
    this.#port = port;
  }

  /** Sends bytes and reads one answer; `bodiless` for HEAD. An answer to a request that is `broken` may be no more than an end. */
  async send(bytes, { bodiless, broken } = {}) {
    for (let attempt = 0; ; attempt += 1) {
      if (this.#ended) await this.#open();
      // To half a request no answer comes.
      this.#patience = broken ? 1_000 : 60_000;
      try {
        const whole = await this.#write(bytes, PAUSES[attempt]);
        const answer = await this.#answer(bodiless);
        // What follows a broken request, or half of one, on the same connection has no meaning.
        if (broken || !whole || /close/i.test(answer.headers.get("connection") ?? "")) this.close();
        return answer;
      } catch (error) {
        this.close();
        if (broken && error instanceof Malformed) return { status: 0, headers: new Map(), body: Buffer.alloc(0) };
        // The other side may close a connection just when it is used again, or while it is written to.
        const last = attempt + 1 === PAUSES.length;
        if (!(error instanceof Malformed) || error.message === "no answer" || last) throw error;
      }
    }
  }

  /**
   * Writes until there is an answer; gives whether that was all. A server that answers before it has read a body closes the
   * connection, and a write that fails by it takes the answer with it: so much is written in parts.
   */
  async #write(bytes, { first, later }) {
    const socket = this.#socket;
    let at = 0;
    while (at < bytes.length && !this.#ended && !this.#buffer.length) {
      if (at) await new Promise((resolve) => setTimeout(resolve, at === PART ? first : later));
      if (this.#ended || this.#buffer.length) break;
      socket.write(bytes.subarray(at, at + PART));
      at += PART;
    }
    return at >= bytes.length;
  }

  close() {
    this.#ended = true;
    this.#socket?.destroy();
  }

  async #open() {
    this.#buffer = Buffer.alloc(0);
    const socket = net.connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    this.#ended = false;
    const end = () => {
      if (this.#socket !== socket) return;
      this.#ended = true;
      this.#wake();
    };
    socket.on("data", (part) => {
      if (this.#socket !== socket) return;
      this.#buffer = this.#buffer.length ? Buffer.concat([this.#buffer, part]) : part;
      this.#wake();
    });
    socket.on("error", end).on("close", end);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  }

  async #answer(bodiless) {
    const head = (await this.#until("\r\n\r\n")).toString("latin1");
    const [start, ...lines] = head.slice(0, -4).split("\r\n");
    const status = Number(/^HTTP\/1\.1 ([1-5]\d\d) ?[\x20-\x7e]*$/.exec(start)?.[1]);
    if (!status) throw new Malformed(`no status line: ${JSON.stringify(start)}`);
    const headers = new Map();
    for (const line of lines) {
      const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)$/.exec(line) ?? [];
      if (!name) throw new Malformed(`no header: ${JSON.stringify(line)}`);
      if (headers.has(name.toLowerCase())) throw new Malformed(`twice: ${name}`);
      headers.set(name.toLowerCase(), value);
    }
    if (status === 100) return this.#answer(bodiless);
    return { status, headers, body: await this.#body(status, headers, bodiless) };
  }

  async #body(status, headers, bodiless) {
    if (bodiless || status === 204 || status === 304) return Buffer.alloc(0);
    if (/chunked/i.test(headers.get("transfer-encoding") ?? "")) {
      const parts = [];
      for (;;) {
        const size = Number.parseInt((await this.#until("\r\n")).toString("latin1"), 16);
        if (Number.isNaN(size)) throw new Malformed("no size of a chunk");
        const part = await this.#take(size + 2);
        if (part.subarray(size).toString() !== "\r\n") throw new Malformed("a chunk without its end");
        if (!size) return Buffer.concat(parts);
        parts.push(part.subarray(0, size));
      }
    }
    const length = headers.get("content-length");
    if (!/^\d+$/.test(length ?? "")) throw new Malformed(`no length of a ${status}: ${length}`);
    return this.#take(Number(length));
  }

  async #until(mark) {
    for (;;) {
      const at = this.#buffer.indexOf(mark);
      if (at >= 0) return this.#take(at + mark.length);
      await this.#more();
    }
  }

  async #take(length) {
    while (this.#buffer.length < length) await this.#more();
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }

  async #more() {
    if (this.#ended) throw new Malformed("the connection ended before an answer did");
    await new Promise((resolve, reject) => {
      const late = setTimeout(reject, this.#patience, new Malformed("no answer"));
      this.#wake = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}
