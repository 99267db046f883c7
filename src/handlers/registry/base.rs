//! The base of the registry protocol: the API version check, the catalog, the names of tags, and the public keys.

use serde_json::json;

use crate::{
    auth::{self, Credentials},
    context::Context,
    domain::RepositoryName,
    error::{Challenge, Fault, Refusal, Result, not_found},
    store::{repositories, tags},
    wire::{Request, Response},
};

/// Names of a page of the catalog, if the client does not set it, and at most.
const DEFAULT_PAGE_SIZE: i64 = 100;
const MAX_PAGE_SIZE: i64 = 1_000;

/// The most names that are read for an access token. What it allows is matched here and not by the
/// database, and a page must not end at a name that it hides.
const MAX_LIMITED: i64 = 5_000;

/// `GET /v2/`
///
/// The API version check, with which every client of today begins. Without the version header, old ones do not take the
/// index for a registry; with a 401, new ones ask for credentials.
pub async fn check(ctx: &Context, request: &Request) -> Result<Response> {
    let authenticated = async {
        let credentials = auth::registry_credentials(ctx, request, false).await?;
        if credentials == Credentials::Anonymous {
            return Err(auth::unauthorized("authentication required"));
        }
        credentials.require_no_token()?;
        let principal = credentials.authenticate(ctx).await?;
        if matches!(credentials, Credentials::Password { .. } | Credentials::AccessToken { .. }) {
            auth::login::record_success(ctx, request, &principal);
        }
        Ok(())
    };
    challenged(ctx, request, authenticated.await.map(|()| Response::json(200, &json!({})).no_store()))
}

/// `GET /v2/_catalog?n=&last=`
///
/// The repositories that the client may read, in the order of names.
pub async fn catalog(ctx: &Context, request: &Request) -> Result<Response> {
    let parameters = request.parameters();
    let text = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let limit = text("n").and_then(|n| n.parse::<i64>().ok()).unwrap_or(DEFAULT_PAGE_SIZE).clamp(1, MAX_PAGE_SIZE);
    let listed = async {
        let credentials = auth::registry_credentials(ctx, request, false).await?;
        credentials.require_no_token()?;
        credentials.require_anonymous_limit(ctx, request).await?;
        let last = text("last").unwrap_or_default();
        let read = if credentials.uses_access_token() { MAX_LIMITED } else { limit + 1 };
        let names = repositories::catalog(&credentials.subject(ctx), credentials.allows_admin(), last, read);
        let (principal, entries) = credentials.authenticate_with(ctx, names).await?;
        let allowed = entries.iter().filter(|entry| principal.token_reads(&entry.full_name, !entry.private));
        let mut allowed = allowed.map(|entry| entry.full_name.as_str());
        let names = allowed.by_ref().take(usize::try_from(limit).unwrap_or_default()).collect::<Vec<_>>();
        let end = allowed.next().and(names.last());
        let response = Response::json(200, &json!({ "repositories": names })).no_store();
        Ok(match end {
            Some(end) => response.with("Link", format!("</v2/_catalog?last={}&n={limit}>; rel=\"next\"", encoded(end))),
            None => response,
        })
    };
    challenged(ctx, request, listed.await)
}

