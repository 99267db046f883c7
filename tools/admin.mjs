// The operator's command: runs one of those in operator/ on the database, here or, with --remote, on Cloudflare.

import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { emptySearch } from "./lib/migrations.mjs";
import { crate, operate, Refusal, setUpOperator } from "./lib/operator.mjs";
import { asked, short } from "./lib/registry-keys.mjs";
import { publicUrl, settings } from "./lib/services.mjs";
import { databaseFlag, sayWhere, stateOf } from "./lib/started.mjs";
import { breathe, Failure, main, parse, print, step } from "./lib/steps.mjs";
import { table } from "./lib/tables.mjs";
import { hides, json } from "./lib/texts.mjs";

/** @satisfies {import("node:util").ParseArgsConfig["options"]} */
const options = {
  remote: { type: "boolean", default: false },
  local: { type: "boolean", default: false },
  "persist-to": { type: "string" },
  machine: { type: "boolean", default: false },
  resource: { type: "string", multiple: true },
  scope: { type: "string", multiple: true },
  days: { type: "string" },
  label: { type: "string" },
  "password-stdin": { type: "boolean", default: false },
  "bcrypt-stdin": { type: "boolean", default: false },
  "keep-access-tokens": { type: "boolean", default: false },
  private: { type: "boolean", default: false },
  "keep-collaborators": { type: "boolean", default: false },
  since: { type: "string" },
  repositories: { type: "boolean", default: false },
  name: { type: "string" },
  actor: { type: "string" },
  token: { type: "string" },
  follow: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false, short: "h" },
};

function help() {
  const usages = JSON.parse(crate().commands()).map(({ usage, purpose }) => `  ${usage.padEnd(34)} ${purpose}`);
  return `npm run admin -- COMMAND [--remote | --persist-to DIR]

${usages.join("\n")}

  --remote            the database of the deployed worker, not the one of \`npm start\`
  --persist-to DIR    where \`npm start -- --persist-to DIR\` keeps its database
  --machine           with add: a service account, which has no password (the same as add-machine)
  --scope SCOPE       with token: repo:admin, repo:write, repo:read or repo:public_read; repo:read when there is none;
                      repo:roles beside repo:admin: it may change who may do what; may be repeated
  --resource PATH     with token: only this repository, or ns/*, ns/**; may be repeated
  --days N            with token: so long, and no longer than ACCESS_TOKEN_MAX_DAYS; without it, a user's is valid
                      for a year and a service account's until it is ended, or as long as that says
                      with log: all of the last N days, not only the newest 1000
  --label TEXT        with token: what people call it
  --password-stdin    with add and password: take the password from standard input, print no link
  --bcrypt-stdin      with add and password: take a hash by bcrypt, as htpasswd -B writes it, from standard input
  --keep-access-tokens  with after-restore: do not deactivate them
  --private           with after-restore: every repository private, since some were made so, or deleted, in the lost days
  --keep-collaborators  with transfer: who has a role in the repository keeps it
  --since T           with compromised: since when; 36h, 7d (when it is missing), or a time such as 2026-11-20T08:00:00Z
  --repositories      with remove: with the repositories of the namespace
  --name TEXT         with log: only what was done to this user, token or namespace/repository, or in this namespace
  --actor NAME        with log: only what this user did
  --json              with log: one JSON object a line
  --follow            with log: go on until it is interrupted
  --token UUID        with why: as with this access token of theirs; the exit code is 1 for no`;
}

/** Text as one word. Anybody chooses a `client_id` or the label of a token: what could be read as more is quoted. */
function quoted(text) {
  return hides(text) || /^"|\s/.test(text) ? json(text) : text;
}

/** A row of the log as one line. */
function line({ data, ...row }, asJson) {
  if (asJson) return json({ ...row, data: JSON.parse(data) });
  const { time, actor, action, name, namespace, credential, address } = row;
  // What is called after its namespace, or is the namespace, has it in its name.
  const where = namespace && name !== namespace && !name.startsWith(`${namespace}/`) && `namespace=${namespace}`;
  const details = Object.entries(JSON.parse(data))
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${key}=${quoted(value)}`);
  const means = [
    credential && `by ${credential.split(" ").map(quoted).join(" ")}`,
    address && `from ${quoted(address)}`,
  ];
  return [time, quoted(actor || "-"), action, quoted(name || "-"), where, ...details, ...means]
    .filter(Boolean)
    .join(" ");
}

/** How long `log --follow` waits before it looks again. */
const PAUSE = 2_000;

/** Prints who did what, the newest last. */
async function log(request, batch) {
  const { days, follow, json: asJson } = request.flags;
  let after;
  for (;;) {
    const { rows, full } = await operate({ ...request, flags: { ...request.flags, after } }, batch);
    for (const row of rows) print(line(row, asJson));
    after = rows.at(-1)?.id ?? after ?? 0;
    if (full && (days !== undefined || follow)) continue;
    if (!follow) return full && console.error("hublet: the newest 1000; --days N shows all of the last N days");
    await setTimeout(PAUSE);
    await breathe("");
  }
}

/**
 * The two halves of after-restore, each whatever becomes of the other. The database comes first: what was revoked opens
 * something until it is ended, while search shows names that may be private again.
 */
async function both(work, where) {
  const halves = [
    [work, "what was revoked may be good again"],
    [() => emptySearch(where), "search may show what is private"],
  ];
  const failed = [];
  const said = [];
  for (const [half, words] of halves) {
    try {
      said.push(await half());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failed.push([error, words]);
    }
  }
  if (!failed.length) return said[0];
  const reasons = failed.map(([{ message }, words]) => `${message}: ${words}`).join("; ");
  throw new Failure(`${reasons}: run this again until it works`, failed.map(([{ output }]) => output).join("\n"));
}

async function admin() {
  const { values: flags, positionals: words } = parse({ options, allowPositionals: true });
  if (flags.help || !words.length) return console.log(help());
  const place = asked(flags);
  const given = flags["password-stdin"] || flags["bcrypt-stdin"];
  const links = crate().links(words) && !flags.machine && !given;
  const request = {
    words,
    flags,
    settings: settings(place),
    secrets: short(place.secrets),
    database_flag: databaseFlag(flags),
    origin: links ? publicUrl(place) : "",
    password: given ? (await text(process.stdin)).replace(/\r?\n$/, "") : null,
  };
  sayWhere(flags);
  const { databaseOf } = await import("./lib/database.mjs"); // wants the Node that was brought
  const [name] = words;
  if (name === "log" && words.length === 1) return log(request, await databaseOf(flags));
  // A refusal is the answer of a step that has not failed.
  const answer = async () => operate(request, await databaseOf(flags));
  const refused = (error) => (error instanceof Refusal ? { error } : Promise.reject(error));
  const work = async () => {
    const { said, error } = await step(name, () => answer().then((said) => ({ said }), refused));
    if (error) throw error;
    return said;
  };
  const where = flags.remote ? ["--remote"] : ["--local", "--persist-to", stateOf(flags)];
  const said = await (name === "after-restore" ? both(work, where) : work()).catch((error) => {
    if (error.rows?.length) print(table(error.rows)); // what is in the way
    throw error;
  });
  for (const warning of said.warnings) console.error(`hublet: ${warning}`);
  if (said.headline) console.log(said.headline);
  if (said.rows.length || !said.headline) print(said.rows.length ? table(said.rows) : "none yet");
  for (const note of said.notes) console.log(note);
  if (said.denied) process.exitCode = 1;
}

await main(async () => {
  await setUpOperator();
  await admin();
});
