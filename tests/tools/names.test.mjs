// The registries that the tools read in SERVICES, and names that people could take for each other.

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setUpOperator } from "../../tools/lib/operator.mjs";
import { service } from "../../tools/lib/services.mjs";
import { migrate, migrations, openLocal } from "../../tools/lib/sqlite.mjs";
import { root, run } from "../../tools/lib/steps.mjs";

before(setUpOperator);

test("a service is what the index takes for one", () => {
  const { services, "no services": odd } = JSON.parse(fs.readFileSync(path.join(root, "tests/services.json"), "utf8"));
  for (const [text, { name, host, trust }] of Object.entries(services)) {
    const read = service(text);
    assert.deepEqual([read.name, read.host ?? null, read.trust], [name, host, trust], text);
  }
  for (const text of odd) assert.throws(() => service(text), /is not NAME/, text);
});

test("who gets a name that people could take for another is told of that one", async () => {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "hublet-names-"));
  after(() => fs.rmSync(scratch, { recursive: true, force: true }));
  migrate(openLocal(scratch, "DB", { make: true }), "DB", migrations("DB"));
  const admin = async (...words) => {
    let said = "";
    await run("node", [path.join(root, "tools/admin.mjs"), "--persist-to", scratch, ...words], {
      heard: (text) => (said += text),
    }).catch(({ message }) => (said += message));
    return said;
  };

  assert.doesNotMatch(await admin("add", "jane.doe"), /already|near/);
  assert.match(await admin("add-machine", "jane-doe"), /there is jane\.doe already/);
  assert.match(await admin("namespace", "janedoe"), /there is jane-doe, jane\.doe already/);
  assert.match(
    await admin("add", "jane..doe"),
    /NAME cannot be "jane\.\.doe": a user's name has 2 to 64 of a-z and 0-9, .* failed/s,
  );
  assert.match(await admin("add", "docker"), /docker is reserved.* failed/s);
});
