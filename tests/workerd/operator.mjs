// The operator's commands on the worker under test: those of `npm run admin`, whose statements go to its D1.

import util from "node:util";
import { operate as run } from "../../tools/lib/operator.mjs";

/**
 * Runs a command such as `grant paul`, with standard input after ` < `, and gives the link that it prints for a user, or the line with a reconciler's token; `env`
 * has the database and the settings.
 */
export async function operate({ DB: database, PASSWORD_PEPPER, PASSWORD_COST, SERVICES }, command, now) {
  const [line, password] = command.split(" < ");
  const batch = async (statements) => {
    const bound = statements.map(({ sql, params }) => database.prepare(sql).bind(...params));
    return (await database.batch(bound)).map(({ results }) => results);
  };
  const { values: flags, positionals: words } = util.parseArgs({
    args: line.split(" "),
    allowPositionals: true,
    strict: false,
    options: { since: { type: "string" } },
  });
  const settings = { PASSWORD_PEPPER, PASSWORD_COST, SERVICES };
  const said = await run({ words, flags, now, password, settings, origin: "http://127.0.0.1" }, batch);
  return /^(?:http\S+#|HUBLET_RECONCILER_TOKEN=)\S+$/m.exec(said.notes.join("\n"))?.[0] ?? "";
}
