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

/**
 * What a command that was run says. A row is a list of columns, each with its name.
 *
 * @returns {any}
 */
const parsed = ({ rows, ...said }) => ({ ...said, rows: rows.map((columns) => Object.fromEntries(columns)) });

/** What the crate answers, which is JSON; where it did nothing, a `Refusal`. */
function answered(text) {
  const answer = JSON.parse(text);
  if (answer.message !== undefined) throw new Refusal(answer.message, parsed(answer).rows);
  return answer.said ? { ...answer, said: parsed(answer.said) } : answer;
}

/** Calls the crate with a function that carries its statements; what that fails with comes back as it is. */
async function carried(batch, call) {
  let failed;
  const carry = async (statements) => {
    try {
      return JSON.stringify(await batch(JSON.parse(statements)));
    } catch (error) {
      failed = error;
      throw error;
    }
  };
  try {
    return await call(carry);
  } catch (error) {
    throw failed ?? error;
  }
}

/** A request of the crate, with the time and with random bytes. */
const whole = (request, bytes) =>
  JSON.stringify({ now: Math.floor(Date.now() / 1000), random: [...randomBytes(bytes)], ...request });

/**
 * Runs a command: `words` and `flags` as they were typed, and what else a `Request` of the crate has. `batch` runs
 * statements, `[{ sql, params }]`, as one transaction, and gives the rows of each.
 *
 * Gives `{ rows, warnings, notes, full, denied }`; a command that did nothing is a `Refusal`.
 */
export async function operate(request, batch) {
  return parsed(answered(await carried(batch, (carry) => crate().run(whole(request, 128), carry))));
}

/** Calls what the crate exports under a name, on a database; `values` come between the request and that. */
export async function operateOn(name, request, batch, ...values) {
  return answered(await carried(batch, (carry) => crate()[name](whole(request, 4096), ...values, carry)));
}

/** Calls what the crate exports under a name, which needs no database. */
export const compute = (name, value) => answered(crate()[name](value));

/** Why a command did nothing, with what stands in its way. */
export class Refusal extends Failure {
  constructor(message, rows) {
    super(message);
    this.rows = rows;
  }
}
