// Puts a backup into an empty database, here or, with --remote, on Cloudflare: all of it or nothing.

import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { emptySearch } from "./lib/migrations.mjs";
import { crate, setUpOperator } from "./lib/operator.mjs";
import { databaseFlag, sayWhere, stateOf } from "./lib/started.mjs";
import { Failure, main, onDisk, parse, step } from "./lib/steps.mjs";

const help = `npm run restore -- FILE [--remote | --persist-to DIR] [--keep-access-tokens] [--private]

  FILE                    what \`npm run backup\` wrote
  --remote                into the database of the deployed worker, not the one of \`npm start\`
  --persist-to DIR        where \`npm start -- --persist-to DIR\` keeps its database
  --keep-access-tokens    do not deactivate them
  --private               every repository private: some may have been made so, or deleted, after the backup

The database must be empty; on Cloudflare a new one, that no worker uses yet (docs/operate.md, Restore). Everybody logs in again,
and the tools beside registries need new tokens, since what was revoked after the backup must not come back.`;

/** @satisfies {import("node:util").ParseArgsOptionsConfig} */
const options = {
  remote: { type: "boolean", default: false },
  "persist-to": { type: "string" },
  "keep-access-tokens": { type: "boolean", default: false },
  private: { type: "boolean", default: false },
  help: { type: "boolean", default: false, short: "h" },
};

async function restore() {
  const {
    values: flags,
    positionals: [name, ...more],
  } = parse({ options, allowPositionals: true });
  if (flags.help) return console.log(help);
  if (!name || more.length) throw new Failure(`usage: ${help}`);
  const state = stateOf(flags);
  sayWhere(flags);

  const file = path.resolve(process.env.INIT_CWD ?? ".", name); // npm runs us from the clone
  const told = {
    now: Math.floor(Date.now() / 1000),
    keep: flags["keep-access-tokens"],
    hide: flags.private,
    remote: flags.remote,
    where: databaseFlag(flags),
  };
  const rows = await onDisk("cannot write the database", () =>
    flags.remote ? there(file, told) : here(file, told, state),
  );
  const said = Object.entries(rows)
    .filter(([, count]) => count)
    .map(([table, count]) => `${count} ${table}`);
  console.log(`hublet: the database holds ${said.join(", ")}
${crate().restored(told.keep, told.hide, told.where)}`);
}

async function here(file, told, state) {
  const { acceptable, restore, emptySearchFile } = await import("./lib/recovery.mjs"); // wants the Node that was brought
  const { openLocal } = await import("./lib/sqlite.mjs");
  await step("checking", () => acceptable(file));
  process.umask(0o077); // nobody else on this machine may read what is made
  const last = () => emptySearchFile(openLocal(state, "SEARCH", { make: true }));
  const database = openLocal(state, "DB", { make: true });
  const rows = await step("restoring", () => restore(database, file, { ...told, last }));
  database.close();
  return rows;
}

async function there(file, told) {
  const { acceptable, restore } = await import("./lib/recovery.mjs");
  const { requireEmpty, sendRemote } = await import("./lib/remote.mjs");
  const { open } = await import("./lib/sqlite.mjs");
  await step("checking", () => acceptable(file));
  const most = await step("asking", requireEmpty);
  const scratch = mkdtempSync(path.join(os.tmpdir(), "hublet-restore-")); // nobody else may look into it
  try {
    const draft = path.join(scratch, "draft");
    const database = open(draft);
    database.exec("pragma journal_mode = memory; pragma synchronous = off");
    const rows = await step("reading", () => restore(database, file, told));
    await emptySearch(["--remote"]);
    await sendRemote(database, draft, most);
    database.close();
    return rows;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

await main(async () => {
  await setUpOperator();
  await restore();
});
