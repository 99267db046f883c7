// What is uploaded stays small: a cold isolate reads all of it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { root } from "../../tools/lib/steps.mjs";

/** Bytes of the worker, compressed. */
const MAX = 480 * 1024;

test("the worker is small", (t) => {
  const size = (name) => gzipSync(readFileSync(path.join(root, "build", name)), { level: 9, memLevel: 9 }).length;
  const total = size("index.js") + size("index_bg.wasm");
  t.diagnostic(`${total} bytes compressed, ${MAX} allowed`);
  assert.ok(total <= MAX, `${total} bytes, and not ${MAX}`);
});
