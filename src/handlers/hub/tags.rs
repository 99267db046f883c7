//! Tags, as registries reported them. The index holds no bytes, so forgetting a tag here deletes nothing there.

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryName, Role, manifests, texts, time},
    error::{Fault, Result, invalid, not_found},
    handlers::hub::{Pagination, paged, query_parameter},
    store::{
        Transaction,
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
    let forgotten = tags::forget(&mut transaction, repository.id, name, tag, &found.digest, &by);
    if !ctx.commit([right], transaction).await?.take(forgotten)? {
        return not_found(TAG_NOT_FOUND);
    }
    Ok(Response::empty(204).no_store())
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
    }))
}

/// The images of a tag: those that an index names, or the one that it is, for which an index may have named the
/// platform.
fn images(tag: &Tag) -> Result<Vec<Value>, Fault> {
    let damaged = |error| Fault::bug(format!("the images of a tag are damaged: {error}"));
    let named = serde_json::from_str::<Vec<Value>>(&tag.images).map_err(damaged)?;
    if !named.is_empty() {
        return Ok(named);
    }
    let platform = serde_json::from_str::<Value>(tag.platform.as_deref().unwrap_or("{}")).map_err(damaged)?;
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
