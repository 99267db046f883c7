// Pruning: which tags are old and unused, by what the index knows of their pushes and pulls.

import path from "node:path";
import { Failure } from "./steps.mjs";

const UNITS = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** Requests that are made before they are executed: the index lists no more than twice as many. */
const AT_ONCE = 500;

/** A tag by which cosign and others attach something to the image that it names. */
const ATTACHED = /^(sha\d+)-([0-9a-f]{64,})(\.[a-z]+)?$/;

/** Milliseconds of `90d`, `36h` or `12w`. */
export function span(text) {
  const [, number, unit] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  if (!Number(number)) throw new Failure(`${JSON.stringify(text)} is no span such as 90d, 36h or 12w`);
  return Number(number) * UNITS[unit];
}

/** Whether the name of a repository fits a pattern, in which * stops at a slash and ** does not. */
export const fits = (pattern, repository) => path.posix.matchesGlob(repository, pattern);

/** Why nothing can be pruned: pulls of which the index was not notified are none to it. */
export function unwatched(watchedSince, unpulled, now) {
  if (now - Date.parse(watchedSince) >= unpulled) return undefined;
  return `the registry is watched since ${watchedSince}: who pulled what before is not known`;
}

/**
 * The tags that were neither pushed, found nor pulled for `unpulled` milliseconds, without the `keep` newest of each repository:
 * `{ repository, tag, digest }` each. An image stays with all its tags while one of them does, and what is attached to
 * it stays with it.
 */
export function choose(tags, { now, unpulled, keep, patterns }) {
  const old = (time) => time === null || now - Date.parse(time) >= unpulled;
  const isUsed = (one) => ![one.pushed_at, one.pulled_at, one.imported_at].every(old);
  const all = [...tags].filter(([repository]) => patterns.some((pattern) => fits(pattern, repository)));
  return all.flatMap(([repository, some]) => {
    const entries = [...some].map(([tag, known]) => ({ repository, tag, ...known }));
    const own = entries.filter(({ tag }) => !ATTACHED.test(tag));
    const newest = own.sort((a, b) => Date.parse(b.pushed_at) - Date.parse(a.pushed_at)).slice(0, keep);
    const stay = new Set(newest.concat(own.filter(isUsed)).map(digestOf));
    const chosen = own.filter((one) => !stay.has(one.digest));
    const gone = new Set(chosen.map(digestOf));
    const attached = entries.filter(({ tag, digest }) => {
      const [, algorithm, value] = ATTACHED.exec(tag) ?? [];
      return gone.has(`${algorithm}:${value}`) && !stay.has(digest);
    });
    return [...chosen, ...attached].map(({ tag, digest }) => ({ repository, tag, digest }));
  });
}

const digestOf = ({ digest }) => digest;

/** Asks the index to have these tags deleted, and has `execute` do it; `execute` is given what the index knows then. */
export async function request(index, chosen, execute) {
  for (let at = 0; at < chosen.length; at += AT_ONCE) {
    const timestamp = new Date().toISOString();
    const some = chosen.slice(at, at + AT_ONCE);
    await index.report(some.map((target) => ({ action: "request", timestamp, target })));
    await execute(await index.known());
  }
}
