// Makes the package: the built worker, the operator's tools, and nothing that has to be compiled.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { setUpOperator } from "./lib/operator.mjs";
import { setUp } from "./lib/setup.mjs";
import { main, root, run, step } from "./lib/steps.mjs";

/** What an operator has no use for: it compiles, or it is about the code. */
const left =
  /^tools\/(bind|pack|test|e2e|bench|compare|fuzz|pictures)\b|^tools\/lib\/(node-tests|trees|hub-clients|schemathesis|dependencies|release)\b/;

const parts = [
  "build/index.js",
  "build/index_bg.wasm",
  "operator/pkg",
  "src/store/migrations",
  "tools",
  "docs",
  ".dev.vars.example",
  "wrangler.toml",
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
];

/** The file that an operator begins from: without what is the package's to say. */
function template(text) {
  const lines = /^(main|compatibility_date|compatibility_flags|migrations_dir) = .*\n/gm;
  const tables = /(^# .*\n)?^\[(build|triggers)\]\n(?:.+\n)*\n?/gm;
  return text.replace(lines, "").replace(tables, "");
}

async function pack() {
  const { name, version, description, license, type, engines, dependencies, optionalDependencies } = JSON.parse(
    readFileSync(path.join(root, "package.json"), "utf8"),
  );
  const folder = path.join(root, "target/package");
  const at = (name) => path.join(folder, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const part of parts) {
    const wanted = (source) => !left.test(path.relative(root, source));
    cpSync(path.join(root, part), at(part), { recursive: true, filter: wanted });
  }
  writeFileSync(at("wrangler.template.toml"), template(readFileSync(path.join(root, "wrangler.toml"), "utf8")));
  // esbuild and binaryen build the worker, and it is built.
  const { esbuild: _, binaryen: __, ...needed } = dependencies;
  const bin = { [name]: "tools/hublet.mjs" };
  const described = {
    name,
    version,
    description,
    license,
    type,
    bin,
    engines,
    dependencies: needed,
    optionalDependencies,
  };
  writeFileSync(at("package.json"), `${JSON.stringify(described, undefined, 2)}\n`);
  await run("npm", ["pack", folder, "--pack-destination", root, "--loglevel=error"]);
  return `${name}-${version}.tgz`;
}

await main(async () => {
  await setUp();
  await setUpOperator();
  await step("worker", build);
  console.log(await step("package", pack));
});
