// The page of a repository for an anonymous request.

import { answer } from "./parts.mjs";

const SIZE = 50; // tags on a page
const ORDERS = { pushed: ["newest first", "t.pushed_at desc, t.name"], name: ["by name", "t.name"] };
const VERSIONS = ["version", "by version"]; // offered, and left out here: nothing measured asks for it
const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
  "form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy": POLICY,
  "Cache-Control": "no-store",
};
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** A text in HTML. */
const safe = (text) => String(text).replace(/[&<>"]/g, (letter) => ENTITIES[letter]);
/** A text of several scripts, without what turns its direction or is a control character. */
const display = (text) => text.replace(/(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "");
const UNSEEN = /[\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
/** A text in one line. */
const line = (text) => safe(display(text.replace(/[\t\n\r]/g, " ")).replace(UNSEEN, ""));
const encoded = (text) => encodeURIComponent(text).replaceAll("%2F", "/");

const command = (text) =>
  `<div class="command"><code>${safe(text)}</code><button type="button" data-copy hidden>Copy</button></div>`;

/** A time in seconds since 1970. */
function time(seconds) {
  const exact = new Date(seconds * 1000).toISOString().replace(".000", "");
  return `<time datetime="${exact}">${exact.slice(0, 16).replace("T", " ")}</time>`;
}

/** A number of bytes. */
function size(bytes) {
  const units = { GB: 1e9, MB: 1e6, kB: 1e3 };
  const unit = Object.keys(units).find((name) => bytes >= units[name]);
  if (!unit) return `${bytes} bytes`;
  return `${Math.floor(bytes / units[unit])}.${Math.floor(((bytes % units[unit]) * 10) / units[unit])}\u00a0${unit}`;
}

/** The links to the pages of a list. */
function pager(path, number, count) {
  const last = Math.ceil(count / SIZE);
  if (last <= 1) return "";
  const link = (rel, page, text) => `<a rel="${rel}" href="${safe(`${path}page=${page}`)}">${text}</a>`;
  return `<nav class="pages" aria-label="Pages">${number > 1 ? link("prev", number - 1, "Previous") : ""}<span>Page ${number} of ${last}</span>${number < last ? link("next", number + 1, "Next") : ""}</nav>`;
}

const companion = (tag) =>
  ({ ".sig": "signature", ".att": "attestation", ".sbom": "sbom", "": "referrers" })[
    /^sha256-[0-9a-f]{64}(.*)$/.exec(tag)?.[1]
  ];

/** A row of the list of tags. */
function row(path, tags, tag) {
  const kind = companion(tag.name);
  const same = tags
    .filter((other) => other.digest === tag.digest && other.name !== tag.name)
    .map(({ name }) => name)
    .slice(0, 3);
  const named = JSON.parse(tag.images ?? "[]");
  const images = named.length ? named : [{ ...JSON.parse(tag.platform ?? "{}"), size: tag.size }];
  const platforms = images.map(({ os, architecture, variant }) =>
    safe([os, architecture, variant].filter(Boolean).join("/")),
  );
  const sizes = images.map((image) => image.size).filter((bytes) => bytes !== null);
  const badge = (text) => ` <span class="badge">${text}</span>`;
  return (
    `<tr><th scope="row"><a href="${path}/-/tags/${safe(encoded(tag.name))}">${safe(tag.name)}</a>${kind ? badge(kind) : ""}` +
    `${tag.deletion ? badge("pending deletion") : ""}${same.length ? `<br><small>same as ${safe(same.join(", "))}</small>` : ""}</th>` +
    `<td><code title="${safe(tag.digest)}">${safe(tag.digest.replace(/^[^:]*:/, "").slice(0, 12))}</code></td>` +
    `<td>${platforms.map((platform) => `${platform} `).join("")}</td>` +
    `<td>${sizes.length ? size(Math.max(...sizes)) : ""}</td>` +
    `<td>${time(Math.floor(tag.pushed_at / 1000))}${tag.pushed_by ? `<br><small>${line(tag.pushed_by)}</small>` : ""}</td>` +
    `<td>${tag.pulled_at === null ? "never" : time(tag.pulled_at)}</td></tr>`
  );
}

/** What surrounds a page. */
const framed = (site, title, content) =>
  display(
    `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
      `<title>${safe(title)} · ${safe(site)}</title><link rel="stylesheet" href="/static/${STYLE}"><script src="/static/${SCRIPT}" defer></script></head>` +
      `<body><a class="skip" href="#main">Skip to content</a><header><a class="home" href="/">${safe(site)}</a>` +
      `<form role="search" action="/search"><input type="search" name="q" value="" aria-label="Search repositories" placeholder="Search repositories" maxlength="255"><button>Search</button></form>` +
      `<nav aria-label="Account"><a href="/sign-in">Sign in</a></nav></header><main id="main">${content}</main></body></html>`,
  );

/** The tags of a repository of this order, each as the registry has it that pushed it last. */
const list = (order) => `with newest as (
    select t.*, max(t.pushed_at) from namespaces n join repositories r on r.namespace_id = n.id
      join tags t on t.repository_id = r.id
    where n.name = ?1 and r.name = ?2 and r.private = 0 and t.deleted = 0
      and (?3 = '' or instr(lower(t.name), lower(?3)) > 0) group by t.name)
  select (select count(*) from newest) count, t.name, t.digest, t.pushed_at, t.pushed_by, t.pulled_at, m.size,
    exists (select 1 from deletions d where d.service = t.service and d.repository = ?1 || '/' || ?2 and d.tag = t.name) deletion,
    (select json_group_array(json_object('os', i.os, 'architecture', i.architecture, 'variant', i.variant, 'size', c.size))
     from (select * from index_images where index_id = m.id order by position) i join manifests c on c.id = i.image_id) images,
    ifnull((select json_object('os', i.os, 'architecture', i.architecture, 'variant', i.variant)
     from index_images i where i.image_id = m.id and i.os <> '' limit 1), m.platform) platform
  from (select * from newest t order by ${order} limit ?4 offset ?5) t
    left join manifests m on m.repository_id = t.repository_id and m.service = t.service and m.digest = t.digest
  order by ${order}`;

/** `GET /r/…` */
export async function page({ parameters, ...asked }, env, name) {
  const [part, wanted] = [parameters.get("name") ?? "", parameters.get("order")];
  const order = Object.hasOwn(ORDERS, wanted) ? wanted : "pushed";
  const number = Math.min(Math.max(Number.parseInt(parameters.get("page"), 10) || 1, 1), 1e6);
  const [namespace, short] = name.split("/");
  const [
    {
      results: [found],
    },
    { results: tags },
  ] = await env.DB.batch([
    env.DB.prepare(
      `select r.private, r.deleted_at, r.description from repositories r join namespaces n on n.id = r.namespace_id
       where n.name = ?1 and r.name = ?2`,
    ).bind(namespace, short),
    env.DB.prepare(list(ORDERS[order][1])).bind(namespace, short, part, SIZE, (number - 1) * SIZE),
  ]);
  asked.rounds += 1;
  const site = env.SITE_NAME ?? "hublet";
  if (!found || found.private || found.deleted_at) {
    return answer(404, framed(site, "Not found", `<h1>Not found</h1><p>Repository not found</p>`), HEADERS);
  }
  const path = `/r/${name}`;
  const latest = tags.find((tag) => tag.name === "latest") ?? tags[0];
  const image = `REGISTRY/${name}:${latest?.name ?? "latest"}`;
  const count = tags[0]?.count ?? 0;
  const options = [...Object.entries(ORDERS).map(([value, [text]]) => [value, text]), VERSIONS].map(
    ([value, text]) => `<option value="${value}"${value === order ? " selected" : ""}>${text}</option>`,
  );
  const content =
    `<nav class="crumbs" aria-label="Breadcrumb"><ol><li><a href="/r/${namespace}">${namespace}</a></li></ol></nav><h1>${name}</h1>` +
    `<p><span class="badge">public</span>${found.description ? ` ${line(found.description)}` : ""}</p>` +
    `<section><h2>Pull</h2>${command(`docker pull ${image}`)}<details><summary>podman, skopeo, Kubernetes</summary>` +
    `${command(`podman pull ${image}`)}${command(`skopeo inspect docker://${image}`)}${command(`image: ${image}`)}</details>` +
    `<p class="hint">${safe('REGISTRY stands for the address of your registry: this index does not know it. An administrator can set it (SERVICES = "NAME@HOST").')}</p></section>` +
    `<section><h2>Tags</h2><form class="filter"><label>Name contains <input name="name" value="${safe(part)}" maxlength="128"></label>` +
    `<label>Order <select name="order">${options.join("")}</select></label><button>Show</button></form>` +
    `<form method="post" action="${path}/-/tags"><table><caption>${count} ${count === 1 ? "tag" : "tags"}</caption><thead><tr>` +
    `<th scope="col">Tag</th><th scope="col">Digest</th><th scope="col">Platforms</th><th scope="col">Size</th><th scope="col">Pushed</th><th scope="col">Pulled</th></tr></thead>` +
    `<tbody>${tags.map((tag) => row(path, tags, tag)).join("")}</tbody></table></form>` +
    `${pager(`${path}?name=${encoded(part)}&order=${order}&`, number, count)}</section>`;
  return answer(200, framed(site, name, content), HEADERS);
}
