//! What a token request is refused of pulls and pushes, counted for the admins of the namespace.

use serde_json::json;

use crate::{
    auth::Principal,
    context::Context,
    domain::{
        access_review::{Action, Facts, Reason},
        scope::Scope,
    },
    store::refusals,
    wire::Request,
};

/// The most refusals of a request that are counted.
const MAX_REFUSALS: usize = 100;

/// The most namespaces of a request whose refusals are counted.
const MAX_NAMESPACES: usize = 10;

/// Pulls and pushes that were refused of a scope.
pub struct Refused {
    namespace: String,
    repository: String,
    /// Those actions, with commas between.
    actions: String,
    /// The code of every reason.
    reasons: Vec<&'static str>,
    /// Whether the user has a relation there.
    related: bool,
}

impl Refused {
    /// What a scope asks for and is not granted; none where that is nothing.
    #[must_use]
    pub fn new(facts: &Facts<'_>, scope: &Scope, granted: &[&'static str]) -> Option<Self> {
        let refused = [Action::Pull, Action::Push].into_iter();
        let refused = refused.filter(|action| scope.asks_for(*action) && !granted.contains(&action.as_str()));
        let refused = refused.collect::<Vec<_>>();
        let related = facts.relations.is_related();
        let mut reasons = Vec::new();
        for reason in refused.iter().flat_map(|action| facts.against(*action)) {
            // The access tokens of users without a relation are not revealed to the admins.
            let told = related || !matches!(reason, Reason::Scopes { .. } | Reason::Resources { .. });
            let code = if told { reason.code() } else { Reason::NotVisible.code() };
            if !reasons.contains(&code) {
                reasons.push(code);
            }
        }
        (!reasons.is_empty()).then(|| Self {
            namespace: facts.name.namespace.clone(),
            repository: facts.name.name.clone(),
            actions: refused.into_iter().map(Action::as_str).collect::<Vec<_>>().join(","),
            reasons,
            related,
        })
    }
}

/// Counts refusals after the response.
pub fn record_later(ctx: &Context, request: &Request, principal: &Principal, refused: &[Refused]) {
    let (mut rows, mut counted, mut namespaces) = (Vec::new(), Vec::new(), Vec::new());
    for Refused { namespace, repository, actions, reasons, related } in refused {
        if !namespaces.contains(&namespace) {
            namespaces.push(namespace);
        }
        if namespaces.len() > MAX_NAMESPACES || rows.len() >= MAX_REFUSALS {
            break;
        }
        for reason in reasons {
            // A repository may be asked for by several scopes.
            let row = (namespace, repository, reason);
            if !counted.contains(&row) {
                counted.push(row);
                rows.push(json!([namespace, repository, actions, reason, related]));
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    let address = request.address();
    let by = refusals::Refused { username: principal.name(), address: &address, now: ctx.platform.now() };
    ctx.after_response("count what was refused", refusals::record(&json!(rows).to_string(), &by));
}
