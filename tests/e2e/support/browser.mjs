// Chromium as a person uses it: with script or without, and what it complained of.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { without } from "./programs.mjs";

/** The `skip` of a test that needs a browser. */
export const withoutChromium = () => without("chromium");

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Starts a browser; `visit` opens a page of its own profile, in which a person is signed in or not. */
export async function startBrowser({ env, args = [] } = {}) {
  const browser = await chromium.launch({
    env: { ...process.env, ...env },
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", ...args],
  });
  return {
    stop: () => browser.close(),
    /**
     * `complaints` are what the console says of the policy of a page, and errors of its script; `hosts` are those that
     * were asked for anything. `headers` go with each request.
     */
    async visit({ script = true, width = 1280, height = 900, scheme = "light", headers } = {}) {
      const context = await browser.newContext({
        javaScriptEnabled: script,
        viewport: { width, height },
        colorScheme: scheme,
        extraHTTPHeaders: headers,
        ignoreHTTPSErrors: true,
      });
      const page = await context.newPage();
      const complaints = [];
      const hosts = new Set();
      context.on("request", (request) => hosts.add(new URL(request.url()).host));
      page.on("console", (message) => {
        if (/content security policy/i.test(message.text())) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      return { page, context, complaints, hosts, close: () => context.close() };
    },
  };
}

/** What axe finds that makes a page hard to use; `page` needs its script. */
export async function obstacles(page) {
  // The page's own policy lets no script of the test in: it is run in a world of its own.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  const evaluate = async (expression) => {
    const words = { expression, contextId: executionContextId, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", words);
    assert.equal(exceptionDetails, undefined, exceptionDetails?.exception?.description);
    return result.value;
  };
  await evaluate(`${axe}; true`);
  return evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))",
  );
}

/** By how many pixels a page is wider than the window. */
export async function excess(page) {
  const wide = await page.locator("html").evaluate((element) => element.scrollWidth);
  return Math.max(0, wide - page.viewportSize().width);
}
