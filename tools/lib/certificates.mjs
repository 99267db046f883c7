// The certificates behind registry tokens: a CA that registries trust for years, and leaves whose keys sign.

import { createPrivateKey, createPublicKey, webcrypto, X509Certificate } from "node:crypto";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const authorityName = "CN=hublet registry token CA";
const leafName = "CN=hublet registry token signer";
const day = 86_400_000;

/** A new CA, as PEM. */
export async function newAuthority() {
  const { BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags } = await x509();
  const keys = await newKeys();
  return {
    certificate: await certificate({
      subject: authorityName,
      publicKey: keys.publicKey,
      signer: keys,
      until: inYears(10),
      extensions: [
        new BasicConstraintsExtension(true, 0, true), // it signs leaves and nothing else
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    }),
    key: await pem(keys.privateKey),
  };
}

/** A new key with its certificate under this CA, all as PEM. */
export async function newLeaf(ca) {
  const { AuthorityKeyIdentifierExtension, BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags } =
    await x509();
  const keys = await newKeys();
  const signer = await imported(ca.key);
  return {
    certificate: await certificate({
      subject: leafName,
      publicKey: keys.publicKey,
      signer,
      // No leaf outlives its CA: registries look at both.
      until: new Date(Math.min(Number(inYears(2)), Number(new X509Certificate(ca.certificate).validToDate))),
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        await AuthorityKeyIdentifierExtension.create(signer.publicKey),
      ],
    }),
    key: await pem(keys.privateKey),
  };
}

/** The certificates in a PEM text, in their order. */
export const certificates = (text) =>
  (text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (block) => new X509Certificate(block),
  );

/** Whether this CA, and no other of the same name, signed the certificate. */
export const issued = (ca, leaf) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey);

export const expired = ({ validToDate }) => validToDate <= Date.now();

/** Whole days until a certificate ends; fewer than none where it has. */
export const daysLeft = ({ validToDate }) => Math.floor((validToDate - Date.now()) / day);

/** The day on which a certificate ends. */
export const lastDay = ({ validToDate }) => validToDate.toISOString().slice(0, 10);

// From a package that may only just have been installed, so not before it is needed. It wants the first one there.
async function x509() {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

async function certificate({ subject, publicKey, signer, until, extensions }) {
  const { X509CertificateGenerator, SubjectKeyIdentifierExtension } = await x509();
  const made = await X509CertificateGenerator.create({
    subject, // the serial number is 16 random bytes unless one is given
    issuer: authorityName,
    notBefore: new Date(Date.now() - day), // a registry's clock may be late
    notAfter: until,
    publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: algorithm,
    extensions: [...extensions, await SubjectKeyIdentifierExtension.create(publicKey)],
  });
  return made.toString("pem");
}

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

async function pem(privateKey) {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey));
  return createPrivateKey({ key: bytes, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" });
}

async function imported(key) {
  const der = (object, type) => object.export({ format: "der", type });
  const { subtle } = webcrypto;
  return {
    privateKey: await subtle.importKey("pkcs8", der(createPrivateKey(key), "pkcs8"), algorithm, false, ["sign"]),
    publicKey: await subtle.importKey("spki", der(createPublicKey(key), "spki"), algorithm, true, ["verify"]),
  };
}

function inYears(years) {
  const date = new Date();
  date.setUTCFullYear(date.getUTCFullYear() + years);
  return date;
}
