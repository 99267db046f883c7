// A registry as the tool beside it uses it: its challenge, tokens for it, its names, its manifests, and what it deletes.

import { createHash } from "node:crypto";
import { bytes, json, object, Unanswered } from "./registry-requests.mjs";
import { Failure } from "./steps.mjs";
import { shown } from "./texts.mjs";

/** Requests that a registry has to answer at once. */
export const CONCURRENCY = 4;

/** Names that are asked for at once. Some registries refuse so many, and are asked for fewer. */
const PAGE = 1000;
const SMALL_PAGE = 100;

/** Bytes of a list of names, of a manifest and of a configuration; distribution takes manifests of 4 MB. */
const LONGEST_LIST = 16 * 1024 * 1024;
const LONGEST_MANIFEST = 4 * 1024 * 1024;
const LONGEST_CONFIGURATION = 4 * 1024 * 1024;

/** Milliseconds for a list of all repositories: a registry walks its whole storage for it. */
const PATIENCE_OF_CATALOG = 600_000;

/** Repositories of one token, and bytes of their names: a proxy before a registry takes headers of 8 kB. */
const MOST_SCOPES = 40;
const LONGEST_SCOPES = 2_000;

/** Milliseconds before its end at which a token is replaced. */
const BEFORE_END = 60_000;

export const INDEXES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFESTS = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  ...INDEXES,
  "application/vnd.oci.artifact.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "application/vnd.docker.distribution.manifest.v1+json",
];

/** What a registry refuses: its status, and what it reports of it. */
export class Refused extends Failure {
  constructor(what, status, words) {
    super(`${what} answers ${status}${words ? ` (${words})` : ""}`);
    this.status = status;
  }
}

/** A parameter of a challenge, as RFC 9110 writes it. */
export const parameter = (challenge, name) =>
  new RegExp(`^Bearer\\b.*\\b${name}="([^"]*)"`, "i").exec(challenge ?? "")?.[1];

