// The screens: each page endpoint with an address at which there is something to see. Tests look at all of them, and
// `npm run pictures` makes a picture of each.

import { NOW, password } from "./showcase.mjs";

/** Minutes after which a password counts as typed long ago. */
const LONG = 11;

/** The time some minutes after that of the pictures. */
const later = (minutes) => new Date(Date.parse(NOW) + minutes * 60_000).toISOString();

/**
 * In the order in which a person meets them. `endpoint` is the pattern of `src/api.rs`, `path` an address of it in the
 * index of `showcase.mjs`, `as` who is signed in, `act` what they do there before they see it, and `also` other ways in
 * which there is a picture of it.
 */
export const screens = [
  { name: "sign-in", endpoint: "/sign-in", path: "/sign-in" },
  { name: "register", endpoint: "/register", path: "/register" },
  {
    name: "home",
    endpoint: "/",
    path: "/",
    as: "olga",
    also: [{ name: "home-dark", scheme: "dark" }],
  },
  { name: "first-steps", endpoint: "/", path: "/", as: "pavel" },
  { name: "search", endpoint: "/search", path: "/search?q=acme", as: "olga" },
  { name: "namespace", endpoint: "/r/{namespace}", path: "/r/acme", as: "olga" },
  {
    name: "repository",
    endpoint: "/r/{repository}",
    path: "/r/acme/api",
    as: "olga",
    also: [
      { name: "repository-dark", scheme: "dark" },
      { name: "repository-narrow", width: 320 },
    ],
  },
  { name: "tag", endpoint: "/r/{repository}/-/tags/{tag}", path: "/r/acme/api/-/tags/2.4.1", as: "olga" },
  { name: "new-repository", endpoint: "/r/{namespace}/-/new", path: "/r/acme/-/new", as: "olga" },
  {
    name: "repository-settings",
    endpoint: "/r/{repository}/-/settings",
    path: "/r/acme/api/-/settings",
    as: "olga",
  },
  {
    name: "access",
    endpoint: "/r/{repository}/-/access",
    path: "/r/acme/api/-/access?user=mina&action=push",
    as: "olga",
  },
  { name: "members", endpoint: "/r/{namespace}/-/members", path: "/r/acme/-/members", as: "olga" },
  {
    name: "service-accounts",
    endpoint: "/r/{namespace}/-/service-accounts",
    path: "/r/acme/-/service-accounts",
    as: "olga",
  },
  {
    name: "service-account",
    endpoint: "/r/{namespace}/-/service-accounts/{username}",
    path: "/r/acme/-/service-accounts/acme_builds",
    as: "olga",
  },
  { name: "audit", endpoint: "/r/{namespace}/-/audit", path: "/r/acme/-/audit", as: "olga" },
  { name: "refusals", endpoint: "/r/{namespace}/-/refusals", path: "/r/acme/-/refusals", as: "olga" },
  { name: "deletions", endpoint: "/r/{namespace}/-/deletions", path: "/r/acme/-/deletions", as: "olga" },
  { name: "tokens", endpoint: "/settings/tokens", path: "/settings/tokens", as: "olga" },
  { name: "new-token", endpoint: "/settings/tokens/new", path: "/settings/tokens/new", as: "olga" },
  {
    name: "token-secret",
    endpoint: "/settings/tokens/new",
    path: "/settings/tokens/new",
    as: "olga",
    async act(page) {
      await page.getByLabel("Name", { exact: true }).fill("laptop");
      await page.getByRole("radio", { name: "Pull and push", exact: true }).check();
      await page.getByRole("button", { name: "Make the token" }).click();
      await page.getByRole("heading", { name: "The secret of laptop" }).waitFor();
    },
  },
  { name: "settings", endpoint: "/settings", path: "/settings", as: "olga" },
  { name: "sessions", endpoint: "/settings/sessions", path: "/settings/sessions", as: "olga" },
  {
    name: "password-again",
    endpoint: "/r/{namespace}/-/members",
    path: "/r/acme/-/members",
    as: "olga",
    async act(page, { travel }) {
      await travel(later(LONG));
      await page.getByLabel("User", { exact: true }).first().fill("pavel");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.getByRole("heading", { name: "Type your password again" }).waitFor();
    },
  },
  { name: "administration", endpoint: "/admin", path: "/admin", as: "greta" },
  { name: "users", endpoint: "/admin/users", path: "/admin/users", as: "greta" },
  { name: "user", endpoint: "/admin/users/{username}", path: "/admin/users/olga", as: "greta" },
  { name: "namespaces", endpoint: "/admin/namespaces", path: "/admin/namespaces", as: "greta" },
  { name: "limits", endpoint: "/admin/limits", path: "/admin/limits", as: "greta" },
  { name: "forgotten-password", endpoint: "/account/forgotten", path: "/account/forgotten" },
  { name: "set-password", endpoint: "/account/password", path: "/account/password" },
  { name: "confirm-address", endpoint: "/account/confirm", path: "/account/confirm" },
];

/** A browser that stands before the index of the pictures, where somebody is signed in or not. */
export async function enter(browser, showcase, name, options = {}) {
  const visit = await browser.visit({ ...options, headers: showcase.seen() });
  if (name) await signIn(visit.page, showcase.address, { name, password: password(name) });
  return visit;
}

/** Signs in at an address by the form. */
export async function signIn(page, address, { name, password }) {
  await page.goto(`${address}/sign-in`);
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Yours" }).waitFor();
}

/** Opens a screen, and does there what leads to it. */
export async function open({ page, context }, showcase, { path, act }) {
  await context.setExtraHTTPHeaders(showcase.seen());
  const answer = await page.goto(`${showcase.address}${path}`);
  if (answer.status() !== 200) throw new Error(`${path}: ${answer.status()}`);
  await act?.(page, { travel: (time) => context.setExtraHTTPHeaders(showcase.seen(time)) });
}