/// `GET /v2/(name)/tags/list?n=&last=`
///
/// The tags that registries reported, in the order of names.
pub async fn tags(ctx: &Context, request: &Request, name: &RepositoryName) -> Result<Response> {
    let parameters = request.parameters();
    let text = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let limit =
        text("n").and_then(|n| n.parse::<i64>().ok()).unwrap_or(tags::MAX_TAG_NAMES).clamp(1, tags::MAX_TAG_NAMES);
    let listed = async {
        let credentials = auth::registry_credentials(ctx, request, false).await?;
        credentials.require_no_token()?;
        credentials.require_anonymous_limit(ctx, request).await?;
        let names = tags::names(name, &credentials.subject(ctx), text("last").unwrap_or_default(), limit + 1);
        let (principal, found) = credentials.authenticate_with(ctx, names).await?;
        let lookup = found.lookup.clone().ignoring_pending_deletion();
        if lookup.repository.is_none() || principal.effective_role(&lookup, name).is_none() {
            return not_found("repository name not known to the index");
        }
        let mut tags = found.iter();
        let names = tags.by_ref().take(usize::try_from(limit).unwrap_or_default()).collect::<Vec<_>>();
        let path = request.path.trim_start_matches("/v2/").trim_end_matches('/').trim_end_matches("/tags/list");
        let response = Response::json(200, &json!({ "name": path, "tags": names })).no_store();
        Ok(match tags.next().and(names.last()) {
            Some(end) => response.with("Link", format!("</v2/{path}/tags/list?last={end}&n={limit}>; rel=\"next\"")),
            None => response,
        })
    };
    challenged(ctx, request, listed.await)
}

/// `/v2/(name)/manifests/(reference)`, `/v2/(name)/blobs/…`
///
/// A client that logged in here, because it searches here, is refused with the host to push to. A Docker that still
/// speaks to v1 registries goes on to that protocol only if the repository is not known.
#[must_use]
pub fn elsewhere(ctx: &Context, request: &Request) -> Refusal {
    let config = &ctx.config;
    let hosts = config.services.iter().filter_map(|service| service.host.as_deref()).collect::<Vec<_>>();
    let reason = match (hosts.as_slice(), &config.registry) {
        ([], None) => "images are pushed to a registry, and this is its index".into(),
        ([], Some(host)) => format!("images are pushed to {host}").into(),
        (hosts, _) => format!("images are pushed to {}", hosts.join(" or ")).into(),
    };
    match docker(request) {
        Some(version) if version < WITHOUT_V1 => Refusal::NotFound(reason),
        _ => Refusal::Elsewhere(reason),
    }
}

/// `GET /.well-known/jwks.json`
pub fn jwks(ctx: &Context) -> Result<Response, Fault> {
    let chain = &ctx.config.signing_key()?.chain;
    let keys = chain.leaves().map(crate::domain::certificates::Certificate::jwk).collect::<Vec<_>>();
    Ok(Response::json(200, &json!({ "keys": keys })).with("Cache-Control", "public, max-age=300"))
}

/// Gives a 401 the challenge that clients of registries understand: Bearer if there are keys to sign with, else Basic.
///
/// A Docker that still pushes to v1 registries gets Basic too: after a login by tokens it would keep an identity token,
/// and v1 wants the password. Later ones, until 23, search with an identity token only if this header is there; older
/// ones would push here.
fn challenged(ctx: &Context, request: &Request, answer: Result<Response>) -> Result<Response> {
    let Err(error) = answer else { return answer };
    if !matches!(error.refusal(), Some(Refusal::Unauthorized(..))) {
        return Err(error);
    }
    let docker = docker(request);
    let challenge = match (ctx.config.signing_key(), ctx.config.services.first()) {
        (Ok(_), Some(service)) if docker.is_none_or(|version| version >= WITHOUT_V1) => Challenge::Bearer {
            realm: auth::registry_token::realm(ctx, request)?,
            service: service.name.clone(),
            version: docker.is_some(),
        },
        _ => Challenge::Basic,
    };
    Err(error.map_unauthorized(|reason| Refusal::Unauthorized(challenge, reason)))
}

/// The first Docker that speaks to no v1 registry.
const WITHOUT_V1: (u32, u32) = (17, 12);

/// The version of the Docker that sends the request.
fn docker(request: &Request) -> Option<(u32, u32)> {
    let (major, rest) = request.header("user-agent")?.strip_prefix("docker/")?.split_once('.')?;
    let minor = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn encoded(name: &str) -> String {
    name.replace('/', "%2F")
}
