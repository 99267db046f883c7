// How a tool ended, with all that it said.

import assert from "node:assert/strict";

export function works(result) {
  assert.equal(result.status, 0, result.said);
  return result.said;
}

/** It says what is wrong, to the person at the terminal. */
export function fails(result, pattern) {
  assert.equal(result.status, 1, result.said);
  assert.match(result.said, pattern);
  assert.doesNotMatch(result.said, /\n {4}at /, "a stack is nothing to that person");
}
