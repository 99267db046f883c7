// Moving in: makes a plan of the files of another system, writes it, and compares what both allow.

import { existsSync } from "node:fs";
import { catalog } from "./lib/catalog.mjs";
import { granted, service } from "./lib/live-tokens.mjs";
import { filesOf, lines, read, sources } from "./lib/old-systems.mjs";
import { compute, operateOn, setUpOperator } from "./lib/operator.mjs";
import { asked, short } from "./lib/registry-keys.mjs";
import { publicUrl, services, settings } from "./lib/services.mjs";
import { databaseFlag, sayWhere } from "./lib/started.mjs";
import { breathe, Failure, main, onDisk, parse, print, step } from "./lib/steps.mjs";
import { instructions } from "./lib/switch.mjs";
import { table } from "./lib/tables.mjs";
import { shown } from "./lib/texts.mjs";
import { keep } from "./lib/vault.mjs";

const help = `npm run import -- plan SOURCE FILE [-o plan.json] [--registry URL | --repositories FILE]
                         [--delete] [--rename THERE=HERE]... [--htpasswd FILE]
npm run import -- show plan.json
npm run import -- apply plan.json [--dry-run] [--existing] [--links FILE] [--remote | --persist-to DIR]
npm run import -- compare plan.json [--accept-gains] [--remote | --persist-to DIR]
npm run import -- compare plan.json --old URL --new URL --passwords FILE [--accept-gains]
npm run import -- switch SERVICE [--config FILE] [--remote] [--public-url URL]

  plan                 makes a plan of the files of another system; SOURCE is ${sources.join(", ")}
  show                 says what a plan has, and who would gain and lose by it
  apply                writes a plan; what is there already stays, so that twice is the same as once
  compare              says who may do more and less than before; the exit code is 1 where a user gains
  switch               prints the way back of a registry in SERVICES, and then the lines that give it to hublet

  -o FILE              with plan: where it is written; it has hashes of passwords, and is for its owner alone
  --registry URL       with plan: the repositories of this registry; REGISTRY_USER and REGISTRY_PASSWORD, where it wants them
  --repositories FILE  with plan: a file with one repository a line; without either, those that hublet knows
  --delete             with plan: who may delete becomes an admin, who changes roles too; without it, only admins delete
  --rename THERE=HERE  with plan: the name here of a user there; may be repeated
  --htpasswd FILE      with plan zot: the file of passwords, if it is not where the configuration says
  --dry-run            with apply: prints all that would be written
  --existing           with apply: users who registered here are those of the plan with the same name
  --links FILE         with apply: where links are written on which users choose passwords (import-links.txt)
  --accept-gains       with compare: the exit code is 0 all the same
  --old, --new URL     with compare: asks both token services, https://host/token?service=NAME
  --passwords FILE     with compare: lines of NAME:PASSWORD, by which they are asked; NAME is the name there
  --config FILE        with switch: the configuration of the registry today
  --public-url URL     with switch: where the index is reached, if not at PUBLIC_URL
  --remote             the database of the deployed worker, not the one of \`npm start\`
  --persist-to DIR     where \`npm start -- --persist-to DIR\` keeps its database`;

/** @satisfies {import("node:util").ParseArgsConfig["options"]} */
const options = {
  output: { type: "string", short: "o", default: "plan.json" },
  registry: { type: "string" },
  repositories: { type: "string" },
  delete: { type: "boolean", default: false },
  rename: { type: "string", multiple: true, default: [] },
  htpasswd: { type: "string" },
  "dry-run": { type: "boolean", default: false },
  existing: { type: "boolean", default: false },
  links: { type: "string", default: "import-links.txt" },
  "accept-gains": { type: "boolean", default: false },
  old: { type: "string" },
  new: { type: "string" },
  passwords: { type: "string" },
  config: { type: "string" },
  "public-url": { type: "string" },
  remote: { type: "boolean", default: false },
  "persist-to": { type: "string" },
  help: { type: "boolean", default: false, short: "h" },
};

/** Prints what the crate says. Names are those of other people. */
function say({ headline, rows, notes }) {
  console.log(headline);
  if (rows.length) print(table(rows));
  for (const line of notes.join("\n").split("\n").filter(Boolean)) console.log(shown(line));
}

/** The database that the flags name, and a request for it. */
async function index(flags) {
  sayWhere(flags);
  const place = asked(flags);
  const request = { settings: settings(place), secrets: short(place.secrets), database_flag: databaseFlag(flags) };
  const { databaseOf } = await import("./lib/database.mjs"); // wants the Node that was brought
  return { place, request, batch: await databaseOf(flags) };
}

async function plan(flags, source, file) {
  if (!sources.includes(source)) throw new Failure(`a plan is made of ${sources.join(", ")}, not of ${source}`);
  if (existsSync(flags.output)) throw new Failure(`${flags.output} is there already: -o FILE names another`);
  const renamed = Object.fromEntries(
    flags.rename.map((text) => {
      const [there, here] = text.split("=");
      if (!there || !here) throw new Failure(`--rename ${text} is not THERE=HERE`);
      return [there, here];
    }),
  );
  const files = await filesOf(source, file, flags.htpasswd);
  const repositories = await repositoriesOf(flags);
  if (!repositories.length) throw new Failure("there is no repository yet: --registry URL, or --repositories FILE");
  const request = { ...files, repositories, delete: flags.delete, renamed };
  const { plan, said } = await step("evaluating", async () => compute("importPlan", JSON.stringify(request)));
  keep(flags.output, `${JSON.stringify(plan, undefined, 2)}\n`);
  say(said);
  console.log(
    `\n${flags.output} has it: read it, change what is to be otherwise, then: npm run import -- apply ${flags.output} --dry-run`,
  );
}

