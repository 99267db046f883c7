//! Tags, as registries reported them. The index holds no bytes: the tool beside a registry deletes a tag there, and
//! without it the tag is forgotten here.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryName, Role},
    error::{Fault, Result, invalid, not_found},
    store::{
        Page, Transaction, deletions,
        tags::{self, Tag},
    },
    wire::Request,
};

/// 404 for a tag that does not exist. Clients look for these words.
const TAG_NOT_FOUND: &str = "tag not found";

/// Which tags of a repository are listed, and in which order.
pub struct ListTags<'a> {
    /// A text that their names contain, in any case.
    pub name: &'a str,
    /// `name`, which descends, or `last_updated`, the newest first; the other way after a `-`.
    pub ordering: &'a str,
    /// The most items.
    pub limit: i64,
    /// The number of items before them.
    pub offset: i64,
}

/// A page of the tags of a repository.
pub async fn list(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    wanted: &ListTags<'_>,
) -> Result<Page<Tag>> {
    let ListTags { name: part, ordering, limit, offset } = *wanted;
    let Some(list) = tags::list(name, &credentials.subject(ctx), part, ordering, limit, offset) else {
        return invalid("ordering: name or last_updated, which descend; ascending behind a -");
    };
    credentials.require_anonymous_limit(ctx, request).await?;
    let (guard, tags) = RepositoryGuard::authenticate_with(ctx, credentials, name, list).await?;
    guard.require(Role::Read)?;
    Ok(tags)
}

/// A tag of a repository.
pub async fn get(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    tag: &str,
) -> Result<Tag> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let find = tags::find(name, &credentials.subject(ctx), tag);
    let (guard, tag) = RepositoryGuard::authenticate_with(ctx, credentials, name, find).await?;
    guard.require(Role::Read)?;
    tag.map_or_else(|| not_found(TAG_NOT_FOUND), Ok)
}

/// Deletes a tag; returns whether a tool beside a registry will delete it there.
pub async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    tag: &str,
) -> Result<bool> {
    let find = tags::find(name, &credentials.subject(ctx), tag);
    let (guard, found) = RepositoryGuard::authenticate_with(ctx, credentials, name, find).await?;
    let (repository, right) = guard.require_to_write(Role::Admin)?;
    let Some(found) = found else { return not_found(TAG_NOT_FOUND) };
    let (mut transaction, by) = (Transaction::new(), guard.principal.by(ctx, request));
    let requested = deletions::request_tag(&mut transaction, repository.id, name, (tag, &found.digest), &by);
    let forgotten = tags::forget(&mut transaction, repository.id, name, tag, &found.digest, &by);
    let mut outcome = ctx.commit([right], transaction).await?;
    let (requested, forgotten) = (outcome.take(requested)?, outcome.take(forgotten)?);
    if !requested && !forgotten {
        return not_found(TAG_NOT_FOUND);
    }
    Ok(requested)
}

/// What is known of what a tag names.
pub struct TagContents {
    /// The images of an index, or the one that it is.
    pub images: Vec<TagImage>,
    /// The bytes of the first image whose size is known.
    pub size: Option<i64>,
    /// A JSON object of the labels of the image, as far as a reconciler read them; else null.
    pub labels: Value,
    /// The deletion that is requested of the registry.
    pub deletion: Option<TagDeletion>,
}

/// An image that a tag names; a text is empty where it is not known.
pub struct TagImage {
    /// Its digest.
    pub digest: String,
    /// The operating system that it is for.
    pub os: String,
    /// The processor that it is for.
    pub architecture: String,
    /// The kind of that processor.
    pub variant: String,
    /// Bytes.
    pub size: Option<i64>,
    /// Milliseconds since 1970.
    pub pulled_at: Option<i64>,
}

/// A deletion that a tool beside the registry has to do.
#[derive(Deserialize)]
pub struct TagDeletion {
    /// Milliseconds since 1970.
    pub requested_at: i64,
    /// The name of the user who requested it.
    pub requested_by: String,
    /// Why the tool did not do it; empty if it did not try.
    pub refusal: String,
}

impl TagContents {
    /// Reads the JSON that the database made of it.
    pub fn parse(tag: &Tag) -> Result<Self, Fault> {
        let images = images(tag)?.iter().map(TagImage::new).collect::<Vec<_>>();
        let size = images.iter().filter_map(|image| image.size).find(|size| *size > 0);
        Ok(Self { images, size, labels: parse(tag.labels.as_deref())?, deletion: parse(tag.deletion.as_deref())? })
    }
}

impl TagImage {
    fn new(image: &Value) -> Self {
        let text = |name: &str| image[name].as_str().unwrap_or_default().to_owned();
        Self {
            digest: text("digest"),
            os: text("os"),
            architecture: text("architecture"),
            variant: text("variant"),
            size: image["size"].as_i64(),
            pulled_at: image["pulled_at"].as_i64(),
        }
    }
}

/// JSON that the database made.
fn parse<T: DeserializeOwned + Default>(text: Option<&str>) -> Result<T, Fault> {
    let damaged = |error| Fault::bug(format!("what is known of a tag is damaged: {error}"));
    text.map_or_else(|| Ok(T::default()), |text| serde_json::from_str(text).map_err(damaged))
}

/// The images of a tag: those that an index names, or the one that it is, for which an index may have named the
/// platform.
fn images(tag: &Tag) -> Result<Vec<Value>, Fault> {
    if let Value::Array(named) = parse(Some(&tag.images))?
        && !named.is_empty()
    {
        return Ok(named);
    }
    let platform: Value = parse(tag.platform.as_deref())?;
    Ok(vec![json!({
        "digest": tag.digest,
        "os": platform.get("os"),
        "architecture": platform.get("architecture"),
        "variant": platform.get("variant"),
        "size": tag.content_size,
        "pulled_at": tag.content_pulled_at,
    })])
}
