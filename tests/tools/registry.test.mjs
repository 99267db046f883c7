// The tool beside a registry, without one: its comparison, what it chooses to prune, and how it speaks with servers that
// are busy, page their lists, or are others than they should be.

import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { Registry } from "../../tools/lib/registry-client.mjs";
import { believed, compare, isDue, named, namesOf } from "../../tools/lib/registry-comparison.mjs";
import { Contents, created, labels } from "../../tools/lib/registry-contents.mjs";
import { batches, checked, Index } from "../../tools/lib/registry-index.mjs";
import { choose, fits, span, unwatched } from "../../tools/lib/registry-prune.mjs";
import { each, Requests } from "../../tools/lib/registry-requests.mjs";
import { State } from "../../tools/lib/registry-state.mjs";

const DAY = 86_400_000;

/** Two levels of maps: `{ repository: { tag: value } }`. */
const maps = (all) => new Map(Object.entries(all).map(([name, tags]) => [name, new Map(Object.entries(tags))]));

test("a comparison finds what is new, moved, gone and not described, and nothing else", () => {
  const known = maps({
    "a/one": { 1: { digest: "x", described: true }, 2: { digest: "y", described: false } },
    "a/two": { 1: { digest: "z", described: true } },
    "a/unread": { 1: { digest: "z", described: true } },
  });
  const quick = maps({ "a/one": { 1: {}, 3: {} }, "a/two": {}, "a/new": { 1: {} } });
  const tag = (repository, tag) => ({ repository, tag: `${tag}` });
  assert.deepEqual(compare(quick, known), {
    added: [tag("a/one", 3), tag("a/new", 1)],
    moved: [],
    undescribed: [],
    gone: [tag("a/one", 2), tag("a/two", 1)],
  });
  const deep = maps({ "a/one": { 1: { digest: "w" }, 2: { digest: "y" } }, "a/two": { 1: { digest: "z" } } });
  const found = compare(deep, known);
  assert.deepEqual(found, { added: [], moved: [tag("a/one", 1)], undescribed: [tag("a/one", 2)], gone: [] });
  const waits = (repository) => repository === "a/new";
  assert.deepEqual(compare(quick, known, waits).added, [tag("a/one", 3)], "what is to be deleted is not added again");
});

test("five tags may be gone, or a twentieth of all", () => {
  for (const [gone, known, is] of [
    [5, 5, true],
    [6, 6, false],
    [6, 119, false],
    [6, 120, true],
    [250, 5000, true],
    [251, 5000, false],
  ])
    assert.equal(believed(gone, known), is, `${gone} of ${known}`);
});

test("within a week each repository is looked at on one day, and on each day some are", () => {
  const names = Array.from({ length: 300 }, (_, at) => `acme/app-${at}`);
  const began = Date.parse("2026-11-30T03:00:00Z");
  const days = Array.from({ length: 7 }, (_, day) => names.filter((name) => isDue(name, began + day * DAY)));
  assert.deepEqual(days.flat().sort(), [...names].sort());
  for (const some of days) assert.ok(some.length > 20, `${days.map((some) => some.length)}`);
});

test("a name without a slash is in the library", () => {
  assert.equal(named("app"), "library/app");
  assert.equal(named("acme/deep/app"), "acme/deep/app");
  assert.deepEqual(namesOf("library/app"), ["app", "library/app"]);
  assert.deepEqual(namesOf("acme/app"), ["acme/app"]);
});

