// What the benchmark measured, as the manual has it.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { keep, MEASURED, rendered } from "../../tools/lib/measured.mjs";
import { root } from "../../tools/lib/steps.mjs";

const result = {
  command: "npm run bench",
  begun: "2026-11-30T12:34:56.000Z",
  commit: "0123456789ab",
  machine: "a machine, 2 cores",
  load: "0.1 0.2 0.3",
  busy: false,
  tables: [
    {
      columns: ["request", "ms"],
      rows: [
        ["one", 1],
        ["two", undefined],
      ],
    },
  ],
};

/** A clone whose manual has a place for one result. */
function clone(t) {
  const home = mkdtempSync(path.join(os.tmpdir(), "hublet-measured-"));
  t.after(() => rmSync(home, { recursive: true }));
  mkdirSync(path.join(home, "docs"));
  const manual = path.join(home, "docs/performance.md");
  writeFileSync(manual, "before\n\n<!-- measured: cost -->\n\nold\n\n<!-- end of cost -->\n\nafter\n");
  return { home, manual: () => readFileSync(manual, "utf8") };
}

test("the tables of the manual are what is kept", () => {
  const manual = readFileSync(path.join(root, "docs/performance.md"), "utf8");
  assert.equal(rendered(), manual, "npm run bench -- WHAT --keep writes them");
});

test("all that is measured has a place in the manual", (t) => {
  const { home, manual } = clone(t);
  writeFileSync(path.join(home, "docs/performance.md"), readFileSync(path.join(root, "docs/performance.md")));
  for (const name of MEASURED) {
    const command = `npm run bench -- ${name}`;
    keep(name, { ...result, command }, home);
    assert.ok(manual().includes(`\`${command}\`, 2026-11-30 12:34 UTC`), name);
  }
});

test("a result takes the place of the one before", (t) => {
  const { home, manual } = clone(t);
  keep("cost", result, home);
  const table = "| request | ms |\n| --- | --- |\n| one | 1 |\n| two |  |";
  const origin =
    "`npm run bench`, 2026-11-30 12:34 UTC, commit `0123456789ab`, a machine, 2 cores; load 0.1 0.2 0.3 at the end.";
  const expected = `before\n\n<!-- measured: cost -->\n\n${table}\n\n${origin}\n\n<!-- end of cost -->\n\nafter\n`;
  assert.equal(manual(), expected);
  assert.equal(rendered(home), expected);
});

test("a number that was altered by hand is found", (t) => {
  const { home, manual } = clone(t);
  keep("cost", result, home);
  writeFileSync(path.join(home, "docs/performance.md"), manual().replace("| one | 1 |", "| one | 0 |"));
  assert.notEqual(rendered(home), manual());
});

test("what a busy machine measured, and what has no place, is not kept", (t) => {
  const { home, manual } = clone(t);
  const before = manual();
  assert.throws(() => keep("cost", { ...result, busy: true }, home), /busy/);
  assert.throws(() => keep("storm", result, home), /no place for storm/);
  assert.equal(manual(), before);
  assert.equal(rendered(home), before);
});
