// The operator's commands and the formats that the tools share with hublet: the crate in operator/, compiled for Node.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { compile } from "./bundle.mjs";
import { files, hash } from "./inputs.mjs";
import { setUpNode, setUpRust } from "./setup.mjs";
import { Failure, packaged, root, step } from "./steps.mjs";

const folder = path.join(root, "operator/pkg");
const library = path.join(folder, "index.js");
const stamp = path.join(folder, "inputs.sha256");

/** All that decides what comes out. */
const inputs = [
  "operator/src",
  "operator/Cargo.toml",
  "src",
  "Cargo.toml",
  "rust-toolchain.toml",
  "tools/bind",
  "tools/lib/bundle.mjs",
  "tools/lib/operator.mjs",
];

/** Brings Node's packages, and compiles the crate unless nothing has changed: that takes a minute the first time. */
export async function setUpOperator() {
  await setUpNode();
  if (current()) return;
  await setUpRust();
  await step("the operator's commands", buildOperator);
}

const fingerprint = () => hash([...inputs.flatMap(files), "Cargo.lock"]);
const current = () => packaged || (existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint());

/** Compiles the crate, unless nothing has changed. */
export async function buildOperator() {
  if (current()) return;
  const made = fingerprint(); // what was edited meanwhile is compiled the next time
  await compile({ crate: "hublet-operator", place: "node", out: folder });
  writeFileSync(path.join(folder, "package.json"), '{ "type": "commonjs" }\n');
  writeFileSync(stamp, made);
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
