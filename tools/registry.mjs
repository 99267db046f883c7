// The tool beside a registry: it compares what the registry has with what the index knows, and deletes what is asked for.

import { readFileSync } from "node:fs";
import path from "node:path";
import { drift } from "./lib/at-work.mjs";
import { Registry } from "./lib/registry-client.mjs";
import { executeDeletions } from "./lib/registry-deletions.mjs";
import { checked, Index } from "./lib/registry-index.mjs";
import { choose, request, span, unwatched } from "./lib/registry-prune.mjs";
import { emptyReport, reconcile } from "./lib/registry-reconcile.mjs";
import { chosenLines, deletionLines, reconcileLines, untagged } from "./lib/registry-report.mjs";
import { Requests } from "./lib/registry-requests.mjs";
import { State } from "./lib/registry-state.mjs";
import { setUpNode } from "./lib/setup.mjs";
import { Failure, home, main, onDisk, parse, print, step } from "./lib/steps.mjs";

const help = `npm run registry -- reconcile SERVICE=URL [--quick | --deep | --nightly | --deletions] [--believe]
npm run registry -- prune SERVICE=URL --unpulled SPAN [--keep N] [--repository GLOB]... [--untagged]

  It runs where it reaches the registry of a service at URL, with the token that \`npm run admin -- reconciler SERVICE\`
  prints, in HUBLET_RECONCILER_TOKEN or a file. Both first execute the deletions that were asked for.

  reconcile                the index learns which tags the registry has and it does not know, and which are gone
    --quick                compares the names of all tags, with one request for each repository; this is the default
    --deep                 looks at each tag besides: has it moved, and does the index know what is inside?
    --nightly              quick, and deep for a seventh of the repositories, another one each day of the week
    --deletions            only executes the deletions that were asked for
    --believe              takes it as true that more than 5 tags and more than 5 % of all are gone
  prune                    asks for the deletion of old tags, and executes it
    --unpulled SPAN        tags that were neither pushed nor pulled for so long: 90d, 36h, 12w
    --keep N               without the N newest of each repository (default: 10)
    --repository GLOB      of these repositories alone: acme/app, acme/*, acme/**; may be repeated
    --untagged             prints how the registry itself deletes manifests without a tag

  --with-its-other-tags    where the registry deletes by digest alone: deletes the other tags of the image, too
  --dry-run                changes nothing, and prints what it would
  --index URL              where the index is; without it, what PUBLIC_URL has, or where \`npm start\` answers
  --remote                 PUBLIC_URL of the deployed worker, not of \`npm start\`
  --token-file FILE        the file with the token, in place of HUBLET_RECONCILER_TOKEN
  --rate N                 at most N requests a second to the registry (default: 50)
  --state FILE             where an interrupted run is written down (default: .wrangler/registry-SERVICE.json)

  The exit code is 1 where something was refused, not believed, or not understood.`;

/** @satisfies {import("node:util").ParseArgsOptionsConfig} */
const options = {
  quick: { type: "boolean", default: false },
  deep: { type: "boolean", default: false },
  nightly: { type: "boolean", default: false },
  deletions: { type: "boolean", default: false },
  believe: { type: "boolean", default: false },
  unpulled: { type: "string" },
  keep: { type: "string", default: "10" },
  repository: { type: "string", multiple: true },
  untagged: { type: "boolean", default: false },
  "with-its-other-tags": { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false },
  index: { type: "string" },
  remote: { type: "boolean", default: false },
  "persist-to": { type: "string" },
  "token-file": { type: "string" },
  rate: { type: "string", default: "50" },
  state: { type: "string" },
  help: { type: "boolean", default: false, short: "h" },
};

/** A path as it was typed: npm runs us from the clone. */
const typed = (file) => path.resolve(process.env.INIT_CWD ?? ".", file);

/** A number of an option, or a Failure. */
function count(flags, name, least) {
  const value = Number(flags[name]);
  if (/^\d{1,5}$/.test(flags[name]) && value >= least) return value;
  throw new Failure(`--${name} ${flags[name]} is no number from ${least} on`);
}

/** SERVICE=URL, or a Failure. */
function target(text) {
  const [, service, address] = /^([^=]+)=(https?:\/\/.+)$/.exec(text ?? "") ?? [];
  if (!service) throw new Failure(`${JSON.stringify(text ?? "")} is not SERVICE=URL\n${help}`);
  return { service, address };
}

async function credential(flags) {
  const file = flags["token-file"];
  if (file !== undefined) {
    const text = await onDisk(`${file} cannot be read`, () => readFileSync(typed(file), "utf8"));
    return checked(text, file);
  }
  return checked(process.env.HUBLET_RECONCILER_TOKEN ?? "", "HUBLET_RECONCILER_TOKEN");
}

