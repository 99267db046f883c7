// Deletions that wait in the index, executed in the registry: no tag goes that was not asked for.

import { Refused } from "./registry-client.mjs";
import { namesOf } from "./registry-comparison.mjs";
import { removal } from "./registry-reconcile.mjs";
import { Unanswered } from "./registry-requests.mjs";
import { Survey } from "./registry-survey.mjs";
import { shown } from "./texts.mjs";

/** Bytes of a reason. */
const LONGEST_REASON = 200;

const NO_DELETE = "the registry deletes nothing: storage.delete.enabled is not true in its configuration";

/** Why a request is not executed; whoever asked for it reads that. */
class Kept extends Error {}

/**
 * Executes the deletions of `known`, unless `dry`. Gives `deleted`, `kept` (with the reason), and `failed`, lines about
 * what may work the next time.
 *
 * @param {{ registry: any, index: any, known: any, withOthers?: boolean, dry?: boolean }} run
 */
export async function executeDeletions({ registry, index, known, withOthers = false, dry = false }) {
  /** @type {Record<"deleted" | "kept" | "failed", any[]>} */
  const result = { deleted: [], kept: [], failed: [] };
  const repositories = [...new Set(known.deletions.map(({ repository }) => repository))];
  registry.expect(repositories.flatMap(namesOf));
  for (const repository of repositories) {
    const requests = known.deletions.filter((one) => one.repository === repository);
    const ofTags = known.tags.get(repository) ?? new Map();
    const work = new Work({ registry, repository, requests, known: ofTags, withOthers, dry });
    try {
      await work.execute();
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unanswered)) throw error;
      result.failed.push(`${repository}: ${error.message}`);
    }
    if (!dry && work.events.length) await index.report(work.events); // what was done, also where the rest failed
    result.deleted.push(...work.deleted);
    result.kept.push(...work.kept);
  }
  return result;
}

/** The deletions of one repository. */
class Work {
  /** @type {any[]} */
  events = [];
  /** @type {any[]} */
  deleted = [];
  /** @type {any[]} */
  kept = [];

  constructor({ registry, repository, requests, known, withOthers, dry }) {
    this.registry = registry;
    this.repository = repository;
    this.requests = requests;
    this.known = known;
    this.withOthers = withOthers;
    this.dry = dry;
  }

  async execute() {
    const surveys = [];
    for (const place of namesOf(this.repository)) {
      const survey = await new Survey(this.registry, place).look();
      if (survey.tags.size) surveys.push(survey);
    }
    const ofTags = this.requests.filter(({ tag }) => tag !== "");
    const whole = this.requests.find(({ tag }) => tag === "");
    for (const request of ofTags) this.#settle(request, surveys);
    for (const survey of surveys) await this.#in(survey, ofTags, whole);
    if (whole && !this.kept.some(({ request }) => request === whole)) {
      this.deleted.push({ repository: this.repository, tag: "", digest: "" });
      this.events.push(removal(this.repository, "", whole.requested_at)); // what was pushed since stays
    }
  }

