// The pages in Chromium: what a new colleague does, with script and without, over http and behind TLS.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { excess, obstacles, startBrowser, withoutChromium } from "./support/browser.mjs";
import { makeImage } from "./support/layout.mjs";
import { works } from "./support/outcome.mjs";
import { startSite, tagsBecome, withoutRegistryOr } from "./support/site.mjs";
import { makeSkopeo } from "./support/skopeo.mjs";
import { certify, serve } from "./support/tls.mjs";

const timeout = 120_000;

/** Every screen of somebody who is signed in, of an index with one repository. */
const screens = [
  "/",
  "/search?q=app",
  "/r/alice",
  "/r/alice/-/new",
  "/r/alice/-/members",
  "/r/alice/-/service-accounts",
  "/r/alice/-/deletions",
  "/r/alice/-/refusals",
  "/r/alice/-/audit",
  "/r/alice/app",
  "/r/alice/app/-/tags/1.0",
  "/r/alice/app/-/settings",
  "/r/alice/app/-/access?user=robert&action=pull",
  "/settings",
  "/settings/tokens",
  "/settings/tokens/new",
  "/settings/sessions",
];

/** A server with TLS before an index, as a reverse proxy is. */
async function startTls() {
  const ca = await certify();
  const { key, cert } = await certify({ names: ["localhost"], ca });
  const proxy = { index: undefined };
  const server = await serve({ key, cert }, (request, response) => {
    const { method, url: path, headers } = request;
    const onward = http.request(proxy.index, { method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headersDistinct);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  return Object.assign(proxy, { address: `https://localhost:${server.port}`, stop: server.stop });
}

describe("pages", { skip: withoutRegistryOr("skopeo") || withoutChromium() }, () => {
  let site, browser, alice, bob;
  before(
    async () => {
      [site, browser] = [await startSite(), await startBrowser()];
      [alice, bob] = [await site.join("alice"), await site.join("robert")];
    },
    { timeout: 900_000 },
  );
  after(() => Promise.all([site?.stop(), browser?.stop()]), { timeout });

  /** Signs in at an address by the form. */
  async function signIn(page, address, { name, password }) {
    await page.goto(`${address}/sign-in`);
    await page.getByLabel("User name").fill(name);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Yours" }).waitFor();
  }

  test("an image that was pushed is found, with the line that pulls it", { timeout }, async () => {
    const [client, image] = [makeSkopeo(), await makeImage("pages")];
    works(await client.login(site.host, alice));
    works(await client.push(image, `${site.host}/alice/app:1.0`));
    await tagsBecome(site, "alice/app", { "1.0": image.digest }, alice);
    for (const script of [true, false]) {
      const { page, complaints, close } = await browser.visit({ script });
      await signIn(page, site.index.address, alice);
      await page.getByRole("searchbox", { name: "Search repositories" }).fill("app");
      await page.getByRole("button", { name: "Search" }).click();
      await page.getByRole("link", { name: "alice/app" }).click();
      await page.getByRole("link", { name: "1.0" }).click();
      assert.match(await page.locator("main").textContent(), new RegExp(`docker pull \\S+/alice/app@${image.digest}`));
      assert.deepEqual(complaints, []);
      await close();
    }
  });

  test("a private repository is missing to others", { timeout }, async () => {
    await site.manage(alice)(200, "POST", "namespaces/alice/repositories/app/privacy", { is_private: true });
    const { page, close } = await browser.visit();
    await signIn(page, site.index.address, bob);
    const texts = [];
    for (const name of ["app", "no-such"]) {
      const answer = await page.goto(`${site.index.address}/r/alice/${name}`);
      assert.equal(answer.status(), 404);
      texts.push(await page.locator("body").textContent());
    }
    assert.equal(texts[0], texts[1]);
    await close();
  });

  test("screens are accessible and fit, narrow and wide, light and dark", { timeout }, async () => {
    for (const width of [320, 1280]) {
      for (const scheme of ["light", "dark"]) {
        const { page, complaints, close } = await browser.visit({ width, scheme });
        const found = [];
        const look = async (path) => {
          const answer = await page.goto(`${site.index.address}${path}`);
          assert.equal(answer.status(), 200, path);
          found.push(...(await obstacles(page)).map((obstacle) => `${path}: ${obstacle}`));
          if (await excess(page)) found.push(`${path} is wider than ${width} by ${await excess(page)}`);
        };
        await look("/sign-in");
        await signIn(page, site.index.address, alice);
        for (const path of screens) await look(path);
        assert.deepEqual(found, []);
        assert.deepEqual(complaints, []);
        await close();
      }
    }
  });

  for (const script of [true, false]) {
    test(`a colleague makes a token and works with it ${script ? "with" : "without"} script`, { timeout }, async () => {
      const { page, complaints, close } = await browser.visit({ script });
      await signIn(page, site.index.address, alice);
      await page.getByRole("link", { name: "Make a token" }).click();
      await page.getByLabel("Name", { exact: true }).fill(`laptop ${script}`);
      await page.getByRole("radio").nth(2).check();
      await page.getByRole("button", { name: "Make the token" }).click();
      const secret = await page.locator("code", { hasText: /^hlp_/ }).textContent();

      const [client, image] = [makeSkopeo(), await makeImage(`story ${script}`)];
      works(await client.login(site.host, { name: alice.name, password: secret }));
      works(await client.push(image, `${site.host}/alice/story:1`));
      await tagsBecome(site, "alice/story", { 1: image.digest }, alice);
      await page.goto(`${site.index.address}/r/alice/story`);
      await page.getByRole("link", { name: "1", exact: true }).waitFor();

      await page.getByRole("link", { name: "Access", exact: true }).click();
      await page.getByLabel("User", { exact: true }).first().fill("robert");
      await page.getByRole("button", { name: "Add" }).click();
      await page.getByRole("rowheader", { name: "robert" }).waitFor();
      await page.goto(`${site.index.address}/r/alice/-/audit`);
      await page
        .getByRole("cell", { name: /robert/ })
        .first()
        .waitFor();

      await page.goto(`${site.index.address}/settings/sessions`);
      await page.getByRole("button", { name: "End all others" }).click();
      await page.getByText("1 session").waitFor();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("User name").waitFor();
      assert.deepEqual(complaints, []);
      await close();
    });
  }

  test("who signs out is signed out", { timeout }, async () => {
    const { page, context, close } = await browser.visit({ script: false });
    await signIn(page, site.index.address, alice);
    await page.getByRole("button", { name: "Sign out" }).click();
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    assert.deepEqual(await context.cookies(), []);
    await page.goto(`${site.index.address}/settings`);
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    await close();
  });
});

describe("pages behind TLS", { skip: withoutRegistryOr() || withoutChromium() }, () => {
  let site, browser, tls, alice;
  before(
    async () => {
      tls = await startTls();
      site = await startSite({ url: tls.address, vars: { REGISTRATION: "open", ANONYMOUS_READ: "on" } });
      tls.index = site.index.address;
      browser = await startBrowser();
      alice = await site.join("alice");
    },
    { timeout: 900_000 },
  );
  after(() => Promise.all([site?.stop(), browser?.stop(), tls?.stop()]), { timeout });

  test("the cookie goes to this host alone, over https", { timeout }, async () => {
    for (const script of [true, false]) {
      const { page, context, complaints, close } = await browser.visit({ script });
      const answer = await page.goto(`${tls.address}/sign-in`);
      assert.equal(answer.headers()["strict-transport-security"], "max-age=31536000");
      await page.getByLabel("User name").fill(alice.name);
      await page.getByLabel("Password").fill(alice.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Yours" }).waitFor();
      const [cookie] = await context.cookies();
      const { name, path, httpOnly, secure, sameSite } = cookie;
      assert.deepEqual(
        { name, path, httpOnly, secure, sameSite },
        { name: "__Host-hublet", path: "/", httpOnly: true, secure: true, sameSite: "Lax" },
      );
      await page.getByRole("button", { name: "Sign out" }).click();
      assert.equal(new URL(page.url()).pathname, "/sign-in");
      assert.deepEqual(await context.cookies(), []);
      assert.deepEqual(complaints, []);
      await close();
    }
  });
});
