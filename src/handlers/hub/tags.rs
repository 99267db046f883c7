//! Tags: what registries told of them. The index holds no bytes, so forgetting a tag here deletes
//! nothing there.

use serde_json::{Value, json};

use crate::{
    domain::{RepositoryName, Role, time},
    handlers::{
        hub::{
            Page,
            repositories::{Reached, paged, parameter},
        },
        who,
    },
    index::Index,
    refusal::{Answer, invalid, not_found},
    store::{Row, tags},
    wire::{Reply, Request},
};

/// For a tag that is not there. Clients look for these words.
const ABSENT: &str = "tag not found";

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/tags?page=&page_size=&name=&ordering=`
///
/// The newest first, unless they are asked for in another order.
pub async fn list(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let presented = who::presented_to_management(index, request)?;
    let page = Page::read(request);
    let (part, ordering) = (parameter(request, "name"), parameter(request, "ordering"));
    let (part, ordering) = (part.as_deref().unwrap_or_default(), ordering.as_deref().unwrap_or("last_updated"));
    let Some(list) = tags::list(name, &presented.whose(index), part, ordering, page.size, page.offset()) else {
        return invalid("ordering: name or last_updated, which descend; ascending behind a -");
    };
    presented.require_within_limit(index, request).await?;
    let reached = Reached::read(index, presented, name, Some(list)).await?;
    reached.opened(name, Role::Read)?;
    let count = reached.more().first().map_or(0, |row| row.integer("count"));
    let tags = reached.more().iter().filter(|row| row.maybe_text("name").is_some()).map(object).collect();
    paged(index, request, page, count, tags)
}

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}`
pub async fn get(index: &Index, request: &Request, name: &RepositoryName, tag: &str) -> Answer<Reply> {
    let presented = who::presented_to_management(index, request)?;
    presented.require_within_limit(index, request).await?;
    let find = tags::find(name, &presented.whose(index), tag);
    let reached = Reached::read(index, presented, name, Some(find)).await?;
    reached.opened(name, Role::Read)?;
    match reached.more().first() {
        Some(row) => Ok(Reply::json(200, &object(row)).personal()),
        None => not_found(ABSENT),
    }
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}`
pub async fn delete(index: &Index, request: &Request, name: &RepositoryName, tag: &str) -> Answer<Reply> {
    let presented = who::with_session(index, request)?;
    let find = tags::find(name, &presented.whose(index), tag);
    let reached = Reached::read(index, presented, name, Some(find)).await?;
    let (repository, right) = reached.writable(name, Role::Admin)?;
    let Some(found) = reached.more().first() else { return not_found(ABSENT) };
    let (digest, by) = (found.text("digest"), reached.asker.by(index, request));
    if index.write_last([right], tags::forget(repository.id, name, tag, digest, &by)).await?.is_empty() {
        return not_found(ABSENT);
    }
    Ok(Reply::empty(204).personal())
}

/// A tag as the Hub shows it. Of what is inside an image, registries tell nothing.
fn object(row: &Row) -> Value {
    let pushed = time::print_millis(row.integer("pushed_at"));
    let pulled = row.maybe_integer("pulled_at").map(time::print);
    let image = json!({
        "architecture": "",
        "features": "",
        "variant": "",
        "digest": row.text("digest"),
        "os": "",
        "os_features": "",
        "os_version": "",
        "size": row.integer("size"),
        "status": "active",
        "last_pulled": pulled,
        "last_pushed": pushed,
        "layers": [],
    });
    json!({
        "id": row.integer("id"),
        "name": row.text("name"),
        "images": [image],
        "creator": 0,
        "last_updated": pushed,
        "last_updater": 0,
        "last_updater_username": row.text("pushed_by"),
        "repository": row.integer("repository_id"),
        "full_size": row.integer("size"),
        "v2": true,
        "status": "active",
        "tag_status": "active",
        "tag_last_pulled": pulled,
        "tag_last_pushed": pushed,
        "media_type": row.text("media_type"),
        "content_type": "image",
        "digest": row.text("digest"),
    })
}
