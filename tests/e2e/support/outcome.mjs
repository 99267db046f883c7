// What a client must have done, and said.

import assert from "node:assert/strict";

/** It worked; gives what it printed. */
export function works({ code, stdout, stderr }) {
  assert.equal(code, 0, `${stdout}${stderr}`);
  return stdout;
}

/** It was refused, in words that a person can use. */
export function refused({ code, stdout, stderr }, words) {
  assert.notEqual(code, 0, `${stdout}${stderr}`);
  assert.match(stdout + stderr, words);
}
