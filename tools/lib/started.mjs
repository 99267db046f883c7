// What `npm start` was started with last: the other tools work on that index, and know what it was told.

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Failure, home } from "./steps.mjs";
import { keep } from "./vault.mjs";

/** Where the databases are that nobody put elsewhere. */
export const usual = ".wrangler/state";

/** Names the folder of the index that was started last. */
const pointer = path.join(home, ".wrangler/started");

/** What an index was told lies beside its databases, and goes with them. */
const note = (state) => path.resolve(home, state, "v3/started.json");

/** Notes that an index answers: with its databases in `state`, at `address`, with `vars` over the settings of files. */
export function begun(state, { address, vars }) {
  keep(note(state), JSON.stringify({ address, vars }));
  keep(pointer, state);
}

/** What the index in `state` was started with: `{ address, vars }`, without an address where it never was. */
export function started(state) {
  if (!existsSync(note(state))) return { vars: {} };
  try {
    return JSON.parse(readFileSync(note(state), "utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Failure(`${note(state)} is damaged: npm start writes it anew`);
  }
}

/** Where the databases are of the index that was started last, if they are others than those in `state`. */
export function startedElsewhere(state) {
  const last = existsSync(pointer) ? readFileSync(pointer, "utf8") : state;
  const isSame = path.resolve(home, last) === path.resolve(home, state);
  return isSame || !existsSync(note(last)) ? undefined : last;
}

/** Where the databases of a tool are: where its --persist-to says, or where the index was started last. */
export function stateOf({ "persist-to": told, remote }) {
  if (remote && told) throw new Failure("--remote and --persist-to are two different databases");
  if (told || !existsSync(pointer)) return told ?? usual;
  const last = readFileSync(pointer, "utf8");
  return existsSync(note(last)) ? last : usual; // somebody may have thrown it away
}

/** Whether that is where nobody had to say it. */
export const isUsual = (state) => path.resolve(home, state) === path.resolve(home, usual);

/** The flag by which a command that is printed works on the databases of this one, as a shell reads it, behind a blank. */
export function databaseFlag(flags) {
  const quoted = (words) => (/^[\w./-]+$/.test(words) ? words : `'${words.replaceAll("'", "'\\''")}'`);
  const state = stateOf(flags);
  return flags.remote ? " --remote" : isUsual(state) ? "" : ` --persist-to ${quoted(state)}`;
}

/** Says which databases a tool works on, where nobody named them and they are not the usual ones. */
export function sayWhere(flags) {
  const state = stateOf(flags);
  if (!flags.remote && !flags["persist-to"] && !isUsual(state)) {
    console.error(`hublet: on the index that was started last, with --persist-to ${state}`);
  }
}
