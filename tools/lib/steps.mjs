// Steps that show that they go on, and the commands that they run.

import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import util from "node:util";

/** Where the code is: a clone, or what npm made of a package. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Whether it is a package: then everything in it is built. */
export const packaged = !existsSync(path.join(root, "Cargo.toml"));

/**
 * The operator's folder, with their wrangler.toml, keys and databases: the clone, or where the package was called. Every
 * command runs here.
 */
export const home = packaged ? process.cwd() : root;

// The npm packages come first, so that their scripts meet a Node that is new enough; rustup's folder
// last, for a shell that has not heard of it yet.
const folders = [
  path.join(root, "node_modules/.bin"),
  ...(packaged ? [path.join(root, "../.bin")] : []), // what it depends on lies beside it
  ...(process.env.PATH ?? "").split(path.delimiter),
  path.join(process.env.HOME ?? "", ".cargo/bin"),
];
process.env.PATH = [...new Set(folders)].join(path.delimiter);

/** What went wrong, in words for the person at the terminal; `output` is what the failed command said. */
export class Failure extends Error {
  constructor(message, output = "") {
    super(message);
    this.output = output;
  }
}

/**
 * The words of the command line, as `util.parseArgs` reads them; what it does not know is a Failure.
 *
 * @param {import("node:util").ParseArgsConfig} config
 * @returns {{ values: any, positionals: string[] }}
 */
export function parse(config) {
  try {
    return util.parseArgs(config);
  } catch (error) {
    throw new Failure(error.message);
  }
}

/** What SQLite says of its file: busy, read-only, I/O, damaged, full, cannot be opened, no database. */
const ofFiles = [5, 8, 10, 11, 13, 14, 26];

/** Does work on files. That the machine refuses it (no such folder, no right, no room) is a Failure. */
export async function onDisk(words, work) {
  try {
    return await work();
  } catch (error) {
    if (ofFiles.includes(error.errcode & 0xff)) throw new Failure(`${words} (${error.message})`);
    if (error.syscall) throw new Failure(`${words} (${error.code})`);
    throw error;
  }
}

/** How a machine refuses work on files: no right, no room, no disk that works, and what is no file or no folder. */
const refusals = [
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "EDQUOT",
  "EIO",
  "EISDIR",
  "ENOTDIR",
  "EEXIST",
  "ELOOP",
  "ENAMETOOLONG",
];

/** The Failure that an error is, or nothing where it is a mistake of ours. */
export function failure(error) {
  if (error instanceof Failure) return error;
  return error.syscall && refusals.includes(error.code) ? new Failure(error.message) : undefined;
}

const running = new Map(); // each command that runs, with how to send it a signal
let stoppedBy = 0; // the number of the signal that ends us

/** A text with commands as they are typed where hublet is a package; the texts of the tools have those of a clone. */
export function asTyped(text) {
  if (!packaged) return text;
  const { name, version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const npx = /[\\/]_npx[\\/]/.test(root) ? `npx ${name}-${version}.tgz` : `npx ${name}`;
  const command = /npm (?:run )?(\w+)(?: --(?= ))?/g;
  return text.replace(command, (all, name) => (commands.includes(name) ? `${npx} ${name}` : all));
}

/** Prints all texts so; what `print` prints is none. */
function printAsTyped() {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (text, ...rest) => write(typeof text === "string" ? asTyped(text) : text, ...rest);
  }
}

/** Prints lines of the database as they are: people write commands there too. */
export const print = (lines) => process.stdout.write(Buffer.from(`${lines}\n`));

/** What a package can be asked for. */
export const commands = [
  "start",
  "deploy",
  "admin",
  "keys",
  "doctor",
  "registry",
  "backup",
  "restore",
  "import",
  "export",
];

/** Runs a whole tool: a Failure ends it with its message, a signal together with all that it started. */
export async function main(tool) {
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }))
    process.on(signal, () => end(number));
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => end(13)); // nobody reads us any more
  process.on("exit", () => tell("SIGTERM")); // where we fall over ourselves
  if (packaged) printAsTyped();
  try {
    await tool();
  } catch (error) {
    if (!stoppedBy) {
      const said = failure(error);
      if (!said) throw error;
      if (said.output) process.stderr.write(`${said.output.trimEnd()}\n`);
      console.error(`hublet: ${said.message}`);
      process.exitCode = 1;
    }
  }
  if (stoppedBy) process.exitCode = 128 + stoppedBy;
}

function end(number) {
  if (stoppedBy) return; // npm and the terminal both send us one Ctrl-C
  stoppedBy = number;
  kill();
}

function kill() {
  tell("SIGTERM");
  setTimeout(tell, 5_000, "SIGKILL").unref();
}

function tell(signal) {
  for (const send of running.values()) send(signal);
}

/**
 * Does `work`, shows that it goes on, and says how long it took: always, or when that was worth a line.
 * Returns what `work` returns; a text is shown with the step. All on standard error: answers have the other one.
 */
