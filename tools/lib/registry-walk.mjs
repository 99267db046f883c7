// The walk through a registry: which repositories and tags it has, and under which of its names.

import { CONCURRENCY, Refused } from "./registry-client.mjs";
import { named, namesOf } from "./registry-comparison.mjs";
import { each, Unanswered } from "./registry-requests.mjs";
import { breathe } from "./steps.mjs";

/**
 * Lists the tags of all repositories, of those too that only the index knows (`known`). Gives `found`, by the name in the
 * index: each tag with its `place`, the name in the registry, and when the walk of that began (`at`); `began`, when the walk
 * of each repository did; and `unread`, the repositories that could not be listed, each with the reason: nothing is known of
 * those.
 *
 * @returns {Promise<{ found: Map<string, Map<string, { place: string, at: string, digest?: string }>>, began: Map<string, string>, unread: Map<string, string> }>}
 */
export async function walk(registry, known) {
  const catalog = await registry.catalog();
  const listed = new Set(catalog.map(named));
  // A registry may have left one out: what is to be gone is asked for by its name.
  const others = [...known.keys()].filter((repository) => !listed.has(repository)).flatMap(namesOf);
  const names = [...new Set([...catalog, ...others])].sort();
  registry.expect(names);
  const unread = new Map();
  let done = 0;
  const lists = await each(names, CONCURRENCY, async (place) => {
    const at = new Date().toISOString();
    const tags = await registry.tags(place).catch((error) => {
      if (!(error instanceof Refused || error instanceof Unanswered)) throw error;
      unread.set(named(place), error.message);
      return [];
    });
    done += 1;
    await breathe(`${done} of ${names.length} repositories`);
    return { place, at, tags };
  });
  const [found, began] = [new Map(), new Map()];
  for (const { place, at, tags } of lists) {
    const repository = named(place);
    if (unread.has(repository)) continue;
    if (!found.has(repository)) found.set(repository, new Map());
    if (!began.has(repository)) began.set(repository, at);
    for (const tag of tags) if (!found.get(repository).has(tag)) found.get(repository).set(tag, { place, at });
  }
  return { found, began, unread };
}
