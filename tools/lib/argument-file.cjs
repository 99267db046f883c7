// Node reads this before wrangler (`--require`), and wrangler finds in its arguments what a file has: everybody on a machine
// can read the words of a command line. The last process of wrangler's is the one that parses them.

const { readFileSync } = require("node:fs");

if (/wrangler-dist[\\/]cli\.js$/.test(process.argv[1] ?? "")) {
  process.argv = process.argv.map((word) => (word.startsWith("@/") ? readFileSync(word.slice(1), "utf8") : word));
}
