// What others wrote: whether any of it is known to be broken, and whether we may use all of it.

import { Failure, find, run } from "./steps.mjs";

/** Crates, by `cargo deny` where it is installed: licences, sources and duplicates, by .deny.toml. */
export async function crates() {
  if (!find("cargo-deny")) return skipped("cargo-deny is not installed (cargo install cargo-deny --locked)");
  await run("cargo", ["deny", "--locked", "check", "bans", "licenses", "sources"]);
  return "licences, sources and duplicates";
}

/** Crates with a known vulnerability. The list of them is on GitHub. */
export async function advisories() {
  if (!find("cargo-deny")) return skipped("cargo-deny is not installed");
  try {
    await run("cargo", ["deny", "--locked", "check", "advisories"]);
    return "none known";
  } catch (error) {
    if (/failed to fetch advisory database/.test(error.output)) return skipped("the advisory database is out of reach");
    throw error;
  }
}

/** npm packages with a known vulnerability that matters: none of them is in the worker, all of them build it. */
export async function packages() {
  let answer;
  try {
    answer = JSON.parse(await run("npm", ["audit", "--json", "--audit-level=high"]));
  } catch (error) {
    answer = JSON.parse(/^\{.*^\}/ms.exec(error.output)?.[0] ?? "{}");
    if (answer.vulnerabilities) throw new Failure("npm audit knows of a vulnerability", error.output);
  }
  return answer.vulnerabilities ? "none of high severity" : skipped("the npm registry gives no advisories here");
}

const skipped = (why) => `skipped: ${why}`;
