// The way back from hublet to a file of passwords, for the hour when hublet or Cloudflare is down.

import { readFileSync } from "node:fs";
import { doubt, well, wrong } from "./remarks.mjs";

/** What registries take: bcrypt, of costs that bcrypt knows. htpasswd writes `$2y$`. */
const BCRYPT = /^\$2[abxy]?\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** Whether a registry could work with this file, and what its configuration says then. */
export function fallback(file, services) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return wrong(`${file} cannot be read (${error.code})`, "make one: htpasswd -B -c FILE NAME");
  }
  // As distribution reads it: blanks around a line, empty lines and comments are left out.
  const lines = text
    .split("\n")
    .map((line, at) => ({ line: line.trim(), number: at + 1 }))
    .filter(({ line }) => line && !line.startsWith("#"));
  if (!lines.length) return wrong(`${file} has no user`, "htpasswd -B FILE NAME adds one");
  const found = lines
    .flatMap(({ line, number }) => objection(line, number))
    .map(({ words, cure }) => wrong(`${file}, ${words}`, cure));
  if (found.length) return found;
  const names = lines.map(({ line }) => line.split(":")[0]);
  const twice = names.filter((name, at) => names.indexOf(name) < at);
  const kinds = new Set(services.map(({ trust }) => (trust === "zot" ? "zot" : "distribution")));
  return [
    well(`${file}: a registry takes it, for ${[...new Set(names)].join(", ")}`),
    ...twice.map((name) => doubt(`${file}: ${name} stands there twice, and the last line counts`)),
    ...[...kinds].map((kind) =>
      well(`the way back of a ${kind}, where every user of the file may do everything:\n${configurations[kind](file)}`),
    ),
  ];
}

function objection(line, number) {
  const colon = line.indexOf(":");
  if (colon < 1) return [{ words: `line ${number} is not NAME:HASH, and then no user gets in`, cure: "correct it" }];
  const name = line.slice(0, colon);
  const cost = Number(BCRYPT.exec(line.slice(colon + 1))?.[1]);
  const cure = `htpasswd -B FILE ${name}`;
  if (Number.isNaN(cost)) return [{ words: `line ${number}: the password of ${name} is not hashed by bcrypt`, cure }];
  if (cost < 4 || cost > 31) return [{ words: `line ${number}: bcrypt has no cost ${cost}`, cure }];
  return [];
}

/** What goes where the token is asked for now. What stays: notifications, storage, http. */
const configurations = {
  distribution: (file) => `    # in place of auth.token; then start the registry again
    auth:
      htpasswd:
        realm: registry
        path: ${JSON.stringify(file)}  # a copy that the registry can read
    # people: docker logout HOST, docker login HOST
    # back: auth.token as it was, start again, and the same two
`,
  zot: (file) => `    in "http", in place of "auth"; then start it again:
    "auth": { "htpasswd": { "path": ${JSON.stringify(file)} } }
    people: docker logout HOST, docker login HOST
    back: "auth" as it was, start again, and the same two`,
};
