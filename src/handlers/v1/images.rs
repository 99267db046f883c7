//! The images of a repository, and whether a token opens it.

use serde_json::{Value, json};

use crate::{
    auth::{self, Credentials},
    domain::{Access, RepositoryName, Role, images},
    handlers::v1::{guard::V1Guard, require_merged, with_endpoint},
    index::Index,
    jobs::search_index,
    refusal::{Answer, Refusal, forbidden},
    store::{self, Transaction, images::Target, repositories, tags},
    wire::{Reply, Request},
};

/// What a repository token may be for where each is good.
const ANY: [Access; 3] = [Access::Read, Access::Write, Access::Delete];

/// `GET /v1/repositories/(namespace)/(repo_name)/images`
///
/// A client lists a repository by it, and a registry asks by it whether a token is good.
pub async fn list(index: &Index, request: &Request, credentials: &Credentials, name: &RepositoryName) -> Answer<Reply> {
    credentials.require_token_for(name, &ANY)?;
    credentials.require_within_limit(index, request).await?;
    let lookup = repositories::lookup_with_images(name, &credentials.subject(index));
    let (principal, found) = credentials.authenticate_with(index, lookup).await?;
    let guard = V1Guard::new(credentials, principal, name, found.lookup);
    let repository = guard.require(Role::Read)?;
    let reply = Reply::raw_json(200, images::print(&found.images))
        .personal()
        .with("Vary", "Accept, Authorization, X-Docker-Token");
    let reply = with_endpoint(reply, index, request);
    // Clients keep a token from any answer, so it is given only to one that asks for it and has none.
    let asked = request.header("x-docker-token").is_some_and(|value| !value.is_empty());
    if asked && !matches!(credentials, auth::Credentials::Token(_)) {
        return Ok(guard.with_token(reply, index, repository.id, Access::Read)?);
    }
    Ok(reply)
}

/// `GET /v1/repositories/(namespace)/(repo_name)/tags`
///
/// A v1 registry has its tags itself. This is the list that the Hub had here for programs, of the tags that registries of
/// today report; `layer` is an image id of the v1 protocol, which these do not have.
pub async fn tags(index: &Index, request: &Request, credentials: &Credentials, name: &RepositoryName) -> Answer<Reply> {
    credentials.require_token_for(name, &ANY)?;
    credentials.require_within_limit(index, request).await?;
    let names = tags::names(name, &credentials.subject(index), "", tags::MAX_TAG_NAMES);
    let (principal, names) = credentials.authenticate_with(index, names).await?;
    V1Guard::new(credentials, principal, name, names.lookup.clone()).require(Role::Read)?;
    let tags = names.iter().map(|tag| json!({ "layer": "", "name": tag }));
    Ok(Reply::json(200, &tags.collect::<Value>()).personal())
}

/// `PUT /v1/repositories/(namespace)/(repo_name)/images`
///
/// The end of a push. It adds to the list and never removes; new clients send an empty one.
pub async fn update(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Answer<Reply> {
    credentials.require_somebody()?;
    credentials.require_token_for(name, &[Access::Write])?;
    let guard = V1Guard::authenticate(index, credentials, name).await?;
    let list = match request.body.as_deref() {
        None => return Err(Refusal::TooLarge.into()),
        Some([]) => Vec::new(),
        Some(body) => images::read(body)?,
    };
    let (repository, right) = guard.require_to_write(Role::Write)?;
    let (target, pairs) = (Target::Id(repository.id), images::pairs(&list));
    let mut transaction =
        Transaction::from(repositories::complete_push(repository.id, name, &guard.principal.by(index, request)));
    transaction.run([store::images::merge(&target, &pairs)]);
    let merged = transaction.read(store::images::merged(&target, &pairs));
    require_merged(index.commit([right], transaction).await?.take(merged)?)?;
    search_index::later(index);
    Ok(Reply::empty(204))
}

/// `DELETE /v1/repositories/(namespace)/(repo_name)/images`
pub async fn clear(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Answer<Reply> {
    credentials.require_somebody()?;
    credentials.require_token_for(name, &[Access::Delete, Access::Write])?;
    let guard = V1Guard::authenticate(index, credentials, name).await?;
    let (repository, right) = guard.require_to_write(Role::Write)?;
    let clear = store::images::clear(repository.id, name, &guard.principal.by(index, request));
    index.commit([right], clear.into()).await?;
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
        V1Guard::authenticate(index, &credentials, name).await?.require(Role::Read).map(drop)
    };
    opens.await.map_err(|error| error.map_unauthorized(Refusal::Forbidden))?;
    Ok(Reply::json(200, &json!("OK")).personal())
}

/// `GET /v1/repositories/(namespace)/(repo_name)/layer/(image_id)/access`
///
/// Undocumented, and asked by every v1 registry since 0.6.9 before it takes an image with a parent.
pub async fn access(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    image: &str,
) -> Answer<Reply> {
    credentials.require_token_for(name, &ANY)?;
    credentials.require_within_limit(index, request).await?;
    let lookup = repositories::lookup_with_image(name, &credentials.subject(index), image);
    let (principal, found) = credentials.authenticate_with(index, lookup).await?;
    V1Guard::new(credentials, principal, name, found.lookup).require(Role::Read)?;
    Ok(Reply::json(200, &json!({ "access": found.is_listed })).personal())
}
