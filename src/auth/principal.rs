//! Who a request turned out to be from. Authentication is one statement in the batch that a handler makes anyway, and a
//! decision over its row.

use futures_util::FutureExt;

use futures_util::future::LocalBoxFuture;

use crate::{
    auth::{self, Credentials, unauthorized},
    context::Context,
    domain::{
        NamespaceId, RepositoryId, RepositoryName, Role, access::Relations, credential::CredentialId,
        registry_token::AuthMethod, repository_token::RepositoryTokenClaims, token_restrictions::TokenRestrictions,
    },
    error::{Challenge, Fault, Refusal, Result, forbidden},
    store::{
        Batch, Over, Query, Right, Rows, Statement,
        access_tokens::{self, AccessToken},
        audit::AuditContext,
        refresh_tokens::BrowserSession,
        repositories::RepositoryLookup,
        users::{self, Holder, User},
    },
    wire::Request,
};

/// Who a request turned out to be from: the result of authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// `None` for an anonymous request.
    pub user: Option<User>,
    /// The credential under which a token for them is issued.
    pub credential: CredentialId,
    /// The restrictions of the access token with which they authenticated.
    pub restrictions: Option<TokenRestrictions>,
    /// The session of the browser whose cookie authenticated them.
    pub browser: Option<BrowserSession>,
}

impl Principal {
    /// An anonymous request.
    pub const ANONYMOUS: Self =
        Self { user: None, credential: CredentialId::Anonymous, restrictions: None, browser: None };

    /// Whether they administrate the whole index with these credentials: access tokens never do.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.restrictions.is_none() && self.user.as_ref().is_some_and(|user| user.administrator)
    }

    /// The right to write in the whole index. To others, what is for administrators is as what does not exist.
    pub fn require_administrator(&self) -> Result<Right> {
        if self.is_administrator() { Ok(self.right(Over::Index)) } else { Err(Refusal::NoRoute.into()) }
    }

    /// The most that they may do in a place: what the user may, and the access token allows.
    #[must_use]
    pub fn effective_role(&self, lookup: &RepositoryLookup, name: &RepositoryName) -> Option<Role> {
        let relations = lookup.relations(self.is_administrator());
        match &self.restrictions {
            None => relations.effective_role(),
            Some(restrictions) => relations.effective_role().min(restrictions.role(name, relations.public)),
        }
    }

    /// The most that they may do in the whole namespace of a place.
    #[must_use]
    pub fn role_in_namespace(&self, lookup: &RepositoryLookup) -> Option<Role> {
        let relations = lookup.relations(self.is_administrator());
        let role = Relations { collaborator: None, public: false, ..relations }.effective_role();
        self.restrictions.as_ref().map_or(role, |restrictions| role.min(restrictions.role_in_namespace()))
    }

    /// The user, or a 401.
    pub fn require_user(&self) -> Result<&User> {
        self.user.as_ref().ok_or_else(|| unauthorized("Login required"))
    }

    /// The user, who authenticated with their password: an access token changes no account and issues no token.
    pub fn require_password(&self) -> Result<&User> {
        if self.restrictions.is_some() {
            return forbidden("An access token cannot do this");
        }
        self.require_user()
    }

    /// What they are allowed, for what they write by it.
    #[must_use]
    pub fn right(&self, over: Over) -> Right {
        Right { credential: self.credential, over }
    }

    /// The right to write with this role in a repository; the role was checked.
    #[must_use]
    pub fn right_to(&self, lookup: &RepositoryLookup, id: RepositoryId, name: &RepositoryName, role: Role) -> Right {
        let namespace = lookup.namespace_id.unwrap_or(NamespaceId::NONE);
        let public = self.restrictions.as_ref().is_some_and(|restrictions| restrictions.role(name, false) < Some(role));
        self.right(Over::Repository { id, namespace, role, public })
    }

    /// Refuses an access token that may not change roles in a repository.
    pub fn require_roles(&self, name: &RepositoryName) -> Result<()> {
        allowed_roles(self.restrictions.as_ref().is_none_or(|restrictions| restrictions.changes_roles(name)))
    }

    /// The same in a namespace.
    pub fn require_roles_in_namespace(&self) -> Result<()> {
        allowed_roles(self.restrictions.as_ref().is_none_or(TokenRestrictions::changes_roles_in_namespace))
    }

    /// Whether the credentials are for whole namespaces: an access token may be for some repositories.
    #[must_use]
    pub fn reaches_namespaces(&self) -> bool {
        self.restrictions.as_ref().is_none_or(|restrictions| restrictions.role_in_namespace().is_some())
    }

    /// Whether the access token, if there is one, allows to read the repository of this full name.
    #[must_use]
    pub fn token_reads(&self, full_name: &str, public: bool) -> bool {
        let Some(restrictions) = &self.restrictions else { return true };
        let Some((namespace, name)) = full_name.split_once('/') else { return false };
        RepositoryName::parse(namespace, name).is_ok_and(|name| restrictions.role(&name, public).is_some())
    }

    /// The user's name for the audit log; empty for an anonymous request.
    #[must_use]
    pub fn name(&self) -> &str {
        self.user.as_ref().map_or("", |user| &user.name)
    }

    /// Who does what this request does, for the audit.
    #[must_use]
    pub fn by(&self, ctx: &Context, request: &Request) -> AuditContext {
        let actor = self.name().to_owned();
        let (now, millis) = (ctx.platform.now(), ctx.platform.now_ms().cast_signed());
        AuditContext { actor, credential: self.credential, address: request.address(), now, millis }
    }
}

