// Password hashes under a pepper that an index does not have: their users cannot log in.

import { NoTables } from "./database.mjs";
import { operate } from "./operator.mjs";
import { short } from "./registry-keys.mjs";
import { wrong } from "./remarks.mjs";
import { setting, settings } from "./services.mjs";

/**
 * What is to be said of that: a line for each such pepper. `batch` runs statements on the database of `place`.
 *
 * @returns {Promise<import("./remarks.mjs").Remark[]>}
 */
export async function lost(place, batch) {
  if (!setting(place, "PASSWORD_PEPPER")) return []; // which is a line of its own
  const request = { words: ["peppers"], settings: settings(place), secrets: short(place.secrets) };
  const { rows } = await operate(request, batch).catch((error) => {
    if (error instanceof NoTables) return { rows: [] };
    throw error;
  });
  const file = short(place.secrets);
  const upload = place.flag ? `, npx wrangler secret bulk ${file}` : "";
  return rows
    .filter(({ note }) => note.startsWith("not configured"))
    .map(({ pepper, users }) =>
      wrong(
        `${users} ${users === 1 ? "password is" : "passwords are"} hashed under the pepper ${pepper}, which PASSWORD_PEPPER in ${file} does not have: ${users === 1 ? "its user" : "their users"} cannot log in`,
        `add the value of your copy of ${file} to it, after a comma${upload}; if it is lost: npm run admin -- password NAME${place.flag}, for each`,
      ),
    );
}
