// Which requests the tool beside a registry sends to delete what was asked for, to a registry that deletes by digest alone
// (as 2.8) and to one that deletes tags too (as distribution 3 and zot): both are played here, by what they answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { executeDeletions } from "../../tools/lib/registry-deletions.mjs";

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const REQUESTED = "2026-11-30T00:00:00.000Z";

/** A registry with these repositories: `{ name: { tag: digest } }`; `indexes` have the digests of their images. */
class Played {
  removed = [];

  constructor(repositories, { indexes = {}, byTag = false, disabled = false } = {}) {
    Object.assign(this, { repositories: structuredClone(repositories), indexes, byTag, disabled });
    this.gone = new Set();
  }

  expect() {}

  async tags(name) {
    return Object.keys(this.repositories[name] ?? {});
  }

  async head(name, reference) {
    const digest = reference.includes(":") ? reference : this.repositories[name]?.[reference];
    if (digest === undefined || this.gone.has(`${name}@${digest}`)) return undefined;
    return { digest, mediaType: this.indexes[digest] ? INDEX : IMAGE };
  }

  async manifest(name, reference) {
    const head = await this.head(name, reference);
    const manifests = this.indexes[head?.digest]?.map((digest) => ({ digest, mediaType: IMAGE }));
    return head && { ...head, manifest: { manifests } };
  }

  async remove(name, reference) {
    if (this.disabled) return 405;
    if (!reference.includes(":")) {
      if (!this.byTag) return 400;
      this.removed.push(`${name}:${reference}`);
      delete this.repositories[name][reference];
      return 202;
    }
    this.removed.push(`${name}@${reference}`);
    this.gone.add(`${name}@${reference}`);
    for (const [tag, digest] of Object.entries(this.repositories[name]))
      if (digest === reference) delete this.repositories[name][tag];
    return 202;
  }
}

