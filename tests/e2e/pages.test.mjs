// Every screen in Chromium: accessible and as wide as the window, narrow and wide, light and dark; and what no page gives
// away.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { excess, obstacles, startBrowser, withoutChromium } from "./support/browser.mjs";
import { enter, open, screens } from "./support/screens.mjs";
import { startShowcase } from "./support/showcase.mjs";

const timeout = 120_000;

describe("pages", { skip: withoutChromium() }, () => {
  let showcase, browser;
  before(
    async () => {
      [showcase, browser] = await Promise.all([startShowcase(), startBrowser()]);
    },
    { timeout: 900_000 },
  );
  after(() => Promise.all([showcase?.stop(), browser?.stop()]), { timeout });

  for (const width of [320, 1280]) {
    for (const scheme of ["light", "dark"]) {
      test(`all are accessible and fit ${width} pixels, ${scheme}`, { timeout }, async () => {
        const { host } = new URL(showcase.address);
        const found = [];
        for (const name of new Set(screens.map((screen) => screen.as))) {
          const visit = await enter(browser, showcase, name, { width, scheme });
          for (const screen of screens.filter((screen) => screen.as === name)) {
            await open(visit, showcase, screen);
            found.push(...(await obstacles(visit.page)).map((obstacle) => `${screen.name}: ${obstacle}`));
            const more = await excess(visit.page);
            if (more) found.push(`${screen.name} is wider than ${width} by ${more}`);
          }
          found.push(...visit.complaints);
          assert.deepEqual([...visit.hosts], [host], "a page loads nothing from elsewhere");
          await visit.close();
        }
        assert.deepEqual(found, []);
      });
    }
  }

  test("what goes wrong is a page as the others are", { timeout }, async () => {
    for (const width of [320, 1280]) {
      for (const scheme of ["light", "dark"]) {
        const { page, context, complaints, close } = await enter(browser, showcase, "pavel", { width, scheme });
        const trouble = { ...JSON.parse(showcase.seen()["x-test-trouble"]), databases: [{ when: "before" }] };
        for (const [path, status, headers] of [
          ["/r/acme/no-such", 404, {}],
          ["/search?q=acme", 503, { "x-test-trouble": JSON.stringify(trouble) }],
        ]) {
          await context.setExtraHTTPHeaders({ ...showcase.seen(), ...headers });
          assert.equal((await page.goto(`${showcase.address}${path}`)).status(), status);
          assert.deepEqual(await obstacles(page), []);
          assert.equal(await excess(page), 0);
        }
        // The browser itself says on the console that a page was not found.
        assert.deepEqual(complaints, []);
        await close();
      }
    }
  });

  test("what a user may not read is as what is missing", { timeout }, async () => {
    const visit = await enter(browser, showcase, "greta");
    const other = await enter(browser, showcase, "pavel");
    for (const [path, missing] of [
      ["/r/acme/worker", "/r/acme/no-such"],
      ["/r/acme/worker/-/tags/latest", "/r/acme/no-such/-/tags/latest"],
      ["/r/acme/worker/-/settings", "/r/acme/no-such/-/settings"],
      ["/r/acme/worker/-/access", "/r/acme/no-such/-/access"],
    ]) {
      assert.equal((await visit.page.goto(`${showcase.address}${path}`)).status(), 200, path);
      const texts = [];
      for (const asked of [path, missing]) {
        const answer = await other.page.goto(`${showcase.address}${asked}`);
        assert.equal(answer.status(), 404, asked);
        texts.push(await other.page.locator("body").textContent());
      }
      assert.equal(texts[0], texts[1]);
    }
    await Promise.all([visit.close(), other.close()]);
  });
});
