// What a repository of a registry has now: the digest of each tag, and the images that its indexes name.

import { CONCURRENCY } from "./registry-client.mjs";
import { images, isIndex } from "./registry-contents.mjs";
import { each } from "./registry-requests.mjs";

/** Indexes in indexes that are followed. */
const DEEPEST = 3;

export class Survey {
  /** By the name of each tag: `{ digest, mediaType }`. */
  tags = new Map();

  #images = new Map(); // by the digest of an index: the digests that it names

  /** Of the repository that the registry calls `place`. */
  constructor(registry, place) {
    this.registry = registry;
    this.place = place;
  }

  /** Looks at all tags again, or only at those that came since. */
  async look({ again = false } = {}) {
    const names = await this.registry.tags(this.place);
    const before = again ? new Map() : this.tags;
    const heads = await each(names, CONCURRENCY, (tag) => before.get(tag) ?? this.registry.head(this.place, tag));
    this.tags = new Map(names.map((tag, at) => [tag, heads[at]]).filter(([, head]) => head));
    return this;
  }

  /** The digests that an index names, and those that indexes among these do; none where the digest is no index. */
  async images(digest, mediaType, depth = DEEPEST) {
    if (!isIndex(mediaType) || !depth) return [];
    if (!this.#images.has(digest)) {
      const found = await this.registry.manifest(this.place, digest);
      const inside = found ? images(found) : [];
      const indexes = (found?.manifest.manifests ?? []).filter((one) => isIndex(one.mediaType));
      const more = await each(indexes, 1, (one) => this.images(one.digest, one.mediaType, depth - 1));
      this.#images.set(digest, [...inside, ...more.flat()]);
    }
    return this.#images.get(digest);
  }

  /** By the name of each tag that is an index: the digests that it names. */
  async indexes() {
    const all = [...this.tags].filter(([, { mediaType }]) => isIndex(mediaType));
    const named = await each(all, CONCURRENCY, ([, { digest, mediaType }]) => this.images(digest, mediaType));
    return new Map(all.map(([tag], at) => [tag, named[at]]));
  }
}
