//! Tags, as registries reported them. The index holds no bytes: the tool beside a registry deletes a tag there, and
//! without it the tag is forgotten here.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryName, Role},
    error::{Result, invalid, not_found},
    store::{
        Page, Transaction, deletions,
        tag_digests::{self, NamedDigest},
        tags::{self, Tag},
    },
    wire::Request,
};

/// 404 for a tag that does not exist. Clients look for these words.
const TAG_NOT_FOUND: &str = "tag not found";

/// The most tags that are deleted at once: as many as a page of the API lists.
pub const MAX_DELETED: usize = 100;

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
pub async fn list<'a>(
    ctx: &'a Context,
    request: &Request,
    credentials: &'a Credentials,
    name: &'a RepositoryName,
    wanted: &ListTags<'_>,
) -> Result<(RepositoryGuard<'a>, Page<Tag>)> {
    let ListTags { name: part, ordering, limit, offset } = *wanted;
    let Some(list) = tags::list(name, &credentials.subject(ctx), part, ordering, (limit, offset)) else {
        return invalid("ordering: name or last_updated, which descend; ascending behind a -");
    };
    credentials.require_anonymous_limit(ctx, request).await?;
    let (guard, tags) = RepositoryGuard::authenticate_with(ctx, credentials, name, list).await?;
    guard.require(Role::Read)?;
    Ok((guard, tags))
}

/// A tag of a repository.
pub async fn get<'a>(
    ctx: &'a Context,
    request: &Request,
    credentials: &'a Credentials,
    name: &'a RepositoryName,
    tag: &str,
) -> Result<(RepositoryGuard<'a>, Tag)> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let find = tags::find(name, &credentials.subject(ctx), tag);
    let (guard, tag) = RepositoryGuard::authenticate_with(ctx, credentials, name, find).await?;
    guard.require(Role::Read)?;
    tag.map_or_else(|| not_found(TAG_NOT_FOUND), |tag| Ok((guard, tag)))
}

/// What became of tags that were to be deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeletedTags {
    /// How many a tool beside a registry will delete there.
    pub requested: usize,
    /// How many are forgotten here, and a registry keeps them.
    pub forgotten: usize,
}

/// Deletes the tags of these names, at most [`MAX_DELETED`]; one that is gone already is passed over, but not if all are.
pub async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    names: &[&str],
) -> Result<DeletedTags> {
    let listed = names.iter().take(MAX_DELETED).collect::<Vec<_>>();
    let digests = tag_digests::list(name, &credentials.subject(ctx), &json!(listed).to_string());
    let (guard, digests) = RepositoryGuard::authenticate_with(ctx, credentials, name, digests).await?;
    let (repository, right) = guard.require_to_write(Role::Admin)?;
    if names.is_empty() {
        return invalid("No tag is marked");
    }
    if names.len() > MAX_DELETED {
        return invalid(format!("At most {MAX_DELETED} tags are deleted at once"));
    }
    if digests.is_empty() {
        return not_found(TAG_NOT_FOUND);
    }
    let tags = digests.iter().map(|NamedDigest { tag, digest }| json!([tag, digest])).collect::<Value>();
    let (tags, by) = (Rc::from(tags.to_string()), guard.principal.by(ctx, request));
    let mut transaction = Transaction::new();
    let requested = deletions::request_tags(&mut transaction, repository.id, name, &tags, &by);
    let forgotten = tags::forget(&mut transaction, repository.id, name, &tags, &by);
    let mut outcome = ctx.commit([right], transaction).await?;
    let (requested, forgotten) = (outcome.take(requested)?, outcome.take(forgotten)?);
    // One that two registries have may be both.
    let only_forgotten = forgotten.iter().filter(|tag| !requested.contains(tag)).count();
    let deleted = DeletedTags { requested: requested.len(), forgotten: only_forgotten };
    if deleted == DeletedTags::default() {
        return not_found(TAG_NOT_FOUND);
    }
    Ok(deleted)
}
