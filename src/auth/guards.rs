//! Guards: what a principal is to a repository, to a namespace or to an account. They come of authentication, and their
//! methods are the checks.

use crate::{
    auth::{self, Credentials, Principal},
    context::Context,
    domain::{NamespaceId, RepositoryName, Role, Secret, UserId},
    error::{Refusal, Result, forbidden, not_found},
    store::{
        Batch, Over, Right,
        repositories::{self, Repository, RepositoryLookup},
        users,
    },
    wire::Request,
};

/// For a repository that is not there, or not for this user. Clients look for these words.
const NO_REPOSITORY: &str = "repository not found";

/// For a namespace that is not there.
pub const NO_NAMESPACE: &str = "namespace not found";

/// For a namespace in which the principal may create no repository.
pub const NOT_CREATABLE: &str = "Access denied: not allowed to create a repository in this namespace";

/// A principal before a repository.
pub struct RepositoryGuard<'a> {
    /// The client.
    pub principal: Principal,
    name: &'a RepositoryName,
    lookup: RepositoryLookup,
}

impl<'a> RepositoryGuard<'a> {
    /// For a lookup of this name that was read for this principal.
    #[must_use]
    pub fn new(principal: Principal, name: &'a RepositoryName, lookup: RepositoryLookup) -> Self {
        Self { principal, name, lookup }
    }

    /// Authenticates the credentials, looks the repository up, and reads what the request is about, in one round trip.
    pub fn authenticate_with<B: Batch>(
        ctx: &'a Context,
        credentials: &'a Credentials,
        name: &'a RepositoryName,
        about: B,
    ) -> impl Future<Output = Result<(Self, B::Output)>> {
        let lookup = repositories::lookup(name, &credentials.subject(ctx));
        credentials.authenticate_as(ctx, (lookup, about), |principal, (lookup, about)| {
            (Self::new(principal, name, lookup), about)
        })
    }

    /// The most that the principal may do with it.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.principal.effective_role(&self.lookup, self.name)
    }

    /// Whether the principal is an admin of the whole namespace, who reads its audit.
    #[must_use]
    pub fn administrates_namespace(&self) -> bool {
        self.principal.role_in_namespace(&self.lookup) >= Some(Role::Admin)
    }

    /// The repository, if the principal has this role in it: 404 where they may not know of it, 403 for less.
    pub fn require(&self, wanted: Role) -> Result<&Repository> {
        let role = self.role();
        let repository =
            self.lookup.repository.as_ref().filter(|repository| !repository.pending_deletion && role.is_some());
        let Some(repository) = repository else { return not_found(NO_REPOSITORY) };
        if role < Some(wanted) {
            return forbidden(format!("Access denied: this takes the role {} in the repository", wanted.as_str()));
        }
        Ok(repository)
    }

    /// The same, with the right by which it is written.
    pub fn require_to_write(&self, wanted: Role) -> Result<(&Repository, Right)> {
        let repository = self.require(wanted)?;
        Ok((repository, self.principal.right_to(&self.lookup, repository.id, self.name, wanted)))
    }

    /// The same, for an admin who may change who may do what with it.
    pub fn require_to_change_roles(&self) -> Result<(&Repository, Right)> {
        let writable = self.require_to_write(Role::Admin)?;
        self.principal.require_roles(self.name)?;
        Ok(writable)
    }
}

/// A principal before a namespace.
pub struct NamespaceGuard {
    /// The client.
    pub principal: Principal,
    lookup: RepositoryLookup,
}

