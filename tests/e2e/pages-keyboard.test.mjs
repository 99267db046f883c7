// The pages by keyboard alone: what has the focus is seen, comes in the order of the page, and does all that a mouse does.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startBrowser, withoutChromium } from "./support/browser.mjs";
import { enter, open, screens } from "./support/screens.mjs";
import { password, startShowcase } from "./support/showcase.mjs";

const timeout = 120_000;

/** More steps than any page has. */
const MANY = 300;

/** Where the focus is: its place in the page, and what cannot be seen of it. */
function look() {
  const element = document.activeElement;
  const at = [...document.querySelectorAll("*")].indexOf(element);
  const { outlineStyle, outlineWidth, outlineColor, clipPath } = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const html = element.outerHTML.slice(0, 120);
  const faults = [
    (outlineStyle === "none" || Number.parseFloat(outlineWidth) < 2) && "has no outline",
    /, 0\)$|transparent/.test(outlineColor) && "has an outline that is transparent",
    clipPath !== "none" && "is clipped",
    (box.width < 2 || box.height < 2) && "has no size",
    (box.bottom < 0 || box.top > innerHeight) && "is outside of the window",
  ];
  return {
    at,
    top: box.top + scrollY,
    bottom: box.bottom + scrollY,
    inside: element !== document.body,
    faults: faults.filter(Boolean).map((fault) => `${html} ${fault}`),
  };
}

/** What can have the focus. Of radio buttons of one name, one can. */
function all() {
  const wanted = "a[href], button, input:not([type=hidden], [type=radio]), select, textarea, summary";
  const elements = [...document.querySelectorAll("*")];
  return elements.flatMap((element, at) => (element.matches(wanted) && element.checkVisibility() ? [at] : []));
}

/** Presses a key until the focus is on this, or past the last; gives the places where it was. */
async function walk(page, wanted, key = "Tab") {
  const forward = key === "Tab";
  const places = [];
  let before = await page.evaluate(look);
  for (let step = 0; step < MANY; step += 1) {
    await page.keyboard.press(key);
    const now = await page.evaluate(look);
    const beyond = before.inside && (forward ? now.at < before.at : now.at > before.at);
    if (!now.inside || beyond) break;
    assert.deepEqual(now.faults, []);
    if (before.inside) {
      const [above, below] = forward ? [before, now] : [now, before];
      assert.ok(below.bottom >= above.top, `the focus jumps from ${above.top} up to ${below.bottom}`);
    }
    places.push(now.at);
    if (wanted && (await wanted.evaluate((element) => element === document.activeElement))) return places;
    before = now;
  }
  assert.equal(wanted, undefined, `${wanted} never has the focus`);
  return places;
}

describe("by keyboard alone", { skip: withoutChromium() }, () => {
  let showcase, browser;
  before(
    async () => {
      [showcase, browser] = await Promise.all([startShowcase(), startBrowser()]);
    },
    { timeout: 900_000 },
  );
  after(() => Promise.all([showcase?.stop(), browser?.stop()]), { timeout });

  test("sign in, search, open, copy, make a token, delete a tag", { timeout }, async () => {
    const { page, context, complaints, close } = await enter(browser, showcase);
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: showcase.address });
    const { keyboard } = page;
    const main = page.getByRole("main");
    const press = async (wanted, key, direction) => {
      await walk(page, wanted, direction);
      await keyboard.press(key);
    };

    await page.goto(`${showcase.address}/sign-in`);
    await keyboard.type("olga");
    await keyboard.press("Tab");
    await keyboard.type(password("olga"));
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Yours" }).waitFor();

    // The cursor is in the field.
    await keyboard.type("payment");
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Search: payment" }).waitFor();
    await press(main.getByRole("link", { name: "acme/api" }), "Enter");
    await page.getByRole("heading", { name: "acme/api" }).waitFor();

    const copy = page.getByRole("button", { name: "Copy" }).first();
    await press(copy, "Space");
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(copied, "docker pull registry.example.com/acme/api:latest");

    await press(page.getByRole("checkbox", { name: "Delete pr-512" }), "Space");
    await press(page.getByRole("button", { name: "Delete the marked tags" }), "Enter");
    await page.getByRole("status").getByText("waits for the tool").waitFor();
    await page
      .getByRole("row", { name: /pr-512/ })
      .getByText("pending deletion")
      .waitFor();

    await press(page.getByRole("link", { name: "Tokens" }), "Enter");
    await page.getByRole("heading", { name: "Access tokens" }).waitFor();
    await press(page.getByRole("link", { name: "New token" }), "Enter");
    await page.getByRole("heading", { name: "New token" }).waitFor();
    await walk(page, page.getByLabel("Name", { exact: true }));
    await keyboard.type("by keyboard");
    await walk(page, page.getByLabel("Only in these repositories"));
    await keyboard.type("acme/api");
    // Too far, and back.
    await walk(page, page.getByRole("button", { name: "Make the token" }));
    await walk(page, page.getByLabel("Name", { exact: true }), "Shift+Tab");
    await press(page.getByRole("button", { name: "Make the token" }), "Enter");
    await page.locator("code", { hasText: /^hlp_/ }).waitFor();

    await press(page.getByRole("button", { name: "Sign out" }), "Enter");
    await page.getByLabel("User name").waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });

  test("the first step leads past what every page begins with", { timeout }, async () => {
    const { page, close } = await enter(browser, showcase, "olga");
    await page.goto(`${showcase.address}/r/acme`);
    await page.keyboard.press("Tab");
    assert.deepEqual((await page.evaluate(look)).faults, []);
    assert.equal(await page.locator(":focus").textContent(), "Skip to content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert.ok(await page.getByRole("main").evaluate((main) => main.contains(document.activeElement)));
    await close();
  });

  test("on every screen all is reached, in its order, and seen", { timeout }, async () => {
    for (const name of new Set(screens.map((screen) => screen.as))) {
      const visit = await enter(browser, showcase, name);
      for (const screen of screens.filter((screen) => screen.as === name)) {
        await open(visit, showcase, screen);
        // From the beginning, wherever the cursor is put when a page is opened.
        await visit.page.evaluate(() => document.activeElement.blur());
        await visit.page.mouse.click(1, 1);
        const places = await walk(visit.page);
        const missing = (await visit.page.evaluate(all)).filter((at) => !places.includes(at));
        assert.deepEqual(missing, [], `${screen.name}: ${missing.length} elements never have the focus`);
      }
      await visit.close();
    }
  });
});
