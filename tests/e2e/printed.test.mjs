// The reverse proxies that docs/with-registry.md prints, as they are printed: what goes through them, and what must not.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { freePort } from "./support/daemons.mjs";
import { startDockerd, withoutDocker } from "./support/docker.mjs";
import { basic } from "./support/http.mjs";
import { makeImage, makeTar } from "./support/layout.mjs";
import { startCaddy, startNginx } from "./support/proxies.mjs";
import { refused, works } from "./support/outcome.mjs";
import { without } from "./support/programs.mjs";
import { block, printed, put } from "./support/manual.mjs";
import { scratch } from "./support/scratch.mjs";
import { bySearchOf } from "./support/search.mjs";
import { startSite, tagsBecome, withoutRegistryOr } from "./support/site.mjs";
import { makeSkopeo } from "./support/skopeo.mjs";
import { soon } from "./support/time.mjs";
import { certify, cloudflare, serve } from "./support/tls.mjs";

const timeout = 120_000;
const worker = "hublet.ACCOUNT.workers.dev";
const secret = "a secret of 32 characters, or more";

/** "To have everything at one host": the same with the two locations that the manual says. */
const everything = (text) =>
  put(text, {
    "location /v2/ ": `${printed(/`(location ~ [^`]+)`/)} `,
    "location /v1/ ": `${printed(/all else to the index with `(location \/)`/)} `,
  });

/** What is printed, and where it is one's own machine in it. `upstream` is the index, or who says so. */
const proxies = [
  {
    name: "nginx",
    program: "nginx",
    text: () => block("nginx"),
    start: (text, known, place) => startNginx(ofNginx(text, known, place), place.port),
    upstreamName: worker,
    scheme: "https",
  },
  {
    name: "nginx, everything at one host",
    program: "nginx",
    text: () => everything(block("nginx")),
    start: (text, known, place) => startNginx(ofNginx(text, known, place), place.port),
    upstreamName: worker,
    scheme: "https",
    whole: true,
  },
  {
    name: "Caddy",
    program: "caddy",
    text: () => block("caddyfile"),
    start: (text, known, place) => startCaddy(ofCaddy(text, place), place.port, { SSL_CERT_FILE: known.at("ca.pem") }),
    upstreamName: "localhost", // it takes the name from the address
    scheme: "http", // since nobody certifies a port of this machine
  },
];

/** A CA that the proxy and the registry know, and the host name of the proxy. */
async function authority() {
  const folder = scratch();
  const at = (name) => path.join(folder, name);
  const ca = await certify();
  const hub = await certify({ names: ["127.0.0.1"], ca });
  writeFileSync(at("ca.pem"), ca.cert);
  writeFileSync(at("hub.pem"), hub.cert);
  writeFileSync(at("hub.key"), hub.key, { mode: 0o600 });
  return { ca, at };
}

const ofNginx = (text, { at }, { port, registry, upstream }) =>
  put(text, {
    "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
    "/etc/ssl/hub.example.com.pem": at("hub.pem"),
    "/etc/ssl/hub.example.com.key": at("hub.key"),
    "/etc/ssl/certs/ca-certificates.crt": at("ca.pem"),
    "http://127.0.0.1:5000": registry,
    [`https://${worker}`]: `https://127.0.0.1:${upstream}`,
    PROXY_SECRET: `"${secret}"`,
  });

const ofCaddy = (text, { port, registry, upstream }) =>
  put(text, {
    "hub.example.com {": `http://127.0.0.1:${port} {`,
    "127.0.0.1:5000": registry.replace("http://", ""),
    [`https://${worker}`]: `https://localhost:${upstream}`,
    PROXY_SECRET: `"${secret}"`,
  });

/** Asks the proxy as somebody at another address of this machine, who says that they are from elsewhere. */
function ask(scheme, port, path, headers) {
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port,
      path,
      localAddress: "127.0.0.2",
      rejectUnauthorized: false,
      agent: false,
    };
    const told = { "X-Forwarded-For": "192.0.2.66", "X-Hublet-Proxy": "a guess", ...headers };
    const request = { http, https }[scheme].get({ ...options, headers: told }, (answer) =>
      resolve(answer.resume().statusCode),
    );
    request.on("error", reject);
  });
}

