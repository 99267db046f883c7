// Images made here, in the layout of the Open Container Initiative: nothing is fetched from anywhere.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { succeed } from "./programs.mjs";
import { scratch } from "./scratch.mjs";

const digest = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A tar of one small file with this text; gives its path. */
export async function makeTar(text) {
  const folder = scratch();
  mkdirSync(path.join(folder, "root"));
  writeFileSync(path.join(folder, "root/text"), text);
  const tar = path.join(folder, "layer.tar");
  await succeed("tar", ["--create", "--file", tar, "--directory", path.join(folder, "root"), "."]);
  return tar;
}

/** An image of one layer: `name` is what skopeo calls it, `digest` that of its manifest, `folder` where it is. */
export async function makeImage(text) {
  const folder = scratch();
  mkdirSync(path.join(folder, "blobs/sha256"), { recursive: true });
  const keep = (mediaType, bytes) => {
    const name = digest(bytes);
    writeFileSync(path.join(folder, "blobs", name.replace(":", "/")), bytes);
    return { mediaType, digest: name, size: bytes.length };
  };
  const type = (name) => `application/vnd.oci.image.${name}`;
  const json = (value) => Buffer.from(JSON.stringify(value));
  const tar = readFileSync(await makeTar(text));
  const layer = keep(type("layer.v1.tar+gzip"), zlib.gzipSync(tar));
  const rootfs = { type: "layers", diff_ids: [digest(tar)] };
  const config = keep(type("config.v1+json"), json({ architecture: "amd64", os: "linux", config: {}, rootfs }));
  const mediaType = type("manifest.v1+json");
  const manifest = keep(mediaType, json({ schemaVersion: 2, mediaType, config, layers: [layer] }));
  const named = { ...manifest, annotations: { "org.opencontainers.image.ref.name": "made" } };
  writeFileSync(path.join(folder, "index.json"), json({ schemaVersion: 2, manifests: [named] }));
  writeFileSync(path.join(folder, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
  return { folder, name: `oci:${folder}:made`, digest: manifest.digest };
}

/** All bytes of a layout by their digest, each of which they must have. */
export function blobs(folder) {
  const names = readdirSync(path.join(folder, "blobs/sha256")).sort();
  return names.map((name) => {
    const bytes = readFileSync(path.join(folder, "blobs/sha256", name));
    if (digest(bytes) !== `sha256:${name}`) throw new Error(`${name} has other bytes`);
    return [name, bytes];
  });
}
