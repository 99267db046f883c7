// What is served is what /openapi.json says: schemathesis asks every operation of it, rightly and wrongly.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { missing, schemathesis } from "../../tools/lib/schemathesis.mjs";
import { eventSecret } from "../../tools/lib/services.mjs";
import { imageId, join, makeRepository, startWorker } from "../workerd/app.mjs";

const checks = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
  "allow_header_conformance",
];
const seconds = 120;
const password = "correct horse";

let worker;
let folder;
before(
  async () => {
    if (missing) return;
    folder = mkdtempSync(path.join(os.tmpdir(), "hublet-schemathesis-"));
    worker = await startWorker();
  },
  { timeout: 60_000 },
);
after(
  async () => {
    await worker?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  },
  { timeout: 60_000 },
);

/** What it needs to know: who asks, with each kind of credentials, about what. */
async function configuration() {
  const paul = await join(worker, "paul", password);
  await join(worker, "jane", password);
  const token = await makeRepository(worker, paul, "paul/app", [imageId(1)]);
  const init = {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "paul", password }),
  };
  const session = (await worker.succeed("POST /v2/users/login", init)).json().token;
  const mint = await worker.succeed("GET /token?service=registry", { headers: { authorization: paul } });
  // Without mail, a forgotten password is a 503.
  await worker.set({ MAIL: "on", PUBLIC_URL: worker.url.origin });
  const secret = eventSecret((await worker.env()).TOKEN_KEY, "registry");
  const parameters = { namespace: "paul", repository: "app", username: "jane", tag: "latest", image: imageId(1) };
  const lines = [
    "[parameters]",
    ...Object.entries(parameters).map(([name, value]) => `"path.${name}" = "${value}"`),
    `"query.service" = "registry"`,
    "[auth.openapi.password]",
    'username = "paul"',
    `password = "${password}"`,
    "[auth.openapi.repositoryToken]",
    `api_key = '''Token ${token}'''`,
    "[auth.openapi.session]",
    `bearer = "${session}"`,
    "[auth.openapi.registryToken]",
    `bearer = "${mint.json().token}"`,
    "[auth.openapi.eventSecret]",
    `bearer = "${secret}"`,
  ];
  const file = path.join(folder, "schemathesis.toml");
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

test("what is answered is what is described", { skip: missing, timeout: 600_000 }, async (t) => {
  const program = await schemathesis();
  const seed = process.env.SEED ?? Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`SEED=${seed}`);
  const words = [
    "--config-file",
    await configuration(),
    "run",
    new URL("/openapi.json", worker.url).href,
    "--checks",
    checks.join(","),
    "--phases",
    "examples,coverage,fuzzing",
    "--max-time",
    seconds,
    "--seed",
    seed,
    "--no-shrink",
    "--continue-on-failure",
    "--workers",
    1,
    "--request-timeout",
    30,
    "--suppress-health-check",
    "all",
    "--warnings",
    "off",
  ];
  // It keeps what it found in the folder where it runs.
  const options = { cwd: folder, env: { ...process.env, NO_COLOR: "1" }, maxBuffer: 64 << 20 };
  const said = await promisify(execFile)(program, words.map(String), options).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => assert.fail(`${stdout}\n${stderr}`),
  );
  const [, cases] = /(\d+) generated/.exec(said) ?? [];
  const [, selected, tested] = /Selected: \d+\/(\d+)\s+Tested: (\d+)/.exec(said) ?? [];
  assert.ok(cases > 0 && selected === tested, said);
  t.diagnostic(`cases: ${cases} requests of schemathesis`);
});