/** Where the index is. Beside a registry there may be nothing to read that from, so an address that is given is enough. */
async function indexAddress(flags) {
  const given = flags.index;
  if (given === undefined) {
    const { setUpOperator } = await import("./lib/operator.mjs");
    await setUpOperator();
    const { asked } = await import("./lib/registry-keys.mjs");
    const { publicUrl } = await import("./lib/services.mjs");
    return publicUrl(asked(flags));
  }
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url?.hostname ?? "");
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback)) return url.origin;
  throw new Failure(`--index ${given} is not https://host (http on a loopback address)`);
}

async function indexFor(flags, { service }) {
  const place = { address: await indexAddress(flags), service, credential: await credential(flags) };
  return new Index({ ...place, requests: new Requests({ rate: 20 }) });
}

async function open(flags, index, { service, address }) {
  const requests = new Requests({ rate: count(flags, "rate", 1) });
  const registry = new Registry({ address, service, index, requests });
  await registry.open();
  const apart = drift(registry.answered);
  if (apart) console.error(`hublet: the clock of the registry is ${apart}: what was pushed meanwhile may look older`);
  return { registry, index };
}

/** Executes the deletions that wait; gives what the index knows afterwards. */
async function deletions(both, known, flags, report) {
  if (!known.deletions.length) return known;
  const how = { withOthers: flags["with-its-other-tags"], dry: flags["dry-run"] };
  const result = await step("deletions", () => executeDeletions({ ...both, known, ...how }));
  for (const list of Object.keys(result)) report[list] = [...(report[list] ?? []), ...result[list]];
  return flags["dry-run"] ? known : both.index.known();
}

async function reconciled(flags, place) {
  const modes = ["quick", "deep", "nightly", "deletions"].filter((name) => flags[name]);
  if (modes.length > 1) throw new Failure(`one of --${modes.join(", --")}`);
  const [mode = "quick"] = modes;
  const index = await indexFor(flags, place);
  if (mode === "deletions" && !(await index.hasDeletions())) return 0;
  const both = await open(flags, index, place);
  const deleted = {};
  const known = await deletions(both, await both.index.known(), flags, deleted);
  const dry = flags["dry-run"];
  let report = emptyReport();
  if (mode !== "deletions") {
    const file = flags.state
      ? typed(flags.state)
      : path.join(home, `.wrangler/registry-${fileName(place.service)}.json`);
    // Each night another seventh is looked at.
    const kind = mode === "nightly" ? `${mode} ${new Date().toISOString().slice(0, 10)}` : mode;
    const state = await onDisk(`${file} cannot be read`, () => new State(file, kind));
    const run = { ...both, known, mode, state, believe: flags.believe, dry };
    report = await step(`${mode} run`, () => reconcile(run), { always: true });
  }
  say([...deletionLines(deleted, dry), ...reconcileLines(report, { mode, dry })]);
  return [...report.refused, ...(deleted.kept ?? []), ...(deleted.failed ?? [])].length;
}

const fileName = (service) => service.replace(/[^\w.-]/g, "_");

async function pruned(flags, place) {
  if (flags.unpulled === undefined && !flags.untagged) throw new Failure(`--unpulled SPAN or --untagged\n${help}`);
  const keep = count(flags, "keep", 0);
  const unpulled = flags.unpulled === undefined ? undefined : span(flags.unpulled);
  const dry = flags["dry-run"];
  const deleted = {};
  if (unpulled !== undefined) {
    const both = await open(flags, await indexFor(flags, place), place);
    const known = await both.index.known();
    const now = Date.now();
    const refused = unwatched(known.watchedSince, unpulled, now);
    if (refused) throw new Failure(`${refused}; --unpulled ${flags.unpulled} is longer ago`);
    const chosen = choose(known.tags, { now, unpulled, keep, patterns: flags.repository ?? ["**"] });
    say(chosenLines(chosen, { dry, known: known.tags }));
    if (!dry) await request(both.index, chosen, (known) => deletions(both, known, flags, deleted));
    say(deletionLines(deleted, dry));
  }
  if (flags.untagged) say(untagged);
  return [...(deleted.kept ?? []), ...(deleted.failed ?? [])].length;
}

const say = (lines) => lines.length && print(lines.join("\n"));

const verbs = { reconcile: reconciled, prune: pruned };

await main(async () => {
  const { values: flags, positionals } = parse({ options, allowPositionals: true });
  if (flags.help) return console.log(help);
  const [verb, place, ...more] = positionals;
  if (!Object.hasOwn(verbs, verb ?? "") || more.length) throw new Failure(`usage: ${help}`);
  await setUpNode();
  if (await verbs[verb](flags, target(place))) process.exitCode = 1;
});
