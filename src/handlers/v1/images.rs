//! The images of a repository, and whether a token opens it.

use serde_json::{Value, json};

use crate::{
    auth::{self, Credentials},
    context::Context,
    domain::{Access, RepositoryName, Role, images},
    error::{Refusal, Result, forbidden},
    handlers::v1::{guard::V1Guard, require_merged, with_endpoint},
    jobs::search_index,
    store::{self, Transaction, images::Target, repositories, tags},
    wire::{Request, Response},
};

/// The accesses of a repository token that allow to list images.
const ANY: [Access; 3] = [Access::Read, Access::Write, Access::Delete];

/// `GET /v1/repositories/(namespace)/(repo_name)/images`
///
/// A client lists a repository by it, and a registry verifies a token by it.
pub async fn list(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    credentials.require_token_for(name, &ANY)?;
    credentials.require_anonymous_limit(ctx, request).await?;
    let lookup = repositories::lookup_with_images(name, &credentials.subject(ctx));
    let (principal, found) = credentials.authenticate_with(ctx, lookup).await?;
    let guard = V1Guard::new(credentials, principal, name, found.lookup);
    let repository = guard.require(Role::Read)?;
    let response = Response::raw_json(200, images::encode(&found.images))
        .no_store()
        .with("Vary", "Accept, Authorization, X-Docker-Token");
    let response = with_endpoint(response, ctx, request);
    // Clients keep a token from any answer, so it is given only to one that asks for it and has none.
    let asked = request.header("x-docker-token").is_some_and(|value| !value.is_empty());
    if asked && !matches!(credentials, auth::Credentials::Token(_)) {
        return Ok(guard.with_token(response, ctx, repository.id, Access::Read)?);
    }
    Ok(response)
}

/// `GET /v1/repositories/(namespace)/(repo_name)/tags`
///
/// A v1 registry has its tags itself. This is the list that the Hub had here for programs, of the tags that registries of
/// today report; `layer` is an image id of the v1 protocol, which these do not have.
pub async fn tags(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    credentials.require_token_for(name, &ANY)?;
    credentials.require_anonymous_limit(ctx, request).await?;
    let names = tags::names(name, &credentials.subject(ctx), "", tags::MAX_TAG_NAMES);
    let (principal, names) = credentials.authenticate_with(ctx, names).await?;
    V1Guard::new(credentials, principal, name, names.lookup.clone()).require(Role::Read)?;
    let tags = names.iter().map(|tag| json!({ "layer": "", "name": tag }));
    Ok(Response::json(200, &tags.collect::<Value>()).no_store())
}

/// `PUT /v1/repositories/(namespace)/(repo_name)/images`
///
/// The end of a push. It adds to the list and never removes; new clients send an empty one.
pub async fn update(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    credentials.require_authenticated()?;
    credentials.require_token_for(name, &[Access::Write])?;
    let guard = V1Guard::authenticate(ctx, credentials, name).await?;
    let list = match request.body.as_deref() {
        None => return Err(Refusal::TooLarge.into()),
        Some([]) => Vec::new(),
        Some(body) => images::parse(body)?,
    };
    let (repository, right) = guard.require_to_write(Role::Write)?;
    let (target, pairs) = (Target::Id(repository.id), images::pairs(&list));
    let mut transaction =
        Transaction::from(repositories::complete_push(repository.id, name, &guard.principal.by(ctx, request)));
    transaction.run([store::images::merge(&target, &pairs)]);
    let merged = transaction.read(store::images::merged(&target, &pairs));
    require_merged(ctx.commit([right], transaction).await?.take(merged)?)?;
    search_index::sync_after_response(ctx);
    Ok(Response::empty(204))
}

/// `DELETE /v1/repositories/(namespace)/(repo_name)/images`
pub async fn clear(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    credentials.require_authenticated()?;
    credentials.require_token_for(name, &[Access::Delete, Access::Write])?;
    let guard = V1Guard::authenticate(ctx, credentials, name).await?;
    let (repository, right) = guard.require_to_write(Role::Write)?;
    let clear = store::images::clear(repository.id, name, &guard.principal.by(ctx, request));
    ctx.commit([right], clear.into()).await?;
    Ok(Response::empty(204))
}

/// `PUT /v1/repositories/(namespace)/(repo_name)/auth`
///
/// 200 for a good token of any access, as often as it is asked; 403 for everything else.
pub async fn authorize(ctx: &Context, request: &Request, name: &RepositoryName) -> Result<Response> {
    let opens = async {
        let credentials = auth::v1_credentials(ctx, request)?;
        credentials.require_token_for(name, &ANY)?;
        if !matches!(credentials, auth::Credentials::Token(_)) {
            return forbidden("A repository token is required");
        }
        V1Guard::authenticate(ctx, &credentials, name).await?.require(Role::Read).map(drop)
    };
    opens.await.map_err(|error| error.map_unauthorized(Refusal::Forbidden))?;
    Ok(Response::json(200, &json!("OK")).no_store())
}

/// `GET /v1/repositories/(namespace)/(repo_name)/layer/(image_id)/access`
///
/// Undocumented, and asked by every v1 registry since 0.6.9 before it takes an image with a parent.
pub async fn access(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    image: &str,
) -> Result<Response> {
    credentials.require_token_for(name, &ANY)?;
    credentials.require_anonymous_limit(ctx, request).await?;
    let lookup = repositories::lookup_with_image(name, &credentials.subject(ctx), image);
    let (principal, found) = credentials.authenticate_with(ctx, lookup).await?;
    V1Guard::new(credentials, principal, name, found.lookup).require(Role::Read)?;
    Ok(Response::json(200, &json!({ "access": found.is_listed })).no_store())
}
