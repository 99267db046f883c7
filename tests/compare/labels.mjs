// Replaces values that every run makes anew (ids, secrets, signatures) by the order of their appearance, so that the texts of
// two builds can be compared.

/**
 * The kinds of such values, by their form. Whether such a value is right (a signature, say) is not compared, nor a constant
 * of the same form; the pages and the other tests do that. The form itself, where it stands and where it comes again are.
 * Times are compared as they are, since the clock is the same for both.
 */
const KINDS = [
  ["jwt", /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/],
  ["token", /hl[pr]_\w+/],
  ["uuid", /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/],
  ["hash", /\$argon2id\$[^"\s]+/],
  ["bytes", /\[\d{1,3}(?:,\d{1,3}){15,}\]/],
  ["hex", /(?<![\w-])[0-9a-f]{16,}(?![\w-])/],
  ["secret", /(?<![\w./:-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}(?![\w./:-])/],
];
const ANY = new RegExp(KINDS.map(([kind, { source }]) => `(?<${kind}>${source})`).join("|"), "g");
const BASIC = /(Basic\s+)([A-Za-z0-9+/=]+)/gi;

const kindOf = (groups) => KINDS.find(([kind]) => groups[kind] !== undefined)[0];

/** The labels of the values of one build. */
export class Labels {
  #labels = new Map(); // of a value
  #values = new Map(); // of a label
  #counts = {};

  #give(kind, value) {
    const number = (this.#counts[kind] ?? 0) + 1;
    this.#counts[kind] = number;
    const label = `<${kind} ${number}>`;
    this.#labels.set(value, label);
    this.#values.set(label, value);
    // The claims of a token are compared, once; its signature is not.
    return kind === "jwt" ? `${label}${this.label(claims(value))}` : label;
  }

  /** Replaces the values in a text by labels. */
  label(text) {
    return text.replace(ANY, (value, ...rest) => this.#labels.get(value) ?? this.#give(kindOf(rest.at(-1)), value));
  }

  /** Lines of JSON, sorted without regard to values that have no label yet: an order by those is random. */
  lines(rows) {
    const masked = (line) =>
      line.replace(ANY, (value, ...rest) => this.#labels.get(value) ?? `<${kindOf(rest.at(-1))}>`);
    const lines = rows.map((row) => JSON.stringify(row)).map((line) => [masked(line), line]);
    return lines.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, line]) => line);
  }

  /** The text of a dump. */
  sorted(state) {
    const tables = Object.entries(state).flatMap(([binding, all]) =>
      Object.entries(all).map(([name, rows]) => [binding, name, rows]),
    );
    return tables
      .flatMap(([binding, name, rows]) => this.lines(rows).map((line) => `${binding}.${name} ${line}`))
      .join("\n");
  }

  /** Replaces the values of this build in a request by those of the other build that have the same labels. */
  translate(text, other) {
    const inside = (text) =>
      text.replace(ANY, (value) => {
        const label = this.#labels.get(value);
        if (!label) {
          // The request brings it: both builds get the same value, which is compared as it is from here on.
          for (const side of [this, other]) side.#labels.set(value, value);
          return value;
        }
        return other.#values.get(label) ?? value;
      });
    const encoded = text.replace(BASIC, (all, scheme, code) => {
      const decoded = Buffer.from(code, "base64");
      const translated = inside(decoded.toString("latin1"));
      return translated === decoded.toString("latin1")
        ? all
        : scheme + Buffer.from(translated, "latin1").toString("base64");
    });
    return encoded === text ? inside(text) : encoded;
  }
}

/** The header and the claims of a token. */
function claims(jwt) {
  const parts = jwt
    .split(".")
    .slice(0, 2)
    .map((part) => Buffer.from(part, "base64url").toString());
  return `{${parts.join(" ")}}`;
}