test("what is pruned is old, unused, not among the newest, and no tag of an image that stays", () => {
  const now = Date.parse("2026-11-30T00:00:00Z");
  const ago = (days) => new Date(now - days * DAY).toISOString();
  const tag = (digest, pushed, pulled = null, imported = null) => {
    const [pulled_at, imported_at] = [pulled, imported].map((days) => days && ago(days));
    return { digest, pushed_at: ago(pushed), pulled_at, imported_at };
  };
  const hex = (digit) => digit.repeat(64);
  const tags = maps({
    "acme/app": {
      new: tag("sha256:n", 1),
      old: tag(`sha256:${hex("a")}`, 200),
      pulled: tag("sha256:p", 200, 89),
      unpulled: tag("sha256:u", 200, 90),
      found: tag("sha256:f", 200, null, 10),
      alias: tag("sha256:n", 300),
      [`sha256-${hex("a")}.sig`]: tag("sha256:s", 200),
      [`sha256-${hex("b")}.sig`]: tag("sha256:t", 200),
    },
    "acme/deep/app": { old: tag("sha256:o", 200) },
  });
  const chosen = (how) => {
    const all = choose(tags, { now, unpulled: 90 * DAY, keep: 0, patterns: ["**"], ...how });
    return all.map(({ repository, tag }) => `${repository}:${tag}`).sort();
  };
  const signature = `acme/app:sha256-${hex("a")}.sig`;
  assert.deepEqual(chosen(), ["acme/app:old", signature, "acme/app:unpulled", "acme/deep/app:old"]);
  assert.deepEqual(chosen({ patterns: ["acme/*"], keep: 1 }), ["acme/app:old", signature, "acme/app:unpulled"]);
  assert.deepEqual(
    chosen({ patterns: ["acme/app"], keep: 2 }),
    ["acme/app:unpulled"],
    "a signature stays with its image",
  );
  assert.deepEqual(chosen({ patterns: ["acme/deep/**"], keep: 1 }), []);
});

test("patterns, spans, and since when pulls are known", () => {
  for (const [pattern, repository, is] of [
    ["acme/*", "acme/app", true],
    ["acme/*", "acme/deep/app", false],
    ["acme/**", "acme/deep/app", true],
    ["a.me/app", "acme/app", false],
    ["acme/ap?", "acme/app", true],
  ])
    assert.equal(fits(pattern, repository), is, `${pattern} ${repository}`);
  assert.deepEqual(["90d", "36h", "2w"].map(span), [90 * DAY, 1.5 * DAY, 14 * DAY]);
  for (const odd of ["90", "d", "0d", "-1d", "9 d"]) assert.throws(() => span(odd), /is no span/);
  const now = Date.now();
  const since = (days) => new Date(now - days * DAY).toISOString();
  assert.equal(unwatched(since(90), 90 * DAY, now), undefined);
  assert.match(unwatched(since(89), 90 * DAY, now), /is watched since/);
});

test("creation and labels are reported where they mean something", () => {
  assert.equal(created("2025-06-01T12:00:00.123456789+02:00"), "2025-06-01T10:00:00.123Z");
  for (const odd of ["1970-01-01T00:00:00Z", "1980-01-01T00:00:01Z", "2999-01-01T00:00:00Z", "today", undefined, 7])
    assert.equal(created(odd), undefined, `${odd}`);
  const name = "org.opencontainers.image";
  const all = { [`${name}.version`]: "1", [`${name}.title`]: "t".repeat(500), maintainer: "x", [`${name}.url`]: 7 };
  assert.deepEqual(labels(all), { [`${name}.version`]: "1" });
  assert.equal(labels({ maintainer: "x" }), undefined);
  assert.equal(labels(null), undefined);
});

test("a report has at most 20 KiB, whatever the manifest", async () => {
  const digest = `sha256:${"0".repeat(64)}`;
  const type = (kind) => `application/vnd.docker.${"x".repeat(60)}.${kind}`;
  const layers = Array(127).fill({ mediaType: type("layer"), digest, size: 1_000_000 });
  const annotations = Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`org.opencontainers.image.${at}`, "\u0001".repeat(80)]),
  );
  const platform = { os: "linux", architecture: "mips64le", variant: "v8", "os.version": "x".repeat(100) };
  const manifests = Array(200).fill({ mediaType: type("manifest"), digest, size: 1_000, platform });
  const config = { mediaType: type("config"), digest, size: 1 };
  const image = { digest, mediaType: type("manifest"), size: 1, manifest: { config, layers, annotations } };
  const index = { digest: "i", mediaType: "application/vnd.oci.image.index.v1+json", size: 1 };
  const contents = new Contents({ manifest: async () => image });
  const targets = await contents.targets("acme/app", { ...index, manifest: { manifests, annotations } });
  for (const target of targets)
    assert.ok(JSON.stringify(target).length < 19 * 1024, `${JSON.stringify(target).length}`);
  const { references } = targets[0];
  assert.equal(
    references.reduce((sum, { size }) => sum + size, 0),
    127_000_001,
    "the size is that of all layers",
  );
});

