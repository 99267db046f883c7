// The files of the systems from which people move in, read for the crate.

import { readFileSync } from "node:fs";
import path from "node:path";
import { parse as parseYaml } from "yaml";
import { Failure, onDisk } from "./steps.mjs";

/** What a plan can be made of. */
export const sources = ["htpasswd", "docker_auth", "zot"];

/** The text of a file. */
export const read = (file) => onDisk(`${file} cannot be read`, () => readFileSync(file, "utf8"));

/** What of a source the crate is given: `{ source, htpasswd, config }`. */
export async function filesOf(source, file, passwords) {
  const text = await read(file);
  if (source === "htpasswd") return { source, htpasswd: text };
  const config = source === "zot" ? understood(file, () => JSON.parse(text)) : understood(file, () => yaml(text));
  const named = passwords ?? (source === "zot" ? placed(file, config?.http?.auth?.htpasswd?.path) : undefined);
  return { source, config, ...(named ? { htpasswd: await read(named) } : {}) };
}

/** Of docker_auth, everything is a text: names and patterns that look like numbers too. */
const yaml = (text) => parseYaml(text, { schema: "failsafe", merge: true });

const placed = (file, named) => (typeof named === "string" ? path.resolve(path.dirname(file), named) : undefined);

function understood(file, work) {
  try {
    return work();
  } catch (error) {
    throw new Failure(`${file}: ${error.message.split("\n")[0]}`);
  }
}

/** The lines of a file that have something. */
export const lines = async (file) =>
  (await read(file))
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
