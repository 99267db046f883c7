//! What a search finds for a client, in the v1 API as in the management API and on a page.

use std::collections::HashSet;

use serde_json::json;

use crate::{
    auth::{Credentials, Principal},
    context::Context,
    domain::{credential::CredentialId, names::LIBRARY, search::Search},
    error::Result,
    store::{
        Count, Page,
        documents::{self, Match, Visibility},
        namespaces,
        repositories::{self, ReadablePrivate},
    },
    wire::Request,
};

/// The most private repositories of one user that a search looks into.
const MAX_PRIVATE: i64 = 10_000;

/// The most namespaces of one user by which a page marks what is theirs.
const MAX_NAMESPACES: i64 = 1_000;

/// A page of what is found for these credentials, and whether there is more that they may read than was searched.
pub async fn find(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    search: &Search,
) -> Result<(Page<Match>, bool)> {
    if !is_anonymous(credentials) {
        let (visibility, cut) = visibility(ctx, credentials).await?;
        return Ok((ctx.search.fetch(documents::find(search, &visibility)).await?, cut));
    }
    if !ctx.config.anonymous_read {
        return Ok((Page { head: Count { count: 0 }, items: Vec::new() }, false));
    }
    credentials.require_anonymous_limit(ctx, request).await?;
    Ok((ctx.search.fetch(documents::find(search, &Visibility::Public)).await?, false))
}

/// Whether these are no credentials, or those of no user.
#[must_use]
pub fn is_anonymous(credentials: &Credentials) -> bool {
    matches!(credentials, Credentials::Anonymous | Credentials::Bearer(CredentialId::Anonymous))
}

/// What a search with these credentials may find, and whether there is more that they may read.
async fn visibility(ctx: &Context, credentials: &Credentials) -> Result<(Visibility, bool)> {
    let own = repositories::readable_private(&credentials.subject(ctx), MAX_PRIVATE + 1);
    let (principal, own) = credentials.authenticate_with(ctx, own).await?;
    Ok(visible(&principal, &own))
}

/// The same for a principal, of whose private repositories these were read.
fn visible(principal: &Principal, own: &[ReadablePrivate]) -> (Visibility, bool) {
    if principal.is_administrator() {
        return (Visibility::All, false);
    }
    (Visibility::PublicAnd(readable(principal, own)), own.iter().any(|part| part.cut))
}

/// The ids of those that the access token allows too, if the client sent one, as JSON.
fn readable(principal: &Principal, own: &[ReadablePrivate]) -> String {
    let repositories = own.iter().flat_map(|part| &part.repositories);
    let ids =
        repositories.filter(|(_, name)| principal.token_reads(name, false)).map(|(id, _)| *id).collect::<Vec<_>>();
    json!(ids).to_string()
}

/// The namespace of a display name.
#[must_use]
pub fn owner(name: &str) -> &str {
    name.split_once('/').map_or(LIBRARY, |(namespace, _)| namespace)
}

/// What a page shows of a search.
pub struct SearchResults {
    /// The client.
    pub principal: Principal,
    /// What was found; `None` while the search index is out of order.
    pub results: Option<Page<Match>>,
    /// Whether there is more that the client may read than was searched.
    pub cut: bool,
    private: HashSet<String>,
    namespaces: Vec<String>,
}

impl SearchResults {
    /// Whether a repository is in a namespace that the client owns or is a member of.
    #[must_use]
    pub fn is_own(&self, full_name: &str) -> bool {
        let namespace = full_name.split_once('/').map_or(full_name, |(namespace, _)| namespace);
        self.namespaces.iter().any(|own| own == namespace)
    }

    /// Whether a repository is a private one that the client has a role in.
    #[must_use]
    pub fn is_private(&self, full_name: &str) -> bool {
        self.private.contains(full_name)
    }
}

/// The same for a page, which works without the search index, too.
pub async fn find_for_page(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    search: &Search,
) -> Result<SearchResults> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let mut found = SearchResults {
        principal: Principal::ANONYMOUS,
        results: None,
        cut: false,
        private: HashSet::new(),
        namespaces: Vec::new(),
    };
    let mut visibility = Visibility::Public;
    if !is_anonymous(credentials) {
        let own = repositories::readable_private(&credentials.subject(ctx), MAX_PRIVATE + 1);
        let namespaces = namespaces::names(credentials.user(), MAX_NAMESPACES);
        let (principal, (own, namespaces)) = credentials.authenticate_with(ctx, (own, namespaces)).await?;
        (visibility, found.cut) = visible(&principal, &own);
        found.private = own.into_iter().flat_map(|part| part.repositories).map(|(_, name)| name).collect();
        (found.principal, found.namespaces) = (principal, namespaces);
    }
    match ctx.search.fetch(documents::find(search, &visibility)).await {
        Ok(results) => found.results = Some(results),
        Err(fault) => ctx.report::<()>("search for a page", Err(fault.into())),
    }
    Ok(found)
}
