// The index that is measured: its people, repositories and tokens, made over its own API.

import assert from "node:assert/strict";
import { createHash, pbkdf2Sync, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { eventSecret } from "../../tools/lib/services.mjs";
import { root } from "../../tools/lib/steps.mjs";
import { migrations, open, serve, vars } from "./servers.mjs";

export const basic = (name, password) => `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
const imageId = (number) => number.toString(16).padStart(64, "0");
export const pairs = (many) =>
  JSON.stringify(Array.from({ length: many }, (_, at) => ({ id: imageId(at), checksum: `sha256:${imageId(at)}` })));
const names = (home) => {
  const folder = path.join(home, ".wrangler/state/workerd/d1/D1Database");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite")
    .map((name) => path.join(folder, name));
};

/** The files of DB and SEARCH below a server: workerd makes each when it is first asked for, under a hash. */
export async function databases(folder, tree = root) {
  const server = await serve("hublet", folder, undefined, tree);
  await (await fetch(`${server.url}/v1/repositories/a/b/images`)).text();
  const [db] = names(server.home);
  await (await fetch(`${server.url}/v1/search?q=a`)).text();
  const search = names(server.home).find((name) => name !== db);
  await server.stop();
  for (const [file, folder] of [
    [db, "db"],
    [search, "search"],
  ]) {
    const database = new DatabaseSync(file);
    for (const sql of migrations(folder, tree)) database.exec(sql);
    database.close();
  }
  const relative = (file) => path.relative(server.home, file);
  return { db: relative(db), search: relative(search) };
}

const digest = (text) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** The request of a registry that reports so many pushes, each of another tag with two images. */
export function pushes(repository, many) {
  const one = (name) => {
    const references = ["amd64", "arm64"].map((architecture) => ({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: digest(`${name} ${architecture}`),
      size: 1_000,
      platform: { os: "linux", architecture },
    }));
    const target = {
      repository,
      tag: name,
      mediaType: "application/vnd.oci.image.index.v1+json",
      digest: digest(name),
    };
    return {
      id: name,
      timestamp: new Date().toISOString(),
      action: "push",
      target: { ...target, references },
      request: { id: name, addr: "127.0.0.1:50000", method: "PUT", useragent: "docker" },
      actor: { name: "paul" },
    };
  };
  const events = Array.from({ length: many }, (_, at) => one(`1.${at}.0`));
  const authorization = `Bearer ${eventSecret(vars.TOKEN_KEY, "registry")}`;
  return { method: "POST", headers: { authorization }, body: JSON.stringify({ events }) };
}

/** Makes what the requests below need, on a server that has tables; gives the requests by name. */
export async function people(server) {
  const ask = async (method, target, { authorization, body, status = [200, 201, 202, 204] } = {}) => {
    const headers = {
      ...(authorization ? { authorization } : {}),
      ...(body ? { "content-type": "application/json" } : {}),
    };
    const answer = await fetch(`${server.url}${target}`, { method, headers, body });
    const text = await answer.text();
    assert.ok(status.includes(answer.status), `${method} ${target}: ${answer.status} ${text}\n${server.said()}`);
    return { headers: answer.headers, text };
  };
  const paul = basic("paul", "correct horse");
  for (const username of ["paul", "jane"]) {
    await ask("POST", "/v1/users/", {
      body: JSON.stringify({ username, password: "correct horse", email: `${username}@example.com` }),
    });
  }
  const app = "/v1/repositories/paul/app";
  const push = async (name, many) => {
    const made = await ask("PUT", `/v1/repositories/${name}/`, { authorization: paul, body: pairs(many) });
    await ask("PUT", `/v1/repositories/${name}/images`, { authorization: paul, body: pairs(many) });
    return `Token ${made.headers.get("x-docker-token")}`;
  };
  const write = await push("paul/app", 100);
  for (let at = 0; at < 20; at += 1) await push(`paul/quagga${at}`, 1);
  const login = JSON.parse(
    (await ask("POST", "/v2/users/login", { body: JSON.stringify({ username: "paul", password: "correct horse" }) }))
      .text,
  );
  const session = `Bearer ${login.token}`;
  await ask("POST", "/v2/namespaces/paul/repositories", {
    authorization: session,
    body: JSON.stringify({
      namespace: "paul",
      name: "web",
      description: "Answers on port 80 & 443",
      is_private: false,
    }),
  });
  const reported = pushes("paul/web", 10);
  await ask("POST", "/events", { authorization: reported.headers.authorization, body: reported.body });
  const made = await ask("POST", "/v2/access-tokens", {
    authorization: session,
    body: JSON.stringify({ token_label: "bench", scopes: ["repo:admin"] }),
  });
  const secret = JSON.parse(made.text).token;
  const refresh = JSON.parse(
    (
      await ask("GET", "/token?service=registry&offline_token=true&client_id=bench&scope=repository:paul/app:pull", {
        authorization: paul,
      })
    ).text,
  );
  const scope = "scope=repository:paul/app:pull,push";
  const form = `grant_type=refresh_token&service=registry&client_id=bench&${scope}&refresh_token=${refresh.refresh_token}`;
  const wrong = write.replace("access=write", "access=delete");
  return {
    ping: { target: "/v1/_ping", status: 200 },
    unknown: { target: "/v1/nothing", status: 404 },
    forged: {
      target: `${app}/images`,
      authorization: write.replace(/signature=.{8}/, "signature=01000000"),
      status: 401,
    },
    malformed: { target: `${app}/images`, authorization: "Token signature=,repository=,access=", status: 401 },
    wrong: { target: `${app}/images`, authorization: wrong, status: 401 },
    auth: { method: "PUT", target: `${app}/auth`, authorization: write, status: 200 },
    images: { target: `${app}/images`, authorization: write, status: 200 },
    login: { target: "/v1/users/", authorization: paul, status: 200 },
    mint: { target: `/token?service=registry&${scope}`, authorization: basic("paul", secret), status: 200 },
    exchange: { method: "POST", target: "/token", body: form, status: 200 },
    layer: { target: `${app}/layer/${imageId(5)}/access`, authorization: write, status: 200 },
    search: { target: "/v1/search?q=quagga", status: 200 },
    catalog: { target: "/v2/_catalog?n=100", authorization: paul, status: 200 },
    repository: { target: "/v2/repositories/paul/app", status: 200 },
    repositories: { target: "/v2/namespaces/paul/repositories?page_size=10", status: 200 },
    tags: { target: "/v2/repositories/paul/app/tags", status: 200 },
    page: { target: "/r/paul/web", status: 200 },
    push: { method: "PUT", target: `${app}/images`, authorization: paul, body: pairs(10), status: 204 },
  };
}

/**
 * What one request asks of the databases, counted on the instrumented worker; asked twice, so that passwords are remembered. Any other
 * server says only what it answered.
 */
export async function counted(instrumented, { method = "GET", target, authorization, body }, trouble) {
  const headers = {
    ...(authorization ? { authorization } : {}),
    ...(trouble ? { "x-test-trouble": JSON.stringify(trouble) } : {}),
    ...(body?.startsWith("grant_type") ? { "content-type": "application/x-www-form-urlencoded" } : {}),
  };
  const began = performance.now();
  const answer = await fetch(`${instrumented.url}${target}`, { method, headers, body });
  const bytes = (await answer.arrayBuffer()).byteLength;
  return {
    ...JSON.parse(answer.headers.get("x-test-stats")),
    status: answer.status,
    bytes,
    took: performance.now() - began,
  };
}

/** Hashes the password that is known of people by PBKDF2 in the database of a server, which WebCrypto has in the place of Argon2. */
export async function hashAsTwin(server) {
  await server.stop();
  const database = open(server.home, (tables) => tables.includes("users"));
  const [salt, iterations] = [randomBytes(16), 100_000]; // Cloudflare's most
  const hash = pbkdf2Sync("correct horse", salt, iterations, 32, "sha256");
  const stored = ["", "pbkdf2-sha256", iterations, ...[salt, hash].map((bytes) => bytes.toString("base64"))].join("$");
  database.prepare("update users set password = ? where name = 'paul'").run(stored);
  database.close();
  return server.again();
}
