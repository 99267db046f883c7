// HTTP as old clients speak it: exactly the headers that are given, and every line of the answer.

import http from "node:http";
import zlib from "node:zlib";

const decoders = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync };

/**
 * Sends one request. A body is text or bytes; an object is sent as JSON without saying so. The answer has `status`,
 * `bytes`, `text`, `json()`, `lines(name)` (each line of a header by itself) and `header(name)` (the only one).
 */
export function send(address, method, path, { headers = {}, body = "", limit = 30_000 } = {}) {
  const payload = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const length =
    payload.length || method === "PUT" || method === "POST" ? { "Content-Length": Buffer.byteLength(payload) } : {};
  return new Promise((resolve, reject) => {
    const request = http.request(address, { method, path, headers: { ...headers, ...length } }, (response) => {
      const chunks = response.toArray();
      chunks.then((chunks) => new Answer(`${method} ${path}`, response, Buffer.concat(chunks))).then(resolve, reject);
    });
    request.on("error", reject);
    request.setTimeout(limit, () => request.destroy(new Error(`${method} ${path}: no answer within ${limit} ms`)));
    request.end(payload);
  });
}

class Answer {
  constructor(request, { statusCode, headersDistinct }, body) {
    this.request = request;
    this.status = statusCode;
    this.headers = headersDistinct;
    const [coding] = this.lines("content-encoding");
    this.bytes = coding && body.length ? decoders[coding](body) : body;
    this.text = this.bytes.toString();
  }

  lines(name) {
    return this.headers[name.toLowerCase()] ?? [];
  }

  header(name) {
    const lines = this.lines(name);
    if (lines.length > 1) throw new Error(`${this.request} answered ${lines.length} lines ${name}`);
    return lines[0];
  }

  json() {
    return JSON.parse(this.text);
  }
}

/** The value of an Authorization header. */
export const basic = ({ name, password }) => `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
