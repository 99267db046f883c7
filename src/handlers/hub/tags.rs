//! Tags, as registries reported them. The index holds no bytes: the tool beside a registry deletes a tag there, and
//! without it the tag is forgotten here.

use serde_json::{Value, json};

use crate::{
    auth::Credentials,
    context::Context,
    domain::{RepositoryName, manifests, texts, time},
    error::{Fault, Result},
    handlers::hub::{Pagination, deleted, paged, query_parameter},
    operations::tags::{self, ListTags},
    store::tags::{Image, Tag},
    wire::{Request, Response},
};

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
    let wanted = ListTags { name: part, ordering, limit: page.size, offset: page.offset() };
    let (_, tags) = tags::list(ctx, request, credentials, name, &wanted).await?;
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
    let (_, tag) = tags::get(ctx, request, credentials, name, tag).await?;
    Ok(Response::json(200, &to_json(&tag)?).no_store())
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}`
pub async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    tag: &str,
) -> Result<Response> {
    let requested = tags::delete(ctx, request, credentials, name, &[tag]).await?.requested > 0;
    Ok(deleted(requested, if requested { 202 } else { 200 }))
}

/// A tag in the form of the Hub.
fn to_json(tag: &Tag) -> Result<Value, Fault> {
    let pushed = time::format_rfc3339_ms(tag.pushed_at);
    let companion = manifests::companion(&tag.name);
    let images = tag.images()?;
    let size = images.iter().filter_map(|image| image.size).find(|size| *size > 0);
    let deletion = tag.deletion()?.map(|deletion| {
        json!({
            "requested_at": time::format_rfc3339_ms(deletion.requested_at),
            "requested_by": deletion.requested_by,
            "refusal": deletion.refusal,
        })
    });
    Ok(json!({
        "id": tag.id,
        "name": tag.name,
        "images": images.iter().map(|image| image_to_json(image, &pushed)).collect::<Vec<_>>(),
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
        "labels": tag.labels()?,
        "imported": tag.is_imported,
        "deletion": deletion,
    }))
}

/// An image in the form of the Hub, which has a word for an unknown platform, too.
fn image_to_json(image: &Image, pushed: &str) -> Value {
    let known = |text: &str| if text.is_empty() { "unknown" } else { text }.to_owned();
    json!({
        "architecture": known(&image.architecture),
        "features": "",
        "variant": image.variant,
        "digest": image.digest,
        "os": known(&image.os),
        "os_features": "",
        "os_version": "",
        "size": image.size.unwrap_or_default(),
        "status": "active",
        "last_pulled": image.pulled_at.map(time::format_rfc3339_ms),
        "last_pushed": pushed,
        "layers": [],
    })
}
