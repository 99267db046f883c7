// Cloudflare's REST API, with the login of wrangler.

import { cloudflare } from "./cloudflare.mjs";
import { configuration } from "./configuration.mjs";
import { Failure } from "./steps.mjs";

/** Where it is; wrangler knows the variable too. */
const api = () => process.env.CLOUDFLARE_API_BASE_URL ?? "https://api.cloudflare.com/client/v4";

/** Milliseconds after which it is given up: a query of D1 takes 30 seconds at most. */
const PATIENCE = 60_000;

/** Asks Cloudflare. What it refuses is a Failure with its words. */
export async function ask(path, token, body) {
  let answer;
  try {
    const response = await fetch(api() + path, {
      method: body ? "POST" : "GET",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    answer = await response.json();
  } catch (error) {
    throw new Failure(`Cloudflare does not answer (${error.cause?.code ?? error.message})`);
  }
  if (answer?.success) return answer.result;
  const [{ code, message } = { code: 0, message: "no reason" }] = answer?.errors ?? [];
  if (code === AUTHENTICATION) throw new Failure("Cloudflare does not take this token: npx wrangler login");
  throw new Failure(`Cloudflare: ${message}`);
}

/** How Cloudflare says that it does not know a token. */
const AUTHENTICATION = 10_000;

/** The token by which wrangler is logged in, or that of the environment. It is in no command line. */
export async function apiToken() {
  if (process.env.CLOUDFLARE_API_TOKEN) return process.env.CLOUDFLARE_API_TOKEN;
  const { token } = JSON.parse(await cloudflare(["auth", "token", "--json"]));
  if (!token) throw new Failure("this needs a token: npx wrangler login, or CLOUDFLARE_API_TOKEN");
  return token;
}

/** The accounts that the token opens: `[{ id, name }]`. */
export const accounts = (token) => ask("/accounts", token);

/** The account that wrangler would take: what is set, or the only one. */
export async function accountId(token) {
  const set = process.env.CLOUDFLARE_ACCOUNT_ID ?? configuration().account_id;
  if (set) return set;
  const all = await accounts(token);
  if (all.length === 1) return all[0].id;
  const names = all.map(({ name, id }) => `${name} (${id})`).join(", ");
  throw new Failure(`there are ${all.length} accounts: say which by CLOUDFLARE_ACCOUNT_ID: ${names}`);
}

/** The address that the worker has, or will have, at workers.dev. */
export async function workersDevAddress() {
  const token = await apiToken();
  const { subdomain } = await ask(`/accounts/${await accountId(token)}/workers/subdomain`, token);
  return `https://${configuration().name}.${subdomain}.workers.dev`;
}