fn allowed_roles(allowed: bool) -> Result<()> {
    if allowed { Ok(()) } else { forbidden("Access denied: an access token needs the scope repo:roles for this") }
}

impl Credentials {
    /// Authenticates them, and reads what the request is about, in one round trip.
    pub fn authenticate_with<'a, B: Batch>(
        &'a self,
        ctx: &'a Context,
        about: B,
    ) -> impl Future<Output = Result<(Principal, B::Output)>> {
        self.authenticate_as(ctx, about, |principal, about| (principal, about))
    }

    /// Authenticates an administrator of the whole index, and reads this, in one round trip. What the rows are the caller
    /// decodes: so this is compiled once.
    pub fn administrator<'a>(
        &'a self,
        ctx: &'a Context,
        statement: &Statement,
    ) -> LocalBoxFuture<'a, Result<(Principal, Rows)>> {
        let statements = vec![statement.clone()];
        Box::pin(async move {
            let (principal, mut answers) = self.authenticate_before(ctx, statements, false).await?;
            principal.require_administrator()?;
            Ok((principal, answers.pop().unwrap_or_default()))
        })
    }

    /// The same for a guard, which is made of both.
    pub(super) fn authenticate_as<'a, B: Batch, T>(
        &'a self,
        ctx: &'a Context,
        about: B,
        guard: impl FnOnce(Principal, B::Output) -> T,
    ) -> impl Future<Output = Result<T>> {
        let mut statements = Vec::new();
        let has_holder = about.has_holder();
        let decoder = about.split(&mut statements);
        // Only what follows differs for each batch: the rest is compiled once.
        let read: LocalBoxFuture<'a, _> = Box::pin(self.authenticate_before(ctx, statements, has_holder));
        read.map(move |read| {
            let (principal, answers) = read?;
            Ok(guard(principal, B::decode(decoder, &mut answers.into_iter())?))
        })
    }

    /// Authenticates them, and reads nothing else.
    pub async fn authenticate(&self, ctx: &Context) -> Result<Principal> {
        Ok(self.authenticate_before(ctx, Vec::new(), false).await?.0)
    }

    /// The same for statements. Where the first of them reads the user whose id is in the
    /// credentials (`has_holder`), no other does.
    async fn authenticate_before(
        &self,
        ctx: &Context,
        statements: Vec<Statement>,
        has_holder: bool,
    ) -> Result<(Principal, Vec<Rows>)> {
        let (principal, answers) = match self {
            Self::Anonymous
            | Self::Token(RepositoryTokenClaims { credential: CredentialId::Anonymous, .. })
            | Self::Bearer(CredentialId::Anonymous) => (Principal::ANONYMOUS, ctx.db.batch(statements).await?),
            Self::Password { name, secret, address } => {
                let (attempt, answers) =
                    read_with_user(ctx, users::for_password_login(name.as_str(), address), statements).await?;
                let user = auth::password::verify_password(ctx, &attempt, name, secret, address).await?;
                let credential = CredentialId::Password { user: user.id, epoch: user.epoch };
                (Principal { user: Some(user), credential, restrictions: None, browser: None }, answers)
            }
            Self::AccessToken { name, hash, address } => {
                let (holder, answers) =
                    read_with_user(ctx, users::with_access_token(name.as_str(), hash), statements).await?;
                (verify_access_token(ctx, holder, address)?, answers)
            }
            Self::Browser(cookie) => auth::browser::authenticate(ctx, cookie, statements).await?,
            Self::Token(RepositoryTokenClaims { credential, .. }) | Self::Bearer(credential) => {
                let (holder, answers) = if has_holder {
                    let mut answers = ctx.db.batch(statements).await?;
                    let user = answers.first_mut().map_or(Ok(None), users::of_holder)?;
                    (user.map(|user| Holder { user, token: None }), answers)
                } else {
                    read_with_user(ctx, users::by_credential(*credential), statements).await?
                };
                let challenge = if matches!(self, Self::Token(_)) { Challenge::Index } else { Challenge::Session };
                let ended = || Refusal::Unauthorized(challenge, "The token is no longer valid".into());
                (verify_credential_id(ctx, *credential, holder).ok_or_else(ended)?, answers)
            }
        };
        ctx.authenticated.set(principal.credential);
        Ok((principal, answers))
    }
}

