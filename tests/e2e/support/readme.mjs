// What README prints for people to copy, with the hosts, ports, paths and secrets of a test put in, and nothing else.

import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./clone.mjs";

/** The text of README that a pattern's group catches. */
export function printed(pattern) {
  const found = pattern.exec(readFileSync(path.join(root, "README.md"), "utf8"))?.[1];
  if (!found) throw new Error(`README prints nothing that fits ${pattern}`);
  return found;
}

/** The blocks of code in one language. */
export const block = (language) => printed(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "m"));

/** Puts in what is of this machine; each of it has to be there. */
export function put(text, values) {
  return Object.entries(values).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`no ${from} in\n${text}`);
    return text.replaceAll(from, () => to);
  }, text);
}
