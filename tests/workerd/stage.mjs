// The harness with other parts: the build of one folder, and the migrations of one.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../tools/lib/steps.mjs";

/** Copies the harness of tests/workerd, with the build and the migrations of these folders; returns its configuration. */
export function stage(build, migrations, name) {
  const folder = path.join(root, "target", name);
  mkdirSync(folder, { recursive: true });
  const here = path.join(root, "tests/workerd");
  const copy = (file, from, to) => {
    const text = readFileSync(path.join(here, file), "utf8");
    if (!text.includes(from)) throw new Error(`${file} does not say ${from}`);
    writeFileSync(path.join(folder, file), text.replaceAll(from, to));
  };
  copy("entry.mjs", "../../build/index.js", path.relative(folder, path.join(build, "build/index.js")));
  copy(
    "wrangler.toml",
    "../../src/store/migrations",
    path.relative(folder, path.join(migrations, "src/store/migrations")),
  );
  for (const file of ["dump.mjs", "program.mjs"]) copyFileSync(path.join(here, file), path.join(folder, file));
  return path.join(folder, "wrangler.toml");
}
