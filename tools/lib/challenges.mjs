// Whether Cloudflare lets the programs pass that pull and push: a page that asks for a browser ends all of them.

import http from "node:http";
import https from "node:https";
import { well, wrong } from "./remarks.mjs";

/** What clients send, by their names. How each speaks TLS, at which Cloudflare may look too, cannot be repeated here. */
export const clients = {
  docker: {
    "User-Agent":
      "docker/28.5.1 go/go1.24.8 git-commit/f8215cc kernel/6.1.0-40-amd64 os/linux arch/amd64 UpstreamClient(Docker-Client/28.5.1 \\(linux\\))",
    "Accept-Encoding": "gzip",
  },
  containerd: { "User-Agent": "containerd/v2.1.4", "Accept-Encoding": "gzip" },
  "Go's client": { "User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip" },
};

/** What to do about it. */
export const unchallenged =
  "in the zone, Security: a rule that skips challenges for this host, and no Bot Fight Mode, which no rule skips";

/** What is wrong with an answer, if it is Cloudflare's page and not what was asked for. */
function page({ statusCode: status = 0, headers }) {
  if (headers["cf-mitigated"] === "challenge") return "is challenged by Cloudflare";
  const isPage = (status === 403 || status === 503) && /^text\/html\b/i.test(headers["content-type"] ?? "");
  return isPage ? `gets a page for browsers (${status})` : undefined;
}

/** Asks `/v2/` and `/token` at an address as each client does. */
export async function challenges(url, service) {
  const query = service ? `?service=${encodeURIComponent(service)}` : "";
  const asked = ["/v2/", `/token${query}`].flatMap((path) =>
    Object.entries(clients).map(async ([client, headers]) => {
      const { answer, failure } = await get(`${url}${path}`, headers);
      const against = answer ? page(answer) : `gets no answer (${failure})`;
      return { failure, against: against && `${client} ${against} at ${path.split("?")[0]}` };
    }),
  );
  const all = await Promise.all(asked);
  if (all.every(({ failure }) => failure)) return []; // the check of the address says so
  const found = all.filter(({ against }) => against);
  if (!found.length) return well(`${Object.keys(clients).join(", ")} get past Cloudflare at /v2/ and /token`);
  return found.map(({ against }) => wrong(`${against}`, unchallenged));
}

/** Milliseconds in which an answer begins. */
const PATIENCE = 10_000;

/**
 * One request, with these headers alone. What comes after the headers of the answer, perhaps without end, is not read.
 *
 * @returns {Promise<{ answer?: http.IncomingMessage, failure?: string }>}
 */
function get(url, headers) {
  const { request } = url.startsWith("https:") ? https : http;
  return new Promise((resolve) => {
    const asked = request(url, { headers, agent: false }, (answer) => resolve({ answer: answer.destroy() }));
    const late = setTimeout(() => asked.destroy(new Error("in 10 seconds")), PATIENCE);
    asked.on("close", () => clearTimeout(late));
    asked.on("error", (/** @type {NodeJS.ErrnoException} */ { code, message }) =>
      resolve({ failure: code ?? message }),
    );
    asked.end();
  });
}
