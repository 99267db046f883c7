//! The images of a repository, and whether a token opens it.

use serde_json::{Value, json};

use crate::{
    auth,
    domain::{Access, RepositoryName, Role, images},
    handlers::v1::{opened, reached, with_endpoint, with_token, writable},
    index::Index,
    jobs::search_index,
    refusal::{Answer, Error, Refusal, forbidden, invalid, not_found},
    store::{
        self,
        images::Target,
        repositories::{self, RepositoryLookup},
        tags,
    },
    wire::{Reply, Request},
};

const ANY: [Access; 3] = [Access::Read, Access::Write, Access::Delete];

/// `GET /v1/repositories/(namespace)/(repo_name)/images`
///
/// A client lists a repository by it, and a registry asks by it whether a token is good.
pub async fn list(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let credentials = auth::v1_credentials(index, request)?;
    credentials.require_token_for(name, &ANY)?;
    credentials.require_within_limit(index, request).await?;
    let (principal, row) =
        reached(index, &credentials, repositories::lookup_with_images(name, &credentials.subject(index))).await?;
    let repository = opened(&credentials, &principal, name, &RepositoryLookup::of(&row), Role::Read)?;
    let reply = Reply::raw_json(200, images::print(row.text("images")))
        .personal()
        .with("Vary", "Accept, Authorization, X-Docker-Token");
    let reply = with_endpoint(reply, index, request);
    // Clients keep a token from any answer, so it is given only where it was asked for, and never to
    // who has one.
    let asked = request.header("x-docker-token").is_some_and(|value| !value.is_empty());
    if asked && !matches!(credentials, auth::Credentials::Token(_)) {
        return Ok(with_token(reply, index, &principal, name, repository.id, Access::Read)?);
    }
    Ok(reply)
}

/// `GET /v1/repositories/(namespace)/(repo_name)/tags`
///
/// The tags of a v1 registry are with that. This is the list that the Hub had here for programs, of what registries of
/// today told; `layer` is an image id of the v1 protocol, which these have none of.
pub async fn tags(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let credentials = auth::v1_credentials(index, request)?;
    credentials.require_token_for(name, &ANY)?;
    credentials.require_within_limit(index, request).await?;
    let names = tags::names(name, &credentials.subject(index), "", tags::MOST);
    let (principal, names) = credentials.authenticate_with(index, names).await?;
    opened(&credentials, &principal, name, &names.lookup, Role::Read)?;
    let tags = names.iter().map(|tag| json!({ "layer": "", "name": tag }));
    Ok(Reply::json(200, &tags.collect::<Value>()).personal())
}

/// `PUT /v1/repositories/(namespace)/(repo_name)/images`
///
/// The end of a push. It adds to the list and never removes; new clients send an empty one.
pub async fn update(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let credentials = auth::v1_credentials(index, request)?;
    credentials.require_somebody()?;
    credentials.require_token_for(name, &[Access::Write])?;
    let (principal, row) =
        reached(index, &credentials, repositories::lookup(name, &credentials.subject(index))).await?;
    let list = match request.body.as_deref() {
        None => return Err(Refusal::TooLarge.into()),
        Some([]) => Vec::new(),
        Some(body) => images::read(body)?,
    };
    let lookup = RepositoryLookup::of(&row);
    let (repository, right) = writable(&credentials, &principal, name, &lookup, Role::Write)?;
    let mut batch = repositories::pushed(repository.id, name, &principal.by(index, request));
    batch.extend(store::images::merge(&Target::Id(repository.id), &images::pairs(&list)));
    require_merged(&index.write_last([right], batch).await?)?;
    search_index::later(index);
    Ok(Reply::empty(204))
}

/// Refuses a list that would have made a repository too large, or that found no repository any more.
pub fn require_merged(rows: &[store::Row]) -> Answer<i64> {
    match rows.first() {
        Some(row) if row.integer("missing") == 0 => Ok(row.integer("id")),
        Some(_) => invalid(format!("A repository holds at most {} images", images::MOST)),
        None => not_found("Repository not found"),
    }
}

/// `DELETE /v1/repositories/(namespace)/(repo_name)/images`
pub async fn clear(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let credentials = auth::v1_credentials(index, request)?;
    credentials.require_somebody()?;
    credentials.require_token_for(name, &[Access::Delete, Access::Write])?;
    let (principal, row) =
        reached(index, &credentials, repositories::lookup(name, &credentials.subject(index))).await?;
    let lookup = RepositoryLookup::of(&row);
    let (repository, right) = writable(&credentials, &principal, name, &lookup, Role::Write)?;
    index.write([right], store::images::clear(repository.id, name, &principal.by(index, request))).await?;
    Ok(Reply::empty(204))
}

/// `PUT /v1/repositories/(namespace)/(repo_name)/auth`
///
/// 200 for a good token of any access, as often as it is asked; 403 for everything else.
pub async fn authorize(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let opens = async {
        let credentials = auth::v1_credentials(index, request)?;
        credentials.require_token_for(name, &ANY)?;
        if !matches!(credentials, auth::Credentials::Token(_)) {
            return forbidden("A repository token is required");
        }
        let (principal, row) =
            reached(index, &credentials, repositories::lookup(name, &credentials.subject(index))).await?;
        let lookup = RepositoryLookup::of(&row);
        opened(&credentials, &principal, name, &lookup, Role::Read)
    };
    match opens.await {
        Ok(_) => Ok(Reply::json(200, &json!("OK")).personal()),
        Err(Error::Refusal(Refusal::Unauthorized(_, reason))) => forbidden(reason),
        Err(error) => Err(error),
    }
}

/// `GET /v1/repositories/(namespace)/(repo_name)/layer/(image_id)/access`
///
/// Undocumented, and asked by every v1 registry since 0.6.9 before it takes an image with a parent.
pub async fn access(index: &Index, request: &Request, name: &RepositoryName, image: &str) -> Answer<Reply> {
    let credentials = auth::v1_credentials(index, request)?;
    credentials.require_token_for(name, &ANY)?;
    credentials.require_within_limit(index, request).await?;
    let (principal, row) =
        reached(index, &credentials, repositories::lookup_with_image(name, &credentials.subject(index), image)).await?;
    opened(&credentials, &principal, name, &RepositoryLookup::of(&row), Role::Read)?;
    Ok(Reply::json(200, &json!({ "access": row.flag("listed") })).personal())
}
