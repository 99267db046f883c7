// How an answer's time grows with the number of repositories: databases that are filled by SQL, and always the same.

import { statSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { step } from "../../tools/lib/steps.mjs";
import { load, together } from "./load.mjs";
import { scratch, serve } from "./servers.mjs";
import { counted, databases, people } from "./fixture.mjs";

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
const description = [3, 4, 5, 6, 7].map(word).join(" || ' ' || ");
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
    select 1000 + n, 1000 + owner, name, 'u' || printf('%07d', owner) || '/' || name, n % 5 = 0, description, n, n, n, n % 17
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

export async function measure({ sizes, print }) {
  const folder = scratch();
  const files = await databases(folder);
  const first = await serve("hublet", folder);
  const cases = await people(first);
  await first.stop();
  const searches = Object.fromEntries(
    ["quagga", "basalt", "redis", "the", "re", "u00", ""].map((q) => [
      `search ${q || "(nothing)"}`,
      { target: `/v1/search?q=${q}`, status: 200 },
    ]),
  );
  const asked = { ...cases, ...searches };
  delete asked.search;
  delete asked.push;
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
      for (let turn = 0; turn < 3; turn += 1) runs.push(await load(again, request, 1, 1));
      results[size].p50[name] = together(runs).p50;
      results[size].rows[name] = (await counted(instrumented, request)).rows;
    }
    console.error(size, JSON.stringify(results[size]));
    await again.stop();
    await instrumented.stop();
  }
  const columns = Object.keys(results);
  const last = columns.at(-1);
  print(
    ["request", ...columns.map((size) => `p50 ms, ${size}`), "×", "rows read"],
    Object.keys(asked).map((name) => [
      name,
      ...columns.map((size) => results[size].p50[name].toFixed(2)),
      (results[last].p50[name] / results[columns[0]].p50[name]).toFixed(2),
      columns.map((size) => results[size].rows[name]).join(", "),
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
  database.exec("commit; pragma wal_checkpoint(truncate)");
  database.exec(`attach '${search}' as search; pragma search.synchronous = off; begin`);
  // As the index itself writes it; triggers fill the full text.
  database.exec(`insert or ignore into search.documents (id, revision, name, last, words, description, visibility, star_count, pushed_at, folded)
    select id, revision, full_name, name, ' ' || replace(replace(full_name, '/', ' '), '-', ' ') || ' ', description,
      iif(private, 'prv', 'pub'), star_count, pushed_at, description from repositories where id > 1000; commit; pragma search.wal_checkpoint(truncate)`);
  database.close();
}
