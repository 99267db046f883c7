//! What notifications report of a manifest: the size of an image, and the images that an index names.

use serde_json::{Map, Value, json};

use crate::domain::{
    notifications::{LARGEST, is_digest, text},
    time,
};

/// The most images of an index that are kept.
const MAX_REFERENCES: usize = 100;

/// The longest name of a system or an architecture, in bytes.
const MAX_TEXT_LENGTH: usize = 40;

/// What is known of a manifest's content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Bytes of an image, its configuration and its layers together; `None` if they are not known.
    pub size: Option<i64>,
    /// The images that an index names.
    pub images: Vec<Image>,
}

/// An image in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Of its manifest.
    pub digest: String,
    /// `linux`; empty if it is not known, as the next two.
    pub os: String,
    /// `arm64`
    pub architecture: String,
    /// `v8`
    pub variant: String,
}

/// What the configuration of an image says. A registry does not report it: the tool beside it reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// When the image was made, in milliseconds since 1970; `None` where it names no such moment.
    pub created: Option<i64>,
    /// The labels `org.opencontainers.image.*`, and the annotations of that name.
    pub labels: Value,
    /// `os`, `architecture` and `variant`; null if there is none.
    pub platform: Value,
}

/// Milliseconds since 1970 of the first of March 2013, before which there was no image: what is reproducible is often of
/// 1970 or 1980.
const FIRST_IMAGE: i64 = 1_362_096_000_000;

/// The most labels of an image that are kept, and the longest of them, in bytes.
const MAX_LABELS: usize = 20;
const MAX_LABEL_NAME_LENGTH: usize = 100;
const MAX_LABEL_LENGTH: usize = 500;
const LABELS: &str = "org.opencontainers.image.";

impl Configuration {
    /// Of the target of a report; `None` where the tool did not read the manifest, and names no references.
    #[must_use]
    pub fn of_target(target: &Value, now: i64) -> Option<Self> {
        target.get("references")?.as_array()?;
        let created = target.get("created").and_then(Value::as_str).and_then(time::parse_millis);
        let labels = target.get("labels").unwrap_or(&Value::Null);
        let names = labels.as_object().into_iter().flat_map(Map::keys);
        let names = names.filter(|name| name.starts_with(LABELS) && name.len() <= MAX_LABEL_NAME_LENGTH);
        let label = |name: &String| (name.clone(), text(labels, name, MAX_LABEL_LENGTH).into());
        Some(Self {
            created: created.filter(|created| (FIRST_IMAGE..=now).contains(created)),
            labels: names.take(MAX_LABELS).map(label).collect::<Map<_, _>>().into(),
            platform: target.get("platform").filter(|platform| platform.is_object()).map_or(Value::Null, |platform| {
                let [os, architecture, variant] = platform_of(platform);
                json!({ "os": os, "architecture": architecture, "variant": variant })
            }),
        })
    }
}

fn platform_of(platform: &Value) -> [String; 3] {
    ["os", "architecture", "variant"].map(|name| text(platform, name, MAX_TEXT_LENGTH))
}

impl Content {
    /// Of the `references` of a notification: what a manifest of this type points at.
    #[must_use]
    pub fn of_references(media_type: &str, references: Option<&Value>) -> Self {
        let references = references.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if is_index(media_type) { Self::of_index(references) } else { Self::of_parts(references) }
    }

    /// Of a manifest itself.
    #[must_use]
    pub fn of_manifest(manifest: &str) -> Self {
        let Ok(manifest) = serde_json::from_str::<Value>(manifest) else { return Self::default() };
        if let Some(images) = manifest.get("manifests").and_then(Value::as_array) {
            return Self::of_index(images);
        }
        let layers = manifest.get("layers").and_then(Value::as_array).into_iter().flatten();
        let parts = manifest.get("config").into_iter().chain(layers).cloned().collect::<Vec<_>>();
        Self::of_parts(&parts)
    }

    fn of_index(references: &[Value]) -> Self {
        let image = |reference: &Value| {
            let [os, architecture, variant] = platform_of(reference.get("platform").unwrap_or(&Value::Null));
            let digest = text(reference, "digest", 200);
            is_digest(&digest).then_some(Image { digest, os, architecture, variant })
        };
        Self { size: None, images: references.iter().filter_map(image).take(MAX_REFERENCES).collect() }
    }

