// A reverse proxy that gives the index and the registry one host name, as the manual lets nginx do.

import http from "node:http";

/** Everything at one address: what is below a repository is the registry's, and all else the index's. */
export const everything = (path) => (below.test(path) ? "registry" : "index");
const below = /^\/v2\/($|.+\/(manifests|blobs|referrers)\/|.+\/tags\/list$)/;

/** Only what has no address of its own to be asked at: the registry, and search. */
export const search = (path) => ({ "/v1/": "index", "/v2/": "registry" })[path.slice(0, 4)];

export class FrontProxy {
  /** Where the two are; set before the first request. */
  index = undefined;
  registry = undefined;

  /** Listens on a free port of 127.0.0.1; gives `host` and `address`. `whose` says where a path goes. */
  static async listen(whose) {
    const proxy = new FrontProxy();
    proxy.server = http.createServer((request, response) => proxy.#pass(whose, request, response));
    await new Promise((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
    proxy.host = `127.0.0.1:${proxy.server.address().port}`;
    proxy.address = `http://${proxy.host}`;
    return proxy;
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  // The registry makes addresses of the Host that was asked; the index, elsewhere, has a Host of its own.
  #pass(whose, request, response) {
    const { method, url: path, headers } = request;
    const address = this[whose(path.split("?")[0])];
    if (!address) return response.writeHead(404).end();
    const host = address === this.registry ? headers.host : new URL(address).host;
    const onward = http.request(address, { method, path, headers: { ...headers, host } }, (answer) => {
      response.writeHead(answer.statusCode, answer.headersDistinct);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  }
}
