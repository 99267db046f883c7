// The storage of a distribution registry, written as it writes it itself: thousands of tags in seconds, and no
// notification of any of them.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const json = (value) => Buffer.from(JSON.stringify(value));
const oci = (name) => `application/vnd.oci.image.${name}`;

/** A tar of nothing. */
const EMPTY = zlib.gzipSync(Buffer.alloc(1024));

export class RegistryStorage {
  /** In the `rootdirectory` of a registry. */
  constructor(folder) {
    this.folder = path.join(folder, "docker/registry/v2");
  }

  #repository = (name, ...rest) => path.join(this.folder, "repositories", name, ...rest);

  #write(file, bytes) {
    if (existsSync(file)) return;
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }

  /** Bytes that a repository has; gives their descriptor. */
  blob(repository, mediaType, bytes) {
    const hex = sha256(bytes);
    this.#write(path.join(this.folder, "blobs/sha256", hex.slice(0, 2), hex, "data"), bytes);
    this.#write(this.#repository(repository, "_layers/sha256", hex, "link"), `sha256:${hex}`);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  }

  /** A manifest that a repository has; gives its descriptor. */
  manifest(repository, value) {
    const bytes = json(value);
    const hex = sha256(bytes);
    this.#write(path.join(this.folder, "blobs/sha256", hex.slice(0, 2), hex, "data"), bytes);
    this.#write(this.#repository(repository, "_manifests/revisions/sha256", hex, "link"), `sha256:${hex}`);
    return { mediaType: value.mediaType, digest: `sha256:${hex}`, size: bytes.length };
  }

  /** Gives a manifest a tag, or moves the tag to it. */
  tag(repository, tag, { digest }) {
    const at = (...rest) => this.#repository(repository, "_manifests/tags", tag, ...rest);
    this.#write(at("index/sha256", digest.slice("sha256:".length), "link"), digest);
    mkdirSync(at("current"), { recursive: true });
    writeFileSync(at("current/link"), digest);
  }

  /** Takes a tag away, and leaves its manifest. */
  untag(repository, tag) {
    rmSync(this.#repository(repository, "_manifests/tags", tag), { recursive: true });
  }

  /** Takes a repository away. */
  lose(repository) {
    rmSync(this.#repository(repository), { recursive: true });
  }

  /** An image of one layer, unlike all with another `text`, as `manifest` gives it. */
  image(repository, text, { architecture = "amd64", labels, created = "2025-06-01T10:00:00Z" } = {}) {
    const rootfs = { type: "layers", diff_ids: [`sha256:${sha256(text)}`] };
    const configuration = { architecture, os: "linux", created, config: { Labels: labels }, rootfs, author: text };
    const config = this.blob(repository, oci("config.v1+json"), json(configuration));
    const layer = this.blob(repository, oci("layer.v1.tar+gzip"), EMPTY);
    return this.manifest(repository, { schemaVersion: 2, mediaType: oci("manifest.v1+json"), config, layers: [layer] });
  }

  /** An index of an image for each of three platforms. */
  index(repository, text) {
    const manifests = ["amd64", "arm64", "s390x"].map((architecture) => ({
      ...this.image(repository, `${text} for ${architecture}`, { architecture }),
      platform: { os: "linux", architecture },
    }));
    return this.manifest(repository, { schemaVersion: 2, mediaType: oci("index.v1+json"), manifests });
  }

  /** A signature of an image, as cosign tags it; gives the tag. */
  signature(repository, image) {
    const config = this.blob(repository, oci("config.v1+json"), json({ architecture: "", os: "", rootfs: {} }));
    const layer = this.blob(repository, "application/vnd.dev.cosign.simplesigning.v1+json", json({ of: image.digest }));
    const value = { schemaVersion: 2, mediaType: oci("manifest.v1+json"), config, layers: [layer] };
    const tag = `${image.digest.replace(":", "-")}.sig`;
    this.tag(repository, tag, this.manifest(repository, value));
    return tag;
  }

  /** A chart of helm. */
  chart(repository, name, version) {
    const of = (kind) => `application/vnd.cncf.helm.${kind}`;
    const config = this.blob(repository, of("config.v1+json"), json({ name, version, apiVersion: "v2" }));
    const layer = this.blob(repository, of("chart.content.v1.tar+gzip"), EMPTY);
    const annotations = { "org.opencontainers.image.title": name, "org.opencontainers.image.version": version };
    const value = { schemaVersion: 2, mediaType: oci("manifest.v1+json"), config, layers: [layer], annotations };
    return this.manifest(repository, value);
  }
}

function make(storage, { name, text, tag, isIndex, isChart }) {
  if (isIndex) return storage.index(name, text);
  if (isChart) return storage.chart(name, name.split("/")[1], tag);
  return storage.image(name, text, { labels: { "org.opencontainers.image.version": tag } });
}

/**
 * A large registry: `repositories` with `tags` in all, among them indexes of three platforms, signatures and charts.
 * Gives the tags by the name of the repository.
 */
export function fill(storage, { repositories, tags }) {
  const all = new Map();
  for (let at = 0; at < repositories; at += 1) {
    const name = `acme/app-${String(at).padStart(4, "0")}`;
    const names = [];
    const add = (tag, manifest) => {
      storage.tag(name, tag, manifest);
      names.push(tag);
    };
    const many = Math.floor(tags / repositories) + (at < tags % repositories ? 1 : 0);
    for (let number = 0; names.length < many; number += 1) {
      const [tag, text] = [`1.${number}`, `${name} ${number}`];
      const made = make(storage, { name, text, tag, isIndex: number % 8 === 1, isChart: at % 50 === 3 });
      add(tag, made);
      if (number === 0 && names.length < many) names.push(storage.signature(name, made));
    }
    all.set(name, names);
  }
  return all;
}
