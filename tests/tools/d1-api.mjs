// Cloudflare's API as far as the operator's commands ask it, over a file: `node d1-api.mjs FILE [BROKEN]`.
//
// It is a process of its own, since tests wait for the tools without answering. It prints where it listens, and then each
// request as a line. While the file BROKEN begins `d1 execute DB`, nothing works.

import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";

/** What the tools need to ask it. */
export const credentials = { CLOUDFLARE_API_TOKEN: "a token of the test", CLOUDFLARE_ACCOUNT_ID: "account" };

/** A token that opens two accounts. */
export const TWO_ACCOUNTS = "a token of two accounts";

const DATABASE = "0a1b2c3d-0000-4000-8000-000000000000";

/** Starts it: `{ env, requests, stop }`. */
export async function startApi(file, broken = "") {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), file, broken], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const requests = [];
  const url = await new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("http")) resolve(line);
      else requests.push(JSON.parse(line));
    });
  });
  return { env: { ...credentials, CLOUDFLARE_API_BASE_URL: url }, requests, stop: () => child.kill() };
}

/** Runs a batch as D1 does: one transaction, numbers as floats. */
function run(file, batch) {
  const database = new DatabaseSync(file);
  try {
    database.exec("pragma foreign_keys = on; begin immediate");
    const results = batch.map(({ sql, params }) => ({ success: true, results: database.prepare(sql).all(...params) }));
    database.exec("commit");
    return [200, { success: true, errors: [], result: results }];
  } catch (error) {
    return refused(400, 7500, `${error.message}: SQLITE_ERROR`);
  } finally {
    database.close(); // what was not committed is undone
  }
}

const refused = (status, code, message) => [status, { success: false, errors: [{ code, message }], result: null }];

function answer(file, broken, { authorization, path, body }) {
  if (existsSync(broken) && "d1 execute DB".startsWith(readFileSync(broken, "utf8")))
    return refused(500, 7000, "no network");
  const tokens = [credentials.CLOUDFLARE_API_TOKEN, TWO_ACCOUNTS];
  if (!tokens.some((token) => authorization === `Bearer ${token}`)) return refused(401, 10_000, "Authentication error");
  const found = (result) => [200, { success: true, errors: [], result }];
  switch (path) {
    case "/accounts":
      return found([
        { id: "account", name: "Example" },
        ...(authorization.endsWith(TWO_ACCOUNTS) ? [{ id: "second", name: "Another" }] : []),
      ]);
    case "/accounts/account/workers/subdomain":
      return found({ subdomain: "example" });
    case "/accounts/account/d1/database?name=hublet":
      return found([{ uuid: DATABASE, name: "hublet" }]);
    case `/accounts/account/d1/database/${DATABASE}/query`:
      return run(file, body.batch);
    default:
      return refused(404, 7003, `Could not route to ${path}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, broken] = process.argv.slice(2);
  const server = http.createServer(async (request, response) => {
    const { method, url: path } = request;
    const { authorization } = request.headers;
    const words = await text(request);
    const asked = { method, path, authorization, body: words && JSON.parse(words) };
    console.log(JSON.stringify(asked));
    const [status, said] = answer(file, broken, asked);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(said));
  });
  server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
}
