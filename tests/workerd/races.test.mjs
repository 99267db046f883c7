// Thirty-two at once: where one may win, one does, and what was answered is what is stored.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newAuthority, newLeaf } from "../../tools/lib/certificates.mjs";
import { eventSecret } from "../../tools/lib/services.mjs";
import { operate } from "./operator.mjs";
import { event } from "./endpoints.mjs";
import { basic, imageId, join, makeRepository, startWorker } from "./app.mjs";
import { untold } from "./states.mjs";

const AT_ONCE = 32;
const ROUNDS = 3;
const body = (value) => JSON.stringify(value);
const json = { "content-type": "application/json" };

let worker;
let authorization;
let session;
let cases = 0;
before(
  async () => {
    worker = await startWorker();
    authorization = await join(worker, "paul");
    session = await login("paul");
  },
  { timeout: 60_000 },
);
after(() => worker?.stop(), { timeout: 60_000 });

async function login(username, password = "toto42") {
  const opened = await worker.succeed("POST /v2/users/login", { headers: json, body: body({ username, password }) });
  return { ...json, authorization: `Bearer ${opened.json().token}` };
}

/** A race in several rounds, each with another seed of its delays. */
function race(name, run, { rounds = ROUNDS } = {}) {
  test(name, { timeout: 300_000 }, async () => {
    for (let round = 1; round <= rounds; round += 1) {
      cases += 1;
      try {
        await run(round);
      } catch (error) {
        error.message = `round ${round}: ${error.message}`;
        throw error;
      }
    }
  });
}

/** Asks thirty-two times at once, each call of a database after a while of its own: gives what will be answered. */
function begin(round, ask, milliseconds = 40) {
  return Array.from({ length: AT_ONCE }, async (_, number) => {
    const trouble = { settle: false, databases: [{ when: "jitter", milliseconds, seed: round * 1000 + number }] };
    const [request, init] = ask(number);
    return { number, ...(await worker.ask(request, { ...init, trouble })) };
  });
}

const together = (...race) => Promise.all(begin(...race));

