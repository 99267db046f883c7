// A cluster that starts: every node fetches a token for each of its images at the same time, from behind two addresses,
// from eight isolates that share nothing but the databases, with the limits that wrangler.toml has.

import { readFileSync } from "node:fs";
import path from "node:path";
import { createTestHarness, unstable_readConfig as readConfig } from "wrangler";
import { Failure, root } from "../../tools/lib/steps.mjs";
import { silence } from "../../tools/lib/wrangler.mjs";
import { basic } from "./fixture.mjs";
import { quantile } from "./load.mjs";
import { scratch } from "./servers.mjs";

const NODES = 120;
const ISOLATES = 8;
const IMAGES = 10; // of a node, pulled at once as a kubelet does
const ADDRESSES = ["203.0.113.1", "203.0.113.2"];
const pem = (name) => readFileSync(path.join(root, "test-support/registry", `${name}.pem`), "utf8");

/** The workers: what is deployed, behind what counts the queries of tests/workerd. */
function workers() {
  const { ratelimits, d1_databases: databases } = readConfig(
    { config: path.join(root, "wrangler.toml") },
    { hideWarnings: true },
  );
  const vars = {
    REGISTRATION: "open",
    SERVICES: "registry",
    TOKEN_KEY: "a key of the benchmark which is no secret at all",
    PASSWORD_PEPPER: "1:a pepper of the benchmark which is no secret at all",
    REGISTRY_KEY: pem("key"),
    REGISTRY_CERTIFICATE: pem("certificates"),
  };
  return Array.from({ length: ISOLATES }, (_, at) => ({
    config: {
      name: `index-${at}`,
      main: path.join(root, "tests/workerd/entry.mjs"),
      compatibility_date: "2026-11-01",
      compatibility_flags: ["global_fetch_strictly_public"],
      keep_names: true,
      vars,
      ratelimits,
      d1_databases: databases.map(({ binding, database_name, migrations_dir }) => ({
        binding,
        database_name,
        database_id: database_name,
        migrations_dir: path.resolve(root, migrations_dir),
      })),
    },
  }));
}

export async function measure({ print }) {
  Object.assign(process.env, silence);
  // Of a folder without .dev.vars, which would go over the variables.
  const harness = createTestHarness({ root: scratch(), workers: workers() });
  await harness.listen();
  try {
    const isolates = Array.from({ length: ISOLATES }, (_, at) => harness.getWorker(`index-${at}`));
    const ask = async (isolate, target, { method = "GET", headers = {}, body } = {}) => {
      const answer = await isolate.fetch(`http://127.0.0.1${target}`, {
        method,
        headers: { ...(body ? { "content-type": "application/json" } : {}), ...headers },
        body: body && JSON.stringify(body),
      });
      return {
        status: answer.status,
        stats: JSON.parse(answer.headers.get("x-test-stats")),
        said: await answer.json(),
      };
    };
    for (const binding of ["DB", "SEARCH"]) await isolates[0].applyD1Migrations(binding);
    const succeed = async (target, words) => {
      const answer = await ask(isolates[0], target, words);
      if (answer.status >= 300) throw new Failure(`${target}: ${answer.status}`, JSON.stringify(answer.said));
      return answer.said;
    };
    const user = { username: "paul", password: "correct horse" };
    await succeed("/v1/users/", { method: "POST", body: { ...user, email: "paul@example.com" } });
    const { token: session } = await succeed("/v2/users/login", { method: "POST", body: user });
    for (let at = 0; at < IMAGES; at += 1) {
      const body = { namespace: "paul", name: `app${at}`, is_private: true };
      await succeed("/v2/namespaces/paul/repositories", {
        method: "POST",
        headers: { authorization: `Bearer ${session}` },
        body,
      });
    }
    const { token } = await succeed("/v2/access-tokens", {
      method: "POST",
      headers: { authorization: `Bearer ${session}` },
      body: { token_label: "cluster", scopes: ["repo:read"] },
    });

    const results = {};
    for (const [name, secret] of Object.entries({ "access token": token, password: user.password })) {
      const began = performance.now();
      const nodes = Array.from({ length: NODES }, async (_, node) => {
        const headers = {
          authorization: basic("paul", secret),
          "cf-connecting-ip": ADDRESSES[node % ADDRESSES.length],
        };
        const scope = (at) => `/token?service=registry&scope=repository:paul/app${at}:pull`;
        const answers = await Promise.all(
          Array.from({ length: IMAGES }, (_, at) => ask(isolates[node % ISOLATES], scope(at), { headers })),
        );
        return { answers, took: performance.now() - began };
      });
      const done = await Promise.all(nodes);
      const answers = done.flatMap(({ answers }) => answers);
      const many = (status) => answers.filter((answer) => answer.status === status).length;
      const took = done.map(({ took }) => took);
      results[name] = {
        tokens: many(200),
        refused: many(429),
        failed: answers.length - many(200) - many(429),
        queries: answers.reduce((sum, { stats }) => sum + stats.statements, 0),
        roundTrips: answers.reduce((sum, { stats }) => sum + stats.calls.DB, 0),
        half: quantile(took),
        last: Math.max(...took),
      };
    }
    print(
      ["by", "tokens", "429", "other answers", "round trips", "statements", "half of the nodes, ms", "last node, ms"],
      Object.entries(results).map(([name, { tokens, refused, failed, roundTrips, queries, half, last }]) => [
        name,
        tokens,
        refused,
        failed,
        roundTrips,
        queries,
        half.toFixed(0),
        last.toFixed(0),
      ]),
    );
    return { nodes: NODES, isolates: ISOLATES, images: IMAGES, results };
  } finally {
    await harness.close();
  }
}
