// A registry of the v1 protocol that keeps everything in memory, and asks the index what docker-registry 0.6.9 to 0.9
// (`standalone: false`) asks it: with the same requests, at the same steps, and as strict about the answers.

import http from "node:http";
import { send } from "./http.mjs";

const methods = { read: ["GET"], write: ["PUT", "POST"], delete: ["DELETE"] };

/** `index` is set to the address of the index before the first request. `asked` is what the index was asked. */
export class RegistryV1 {
  index = undefined;
  asked = [];
  images = new Map();
  repositories = new Map();
  announced = new Map();

  /** Listens on a free port of 127.0.0.1; gives `host`. */
  static async listen() {
    const registry = new RegistryV1();
    registry.server = http.createServer((request, response) => registry.#answer(request, response));
    await new Promise((resolve) => registry.server.listen(0, "127.0.0.1", resolve));
    registry.host = `127.0.0.1:${registry.server.address().port}`;
    return registry;
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  async #answer(request, response) {
    const chunks = await request.toArray();
    const reply = await this.#serve(request, Buffer.concat(chunks)).catch((error) => error);
    const [status, body] = Array.isArray(reply) ? reply : [reply.status ?? 500, { error: reply.message }];
    const bytes = Buffer.isBuffer(body) ? body : JSON.stringify(body);
    response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(bytes) });
    response.end(bytes);
  }

  async #serve(request, body) {
    const path = request.url
      .replace(/^\/v1\//, "")
      .replace(/\/$/, "")
      .split("/");
    const [noun, first, second, verb, tag] = path;
    if (noun === "images") return this.#image(request, first, second, body);
    if (noun !== "repositories") refuse(404, "Not found");
    const repository = `${first}/${second}`;
    const token = await this.#validated(request);
    if (token.repository !== repository) refuse(401, "Requires authorization");
    if (verb === "tags") return this.#tags(request, repository, tag, body);
    if (request.method !== "DELETE") refuse(404, "Not found");
    return this.repositories.delete(repository) ? [200, true] : refuse(404, "Repository not found");
  }

  #tags({ method }, repository, tag, body) {
    const tags = this.repositories.get(repository) ?? {};
    if (method === "PUT") {
      const id = JSON.parse(body);
      if (!this.images.has(id)) refuse(404, "Image not found");
      this.repositories.set(repository, { ...tags, [tag]: id });
      return [200, true];
    }
    if (!Object.keys(tags).length) refuse(404, "Repository not found");
    return [200, tag ? (tags[tag] ?? refuse(404, "Tag not found")) : tags];
  }

  async #image(request, id, part, body) {
    const token = await this.#validated(request);
    if (request.method === "PUT") return this.#put(request, token, id, part, body);
    const image = this.images.get(id) ?? refuse(404, "Image not found");
    if (part === "ancestry") return [200, this.#ancestry(id)];
    return [200, image[part] ?? refuse(404, "Image not found")];
  }

  async #put(request, token, id, part, body) {
    if (part !== "json") {
      const image = this.images.get(id) ?? refuse(404, "Image not found");
      image[part] = part === "layer" ? body : request.headers["x-docker-checksum"];
      return [200, true];
    }
    const { id: named, parent } = JSON.parse(body);
    if (named !== id || !this.announced.get(token.repository)?.has(id)) refuse(400, "Image is not in the images list");
    if (parent) await this.#requireParent(request, token, parent);
    if (parent && !this.images.has(parent)) refuse(400, "Image depends on a non existing parent");
    this.images.set(id, { parent, json: body });
    return [200, true];
  }

  #ancestry(id) {
    const { parent } = this.images.get(id);
    return parent ? [id, ...this.#ancestry(parent)] : [id];
  }

  /** The token that a request shows: for this method by its own words, and good in the words of the index. */
  async #validated(request) {
    const header = request.headers.authorization ?? "";
    const token = Object.fromEntries(
      [...header.matchAll(/(\w+)[:=][\s"]?([^",]+)"?/g)].map(([, name, value]) => [name, value]),
    );
    if (!/^token\b/i.test(header) || !methods[token.access]?.includes(request.method))
      refuse(401, "Requires authorization");
    if (token.repository?.split("/").length !== 2) refuse(401, "Requires authorization");
    // By the Hub's own documents a delete asks this; what registries really ask is below.
    if (token.access === "delete") await this.#ask("PUT", `repositories/${token.repository}/auth`, header);
    const answer = await this.#ask("GET", `repositories/${token.repository}/images`, header);
    if (answer.status !== 200) refuse(401, "Requires authorization");
    this.announced.set(token.repository, new Set(answer.json().map(({ id }) => id)));
    return token;
  }

  async #requireParent(request, { repository }, parent) {
    const answer = await this.#ask(
      "GET",
      `repositories/${repository}/layer/${parent}/access`,
      request.headers.authorization,
    );
    if (answer.status !== 200 || answer.json().access !== true) refuse(400, "Image depends on an unauthorized parent");
  }

  /** Asks the index, with the header of the client as it came. */
  async #ask(method, path, authorization) {
    const headers = {
      "User-Agent": "python-requests/2.3.0 CPython/2.7.6 Linux/3.13.0-24-generic",
      "Accept-Encoding": "gzip, deflate",
      Accept: "*/*",
      Authorization: authorization,
    };
    const answer = await send(this.index, method, `/v1/${path}`, { headers });
    this.asked.push({
      request: answer.request,
      status: answer.status,
      text: answer.text,
      token: answer.header("x-docker-token"),
    });
    return answer;
  }
}

function refuse(status, message) {
  throw Object.assign(new Error(message), { status });
}
