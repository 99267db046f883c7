// Requests that nobody should send, made from the description of what is served and a seed.

/** Numbers that follow from a seed (mulberry32). */
export function randomness(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound) => Math.floor(next() * bound);
  return { below, pick: (list) => list[below(list.length)], chance: (share) => next() < share };
}

const bytes = (...parts) => Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
const invalid = Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]);

const words = [
  "",
  ".",
  "..",
  "...",
  "-",
  "_",
  "a",
  "A",
  "0",
  "null",
  "true",
  "undefined",
  "NaN",
  "library",
  "admin",
  "root",
  "redis",
  "%",
  "%00",
  "%2e%2e",
  "%2F",
  "%252F",
  "%ff%fe",
  "%zz",
  "%C0%AE",
  "%E2%80%AE",
  "a..b",
  "a//b",
  "a b",
  "a+b",
  "a%20b",
  "a;b",
  "a?b",
  "a#b",
  "a\\b",
  "a:b",
  "a@b",
  "*",
  "**",
  "'",
  '"',
  "`",
  "' or '1'='1",
  '"; drop table users; --',
  "<script>",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what others might fill in
  "${x}",
  "{{7*7}}",
  "{|}",
  "é",
  "数据",
  "\u202e",
  "a\u0301",
  "😀",
  "images",
  "auth",
  "layer",
  "tags",
  "star",
  "__proto__",
  "constructor",
  "x".repeat(255),
  "x".repeat(300),
  "x/".repeat(60),
  "../".repeat(20),
  "f".repeat(64),
  "F".repeat(64),
  "00000000-0000-4000-8000-000000000000",
  "-1",
  "1e309",
  "9".repeat(400),
  "18446744073709551616",
  "9223372036854775807",
  "-9223372036854775808",
  "0x10",
  "1.5",
  "٣",
];
const methods = ["GET", "GET", "GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"];
const oddMethods = ["TRACE", "PURGE", "PROPFIND", "REPORT", "LOCK", "SEARCH", "MKCOL", "SUBSCRIBE"];
const brokenMethods = ["get", "FOO", "G\u00c9T", "CONNECT", ""];
const types = [
  "application/json",
  "application/json",
  "application/json; charset=utf-8",
  "APPLICATION/JSON",
  "text/plain",
  "",
  "application/x-www-form-urlencoded",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/cloudevents+json",
  "application/json; charset=utf-16",
  "*/*",
  "json",
];

/** JSON texts that are right, nearly right, or too much. */
function json(random, examples) {
  const example = random.pick(examples);
  const text = JSON.stringify(example);
  const deep = random.pick([100, 127, 128, 1_000, 20_000]);
  const cut = random.below(text.length + 1);
  const member = random.pick(Object.keys(example ?? {})) ?? "username";
  return random.pick([
    () => text,
    () => text.slice(0, cut),
    () => bytes(text.slice(0, cut), invalid, text.slice(cut)),
    () => bytes(text.slice(0, cut), "\0", text.slice(cut)),
    () => `\ufeff${text}`,
    () => text + text,
    () => `[${text}]`,
    () => "[".repeat(deep) + "]".repeat(deep),
    () => "[".repeat(deep),
    () => `${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`,
    () => `[${'{"id":"'}${"a".repeat(64)}"},1e${deep}]`,
    () =>
      JSON.stringify({
        ...example,
        [member]: random.pick([null, true, 0, -1, [], {}, [[]], "", random.pick(words), "\0", "a\u0000b"]),
      }),
    () =>
      `{"${member}":${random.pick(["1e400", "-1e400", "9".repeat(2_000), "0.".padEnd(2_000, "1"), "01", "+1", ".5", "NaN", "Infinity"])}}`,
    () => `{"${member}":"${random.pick(["\\ud800", "\\udc00\\ud800", "\\u0000", "\\x00", "\\", "\t", "\u2028"])}"}`,
    () => `{"${member}":"a","${member}":"b","${member}":{"${member}":"c"}}`,
    () => JSON.stringify({ ...example, ...Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`m${at}`, at])) }),
    () =>
      JSON.stringify(
        Array.from({ length: random.below(400) }, () => ({ id: random.pick(words), checksum: random.pick(words) })),
      ),
    () =>
      random.pick([
        "",
        " ",
        "null",
        "true",
        "0",
        '""',
        "{}",
        "[]",
        "{",
        "[",
        '"',
        "}",
        "nul",
        "{,}",
        "[,]",
        '{"a"}',
        "'a'",
      ]),
  ])();
}

