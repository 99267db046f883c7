// Lists of much, in Chromium: 300 repositories with names of 60 characters, 800 tags of one; filtered, sorted, paged, and
// never wider than the window.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { excess, obstacles, startBrowser, withoutChromium } from "./support/browser.mjs";
import { signIn } from "./support/screens.mjs";
import { join, startWorker } from "../workerd/app.mjs";
import { fillCrowd, LISTS, REPOSITORIES, repository, TAGS } from "../workerd/crowd.mjs";
import { operate } from "../workerd/operator.mjs";

const timeout = 120_000;

describe("pages of long lists", { skip: withoutChromium() }, () => {
  const olga = { name: "olga", password: "the cat in the hat" };
  let worker, browser, address;
  before(
    async () => {
      [worker, browser] = await Promise.all([startWorker({ VISIBILITY: "private" }), startBrowser()]);
      address = worker.url.origin;
      await join(worker, olga.name, olga.password);
      const now = Math.floor(Date.now() / 1000);
      for (const command of ["namespace crowd", "member crowd olga admin", "grant olga"])
        await operate(await worker.env(), command, now);
      await fillCrowd(worker, olga.name, now);
    },
    { timeout: 900_000 },
  );
  after(() => Promise.all([worker?.stop(), browser?.stop()]), { timeout });

  for (const width of [320, 1280]) {
    for (const scheme of ["light", "dark"]) {
      test(`fit ${width} pixels, ${scheme}, and are accessible`, { timeout }, async () => {
        const { page, complaints, close } = await browser.visit({ width, scheme });
        await signIn(page, address, olga);
        const found = [];
        for (const path of LISTS) {
          const answer = await page.goto(`${address}${path}`);
          assert.equal(answer.status(), 200, path);
          const more = await excess(page);
          if (more) found.push(`${path} is wider than ${width} by ${more}`);
          found.push(...(await obstacles(page)).map((obstacle) => `${path}: ${obstacle}`));
        }
        assert.deepEqual(found, []);
        assert.deepEqual(complaints, []);
        await close();
      });
    }
  }

  test("repositories are paged and filtered", { timeout }, async () => {
    const { page, close } = await browser.visit();
    await signIn(page, address, olga);
    await page.goto(`${address}/r/crowd`);
    const names = () => page.locator("tbody th a").allTextContents();
    const all = [...Array.from({ length: REPOSITORIES }, (_, at) => repository(at)), "tagged"].sort();
    const seen = [];
    for (let number = 1; ; number += 1) {
      await page.getByText(`Page ${number} of 7`).waitFor();
      seen.push(...(await names()));
      const next = page.getByRole("link", { name: "Next" });
      if (!(await next.count())) break;
      await next.click();
    }
    assert.deepEqual(seen, all);
    const part = repository(291).slice(-4, -1);
    await page.getByLabel("Name contains").fill(part);
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByText("5 repositories").waitFor();
    assert.deepEqual(
      await names(),
      all.filter((name) => name.includes(part)),
    );
    await close();
  });

  test("tags are filtered and sorted", { timeout }, async () => {
    const { page, close } = await browser.visit();
    await signIn(page, address, olga);
    await page.goto(`${address}/r/crowd/tagged`);
    await page.getByText(`${TAGS} tags`).waitFor();
    const names = () => page.locator("tbody th a").allTextContents();
    const show = async (order) => {
      await page.getByLabel("Order").selectOption(order);
      await page.getByRole("button", { name: "Show" }).click();
      await page.waitForURL((url) => url.searchParams.get("order") === order);
    };
    assert.deepEqual((await names()).slice(0, 3), ["0.0.1", "0.0.2", "0.0.3"], "what was pushed last");
    await show("version");
    assert.deepEqual((await names()).slice(0, 3), ["7.9.9", "7.9.8", "7.9.7"]);
    await show("name");
    const sorted = await names();
    assert.deepEqual(sorted, sorted.toSorted());
    await page.getByLabel("Name contains").fill("7.1.");
    await show("version");
    await page.getByText("9 tags").waitFor();
    assert.deepEqual(
      await names(),
      Array.from({ length: 9 }, (_, at) => `7.1.${9 - at}`),
    );
    await close();
  });
});
