//! Tags, as registries reported them. The index holds no bytes: the tool beside a registry deletes a tag there, and
//! without it the tag is forgotten here.

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryName, Role, manifests, texts, time},
    error::{Fault, Result, invalid, not_found},
    handlers::hub::{Pagination, deleted, paged, query_parameter},
    store::{
        Transaction, deletions,
        tags::{self, Tag},
    },
    wire::{Request, Response},
};

/// 404 for a tag that does not exist. Clients look for these words.
const TAG_NOT_FOUND: &str = "tag not found";

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/tags?page=&page_size=&name=&ordering=`
///
/// The newest first, unless they are asked for in another order.
pub async fn list(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let page = Pagination::read(request);
    let (part, ordering) = (query_parameter(request, "name"), query_parameter(request, "ordering"));
    let (part, ordering) = (part.as_deref().unwrap_or_default(), ordering.as_deref().unwrap_or("last_updated"));
    let Some(list) = tags::list(name, &credentials.subject(ctx), part, ordering, page.size, page.offset()) else {
        return invalid("ordering: name or last_updated, which descend; ascending behind a -");
    };
    credentials.require_anonymous_limit(ctx, request).await?;
    let (guard, tags) = RepositoryGuard::authenticate_with(ctx, credentials, name, list).await?;
    guard.require(Role::Read)?;
    let results = tags.items.iter().map(to_json).collect::<Result<_, _>>()?;
    paged(ctx, request, page, tags.head.count, results)
}

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}`
pub async fn get(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    tag: &str,
) -> Result<Response> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let find = tags::find(name, &credentials.subject(ctx), tag);
    let (guard, tag) = RepositoryGuard::authenticate_with(ctx, credentials, name, find).await?;
    guard.require(Role::Read)?;
    match tag {
        Some(tag) => Ok(Response::json(200, &to_json(&tag)?).no_store()),
        None => not_found(TAG_NOT_FOUND),
    }
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}`
pub async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    tag: &str,
) -> Result<Response> {
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
    Ok(deleted(requested, if requested { 202 } else { 200 }))
}

/// A tag in the form of the Hub.
fn to_json(tag: &Tag) -> Result<Value, Fault> {
    let pushed = time::format_rfc3339_ms(tag.pushed_at);
    let companion = manifests::companion(&tag.name);
    let images = images(tag)?.iter().map(|image| shown(image, &pushed)).collect::<Vec<_>>();
    let size = images.iter().filter_map(|image| image["size"].as_i64()).find(|size| *size > 0);
    Ok(json!({
        "id": tag.id,
        "name": tag.name,
        "images": images,
        "creator": 0,
        "last_updated": pushed,
        "last_updater": 0,
        "last_updater_username": texts::line(&tag.pushed_by),
        "repository": tag.repository_id,
        "full_size": size.unwrap_or_default(),
        "v2": true,
        "status": "active",
        "tag_status": "active",
        "tag_last_pulled": tag.pulled_at.map(time::format_rfc3339),
        "tag_last_pushed": pushed,
        "media_type": tag.media_type,
        "content_type": if companion.is_some() { "unrecognized" } else { "image" },
        "companion": companion,
        "digest": tag.digest,
        "created": tag.created_at.map(time::format_rfc3339_ms),
        "labels": read(tag.labels.as_deref())?,
        "imported": tag.is_imported,
        "deletion": deletion(tag)?,
    }))
}

/// JSON that the database made.
fn read(text: Option<&str>) -> Result<Value, Fault> {
    let damaged = |error| Fault::bug(format!("what is known of a tag is damaged: {error}"));
    text.map_or(Ok(Value::Null), |text| serde_json::from_str(text).map_err(damaged))
}

/// The deletion that is requested of the registry.
fn deletion(tag: &Tag) -> Result<Value, Fault> {
    let mut deletion = read(tag.deletion.as_deref())?;
    if let Some(requested_at) = deletion.get_mut("requested_at") {
        *requested_at = requested_at.as_i64().map(time::format_rfc3339_ms).into();
    }
    Ok(deletion)
}

/// The images of a tag: those that an index names, or the one that it is, for which an index may have named the
/// platform.
fn images(tag: &Tag) -> Result<Vec<Value>, Fault> {
    if let Value::Array(named) = read(Some(&tag.images))?
        && !named.is_empty()
    {
        return Ok(named);
    }
    let platform = read(tag.platform.as_deref())?;
    Ok(vec![json!({
        "digest": tag.digest,
        "os": platform.get("os"),
        "architecture": platform.get("architecture"),
        "variant": platform.get("variant"),
        "size": tag.content_size,
        "pulled_at": tag.content_pulled_at,
    })])
}

/// An image in the form of the Hub, which has a word for an unknown platform, too.
fn shown(image: &Value, pushed: &str) -> Value {
    let text = |name: &str| image[name].as_str().unwrap_or_default();
    let known = |name: &str| Some(text(name)).filter(|text| !text.is_empty()).unwrap_or("unknown");
    json!({
        "architecture": known("architecture"),
        "features": "",
        "variant": text("variant"),
        "digest": text("digest"),
        "os": known("os"),
        "os_features": "",
        "os_version": "",
        "size": image["size"].as_i64().unwrap_or_default(),
        "status": "active",
        "last_pulled": image["pulled_at"].as_i64().map(time::format_rfc3339_ms),
        "last_pushed": pushed,
        "layers": [],
    })
}