impl NamespaceGuard {
    /// Authenticates the credentials, looks the namespace up, and reads what the request is about, in one round trip.
    pub fn authenticate_with<'a, B: Batch>(
        ctx: &'a Context,
        credentials: &'a Credentials,
        namespace: &str,
        about: B,
    ) -> impl Future<Output = Result<(Self, B::Output)>> {
        let name = RepositoryName { namespace: namespace.to_owned(), name: String::new() };
        let lookup = repositories::lookup(&name, &credentials.subject(ctx));
        credentials
            .authenticate_as(ctx, (lookup, about), |principal, (lookup, about)| (Self { principal, lookup }, about))
    }

    /// The most that the principal may do in the whole namespace.
    fn role(&self) -> Option<Role> {
        self.principal.role_in_namespace(&self.lookup)
    }

    /// Whether the principal may know that there is such a namespace: for their role in it, or for something in it that
    /// they may see (`shown`).
    #[must_use]
    pub fn is_visible(&self, shown: bool) -> bool {
        self.role().is_some() || shown && self.principal.reaches_namespaces()
    }

    /// Whether the principal may create repositories in the namespace.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.role() >= Some(Role::Write) && self.lookup.namespace_id.is_some()
    }

    /// Refuses those who may not create repositories in it. They get the same response as for a missing namespace.
    pub fn require_writes(&self) -> Result<()> {
        if self.writes() { Ok(()) } else { forbidden(NOT_CREATABLE) }
    }

    /// The id of the namespace and the right to write in it, for its admins. An access token restricted to some
    /// repositories does not grant access to the whole namespace. Other users get the same response as for a missing
    /// namespace.
    pub fn require_admin(&self) -> Result<(NamespaceId, Right)> {
        if self.role() < Some(Role::Admin) {
            return forbidden("Access denied: only admins of the namespace may do this");
        }
        let Some(namespace) = self.lookup.namespace_id else { return not_found(NO_NAMESPACE) };
        Ok((namespace, self.principal.right(Over::Namespace(namespace, Role::Admin))))
    }

    /// The same, for an admin who may change who may do what in it.
    pub fn require_to_change_roles(&self) -> Result<(NamespaceId, Right)> {
        let administrated = self.require_admin()?;
        self.principal.require_roles_in_namespace()?;
        Ok(administrated)
    }

    /// The same, for an admin who authenticated with their password: for whatever concerns accounts and secrets.
    pub fn require_admin_with_password(&self) -> Result<(NamespaceId, Right)> {
        self.principal.require_password()?;
        self.require_admin()
    }
}

/// A session that was opened with a password: an access token changes no account.
pub struct PasswordSession<'a> {
    credentials: &'a Credentials,
}

impl<'a> PasswordSession<'a> {
    /// Of a session that was presented.
    #[must_use]
    pub fn new(credentials: &'a Credentials) -> Self {
        Self { credentials }
    }

    /// The user, before the session is verified: for what is read together with it.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.credentials.user()
    }

    /// Authenticates it, and reads what the request is about, in one round trip; then refuses what the body asks for, if
    /// that is wrong, and an access token.
    pub async fn authenticate_with<W, B: Batch>(
        &self,
        ctx: &Context,
        wanted: Result<W>,
        about: B,
    ) -> Result<(Principal, W, B::Output)> {
        let (principal, about) = self.credentials.authenticate_with(ctx, about).await?;
        let wanted = wanted?;
        principal.require_password()?;
        Ok((principal, wanted, about))
    }

    /// The session's user, after the password was verified again: a change of how an account is authenticated takes
    /// more than a session.
    pub async fn confirm_with<W, B: Batch>(
        &self,
        ctx: &Context,
        request: &Request,
        wanted: Result<(W, Secret)>,
        about: B,
    ) -> Result<(Principal, W, B::Output)> {
        let address = request.address();
        let attempt = users::for_password_login_again(self.user(), &address);
        let (principal, (wanted, secret), (attempt, about)) =
            self.authenticate_with(ctx, wanted, (attempt, about)).await?;
        let wrong = || Refusal::Forbidden("The password is wrong".into());
        auth::password::verify_password_again(ctx, principal.require_user()?, attempt, &secret, &address, wrong)
            .await?;
        Ok((principal, wanted, about))
    }
}
