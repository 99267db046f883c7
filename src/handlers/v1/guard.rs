//! The guard of v1: what a principal may do with a repository, in the words of that API. A repository token grants
//! access to the repository that it names, and to no other.

use crate::{
    auth::{Credentials, Principal, unauthorized},
    context::Context,
    domain::{
        Access, NamespaceId, RepositoryId, RepositoryName, Role,
        names::LIBRARY,
        repository_token::{DELETE_LIFETIME, LIFETIME, RepositoryTokenClaims},
    },
    error::{Fault, Result, forbidden, not_found},
    store::{
        Over, Right,
        repositories::{self, Repository, RepositoryLookup},
    },
    wire::Response,
};

/// 403 for a principal who can see a repository and may not do this.
const ACCESS_DENIED: &str = "Access denied, you don't have access to this repo";

/// 404 for a repository that does not exist, or that the principal may not know of.
const REPOSITORY_NOT_FOUND: &str = "Repository not found";

/// A principal before a repository.
pub struct V1Guard<'a> {
    /// The authenticated user, if there is one.
    pub principal: Principal,
    credentials: &'a Credentials,
    name: &'a RepositoryName,
    lookup: RepositoryLookup,
}

impl<'a> V1Guard<'a> {
    /// For a lookup of this name that was read for this principal.
    #[must_use]
    pub fn new(
        credentials: &'a Credentials,
        principal: Principal,
        name: &'a RepositoryName,
        lookup: RepositoryLookup,
    ) -> Self {
        Self { principal, credentials, name, lookup }
    }

    /// Authenticates the credentials and looks the repository up, in one round trip.
    pub async fn authenticate(ctx: &Context, credentials: &'a Credentials, name: &'a RepositoryName) -> Result<Self> {
        let lookup = repositories::lookup(name, &credentials.subject(ctx));
        let (principal, lookup) = credentials.authenticate_with(ctx, lookup).await?;
        Ok(Self::new(credentials, principal, name, lookup))
    }

    /// The repository, if it exists and the principal may know of it, with their role in it.
    fn visible(&self) -> Result<(&Repository, Role)> {
        let role = self.principal.effective_role(&self.lookup, self.name);
        // Also for a repository token from when they could read it: it does not reveal whether the repository still exists.
        match (&self.lookup.repository, role) {
            (Some(repository), Some(role)) => Ok((repository, role)),
            _ => not_found(REPOSITORY_NOT_FOUND),
        }
    }

    /// The repository, if the principal has this role in it. A repository token must be for this very repository, and
    /// its user may still do what the token names.
    pub fn require(&self, wanted: Role) -> Result<&Repository> {
        let (repository, role) = self.visible()?;
        if let Credentials::Token(claim) = self.credentials {
            if claim.repository_id != repository.id || role < claim.access.role() {
                return Err(unauthorized("The token is no longer valid"));
            }
            // The registry asks about a repository that is being deleted.
            return if repository.pending_deletion && claim.access != Access::Delete {
                not_found(REPOSITORY_NOT_FOUND)
            } else {
                Ok(repository)
            };
        }
        if repository.pending_deletion {
            return not_found(REPOSITORY_NOT_FOUND);
        }
        if role < wanted { forbidden(ACCESS_DENIED) } else { Ok(repository) }
    }

    /// The same, with the right by which it is written: for a repository token what that names.
    pub fn require_to_write(&self, wanted: Role) -> Result<(&Repository, Right)> {
        let repository = self.require(wanted)?;
        let role = if let Credentials::Token(claim) = self.credentials { claim.access.role() } else { wanted };
        Ok((repository, self.principal.right_to(&self.lookup, repository.id, self.name, role)))
    }

    /// The repository, with a pending deletion or not, for an admin, with the right by which it is deleted.
    pub fn require_to_delete(&self) -> Result<(&Repository, Right)> {
        let (repository, role) = self.visible()?;
        if role < Role::Admin {
            return if repository.pending_deletion {
                not_found(REPOSITORY_NOT_FOUND)
            } else {
                forbidden(ACCESS_DENIED)
            };
        }
        Ok((repository, self.principal.right_to(&self.lookup, repository.id, self.name, Role::Admin)))
    }

    /// The id of a repository with a pending deletion: it is removed when another of its name is created.
    #[must_use]
    pub fn pending_deletion(&self) -> Option<RepositoryId> {
        self.lookup.pending_deletion()
    }

    /// The id of the namespace in which the principal may push under this name, with the right to. A private repository
    /// that they may not see looks like one that does not exist and that they may not create.
    pub fn require_to_push(&self) -> Result<(NamespaceId, Right)> {
        // Users with a role in the one that was deleted have none in the new one.
        let lookup = self.lookup.clone().ignoring_pending_deletion();
        let role = self.principal.effective_role(&lookup, self.name);
        match lookup.namespace_id {
            Some(namespace) if role >= Some(Role::Write) => {
                let right = match &lookup.repository {
                    Some(repository) => self.principal.right_to(&lookup, repository.id, self.name, Role::Write),
                    None => self.principal.right(Over::Namespace(namespace, Role::Write)),
                };
                Ok((namespace, right))
            }
            _ if role.is_some() && lookup.repository.is_some() => forbidden(ACCESS_DENIED),
            _ if self.name.namespace == LIBRARY => forbidden("Only administrators may create library repositories"),
            _ => forbidden("Access Denied: Not allowed to create Repo at given location"),
        }
    }

    /// Adds a repository token, in the two headers where clients look for it.
    pub fn with_token(
        &self,
        response: Response,
        ctx: &Context,
        repository: RepositoryId,
        access: Access,
    ) -> Result<Response, Fault> {
        let lifetime = if access == Access::Delete { DELETE_LIFETIME } else { LIFETIME };
        let claim = RepositoryTokenClaims {
            repository: self.name.clone(),
            repository_id: repository,
            access,
            credential: self.principal.credential,
            expires_at: ctx.platform.now() + lifetime,
        };
        let token = claim.sign(ctx.config.keys()?, ctx.random());
        Ok(response.with("WWW-Authenticate", format!("Token {token}")).with("X-Docker-Token", token))
    }
}