/** Deletes tags (`repository:tag@digest`) or whole repositories; gives what was sent, kept and reported. */
async function remove(registry, asked, { known = {}, ...how } = {}) {
  const deletions = asked.map((text) => {
    const [, repository, tag = "", digest = ""] = /^([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(text);
    return { repository, tag, digest, requested_at: REQUESTED };
  });
  const tags = new Map(
    Object.entries(known).map(([name, times]) => [
      name,
      new Map(Object.entries(times).map(([tag, pushed_at]) => [tag, { pushed_at }])),
    ]),
  );
  const events = [];
  const index = { report: async (some) => events.push(...some) };
  const { kept, failed } = await executeDeletions({ registry, index, known: { deletions, tags }, ...how });
  assert.deepEqual(failed, []);
  const reported = events.map(({ action, target }) => `${action} ${target.repository}:${target.tag ?? ""}`);
  return { removed: registry.removed, kept: kept.map(({ tag, reason }) => `${tag}: ${reason}`), reported };
}

test("a tag whose image no other tag is goes by its digest", async () => {
  const registry = new Played({ "acme/app": { 1: "sha256:a", 2: "sha256:b" } });
  assert.deepEqual(await remove(registry, ["acme/app:1@sha256:a"]), {
    removed: ["acme/app@sha256:a"],
    kept: [],
    reported: ["delete acme/app:1"],
  });
});

test("a tag that was pushed again is kept, and one that is gone already is reported", async () => {
  const registry = new Played({ "acme/app": { 1: "sha256:b" } });
  const { removed, kept, reported } = await remove(registry, ["acme/app:1@sha256:a", "acme/app:2@sha256:a"]);
  assert.deepEqual(removed, []);
  assert.deepEqual(kept, ["1: it was pushed again since, and is sha256:b now"]);
  assert.deepEqual(reported, ["keep acme/app:1", "delete acme/app:2"]);
});

test("no other tag of the image goes, unless that was asked for", async () => {
  const tags = { "acme/app": { 1: "sha256:a", latest: "sha256:a" } };
  const asked = ["acme/app:1@sha256:a"];
  assert.deepEqual(await remove(new Played(tags), asked), {
    removed: [],
    kept: ["1: latest is the same image, and this registry deletes by digest alone"],
    reported: ["keep acme/app:1"],
  });
  assert.deepEqual(await remove(new Played(tags, { byTag: true }), asked), {
    removed: ["acme/app:1"],
    kept: [],
    reported: ["delete acme/app:1"],
  });
  const three = { "acme/app": { 1: "sha256:a", 1.1: "sha256:a", latest: "sha256:a" } };
  assert.deepEqual((await remove(new Played(three), asked)).kept, [
    "1: 1.1 and 1 more are the same image, and this registry deletes by digest alone",
  ]);
  const told = await remove(new Played(tags), asked, { withOthers: true });
  assert.deepEqual(told.reported, ["delete acme/app:1", "delete acme/app:latest"]);
  const both = await remove(new Played(tags), [...asked, "acme/app:latest@sha256:a"]);
  assert.deepEqual(both.removed, ["acme/app@sha256:a"], "both were asked for");
});

test("an index goes with the images that nothing else needs", async () => {
  const indexes = { "sha256:i": ["sha256:a", "sha256:b", "sha256:c"], "sha256:j": ["sha256:b"] };
  const registry = new Played({ "acme/app": { 1: "sha256:i", 2: "sha256:j", c: "sha256:c" } }, { indexes });
  const { removed } = await remove(registry, ["acme/app:1@sha256:i"]);
  assert.deepEqual(removed, ["acme/app@sha256:a", "acme/app@sha256:i"]);
});

test("an index whose images could only be deleted in part is still there to be done again", async () => {
  const registry = new Played({ "acme/app": { 1: "sha256:i" } }, { indexes: { "sha256:i": ["sha256:a", "sha256:b"] } });
  const whole = registry.remove.bind(registry);
  registry.remove = async (name, reference) => (reference === "sha256:b" ? 500 : whole(name, reference));
  const deletions = [{ repository: "acme/app", tag: "1", digest: "sha256:i", requested_at: REQUESTED }];
  const events = [];
  const index = { report: async (some) => events.push(...some) };
  const known = { deletions, tags: new Map() };
  const { failed, deleted } = await executeDeletions({ registry, index, known });
  assert.match(failed[0], /DELETE \/v2\/acme\/app\/manifests\/sha256:b answers 500/);
  assert.deepEqual([deleted, events], [[], []]);
  registry.remove = whole;
  await executeDeletions({ registry, index, known });
  assert.deepEqual(registry.removed.slice(1), ["acme/app@sha256:a", "acme/app@sha256:b", "acme/app@sha256:i"]);
});

test("what an index that stays has as a part is not deleted, whatever was asked for", async () => {
  const tags = { "acme/app": { 1: "sha256:i", "1-amd64": "sha256:a" } };
  const indexes = { "sha256:i": ["sha256:a"] };
  for (const withOthers of [false, true]) {
    const { removed, kept } = await remove(new Played(tags, { indexes }), ["acme/app:1-amd64@sha256:a"], {
      withOthers,
    });
    assert.deepEqual(removed, []);
    assert.match(kept[0], /it is a part of 1, and this registry deletes by digest alone/);
  }
  const byTag = new Played(tags, { indexes, byTag: true });
  assert.deepEqual((await remove(byTag, ["acme/app:1-amd64@sha256:a"])).removed, ["acme/app:1-amd64"]);
});

test("of a whole repository everything goes but what was pushed after that was asked for", async () => {
  const tags = { "acme/app": { 1: "sha256:a", 2: "sha256:a", 3: "sha256:b" } };
  const all = await remove(new Played(tags), ["acme/app"]);
  assert.deepEqual(all.removed, ["acme/app@sha256:a", "acme/app@sha256:b"]);
  assert.deepEqual(all.reported.at(-1), "delete acme/app:");
  const known = { "acme/app": { 1: "2026-11-29T00:00:00Z", 3: "2026-11-30T00:00:01Z" } };
  const rest = await remove(new Played(tags), ["acme/app"], { known });
  assert.deepEqual(rest.removed, ["acme/app@sha256:a"]);
  assert.deepEqual((await remove(new Played({}), ["acme/app"])).reported, ["delete acme/app:"]);
});

test("library is also what has no slash", async () => {
  const registry = new Played({ app: { 1: "sha256:a" }, "library/app": { 1: "sha256:b" } });
  assert.deepEqual((await remove(registry, ["library/app:1@sha256:a"])).removed, ["app@sha256:a"]);
});

test("a registry that deletes nothing is named as one, and a dry run sends nothing", async () => {
  const tags = { "acme/app": { 1: "sha256:a" } };
  const { kept } = await remove(new Played(tags, { disabled: true }), ["acme/app:1@sha256:a"]);
  assert.deepEqual(kept, ["1: the registry deletes nothing: storage.delete.enabled is not true in its configuration"]);
  const dry = await remove(new Played(tags), ["acme/app:1@sha256:a"], { dry: true });
  assert.deepEqual([dry.removed, dry.reported], [[], []]);
});
