// The comparison of what a registry has with what the index knows of it: no request is sent here.

import { createHash } from "node:crypto";

/** So many tags may be gone at once, and this part of all that are known: more is taken for a damaged registry. */
const MOST_GONE = 5;
const LARGEST_PART_GONE = 0.05;

const DAY = 86_400_000;

/** The name of a registry's repository in the index: one without a slash is in `library`. */
export const named = (name) => (name.includes("/") ? name : `library/${name}`);

/** The names under which a registry may have a repository of the index. */
export const namesOf = (repository) =>
  repository.startsWith("library/") ? [repository.slice("library/".length), repository] : [repository];

/**
 * What differs. `found` is what the registry has: by the name of each repository that could be listed, its tags, each
 * with its `digest` as far as it was looked at. `known` is what the index has in the same form. Gives lists of
 * `{ repository, tag }`: `added` and `gone`, and `moved` and `undescribed` of the tags that were looked at. `kept` says
 * which tags wait to be deleted: these are not added again.
 *
 * @param {Map<string, Map<string, { digest?: string }>>} found
 * @param {Map<string, Map<string, { digest: string, described: boolean }>>} known
 * @param {(repository: string, tag: string) => boolean} kept
 */
export function compare(found, known, kept = () => false) {
  /** @type {Record<string, { repository: string, tag: string }[]>} */
  const { added, moved, undescribed, gone } = { added: [], moved: [], undescribed: [], gone: [] };
  for (const [repository, tags] of found) {
    const before = known.get(repository) ?? new Map();
    for (const [tag, { digest }] of tags) {
      const one = before.get(tag);
      if (!one) {
        if (!kept(repository, tag)) added.push({ repository, tag });
      } else if (digest !== undefined && digest !== one.digest) moved.push({ repository, tag });
      else if (digest !== undefined && !one.described) undescribed.push({ repository, tag });
    }
    for (const tag of before.keys()) if (!tags.has(tag)) gone.push({ repository, tag });
  }
  return { added, moved, undescribed, gone };
}

/** Whether so many tags can be gone, of so many that are known. */
export const believed = (gone, known) => gone <= MOST_GONE || gone <= known * LARGEST_PART_GONE;

/** Whether a repository is of the seventh that a nightly run looks at on a day: each is on one day of seven. */
export function isDue(repository, now) {
  const part = createHash("sha256").update(repository).digest().readUInt32BE() % 7;
  return part === Math.floor(now / DAY) % 7;
}
