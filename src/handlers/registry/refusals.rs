//! What a token request is refused of pulls and pushes, counted for the admins of the namespace.

use serde_json::json;

use crate::{
    auth::Principal,
    domain::{
        access_review::{Action, Facts},
        scope::Scope,
    },
    index::Index,
    store::refusals,
    wire::Request,
};

/// Pulls and pushes that were refused of a scope.
pub struct Refused {
    namespace: String,
    repository: String,
    /// Those actions, with commas between.
    actions: String,
    /// The code of every reason.
    reasons: Vec<&'static str>,
}

impl Refused {
    /// What a scope asks for and is not granted; none where that is nothing.
    #[must_use]
    pub fn new(facts: &Facts<'_>, scope: &Scope, granted: &[&'static str]) -> Option<Self> {
        let refused = [Action::Pull, Action::Push].into_iter();
        let refused = refused.filter(|action| scope.asks_for(*action) && !granted.contains(&action.as_str()));
        let refused = refused.collect::<Vec<_>>();
        let mut reasons = Vec::new();
        for reason in refused.iter().flat_map(|action| facts.against(*action)) {
            if !reasons.contains(&reason.code()) {
                reasons.push(reason.code());
            }
        }
        (!reasons.is_empty()).then(|| Self {
            namespace: facts.name.namespace.clone(),
            repository: facts.name.name.clone(),
            actions: refused.into_iter().map(Action::as_str).collect::<Vec<_>>().join(","),
            reasons,
        })
    }
}

/// Counts refusals after the response.
pub fn record_later(index: &Index, request: &Request, principal: &Principal, refused: &[Refused]) {
    let rows = refused.iter().flat_map(|refused| {
        let row = |reason| json!([refused.namespace, refused.repository, refused.actions, reason]);
        refused.reasons.iter().map(row)
    });
    let rows = rows.collect::<Vec<_>>();
    if rows.is_empty() {
        return;
    }
    let address = request.address();
    let by = refusals::Refused { username: principal.name(), address: &address, now: index.world.now() };
    index.later("count what was refused", refusals::record(&json!(rows).to_string(), &by));
}
