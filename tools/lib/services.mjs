// The registries that take our tokens, and the configuration that makes them do so.

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { configuration, variable } from "./configuration.mjs";
import { crate } from "./operator.mjs";
import { here, inspect, make, short } from "./registry-keys.mjs";
import { read } from "./settings.mjs";
import { Failure } from "./steps.mjs";
import { keep } from "./vault.mjs";

/** What somebody on this machine reaches without PUBLIC_URL. */
const local = "http://127.0.0.1:8787";

/** A setting of an index: what it was started with comes before its own file, and that before wrangler.toml. */
export function setting(place, name) {
  const told = place.started.vars[name];
  return told === undefined ? read(place.secrets)[name]?.trim() || variable(name) : told.trim() || undefined;
}

/** By which settings the operator's commands go. */
const ofOperator = [
  "ACCESS_TOKEN_MAX_DAYS",
  "ANONYMOUS_READ",
  "PASSWORD_COST",
  "PASSWORD_LENGTH",
  "PASSWORD_PEPPER",
  "SERVICES",
];

/** Those of them that are set. */
export const settings = (place) =>
  Object.fromEntries(ofOperator.map((name) => [name, setting(place, name)]).filter(([, value]) => value !== undefined));

/** Two settings that exclude each other, as the worker reports it; nothing where all is well. */
export function contradiction(place) {
  const names = Object.keys({ ...configuration().vars, ...read(place.secrets), ...place.started.vars });
  const all = Object.fromEntries(names.map((name) => [name, setting(place, name)]));
  return crate().contradiction(JSON.stringify(all)); // which leaves out what is undefined
}

/** Where clients and registries reach the index. */
export function publicUrl(place, given) {
  const url = (given ?? setting(place, "PUBLIC_URL") ?? (place.flag ? "" : (place.started.address ?? local))).replace(
    /\/+$/,
    "",
  );
  if (!url) throw new Failure("PUBLIC_URL, where people reach the index, is not set: set it in wrangler.toml");
  if (!crate().isPublicUrl(url))
    throw new Failure(`PUBLIC_URL ${JSON.stringify(url)} is not https://host (http on a loopback address)`);
  return url;
}

/** SERVICES, read: the name of each, where it is reached, how it is told which key signed, and the file that is its configuration. */
export function services(place) {
  const texts = (setting(place, "SERVICES") ?? "")
    .split(",")
    .map((text) => text.trim())
    .filter(Boolean);
  const found = texts.map(service);
  const twice = found.find(({ file }, at) => found.findIndex((other) => other.file === file) < at);
  if (twice) throw new Failure(`SERVICES names ${twice.name} twice, or another that makes the same file`);
  return found;
}

/** NAME[@HOST[:PORT]][=TRUST], as the worker reads it, and the file that is the registry's configuration. */
export function service(text) {
  const registry = JSON.parse(crate().registry(text));
  if (!registry)
    throw new Failure(`SERVICES: ${JSON.stringify(text)} is not NAME[@HOST[:PORT]][=x5c|jwks|libtrust|zot]`);
  const { name, host, trust } = registry;
  const file = `${name.replace(/[^\w.:-]/g, "_").replace(/^\./, "_")}.${trust === "zot" ? "json" : "yml"}`;
  return { name, host, trust, file };
}

/** What proves that an event comes from this registry, by the TOKEN_KEY of the index. */
export function eventSecret(tokenKey, name) {
  try {
    return crate().eventSecret(tokenKey, name);
  } catch (error) {
    throw new Failure(error.message); // it says what is wrong with TOKEN_KEY
  }
}

/** What registries are given: by trust, the setting and the file that it names. */
const given = {
  x5c: { setting: "rootcertbundle", file: "ca.pem", kind: "docker-registry 2.8 and distribution 3" },
  jwks: { setting: "jwks", file: "jwks.json", kind: "distribution 3" },
  libtrust: { setting: "rootcertbundle", file: "leaves.pem", kind: "docker-registry 2.8" },
  zot: { setting: "cert", file: "leaves.pem" },
};

/** The setting of a registry that says whom it trusts, and the file for it. */
export const trusted = (place, { trust }) => ({
  setting: given[trust].setting,
  file: path.join(place.folder, given[trust].file),
});

/** The files that hold what registries trust, apart from the CA: they change with every key. */
export function trust(place) {
  const { leaf, earlier } = inspect(place);
  const leaves = [leaf, ...earlier];
  const pem = {
    file: path.join(place.folder, given.libtrust.file),
    text: leaves.map((certificate) => `${certificate}`).join(""),
  };
  if (!services(place).some(({ trust }) => trust === "jwks")) return [pem];
  const jwks = `${JSON.stringify({ keys: leaves.map(jwk) }, null, 2)}\n`;
  return [pem, { file: path.join(place.folder, given.jwks.file), text: jwks }];
}