/// Sends a query and, after it, statements.
async fn read_with_user<T>(
    ctx: &Context,
    query: Query<T>,
    mut statements: Vec<Statement>,
) -> Result<(T, Vec<Rows>), Fault> {
    statements.insert(0, query.statement().clone());
    let mut answers = ctx.db.batch(statements).await?;
    let first = answers.remove(0);
    Ok((query.decode(first)?, answers))
}

/// An access token that was found by its hash.
fn verify_access_token(ctx: &Context, holder: Option<Holder>, address: &str) -> Result<Principal> {
    let Some(Holder { user, token: Some(token) }) = holder else {
        return Err(unauthorized("The access token is not valid"));
    };
    let method = AuthMethod::AccessToken(token.id);
    if !token.is_good(ctx.platform.now()) {
        let reason = "The access token has expired or is not active";
        auth::login::record_refusal(ctx, user.id, method, reason, address);
        return Err(unauthorized(reason));
    }
    if !user.active {
        return auth::login::refuse_inactive(ctx, user.id, method, address);
    }
    Ok(principal_for_token(ctx, user, token))
}

/// A token's right must still exist: the user is active, and the password or the access token under
/// which it was given is the same.
fn verify_credential_id(ctx: &Context, credential: CredentialId, holder: Option<Holder>) -> Option<Principal> {
    let is_theirs = |holder: &Holder| holder.user.active && credential.user() == Some(holder.user.id);
    let Holder { user, token } = holder.filter(is_theirs)?;
    match credential {
        CredentialId::Password { epoch, .. } if user.epoch == epoch => {
            Some(Principal { user: Some(user), credential, restrictions: None, browser: None })
        }
        CredentialId::AccessToken { .. } => {
            let token = token.filter(|token| token.is_good(ctx.platform.now()))?;
            Some(principal_for_token(ctx, user, token))
        }
        _ => None,
    }
}

/// Seconds within which another use of a token is not written down.
const LAST_USED_GRANULARITY: i64 = 60;

fn principal_for_token(ctx: &Context, user: User, token: AccessToken) -> Principal {
    let now = ctx.platform.now();
    if token.used_at.is_none_or(|used_at| used_at + LAST_USED_GRANULARITY <= now) {
        ctx.after_response("note the use of an access token", access_tokens::used(token.id, now));
    }
    let credential = CredentialId::AccessToken { user: user.id, token: token.id };
    Principal { user: Some(user), credential, restrictions: Some(token.restrictions), browser: None }
}