for (const proxy of proxies) {
  describe(proxy.name, { skip: withoutRegistryOr(proxy.program) }, () => {
    const running = [];
    let site, alice, port, host;
    before(
      async () => {
        const known = await authority();
        port = await freePort();
        host = `127.0.0.1:${port}`;
        const url = proxy.whole ? `https://${host}` : undefined;
        site = await startSite({
          url,
          env: { SSL_CERT_FILE: known.at("ca.pem") },
          vars: { PROXY_SECRET: secret, VISIBILITY: "private" },
        });
        running.push(site);
        const edge = await serve(
          await certify({ names: [proxy.upstreamName], ca: known.ca }),
          cloudflare(worker, site.index.address),
        );
        running.push(edge);
        running.push(
          await proxy.start(proxy.text(), known, { port, registry: site.registry.address, upstream: edge.port }),
        );
        alice = await site.join("alice");
      },
      { timeout: 900_000 },
    );
    after(
      async () => {
        for (const { stop } of running.reverse()) await stop();
      },
      { timeout: 60_000 },
    );

    test("docker logs in, pushes, searches, pulls", { skip: withoutDocker(), timeout }, async (t) => {
      const dockerd = await startDockerd();
      t.after(() => dockerd.stop());
      const [docker, nobody] = [dockerd.client(), dockerd.client()];
      const image = `${host}/alice/app:1.0`;
      works(await docker(["login", "--username", "alice", "--password-stdin", host], { input: alice.password }));
      works(await docker(["import", await makeTar("printed"), image]));
      const [, digest] = /digest: (sha256:\w+)/.exec(works(await docker(["push", image])));
      await tagsBecome(site, "alice/app", { "1.0": digest }, alice);
      await soon("found", async () => `${await bySearchOf(docker)(host, "app")}` === "alice/app");
      assert.deepEqual(await bySearchOf(nobody)(host, "app"), []);
      works(await docker(["rmi", image]));
      works(await docker(["pull", image]));
      works(await docker(["rmi", image]));
      refused(await nobody(["pull", image]), /denied|unauthorized/);
    });

    test("skopeo logs in, pushes, lists, pulls", { skip: withoutRegistryOr("skopeo"), timeout }, async () => {
      const skopeo = makeSkopeo();
      const image = await makeImage("printed");
      works(await skopeo.login(host, alice));
      works(await skopeo.push(image, `${host}/alice/skopeo:1.0`));
      await tagsBecome(site, "alice/skopeo", { "1.0": image.digest }, alice);
      assert.deepEqual(JSON.parse(works(await skopeo.listTags(`${host}/alice/skopeo`))).Tags, ["1.0"]);
      works(await skopeo.pull(`${host}/alice/skopeo:1.0`));
    });

    test("the audit has the address of the client, and not what they say that it is", { timeout }, async () => {
      const headers = { Authorization: basic({ ...alice, password: "guess" }) };
      assert.equal(await ask(proxy.scheme, port, "/v1/users/", headers), 401);
      const rows = (await site.admin("log", "--json"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.deepEqual(
        rows.filter(({ action }) => action === "user.login.refuse").map(({ address }) => address),
        ["127.0.0.2"],
      );
    });
  });
}

describe("a password", () => {
  for (const { name, program, text, start, upstreamName, scheme } of proxies) {
    const servers = [
      ["the index", upstreamName, true, 200],
      ["another name under the same CA", "another.example.com", true, 502],
      ["the same name under no CA", upstreamName, false, 502],
      ["another name under no CA", "another.example.com", false, 502],
    ];
    for (const [what, certified, signed, status] of servers) {
      test(`${status === 200 ? "goes" : "does not go"} through ${name} to ${what}`, {
        skip: without(program),
        timeout,
      }, async (t) => {
        const known = await authority();
        const heard = [];
        const certificate = await certify({ names: [certified], ca: signed ? known.ca : undefined });
        const server = await serve(certificate, ({ headers }, response) => {
          heard.push(headers.authorization);
          response.end();
        });
        t.after(server.stop);
        const port = await freePort();
        const proxy = await start(text(), known, { port, registry: "http://127.0.0.1:9", upstream: server.port });
        t.after(() => proxy.stop());
        const sent = basic({ name: "alice", password: "wonderland" });
        assert.equal(await ask(scheme, port, "/v1/users/", { Authorization: sent }), status);
        assert.deepEqual(heard, status === 200 ? [sent] : []);
      });
    }
  }
});
