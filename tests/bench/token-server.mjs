// A stand-in for the token servers that people run beside a registry: one user, whose password is bcrypt, and a token for
// all that is asked for. It looks up nothing and logs nothing.

import { createPrivateKey, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import bcrypt from "bcrypt";

const { PORT, HASH, KEY, CERTIFICATES } = process.env;
const key = createPrivateKey(readFileSync(KEY));
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const chain = readFileSync(CERTIFICATES, "utf8").match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g);
const x5c = chain.map((pem) => pem.replace(/-----[^-]+-----|\s/g, ""));
const header = encoded({ alg: "ES256", typ: "JWT", x5c });

/** Whether the credentials of a request are right. */
async function authenticated({ authorization = "" }) {
  const [name, ...secret] = Buffer.from(authorization.replace(/^Basic /, ""), "base64")
    .toString()
    .split(":");
  return name === "paul" && (await bcrypt.compare(secret.join(":"), HASH));
}

/** A token for what a query asks for. */
function issue(query) {
  const now = Math.floor(Date.now() / 1000);
  const access = query.getAll("scope").map((scope) => {
    const [type, name, actions] = scope.split(":");
    return { type, name, actions: actions.split(",") };
  });
  const times = { iat: now, nbf: now - 30, exp: now + 300 };
  const claims = { iss: "hublet", sub: "paul", aud: query.get("service"), jti: randomUUID(), ...times, access };
  const body = `${header}.${encoded(claims)}`;
  const signature = sign("sha256", Buffer.from(body), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
  return { token: `${body}.${signature}`, expires_in: 300, issued_at: new Date(now * 1000).toISOString() };
}

http
  .createServer(async (request, response) => {
    const { searchParams } = new URL(request.url, "http://127.0.0.1");
    const right = await authenticated(request.headers);
    response.writeHead(right ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(right ? issue(searchParams) : { details: "incorrect username or password" }));
  })
  .listen(Number(PORT), "127.0.0.1");