test("events are sent in lists of at most 500 and 200 kB", () => {
  const sizes = (events) => batches(events).map((list) => list.length);
  assert.deepEqual(sizes([]), []);
  assert.deepEqual(sizes(Array(1201).fill({})), [500, 500, 201]);
  assert.deepEqual(sizes(Array(3).fill({ text: "x".repeat(80_000) })), [2, 1]);
});

test("work on many things is done by a number at once, and the first failure ends it", async () => {
  let [now, most] = [0, 0];
  const results = await each([1, 2, 3, 4, 5], 2, async (one) => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
    return one * 2;
  });
  assert.deepEqual([results, most], [[2, 4, 6, 8, 10], 2]);
  const fails = each([1, 2, 3], 1, async (one) => Promise.reject(new Error(`${one}`)));
  await assert.rejects(fails, /^Error: 1$/);
});

/** A server of this test: `answer` gets each request as text, and gives `[status, headers, body]`. */
async function server(answer) {
  const asked = [];
  const listening = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const [status, headers = {}, body = ""] = answer(request, asked);
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise((resolve) => listening.listen(0, "127.0.0.1", resolve));
  after(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return { address: `http://127.0.0.1:${listening.address().port}`, asked };
}

const requests = (more) => new Requests({ rate: 100_000, pause: 1, ...more });

/** A client for the registry of a server, and for another server as its index. */
function client(registry, index = { address: "http://127.0.0.1:1" }) {
  const service = "registry";
  const of = new Index({ address: index.address, service, credential: "hlc_x", requests: requests() });
  return new Registry({ address: registry.address, service, index: of, requests: requests(), page: 1000 });
}

test("a server that is busy is asked again, and one that stays so is named", async () => {
  const { address, asked } = await server((_, asked) => (asked.length < 3 ? [503, { "retry-after": "0" }] : [200]));
  assert.equal((await requests().send(`${address}/x`)).status, 200);
  assert.equal(asked.length, 3);
  const broken = await server(() => [500]);
  await assert.rejects(requests().send(`${broken.address}/x?secret`), /GET http:\S+\/x answers 500$/);
  assert.equal(broken.asked.length, 5);
  await assert.rejects(requests().send("http://127.0.0.1:1/"), /does not answer/);
});

test("requests are sent at the rate, and not faster", async () => {
  const { address } = await server(() => [200]);
  const slow = requests({ rate: 100 });
  const began = performance.now();
  await Promise.all(Array.from({ length: 21 }, () => slow.send(address)));
  assert.ok(performance.now() - began >= 195, `${performance.now() - began} ms`);
});

test("lists are read to their end, with fewer names at once where the registry wants that", async () => {
  const names = Array.from({ length: 250 }, (_, at) => `acme/app-${String(at).padStart(3, "0")}`);
  const { address, asked } = await server(({ url }) => {
    const query = new URL(url, "http://x").searchParams;
    const many = Number(query.get("n"));
    if (many > 100) return [400, {}, { errors: [{ code: "PAGINATION_NUMBER_INVALID" }] }];
    const at = names.findIndex((name) => name > (query.get("last") ?? ""));
    const repositories = names.slice(at, at + many);
    const last = repositories.at(-1);
    const link =
      last === names.at(-1) ? {} : { link: `<http://inside:5000/v2/_catalog?n=100&last=${last}>; rel="next"` };
    return [200, link, { repositories }];
  });
  const registry = client({ address });
  registry.takesTokens = false;
  assert.deepEqual(await registry.catalog(), names);
  assert.deepEqual(asked, ["n=1000", "n=100", "n=100&last=acme/app-099", "n=100&last=acme/app-199"].map(get));
  function get(query) {
    return `GET /v2/_catalog?${query}`;
  }
});

test("a list without end is an error, one of null is empty, and a repository that is not there has no tags", async () => {
  const endless = client(
    await server(() => [200, { link: '</v2/x?n=1&last=a>; rel="next"' }, { repositories: ["a"] }]),
  );
  endless.takesTokens = false;
  await assert.rejects(endless.catalog(), /names the same page twice/);
  const empty = client(await server(({ url }) => (/none/.test(url) ? [404] : [200, {}, { tags: null }])));
  empty.takesTokens = false;
  assert.deepEqual([await empty.tags("acme/app"), await empty.tags("acme/none")], [[], []]);
});

test("a registry of another index is named as one, before it gets any credential", async () => {
  const challenged = (value) => server(() => [401, value ? { "www-authenticate": value } : {}]);
  const index = await server(() => [200, {}, { token: "t", expires_in: 300 }]);
  const realm = `${index.address}/token`;
  for (const [challenge, words] of [
    [`Bearer realm="${realm}",service="other"`, /has the service "other" and not "registry"/],
    ['Bearer realm="https://elsewhere.example/token",service="registry"', /has the realm "https:\/\/elsewhere/],
    ['Basic realm="registry"', /takes no tokens/],
    [undefined, /takes no tokens/],
  ])
    await assert.rejects(client(await challenged(challenge), index).open(), words);
  await assert.rejects(client(await server(() => [404])).open(), /is it a registry/);
  assert.deepEqual(index.asked, []);
  await client(await challenged(`Bearer realm="${realm}",service="registry"`), index).open();
  const open = client(await server(() => [200]));
  await open.open();
  assert.equal(open.takesTokens, false);
});

test("one token is for many repositories, and is renewed when it is not taken", async () => {
  let tokens = 0;
  const index = await server(() => {
    tokens += 1;
    return [200, {}, { token: `t${tokens}`, expires_in: 300 }];
  });
  const registry = client(
    await server(({ headers }) => (headers.authorization === "Bearer t1" ? [401] : [200, {}, { tags: ["1"] }])),
    index,
  );
  const names = Array.from({ length: 60 }, (_, at) => `acme/app-${at}`);
  registry.expect(names);
  for (const name of names) assert.deepEqual(await registry.tags(name), ["1"]);
  assert.equal(index.asked.length, 3, "two groups, of which the first was renewed");
  for (const url of index.asked) assert.ok(url.length < 3_000, `${url.length}`);
  assert.match(decodeURIComponent(index.asked[0]), /service=registry&scope=repository:acme\/app-0:pull&scope=/);
});

test("a manifest of other bytes than its digest has is not believed", async () => {
  const type = "application/vnd.oci.image.manifest.v1+json";
  const wrong = { "docker-content-digest": `sha256:${"0".repeat(64)}`, "content-type": type };
  const registry = client(await server(() => [200, wrong, "{}"]));
  registry.takesTokens = false;
  await assert.rejects(registry.manifest("acme/app", "1"), /answers with other bytes/);
});

test("a run goes on where one of its kind was interrupted, within a day", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-registry-"));
  after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, "state.json");
  assert.equal(new State(file, "deep").finished, "");
  new State(file, "deep").finish("acme/app");
  assert.equal(new State(file, "deep").finished, "acme/app");
  assert.equal(new State(file, "nightly 2026-11-30").finished, "");
  const began = new Date(Date.now() - DAY).toISOString();
  fs.writeFileSync(file, JSON.stringify({ run: "deep", began, finished: "acme/app" }));
  assert.equal(new State(file, "deep").finished, "");
  new State(file, "deep").end();
  assert.ok(!fs.existsSync(file));
  for (const odd of ["", "[]", '{"run": "deep"}']) {
    fs.writeFileSync(file, odd);
    assert.throws(() => new State(file, "deep"), /is no state of a run: delete it/);
  }
});

test("a token of a reconciler has its form", () => {
  const token = `hlc_${"0".repeat(48)}`;
  assert.equal(checked(`${token}\n`, "X"), token);
  for (const odd of ["", "hlp_x", `${token}0`])
    assert.throws(() => checked(odd, "X"), /X has no token of a reconciler/);
});
