// Docker as it was before the registry protocol of today: what each generation of it sends to the index and to the
// registry, and what it demands of the answers.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { basic, send } from "./http.mjs";

const upstream = (version) => ` UpstreamClient(Docker-Client/${version} \\(linux\\))`;
const tarsum = (image) => `tarsum+sha256:${sha256(image.layer)}`;
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// An image with two tags is announced twice.
const byTag = (images, tags) =>
  images.flatMap((image) =>
    image === images.at(-1) ? tags.map((tag) => ({ id: image.id, Tag: tag })) : [{ id: image.id }],
  );

/**
 * The generations, each where the wire forms changed. `announce` is the body of the first request of a push, `close`
 * of the last; `login` is how it finds out whether name and password are right.
 */
export const generations = [
  {
    name: "docker 0.5.3",
    agent: "docker/0.5.3 go/go1.1 git-commit/5d25f32 kernel/3.8.0-19-generic",
    login: ["ping", "register", "log in"],
    announce: (images, tags) => images.map((image) => ({ id: image.id, checksum: tarsum(image), Tag: tags[0] })),
    close: (images, tags) => images.map((image) => ({ id: image.id, checksum: tarsum(image), Tag: tags[0] })),
  },
  {
    name: "docker 0.7.6",
    agent: "docker/0.7.6 go/go1.2 git-commit/bc3b2ec kernel/3.8.0-19-generic os/linux arch/amd64",
    login: ["ping", "register", "log in"],
    type: "application/json",
    announce: byTag,
    close: (images) => images.slice(1).map((image) => ({ id: image.id, checksum: tarsum(image) })),
    // To every host over https that is not the official index it sent Basic, also of nobody.
    nobody: { Authorization: "Basic Og==" },
  },
  {
    name: "docker 1.6.2",
    agent: "docker/1.6.2 go/go1.4.2 git-commit/7c8fca2 kernel/3.16.0-4-amd64 os/linux arch/amd64",
    login: ["gate", "ping", "register", "log in"],
    type: "application/json",
    announce: byTag,
    close: () => [],
    splitsEndpoints: true,
  },
  {
    name: "docker 1.12.6",
    agent: `docker/1.12.6 go/go1.6.4 git-commit/78d1802 kernel/4.4.0-59-generic os/linux arch/amd64${upstream("1.12.6")}`,
    login: ["gate", "gate with password", "log in"],
    type: "application/json",
    announce: byTag,
    close: () => [],
    splitsEndpoints: true,
    searchesBy: (term) => `?q=${encodeURIComponent(term)}&n=25`,
  },
  {
    name: "a program written after the Registry & Hub spec",
    agent: "curl/7.26.0",
    loginAgent: "curl/7.26.0",
    login: ["register", "log in"],
    slash: "",
    announce: (images) => images.map(({ id }) => ({ id })),
    close: () => "",
    closesByToken: true,
  },
];

/** What `GET images` says of images that a generation pushed. */
export function listed(generation, images, tags) {
  const said = [...generation.announce(images, tags), ...generation.close(images, tags)];
  const checksum = (id) => said.find((entry) => entry.id === id && entry.checksum)?.checksum;
  return images.map(({ id }) => ({ id, ...(checksum(id) && { checksum: checksum(id) }) }));
}

/** Two images, the younger last: `[{ id, parent, layer }]`. */
export function makeImages(seed) {
  const make = (name) => ({ id: sha256(`${seed} ${name}`), layer: Buffer.from(`layer of ${seed} ${name}`) });
  const [older, younger] = [make("older"), make("younger")];
  return [older, { ...younger, parent: older.id }];
}

/** One client: a generation at work with an index, for a user `{ name, password }` or for nobody. */
export class DockerV1 {
  constructor(generation, index, user) {
    Object.assign(this, { generation, index, user, slash: generation.slash ?? "/" });
  }

