//! A namespace as it is reached by who asks: the first beats of every handler about one.

use crate::{
    auth::{self, Credentials, NO_NAMESPACE, Principal},
    domain::{RepositoryName, Role},
    index::Index,
    refusal::{Answer, forbidden, not_found},
    store::{
        Over, Query, Right, Rows, Statement,
        repositories::{self, RepositoryLookup},
    },
    wire::Request,
};

/// Who asks about a namespace.
pub struct Asked {
    /// Somebody with a session.
    pub principal: Principal,
    lookup: RepositoryLookup,
}

/// Somebody with a session, the namespace, and the rows of one more statement, in one round trip.
pub async fn asked(index: &Index, request: &Request, namespace: &str, statement: Statement) -> Answer<(Asked, Rows)> {
    asked_by(index, auth::session(index, request)?, namespace, statement).await
}

/// The same for who presents this already.
pub async fn asked_by(
    index: &Index,
    credentials: Credentials,
    namespace: &str,
    statement: Statement,
) -> Answer<(Asked, Rows)> {
    let name = RepositoryName { namespace: namespace.to_owned(), name: String::new() };
    let lookup = repositories::lookup(&name, &credentials.subject(index));
    let (principal, (lookup, rows)) = credentials.authenticate_with(index, (lookup, Query::raw(statement))).await?;
    Ok((Asked { principal, lookup }, rows))
}

impl Asked {
    /// Their role in the whole namespace.
    fn role(&self) -> Option<Role> {
        let role = self.lookup.relations(self.principal.is_administrator()).effective_role();
        self.principal.restrictions.as_ref().map_or(role, |restrictions| role.min(restrictions.role_in_namespace()))
    }

    /// Whether they may know that there is such a namespace: for their role in it, or for something in it that is
    /// `shown` to them.
    #[must_use]
    pub fn sees(&self, shown: bool) -> bool {
        self.role().is_some() || shown && self.principal.reaches_namespaces()
    }

    /// The namespace, for one of its admins, with the right by which they write in it. An access token
    /// for some of its repositories does not open the whole of it. Who may not is not told whether there
    /// is one.
    pub fn administrated(&self) -> Answer<(i64, Right)> {
        if self.role() < Some(Role::Admin) {
            return forbidden("Access denied: only admins of the namespace may do this");
        }
        let Some(namespace) = self.lookup.namespace_id else { return not_found(NO_NAMESPACE) };
        Ok((namespace, self.principal.right(Over::Namespace(namespace, Role::Admin))))
    }

    /// The same, for an admin who may change who may do what in it.
    pub fn administrated_to_roles(&self) -> Answer<(i64, Right)> {
        let administrated = self.administrated()?;
        self.principal.require_roles_in_namespace()?;
        Ok(administrated)
    }

    /// The same, for an admin who came with their password.
    pub fn administrated_by_password(&self) -> Answer<(i64, Right)> {
        self.principal.require_password()?;
        self.administrated()
    }
}
