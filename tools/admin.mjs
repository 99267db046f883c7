// The operator's command: runs one of src/store/operator/*.sql on the database, here or, with --remote, on Cloudflare.

import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { emptySearch } from "./lib/migrations.mjs";
import {
  answer,
  command,
  find,
  inline,
  names,
  refused,
  restored,
  SINCE,
  since,
  takes,
  userName,
} from "./lib/operator.mjs";
import { asked, short } from "./lib/registry-keys.mjs";
import { publicUrl, setting } from "./lib/services.mjs";
import { setUpNode } from "./lib/setup.mjs";
import { databaseFlag, isUsual, sayWhere, stateOf } from "./lib/started.mjs";
import { Failure, main, parse, step } from "./lib/steps.mjs";
import { fromFile, patiently } from "./lib/wrangler.mjs";

/** A namespace, or what has a name of its own without being one. */
const namespace = /^(?=.{1,255}$)(?:[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*|[a-z0-9_]{4,30})$/;

const aUser =
  "a user's name has 2 to 64 of a-z and 0-9, with single . _ or - between them; or 4 to 30 of a-z, 0-9 and _";
const aNamespace = "a namespace's name has a-z and 0-9, with . _ __ or hyphens between them";

/** What each word may be, and how that is said. A quote in an address is doubled in SQL, nothing else has one. */
const grammars = {
  NAME: [userName, aUser],
  USER: [userName, aUser],
  ACCOUNT: [new RegExp(`${userName.source}|${namespace.source}`), aNamespace],
  NAMESPACE: [namespace, aNamespace],
  ROLE: [/^(?:read|write|admin|none)$/, "a role is read, write or admin, or none"],
  REPOSITORY: [
    /^(?=.{3,255}$)[a-z0-9._-]+(?:\/[A-Za-z0-9._-]+)+$/,
    "a repository is given as namespace/name, without a host and without a tag",
  ],
  VISIBILITY: [/^(?:public|private)$/, "a repository is public or private"],
  ADDRESS: [
    /^(?=[\s\S]{3,254}$)[^\s\p{Cc}@<>()[\]\\,;:"]+@[^\s\p{Cc}@<>()[\]\\,;:".]+(?:\.[^\s\p{Cc}@<>()[\]\\,;:".]+)*$/u,
    "an address is one of e-mail, without a name and without < and >",
  ],
  CHANGE: [
    /^(?:confirm|primary|remove)$/,
    "an address is to be confirmed, or made primary, or removed: confirm, primary or remove",
  ],
  UUID: [
    /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    "an access token goes by its UUID, not its secret: `tokens` lists them",
  ],
  end: [/^end$/, "what ends it is the word end"],
};

/** What `token` may be told by its flags. */
const SCOPE = /^repo:(?:admin|write|read|public_read|roles)$/;
const RESOURCE = /^(?=.{3,255}$)[a-z0-9._-]+(?:\/[A-Za-z0-9._*-]+)+$/;

/** Seconds in a day, and how long a person's token is good that is asked for without an end. */
const DAY = 86_400;
const PERSON = 365 * DAY;

/** What `log` may be told: what was done to, and who did it. */
const ABOUT = /^[A-Za-z0-9._/-]{1,300}$/;
const anAbout = "a name has letters, digits and . _ - / alone";

/** How many rows `log` reads at once, and shows where --days does not say how far back. */
const MOST = 1_000;

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
  "keep-access-tokens": { type: "boolean", default: false },
  private: { type: "boolean", default: false },
  "keep-collaborators": { type: "boolean", default: false },
  since: { type: "string" },
  repositories: { type: "boolean", default: false },
  name: { type: "string" },
  actor: { type: "string" },
  follow: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false, short: "h" },
};

function help() {
  const usages = names.map(command).map(({ usage, purpose }) => `  ${usage.padEnd(34)} ${purpose}`);
  return `npm run admin -- COMMAND [--remote | --persist-to DIR]

${usages.join("\n")}

  --remote            the database of the deployed worker, not the one of \`npm start\`
  --persist-to DIR    where \`npm start -- --persist-to DIR\` keeps its database
  --machine           with add: a machine, who has no password (the same as add-machine)
  --scope SCOPE       with token: repo:admin, repo:write, repo:read or repo:public_read; repo:read when there is none;
                      repo:roles beside repo:admin: it may change who may do what; may be repeated
  --resource PATH     with token: only this repository, or ns/*, ns/**; may be repeated
  --days N            with token: so long, and no longer than ACCESS_TOKEN_MAX_DAYS; without it, a person's is good
                      for a year and a machine's until it is ended, or as long as that says
                      with log: all of the last N days, not only the newest ${MOST}
  --label TEXT        with token: what people call it
  --password-stdin    with add and password: take the password from standard input, print no link
  --keep-access-tokens  with after-restore: do not deactivate them
  --private           with after-restore: every repository private, since some were made so, or deleted, in the lost days
  --keep-collaborators  with transfer: who has a role in the repository keeps it
  --since T           with compromised: since when; 36h, 7d (when it is missing), or a time such as 2026-11-20T08:00:00Z
  --repositories      with remove: with the repositories of the namespace
  --name TEXT         with log: only what was done to this user, namespace, token or namespace/repository
  --actor NAME        with log: only what this user did
  --json              with log: one JSON object a line
  --follow            with log: go on until it is interrupted`;
}

/** The values of a command's parameters, each checked before it goes near SQL. */
function parameters(chosen, words) {
  const { parameters } = takes(chosen);
  const wrong = words.findIndex((word, at) => !grammars[parameters[at]][0].test(word));
  if (wrong >= 0)
    throw new Failure(
      `${parameters[wrong]} cannot be ${JSON.stringify(words[wrong])}: ${grammars[parameters[wrong]][1]}`,
    );
  return Object.fromEntries(parameters.map((parameter, at) => [parameter, words[at] ?? null]));
}

/** A fresh access token and the values that keep it; its form is that of src/domain/opaque.rs. */
function accessToken({ scope = ["repo:read"], resource, days, label = "made by the operator" }, most) {
  const odd = [
    ...scope.filter((word) => !SCOPE.test(word)),
    ...(resource ?? []).filter((word) => !RESOURCE.test(word)),
  ];
  if (scope.includes("repo:roles") && !scope.includes("repo:admin"))
    throw new Failure("--scope repo:roles goes with --scope repo:admin");
  if (odd.length) throw new Failure(`${JSON.stringify(odd[0])} is neither a scope nor a resource: see --help`);
  if (!/^[^\p{C}]{1,100}$/u.test(label)) throw new Failure("--label is 1 to 100 printable characters");
  const body = `hlp_${crypto.randomBytes(20).toString("hex")}`;
  const token = body + sha256(body).slice(0, 8);
  if (days !== undefined && seconds(days) > most)
    throw new Failure(`--days is at most ${most / DAY}: ACCESS_TOKEN_MAX_DAYS`);
  const after = (time) => Math.floor(Date.now() / 1000) + time;
  return {
    token,
    values: {
      UUID: crypto.randomUUID(),
      TOKEN: sha256(token),
      LABEL: label,
      SCOPES: JSON.stringify(scope),
      RESOURCES: resource ? JSON.stringify(resource.map((path) => ({ path, scopes: [] }))) : null,
      EXPIRES: days === undefined ? null : after(seconds(days)),
      PERSON_EXPIRES: after(Math.min(PERSON, most)),
      MACHINE_EXPIRES: most === Infinity ? null : after(most),
    },
  };
}

/** How long an access token may be good, in seconds. */
function longest(place) {
  const set = setting(place, "ACCESS_TOKEN_MAX_DAYS");
  if (set && !/^[1-9][0-9]{0,4}$/.test(set)) throw new Failure("ACCESS_TOKEN_MAX_DAYS is no number of days");
  return set ? set * DAY : Infinity;
}

/** What --days says. */
function seconds(days) {
  if (!/^[1-9][0-9]{0,4}$/.test(days)) throw new Failure("--days is a number from 1 to 99999");
  return days * DAY;
}

function sha256(words) {
  return crypto.createHash("sha256").update(words).digest("hex");
}

/**
 * What a command answers, or nothing where it was refused. Its statements go through a file that nobody else can read: the
 * words of a command line are seen by everybody on the machine.
 */
async function execute(chosen, values, where) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-admin-"));
  const file = path.join(folder, "statements.sql");
  try {
    fs.writeFileSync(file, inline(chosen.sql, values), { mode: 0o600 });
    return answer(
      chosen,
      JSON.parse(await patiently(["d1", "execute", "DB", ...where, "--json", "--command", fromFile(file)])),
    );
  } catch (error) {
    if (chosen.refusal && refused(error.output)) return [];
    if (!/no such table/.test(error.output)) throw error;
    const [, state] = /^--local,--persist-to,(.*)$/.exec(where) ?? [];
    throw new Failure(
      state
        ? `the database in ${state} has no tables yet: \`npm start${isUsual(state) ? "" : ` -- --persist-to ${state}`}\` makes them`
        : "the database on Cloudflare has no tables yet: `npm run deploy` makes them",
    );
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** A password as the worker stores it: a PHC string that names its pepper. */
function phc(password, user, least, peppers, { memory, passes, lanes }) {
  if ([...password].length < least || Buffer.byteLength(password) > 1024) {
    throw new Failure(`a password has at least ${least} characters and at most 1024 bytes`);
  }
  if (password.toLowerCase() === user) throw new Failure("a password is not the user's own name");
  if (password.startsWith("hlp_"))
    throw new Failure("a password does not begin with hlp_, as access tokens do: it would be taken for one");
  const [id, secret] = peppers[0];
  const nonce = crypto.randomBytes(16);
  const hash = crypto.argon2Sync("argon2id", {
    message: password,
    nonce,
    secret,
    memory,
    passes,
    parallelism: lanes,
    tagLength: 32,
  });
  const base64 = (bytes) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
  return `$argon2id$v=19$m=${memory},t=${passes},p=${lanes},keyid=${base64(id)}$${base64(nonce)}$${base64(hash)}`;
}

/** PASSWORD_LENGTH, by the worker's own bounds and, where it is none, the worker's own. */
function passwordLength(place) {
  const least = Number(/^\d{1,3}$/.exec(setting(place, "PASSWORD_LENGTH") ?? "5")?.[0]);
  return least >= 5 && least <= 128 ? least : 12;
}

/** PASSWORD_COST likewise. */
function passwordCost(place) {
  const [memory, passes, lanes] = (/^m=(\d{1,5}),t=(\d{1,2}),p=(\d)$/.exec(setting(place, "PASSWORD_COST")) ?? [])
    .slice(1)
    .map(Number);
  const bounded = lanes >= 1 && lanes <= 4 && memory >= 8 * lanes && memory <= 65_536 && passes >= 1 && passes <= 10;
  return bounded ? { memory, passes, lanes } : { memory: 19_456, passes: 2, lanes: 1 };
}

/** PASSWORD_PEPPER of the index that is asked: ids with their values, the first of which hashes. */
function readPeppers(place) {
  const value = setting(place, "PASSWORD_PEPPER");
  if (!value) throw new Failure(`PASSWORD_PEPPER is not in ${short(place.secrets)}`);
  return value
    .split(",")
    .map((part) => part.trim())
    .map((part) => [part.slice(0, part.indexOf(":")), part.slice(part.indexOf(":") + 1)]);
}

/** The counted ids beside the configured ones. */
function comparePeppers(rows, peppers) {
  const counted = new Map(rows.map(({ pepper, users }) => [Buffer.from(pepper, "base64").toString(), users]));
  const known = peppers.map(([id], at) => ({
    pepper: id,
    users: counted.get(id) ?? 0,
    note: at ? "verifies" : "hashes and verifies",
  }));
  const lost = [...counted.keys()].filter((id) => !peppers.some(([known]) => known === id));
  return [
    ...known,
    ...lost.map((id) => ({ pepper: id, users: counted.get(id), note: "not configured: these cannot log in" })),
  ];
}

/** What ends a line, commands a terminal, or turns and hides text. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/** JSON in which all of that is written as its number. */
function json(value) {
  const number = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(new RegExp(UNSEEN, "gu"), (odd) => odd.split("").map(number).join(""));
}

function table(rows) {
  const columns = Object.keys(rows[0] ?? {});
  const shown = (value) => (UNSEEN.test(value) ? json(value) : String(value));
  const width = (column) => Math.max(column.length, ...rows.map((row) => shown(row[column]).length));
  const line = (cell) =>
    columns
      .map((column) => shown(cell(column)).padEnd(width(column)))
      .join("  ")
      .trimEnd();
  return [line((column) => column), ...rows.map((row) => line((column) => row[column]))].join("\n");
}

/** The rows without `near`, which names what people could take a new name for: that is said apart. */
function withoutNear(rows) {
  for (const { name, namespace, near } of rows) {
    if (near)
      console.error(
        `hublet: there is ${near} already: not the same as ${name ?? namespace}, but people may take one for the other`,
      );
  }
  return rows.map(({ near, ...row }) => row);
}

/** Text as one word. Anybody chooses a `client_id` or the label of a token: what could be read as more is quoted. */
function quoted(text) {
  return UNSEEN.test(text) || /^"|\s/.test(text) ? json(text) : text;
}

/** A row of the log as one line. */
function line({ data, ...row }, asJson) {
  if (asJson) return json({ ...row, data: JSON.parse(data) });
  const { time, actor, action, name, credential, address } = row;
  const details = Object.entries(JSON.parse(data))
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${key}=${quoted(value)}`);
  const means = [
    credential && `by ${credential.split(" ").map(quoted).join(" ")}`,
    address && `from ${quoted(address)}`,
  ];
  return [time, quoted(actor || "-"), action, quoted(name || "-"), ...details, ...means].filter(Boolean).join(" ");
}

/** How long `log --follow` waits before it looks again. */
const PAUSE = 2_000;

/** Prints who did what, the newest last. */
async function log(chosen, { name, actor, days, json: asJson, follow }, where) {
  for (const word of [name, actor]) {
    if (word !== undefined && !ABOUT.test(word))
      throw new Failure(`nothing is called ${JSON.stringify(word)}: ${anAbout}`);
  }
  const all = days !== undefined;
  const from = all ? Math.floor(Date.now() / 1000) - seconds(days) : null;
  let after = all ? 0 : null;
  for (;;) {
    const rows = await execute(
      chosen,
      { ABOUT: name ?? null, ACTOR: actor ?? null, SINCE: from, AFTER: after, MOST },
      where,
    );
    for (const row of rows) console.log(line(row, asJson));
    after = rows.at(-1)?.id ?? after ?? 0;
    const full = rows.length === MOST;
    if (full && (all || follow)) continue;
    if (!follow) return full && console.error(`hublet: the newest ${MOST}; --days N shows all of the last N days`);
    await setTimeout(PAUSE);
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
  for (const [half, words] of halves) {
    try {
      await half();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failed.push([error, words]);
    }
  }
  if (!failed.length) return;
  const said = failed.map(([{ message }, words]) => `${message}: ${words}`).join("; ");
  throw new Failure(`${said}: run this again until it works`, failed.map(([{ output }]) => output).join("\n"));
}

/** A command that is printed, as it is typed for the same database. */
function typed(row, flags) {
  return row.command ? { ...row, command: row.command + databaseFlag(flags) } : row;
}

async function admin() {
  const {
    values: flags,
    positionals: [word, ...words],
  } = parse({ options, allowPositionals: true });
  if (flags.help || !word) return console.log(help());

  const chosen = find([word === "add" && flags.machine ? "add-machine" : word, ...words]);
  const { name } = chosen;
  const values = parameters(chosen, words);
  const takesPassword = chosen.sql.includes(":PASSWORD");
  if (flags["password-stdin"] && !takesPassword) throw new Failure(`${name} takes no password`);
  const place = asked(flags);
  const where = flags.remote ? ["--remote"] : ["--local", "--persist-to", stateOf(flags)];
  sayWhere(flags);
  if (name === "log") return log(chosen, flags, where);

  const clear = flags["password-stdin"] ? (await text(process.stdin)).replace(/\r?\n$/, "") : null;
  const password =
    clear === null ? null : phc(clear, values.NAME, passwordLength(place), readPeppers(place), passwordCost(place));
  const secret = chosen.sql.includes(":SECRET") && !password ? crypto.randomBytes(32).toString("base64url") : null;
  const origin = secret && publicUrl(place);
  const made = name === "token" ? accessToken(flags, longest(place)) : undefined;
  const now = Math.floor(Date.now() / 1000);
  const told = {
    KEEP: flags["keep-access-tokens"] ? 1 : null,
    PRIVATE: flags.private ? 1 : null,
    KEEP_COLLABORATORS: flags["keep-collaborators"] ? 1 : null,
    REPOSITORIES: flags.repositories ? 1 : null,
    SINCE: since(flags.since ?? SINCE, now),
    KEY: values.ADDRESS?.toLowerCase() ?? null,
  };
  const given = { ...values, ...made?.values, ...told, NOW: now, PASSWORD: password, SECRET: secret && sha256(secret) };

  let rows;
  const work = async () => {
    rows = await step(name, () => execute(chosen, given, where));
  };
  await (name === "after-restore" ? both(work, where) : work());
  const isOfAll = words.length < takes(chosen).parameters.length; // of which there may be none
  if (!rows.length && chosen.refusal && !isOfAll) {
    const inTheWay = chosen.inTheWay ? await execute({ sql: chosen.inTheWay }, given, where) : [];
    if (inTheWay.length) console.log(table(inTheWay.map((row) => typed(row, flags))));
    throw new Failure(chosen.refusal.replace(/\b[A-Z]+\b/g, (word) => values[word] ?? word));
  }
  if (name === "peppers") rows = comparePeppers(rows, readPeppers(place));
  const linked = rows[0]?.link !== 0; // a service account has no password to choose
  rows = withoutNear(rows);
  console.log(rows.length ? table(rows.map(({ link, ...row }) => typed(row, flags))) : "none yet");
  if (name === "after-restore")
    console.log(restored({ keep: flags["keep-access-tokens"], hide: flags.private, where: databaseFlag(flags) }));
  if (made) console.log(`\nThe token, which is shown this once; use it where a password goes:\n${made.token}`);
  if (secret && linked)
    console.log(`\nTo choose the password, once, within a week:\n${origin}/account/password#${secret}`);
}

await main(async () => {
  await setUpNode();
  await admin();
});