  /** Registers, or finds the account there and logs in; gives "registered" or "logged in". */
  async login(email) {
    const { name, password } = this.user;
    const { loginAgent = "Go 1.1 package http" } = this.generation;
    const agent = { "User-Agent": loginAgent };
    const steps = {
      ping: async () => this.#requirePing(await this.#ask("GET", "/v1/_ping", { headers: agent, anonymous: true })),
      gate: async () => {
        const answer = await this.#ask("GET", "/v2/", { anonymous: true });
        assert.equal(answer.status, 401);
        assert.equal(answer.header("docker-distribution-api-version"), undefined);
      },
      "gate with password": async () => assert.equal((await this.#ask("GET", "/v2/")).status, 200),
      register: async () => {
        const headers = { ...agent, "Content-Type": "application/json; charset=utf-8" };
        const body = { username: name, password, auth: "", email };
        const answer = await this.#ask("POST", `/v1/users${this.slash}`, { headers, body, anonymous: true });
        if (answer.status === 201) return "registered";
        assert.equal(answer.status, 400);
        assert.equal(answer.text, '"Username or email already exists"');
      },
      "log in": async () => {
        const answer = await this.#ask("GET", `/v1/users${this.slash}`);
        assert.equal(answer.status, 200, answer.text);
        return "logged in";
      },
    };
    for (const step of this.generation.login) {
      const outcome = await steps[step]();
      if (outcome) return outcome;
    }
  }

  /** What `GET /v1/users/` says of a password. */
  async tries(password) {
    const headers = { Authorization: basic({ ...this.user, password }) };
    return (await this.#ask("GET", `/v1/users${this.slash}`, { headers })).status;
  }

  /** The first request of a push. */
  announce(repository, images, tags) {
    const body = this.generation.announce(images, tags);
    return this.#ask("PUT", `/v1/repositories/${repository}${this.slash}`, { body, wantsToken: true });
  }

  /** Pushes images, oldest first, the youngest under these tags. */
  async push(repository, images, tags) {
    const { close, closesByToken } = this.generation;
    const announced = await this.announce(repository, images, tags);
    assert.equal(announced.status, 200, announced.text);
    const token = this.#token(announced, "write");
    const endpoints = this.#endpoints(announced);

    for (const endpoint of endpoints) {
      for (const image of images) await this.#pushImage(endpoint, token, image);
      const body = JSON.stringify(images.at(-1).id);
      for (const tag of tags)
        await this.#registry(endpoint, token, "PUT", `repositories/${repository}/tags/${tag}`, { body });
    }

    const last = await this.#ask("PUT", `/v1/repositories/${repository}/images`, {
      headers: { "X-Docker-Endpoints": endpoints.join(","), ...(closesByToken && { Authorization: token }) },
      body: close(images, tags),
      wantsToken: !closesByToken,
    });
    assert.equal(last.status, 204, last.text);
    assert.equal(last.text, "");
  }

  async #pushImage(endpoint, token, { id, parent, layer }) {
    const put = (part, body, headers) =>
      this.#registry(endpoint, token, "PUT", `images/${id}/${part}`, { body, headers });
    // Whether it is there already; a registry refuses the question when it comes with a token to write.
    const there = await this.#registry(endpoint, token, "GET", `images/${id}/json`, { tolerant: true });
    if (there.status === 200) return;
    await put("json", JSON.stringify({ id, ...(parent && { parent }) }), { "Content-Type": "application/json" });
    await put("layer", layer, { "Content-Type": "application/octet-stream" });
    await put("checksum", "", { "X-Docker-Checksum": tarsum({ layer }) });
  }

  /** Pulls a tag; gives the images as they came from the registry, the younger last. */
  async pull(repository, tag) {
    const list = await this.list(repository);
    assert.equal(list.status, 200, list.text);
    assert.ok(
      list.json().every(({ id, Tag }) => id && Tag === undefined),
      "each entry has an id and no Tag",
    );
    const token = this.#token(list, "read");
    const [endpoint] = this.#endpoints(list);

    const get = (path) => this.#registry(endpoint, token, "GET", path);
    const id = (await get(`repositories/${repository}/tags`)).json()[tag];
    const ancestry = (await get(`images/${id}/ancestry`)).json();
    const images = [];
    for (const id of ancestry.reverse()) {
      const { parent } = (await get(`images/${id}/json`)).json();
      images.push({ id, layer: (await get(`images/${id}/layer`)).bytes, ...(parent && { parent }) });
    }
    return images;
  }

