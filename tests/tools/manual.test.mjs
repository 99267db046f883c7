// The operator's commands as the manual prints them: each is one that there is, with so many words and those flags.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { crate, setUpOperator } from "../../tools/lib/operator.mjs";
import { root, run } from "../../tools/lib/steps.mjs";

/** How the commands are typed that there are. */
let usages;

before(async () => {
  await setUpOperator();
  usages = JSON.parse(crate().commands()).map(({ usage }) => usage);
});

/** The command for these words: of those that begin alike, the one that takes so many. */
function find([first, ...rest]) {
  const fits = (usage) => {
    const [name, ...parameters] = usage.split(" ");
    const least = parameters.filter((parameter) => !parameter.startsWith("[")).length;
    return name === first && rest.length >= least && rest.length <= parameters.length;
  };
  const found = usages.find(fits);
  assert.ok(found, `there is no command for ${[first, ...rest].join(" ")}`);
  return found;
}

const pages = ["", "docs"].flatMap((folder) =>
  fs
    .readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => path.join(root, folder, name)),
);
const manual = pages.map((file) => fs.readFileSync(file, "utf8")).join("\n");

/** Flags with a value, which is the next word. */
const valued = ["--actor", "--days", "--label", "--name", "--resource", "--scope", "--since", "--token"];

/** `npm run admin -- …`, with all of its words or with `…` for some, and `admin …` where only the name of one stands. */
const printed = [...manual.matchAll(/npm run admin -- ([^`\n#|]+)|`admin ([^`\n]+)`/g)].map(([, whole, short]) => {
  const all = (whole ?? short).trim().split(" ");
  return {
    all,
    words: all.filter((word, at) => !word.startsWith("--") && !valued.includes(all[at - 1])),
    flags: all.filter((word) => word.startsWith("--")),
    open: all.includes("…") || all.length === 1,
  };
});

test("a command that is printed is one that there is", async () => {
  let help = "";
  await run("node", [path.join(root, "tools/admin.mjs"), "--help"], { heard: (text) => (help += text) });
  assert.ok(printed.length > 30, `${printed.length}`);
  for (const { all, words, flags, open } of printed) {
    const line = all.join(" ");
    if (line === "--help") continue;
    for (const flag of flags) assert.match(help, new RegExp(`${flag}\\b`), line);
    if (open) {
      assert.ok(
        usages.some((usage) => usage.split(" ")[0] === words[0]),
        line,
      );
      continue;
    }
    const wanted = find(words).split(" ");
    // What is written small is typed as it stands.
    for (const [at, word] of wanted.entries()) if (/^[a-z]/.test(word)) assert.equal(words[at], word, line);
  }
});

test("the list of the commands has all of them", () => {
  const [, list] = /lists the commands: (.+?)\.\s/.exec(manual);
  const listed = [...list.matchAll(/`([a-z-]+)[^`]*`/g)].map(([, word]) => word);
  assert.deepEqual([...new Set(listed)].sort(), [...new Set(usages.map((usage) => usage.split(" ")[0]))].sort());
});
