// Writes a backup: all that counts of the database, here or, with --remote, on Cloudflare, as it is at one moment.

import path from "node:path";
import { setUpNode } from "./lib/setup.mjs";
import { sayWhere, stateOf } from "./lib/started.mjs";
import { Failure, main, parse, step } from "./lib/steps.mjs";

/** What an index of this machine needs beside its database: .dev.vars has the pepper, TOKEN_KEY and REGISTRY_KEY. */
const copied = ".keys and .dev.vars";

const help = `npm run backup -- FILE [--remote | --persist-to DIR]

  FILE                where to write; nothing is there yet
  --remote            the database of the deployed worker, not the one of \`npm start\`; it answers nobody meanwhile
  --persist-to DIR    where \`npm start -- --persist-to DIR\` keeps its database

The secrets are not in it: keep a copy of ${copied} apart (with --remote, of .keys alone). Without PASSWORD_PEPPER no
password in a backup can be verified.`;

/** @satisfies {import("node:util").ParseArgsOptionsConfig} */
const options = {
  remote: { type: "boolean", default: false },
  "persist-to": { type: "string" },
  help: { type: "boolean", default: false, short: "h" },
};

async function backup() {
  const {
    values: flags,
    positionals: [name, ...more],
  } = parse({ options, allowPositionals: true });
  if (flags.help) return console.log(help);
  if (!name || more.length) throw new Failure(`usage: ${help}`);
  const state = stateOf(flags);
  sayWhere(flags);

  const file = path.resolve(process.env.INIT_CWD ?? ".", name); // npm runs us from the clone
  const { openLocal } = await import("./lib/sqlite.mjs"); // wants the Node that was brought
  const { beside, write } = await import("./lib/backup-file.mjs");
  const { fetchRemote } = await import("./lib/remote.mjs");
  let rows;
  await beside(file, async (folder) => {
    const database = flags.remote ? await fetchRemote(path.join(folder, "export")) : openLocal(state, "DB");
    rows = await step("writing", () => write(database, file, new Date().toISOString(), folder));
    database.close();
  });
  const said = Object.entries(rows)
    .filter(([, count]) => count)
    .map(([table, count]) => `${count} ${table}`);
  console.log(`hublet: ${name} holds ${said.join(", ")}`);
  const secrets = flags.remote ? ".keys" : copied;
  console.log(
    `hublet: keep it like a secret, and a copy of ${secrets} in another place: without PASSWORD_PEPPER, which is there, no password can be verified`,
  );
}

await main(async () => {
  await setUpNode();
  await backup();
});
