// The management API, as somebody who is logged in, or nobody.

import assert from "node:assert/strict";
import { send } from "./http.mjs";

/** A function `(status, method, path, body)` that sends a request, demands that status, and gives the JSON of the answer. */
export function manage(address, user) {
  let session;
  const ask = async (method, path, body) => {
    const headers = { "Content-Type": "application/json", ...(session && { Authorization: `Bearer ${session}` }) };
    return send(address, method, `/v2/${path}`, { headers, body });
  };
  return async (status, method, path, body) => {
    if (user && !session) {
      const opened = await ask("POST", "users/login", { username: user.name, password: user.password });
      assert.equal(opened.status, 200, opened.text);
      session = opened.json().token;
    }
    const answer = await ask(method, path, body);
    assert.equal(answer.status, status, `${answer.request}: ${answer.text}`);
    return answer.text ? answer.json() : undefined;
  };
}
