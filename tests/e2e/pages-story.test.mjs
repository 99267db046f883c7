// What a new colleague does on the first day, in Chromium and with docker: with script and without, over http as
// `npm start` gives it, and behind TLS.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { startBrowser, withoutChromium } from "./support/browser.mjs";
import { startDockerd, withoutDocker } from "./support/docker.mjs";
import { makeTar } from "./support/layout.mjs";
import { works } from "./support/outcome.mjs";
import { scratch } from "./support/scratch.mjs";
import { signIn } from "./support/screens.mjs";
import { startSite, tagsBecome, withoutRegistryOr } from "./support/site.mjs";
import { certify, serve } from "./support/tls.mjs";

const timeout = 120_000;

/** A server with TLS before an index, as a reverse proxy is; `ca` is the file by which its certificate is verified. */
async function startTls() {
  const ca = await certify();
  const file = path.join(scratch(), "ca.pem");
  writeFileSync(file, ca.cert);
  const { key, cert } = await certify({ names: ["localhost"], ca });
  const proxy = { index: undefined, origins: new Set() };
  const server = await serve({ key, cert }, (request, response) => {
    const { method, url: path, headers } = request;
    if (headers.origin) proxy.origins.add(headers.origin);
    const onward = http.request(proxy.index, { method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headersDistinct);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  const other = await serve({ key, cert }, (_, response) => elsewhere(proxy.address, response));
  return Object.assign(proxy, {
    ca: file,
    address: `https://localhost:${server.port}`,
    other: `https://localhost:${other.port}`,
    stop: () => Promise.all([server, other].map(({ stop }) => stop())),
  });
}

/** A page of another origin, on the same host, with a form that the index has, too. */
function elsewhere(index, response) {
  response.setHeader("Content-Type", "text/html");
  response.end(
    `<form method="post" action="${index}/settings/sessions"><button name="action" value="others">End</button></form>`,
  );
}

/** A server without TLS of such a page. */
async function startElsewhere(index) {
  const server = http.createServer((_, response) => elsewhere(index, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

/** Where the story takes place, and what is so there alone. */
const places = {
  "over http": {
    front: async () => undefined,
    site: () => startSite(),
    cookie: { name: "hublet", secure: false },
    headers: {},
    leaves: undefined,
  },
  "behind TLS": {
    front: startTls,
    async site(tls) {
      const vars = { REGISTRATION: "open", ANONYMOUS_READ: "on" };
      const site = await startSite({ url: tls.address, vars, env: { SSL_CERT_FILE: tls.ca } });
      tls.index = site.index.address;
      return site;
    },
    cookie: { name: "__Host-hublet", secure: true },
    headers: { "strict-transport-security": "max-age=31536000" },
    leaves: '"cache", "cookies", "storage"',
  },
};

for (const [where, place] of Object.entries(places)) {
  const skip = withoutRegistryOr("dockerd", "docker") || withoutDocker() || withoutChromium();
  describe(`a new colleague, ${where}`, { skip }, () => {
    let site, tls, browser, dockerd, address, stranger, alice;
    before(
      async () => {
        tls = await place.front();
        const env = tls ? { SSL_CERT_FILE: tls.ca } : {};
        [site, browser, dockerd] = await Promise.all([place.site(tls), startBrowser(), startDockerd({ env })]);
        address = tls?.address ?? site.index.address;
        stranger = tls ? { address: tls.other } : await startElsewhere(address);
        alice = await site.join("alice");
        await site.join("robert");
        await push(alice, "alice/base:1.0");
      },
      { timeout: 900_000 },
    );
    after(
      async () => {
        await Promise.all([site, browser, dockerd].map((one) => one?.stop()));
        await Promise.all([stranger, tls].map((one) => one?.stop?.()));
      },
      { timeout },
    );

    /** Logs in with docker, and pushes an image of one file; gives its digest. */
    async function push({ name, password }, repository) {
      const docker = dockerd.client();
      const image = `${site.host}/${repository}`;
      works(await docker(["login", "--username", name, "--password-stdin", site.host], { input: password }));
      works(await docker(["import", await makeTar(repository), image]));
      const [, digest] = /digest: (sha256:[0-9a-f]{64})/.exec(works(await docker(["push", image])));
      const [full, tag] = repository.split(":");
      await tagsBecome(site, full, { [tag]: digest }, alice);
      return digest;
    }

    for (const script of [true, false]) {
      test(`${script ? "with" : "without"} script`, { timeout }, async () => {
        const { page, context, complaints, hosts, close } = await browser.visit({ script });
        const repository = script ? "alice/story" : "alice/plain";

        const front = await page.goto(`${address}/sign-in`);
        const given = Object.fromEntries(Object.keys(place.headers).map((name) => [name, front.headers()[name]]));
        assert.deepEqual(given, place.headers);
        await signIn(page, address, alice);
        const [{ name, path, httpOnly, secure, sameSite }] = await context.cookies();
        const cookie = { path: "/", httpOnly: true, sameSite: "Lax", ...place.cookie };
        assert.deepEqual({ name, path, httpOnly, secure, sameSite }, cookie);

        await page.getByRole("searchbox", { name: "Search repositories" }).fill("base");
        await page.getByRole("button", { name: "Search" }).click();
        await page.getByRole("link", { name: "alice/base" }).click();
        await page.getByText(`docker pull REGISTRY/alice/base:1.0`).waitFor();

        await page.getByRole("link", { name: "Tokens" }).click();
        await page.getByRole("link", { name: "New token" }).click();
        await page.getByLabel("Name", { exact: true }).fill(`laptop ${script}`);
        await page.getByRole("radio", { name: "Pull and push", exact: true }).check();
        await page.getByLabel("Only in these repositories").fill(repository);
        await page.getByRole("button", { name: "Make the token" }).click();
        const secret = await page.locator("code", { hasText: /^hlp_/ }).textContent();
        assert.equal(await page.getByRole("button", { name: "Copy" }).first().isVisible(), script);

        const digest = await push({ name: "alice", password: secret }, `${repository}:1`);
        await page.goto(`${address}/r/${repository}`);
        await page.getByRole("link", { name: "1", exact: true }).click();
        const facts = await page.locator("main").textContent();
        assert.ok(facts.includes(digest), facts);
        assert.match(facts, /Pushed.*by alice/);

        await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link", { name: repository }).click();
        await page.getByRole("link", { name: "Access", exact: true }).click();
        await page.getByLabel("User", { exact: true }).first().fill("robert");
        await page.getByRole("button", { name: "Add" }).click();
        await page.getByRole("rowheader", { name: "robert" }).waitFor();
        await page.goto(`${address}/r/alice/-/audit?name=${repository}`);
        const rows = await page.getByRole("row").allTextContents();
        assert.ok(
          rows.some((row) => row.includes("robert")),
          rows.join("\n"),
        );

        const other = await browser.visit({ script });
        await signIn(other.page, address, alice);
        await page.goto(`${address}/settings/sessions`);
        await page.getByRole("button", { name: "End all others" }).click();
        await page.getByText("1 session").waitFor();
        await other.page.goto(`${address}/settings`);
        assert.equal(new URL(other.page.url()).pathname, "/sign-in");
        await other.close();
        const left = page.waitForResponse((response) => new URL(response.url()).pathname === "/sign-out");
        await page.getByRole("button", { name: "Sign out" }).click();
        assert.equal((await (await left).allHeaders())["clear-site-data"], place.leaves);
        await page.getByLabel("User name").waitFor();
        assert.deepEqual(await context.cookies(), []);
        await page.goto(`${address}/settings`);
        assert.equal(new URL(page.url()).pathname, "/sign-in");

        if (tls) assert.deepEqual([...tls.origins], [address]);
        assert.deepEqual(complaints, []);
        assert.deepEqual([...hosts], [new URL(address).host]);
        await close();
      });
    }

    test("a form of another origin is refused", { timeout }, async () => {
      const { page, close } = await browser.visit();
      await signIn(page, address, alice);
      await page.goto(stranger.address);
      const answered = page.waitForResponse((response) => response.request().method() === "POST");
      await page.getByRole("button", { name: "End" }).click();
      const answer = await answered;
      assert.equal(answer.status(), 403);
      assert.equal((await answer.request().allHeaders()).origin, stranger.address);
      await page.getByText("This form was sent by a page of another site").waitFor();
      await close();
    });
  });
}
