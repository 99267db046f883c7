// What `npm start` may be told.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { root } from "../../tools/lib/steps.mjs";
import { fails } from "./outcome.mjs";

function start(...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, "tools/start.mjs"), ...words], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, said: stdout + stderr };
}

test("what it does not know it refuses by name, and says what there is", () => {
  const refusals = [
    [["--inspector-port", "9229"], /--inspector-port/],
    [["--remote"], /--remote/],
    [["--test-scheduled"], /--test-scheduled/],
    [["wat"], /'wat'/],
    [["--port"], /--port/],
    [["--port", "port"], /--port port is no port/],
    [["--port", "65536"], /--port 65536 is no port/],
    [["--var", "VISIBILITY=private"], /--var VISIBILITY=private is not NAME:VALUE/],
  ];
  for (const [words, pattern] of refusals) {
    fails(start(...words), pattern);
    fails(start(...words), /^ {2}--port PORT .*\n {2}--ip ADDRESS .*\n {2}--persist-to DIR .*\n {2}--var NAME:VALUE /m);
  }
});

test("what there is can be asked for", () => {
  const { status, said } = start("--help");
  assert.equal(status, 0);
  assert.match(said, /^npm start -- \[--port PORT\]/);
});