function form(random, names) {
  const pair = () =>
    `${random.pick([...names, ...words])}=${random.pick([...words, encodeURIComponent(random.pick(words))])}`;
  return Array.from({ length: random.below(12) }, pair).join(random.pick(["&", "&", ";", "&&"]));
}

/** `item(0)`, `item(1)`, … as far as they fit, well-formed, and as long as `length` says. */
function filled(length, [head, tail], between, item, padding) {
  const items = [];
  let left = length - head.length - tail.length;
  for (let at = 0, next = item(0); next.length <= left; at += 1, next = between + item(at)) {
    items.push(next);
    left -= next.length;
  }
  return head + items.join("") + tail + padding.repeat(left);
}

const MIB = 1 << 20;
const image = (at) => `{"id":"${at.toString(16).padStart(64, "0")}"}`;
const pushed = (at) =>
  `{"id":"many-${at}","action":"push","target":{"repository":"nobody/r${at % 50}","digest":"sha256:${"a".repeat(64)}","mediaType":"m"}}`;

/** Well-formed bodies of a million bytes: what they are, where they belong, and whose credentials go with them there. */
const LARGE = [
  [
    "application/x-www-form-urlencoded",
    ["POST /token"],
    "basic",
    (_, length) =>
      filled(
        length,
        ["grant_type=password&service=registry&client_id=x&scope=", ""],
        "+",
        (at) => `repository:paul/a${at}:pull`,
        "+",
      ),
  ],
  [
    "application/x-www-form-urlencoded",
    ["POST /token"],
    "basic",
    (_, length) =>
      filled(
        length,
        ["grant_type=password&service=registry&client_id=x&", ""],
        "&",
        (at) => `scope=repository:paul/a${at}:pull`,
        "&",
      ),
  ],
  [
    "application/x-www-form-urlencoded",
    ["POST /token", "POST /account/password", "POST /account/confirm"],
    "basic",
    (random, length) =>
      filled(
        length,
        ["service=registry&", ""],
        "&",
        random.pick([(at) => `f${at}=${at}`, () => "a=%41", () => "a"]),
        "&",
      ),
  ],
  // More images than a repository holds: its owner changes nothing by them.
  [
    "application/json",
    ["PUT /v1/repositories/paul/app/", "PUT /v1/repositories/paul/app/images"],
    "basic",
    (random, length) => filled(length, ["[", "]"], ",", random.pick([image, () => "{}"]), " "),
  ],
  [
    "application/json",
    [
      "POST /v2/users/login",
      "POST /v1/users/",
      "PUT /v1/users/guest/",
      "POST /v2/access-tokens",
      "POST /v2/namespaces/paul/repositories",
    ],
    "session",
    (random, length) =>
      filled(
        length,
        ["{", "}"],
        ",",
        random.pick([(at) => `"m${at}":${at}`, () => '"username":""', (at) => `"m${at}":{"a":[]}`]),
        " ",
      ),
  ],
  [
    "application/json",
    ["POST /events"],
    "registry",
    (random, length) =>
      filled(length, ['{"events":[', "]}"], ",", random.pick([() => "{}", () => '{"action":"mount"}', pushed]), " "),
  ],
];

/** Everything that the description names, taken apart for the generator. */
function read(description) {
  const operations = Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== "parameters")
      .map(([method, operation]) => {
        const content = operation.requestBody?.content ?? {};
        const examples = Object.values(content)
          .map(({ example }) => example)
          .filter((example) => example !== undefined);
        const fields = Object.values(content).flatMap(({ schema }) => Object.keys(schema.properties ?? {}));
        return {
          path,
          method: method.toUpperCase(),
          names: (operation.parameters ?? []).map(({ name }) => name),
          examples,
          fields,
        };
      }),
  );
  const all = (of) => [...new Set(operations.flatMap(of))];
  return {
    operations,
    names: all(({ names }) => names),
    examples: all(({ examples }) => examples),
    fields: all(({ fields }) => fields),
  };
}