/** The configuration of each registry. */
export const configurations = (place, url) =>
  services(place).map((service) => ({ file: path.join(place.folder, service.file), text: text(place, service, url) }));

/** Writes what is not there yet; names the files that said something else. */
export function write(files) {
  const said = ({ file }) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);
  const due = files.filter((one) => said(one) !== one.text);
  const changed = due.filter((one) => said(one) !== undefined && settled(said(one)) !== settled(one.text));
  for (const { file, text } of due) keep(file, text);
  return changed.map(({ file }) => short(file));
}

/** What counts in a configuration: not our comments, which may be worded anew. */
export const settled = (text) => text.replace(/^#.*\n| {2}#.*$/gm, "").trim();

/** The keys of this machine, where there are none; a setting that means nothing is named before the index starts. */
export async function forRegistries(vars) {
  const place = { ...here, started: { vars } };
  services(place);
  publicUrl(place);
  await make(place);
}

/** What the registries of this machine need of the index that was started; names what they had and is something else now. */
export function handOut(started) {
  const place = { ...here, started };
  const all = services(place);
  const changed = write([...trust(place), ...(all.length ? configurations(place, publicUrl(place)) : [])]);
  const isNeeded = (file) => all.some((one) => [one.file, given[one.trust].file].includes(path.basename(file)));
  return changed.filter(isNeeded); // a registry with the CA needs no leaf
}

/** The settings that the last start with these databases had by --var, and that a start with `vars` has otherwise. */
export function forgotten(before, vars) {
  const place = { ...here, started: { vars } };
  return Object.keys(before).filter((name) => vars[name] === undefined && setting(place, name) !== before[name].trim());
}

/** The public key of a certificate, named by its RFC 7638 thumbprint. */
export const jwk = ({ raw }) => JSON.parse(crate().jwk(raw));

/** The part of a configuration that says who may do what; no secret is in it. */
export function authentication(place, service, url) {
  const { setting: name, file } = trusted(place, service);
  if (service.trust === "zot") return json({ http: { auth: { bearer: bearer(place, service, url) } } });
  return `auth:
  token:
    realm: ${JSON.stringify(`${url}/token`)}
    service: ${JSON.stringify(service.name)}
    issuer: ${JSON.stringify(setting(place, "ISSUER") ?? "hublet")}
    ${name}: ${JSON.stringify(file)}  # copy this file to the registry and name the copy`;
}

function text(place, service, url) {
  const tokenKey = setting(place, "TOKEN_KEY");
  if (!tokenKey) throw new Failure(`TOKEN_KEY is not in ${short(place.secrets)}: bring your copy of it`);
  const secret = eventSecret(tokenKey, service.name);
  if (service.trust === "zot") return `${json(zot(place, service, url, secret))}\n`;
  return `# For the registry ${JSON.stringify(service.name)}${service.host ? ` at ${service.host}` : ""}: a part of the configuration of ${given[service.trust].kind}.
# It holds a secret. \`npm run keys\` writes it anew: change your copy of it.

${authentication(place, service, url)}

notifications:
  events:
    includereferences: true  # sizes and platforms, and which pulls are one
  endpoints:
    - name: hublet
      url: ${JSON.stringify(`${url}/events`)}
      headers:
        Authorization: [${JSON.stringify(`Bearer ${secret}`)}]
      timeout: 10s
      threshold: 3  # failures, after which it waits
      backoff: 10s
      ignoredmediatypes: [application/octet-stream]  # layers

${notes[service.trust](url)}
# A zot has it in JSON, which is written here where SERVICES says ${JSON.stringify(`${service.name}=zot`)}.
`;
}

const notes = {
  x5c: () => `# distribution 3 takes the same, unchanged. A new key (npm run keys -- rotate) needs no change here.
`,
  jwks: (url) => `# docker-registry 2.8 has no such setting. The index shows the same keys at
#   ${url}/.well-known/jwks.json
# A new key (npm run keys -- rotate) is believed once the registry has the new file and was started again.
`,
  libtrust: () => `# distribution 3 does not take it. A new key (npm run keys -- rotate) is believed once the registry
# has the new file and was started again.
`,
};

/** zot believes the first certificate of its file alone: a new key needs the new file there. */
const bearer = (place, service, url) => ({
  realm: `${url}/token`,
  service: service.name,
  cert: trusted(place, service).file,
});

const zot = (place, service, url, secret) => ({
  http: { auth: { bearer: bearer(place, service, url) } },
  extensions: {
    events: {
      enable: true,
      sinks: [{ type: "http", address: `${url}/events`, timeout: "10s", credentials: { token: secret } }],
    },
  },
});

const json = (value) => JSON.stringify(value, null, 2);
