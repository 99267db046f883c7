//! Access reviews: the decision about each action, as a registry token is issued.

use crate::{
    auth::{Principal, grants},
    domain::{
        RepositoryName,
        access_review::{Action, Facts, ReviewedAction},
        credential::CredentialId,
    },
    store::{access_tokens::AccessToken, repositories::RepositoryLookup, users::User},
};

/// Whose access is reviewed.
pub struct ReviewSubject {
    /// The user as with a password, with the restrictions of an access token; no user for an anonymous request.
    pub principal: Principal,
    active: bool,
    token_valid: bool,
}

impl ReviewSubject {
    /// A user, perhaps with one of their access tokens.
    #[must_use]
    pub fn new(user: Option<User>, token: Option<AccessToken>, now: i64) -> Self {
        let active = user.as_ref().is_none_or(|user| user.active);
        let token_valid = token.as_ref().is_none_or(|token| token.is_good(now));
        let credential = user.as_ref().map(|user| CredentialId::Password { user: user.id, epoch: user.epoch });
        let credential = credential.unwrap_or(CredentialId::Anonymous);
        let restrictions = token.map(|token| token.restrictions);
        Self { principal: Principal { user, credential, restrictions, browser: None }, active, token_valid }
    }

    /// The decision about each action on a repository, which was looked up for this subject. `visible` is whether the client
    /// that asks may know that it exists.
    #[must_use]
    pub fn review(
        &self,
        lookup: &RepositoryLookup,
        name: &RepositoryName,
        actions: &[Action],
        visible: bool,
    ) -> Vec<ReviewedAction> {
        let facts = Facts {
            active: self.active,
            token_valid: self.token_valid,
            visible,
            ..grants::facts(&self.principal, lookup, name)
        };
        let role = grants::role(&self.principal, lookup, name).filter(|_| self.active && self.token_valid);
        actions.iter().map(|action| ReviewedAction::new(&facts, *action, role >= Some(action.role()))).collect()
    }
}
