// The tool beside a registry, with a real one of 300 repositories and 5,000 tags: what the index learns, what it does not
// believe, and what is deleted.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { start } from "./support/daemons.mjs";
import { commands, put } from "./support/manual.mjs";
import { refused, works } from "./support/outcome.mjs";
import { run, without } from "./support/programs.mjs";
import { fill, RegistryStorage } from "./support/registry-storage.mjs";
import { scratch } from "./support/scratch.mjs";
import { startSite, withoutRegistryOr } from "./support/site.mjs";
import { makeSkopeo } from "./support/skopeo.mjs";
import { soon } from "./support/time.mjs";
import { openLocal } from "../../tools/lib/sqlite.mjs";

const timeout = 300_000;
const REPOSITORIES = 300;
const TAGS = 5_000;
const VERSION = "org.opencontainers.image.version";

describe("the tool beside a registry", { skip: withoutRegistryOr("skopeo") }, () => {
  let site, storage, all, token, olga, skopeo;
  const words = (verb, more) => [
    "run",
    "--silent",
    "registry",
    "--",
    verb,
    `registry=${site.registry.address}`,
    ...more,
  ];
  const env = () => ({ HUBLET_RECONCILER_TOKEN: token });
  const tool = (verb, ...more) =>
    run("npm", words(verb, ["--rate", "2000", ...more]), { cwd: site.folder, env: env(), limit: timeout });
  /** A run in which nothing is refused; gives the last line that it printed. */
  const reconcile = async (...more) =>
    works(await tool("reconcile", ...more))
      .trim()
      .split("\n")
      .at(-1);
  const timed = async (t, what, work) => {
    const began = performance.now();
    const answer = await work();
    t.diagnostic(`${what}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return answer;
  };
  /** A block of the manual, with what is of this machine. */
  const printed = (text, more = {}) => {
    const values = { "127.0.0.1:5000": site.registry.host, ...more };
    const fitting = Object.entries(values).filter(([from]) => text.includes(from));
    const options = { cwd: site.folder, env: env(), limit: timeout };
    return run("sh", ["-ec", put(text, Object.fromEntries(fitting))], options);
  };
  const knows = (repository) => site.tags(repository, olga);
  const manage = (...request) => site.manage(olga)(...request);
  const at = (repository) => `namespaces/${repository.replace("/", "/repositories/")}`;
  /** Asks for a deletion, as a page does; gives what the response has to it. */
  const remove = async (repository, tag) => {
    const { status } = await manage(202, "DELETE", tag ? `${at(repository)}/tags/${tag}` : at(repository));
    return status;
  };
  /** Whether the registry lets its clients have this tag or digest. */
  const pullable = (image) => skopeo.inspect(`${site.registry.host}/${image}`);
  const blob = (digest) => {
    const hex = digest.slice("sha256:".length);
    return path.join(storage.folder, "blobs/sha256", hex.slice(0, 2), hex, "data");
  };

  before(
    async () => {
      site = await startSite({ vars: { VISIBILITY: "private", REGISTRATION: "open", ANONYMOUS_READ: "on" } });
      storage = new RegistryStorage(path.join(site.registry.folder, "data"));
      all = fill(storage, { repositories: REPOSITORIES, tags: TAGS });
      storage.tag("alone", "1", storage.image("alone", "alone"));
      olga = await site.join("olga");
      for (const command of ["namespace acme", "member acme olga admin"]) await site.admin(...command.split(" "));
      skopeo = makeSkopeo();
      works(await skopeo.login(site.registry.host, olga));
      [token] = /hlc_[0-9a-f]{48}/.exec(works(await printed(commands("reconciler-token"))));
    },
    { timeout: 900_000 },
  );
  after(() => site?.stop(), { timeout: 60_000 });

  test("another token, another service and another index are refused", { timeout }, async () => {
    const wrong = { cwd: site.folder, env: { HUBLET_RECONCILER_TOKEN: `hlc_${"0".repeat(48)}` }, limit: timeout };
    refused(await run("npm", words("reconcile", []), wrong), /answers 401/);
    const other = ["run", "--silent", "registry", "--", "reconcile", `other=${site.registry.address}`];
    refused(await run("npm", other, { ...wrong, env: env() }), /registry/);
    refused(await tool("reconcile", "--index", "http://127.0.0.1:1"), /does not answer|is of another index/);
  });

  test("the first run brings all that there is, and nothing is public or counted", { timeout }, async (t) => {
    const rate = { "--deep": "--deep --rate 2000" };
    const run = await timed(t, `first run, ${TAGS} tags`, () => printed(commands("first-run"), rate));
    assert.match(works(run), new RegExp(`^added ${TAGS + 1} tags$`, "m"));
    for (const [repository, tags] of [...all].filter((_, at) => at % 60 === 0))
      assert.deepEqual(Object.keys(await knows(repository)).sort(), [...tags].sort(), repository);
    assert.doesNotMatch(await site.admin("repositories"), /public/);
    const [name] = all.keys();
    const index = await manage(200, "GET", `repositories/${name}/tags/1.1`);
    assert.deepEqual(index.images.map(({ architecture }) => architecture).sort(), ["amd64", "arm64", "s390x"]);
    for (const { size } of index.images) assert.ok(size > 0);
    const image = await manage(200, "GET", `repositories/${name}/tags/1.0`);
    assert.ok(image.full_size > 0 && image.imported && image.labels[VERSION] === "1.0", JSON.stringify(image));

    // The registry notifies of what the tool reads too, one after the other: after a pull of a user all of it was heard.
    const last = "repositories/acme/app-0200/tags/1.2";
    works(await skopeo.pull(`${site.registry.host}/acme/app-0200:1.2`));
    const heard = () => manage(200, "GET", last).then((tag) => tag.tag_last_pulled !== null);
    t.diagnostic(`its notifications: ${Math.round((await soon("pull counted", heard, timeout)) / 1000)} s`);
    const { results } = await manage(200, "GET", "namespaces/acme/repositories?page_size=100");
    for (const { name, pull_count } of results) assert.equal(pull_count, name === "app-0200" ? 1 : 0, name);
  });

  test("the second run changes nothing, be it quick, deep or nightly", { timeout }, async (t) => {
    for (const mode of ["--quick", "--deep", "--nightly"])
      assert.equal(await timed(t, `${mode}, ${TAGS} tags`, () => reconcile(mode)), "nothing differs", mode);
  });

  test("a push that was lost is found: a new tag by the next run, a move by the next deep one", {
    timeout,
  }, async () => {
    const [name, other] = all.keys();
    storage.tag(name, "lost", storage.image(name, "lost"));
    const moved = storage.image(other, "moved");
    storage.tag(other, "1.0", moved);
    assert.equal(await reconcile("--dry-run"), "would be: added 1 tag");
    assert.equal(await reconcile(), "added 1 tag");
    assert.notEqual((await knows(other))["1.0"], moved.digest);
    assert.equal(await reconcile("--deep"), "moved 1");
    assert.equal((await knows(other))["1.0"], moved.digest);
    storage.untag(name, "lost");
    assert.equal(await reconcile(), "gone 1");
    assert.ok(!("lost" in (await knows(name))));
  });

  test("what hublet has no namespace for is named", { timeout }, async () => {
    storage.tag("elsewhere/app", "1", storage.image("elsewhere/app", "1"));
    refused(await tool("reconcile"), /✗ there is no namespace elsewhere: npm run admin -- namespace elsewhere$/m);
    storage.lose("elsewhere/app");
    assert.equal(await reconcile(), "nothing differs");
  });

  test("a run that was interrupted goes on where it was", { timeout }, async (t) => {
    const file = path.join(scratch(), "state.json");
    const more = ["--deep", "--state", file];
    const interrupted = await start("npm", words("reconcile", ["--rate", "500", ...more]), {
      cwd: site.folder,
      env: env(),
      ready: () => existsSync(file) || undefined,
    });
    await interrupted.stop();
    const { finished } = JSON.parse(readFileSync(file, "utf8"));
    const left = [...all.keys()].filter((name) => name > finished);
    assert.ok(left.length > 0 && left.length < REPOSITORIES, finished);
    const heads = () => site.registry.log().match(/"HEAD \/v2\//g)?.length ?? 0;
    const before = heads();
    assert.equal(await reconcile(...more), "nothing differs");
    const due = left.reduce((sum, name) => sum + all.get(name).length, 1); // and library/alone
    t.diagnostic(`${due} of ${TAGS} tags were left`);
    assert.ok(heads() - before <= due, `${heads() - before} of ${due}`);
    assert.ok(!existsSync(file));
  });

  test("a leaked image that is deleted is not pullable any more", { timeout }, async () => {
    const name = [...all.keys()][10];
    const { 1.1: index, "1.0": other } = await knows(name);
    const { manifests } = JSON.parse(readFileSync(blob(index), "utf8"));
    const all3 = [`${name}:1.1`, `${name}@${index}`, ...manifests.map(({ digest }) => `${name}@${digest}`)];
    for (const image of all3.slice(0, 2)) works(await pullable(image));
    assert.equal(await remove(name, "1.1"), "pending");
    assert.equal((await knows(name))["1.1"], index, "until the registry has deleted it");
    assert.match(works(await tool("reconcile", "--deletions", "--dry-run")), /^would delete acme\/app-0010:1\.1 /m);
    works(await pullable(`${name}:1.1`));
    const deleted = works(await tool("reconcile", "--deletions"));
    assert.match(deleted, /^deleted acme\/app-0010:1\.1 [\s\S]*garbage-collect/m);
    for (const image of all3) refused(await pullable(image), /manifest unknown|name unknown/);
    assert.ok(!("1.1" in (await knows(name))));
    works(await pullable(`${name}@${other}`));
    assert.equal(works(await tool("reconcile", "--deletions")), "", "nothing waits");

    const config = path.join(site.registry.folder, "config.yml");
    const [line] = /docker-registry garbage-collect/.exec(deleted);
    works(await run(line.split(" ")[0], [line.split(" ")[1], config], { limit: timeout }));
    for (const digest of [index, ...manifests.map(({ digest }) => digest)])
      assert.ok(!existsSync(blob(digest)), digest);
    assert.ok(existsSync(blob(other)));
    assert.equal(await reconcile(), "nothing differs");
  });

  test("a tag whose image has another one is kept, with the reason, unless both are asked for", {
    timeout,
  }, async () => {
    const name = [...all.keys()][11];
    storage.tag(name, "alias", { digest: (await knows(name))["1.2"] });
    assert.equal(await reconcile(), "added 1 tag");
    assert.equal(await remove(name, "alias"), "pending");
    const reason = "1.2 is the same image, and this registry deletes by digest alone";
    refused(await tool("reconcile", "--deletions"), new RegExp(`kept ${name}:alias: ${reason}`));
    works(await pullable(`${name}:alias`));
    const { deletion } = await manage(200, "GET", `${at(name)}/tags/alias`);
    assert.equal(deletion.refusal, reason);
    // A push of the tag withdraws its deletion.
    const image = (tag) => `${site.registry.host}/${name}:${tag}`;
    works(await skopeo.copy(image("1.2"), image("alias")));
    await soon("withdrawn", async () => !(await manage(200, "GET", `${at(name)}/tags/alias`)).deletion, timeout);
    works(await tool("reconcile", "--deletions"));
    assert.equal(await remove(name, "alias"), "pending");
    works(await tool("reconcile", "--deletions", "--with-its-other-tags"));
    const left = await knows(name);
    assert.ok(!("alias" in left) && !("1.2" in left));
  });

  test("a repository that is deleted goes from the registry, and does not come back", { timeout }, async () => {
    const name = [...all.keys()][12];
    assert.equal(await remove(name), "pending");
    assert.equal(await reconcile("--quick"), "nothing differs");
    refused(await pullable(`${name}:1.0`), /manifest unknown|name unknown|denied/);
    assert.equal(await reconcile("--deep"), "nothing differs");
  });

  test("what is old and was not pulled is pruned, once pulls were watched for long enough", { timeout }, async () => {
    refused(await printed(commands("prune")), /the registry is watched since \S+: who pulled what before is not known/);
    const database = openLocal(site.index.state, "DB");
    const time = 100 * 86_400;
    database.exec(`update reconcilers set created_at = created_at - ${time}`);
    database.exec(`update tags set imported_at = imported_at - ${time * 1000}`);
    database.close();
    const dry = works(await printed(commands("prune")));
    assert.match(dry, /^\d{4} tags are old and unused; nothing was asked for$/m);

    const [name, pulled] = [[...all.keys()][13], [...all.keys()][14]];
    const newest = works(await tool("prune", "--unpulled", "90d", "--repository", name));
    assert.match(newest, /garbage-collect/);
    const left = await knows(name);
    assert.equal(Object.keys(left).filter((tag) => !tag.startsWith("sha256-")).length, 10);
    for (const tag of all.get(name)) {
      if (tag in left) works(await pullable(`${name}:${tag}`));
      else refused(await pullable(`${name}:${tag}`), /manifest unknown/);
    }
    works(await skopeo.pull(`${site.registry.host}/${pulled}:1.3`));
    const tag = () => manage(200, "GET", `${at(pulled)}/tags/1.3`);
    await soon("pull counted", async () => (await tag()).tag_last_pulled !== null, timeout);
    works(await tool("prune", "--unpulled", "90d", "--keep", "0", "--repository", pulled));
    assert.deepEqual(Object.keys(await knows(pulled)), ["1.3"]);
    assert.equal(await reconcile(), "nothing differs");
  });

  test("a registry that lost half of its repositories is not believed", { timeout }, async () => {
    const lost = [...all.keys()].filter((_, at) => at >= 20 && at % 2 === 0);
    const [first] = lost;
    for (const name of lost) storage.lose(name);
    const many = lost.reduce((sum, name) => sum + all.get(name).length, 0);
    const answer = await tool("reconcile");
    refused(answer, new RegExp(`not believed: ${many} tags gone; 1 refused`));
    assert.equal(Object.keys(await knows(first)).length, all.get(first).length);
    assert.equal(await reconcile("--believe"), `gone ${many}`);
    assert.deepEqual(await knows(first), {});
    assert.equal(await reconcile("--deep"), "nothing differs");
  });

  test("the files for systemd are ones", { skip: without("systemd-analyze"), timeout }, async () => {
    const page = readFileSync(path.join(site.folder, "docs/registry-tool.md"), "utf8");
    const folder = scratch();
    const units = [...page.matchAll(/^```ini\n# \/etc\/systemd\/system\/(\S+)\n([\s\S]*?)^```$/gm)];
    assert.equal(units.length, 2);
    // The program is not here.
    const text = (unit) => unit.replace("/opt/hublet/node_modules/.bin/hublet", process.execPath);
    for (const [, name, unit] of units) writeFileSync(path.join(folder, name), text(unit));
    const files = units.map(([, name]) => path.join(folder, name));
    const { code, stdout, stderr } = await run("systemd-analyze", ["verify", "--man=no", ...files]);
    assert.deepEqual([code, stdout, stderr], [0, "", ""]);
    const [, schedule] = /^OnCalendar=(.*)$/m.exec(page);
    works(await run("systemd-analyze", ["calendar", schedule]));
    works(await run("systemd-analyze", ["calendar", "*:0/5"]));
  });
});
