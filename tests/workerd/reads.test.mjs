// What revokes what where a replica of the database is behind: with READS = "primary" at the next request, with
// "nearest" as soon as the replica has heard of it. The rows are those of docs/revocation.md.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { basic, imageId, join, makeRepository, startWorker } from "./app.mjs";
import { operate } from "./operator.mjs";

const images = [imageId(1)];
const body = (value) => JSON.stringify(value);
const pull = (name) => `GET /token?service=registry&scope=repository:${name}:pull`;

let worker;
before(
  async () => {
    worker = await startWorker();
    await worker.applyMigrations("REPLICA");
  },
  { timeout: 60_000 },
);
after(() => worker?.stop(), { timeout: 60_000 });

/** Lets the replica hear of all that was written so far. */
const catchUp = () => worker.direct("catch-up");

const operator = async (words) => operate(await worker.env(), words, Math.floor(Date.now() / 1000));
const ask = (request, authorization, sent) =>
  worker.ask(request, {
    headers: { ...(authorization ? { authorization } : {}), "content-type": "application/json" },
    ...(sent ? { body: body(sent) } : {}),
  });
const succeed = async (...words) => {
  const answer = await ask(...words);
  assert.ok(answer.status < 300, `${words[0]}: ${answer.status} ${answer.body}`);
  return answer;
};
const session = async (username, password = "toto42") =>
  `Bearer ${(await succeed("POST /v2/users/login", undefined, { username, password })).json().token}`;

/** What a registry token of this answer opens: the actions of its first grant. */
const granted = (answer) => {
  if (answer.status !== 200) return answer.status;
  const claims = JSON.parse(Buffer.from(answer.json().token.split(".")[1], "base64url"));
  return claims.access[0]?.actions.join() ?? "nothing";
};
const status = (answer) => answer.status;

/**
 * Each row: what happens; who is made for it (given the names of a user and of a stranger), which gives `change` and
 * the request that tells; what that answers before and after.
 */
const rows = [
  [
    "the password is changed",
    async (user) => {
      const old = basic(user, "toto42");
      return {
        change: () => succeed(`PUT /v1/users/${user}/`, old, { password: "another" }),
        asked: () => ask("GET /v1/users/", old).then(status),
      };
    },
    200,
    401,
  ],
  [
    "the password is changed, for a repository token",
    async (user) => {
      const old = basic(user, "toto42");
      const token = `Token ${await makeRepository(worker, old, `${user}/app`, images)}`;
      return {
        change: () => succeed(`PUT /v1/users/${user}/`, old, { password: "another" }),
        asked: () => ask(`PUT /v1/repositories/${user}/app/auth`, token).then(status),
      };
    },
    200,
    403,
  ],
  [
    "an access token is deleted",
    async (user) => {
      const bearer = await session(user);
      const made = (
        await succeed("POST /v2/access-tokens", bearer, { token_label: "ci", scopes: ["repo:admin"] })
      ).json();
      return {
        change: () => succeed(`DELETE /v2/access-tokens/${made.uuid}`, bearer),
        asked: () => ask("GET /v1/users/", basic(user, made.token)).then(status),
      };
    },
    200,
    401,
  ],
  [
    "a user is disabled",
    async (user) => ({
      change: () => operator(`disable ${user}`),
      asked: () => ask("GET /v1/users/", basic(user, "toto42")).then(status),
    }),
    200,
    403,
  ],
  [
    "a collaborator is removed",
    async (user, stranger) => {
      await makeRepository(worker, basic(user, "toto42"), `${user}/app`, images);
      const bearer = await session(user);
      const people = `/v2/repositories/${user}/app/collaborators/`;
      await succeed(`POST ${people}`, bearer, { user: stranger, permission: "write" });
      await succeed(`PATCH /v2/namespaces/${user}/repositories/app`, bearer, { is_private: true });
      return {
        change: () => succeed(`DELETE ${people}${stranger}/`, bearer),
        asked: () => ask(pull(`${user}/app`), basic(stranger, "toto42")).then(granted),
      };
    },
    "pull",
    "nothing",
  ],
  [
    "a repository is made private",
    async (user) => {
      await makeRepository(worker, basic(user, "toto42"), `${user}/app`, images);
      const bearer = await session(user);
      return {
        change: () => succeed(`PATCH /v2/namespaces/${user}/repositories/app`, bearer, { is_private: true }),
        asked: () => ask(pull(`${user}/app`)).then(granted),
      };
    },
    "pull",
    "nothing",
  ],
  [
    "a repository is deleted and made again",
    async (user) => {
      const owner = basic(user, "toto42");
      const token = `Token ${await makeRepository(worker, owner, `${user}/app`, images)}`;
      return {
        change: async () => {
          await succeed(`DELETE /v1/repositories/${user}/app/`, owner);
          await makeRepository(worker, owner, `${user}/app`, images);
        },
        asked: () => ask(`PUT /v1/repositories/${user}/app/auth`, token).then(status),
      };
    },
    200,
    403,
  ],
  [
    "a refresh token is ended",
    async (user) => {
      const owner = basic(user, "toto42");
      const made = (await succeed("GET /token?service=registry&offline_token=true&client_id=docker", owner)).json();
      const form = new URLSearchParams({
        grant_type: "refresh_token",
        service: "registry",
        client_id: "docker",
        refresh_token: made.refresh_token,
      });
      const bearer = await session(user);
      return {
        change: async () => {
          const [{ uuid }] = (await succeed("GET /v2/refresh-tokens", bearer)).json().results;
          await succeed(`DELETE /v2/refresh-tokens/${uuid}`, bearer);
        },
        asked: () => worker.ask("POST /token", { body: form }).then(status),
      };
    },
    200,
    401,
  ],
  [
    "all sessions are ended by the operator",
    async (user) => {
      const bearer = await session(user);
      return { change: () => operator(`sessions ${user} end`), asked: () => ask("GET /v2/user", bearer).then(status) };
    },
    200,
    401,
  ],
];

let number = 0;

for (const [reads, late] of [
  ["primary", false],
  ["nearest", true],
]) {
  test(`READS = "${reads}"`, { timeout: 300_000 }, async (t) => {
    await worker.set({ READS: reads });
    for (const [what, prepare, granted, refused] of rows) {
      await t.test(`${what}: ${late ? "once the replica has heard" : "at the next request"}`, async () => {
        await worker.direct("behind", "false");
        number += 1;
        const names = [`user${number}`, `other${number}`];
        for (const name of names) await join(worker, name);
        const { change, asked } = await prepare(...names);
        await catchUp();
        assert.equal(await asked(), granted);
        await change();
        await worker.direct("behind", "true");
        if (late) {
          assert.equal(await asked(), granted, "the replica was not asked");
          await catchUp();
        }
        assert.equal(await asked(), refused);
      });
    }
  });
}
