// Outgoing requests of the built worker: where they may go, and how long and large a response may be.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { forTests, startWorker } from "./app.mjs";

const MILLISECONDS = 2_000;
const BYTES = 1_000;

/** What the target was asked for. */
const asked = [];

const answers = {
  "/ok": (response) => response.end("pong"),
  "/exact": (response) => response.end("x".repeat(BYTES)),
  "/large": (response) => response.end("x".repeat(BYTES + 1)),
  "/endless": (response) => {
    const more = setInterval(() => response.write("x".repeat(100)), 5);
    response.on("close", () => clearInterval(more));
  },
  "/compressed": (response) => {
    response.setHeader("content-encoding", "gzip");
    response.end(gzipSync("x".repeat(1_000_000)));
  },
  "/redirect": (response) => response.writeHead(302, { location: "/ok" }).end("elsewhere"),
  "/silent": () => {},
  "/stalls": (response) => response.write("x"),
};

const target = http.createServer((request, response) => {
  asked.push(request.url);
  answers[request.url](response);
});
let origin;

before(async () => {
  await new Promise((listening) => target.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${target.address().port}`;
});
after(() => target.close().closeAllConnections());

const fetcher =
  (worker) =>
  (url, ...limits) =>
    worker.direct("fetch", JSON.stringify([url, ...(limits.length ? limits : [MILLISECONDS, BYTES])]));

test("on a loopback address a response is bounded in size and time, and a redirect is not followed", async () => {
  const worker = await startWorker({}, { main: forTests });
  const fetchUrl = fetcher(worker);
  assert.equal(await fetchUrl(`${origin}/ok`), "200 pong");
  assert.equal(await fetchUrl(`${origin}/exact`), `200 ${"x".repeat(BYTES)}`);
  for (const path of ["/large", "/endless", "/compressed"]) {
    assert.equal(await fetchUrl(origin + path), "refused: TooLarge", path);
  }
  asked.length = 0;
  assert.equal(await fetchUrl(`${origin}/redirect`), "302 elsewhere");
  assert.deepEqual(asked, ["/redirect"]);
  for (const path of ["/silent", "/stalls"]) {
    const begun = Date.now();
    assert.match(await fetchUrl(origin + path, 300, BYTES), /^refused: Failed\(".*timeout/, path);
    assert.ok(Date.now() - begun < MILLISECONDS, path);
  }
  assert.match(await fetchUrl("http://example.com/"), /^refused: Forbidden\("the scheme/);
  await worker.stop();
});

test("with a public address it fetches neither from a loopback address nor from a private one nor from itself", async () => {
  const worker = await startWorker({ PUBLIC_URL: "https://hub.example.com" }, { main: forTests });
  const fetchUrl = fetcher(worker);
  asked.length = 0;
  for (const url of [
    `${origin}/ok`,
    origin.replace("http:", "https:"),
    "https://localhost/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://registry/",
    "https://printer.local/",
    "https://hub.example.com/v2/",
    "https://user:secret@example.com/",
    "http://example.com/",
  ]) {
    assert.match(await fetchUrl(url), /^refused: Forbidden\("/, url);
  }
  assert.deepEqual(asked, []);
  await worker.stop();
});