  /** A request of which nothing is left to do: the tag is gone, or is another image by now. */
  #settle(request, surveys) {
    const { tag, digest } = request;
    const there = surveys.map((survey) => survey.tags.get(tag)).filter(Boolean);
    if (!there.length) {
      this.deleted.push({ repository: this.repository, tag, digest });
      this.events.push(removal(this.repository, tag, new Date().toISOString()));
    } else if (digest !== "" && there.every((one) => one.digest !== digest)) {
      this.#keep(request, `it was pushed again since, and is ${there[0].digest} now`);
    }
  }

  /** Whether a tag was pushed after the deletion of its repository was asked for. */
  #isNewer(tag, { requested_at: requested }) {
    return Date.parse(this.known.get(tag)?.pushed_at) > Date.parse(requested);
  }

  /** Deletes in one place, one digest after another. */
  async #in(survey, ofTags, whole) {
    const going = new Map(); // by tag: the request
    for (const [tag, { digest }] of survey.tags) {
      const request = ofTags.find((one) => one.tag === tag && ["", digest].includes(one.digest));
      if (request) going.set(tag, request);
      else if (whole && !this.#isNewer(tag, whole)) going.set(tag, whole);
    }
    for (const digest of new Set([...going.keys()].map((tag) => survey.tags.get(tag).digest))) {
      const tags = [...going.keys()].filter((tag) => survey.tags.get(tag)?.digest === digest);
      try {
        await this.#digest(survey, digest, tags, new Set(going.keys()));
      } catch (error) {
        if (!(error instanceof Kept)) throw error;
        for (const request of new Set(tags.map((tag) => going.get(tag)))) this.#keep(request, error.message);
      }
    }
  }

  /** Deletes these tags, which have one digest: the digest itself, unless a tag that stays needs it. */
  async #digest(survey, digest, tags, going) {
    await survey.look(); // a tag may have come since
    const { mediaType } = survey.tags.get(tags[0]) ?? {};
    if (!mediaType) return this.#done(survey, tags, digest);
    const stay = [...survey.tags].filter(([tag]) => !going.has(tag));
    const others = stay.filter(([, one]) => one.digest === digest).map(([tag]) => tag);
    const indexes = await survey.indexes();
    const parts = stay.map(([tag]) => tag).filter((tag) => indexes.get(tag)?.includes(digest));
    if (this.dry) return this.#done(survey, tags, digest);
    if (parts.length || (others.length && !this.withOthers)) return this.#byTag(survey, digest, tags, others, parts);
    const left = stay.filter(([tag]) => !others.includes(tag));
    const needed = new Set(left.flatMap(([tag, one]) => [one.digest, ...(indexes.get(tag) ?? [])]));
    // First what is inside: while the tag is there, a run that was interrupted is done again.
    for (const image of await survey.images(digest, mediaType))
      if (!needed.has(image)) await this.#remove(survey, image);
    await this.#remove(survey, digest);
    this.#done(survey, [...tags, ...others], digest);
  }

  /** Deletes tags alone, where the registry has a way to do that: distribution 3 and zot have one. */
  async #byTag(survey, digest, tags, others, parts) {
    for (const tag of tags) {
      const status = await this.registry.remove(survey.place, tag);
      if ([200, 202, 204, 404].includes(status) && !(await this.registry.head(survey.place, tag))) {
        this.#done(survey, [tag], digest);
        continue;
      }
      const named = (all) => `${shown(all[0])}${all.length > 1 ? ` and ${all.length - 1} more` : ""}`;
      const verb = others.length > 1 ? "are" : "is";
      if (parts.length) throw new Kept(`it is a part of ${named(parts)}, and this registry deletes by digest alone`);
      throw new Kept(`${named(others)} ${verb} the same image, and this registry deletes by digest alone`);
    }
  }

  async #remove(survey, digest) {
    const status = await this.registry.remove(survey.place, digest);
    if (status === 405) throw new Kept(NO_DELETE);
    const what = `DELETE /v2/${survey.place}/manifests/${digest}`;
    if (![200, 202, 204, 404].includes(status)) throw new Refused(what, status);
    if (await this.registry.head(survey.place, digest))
      throw new Unanswered(`${what} answers ${status}, and the registry still has it`);
  }

  #done(survey, tags, digest) {
    const at = new Date().toISOString();
    for (const tag of tags) {
      survey.tags.delete(tag);
      this.deleted.push({ repository: this.repository, tag, digest });
      this.events.push(removal(this.repository, tag, at));
    }
  }

  #keep(request, words) {
    if (this.kept.some((one) => one.request === request)) return;
    const { tag, digest } = request;
    const reason = Buffer.from(words).subarray(0, LONGEST_REASON).toString();
    const target = { repository: this.repository, tag, digest };
    this.kept.push({ ...target, reason, request });
    this.events.push({ action: "keep", timestamp: new Date().toISOString(), target, reason });
  }
}