export async function step(title, work, { always = false } = {}) {
  const began = Date.now();
  const seconds = () => (Date.now() - began) / 1000;
  let spoken = 0; // where there is no terminal to write over: one line at two seconds, then every ten
  const shownAs = () => `${title}  ${seconds().toFixed(0)} s`;
  begun.add(shownAs);
  lastWords = "";
  const ticker = setInterval(() => {
    if (process.stderr.isTTY) return show(`… ${[...begun].map((one) => one()).join(", ")}  ${lastWords}`);
    if (seconds() < 2 + 10 * spoken) return;
    spoken += 1;
    console.error(`… ${shownAs()}  ${begun.size > 1 ? "" : lastWords}`); // of several, nobody knows whose words they are
  }, 250);
  const close = (mark, news) => {
    clearInterval(ticker);
    begun.delete(shownAs);
    show("");
    const words = [`${mark} ${title}`, `${seconds().toFixed(1)} s`];
    if (news) words.push(news);
    if (always || mark !== "✓" || seconds() >= 1) console.error(words.join("  "));
  };
  try {
    const found = await work();
    close("✓", typeof found === "string" ? found : undefined);
    return found;
  } catch (error) {
    close(stoppedBy || failed ? "-" : "✗");
    throw error;
  }
}

/**
 * Does lists of steps at the same time, the steps of each list one after another. The first that fails ends what runs,
 * and is the Failure.
 *
 * @param {[string, () => unknown][][]} lists
 */
export async function stepsAtOnce(lists, { always = false } = {}) {
  const all = lists.map(async (list) => {
    for (const [title, work] of list) {
      try {
        await step(title, work, { always });
      } catch (error) {
        if (failed) return;
        failed = error;
        kill();
      }
      if (failed) return;
    }
  });
  await Promise.all(all);
  if (failed) throw failed;
}

const begun = new Set(); // each step that runs: how it is shown
let failed; // the error that ends all steps
let shown = "";
let lastWords = ""; // of the command that runs: a sign of life on a terminal

/** What wrangler advises where it works on the databases of this machine: no sign of life, and not for our flags. */
const advice = /--remote\b/;

function show(line) {
  const fitting = line.slice(0, (process.stderr.columns || 80) - 1); // a longer one would stay on the screen
  if (!process.stderr.isTTY || fitting === shown) return;
  shown = fitting;
  process.stderr.write(`\r\x1b[K${shown}`);
}

/**
 * Lets work of our own that takes long be seen: `words` say how far it is. Here it also ends, where somebody wants that.
 */
export async function breathe(words) {
  lastWords = words;
  await new Promise((resolve) => setImmediate(resolve));
  goOn();
}

/** Ends work of our own, where somebody wants that. */
export function goOn() {
  if (stoppedBy) throw new Failure("stopped");
}

/** Prints what a command says while a step is shown, without the two running into each other. */
export function pass(text) {
  show("");
  process.stdout.write(text);
}

/**
 * Runs a command to its end and returns what it printed on standard output; where it fails, all that it
 * printed goes into the Failure. Whoever has `heard` everything as it came gets neither. `input` is its standard input.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, input?: string, heard?: (text: string) => void }} options
 * @returns {Promise<string>}
 */
export async function run(command, args, { env = {}, input = "", heard } = {}) {
  // A process group of its own: a signal reaches what the command itself started, and Ctrl-C comes once, from us.
  const child = begin(command, args, { env, detached: true, stdio: "pipe" });
  let answer = "";
  let output = "";
  const hear = (text, isAnswer) => {
    const lines = util.stripVTControlCharacters(text).trim().split("\n");
    lastWords = lines.findLast((line) => line && !advice.test(line)) || lastWords;
    if (heard) return heard(text);
    output += text;
    if (isAnswer) answer += text;
  };
  child.stdout.setEncoding("utf8").on("data", (text) => hear(text, true));
  child.stderr.setEncoding("utf8").on("data", (text) => hear(text, false));
  child.stdin.on("error", () => {}); // it may end without having read everything
  child.stdin.end(input);
  const code = await ended(child);
  lastWords = "";
  if (code !== 0) throw new Failure(`${path.basename(command)} ${args[0]} failed (${code})`, output);
  return answer;
}

/** Runs a command that talks with the person at the terminal itself; returns its exit code. */
export async function handOver(command, args, { env = {} } = {}) {
  const code = await ended(begin(command, args, { env, stdio: "inherit" }));
  return typeof code === "number" ? code : 1;
}

function begin(command, args, { env, ...options }) {
  if (stoppedBy || failed) throw new Failure("stopped");
  const child = spawn(command, args, { cwd: home, env: { ...process.env, ...env }, ...options });
  running.set(child, (signal) => {
    if (child.pid === undefined) return; // it never began
    try {
      process.kill(options.detached ? -child.pid : child.pid, signal);
    } catch {
      // it has ended already
    }
  });
  return child;
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.on("error", (error) => reject(new Failure(`cannot run ${child.spawnfile}: ${error.message}`)));
    child.on("exit", () => child.stdout && running.get(child)("SIGKILL")); // whoever is left of its group
    child.on("close", (code, signal) => resolve(code ?? signal));
  }).finally(() => running.delete(child));
}

/** The full name of a command, or undefined where there is none. */
export function find(command) {
  return (process.env.PATH ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, command))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