    /// Manifests of the first schema have no sizes: `None`.
    fn of_parts(parts: &[Value]) -> Self {
        let sizes = parts.iter().map(|part| part.get("size").and_then(Value::as_i64).filter(|size| *size >= 0));
        let size = sizes.reduce(|all, size| Some(all?.saturating_add(size?))).flatten();
        Self { size: size.map(|size| size.min(LARGEST)), images: Vec::new() }
    }
}

fn is_index(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json"
    )
}

/// What a tag is that tools put beside an image of this digest: its signature, an attestation or a list of its
/// parts (cosign's `sha256-HEX.sig`, `.att` and `.sbom`), or the list of what refers to it (`sha256-HEX`).
#[must_use]
pub fn companion(tag: &str) -> Option<&'static str> {
    let (hex, kind) = tag.strip_prefix("sha256-")?.split_at_checked(64)?;
    let is_hex = hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let kind = match kind {
        ".sig" => "signature",
        ".att" => "attestation",
        ".sbom" => "sbom",
        "" => "referrers",
        _ => return None,
    };
    is_hex.then_some(kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

    #[test]
    fn image_size_is_the_sum_of_its_parts() {
        for (parts, size) in [
            (json!([{ "size": 163 }, { "size": 30_000_000 }]), Some(30_000_163)),
            (json!([{ "size": 163 }, { "digest": "sha256:aa" }]), None),
            (json!([{ "size": 163 }, { "size": -1 }]), None),
            (json!([{ "size": i64::MAX }, { "size": i64::MAX }]), Some(LARGEST)),
            (json!([]), None),
            (json!({}), None),
        ] {
            assert_eq!(Content::of_references(IMAGE, Some(&parts)).size, size, "{parts}");
        }
        assert_eq!(Content::of_references(IMAGE, None), Content::default());
        let manifest = json!({ "config": { "size": 1 }, "layers": [{ "size": 2 }, { "size": 4 }] });
        assert_eq!(Content::of_manifest(&manifest.to_string()).size, Some(7));
        for other in ["", "7", "{}", r#"{"layers":7}"#] {
            assert_eq!(Content::of_manifest(other), Content::default(), "{other}");
        }
    }

    #[test]
    fn index_lists_its_images() {
        let named = json!([
            { "digest": "sha256:aa", "size": 401, "platform": { "os": "linux", "architecture": "arm64", "variant": "v8" } },
            { "digest": "sha256:bb", "size": 401 },
            { "digest": "bb", "size": 401 },
        ]);
        let told = Content::of_references(INDEX, Some(&named));
        let image = |digest: &str, [os, architecture, variant]: [&str; 3]| Image {
            digest: digest.into(),
            os: os.into(),
            architecture: architecture.into(),
            variant: variant.into(),
        };
        let images = vec![image("sha256:aa", ["linux", "arm64", "v8"]), image("sha256:bb", [""; 3])];
        assert_eq!(told, Content { size: None, images });
        assert_eq!(Content::of_manifest(&json!({ "manifests": named }).to_string()), told);
        let many = Value::Array(vec![json!({ "digest": "sha256:aa" }); MAX_REFERENCES + 1]);
        assert_eq!(Content::of_references(INDEX, Some(&many)).images.len(), MAX_REFERENCES);
    }

    #[test]
    fn attachments_are_recognized_by_tag() {
        let hex = "0123456789abcdef".repeat(4);
        for (tag, kind) in [
            (format!("sha256-{hex}.sig"), Some("signature")),
            (format!("sha256-{hex}.att"), Some("attestation")),
            (format!("sha256-{hex}.sbom"), Some("sbom")),
            (format!("sha256-{hex}"), Some("referrers")),
            (format!("sha256-{hex}.txt"), None),
            (format!("sha256-{}.sig", hex.to_uppercase()), None),
            (format!("sha256-{}.sig", "a".repeat(63)), None),
            ("latest.sig".into(), None),
            (format!("sha256-{}é", "a".repeat(63)), None),
        ] {
            assert_eq!(companion(&tag), kind, "{tag}");
        }
    }
}
