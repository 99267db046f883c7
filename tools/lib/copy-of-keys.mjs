// Whether the keys are anywhere else than here: only a copy that was seen counts.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { here, short } from "./registry-keys.mjs";
import { doubt, well, wrong } from "./remarks.mjs";
import { keep } from "./vault.mjs";

const cure = "copy .keys to another machine or medium, and show the copy: npm run doctor -- --remote --copy DIR";

/** Which copy was seen when, and a sum over the keys as they were. */
const note = (place) => path.join(place.folder, "copy.json");

/** What cannot be made again: the secrets, and the CA with its key. */
const precious = (place) =>
  [place.secrets, path.join(place.folder, "ca.pem"), path.join(place.folder, "ca.key")].filter((file) =>
    existsSync(file),
  );

function sum(place) {
  const hash = createHash("sha256");
  for (const file of precious(place))
    hash
      .update(`${short(file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  return hash.digest("hex");
}

/** Compares a copy of `.keys` with it, and notes that it was seen. */
export function compare(place, folder) {
  if (!precious(place).length) return [];
  if (existsSync(folder) && realpathSync(folder) === realpathSync(here.folder))
    return wrong(`${folder} is no copy: it is ${short(here.folder)} itself`, cure);
  const differs = (file) => {
    const copy = path.join(folder, path.relative(here.folder, file));
    return !existsSync(copy) || !readFileSync(copy).equals(readFileSync(file));
  };
  const stale = precious(place).filter(differs);
  if (stale.length)
    return wrong(`in the copy ${folder} is not what is in ${stale.map(short).join(", ")}`, "copy it again");
  keep(note(place), JSON.stringify({ folder, at: new Date().toISOString(), sum: sum(place) }));
  return seen(place);
}

/** Says which copy of the keys was seen last. */
export function seen(place) {
  if (!precious(place).length) return []; // the check of the secrets says so
  if (!existsSync(note(place)))
    return doubt(`no copy of ${short(here.folder)} was ever seen: without it all is lost`, cure);
  const { folder, at, sum: before } = JSON.parse(readFileSync(note(place), "utf8"));
  const day = at.slice(0, 10);
  if (before !== sum(place)) return doubt(`the keys are others than in the copy ${folder} of ${day}`, cure);
  return well(`a copy of the keys was seen on ${day} in ${folder}`);
}
