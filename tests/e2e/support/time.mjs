// Waiting, and what is promised to happen soon.

import assert from "node:assert/strict";

/** Waits; `background` is a wait for which alone nobody stays. */
export function pause(milliseconds, { background = false } = {}) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    if (background) timer.unref();
  });
}

/**
 * Asks until the answer is true, and gives the milliseconds until then. An answer counts when it was asked for within
 * `limit`: how long a program takes to start on a busy machine is not what is measured.
 */
export async function soon(what, ask, limit = 2_000) {
  const began = performance.now();
  for (;;) {
    const asked = performance.now() - began;
    assert.ok(asked <= limit, `${what}: not within ${limit} ms`);
    if (await ask()) return performance.now() - began;
    await pause(50);
  }
}