async function repositoriesOf(flags) {
  const { REGISTRY_USER: user, REGISTRY_PASSWORD: password } = process.env;
  if (flags.registry) return step("the catalog of the registry", () => catalog(flags.registry, { user, password }));
  if (flags.repositories) return lines(flags.repositories);
  const { batch } = await index(flags);
  const sql = "select full_name from repositories where deleted_at is null order by full_name";
  const [rows] = await batch([{ sql, params: [] }]);
  return rows.map(({ full_name: name }) => name);
}

async function apply(flags, file) {
  const text = await read(file);
  const { place, request, batch } = await index(flags);
  const { changes, most, said } = await operateOn("importChanges", request, batch, text, flags.existing);
  if (said.denied) process.exitCode = 1;
  if (flags["dry-run"]) return say(said);
  const byLink = changes.filter(({ user }) => user && !user.bcrypt).length;
  const whole = { ...request, origin: byLink ? publicUrl(place) : "" };
  const links = [];
  let done = 0;
  for (const some of inSteps(changes, most)) {
    const { links: made } = await operateOn("importStep", whole, batch, JSON.stringify(some));
    links.push(...made.map(([name, link]) => `${name} ${link}\n`));
    if (made.length) await onDisk(`${flags.links} cannot be written`, () => keep(flags.links, links.join("")));
    done += some.length;
    console.error(`hublet: ${done} of ${changes.length}`);
    await breathe("");
  }
  say({ ...said, headline: `${done} written, ${said.headline.replace(/^.*, /, "")}`, rows: [] });
  if (links.length)
    console.log(
      `${flags.links} has ${links.length} links, each for a week: give each user theirs, and remove the file`,
    );
}

/** Changes of one kind, at most so many: what a step needs, the steps before it have made. */
function* inSteps(changes, most) {
  let some = [];
  for (const change of changes) {
    const kind = Object.keys(change)[0];
    if (some.length === most || (some.length && Object.keys(some[0])[0] !== kind)) {
      yield some;
      some = [];
    }
    some.push(change);
  }
  if (some.length) yield some;
}

async function compare(flags, file) {
  const text = await read(file);
  const live = flags.old || flags.new;
  const said = live ? await asking(flags, JSON.parse(text)) : await onIndex(flags, text);
  say(said);
  if (said.denied && !flags["accept-gains"]) process.exitCode = 1;
}

async function onIndex(flags, text) {
  const { request, batch } = await index(flags);
  return (await operateOn("importCompare", request, batch, text)).said;
}

/** Asks the token services of both systems. */
async function asking(flags, { users, repositories }) {
  if (!flags.old || !flags.new || !flags.passwords) throw new Failure("--old, --new and --passwords go together");
  const [old, other] = [service(flags.old), service(flags.new)];
  const passwords = new Map(
    (await lines(flags.passwords)).map((line) => [line.split(":")[0], line.slice(line.indexOf(":") + 1)]),
  );
  const people = users.map(({ name, source }) => ({
    name,
    there: source || name,
    password: passwords.get(source || name),
  }));
  const known = [...people.filter(({ password }) => password !== undefined), { name: "", there: "" }];
  /** @type {any[][]} */
  const [before, after] = [[], []];
  await step("asking both", async () => {
    for (const { name, there, password } of known) {
      const grants = await Promise.all([
        granted(old, { name, account: there, password }, repositories),
        granted(other, { name, account: name, password }, repositories),
      ]);
      for (const [at, where] of [old, other].entries())
        if (!grants[at] && name) console.error(`hublet: ${where.origin} refuses the password of ${name}`);
      before.push(...(grants[0] ?? []));
      after.push(...(grants[1] ?? []));
    }
  });
  if (people.length >= known.length)
    console.error(`hublet: without a password, and not asked: ${people.length + 1 - known.length}`);
  return compute(
    "importDifferences",
    JSON.stringify({ users: known.map(({ name }) => name), repositories, before, after }),
  ).said;
}

async function change(flags, name) {
  const place = asked(flags);
  const service = services(place).find((one) => one.name === name);
  if (!service) throw new Failure(`SERVICES names no registry ${name}`);
  console.log(await instructions(place, service, publicUrl(place, flags["public-url"]), flags.config));
}

async function run() {
  const { values: flags, positionals } = parse({ options, allowPositionals: true });
  const [verb, ...words] = positionals;
  if (flags.help) return console.log(help);
  if (verb === "plan" && words.length === 2) return plan(flags, words[0], words[1]);
  const verbs = {
    apply,
    compare,
    switch: change,
    show: async (_, file) => say(compute("importSummary", await read(file)).said),
  };
  if (!Object.hasOwn(verbs, verb ?? "") || words.length !== 1) throw new Failure(`usage: ${help}`);
  await verbs[verb](flags, words[0]);
}

await main(async () => {
  await setUpOperator();
  await run();
});
