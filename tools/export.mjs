// Leaving: writes what can be taken along to another system.

import { existsSync } from "node:fs";
import { operateOn, setUpOperator } from "./lib/operator.mjs";
import { asked, short } from "./lib/registry-keys.mjs";
import { settings } from "./lib/services.mjs";
import { databaseFlag, sayWhere } from "./lib/started.mjs";
import { breathe, Failure, main, parse } from "./lib/steps.mjs";
import { keep } from "./lib/vault.mjs";

const help = `npm run export -- json [-o FILE] [--remote | --persist-to DIR]
npm run export -- htpasswd --new-passwords [-o FILE] [--remote | --persist-to DIR]

  json              users with e-mail addresses, namespaces, roles, repositories: no secret
  htpasswd          a file of passwords for a registry; hublet's hashes verify nothing elsewhere, so it needs new ones
  --new-passwords   with htpasswd: makes one for each active user, and writes them to FILE.passwords
  -o FILE           where it is written (hublet.json, htpasswd), for its owner alone
  --remote          the database of the deployed worker, not the one of \`npm start\`
  --persist-to DIR  where \`npm start -- --persist-to DIR\` keeps its database`;

/** @satisfies {import("node:util").ParseArgsConfig["options"]} */
const options = {
  output: { type: "string", short: "o" },
  "new-passwords": { type: "boolean", default: false },
  remote: { type: "boolean", default: false },
  "persist-to": { type: "string" },
  help: { type: "boolean", default: false, short: "h" },
};

/** Users at a time, for each of whom there are random bytes. */
const SOME = 100;

/** Writes a file that is not there yet. */
function write(file, text) {
  if (existsSync(file)) throw new Failure(`${file} is there already: -o FILE names another`);
  keep(file, text);
}

async function run() {
  const { values: flags, positionals } = parse({ options, allowPositionals: true });
  if (flags.help) return console.log(help);
  const [kind, ...more] = positionals;
  if (!["json", "htpasswd"].includes(kind ?? "") || more.length) throw new Failure(`usage: ${help}`);
  if (kind === "htpasswd" && !flags["new-passwords"])
    throw new Failure(
      "no password can be taken along: hublet stores them under Argon2id with a pepper, and so do imported ones. " +
        "--new-passwords makes a new one for each user",
    );
  sayWhere(flags);
  const place = asked(flags);
  const request = { settings: settings(place), secrets: short(place.secrets), database_flag: databaseFlag(flags) };
  const { databaseOf } = await import("./lib/database.mjs"); // wants the Node that was brought
  const batch = await databaseOf(flags);
  const { everything } = await operateOn("exportAll", request, batch);
  const count = (list, words) => `${list.length} ${words}`;
  if (kind === "json") {
    const file = flags.output ?? "hublet.json";
    write(file, `${JSON.stringify(everything, undefined, 2)}\n`);
    const { users, namespaces, repositories } = everything;
    const counts = [count(users, "users"), count(namespaces, "namespaces"), count(repositories, "repositories")];
    return console.log(`${file} has ${counts.join(", ")}; passwords, tokens and images are not in it`);
  }
  const people = everything.users.filter(({ kind, status }) => kind === "user" && status === "active");
  const names = people.map(({ name }) => name);
  const all = [];
  for (let at = 0; at < names.length; at += SOME) {
    const some = JSON.stringify(names.slice(at, at + SOME));
    all.push(...(await operateOn("exportPasswords", request, batch, some)).passwords);
    await breathe("");
  }
  const file = flags.output ?? "htpasswd";
  write(`${file}.passwords`, all.map(([name, password]) => `${name}:${password}\n`).join(""));
  write(file, all.map(([name, , hash]) => `${name}:${hash}\n`).join(""));
  console.log(`${file} has ${count(names, "users")}, and ${file}.passwords the new password of each
every user of such a file may do everything: it has no roles`);
}

await main(async () => {
  await setUpOperator();
  await run();
});
