// The style sheet and the script of the pages: small, and with colours that can be told apart in both schemes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { root } from "../../tools/lib/steps.mjs";

const read = (name) => readFileSync(path.join(root, "src/wire/static", name), "utf8");
const css = read("pages.css");

/** Bytes that a browser loads before the first page is as it should be. */
const MAX = { "pages.css": 8 * 1024, "pages.js": 3 * 1024 };

/** What is written on what; 4.5 is the least of WCAG 2.2 for text (1.4.3, AA), 3 for what else must be seen (1.4.11). */
const PAIRS = [
  ...["ground", "raised", "notice"].map((ground) => ["text", ground, 4.5]),
  ...["ground", "raised", "notice"].map((ground) => ["link", ground, 4.5]),
  ...["ground", "raised"].map((ground) => ["quiet", ground, 4.5]),
  ...["ground", "raised"].map((ground) => ["danger", ground, 4.5]),
  ["done", "ground", 4.5],
  ["#fff", "action", 4.5],
  ["edge", "ground", 3],
  ["action", "ground", 3],
];

const colours = Object.fromEntries(
  [...css.matchAll(/--(\w+): light-dark\((#\w+), (#\w+)\)/g)].map(([, name, light, dark]) => [name, [light, dark]]),
);

/** The relative luminance of a colour, as WCAG 2.2 defines it. */
function luminance(colour) {
  const digits = colour.slice(1);
  const parts = digits.length === 3 ? [...digits].map((digit) => digit + digit) : digits.match(/../g);
  const [red, green, blue] = parts.map((part) => {
    const value = Number.parseInt(part, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(...pair) {
  const [dark, light] = pair.map(luminance).sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test("style and script are small", () => {
  for (const [name, max] of Object.entries(MAX)) {
    const size = Buffer.byteLength(read(name));
    assert.ok(size <= max, `${name}: ${size} bytes, and not ${max}`);
  }
});

test("colours have the contrast of WCAG AA in both schemes", () => {
  assert.ok(Object.keys(colours).length > 8, "where are the colours?");
  for (const [scheme, at] of [
    ["light", 0],
    ["dark", 1],
  ]) {
    const of = (name) => (name.startsWith("#") ? name : colours[name][at]);
    for (const [text, ground, least] of PAIRS) {
      const found = contrast(of(text), of(ground));
      assert.ok(found >= least, `${text} on ${ground}, ${scheme}: ${found.toFixed(2)}, and not ${least}`);
    }
  }
});

test("every colour is one of both schemes", () => {
  const outside = css.replace(/:root \{[^}]*\}/, "").match(/#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(/g) ?? [];
  assert.deepEqual(outside, ["#fff"], "a colour that is named outside of :root");
  for (const [, name] of css.matchAll(/var\(--(\w+)\)/g)) assert.ok(colours[name] || name === "mono", name);
});

test("a page loads nothing through its style", () => {
  assert.doesNotMatch(css, /url\(|@import|@font-face/);
});
