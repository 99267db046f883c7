// Reconciling: the index learns what a registry has and it does not know, and what it knows and the registry has no more.

import { CONCURRENCY, Refused } from "./registry-client.mjs";
import { believed, compare, isDue } from "./registry-comparison.mjs";
import { Contents } from "./registry-contents.mjs";
import { each, Unanswered } from "./registry-requests.mjs";
import { walk } from "./registry-walk.mjs";
import { breathe } from "./steps.mjs";

/** Tags that are looked at before what was found is reported, and how far the run got is written down. */
const AT_ONCE = 500;

/** Which repositories each kind of run looks at tag by tag. */
const looks = { quick: () => false, deep: () => true, nightly: isDue };

/**
 * What a run found and did: lists of `{ repository, tag }`, and lines about what was refused.
 *
 * @returns {Record<string, any[]>}
 */
export const emptyReport = () => ({ added: [], moved: [], described: [], gone: [], unbelieved: [], refused: [] });

/**
 * Compares a registry with what the index knows of it (`known`, read before), and reports what differs, unless `dry`.
 *
 * @param {{ registry: any, index: any, known: any, mode: string, state: any, believe?: boolean, dry?: boolean }} run
 */
export async function reconcile({ registry, index, known, mode, state, believe = false, dry = false }) {
  const report = emptyReport();
  const now = Date.now();
  const { found, began, unread } = await walk(registry, known.tags);
  for (const [repository, reason] of unread) report.refused.push(`${repository}: ${reason}`);

  const pending = new Set(known.deletions.map(({ repository, tag }) => `${repository}:${tag}`));
  const waits = (repository, tag) => pending.has(`${repository}:`) || pending.has(`${repository}:${tag}`);
  const fresh = new Set(compare(found, known.tags, waits).added.map(({ repository, tag }) => `${repository}:${tag}`));
  const isDeep = (repository) => looks[mode](repository, now) && repository > state.finished;
  const sorted = [...found].sort(([one], [other]) => (one < other ? -1 : 1));
  const due = sorted.flatMap(([repository, places]) => {
    const tags = [...places].filter(([tag]) => !waits(repository, tag));
    const looked = isDeep(repository) ? tags : tags.filter(([tag]) => fresh.has(`${repository}:${tag}`));
    return looked.map(([tag, place]) => ({ repository, tag, ...place }));
  });

  const contents = new Contents(registry);
  let looked = 0;
  for (const some of portions(due, AT_ONCE)) {
    const all = await each(some, CONCURRENCY, async (one) => {
      const events = await look(one, { registry, contents, known: known.tags, report, dry });
      looked += 1;
      await breathe(`${looked} of ${due.length} tags`);
      return events;
    });
    if (dry) continue;
    await take(index, all.flat(), report);
    if (mode !== "quick" && looked < due.length) state.finish(some.at(-1).repository);
  }

  await forget({ found, began, known, index, report, believe, dry });
  if (!dry) {
    await verify(index, report);
    state.end();
  }
  return report;
}

/** Lists of about so many tags: those of one repository are in one, however many they are. */
function portions(due, many) {
  const all = [];
  for (const one of due) {
    const last = all.at(-1);
    if (last && (last.length < many || last.at(-1).repository === one.repository)) last.push(one);
    else all.push([one]);
  }
  return all;
}

/** Looks at one tag; gives the events that the index lacks, and notes what differed. */
async function look({ repository, tag, place, at }, { registry, contents, known, report, dry }) {
  const before = known.get(repository)?.get(tag);
  try {
    const now = await (before || dry ? registry.head(place, tag) : registry.manifest(place, tag));
    if (!now) return []; // it went after it was listed: the next run sees that
    const { digest, mediaType } = now;
    if (before?.digest === digest && before.described) return [];
    const list = before ? (before.digest === digest ? report.described : report.moved) : report.added;
    if (dry) {
      list.push({ repository, tag, digest, before: before?.digest });
      return [];
    }
    const whole = now.manifest ? now : await registry.manifest(place, digest);
    const targets = whole ? await contents.targets(place, whole) : [{ repository: place, digest, mediaType }];
    const last = targets.pop();
    list.push({ repository, tag, digest, before: before?.digest });
    return [...targets, { ...last, tag }].map((target) => ({ action: "push", timestamp: at, target }));
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Unanswered)) throw error;
    report.refused.push(`${repository}:${tag}: ${error.message}`);
    return [];
  }
}

/** Reports events, each manifest without a tag once. */
async function take(index, events, report) {
  const reported = new Set();
  const due = events.filter(({ target: { repository, tag, digest } }) => {
    const key = `${repository}@${digest}`;
    if (tag !== undefined || !reported.has(key)) return reported.add(key);
    return false;
  });
  for (const line of due.length ? await index.report(due) : []) {
    if (!report.refused.includes(line)) report.refused.push(line);
  }
}

/** Reports what is gone, unless it is so much that the registry is not believed. */
async function forget({ found, began, known, index, report, believe, dry }) {
  const { gone } = compare(found, known.tags);
  const many = [...known.tags.values()].reduce((sum, tags) => sum + tags.size, 0);
  if (!believe && !believed(gone.length, many)) {
    report.unbelieved = gone;
    report.refused.push(
      `${gone.length} of ${many} tags are gone: that is not believed, and nothing was marked; --believe does it`,
    );
    return;
  }
  report.gone = gone;
  if (dry || !gone.length) return;
  const events = gone.map(({ repository, tag }) => removal(repository, tag, began.get(repository)));
  await take(index, events, report);
}

/** The event of a tag that is gone, or, without one, of a repository. */
export const removal = (repository, tag, timestamp) => ({
  action: "delete",
  timestamp,
  target: { repository, ...(tag && { tag }) },
});

/** Whether the index took what it lacked. */
async function verify(index, report) {
  const due = [...report.added, ...report.moved];
  if (!due.length) return;
  const { tags } = await index.known();
  const lacking = due.filter(({ repository, tag }) => !tags.get(repository)?.has(tag));
  const repositories = [...new Set(lacking.map(({ repository }) => repository))].sort();
  for (const repository of repositories) {
    const many = lacking.filter((one) => one.repository === repository).length;
    report.refused.push(`${repository}: the index did not take ${many === 1 ? "a tag" : `${many} tags`} of it`);
  }
  const lost = new Set(lacking);
  for (const list of ["added", "moved"]) report[list] = report[list].filter((one) => !lost.has(one));
}