/**
 * A maker of requests. `names` are repositories and users that exist; `reading` are headers of people who may change
 * things, for methods that change nothing; `harmless` of those who may not, and of nobody, for all; `owner` are those that
 * open what is asked with a large body.
 */
export function maker(description, random, { names, reading, harmless, owner }) {
  const served = read(description);
  const word = () => (random.chance(0.5) ? random.pick(names) : random.pick(words));

  function target(path) {
    let made = path.replace(/\{\w+\}/g, () =>
      random.chance(0.6) ? random.pick(names) : encodeURI(word()).replace(/[?#]/g, ""),
    );
    if (random.chance(0.05)) made = path.replace(/\{\w+\}/g, word);
    if (random.chance(0.1)) made += random.pick(["/", "//", "/.", "/..", "%00", "/extra", ";x=y", "/%2e%2e/users"]);
    if (random.chance(0.02))
      made = random.pick([
        "/",
        "//",
        "/v1",
        "/v2",
        "/v1//users/",
        "/../v1/users/",
        "/%76%31/users/",
        "/V1/users/",
        "/favicon.ico",
      ]);
    if (random.chance(0.4)) {
      const pair = () => {
        const name = random.pick(random.chance(0.8) ? served.names : words);
        return `${name}${random.pick(["=", "=", "=", "", "[]=", "[$ne]="])}${random.pick(words)}`;
      };
      const pairs = Array.from({ length: random.pick([1, 1, 2, 3, 10, 60]) }, pair);
      if (random.chance(0.3)) pairs.push(pairs[0], pairs[0]);
      made += `?${pairs.join("&")}`;
    }
    return made;
  }

  function headers(method) {
    const lines = [];
    const add = (name, value) => lines.push(bytes(`${name}: `, value, "\r\n"));
    const safe = ["GET", "HEAD", "OPTIONS"].includes(method);
    const credentials = () => (safe && random.chance(0.5) ? random.pick(reading) : random.pick(harmless));
    if (random.chance(0.7)) {
      const header = credentials();
      if (header)
        add(
          "Authorization",
          random.chance(0.8)
            ? header
            : random.pick([
                header.toUpperCase(),
                header.slice(0, random.below(header.length)),
                `${header}, ${header}`,
                header.replace(" ", "  "),
                header.replace(" ", "\t"),
                `${header}${random.pick(words).replace(/[^\x20-\x7e]/g, "")}`,
                bytes(header, invalid),
                `Digest ${header}`,
              ]),
        );
      if (header && random.chance(0.03)) add("Authorization", credentials() || "Basic Og==");
    }
    if (random.chance(0.2))
      add("X-Docker-Token", random.pick(["true", "", "false", 'signature=1,repository="a/b",access=write']));
    if (random.chance(0.1))
      add(
        "CF-Connecting-IP",
        random.pick([
          "203.0.113.9",
          "::1",
          "2001:db8::1",
          "::ffff:10.0.0.1",
          "nonsense",
          "1.2.3.4, 5.6.7.8",
          "999.1.1.1",
          "",
        ]),
      );
    if (random.chance(0.1))
      add(
        "User-Agent",
        random.pick([
          "docker/1.12.6 go/go1.6.4",
          "docker/99999999999999.1",
          "docker/",
          "docker/1.",
          "docker/-1.2",
          "x".repeat(5_000),
          "",
        ]),
      );
    if (random.chance(0.1))
      add(
        random.pick([
          "Accept",
          "Accept-Encoding",
          "Range",
          "If-None-Match",
          "Origin",
          "Cookie",
          "X-Forwarded-Proto",
          "X-Forwarded-Host",
          "X-HTTP-Method-Override",
          "X-Request-Id",
          "Ce-Id",
          "Ce-Type",
          "Ce-Time",
          "Upgrade-Insecure-Requests",
        ]),
        random.pick(words).replace(/[\r\n\0]/g, ""),
      );
    if (random.chance(0.01))
      for (let at = 0; at < random.pick([100, 400]); at += 1) add(`X-Flood-${at}`, "y".repeat(20));
    if (random.chance(0.01)) add("X-Long", "z".repeat(random.pick([4_000, 16_000])));
    return lines;
  }

  function body(operation, length) {
    if (random.chance(0.001)) return Buffer.alloc(length, random.pick([" ", "[", "x"]));
    if (random.chance(0.005)) return Buffer.from(random.pick(LARGE).at(-1)(random, length));
    const own = operation.examples.length && random.chance(0.7) ? operation.examples : served.examples;
    const fields = [...operation.fields, ...served.fields];
    return bytes(random.chance(0.75) ? json(random, own) : form(random, fields));
  }

  /** A large body where it is read. */
  function large() {
    const [type, places, credentials, body] = random.pick(LARGE);
    const asked = random.pick(places);
    const [method, path] = asked.split(" ");
    const content = body(random, random.pick([MIB - random.below(1_000), MIB, MIB + 1, 1_999_999, 2_000_001]));
    const chunked = random.chance(0.15);
    const lines = [
      `Authorization: ${owner[credentials]}`,
      `Content-Type: ${type}`,
      chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${content.length}`,
    ];
    const start = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("\r\n")}\r\n\r\n`;
    return {
      method,
      broken: false,
      text: asked,
      bytes: bytes(start, ...(chunked ? chunks(random, Buffer.from(content)) : [content])),
    };
  }

  /** One request: its bytes, its method, and whether it is no HTTP at all. */
  return function make() {
    if (random.chance(0.01)) return large();
    const operation = random.pick(served.operations);
    let method = random.chance(0.7) ? operation.method : random.pick(methods);
    if (random.chance(0.03)) method = random.pick(oddMethods);
    let broken = random.chance(0.005);
    const lines = headers(method);
    const path = target(operation.path);
    const host = random.pick(["127.0.0.1", "127.0.0.1", "127.0.0.1:1", "localhost", "[::1]:8787"]);
    const sends = !["GET", "HEAD", "OPTIONS", "TRACE"].includes(method) || random.chance(0.02);
    const content = sends ? body(operation, random.pick([MIB, MIB + 1, 2_000_001])) : Buffer.alloc(0);
    const chunked = sends && random.chance(0.15);
    if (sends && random.chance(0.85)) lines.push(bytes("Content-Type: ", random.pick(types), "\r\n"));
    if (sends) lines.push(bytes(chunked ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${content.length}\r\n`));
    if (broken) {
      random.pick([
        () => {
          method = random.pick(brokenMethods);
        },
        () => lines.push(bytes("Content-Length: 5\r\nContent-Length: 6\r\n")),
        () => lines.push(bytes("Content-Length: -1\r\n")),
        () => lines.push(bytes("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")),
        () => lines.push(bytes("Transfer-Encoding: gzip, identity\r\n")),
        () => lines.push(bytes("X-Nul: a\0b\r\n")),
        () => lines.push(bytes("No colon\r\n")),
        () => lines.push(bytes(" folded: x\r\n y\r\n")),
        () => lines.push(bytes("X-Huge: ", "h".repeat(200_000), "\r\n")),
        () => lines.push(bytes("Host: another.example.com\r\n")),
      ])();
    }
    // The platform itself refuses a target with letters that a URI has not.
    const bare = random.chance(0.005);
    if (bare) broken = true;
    const asked = bare ? path.replace(/[\s\0]/g, "") : path.replace(/[^\x21-\x7e]|["<>\\^`{|}]/gu, encodeURIComponent);
    const start = bytes(method, " ", asked.startsWith("/") ? asked : `/${asked}`, " HTTP/1.1\r\nHost: ", host, "\r\n");
    const parts = chunked ? chunks(random, content) : [content];
    return { method, broken, text: `${method} ${asked}`, bytes: bytes(start, ...lines, "\r\n", ...parts) };
  };
}

function chunks(random, content) {
  const parts = [];
  for (let at = 0; at < content.length; ) {
    const size = Math.min(content.length - at, 1 + random.below(content.length));
    parts.push(`${size.toString(16)}\r\n`, content.subarray(at, at + size), "\r\n");
    at += size;
  }
  return [...parts, "0\r\n\r\n"];
}
