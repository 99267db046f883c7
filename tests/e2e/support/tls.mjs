// A CA of a test's own, and servers with certificates for any name.

import https from "node:https";
import http from "node:http";
import { webcrypto } from "node:crypto";
import "reflect-metadata";
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Makes a key and a certificate for it, as PEM: of itself, or signed by `ca`. `names` are host names and IP addresses. */
export async function certify({ names = [], ca } = {}) {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const subject = `CN=${names[0] ?? "a test's own CA"}`;
  const made = await X509CertificateGenerator.create({
    subject,
    issuer: ca?.subject ?? subject,
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
    publicKey: keys.publicKey,
    signingKey: (ca?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(!names.length, undefined, true),
      ...(names.length
        ? [
            new SubjectAlternativeNameExtension(
              names.map((value) => ({ type: /^[\d.]+$/.test(value) ? "ip" : "dns", value })),
            ),
          ]
        : []),
    ],
  });
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = `-----BEGIN PRIVATE KEY-----\n${bytes.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
  return { subject, keys, key, cert: `${made.toString("pem")}\n` };
}

/** A server with such a certificate on a free port of 127.0.0.1. */
export async function serve({ key, cert }, handler) {
  const server = https.createServer({ key, cert }, handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: server.address().port,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * What Cloudflare is before a worker: it wants the name of the worker as Host, says who connected, and adds that to the
 * end of X-Forwarded-For. `index` is where the worker is.
 */
export const cloudflare = (name, index) => (request, response) => {
  const { method, url: path, headers, socket } = request;
  if (headers.host.toLowerCase() !== name.toLowerCase())
    return response.writeHead(404).end(`no worker at ${headers.host}`);
  const peer = socket.remoteAddress;
  const forwarded = [headers["x-forwarded-for"], peer].filter(Boolean).join(", ");
  const told = { ...headers, host: new URL(index).host, "cf-connecting-ip": peer, "x-forwarded-for": forwarded };
  const onward = http.request(index, { method, path, headers: told }, (answer) => {
    response.writeHead(answer.statusCode, answer.headersDistinct);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
};
