// How an answer's time grows with the number of repositories: databases that are filled by SQL, and always the same.

import { statSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { step } from "../../tools/lib/steps.mjs";
import { load } from "./load.mjs";
import { scratch, serve } from "./servers.mjs";
import { basic, counted, databases, people } from "./fixture.mjs";

const SIZES = [1_000, 30_000, 1_000_000];

const WORDS =
  `the for with and service server image tool proxy web data cache build test api client base app node python
  java rust alpine debian nginx redis postgres mysql mongo kafka queue worker cron backup restore monitor metrics log
  trace gateway router mesh vault secret auth login mail search index shop cart order invoice photo video stream game
  chat bot forum wiki blog docs deploy runner agent scanner lint format compiler parser crawler feed map weather bank
  ledger solver matrix tensor model train serve quantum orbit comet falcon badger lynx heron maple cedar basalt quartz
  zephyr ember nimbus aurora glacier fjord tundra delta lagoon isthmus`.split(/\s+/);

// Numbers from 1 to ?1; the k-th draw of number n, from 0 to 1, always the same; a word by Zipf's law.
const NUMBERS = "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?1)";
const draw = (k) => `(((n * 2654435761 + ${k} * 97561 + (n % 1009) * ${k} * 7919) % 1000003) / 1000003.0)`;
const zipf = (k, most) => `cast(pow(${most}, ${draw(k)}) as integer)`;
const word = (k) => `(select word from words where id = ${zipf(k, WORDS.length)})`;
const name = `${word(1)} || '-' || ${word(2)} || n`;
// Half of them are `oddly` and half `evenly`, and none is both.
const description = `${[3, 4, 5, 6, 7].map(word).join(" || ' ' || ")} || iif(n % 2, ' oddly', ' evenly')`;
// What search has of it: after it, the beginnings of its words.
const folded = `description || char(1) || (select group_concat(char(2, 2) || substr(value, 1, 2), '')
  from json_each('["' || replace(description, ' ', '","') || '"]'))`;
const pushed = "1700000000 + n * 37";
const user = "'u' || printf('%07d', n)";
const id = "printf('%064x', n * 2654435761)";

/** Tenths of the number of repositories, and the statement: the largest namespace has a tenth of a user's share. */
const truth = [
  [
    1,
    `insert into users (id, name, status, password, created_at) select 1000 + n, ${user}, 'active', 'hash' || n, n from numbers`,
  ],
  [
    1,
    `insert into emails (user_id, address, key, confirmed_at, created_at) select 1000 + n, ${user} || '@example.com', ${user} || '@example.com', n, n from numbers`,
  ],
  [1, `insert into namespaces (id, name, owner_id, created_at) select 1000 + n, ${user}, 1000 + n, n from numbers`],
  [
    10,
    `insert into repositories (id, namespace_id, name, full_name, private, description, created_at, updated_at, pushed_at, star_count)
    select 1000 + n, 1000 + owner, name, 'u' || printf('%07d', owner) || '/' || name, n % 5 = 0, description, n, n, ${pushed}, n % 17
    from (select n, ${zipf(8, "?2")} owner, ${name} name, ${description} description from numbers)`,
  ],
  [
    100,
    `insert into images (repository_id, position, id, checksum)
    select 1000 + (n - 1) / 10 + 1, (n - 1) % 10 + 1, ${id}, 'sha256:' || ${id} from numbers`,
  ],
  [
    20,
    `insert into tags (repository_id, service, name, digest, size, media_type, pushed_at, pushed_by)
    select 1000 + (n + 1) / 2, 'registry', iif(n % 2, 'latest', '1.0'), 'sha256:' || ${id}, 1, 'application/vnd.oci.image.manifest.v1+json', n, '' from numbers`,
  ],
];

/** What is searched for. */
const SHAPES = {
  frequent: "the",
  "less frequent": "redis",
  rare: "basalt",
  "in 20": "quagga",
  absent: "wombat",
  "two that meet": "the+redis",
  "two rare ones": "quartz+basalt",
  "two that do not meet": "oddly+evenly",
  "one letter": "r",
  "two letters": "re",
  mixed: "redis+re",
  none: "",
};

/** Seconds of load for each request, one at a time: the answers of one are enough for a p50. */
const TURNS = 2;

/** At most so many times as long with the most repositories as with the fewest. */
const MOST = 3;

/** Private repositories that a person may read who is no administrator. */
const OWN = { paul: 10, jane: 1_000 };
const READERS = { anonymous: undefined, "reader of 10": "paul", "reader of 1,000": "jane", administrator: "boss" };
const search = (shape, reader) => `search: ${shape}, ${reader}`;

export async function measure({ sizes, print }) {
  const folder = scratch();
  const files = await databases(folder);
  const first = await serve("hublet", folder);
  const cases = await people(first);
  await fetch(`${first.url}/v1/users/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "boss", password: "correct horse", email: "boss@example.com" }),
  });
  await first.stop();
  // What asks no database cannot grow, a push changes what is measured, and searches are below.
  for (const name of ["ping", "unknown", "forged", "malformed", "wrong", "push", "search"]) delete cases[name];
  const searches = Object.entries(SHAPES).flatMap(([shape, q]) =>
    Object.entries(READERS).map(([reader, name]) => [
      search(shape, reader),
      { target: `/v1/search?q=${q}`, status: 200, authorization: name && basic(name, "correct horse") },
    ]),
  );
  const asked = { ...cases, ...Object.fromEntries(searches) };
  const results = {};
  for (const size of sizes.length ? sizes : SIZES) {
    const home = path.join(folder, String(size));
    const server = await serve("hublet", home, first);
    await server.stop();
    const bytes = [files.db, files.search].map((file) => path.join(server.home, file));
    await step(`${size} repositories`, async () => void fill(...bytes, size), { always: true });
    const again = await server.again();
    const instrumented = await serve("instrumented", home, server);
    results[size] = { bytes: bytes.map((file) => statSync(file).size), p50: {}, rows: {} };
    for (const [name, request] of Object.entries(asked)) {
      const one = async () =>
        fetch(again.url + request.target, {
          method: request.method,
          body: request.body,
          headers: request.authorization ? { authorization: request.authorization } : {},
        });
      const answer = await one();
      await answer.text();
      if (answer.status !== request.status) throw new Error(`${name}: ${answer.status}\n${again.said()}`);
      const runs = [];
      for (let turn = 0; turn < TURNS; turn += 1) runs.push(await load(again, request, 1, 1));
      // What else the machine does makes a turn longer, never shorter.
      results[size].p50[name] = Math.min(...runs.map(({ p50 }) => p50));
      await counted(instrumented, request); // so that the password is remembered
      results[size].rows[name] = (await counted(instrumented, request)).rows;
    }
    console.error(size, JSON.stringify(results[size]));
    await again.stop();
    await instrumented.stop();
  }
  const columns = Object.keys(results);
  const [least, most] = [columns[0], columns.at(-1)];
  const times = (name) => columns.map((size) => results[size].p50[name].toFixed(2));
  const rows = (name) => columns.map((size) => results[size].rows[name]).join(", ");
  const grown = (name) => results[most].p50[name] / results[least].p50[name];
  const verdict = (name) => (grown(name) <= MOST ? "met" : "missed");
  print(
    ["request", ...columns.map((size) => `p50 ms, ${size}`), "×", "at most", "rows read"],
    Object.keys(cases).map((name) => [
      `\`${name}\``,
      ...times(name),
      grown(name).toFixed(2),
      `${MOST}: ${verdict(name)}`,
      rows(name),
    ]),
  );
  const readers = Object.keys(READERS);
  print(
    [`search, p50 ms at ${columns.join(", ")} (at most ${MOST} ×)`, ...readers, "rows read by an anonymous one"],
    Object.entries(SHAPES).map(([shape, q]) => [
      `${shape}${q && ` (\`${q.replace("+", " ")}\`)`}`,
      ...readers.map((reader) => {
        const name = search(shape, reader);
        return `${times(name).join(", ")}: ${grown(name).toFixed(2)} ×, ${verdict(name)}`;
      }),
      rows(search(shape, "anonymous")),
    ]),
  );
  print(
    ["repositories", "DB MB", "SEARCH MB"],
    columns.map((size) => [size, ...results[size].bytes.map((bytes) => (bytes / 1e6).toFixed(1))]),
  );
  return { results };
}

function fill(db, search, size) {
  const database = new DatabaseSync(db);
  database.exec(
    "pragma synchronous = off; pragma cache_size = -400000; create temp table words (id integer primary key, word text)",
  );
  for (const [at, word] of WORDS.entries()) database.prepare("insert into words values (?, ?)").run(at + 1, word);
  database.exec("begin");
  for (const [tenths, insert] of truth) {
    const values = [(size * tenths) / 10, ...(insert.includes("?2") ? [size / 10] : [])];
    database.prepare(`${NUMBERS} ${insert}`).run(...values);
  }
  database.exec("update users set administrator = 1 where name = 'boss'");
  database
    .prepare(
      `${NUMBERS} insert into repositories (id, namespace_id, name, full_name, private, description, created_at, updated_at, pushed_at)
        select 100000000 + n, 1001, name, 'u0000001/' || name, 1, description, n, n, ${pushed}
        from (select n, 'own-' || ${name} name, ${description} description from numbers)`,
    )
    .run(Math.max(...Object.values(OWN)));
  for (const [name, many] of Object.entries(OWN))
    database
      .prepare(
        `insert into collaborators (repository_id, user_id, role)
          select r.id, u.id, 'read' from repositories r join users u on u.name = ? where r.id > 100000000 and r.id <= 100000000 + ?`,
      )
      .run(name, many);
  database.exec("commit; pragma wal_checkpoint(truncate)");
  database.exec(`attach '${search}' as search; pragma search.synchronous = off; begin`);
  // As the index itself writes it; triggers fill the full text.
  database.exec(`insert or ignore into search.documents (id, revision, name, last, words, description, visibility, star_count, pushed_at, folded)
    select id, revision, full_name, name, ' ' || replace(replace(full_name, '/', ' '), '-', ' ') || ' ', description,
      iif(private, 'prv', 'pub'), star_count, pushed_at, ${folded} from repositories where id > 1000; commit; pragma search.wal_checkpoint(truncate)`);
  database.close();
}
