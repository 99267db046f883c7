// The first administrator of a deployed index, made at the end of a deploy by the operator's commands.

import { operate, Refusal } from "./operator.mjs";
import { deployed, short } from "./registry-keys.mjs";
import { publicUrl, setting, settings } from "./services.mjs";

const later = "npm run admin -- add NAME --remote, then npm run admin -- grant NAME --remote";

/** Asks for the name where there is no administrator yet, and prints the link on which they choose a password. */
export async function firstAdministrator(ask) {
  if (!setting(deployed, "PUBLIC_URL"))
    return console.log(`hublet: a link to log in needs PUBLIC_URL; once it is set: ${later}`);
  const { databaseOf } = await import("./database.mjs"); // wants the Node that was brought
  const batch = await databaseOf({ remote: true });
  const [there] = await batch([{ sql: "select 1 from users where administrator = 1 limit 1", params: [] }]);
  if (there.length) return;
  const read = (name) => name && make(name, (...words) => operate({ ...request(), words }, batch));
  if (await ask("Name of the first administrator [none now]", read)) return;
  console.log(`hublet: there is no administrator yet: ${later}`);
}

const request = () => ({
  flags: {},
  settings: settings(deployed),
  secrets: short(deployed.secrets),
  database_flag: deployed.flag,
  origin: publicUrl(deployed),
});

/** Makes an account that administrates; one that is there was perhaps made by another person, and is left alone. */
async function make(name, command) {
  const { warnings, notes } = await command("add", name).catch((error) => {
    if (error instanceof Refusal) error.message += ` One that is there: npm run admin -- grant ${name} --remote`;
    throw error;
  });
  await command("grant", name);
  for (const warning of warnings) console.error(`hublet: ${warning}`);
  console.log(`hublet: ${name} is an administrator`);
  for (const note of notes) console.log(note);
  return name;
}
