// What the manual prints for people to copy, with the hosts, ports, paths and secrets of a test put in, and nothing else.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./clone.mjs";

const page = (name) => readFileSync(path.join(root, "docs", name), "utf8");

/** The text of the page about registries that a pattern's group catches. */
export function printed(pattern) {
  const found = pattern.exec(page("with-registry.md"))?.[1];
  if (!found) throw new Error(`docs/with-registry.md prints nothing that fits ${pattern}`);
  return found;
}

/** A page's block of code in one language. */
export const block = (language) => printed(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "m"));

/** The block of commands that has this name after its fence, wherever in the manual it is. */
export function commands(name) {
  const pages = readdirSync(path.join(root, "docs")).filter((name) => name.endsWith(".md"));
  const pattern = new RegExp(`^\`\`\`sh ${name} \\S+\\n([^]*?)^\`\`\`$`, "m");
  const found = pages.map((name) => pattern.exec(page(name))?.[1]).find(Boolean);
  if (!found) throw new Error(`the manual has no block of commands that is called ${name}`);
  return found;
}

/** Puts in what is of this machine; each of it has to be there. */
export function put(text, values) {
  return Object.entries(values).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`no ${from} in\n${text}`);
    return text.replaceAll(from, () => to);
  }, text);
}
