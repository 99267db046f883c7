// What the databases hold, compared: the truth, and whether search was told it.

/** Written after the answer, where it may be lost: nobody is promised it. */
const NOTED = ["used_at", "seen_at"];

/** Rows that are written there: how a login went, with what kind of client, and how many were mailed about it. */
const AFTERWARDS = {
  audit: ({ action }) => ["user.login", "user.login.refuse"].includes(action),
  clients: () => true,
  refusals: () => true,
  failures: ({ name }) => name === "@notices",
};

/** What is to be told to search, what came when, and the ids that were given: not a part of the truth. */
const BESIDE = ["outbox", "progress", "sqlite_sequence"];

/** What any second request of the same kind moves on, and what one does that was given up and comes late. */
export const AGAIN = ["revision", "updated_at"];
export const LATE = [...AGAIN, "epoch", "count"];

/**
 * What differs between two runs of the same request, such as times and random values: columns that are no longer
 * compared by their values, but by whether they are what they were.
 */
export class Truth {
  #known = new Map();
  #vary = new Set();

  constructor(before) {
    for (const [name, rows] of Object.entries(before.DB)) {
      for (const row of rows) for (const [column, value] of Object.entries(row)) this.#at(name, column).add(value);
    }
  }

  #at(table, column) {
    const key = `${table}.${column}`;
    if (!this.#known.has(key)) this.#known.set(key, new Set());
    return this.#known.get(key);
  }

  /** Learns from two dumps that should be the same which columns vary. */
  learn(one, other) {
    for (const [name, rows] of Object.entries(one.DB)) {
      const [mine, theirs] = [rows, other.DB[name]].map(
        (rows) =>
          new Map(Object.keys(rows[0] ?? {}).map((column) => [column, new Set(rows.map((row) => row[column]))])),
      );
      for (const [column, values] of mine) {
        const others = theirs.get(column) ?? new Set();
        if (values.size !== others.size || [...values].some((value) => !others.has(value)))
          this.#vary.add(`${name}.${column}`);
      }
    }
  }

  /** The truth of a dump as text that is equal for equal truths. `less` names columns that do not count, nor does the audit then. */
  of({ DB }, less) {
    const one = ([name, rows]) => {
      const told = rows
        .filter((row) => !AFTERWARDS[name]?.(row))
        .map((row) =>
          JSON.stringify(Object.entries(row).flatMap(([column, value]) => this.#told(name, column, value, less))),
        );
      return `${name}\n${told.sort().join("\n")}`;
    };
    const left = [...BESIDE, ...(less ? ["audit"] : [])];
    return Object.entries(DB)
      .filter(([name]) => !left.includes(name))
      .map(one)
      .join("\n");
  }

  #told(table, column, value, less) {
    if (NOTED.includes(column) || less?.includes(column)) return [];
    const varies = this.#vary.has(`${table}.${column}`) && value !== null && !this.#at(table, column).has(value);
    return [[column, varies ? "new" : value]];
  }
}

/** What search should hold of each repository. */
function wanted({ repositories }) {
  const listed = repositories.filter(
    ({ pushed_at: pushed, deleted_at: deleted }) => pushed !== null && deleted === null,
  );
  return new Map(
    listed.map((row) => [row.id, document(row, row.full_name.replace(/^library\//, ""), row.private ? "prv" : "pub")]),
  );
}

const document = ({ id, revision, description, star_count: stars, pushed_at: pushed }, name, visibility) =>
  JSON.stringify({ id, revision, name, description, visibility, stars, pushed });

/** The repositories of which search holds something else than the truth, each as long as nothing is on its way. */
export function untold({ DB, SEARCH }, { patient }) {
  const should = wanted(DB);
  const does = new Map(SEARCH.documents.map((row) => [row.id, document(row, row.name, row.visibility)]));
  const onTheWay = new Set(patient ? DB.outbox.map((row) => row.repository_id) : []);
  // Hidden ahead of the truth: told again when it has not come true in a minute.
  if (patient) for (const { id, hidden_at: hidden } of SEARCH.documents) if (hidden !== null) onTheWay.add(id);
  const ids = [...new Set([...should.keys(), ...does.keys()])];
  return ids.filter((id) => should.get(id) !== does.get(id) && !onTheWay.has(id));
}

/** The first lines in which two texts differ. */
export function difference(one, other) {
  const [mine, theirs] = [one, other].map((text) => text.split("\n"));
  const only = (lines, others) => lines.filter((line) => !others.includes(line)).slice(0, 4);
  return `\n- ${only(theirs, mine).join("\n- ")}\n+ ${only(mine, theirs).join("\n+ ")}`;
}
