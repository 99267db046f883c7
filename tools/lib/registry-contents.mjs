// What is inside a manifest, as an event reports it: its parts, the platform, the creation and the labels of an image.

import { INDEXES } from "./registry-client.mjs";

/** Configurations that say when and for what an image was made. */
const CONFIGURATIONS = ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/** The label and the annotation that says when something was made. */
const CREATED = "org.opencontainers.image.created";

/** Labels that are reported, of the names of the Open Container Initiative alone, and their bytes, of one and of all. */
const LABEL = /^org\.opencontainers\.image\.[a-z0-9.-]{1,60}$/;
const LONGEST_LABEL = 500;
const LONGEST_LABELS = 4_000;

/** Images of an index that are reported: a report has 20 KiB at most, and the largest indexes name some thirty. */
const MOST_IMAGES = 80;

/** Layers that are reported whole; of the others the size is. */
const MOST_LAYERS = 40;

/** The first containers of Docker are of this day: reproducible builds say 1970 or 1980, and mean nothing by it. */
const FIRST_DAY = Date.parse("2013-03-20T00:00:00Z");

/** Contents that are kept to be reported again under another name. */
const MOST_KEPT = 20_000;

/** Whether a media type is that of an index. */
export const isIndex = (mediaType) => INDEXES.includes(mediaType);

/** The digests of the manifests that an index names. */
export const images = ({ mediaType, manifest }) =>
  isIndex(mediaType) ? descriptors(manifest.manifests).map(({ digest }) => digest) : [];

/** Reads the contents of manifests, those of one digest once. */
export class Contents {
  #kept = new Map(); // by digest: { target, images }

  constructor(registry) {
    this.registry = registry;
  }

  /**
   * The targets of the events that report a manifest: those of the images of an index first, its own last.
   *
   * @returns {Promise<any[]>}
   */
  async targets(repository, manifest) {
    const { target, images } = await this.#read(repository, manifest);
    return [...images, target].map((target) => ({ repository, ...target }));
  }

  async #read(repository, found, platform) {
    const kept = this.#kept.get(found.digest);
    if (kept) return kept;
    const { digest, mediaType, size, manifest } = found;
    const whole = isIndex(mediaType)
      ? await this.#index(repository, manifest)
      : { ...(await this.#image(repository, manifest, platform)), images: [] };
    const { images, ...content } = whole;
    const read = { target: { digest, mediaType, size, ...content }, images };
    if (this.#kept.size < MOST_KEPT) this.#kept.set(digest, read);
    return read;
  }

  async #index(repository, manifest) {
    const named = descriptors(manifest.manifests).slice(0, MOST_IMAGES);
    const images = [];
    for (const { digest, mediaType, platform } of named) {
      if (isIndex(mediaType)) continue; // one in another: its images are reported where it has a tag
      const image = await this.registry.manifest(repository, digest);
      if (image) images.push((await this.#read(repository, image, platform)).target); // some are pushed in parts
    }
    const references = named.map(({ digest, platform }) => present({ digest, platform }));
    const newest = images
      .map((image) => image.created ?? "")
      .sort()
      .at(-1);
    const made = created(manifest.annotations?.[CREATED]) ?? text(newest);
    return { references, images, ...present({ created: made, labels: labels(manifest.annotations) }) };
  }

  async #image(repository, manifest, platform) {
    const [config] = descriptors([manifest.config]);
    const layers = descriptors(manifest.layers).map((one, at) => (at < MOST_LAYERS ? one : { size: one.size }));
    const isImage = config && CONFIGURATIONS.includes(config.mediaType);
    const configuration = isImage ? await this.registry.configuration(repository, config) : undefined;
    return {
      references: config ? [config, ...layers] : layers,
      ...present({
        artifactType: text(manifest.artifactType),
        created: created(configuration?.created) ?? created(manifest.annotations?.[CREATED]),
        labels: labels({ ...object(manifest.annotations), ...object(configuration?.config?.Labels) }),
        platform: platformOf(configuration) ?? platformOf(platform),
      }),
    };
  }
}

/**
 * What of a list is a descriptor, with what an event has of it.
 *
 * @returns {any[]}
 */
function descriptors(list) {
  const whole = (Array.isArray(list) ? list : []).filter((one) => text(one?.digest) && text(one.mediaType));
  return whole.map(({ mediaType, digest, size, platform }) => ({
    mediaType,
    digest,
    ...(Number.isSafeInteger(size) && size >= 0 && { size }),
    ...present({ platform: platformOf(platform) }),
  }));
}

function platformOf(value) {
  const [os, architecture, variant] = ["os", "architecture", "variant"].map((name) => text(value?.[name]));
  return os && architecture ? { os, architecture, ...present({ variant }) } : undefined;
}

/** When an image was made, or nothing where its configuration does not mean it. */
export function created(value, now = Date.now()) {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) : Number.NaN;
  return at >= FIRST_DAY && at <= now ? new Date(at).toISOString() : undefined;
}

/** The labels that are reported. */
export function labels(all) {
  let length = 0;
  const fitting = Object.entries(object(all)).filter(([name, value]) => {
    if (!LABEL.test(name) || !text(value)) return false;
    const more = Buffer.byteLength(JSON.stringify([name, value]));
    if (more > LONGEST_LABEL || length + more > LONGEST_LABELS) return false;
    length += more;
    return true;
  });
  return fitting.length ? Object.fromEntries(fitting) : undefined;
}

const text = (value) => (typeof value === "string" && value !== "" ? value : undefined);
const object = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});

/**
 * An object without what is missing.
 *
 * @returns {any}
 */
const present = (all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