  /** The first request of a pull. */
  list(repository) {
    return this.#ask("GET", `/v1/repositories/${repository}/images`, { wantsToken: true });
  }

  /** The names that a search finds. */
  async search(term) {
    const { searchesBy = (term) => `?q=${encodeURIComponent(term)}` } = this.generation;
    this.#requirePing(await this.#ask("GET", "/v1/_ping", { anonymous: true }));
    const answer = await this.#ask("GET", `/v1/search${searchesBy(term)}`, { wantsToken: Boolean(this.user) });
    assert.equal(answer.status, 200);
    const { query, results, num_results } = answer.json();
    assert.equal(query, term);
    assert.equal(num_results, results.length);
    for (const { star_count, is_official, is_trusted, is_automated } of results) {
      assert.ok(Number.isInteger(star_count));
      for (const flag of [is_official, is_trusted, is_automated]) assert.equal(typeof flag, "boolean");
    }
    return results.map(({ name }) => name);
  }

  /** Deletes in two steps, with what the registry deletes between them. */
  async delete(repository) {
    const path = `/v1/repositories/${repository}${this.slash}`;
    const marked = await this.#ask("DELETE", path, { wantsToken: true });
    assert.equal(marked.status, 202, marked.text);
    const token = this.#token(marked, "delete");
    const endpoints = this.#endpoints(marked);
    assert.equal((await this.list(repository)).status, 404, "nobody sees what is marked");
    for (const endpoint of endpoints) await this.#registry(endpoint, token, "DELETE", `repositories/${repository}/`);
    const removed = await this.#ask("DELETE", path, {
      headers: { "X-Docker-Endpoints": endpoints.join(",") },
      wantsToken: true,
    });
    assert.equal(removed.status, 200, removed.text);
    assert.equal(removed.header("x-docker-token"), undefined);
  }

  /** One request to the index. */
  async #ask(method, path, { headers = {}, body = "", wantsToken = false, anonymous = false } = {}) {
    const { agent, type, nobody } = this.generation;
    const authorization = anonymous ? {} : this.user ? { Authorization: basic(this.user) } : nobody;
    const answer = await send(this.index, method, path, {
      headers: {
        "User-Agent": agent,
        ...authorization,
        ...(body && type && { "Content-Type": type }),
        ...(wantsToken && { "X-Docker-Token": "true" }),
        ...headers,
      },
      body,
    });
    if (answer.status >= 400) assert.equal(answer.header("x-docker-token"), undefined, "a client would keep the token");
    return answer;
  }

  /** One request to a registry, which a client of this generation expects to succeed. */
  async #registry(endpoint, token, method, path, { headers = {}, body, tolerant = false } = {}) {
    const answer = await send(endpoint, method, `/v1/${path}`, {
      headers: { "User-Agent": this.generation.agent, Authorization: token, ...headers },
      body,
    });
    const said = `${answer.request} at the registry: ${answer.status} ${answer.text}`;
    assert.ok(tolerant || [200, 201].includes(answer.status), said);
    return answer;
  }

  /** The token of an answer, as it is sent to the registry. */
  #token(answer, access) {
    const token = answer.header("x-docker-token");
    assert.match(token ?? "", new RegExp(`^signature=[0-9a-f]+,repository="[^"]+",access=${access}$`));
    assert.equal(answer.header("www-authenticate"), `Token ${token}`);
    return `Token ${token}`;
  }

  /** Where the registry is. Docker before 0.11 takes the line as it is, later ones split it. */
  #endpoints(answer) {
    const line = answer.header("x-docker-endpoints");
    assert.ok(line, "the index named no registry");
    const hosts = this.generation.splitsEndpoints ? line.split(",").map((host) => host.trim()) : [line];
    return hosts.map((host) => `http://${host}/v1/`);
  }

  // Docker before 0.11 goes no further without the version, and any without the other never uses tokens.
  #requirePing(answer) {
    assert.equal(answer.status, 200);
    assert.ok(answer.header("x-docker-registry-version"));
    assert.equal(answer.header("x-docker-registry-standalone"), "false");
  }
}
