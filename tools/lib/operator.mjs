// The operator's commands and the formats that the tools share with hublet: the crate in operator/, compiled for Node.

import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { files, hash } from "./inputs.mjs";
import { setUpNode, setUpRust, tool } from "./setup.mjs";
import { Failure, root, run, step } from "./steps.mjs";

const folder = path.join(root, "operator/pkg");
const library = path.join(folder, "hublet_operator.js");
const stamp = path.join(folder, "inputs.sha256");

/** All that decides what comes out. */
const inputs = [
  "operator/src",
  "operator/Cargo.toml",
  "src",
  "Cargo.toml",
  "rust-toolchain.toml",
  "tools/lib/operator.mjs",
  "tools/lib/setup.mjs",
];

/** Brings Node's packages, and compiles the crate unless nothing has changed: that takes a minute the first time. */
export async function setUpOperator() {
  await setUpNode();
  const made = hash(inputs.flatMap(files));
  const fingerprint = () => `${made} ${hash(files("Cargo.lock"))}`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint()) return;
  await setUpRust(["wasm-bindgen"]);
  const target = "wasm32-unknown-unknown";
  const wasm = await place(target);
  await step("the operator's commands", async () => {
    await run("cargo", ["build", "--package", "hublet-operator", "--lib", "--target", target]);
    await bind(wasm, fingerprint);
  });
}

/** The file that cargo makes: its folder may be anywhere. */
async function place(target) {
  const metadata = JSON.parse(await run("cargo", ["metadata", "--no-deps", "--format-version", "1"]));
  return path.join(metadata.target_directory, target, "debug/hublet_operator.wasm");
}

/** Written beside its place and then renamed, so that nobody ever meets half of it and two runs may do it at once. */
async function bind(wasm, fingerprint) {
  const draft = mkdtempSync(`${folder}.`);
  try {
    await run(tool("wasm-bindgen"), [wasm, "--target", "nodejs", "--no-typescript", "--out-dir", draft]);
    writeFileSync(path.join(draft, "package.json"), '{ "type": "commonjs" }\n');
    writeFileSync(path.join(draft, path.basename(stamp)), fingerprint());
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST"].includes(error.code)) throw error; // another run was faster
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * What the crate exports (operator/src/node.rs), after `setUpOperator`.
 *
 * @returns {Record<string, (...values: any[]) => any>}
 */
export const crate = () => createRequire(import.meta.url)(library);

/** What a command that was run says. A row is a list of columns, each with its name. */
const parsed = ({ rows, ...said }) => ({ ...said, rows: rows.map((columns) => Object.fromEntries(columns)) });

/**
 * Runs a command: `words` and `flags` as they were typed, and what else a `Request` of the crate has. `batch` runs
 * statements, `[{ sql, params }]`, as one transaction, and gives the rows of each.
 *
 * Gives `{ rows, warnings, notes, full, denied }`; a command that did nothing is a `Refusal`.
 */
export async function operate(request, batch) {
  let failed;
  const carry = async (statements) => {
    try {
      return JSON.stringify(await batch(JSON.parse(statements)));
    } catch (error) {
      failed = error;
      throw error;
    }
  };
  const now = Math.floor(Date.now() / 1000);
  const whole = { now, random: [...randomBytes(128)], ...request };
  let answer;
  try {
    answer = parsed(JSON.parse(await crate().run(JSON.stringify(whole), carry)));
  } catch (error) {
    throw failed ?? error;
  }
  if (answer.message !== undefined) throw new Refusal(answer.message, answer.rows);
  return answer;
}

/** Why a command did nothing, with what stands in its way. */
export class Refusal extends Failure {
  constructor(message, rows) {
    super(message);
    this.rows = rows;
  }
}