/** How often each status was answered: `{200: 1, 404: 31}`. */
function statuses(answers) {
  const counts = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Looks at all of them, as many at once. */
async function each(all, look) {
  const left = [...all];
  const one = async () => {
    while (left.length) await look(left.pop());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

const dump = async () => JSON.parse(await worker.direct("dump"));
const rows = async (table, wanted = () => true) => (await dump()).DB[table].filter(wanted);
const repository = async (name) => (await rows("repositories", (row) => row.full_name === name))[0];
const only = (answers, status) => answers.filter((answer) => answer.status === status);

race(
  "registrations of one name",
  async (round) => {
    const name = `racer${round}`;
    const account = (number) => ({
      username: name,
      password: `secret ${number}`,
      email: `${name}.${number}@example.com`,
    });
    const answers = await together(round, (number) => ["POST /v1/users/", { body: body(account(number)) }], 300);
    assert.deepEqual(statuses(answers), { 201: 1, 400: AT_ONCE - 1 });
    for (const answer of only(answers, 400)) assert.equal(answer.json(), "Username or email already exists");
    const [winner] = only(answers, 201);
    assert.equal((await rows("users", (row) => row.name === name)).length, 1);
    assert.equal((await rows("namespaces", (row) => row.name === name)).length, 1);
    const emails = await rows("emails", ({ key }) => key.startsWith(`${name}.`));
    assert.deepEqual(
      emails.map(({ key }) => key),
      [account(winner.number).email],
    );
    await worker.succeed("GET /v1/users/", { headers: { authorization: basic(name, `secret ${winner.number}`) } });
  },
  { rounds: 2 },
);

race(
  "registrations of one e-mail",
  async (round) => {
    const email = `shared${round}@example.com`;
    const name = (number) => `mail${round}_${number}`;
    const account = (number) => ({ username: name(number), password: "toto42", email });
    const answers = await together(round, (number) => ["POST /v1/users/", { body: body(account(number)) }], 300);
    assert.deepEqual(statuses(answers), { 201: 1, 400: AT_ONCE - 1 });
    const [winner] = only(answers, 201);
    for (const table of ["users", "namespaces"]) {
      const made = await rows(table, (row) => row.name.startsWith(`mail${round}_`));
      assert.deepEqual(
        made.map((row) => row.name),
        [name(winner.number)],
        table,
      );
    }
    assert.equal((await rows("emails", ({ key }) => key === email)).length, 1);
  },
  { rounds: 2 },
);

race("first pushes of one repository", async (round) => {
  const name = `paul/first${round}`;
  const push = (number) => ({
    headers: { authorization },
    body: body([{ id: imageId(1000) }, { id: imageId(number) }]),
  });
  const answers = await together(round, (number) => [`PUT /v1/repositories/${name}/`, push(number)]);
  assert.deepEqual(statuses(answers), { 200: AT_ONCE });
  const made = await rows("repositories", (row) => row.full_name === name);
  assert.equal(made.length, 1);
  const images = await rows("images", (row) => row.repository_id === made[0].id);
  const ids = Array.from({ length: AT_ONCE }, (_, number) => imageId(number));
  assert.deepEqual(images.map(({ id }) => id).sort(), [...ids, imageId(1000)].sort());
  assert.equal(new Set(images.map(({ position }) => position)).size, images.length);
  await each(answers, async (answer) => {
    const headers = { authorization: `Token ${answer.headers.get("x-docker-token")}` };
    await worker.succeed(`GET /v1/repositories/${name}/images`, { headers });
  });
});

race("one repository made by the management API", async (round) => {
  const wanted = (number) => body({ name: `made${round}`, description: `the ${number}th` });
  const answers = await together(round, (number) => [
    "POST /v2/repositories",
    { headers: session, body: wanted(number) },
  ]);
  assert.deepEqual(statuses(answers), { 201: 1, 400: AT_ONCE - 1 });
  assert.equal((await repository(`paul/made${round}`)).description, `the ${only(answers, 201)[0].number}th`);
});

race("one machine", async (round) => {
  const { DB } = await worker.env();
  if (round === 1)
    for (const command of ["namespace acme", "member acme paul admin"]) await operate({ DB }, command, 0);
  const wanted = body({ username: `robot${round}` });
  const answers = await together(round, () => [
    "POST /v2/namespaces/acme/machines",
    { headers: session, body: wanted },
  ]);
  assert.deepEqual(statuses(answers), { 201: 1, 400: AT_ONCE - 1 });
  const [{ id }] = await rows("users", (row) => row.name === `robot${round}`);
  assert.equal((await rows("members", (row) => row.user_id === id)).length, 1);
});

race("merges of one image list", async (round) => {
  const name = `paul/merged${round}`;
  const token = { authorization: `Token ${await makeRepository(worker, authorization, name, [])}` };
  // Every image is named by several, and one of them knows its checksum.
  const list = (number) =>
    Array.from({ length: 8 }, (_, at) => {
      const id = imageId((number * 3 + at) % AT_ONCE);
      return at === 0 ? { id, checksum: `sha256:${id}` } : { id };
    });
  const answers = await together(round, (number) => [
    `PUT /v1/repositories/${name}/images`,
    { headers: token, body: body(list(number)) },
  ]);
  assert.deepEqual(statuses(answers), { 204: AT_ONCE });
  const { id: repositoryId } = await repository(name);
  const images = await rows("images", (row) => row.repository_id === repositoryId);
  assert.equal(images.length, AT_ONCE);
  assert.ok(images.every(({ id, checksum }) => checksum === `sha256:${id}`));
  assert.equal(new Set(images.map(({ position }) => position)).size, images.length);
  const listed = (await worker.succeed(`GET /v1/repositories/${name}/images`)).json();
  const inOrder = images.toSorted((one, other) => one.position - other.position).map(({ id }) => id);
  assert.deepEqual(
    listed.map(({ id }) => id),
    inOrder,
  );
});

race(
  "merges into a list that holds 10,000",
  async (round) => {
    const name = `paul/full${round}`;
    const token = { authorization: `Token ${await makeRepository(worker, authorization, name, [])}` };
    const list = (number) => Array.from({ length: 400 }, (_, at) => ({ id: imageId(number * 400 + at) }));
    const answers = await together(round, (number) => [
      `PUT /v1/repositories/${name}/images`,
      { headers: token, body: body(list(number)) },
    ]);
    assert.deepEqual(statuses(answers), { 204: 25, 400: AT_ONCE - 25 });
    const { id: repositoryId } = await repository(name);
    const stored = new Set((await rows("images", (row) => row.repository_id === repositoryId)).map(({ id }) => id));
    const told = only(answers, 204).flatMap(({ number }) => list(number).map(({ id }) => id));
    assert.deepEqual(stored, new Set(told));
  },
  { rounds: 1 },
);

race("deletes against pushes", async (round) => {
  const name = `paul/contested${round}`;
  const first = `Token ${await makeRepository(worker, authorization, name, [imageId(500)])}`;
  const headers = { authorization };
  const kinds = [
    () => [`DELETE /v1/repositories/${name}/`, { headers }],
    (number) => [`PUT /v1/repositories/${name}/`, { headers, body: body([{ id: imageId(number) }]) }],
    (number) => [`PUT /v1/repositories/${name}/images`, { headers, body: body([{ id: imageId(number) }]) }],
  ];
  const answers = await together(round, (number) => kinds[number % 3](number), 60);
  const of = (kind) => answers.filter(({ number }) => number % 3 === kind);
  const deletes = of(0);
  const pushes = [...of(1), ...of(2)];
  const said = body(statuses(answers));
  // Under whom it was made anew twice, that one is told to come back, and has changed nothing.
  assert.ok(
    deletes.every(({ status }) => [202, 200, 404, 503].includes(status)),
    said,
  );
  assert.ok(
    of(1).every(({ status }) => [200, 404, 503].includes(status)),
    said,
  );
  assert.ok(
    of(2).every(({ status }) => [204, 404, 503].includes(status)),
    said,
  );
  assert.ok(only(answers, 503).length < AT_ONCE / 4, said);
  const [marks, removals] = [only(deletes, 202), only(deletes, 200)];
  assert.ok(marks.length > 0 && (removals.length === 0 || marks.length > 0), said);

  const done = pushes.filter(({ status }) => status < 300).map(({ number }) => imageId(number));
  const row = await repository(name);
  const images = row ? (await rows("images", ({ repository_id: id }) => id === row.id)).map(({ id }) => id) : [];
  for (const id of images)
    assert.ok(id === imageId(500) || done.includes(id), "an image that nobody was told is stored");
  if (!row) assert.ok(removals.length > 0, "it is gone, and nobody was told");
  if (row?.deleted_at) assert.ok(marks.length > 0, "it is marked, and nobody was told");
  // A token that somebody was given opens what it was given for, or nothing.
  const alive = row && !row.deleted_at;
  await each(only(of(1), 200), async (answer) => {
    const token = { authorization: `Token ${answer.headers.get("x-docker-token")}` };
    const { status } = await worker.ask(`GET /v1/repositories/${name}/images`, { headers: token });
    assert.ok((alive ? [200, 401] : [401, 404]).includes(status), `${status}`);
    // It is of the very repository that the image was pushed to.
    if (status === 200) assert.ok(images.includes(imageId(answer.number)), "an image that is said to be there is not");
  });
  assert.ok(
    [200, 401, 404].includes(
      (await worker.ask(`GET /v1/repositories/${name}/images`, { headers: { authorization: first } })).status,
    ),
  );
  // And it goes on as if nothing had been.
  const again = { headers, body: body([{ id: imageId(900) }]) };
  await worker.succeed(`PUT /v1/repositories/${name}/`, again);
  await worker.succeed(`PUT /v1/repositories/${name}/images`, again);
  assert.ok((await worker.succeed(`GET /v1/repositories/${name}/images`)).json().some(({ id }) => id === imageId(900)));
  for (const status of [202, 200, 404])
    assert.equal((await worker.ask(`DELETE /v1/repositories/${name}/`, { headers })).status, status);
});

race("a delete, against merges", async (round) => {
  const name = `paul/closing${round}`;
  const headers = { authorization };
  await makeRepository(worker, authorization, name, [imageId(500)]);
  const { id } = await repository(name);
  const merge = (number) => [`PUT /v1/repositories/${name}/images`, { headers, body: body([{ id: imageId(number) }]) }];
  const begun = begin(round, merge, 60);
  await Promise.any(begun);
  assert.equal((await worker.ask(`DELETE /v1/repositories/${name}/`, { headers })).status, 202);
  const answers = await Promise.all(begun);
  const done = only(answers, 204);
  assert.ok(done.length > 0 && answers.every(({ status }) => [204, 404].includes(status)), body(statuses(answers)));
  const row = await repository(name);
  assert.equal(row.id, id);
  assert.notEqual(row.deleted_at, null);
  const stored = (await rows("images", (image) => image.repository_id === id)).map((image) => image.id);
  assert.deepEqual(stored.sort(), [...done.map(({ number }) => imageId(number)), imageId(500)].sort());
});

race("a push that begins when it is deleted is not lost", async (round) => {
  const name = `paul/phoenix${round}`;
  const headers = { authorization };
  const push = (number) => [`PUT /v1/repositories/${name}/`, { headers, body: body([{ id: imageId(number) }]) }];
  await makeRepository(worker, authorization, name, [imageId(500)]);
  await worker.succeed(`DELETE /v1/repositories/${name}/`, { headers });
  const early = begin(round, (number) =>
    number % 2 ? push(number) : [`DELETE /v1/repositories/${name}/`, { headers }],
  );
  await Promise.all(early.filter((_, number) => number % 2 === 0));
  const late = await together(round + 100, (number) => push(AT_ONCE + number));
  await Promise.all(early);
  assert.deepEqual(statuses(late), { 200: AT_ONCE });
  const { id } = await repository(name);
  const images = (await rows("images", (image) => image.repository_id === id)).map((image) => image.id);
  assert.ok(!images.includes(imageId(500)), "an image of the deleted one is in the new one");
  for (const { number } of late) assert.ok(images.includes(imageId(AT_ONCE + number)), `the ${number}th is lost`);
});

race(
  "uses of one link that sets a password",
  async (round) => {
    const name = `forgetful${round}`;
    await join(worker, name);
    const link = await operate(await worker.env(), `password ${name}`, Math.floor(Date.now() / 1000));
    const secret = new URL(link).hash.slice(1);
    const use = (number) => new URLSearchParams({ secret, password: `password ${number}` }).toString();
    const answers = await together(round, (number) => ["POST /account/password", { body: use(number) }], 300);
    assert.deepEqual(statuses(answers), { 200: 1, 404: AT_ONCE - 1 });
    const [{ number }] = only(answers, 200);
    await worker.succeed("GET /v1/users/", { headers: { authorization: basic(name, `password ${number}`) } });
    assert.deepEqual(
      (await rows("users", (row) => row.name === name)).map(({ epoch }) => epoch),
      [2],
    );
    const [{ id }] = await rows("users", (row) => row.name === name);
    assert.deepEqual(await rows("links", (row) => row.user_id === id), []);
  },
  { rounds: 2 },
);

race(
  "uses of one mailed link that confirms an e-mail",
  async (round) => {
    const name = `newcomer${round}`;
    await worker.set({ MAIL: "on", PUBLIC_URL: "https://hub.example.com" });
    const headers = { authorization: await join(worker, name) };
    const [, secret] = /confirm#(\S+)/.exec(await worker.direct("mail", `${name}@example.com`));
    await worker.set({});
    assert.equal((await worker.ask("GET /v1/users/", { headers })).status, 403);
    const use = { body: new URLSearchParams({ secret }).toString() };
    const answers = await together(round, () => ["POST /account/confirm", use]);
    assert.deepEqual(statuses(answers), { 200: 1, 404: AT_ONCE - 1 });
    await worker.succeed("GET /v1/users/", { headers });
    const [{ id }] = await rows("users", (row) => row.name === name);
    assert.deepEqual(await rows("links", (row) => row.user_id === id), []);
    assert.equal((await rows("audit", (row) => row.action === "user.status.change" && row.name === name)).length, 1);
  },
  { rounds: 2 },
);

race("revocations of one access token, against mints with it", async (round) => {
  const made = (
    await worker.succeed("POST /v2/access-tokens", { headers: session, body: body({ token_label: `race ${round}` }) })
  ).json();
  const mint = { headers: { authorization: basic("paul", made.token) } };
  const ask = (number) =>
    number % 8
      ? ["GET /token?service=registry&scope=repository:paul/app:pull", mint]
      : [`DELETE /v2/access-tokens/${made.uuid}`, { headers: session }];
  const begun = begin(round, ask);
  const revoked = async (end) => assert.equal((await end).status, 204);
  await Promise.any(begun.filter((_, number) => number % 8 === 0).map(revoked));
  const late = await together(round + 100, () => ask(1));
  assert.deepEqual(statuses(late), { 401: AT_ONCE });
  const answers = await Promise.all(begun);
  const [mints, ends] = [answers.filter(({ number }) => number % 8), answers.filter(({ number }) => number % 8 === 0)];
  assert.deepEqual(statuses(ends), { 204: 1, 404: ends.length - 1 });
  assert.ok(
    mints.every(({ status }) => [200, 401].includes(status)),
    body(statuses(mints)),
  );
  assert.equal((await worker.ask("GET /v1/users/", mint)).status, 401);
  // What was minted with it is over too.
  await each(only(mints, 200), async (mint) => {
    assert.equal(
      (await worker.ask("GET /v2/", { headers: { authorization: `Bearer ${mint.json().token}` } })).status,
      401,
    );
  });
  assert.deepEqual(await rows("access_tokens", ({ uuid }) => uuid === made.uuid), []);
});

race("a new password, against logins with the old one", async (round) => {
  const name = `changer${round}`;
  const old = { headers: { authorization: await join(worker, name) } };
  await worker.succeed("GET /v1/users/", old);
  const change = { ...old, body: body({ password: "another" }) };
  const ask = (number) =>
    number === 16
      ? [`PUT /v1/users/${name}/`, change]
      : ["GET /token?service=registry&offline_token=true&client_id=docker", old];
  const answers = await together(round, ask, 120);
  const changed = answers.find(({ number }) => number === 16);
  assert.equal(changed.status, 204);
  const logins = answers.filter(({ number }) => number !== 16);
  // What is wrong by then is a guess, of which five are looked at.
  assert.ok(
    logins.every(({ status }) => [200, 401, 429].includes(status)),
    body(statuses(logins)),
  );
  const [{ id }] = await rows("users", (row) => row.name === name);
  assert.deepEqual(await rows("refresh_tokens", (row) => row.user_id === id), [], "a login outlived its password");
  await each(only(logins, 200), async (login) => {
    const form = {
      grant_type: "refresh_token",
      service: "registry",
      client_id: "x",
      refresh_token: login.json().refresh_token,
    };
    assert.equal((await worker.ask("POST /token", { body: new URLSearchParams(form).toString() })).status, 401);
    assert.equal(
      (await worker.ask("GET /v2/", { headers: { authorization: `Bearer ${login.json().token}` } })).status,
      401,
    );
  });
});

race("new passwords, by one that is good for one of them", async (round) => {
  const name = `robbed${round}`;
  const old = { authorization: await join(worker, name) };
  const change = (number) => [
    `PUT /v1/users/${name}/`,
    { headers: old, body: body({ password: `password ${number}` }) },
  ];
  const answers = await together(round, change, 300);
  const said = body(statuses(answers));
  const winners = only(answers, 204);
  assert.equal(winners.length, 1, said);
  // Who comes late has a wrong password, of which there may be only so many.
  assert.ok(
    answers.every(({ status }) => [204, 401, 429].includes(status)),
    said,
  );
  assert.ok(only(answers, 401).length > 0, said);
  const { DB } = await worker.env();
  await DB.prepare("delete from failures").run();
  await worker.succeed("GET /v1/users/", { headers: { authorization: basic(name, `password ${winners[0].number}`) } });
  assert.deepEqual(
    (await rows("users", (row) => row.name === name)).map(({ epoch }) => epoch),
    [2],
  );
});

race(
  "a password that is changed while the one of before waits to change it",
  async (round) => {
    const name = `slow${round}`;
    const headers = { authorization: await join(worker, name) };
    // Remembered, so that neither waits until the other has verified it.
    await worker.succeed("GET /v1/users/", { headers });
    const change = (password, trouble) =>
      worker.ask(`PUT /v1/users/${name}/`, { headers, body: body({ password }), trouble });
    // Its second call of the database, which writes.
    const late = change("of the thief", {
      databases: [{ database: "DB", call: 2, when: "slow", milliseconds: 3_000 }],
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal((await change("of the owner")).status, 204);
    assert.equal((await late).status, 401);
    await worker.succeed("GET /v1/users/", { headers: { authorization: basic(name, "of the owner") } });
    assert.deepEqual(
      (await rows("users", (row) => row.name === name)).map(({ epoch }) => epoch),
      [2],
    );
  },
  { rounds: 1 },
);

race(
  "a collaborator that is added by an admin who is removed meanwhile",
  async (round) => {
    const { DB } = await worker.env();
    const name = `acting${round}`;
    await join(worker, name);
    const acting = await login(name);
    for (const command of [
      `namespace tents${round}`,
      `member tents${round} paul admin`,
      `member tents${round} ${name} admin`,
    ])
      await operate({ DB }, command, 0);
    await worker.succeed("POST /v2/repositories", {
      headers: session,
      body: body({ namespace: `tents${round}`, name: "app" }),
    });
    const trouble = { databases: [{ database: "DB", call: 2, when: "slow", milliseconds: 2_000 }] };
    const sent = body({ user: "paul", role: "write" });
    const late = worker.ask(`POST /v2/repositories/tents${round}/app/collaborators`, {
      headers: acting,
      body: sent,
      trouble,
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await worker.succeed(`DELETE /v2/namespaces/tents${round}/members/${name}`, { headers: session });
    assert.ok([403, 404].includes((await late).status));
    const { id } = await repository(`tents${round}/app`);
    assert.deepEqual(await rows("collaborators", (row) => row.repository_id === id), []);
  },
  { rounds: 1 },
);

race(
  "the last access tokens that a user may have",
  async (round) => {
    const name = `hoarder${round}`;
    await join(worker, name);
    const headers = await login(name);
    let made = 0;
    for (let wave = 0; made < 250; wave += 1) {
      const answers = await together(
        round * 100 + wave,
        (number) => ["POST /v2/access-tokens", { headers, body: body({ token_label: `${wave} ${number}` }) }],
        20,
      );
      const left = Math.min(AT_ONCE, 250 - made);
      assert.deepEqual(statuses(answers), { 201: left, ...(left < AT_ONCE ? { 400: AT_ONCE - left } : {}) });
      made += left;
    }
    const [{ id }] = await rows("users", (row) => row.name === name);
    assert.equal((await rows("access_tokens", (row) => row.user_id === id)).length, 250);
  },
  { rounds: 1 },
);

race(
  "logins beyond the most that a user keeps",
  async (round) => {
    const name = `traveller${round}`;
    const init = { headers: { authorization: await join(worker, name) } };
    await worker.succeed("GET /v1/users/", init);
    const login = () => ["GET /token?service=registry&offline_token=true&client_id=docker", init];
    const answers = [...(await together(round, login)), ...(await together(round + 100, login))];
    assert.deepEqual(statuses(answers), { 200: 2 * AT_ONCE });
    let good = 0;
    await each(answers, async (answer) => {
      const form = {
        grant_type: "refresh_token",
        service: "registry",
        client_id: "x",
        refresh_token: answer.json().refresh_token,
      };
      if ((await worker.ask("POST /token", { body: new URLSearchParams(form).toString() })).status === 200) good += 1;
    });
    assert.equal(good, 50);
    const [{ id }] = await rows("users", (row) => row.name === name);
    assert.equal((await rows("refresh_tokens", (row) => row.user_id === id)).length, 50);
  },
  { rounds: 1 },
);

race("stars given and taken", async (round) => {
  const name = `paul/liked${round}`;
  await makeRepository(worker, authorization, name, []);
  const answers = await together(round, (number) => [
    `${number % 2 ? "PUT" : "DELETE"} /v2/repositories/${name}/star`,
    { headers: session },
  ]);
  assert.deepEqual(statuses(answers), { 204: AT_ONCE });
  const { id, star_count: stars } = await repository(name);
  assert.equal((await rows("stars", (row) => row.repository_id === id)).length, stars);
});

race("events: the same one, and each another", async (round) => {
  const { TOKEN_KEY } = await worker.env();
  const headers = { authorization: `Bearer ${eventSecret(TOKEN_KEY, "registry")}` };
  const tell = (...events) => ["POST /events", { headers, body: body({ events }) }];
  const name = `paul/told${round}`;
  const pushes = await together(round, () => tell(event("push", name, "v1", `push ${round}`)));
  assert.deepEqual(statuses(pushes), { 200: AT_ONCE });
  const pulls = await together(round, (number) =>
    tell(event("pull", name, "v1", `pull ${round}`), event("pull", name, "v1", `pull ${round} ${number}`)),
  );
  assert.deepEqual(statuses(pulls), { 200: AT_ONCE });
  const { id, pull_count: count } = await repository(name);
  assert.equal(count, AT_ONCE + 1);
  assert.equal((await rows("tags", (row) => row.repository_id === id)).length, 1);
});

race(
  "keys change under load",
  async () => {
    // By an access token: each new worker would hash a password anew, for all who come at once.
    const made = (
      await worker.succeed("POST /v2/access-tokens", {
        headers: session,
        body: body({ token_label: "load", scopes: ["repo:write"] }),
      })
    ).json();
    const authorization = basic("paul", made.token);
    const ca = await newAuthority();
    const leaves = [await newLeaf(ca)];
    const settings = () => ({
      REGISTRY_KEY: leaves[0].key,
      REGISTRY_CERTIFICATE: [leaves[0], ca, ...leaves.slice(1)]
        .map(({ certificate }) => `${certificate}`.trim())
        .join("\n"),
      TOKEN_KEY: leaves.map((_, at) => `key ${leaves.length - at} of the stage which is no secret at all`).join(),
    });
    await worker.set(settings());
    await makeRepository(worker, authorization, "paul/turned", []);
    const tokens = [];
    let going = true;
    const init = { headers: { authorization, "x-docker-token": "true" } };
    const client = async () => {
      while (going) {
        try {
          const answers = await Promise.all([
            worker.ask("GET /token?service=registry&scope=repository:paul/turned:pull,push", init),
            worker.ask("GET /v1/repositories/paul/turned/images", init),
          ]);
          assert.deepEqual(
            answers.map(({ status }) => status),
            [200, 200],
            answers[0].body + answers[1].body,
          );
          tokens.push({ registry: answers[0].json().token, repository: answers[1].headers.get("x-docker-token") });
        } catch (error) {
          // The harness takes another worker for other settings, and a connection may end with the old one.
          if (error instanceof assert.AssertionError) throw error;
        }
      }
    };
    const clients = Array.from({ length: AT_ONCE }, client);
    const rotated = async () => {
      for (let turn = 0; turn < 3; turn += 1) {
        const enough = tokens.length + AT_ONCE;
        while (tokens.length < enough) await new Promise((resolve) => setTimeout(resolve, 20));
        leaves.unshift(await newLeaf(ca));
        await worker.set(settings());
      }
      const enough = tokens.length + AT_ONCE;
      while (tokens.length < enough) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await Promise.race([rotated(), Promise.all(clients)]).finally(() => (going = false));
    await Promise.all(clients);
    const signers = new Set();
    await each(tokens, async ({ registry, repository }) => {
      signers.add(registry.split(".")[0]);
      assert.equal((await worker.ask("GET /v2/", { headers: { authorization: `Bearer ${registry}` } })).status, 200);
      await worker.succeed("GET /v1/repositories/paul/turned/images", {
        headers: { authorization: `Token ${repository}` },
      });
    });
    assert.equal(signers.size, leaves.length, "not every key has signed");
  },
  { rounds: 1 },
);

test("search was told of all of it", { timeout: 60_000 }, async (t) => {
  await worker.direct("clock", 61_000);
  await worker.scheduled();
  assert.deepEqual(untold(await dump(), { patient: false }), []);
  t.diagnostic(`cases: ${cases} races`);
});
