// Workers under plain workerd, each in a scratch folder with databases of its own.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { buildSync } from "esbuild";
import { Failure, root } from "../../tools/lib/steps.mjs";
import { freePort } from "../e2e/support/daemons.mjs";

const { default: workerd } = createRequire(import.meta.url)("workerd"); // its program, and no script around it
const pem = (name) => readFileSync(path.join(root, "test-support/registry", `${name}.pem`), "utf8");
const build = (name, tree = root) => path.join(tree, name, "build");

const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** The two files of the build of `tree`. */
const program = (tree) => ({
  "index.js": [build(".", tree), "index.js"],
  "index_bg.wasm": [build(".", tree), "index_bg.wasm"],
});

/** An entry module that loads this one and answers without it. */
const answering = (module) => `import "./${module}";\nexport default { fetch: () => new Response("OK") };\n`;

/** The twin in one file, with the names of the files that its page links to. */
function twin() {
  const named = (name) => {
    const text = readFileSync(path.join(root, "src/wire/static", name));
    return name.replace(".", `-${createHash("sha256").update(text).digest("hex").slice(0, 12)}.`);
  };
  const { outputFiles } = buildSync({
    entryPoints: [path.join(root, "tests/bench/twin/worker.mjs")],
    bundle: true,
    format: "esm",
    target: "es2024",
    define: { STYLE: JSON.stringify(named("pages.css")), SCRIPT: JSON.stringify(named("pages.js")) },
    write: false,
  });
  return outputFiles[0].text;
}

/** What each worker is made of: files, or what makes their text, by the name that the folder gives them; the index is the build of `tree`. */
const modules = (tree) => ({
  floor: {
    main: "index.js",
    "index.js": [build("tests/bench/floor"), "index.js"],
    "index_bg.wasm": [build("tests/bench/floor"), "index_bg.wasm"],
  },
  twin: { main: "twin.mjs", "twin.mjs": twin },
  hublet: { main: "index.js", ...program(tree) },
  // The same program, which is compiled alone, and which begins alone: what each takes of a start.
  compiled: { main: "entry.mjs", "entry.mjs": () => answering("index_bg.wasm"), ...program(tree) },
  begun: { main: "entry.mjs", "entry.mjs": () => answering("index.js"), ...program(tree) },
  // The worker of the tests counts what the databases are asked, and slows them down.
  instrumented: {
    main: "entry.mjs",
    "entry.mjs": [path.join(root, "tests/workerd"), "entry.mjs"],
    "dump.mjs": [path.join(root, "tests/workerd"), "dump.mjs"],
    "program.mjs": [path.join(root, "tests/workerd"), "program.mjs"],
    ...program(tree),
  },
});

/** The settings of each. */
export const vars = {
  REGISTRATION: "open",
  VISIBILITY: "public",
  SEARCH_CACHE: "0",
  SERVICES: "registry",
  TOKEN_KEY: "a key of the benchmark which is no secret at all",
  PASSWORD_PEPPER: "1:a pepper of the benchmark which is no secret at all",
  REGISTRY_KEY: pem("key"),
  REGISTRY_CERTIFICATE: pem("certificates"),
};

/** A folder in which servers live and which goes with them. */
export function scratch() {
  const folder = mkdtempSync(path.join(os.tmpdir(), "hublet-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a worker, with the databases of another one's folder where there is one; the index may be of another clone. */
export async function serve(kind, folder, databases, tree = root) {
  const home = path.join(folder, kind);
  mkdirSync(home, { recursive: true });
  const { main, ...files } = modules(tree)[kind];
  for (const [name, source] of Object.entries(files)) {
    if (typeof source === "function") {
      writeFileSync(path.join(home, name), source());
      continue;
    }
    const [from, file] = source;
    const text = readFileSync(path.join(from, file));
    writeFileSync(
      path.join(home, name),
      kind === "instrumented" && name === main ? String(text).replace("../../build/index.js", "./index.js") : text,
    );
  }
  const database = (binding) => ({ binding, database_name: binding, database_id: binding.toLowerCase() });
  writeFileSync(
    path.join(home, "wrangler.jsonc"),
    JSON.stringify({
      name: kind,
      main,
      compatibility_date: "2026-11-01",
      no_bundle: true,
      vars,
      d1_databases: [database("DB"), database("SEARCH")],
    }),
    { mode: 0o600 },
  );
  if (databases) cpSync(path.join(databases.home, ".wrangler"), path.join(home, ".wrangler"), { recursive: true });
  return start(kind, home);
}

async function start(kind, home) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // The first answer asks no database: "/" of the index is a page.
  const first = ["hublet", "instrumented"].includes(kind) ? `${url}/v1/_ping` : url;
  const words = ["serve", "--experimental", "wrangler.jsonc", "-s", `http=127.0.0.1:${port}`];
  const began = performance.now();
  const child = spawn(workerd, words, { cwd: home, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (part) => {
    said = (said + part).slice(-4000);
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  running.add(child);
  child.on("close", () => running.delete(child));
  for (;;) {
    if (child.exitCode !== null) throw new Failure(`workerd ended: ${kind}`, said);
    if (
      await fetch(first).then(
        (answer) => answer.text().then(() => true),
        () => false,
      )
    )
      break;
    if (performance.now() - began > 30_000) throw new Failure(`workerd does not answer: ${kind}`, said);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const server = { kind, home, url, pid: child.pid, ready: performance.now() - began, said: () => said };
  server.stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  server.again = async () => {
    await server.stop();
    return start(kind, home);
  };
  return server;
}

/** Opens the file of a database of a server that does not run; workerd names it by a hash. */
export function open(home, has) {
  const folder = path.join(home, ".wrangler");
  const names = readdirSync(folder, { recursive: true }).filter(
    (name) => name.endsWith(".sqlite") && !name.includes("metadata"),
  );
  for (const name of names) {
    const database = new DatabaseSync(path.join(folder, name));
    database.file = path.join(folder, name);
    const tables = database
      .prepare("select name from sqlite_schema where type = 'table'")
      .all()
      .map(({ name }) => name);
    if (has(tables)) return database;
    database.close();
  }
  throw new Failure(`no such database in ${folder}: ${names}`);
}

/** The migrations of a database, in order. */
export const migrations = (name, tree) => {
  const folder = path.join(tree, "src/store/migrations", name);
  return readdirSync(folder)
    .sort()
    .map((file) => readFileSync(path.join(folder, file), "utf8"));
};
