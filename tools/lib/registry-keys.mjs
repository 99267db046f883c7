// The keys that sign registry tokens, where an index has them, and how they change.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { certificates, expired, issued, lastDay, newAuthority, newLeaf } from "./certificates.mjs";
import { development, production, read } from "./settings.mjs";
import { started, stateOf } from "./started.mjs";
import { Failure, home } from "./steps.mjs";
import { assign, keep } from "./vault.mjs";

/**
 * The index of this machine and the deployed one. Each has a CA of its own: anybody may register with an index that
 * somebody tries on a laptop, and what that signs must be nothing to a registry in production.
 */
export const here = { folder: path.join(home, ".keys"), secrets: development, flag: "", started: { vars: {} } };
export const deployed = {
  folder: path.join(home, ".keys/production"),
  secrets: production,
  flag: " --remote",
  started: { vars: {} },
};

/** The index that a tool is asked about: the deployed one, or that of this machine as it was started last. */
export const asked = (flags) => (flags.remote ? deployed : { ...here, started: started(stateOf(flags)) });

/** A file as one reads it in a message. */
export const short = (file) => path.relative(home, file);

const files = ({ folder }) => ({ certificate: path.join(folder, "ca.pem"), key: path.join(folder, "ca.key") });

/** How many earlier leaves stay: a secret of a worker has 5 kB, a certificate 0.7. */
const earlierLeaves = 4;

/** All that is there: the CA with its key, the leaf with its key, and the leaves before it. */
export function inspect(place) {
  const { REGISTRY_KEY: key, REGISTRY_CERTIFICATE: pem } = read(place.secrets);
  const chain = () => certificates((pem ?? "").replaceAll("\\n", "\n"));
  const [leaf, chained, ...earlier] = understood(chain, "REGISTRY_CERTIFICATE", place.secrets);
  const der = () => createPrivateKey({ key: Buffer.from(key ?? "", "base64"), format: "der", type: "pkcs8" });
  const from = (file, read) =>
    existsSync(file) ? understood(() => read(readFileSync(file)), "what is", file) : undefined;
  return {
    key: key && understood(der, "REGISTRY_KEY", place.secrets),
    leaf,
    chained, // the CA as the worker knows it
    earlier,
    ca: from(files(place).certificate, (pem) => new X509Certificate(pem)),
    caKey: from(files(place).key, createPrivateKey),
  };
}

function understood(work, what, file) {
  try {
    return work();
  } catch (error) {
    throw new Failure(
      `${what} in ${short(file)} cannot be read (${error.code ?? error.message}): bring your copy of it`,
    );
  }
}

/** Makes what is missing; what is there stays. Says whether a key was made. */
export async function make(place) {
  const found = inspect(place);
  if (found.key && found.leaf) {
    if (!found.ca && found.chained) keep(files(place).certificate, `${found.chained}`);
    return false;
  }
  if (found.key || found.leaf) {
    const [one, other] = found.key
      ? ["REGISTRY_KEY", "REGISTRY_CERTIFICATE"]
      : ["REGISTRY_CERTIFICATE", "REGISTRY_KEY"];
    throw new Failure(
      `${short(place.secrets)} holds ${one} without ${other}: bring your copy of both, or take the line out`,
    );
  }
  const none = !found.ca && !found.caKey;
  await sign(place, none ? await establish(place) : authority(place, found), []);
  return true;
}

/** A new leaf under the same CA: registries that trust the CA notice nothing. */
export async function rotate(place) {
  const found = inspect(place);
  if (!found.leaf)
    throw new Failure(`there are no keys yet: make them with npm run keys${place.flag && " -- --remote"}`);
  const ca = authority(place, found);
  const before = [found.leaf, ...found.earlier].filter((leaf) => issued(found.ca, leaf) && !expired(leaf));
  await sign(place, ca, before.slice(0, earlierLeaves));
}

/** A new CA and a new leaf; what was signed before counts no more. */
export async function replace(place) {
  await sign(place, await establish(place), []);
}

/** The CA of this place, fit to sign. */
function authority(place, { ca, caKey }) {
  const { certificate, key } = files(place);
  const lost = `if it is lost: npm run keys -- compromised${place.flag}`;
  for (const [there, file] of [
    [ca, certificate],
    [caKey, key],
  ]) {
    if (!there) throw new Failure(`${short(file)} is missing: bring your copy of it; ${lost}`);
  }
  const fit = ca.checkPrivateKey(caKey);
  if (!fit)
    throw new Failure(`${short(key)} is not the key of ${short(certificate)}: bring your copy of both; ${lost}`);
  if (expired(ca)) throw new Failure(`the CA ended on ${lastDay(ca)}: npm run keys -- compromised${place.flag}`);
  return { certificate: `${ca}`, key: caKey.export({ format: "pem", type: "pkcs8" }) };
}

async function establish(place) {
  const ca = await newAuthority();
  keep(files(place).key, ca.key);
  keep(files(place).certificate, `${ca.certificate}\n`);
  return ca;
}

// Key and certificates are one write, so that nobody meets one without the other.
async function sign(place, ca, earlier) {
  const leaf = await newLeaf(ca);
  const key = createPrivateKey(leaf.key).export({ format: "der", type: "pkcs8" }).toString("base64");
  const chain = [leaf.certificate, ca.certificate, ...earlier].map((certificate) => `${certificate}`.trim()).join("\n");
  assign(place.secrets, { REGISTRY_KEY: key, REGISTRY_CERTIFICATE: chain });
}
