// Images made here, in the layout of the Open Container Initiative: nothing is fetched from anywhere.

import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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

/** An image of one layer: `name` is what skopeo calls it, `digest` that of its manifest, `folder` where it is; `size` is that of its configuration and its layer. */
export async function makeImage(text) {
  const folder = scratch();
  mkdirSync(path.join(folder, "blobs/sha256"), { recursive: true });
  const keep = (mediaType, bytes) => {
    const descriptor = { mediaType, digest: digest(bytes), size: bytes.length };
    writeFileSync(path.join(folder, "blobs", descriptor.digest.replace(":", "/")), bytes);
    return descriptor;
  };
  const type = (name) => `application/vnd.oci.image.${name}`;
  const json = (value) => Buffer.from(JSON.stringify(value));
  const tar = readFileSync(await makeTar(text));
  const layer = keep(type("layer.v1.tar+gzip"), zlib.gzipSync(tar));
  const rootfs = { type: "layers", diff_ids: [digest(tar)] };
  const config = keep(type("config.v1+json"), json({ architecture: "amd64", os: "linux", config: {}, rootfs }));
  const mediaType = type("manifest.v1+json");
  const manifest = keep(mediaType, json({ schemaVersion: 2, mediaType, config, layers: [layer] }));
  name(folder, manifest);
  return { folder, name: `oci:${folder}:made`, digest: manifest.digest, size: config.size + layer.size };
}

/** An index of images for these platforms (`os/architecture`), as `makeImage` gives it. */
export function makeIndex(images) {
  const folder = scratch();
  const manifests = Object.entries(images).map(([platform, image]) => {
    cpSync(image.folder, folder, { recursive: true });
    const [os, architecture] = platform.split("/");
    return {
      ...JSON.parse(readFileSync(path.join(image.folder, "index.json"))).manifests[0],
      annotations: undefined,
      platform: { os, architecture },
    };
  });
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  const index = { mediaType, digest: digest(bytes), size: bytes.length };
  writeFileSync(path.join(folder, "blobs", index.digest.replace(":", "/")), bytes);
  name(folder, index);
  return { folder, name: `oci:${folder}:made`, digest: index.digest };
}

/** Makes a manifest what a layout is about. */
function name(folder, manifest) {
  const named = { ...manifest, annotations: { "org.opencontainers.image.ref.name": "made" } };
  writeFileSync(path.join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  writeFileSync(path.join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
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
