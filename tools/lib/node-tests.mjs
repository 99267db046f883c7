// How node runs test files.

/**
 * The words for it. A file ends with its last test: a runtime that it cannot stop would keep it, and the gate, for ever.
 * A test that sets itself no limit has ten minutes.
 */
export const nodeTests = (files, ...words) => [
  "--test",
  "--test-force-exit",
  "--test-timeout=600000",
  "--test-reporter=spec",
  ...words,
  files,
];
