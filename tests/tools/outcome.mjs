// How a tool ended, with all that it said.

import assert from "node:assert/strict";

export function works(result) {
  assert.equal(result.status, 0, result.said);
  return result.said;
}

export function fails(result, pattern) {
  assert.equal(result.status, 1, result.said);
  assert.match(result.said, pattern);
}