const sha256 = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export class Registry {
  #tokens = new Map(); // by their scopes: { token, ends }, awaited by all that need it
  #groups = new Map(); // by the name of a repository: the scopes of a token that has it

  /**
   * The registry at `address`, which is `service` to the index.
   *
   * @param {{ address: string, service: string, index: import("./registry-index.mjs").Index, requests: import("./registry-requests.mjs").Requests, page?: number }} options
   */
  constructor({ address, service, index, requests, page = PAGE }) {
    this.address = address.replace(/\/+$/, "");
    this.service = service;
    this.index = index;
    this.requests = requests;
    this.page = page;
    this.takesTokens = true;
  }

  /** Whether it takes the tokens of the index, or none; what speaks against it is a Failure. */
  async open() {
    const answer = await this.requests.send(`${this.address}/v2/`);
    await answer.body?.cancel();
    this.answered = answer;
    this.takesTokens = answer.status !== 200;
    if (!this.takesTokens) return;
    if (answer.status !== 401) throw new Failure(`${this.address}/v2/ answers ${answer.status}: is it a registry?`);
    const challenge = answer.headers.get("www-authenticate");
    const [realm, service] = ["realm", "service"].map((name) => parameter(challenge, name));
    if (realm === undefined)
      throw new Failure(`${this.address} takes no tokens: its challenge is ${shown(challenge ?? "missing")}`);
    const wanted = { realm: `${this.index.address}/token`, service: this.service };
    for (const [name, is] of Object.entries({ realm, service }))
      if (is !== wanted[name])
        throw new Failure(
          `${this.address} has the ${name} ${shown(JSON.stringify(is ?? ""))} and not ${JSON.stringify(wanted[name])}: the configuration of the registry, or --index, is of another index`,
        );
  }

  /** Names of repositories that are read next: tokens are for many of them at once. */
  expect(names) {
    /** @type {string[]} */
    let group = [];
    let length = 0;
    for (const name of [...names].sort()) {
      const scope = `repository:${name}:pull`;
      if (group.length === MOST_SCOPES || length + scope.length > LONGEST_SCOPES) [group, length] = [[], 0];
      group.push(scope);
      length += scope.length;
      this.#groups.set(name, group);
    }
  }

  /** The names of all repositories. */
  async catalog() {
    const scopes = ["registry:catalog:*"];
    return this.#names("_catalog", "repositories", scopes, PATIENCE_OF_CATALOG);
  }

  /** The names of the tags of a repository; none where the registry does not know it. */
  async tags(repository) {
    return (await this.#names(`${repository}/tags/list`, "tags", this.#scopes(repository))) ?? [];
  }

  /** @param {number} [patience] */
  async #names(path, field, scopes, patience) {
    const names = new Set();
    let [query, count] = [`n=${this.page}`, this.page];
    for (;;) {
      const answer = await this.#ask("GET", `${path}?${query}`, { scopes, patience });
      if (answer.status === 400 && count > SMALL_PAGE && !names.size) {
        await answer.body?.cancel();
        [query, count] = [`n=${SMALL_PAGE}`, SMALL_PAGE];
        continue;
      }
      if (answer.status === 404 && field === "tags") {
        await answer.body?.cancel();
        return undefined;
      }
      await this.#expect200(answer, `GET /v2/${path}`);
      const before = names.size;
      const page = (await json(answer, LONGEST_LIST))[field] ?? []; // some registries have null for none
      if (!Array.isArray(page) || !page.every((name) => typeof name === "string"))
        throw new Unanswered(`${this.address}/v2/${path} answers with no list of ${field}`);
      for (const name of page) names.add(name);
      const next = /<[^>?]*\?([^>]*)>\s*;\s*rel="?next"?/i.exec(answer.headers.get("link") ?? "")?.[1];
      if (next === undefined) return [...names];
      if (names.size === before) throw new Unanswered(`${this.address}/v2/${path} names the same page twice`);
      query = next;
    }
  }

  /** What a tag or a digest is now: `{ digest, mediaType }`, or nothing. */
  async head(repository, reference) {
    const options = { scopes: this.#scopes(repository), accept: MANIFESTS };
    const answer = await this.#ask("HEAD", `${repository}/manifests/${reference}`, options);
    if (answer.status === 404) return undefined;
    await this.#expect200(answer, `HEAD /v2/${repository}/manifests/${reference}`);
    const [digest, mediaType] = ["docker-content-digest", "content-type"].map((name) => answer.headers.get(name));
    return digest ? { digest, mediaType: plain(mediaType) } : this.manifest(repository, reference);
  }

  /** A manifest: `{ digest, mediaType, size, manifest }`, or nothing; another one than its digest has is an Unanswered. */
  async manifest(repository, reference) {
    const options = { scopes: this.#scopes(repository), accept: MANIFESTS };
    const what = `/v2/${repository}/manifests/${reference}`;
    const answer = await this.#ask("GET", `${repository}/manifests/${reference}`, options);
    if (answer.status === 404) return void (await answer.body?.cancel());
    await this.#expect200(answer, `GET ${what}`);
    const text = await bytes(answer, LONGEST_MANIFEST);
    const mediaType = plain(answer.headers.get("content-type"));
    const digest = answer.headers.get("docker-content-digest") ?? sha256(text);
    const signed = mediaType.endsWith("+prettyjws"); // its digest is that of what was signed
    if (digest.startsWith("sha256:") && !signed && sha256(text) !== digest)
      throw new Unanswered(`${this.address}${what} answers with other bytes than those of ${digest}`);
    return { digest, mediaType, size: text.length, manifest: object(text) ?? {} };
  }

  /** The configuration of an image, or nothing where it is missing or no configuration. */
  async configuration(repository, { digest, size }) {
    if (!(size <= LONGEST_CONFIGURATION)) return undefined;
    const scopes = this.#scopes(repository);
    // The storage of a cloud has it elsewhere.
    const answer = await this.#ask("GET", `${repository}/blobs/${digest}`, { scopes, redirect: "follow" });
    if (answer.status === 404) return void (await answer.body?.cancel());
    await this.#expect200(answer, `GET /v2/${repository}/blobs/${digest}`);
    const text = await bytes(answer, LONGEST_CONFIGURATION);
    return sha256(text) === digest ? object(text) : undefined;
  }

  /** Deletes a digest, or a tag where the registry can do that; gives the status of the answer. */
  async remove(repository, reference) {
    const scopes = [`repository:${repository}:pull,delete`];
    const answer = await this.#ask("DELETE", `${repository}/manifests/${reference}`, { scopes });
    await answer.body?.cancel();
    return answer.status;
  }

  #scopes = (repository) => this.#groups.get(repository) ?? [`repository:${repository}:pull`];

  /**
   * One request; a token that is not taken is asked for once more.
   *
   * @param {string} method
   * @param {string} path
   * @param {{ scopes: string[], accept?: string[], redirect?: "follow", patience?: number }} options
   */
  async #ask(method, path, { scopes, accept = [], redirect, patience }) {
    for (let fresh = false; ; fresh = true) {
      const token = this.takesTokens ? await this.#token(scopes, fresh) : undefined;
      const headers = {
        "user-agent": "hublet-registry",
        ...(token && { authorization: `Bearer ${token}` }),
        ...(accept.length && { accept: accept.join(", ") }),
      };
      const options = { method, headers, ...(redirect && { redirect }), ...(patience && { patience }) };
      const answer = await this.requests.send(`${this.address}/v2/${path}`, options);
      if (answer.status !== 401 || fresh || !token) return answer;
      await answer.body?.cancel();
    }
  }

  async #token(scopes, fresh) {
    const key = scopes.join(" ");
    for (;;) {
      const kept = this.#tokens.get(key);
      const there = await kept;
      if (kept !== this.#tokens.get(key)) continue; // another request has replaced it meanwhile
      if (there && !fresh && Date.now() < there.ends) return there.token;
      break;
    }
    const asked = this.index.token(scopes).then(({ token, expires_in: seconds }) => {
      const whole = seconds * 1000;
      return { token, ends: Date.now() + Math.max(whole - BEFORE_END, whole / 2) };
    });
    this.#tokens.set(key, asked);
    return (await asked).token;
  }

  async #expect200(answer, what) {
    if (answer.status === 200) return;
    const errors = object(await bytes(answer, LONGEST_MANIFEST))?.errors;
    const words = Array.isArray(errors) ? errors.map((error) => error?.message).join("; ") : "";
    throw new Refused(what, answer.status, shown(words));
  }
}

/** A media type without its parameters. */
const plain = (type) => (type ?? "").split(";")[0].trim();
