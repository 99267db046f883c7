//! Images by their digests: what the tags of a repository name. The Hub had this for clients that clean up.

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryName, Role, time},
    error::{Result, invalid},
    handlers::hub::{Pagination, paged, query_parameter},
    store::{
        self,
        tags::{self, Digest, DigestCounts, Digests},
    },
    wire::{Request, Response},
};

/// Seconds within which what was pushed or pulled is active: a month, as on the Hub.
const ACTIVE: i64 = 30 * 24 * 60 * 60;

const ORDERINGS: [&str; 4] = ["last_activity", "-last_activity", "digest", "-digest"];

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/images?page=&page_size=&status=&currently_tagged=&ordering=`
///
/// What was used last comes first. The index does not know images that no tag names, so it lists none of those.
pub async fn list(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let page = Pagination::read(request);
    let text = |name: &str| query_parameter(request, name).filter(|value| !value.is_empty());
    let (status, ordering, tagged) = (text("status"), text("ordering"), text("currently_tagged"));
    let wanted = Digests {
        status: status.as_deref().unwrap_or_default(),
        active_from: (ctx.platform.now() - ACTIVE) * 1000,
        ordering: ordering.as_deref().unwrap_or("-last_activity"),
        limit: page.size,
        offset: page.offset(),
    };
    if !["", "active", "inactive"].contains(&wanted.status) {
        return invalid("status: active or inactive");
    }
    if !ORDERINGS.contains(&wanted.ordering) {
        return invalid("ordering: last_activity or digest, descending behind a -");
    }
    let untagged = match tagged.as_deref() {
        None | Some("true") => false,
        Some("false") => true,
        Some(_) => return invalid("currently_tagged: true or false"),
    };
    let images = read(ctx, request, credentials, name, &wanted).await?;
    if untagged {
        return paged(ctx, request, page, 0, Vec::new());
    }
    let results = images.items.iter().map(|image| to_json(name, image)).collect();
    paged(ctx, request, page, images.head.count, results)
}

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/images-summary`
pub async fn summary(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let active_from = ctx.platform.now() - ACTIVE;
    let wanted = Digests { status: "", active_from: active_from * 1000, ordering: "digest", limit: 1, offset: 0 };
    let DigestCounts { total, total_active: active, .. } = read(ctx, request, credentials, name, &wanted).await?.head;
    let statistics = json!({ "total": total, "active": active, "inactive": total - active });
    Ok(Response::json(200, &json!({ "active_from": time::format_rfc3339(active_from), "statistics": statistics }))
        .no_store())
}

/// The images of a repository, for a client who may read it.
async fn read(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    wanted: &Digests<'_>,
) -> Result<store::Page<Digest, DigestCounts>> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let digests = tags::digests(name, &credentials.subject(ctx), wanted);
    let (guard, digests) = RepositoryGuard::authenticate_with(ctx, credentials, name, digests).await?;
    guard.require(Role::Read)?;
    Ok(digests)
}

/// An image as the Hub showed it.
fn to_json(name: &RepositoryName, image: &Digest) -> Value {
    let mut tags = image.tags.split(' ').collect::<Vec<_>>();
    // Several registries may have the same one.
    tags.dedup();
    json!({
        "namespace": name.namespace,
        "repository": name.name,
        "digest": image.digest,
        "tags": tags.iter().map(|tag| json!({ "tag": tag, "is_current": true })).collect::<Vec<_>>(),
        "last_pushed": time::format_rfc3339_ms(image.pushed_at),
        "last_pulled": image.pulled_at.map(time::format_rfc3339_ms),
        "status": if image.is_active { "active" } else { "inactive" },
    })
}
