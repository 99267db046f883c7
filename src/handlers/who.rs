//! The first step of a handler: authentication.
//!
//! Credentials that the header alone refuses are refused before any storage is asked. The rest is one statement that a
//! handler puts into the batch it makes anyway, and a decision over its row.

use crate::{
    domain::{
        Access, RepositoryName, Role, Secret, UserName, credential::CredentialId, opaque, password,
        registry_token::AuthMethod, repository_token::Claim, session_token, token_restrictions::TokenRestrictions,
    },
    handlers::{login, registry},
    index::{Index, Limit},
    refusal::{Answer, Challenge, Error, Fault, Refusal, forbidden},
    store::{
        Over, Right, Row, Statement, access_tokens,
        access_tokens::AccessToken,
        audit::AuditContext,
        repositories::{RepositoryLookup, Subject},
        users,
        users::User,
    },
    wire::{Authorization, Request},
};

/// Words of a 401 for anything that could be a guess: they must not tell how close it was.
pub const WRONG: &str = "Wrong username or password";

/// The same for what can be no name, whoever has that address.
const NO_EMAIL: &str = "Log in with your user name, not with an e-mail address";

/// The credentials of a request. Signatures and formats have been checked; the database has not been asked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    Anonymous,
    /// A password, which the row must confirm.
    Password {
        /// The user.
        name: UserName,
        /// The password.
        secret: Secret,
        /// Where it comes from.
        address: String,
    },
    /// An access token in the place of a password.
    AccessToken {
        /// The user.
        name: UserName,
        /// As it is stored.
        hash: String,
        /// Where it comes from.
        address: String,
    },
    /// A genuine repository token, whose right must still exist.
    Token(Claim),
    /// A genuine session token, or registry token, whose right must still exist.
    Bearer(CredentialId),
}

/// Who a request turned out to be from: the result of authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Nothing for nobody.
    pub user: Option<User>,
    /// What a token that is given to them stands for.
    pub credential: CredentialId,
    /// What the access token allows that they came with.
    pub restrictions: Option<TokenRestrictions>,
}

impl Principal {
    const ANONYMOUS: Self = Self { user: None, credential: CredentialId::Anonymous, restrictions: None };

    /// Whether they administrate the whole index with these credentials: access tokens never do.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.restrictions.is_none() && self.user.as_ref().is_some_and(|user| user.administrator)
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

    /// The user, or a 401.
    pub fn require_user(&self) -> Answer<&User> {
        self.user.as_ref().ok_or_else(|| unauthorized("Login required"))
    }

    /// The user, who came with their password: an access token changes no account and makes no token.
    pub fn require_password(&self) -> Answer<&User> {
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

    /// Their right to do so much with the repository of a place, which they were found to have.
    #[must_use]
    pub fn right_to(&self, lookup: &RepositoryLookup, id: i64, name: &RepositoryName, role: Role) -> Right {
        let namespace = lookup.namespace_id.unwrap_or_default();
        let public = self.restrictions.as_ref().is_some_and(|restrictions| restrictions.role(name, false) < Some(role));
        self.right(Over::Repository { id, namespace, role, public })
    }

    /// Refuses an access token that may not say who may do what in a repository.
    pub fn require_roles(&self, name: &RepositoryName) -> Answer<()> {
        allowed_roles(self.restrictions.as_ref().is_none_or(|restrictions| restrictions.changes_roles(name)))
    }

    /// The same in a namespace.
    pub fn require_roles_in_namespace(&self) -> Answer<()> {
        allowed_roles(self.restrictions.as_ref().is_none_or(TokenRestrictions::changes_roles_in_namespace))
    }

    /// Whether what they came with is for whole namespaces: an access token may be for some repositories.
    #[must_use]
    pub fn reaches_namespaces(&self) -> bool {
        self.restrictions.as_ref().is_none_or(|restrictions| restrictions.role_in_namespace().is_some())
    }

    /// The name for records; empty for nobody.
    #[must_use]
    pub fn name(&self) -> &str {
        self.user.as_ref().map_or("", |user| &user.name)
    }

    /// Who does what this request does, for the audit.
    #[must_use]
    pub fn by(&self, index: &Index, request: &Request) -> AuditContext {
        let actor = self.name().to_owned();
        let (now, millis) = (index.world.now(), index.world.millis().cast_signed());
        AuditContext { actor, credential: self.credential, address: request.address(), now, millis }
    }
}

/// 401 with the challenge of the index.
#[must_use]
pub fn unauthorized(reason: &'static str) -> Error {
    Refusal::Unauthorized(Challenge::Index, reason.into()).into()
}

fn allowed_roles(allowed: bool) -> Answer<()> {
    if allowed { Ok(()) } else { forbidden("Access denied: an access token needs the scope repo:roles for this") }
}

/// Refuses credentials over plain http, except to this machine itself.
pub fn require_https(request: &Request) -> Answer<()> {
    if request.https || request.loopback() { Ok(()) } else { forbidden("Credentials are taken over https only") }
}

fn authorization(request: &Request) -> Answer<Authorization> {
    let header = request.header("authorization");
    let authorization = Authorization::read(header).ok_or_else(|| unauthorized("Malformed credentials"))?;
    if authorization != Authorization::Anonymous {
        require_https(request)?;
    }
    Ok(authorization)
}

/// Reads what is presented to the index: a password, an access token, a repository token.
pub fn credentials(index: &Index, request: &Request) -> Answer<Credentials> {
    match authorization(request)? {
        Authorization::Anonymous => Ok(Credentials::Anonymous),
        Authorization::Basic { name, secret } => Credentials::named(&name, secret, request),
        Authorization::Token(token) => {
            let claim = Claim::verify(token.reveal(), index.settings.keys()?, index.world.now());
            claim.map(Credentials::Token).ok_or_else(|| unauthorized("The token is not valid"))
        }
        Authorization::Bearer(_) => Err(unauthorized("The token is not valid")),
    }
}

/// Reads what is presented where a registry token is good too. `searching` asks that it be one for
/// search.
pub async fn presented_to_registry(index: &Index, request: &Request, searching: bool) -> Answer<Credentials> {
    let Authorization::Bearer(token) = authorization(request)? else { return credentials(index, request) };
    let relations = registry::verify(index, token.reveal()).await?;
    match relations.filter(|relations| relations.searches || !searching) {
        Some(relations) => Ok(Credentials::Bearer(relations.credential)),
        None => Err(unauthorized("The token is not valid")),
    }
}

/// Reads what is presented to the management API: a session token and nothing else.
pub fn presented_to_management(index: &Index, request: &Request) -> Answer<Credentials> {
    let refused = || Refusal::Unauthorized(Challenge::Session, "unauthorized".into());
    let authorization = Authorization::read(request.header("authorization")).ok_or_else(refused)?;
    if authorization == Authorization::Anonymous {
        return Ok(Credentials::Anonymous);
    }
    require_https(request)?;
    let Authorization::Bearer(token) = authorization else { return Err(refused().into()) };
    let credential = session_token::verify(token.reveal(), index.settings.keys()?, index.world.now());
    Ok(credential.map(Credentials::Bearer).ok_or_else(refused)?)
}

/// The same, from somebody: a session is needed.
pub fn with_session(index: &Index, request: &Request) -> Answer<Credentials> {
    match presented_to_management(index, request)? {
        Credentials::Anonymous => Err(Refusal::Unauthorized(Challenge::Session, "unauthorized".into()).into()),
        credentials => Ok(credentials),
    }
}

impl Credentials {
    /// A name with a password or an access token, told apart by its form.
    pub fn named(name: &str, secret: Secret, request: &Request) -> Answer<Self> {
        let words = if name.contains('@') { NO_EMAIL } else { WRONG };
        let name = UserName::typed(name).ok_or_else(|| unauthorized(words))?;
        if secret.reveal().len() > password::LONGEST {
            return Err(unauthorized(WRONG));
        }
        // Copied, it may have a line feed behind it, or a blank; a password may begin with one.
        let token = secret.reveal().trim_ascii();
        if !opaque::Kind::Access.claims(token) {
            return Ok(Self::Password { name, secret, address: request.address() });
        }
        let hash = opaque::Kind::Access.hash(token);
        let hash = hash.ok_or_else(|| unauthorized("The access token is not valid"))?;
        Ok(Self::AccessToken { name, hash, address: request.address() })
    }

    /// Refuses a repository token that is for something else than this repository and this access.
    pub fn require_token_for(&self, name: &RepositoryName, wanted: &[Access]) -> Answer<()> {
        match self {
            Self::Token(claim) if claim.repository != *name => Err(unauthorized("The token is for another repository")),
            Self::Token(claim) if !wanted.contains(&claim.access) => {
                forbidden(format!("The token is for access={}", claim.access))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a repository token where only a password will do.
    pub fn require_no_token(&self) -> Answer<()> {
        match self {
            Self::Token(_) => Err(unauthorized("Basic credentials are required")),
            _ => Ok(()),
        }
    }

    /// Refuses an address from which too much comes without credentials, before a database is asked for
    /// nobody. A repository token of nobody's is not counted: a v1 registry shows those of all its clients.
    pub async fn require_within_limit(&self, index: &Index, request: &Request) -> Answer<()> {
        match self {
            Self::Anonymous | Self::Bearer(CredentialId::Anonymous) => {
                index.require_within(Limit::Anonymous, &request.address()).await
            }
            _ => Ok(()),
        }
    }

    /// Refuses nobody where somebody is needed, before any storage.
    pub fn require_somebody(&self) -> Answer<()> {
        match self {
            Self::Anonymous => Err(unauthorized("Login required")),
            _ => Ok(()),
        }
    }

    /// Whether an administrator who presents this is one with it: access tokens never are.
    #[must_use]
    pub fn may_administrate(&self) -> bool {
        match self {
            Self::Password { .. } => true,
            Self::Token(Claim { credential, .. }) | Self::Bearer(credential) => {
                matches!(credential, CredentialId::Password { .. })
            }
            Self::Anonymous | Self::AccessToken { .. } => false,
        }
    }

    /// Whether an access token stands behind it, which may open less than its user may.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        match self {
            Self::AccessToken { .. } => true,
            Self::Token(Claim { credential, .. }) | Self::Bearer(credential) => {
                matches!(credential, CredentialId::AccessToken { .. })
            }
            Self::Anonymous | Self::Password { .. } => false,
        }
    }

    /// Whose standing a place is read for. A token that was given to nobody opens what is public as long as that is
    /// everybody's.
    #[must_use]
    pub fn subject(&self, index: &Index) -> Subject<'_> {
        let credential = match self {
            Self::Anonymous => CredentialId::Anonymous,
            Self::Password { name, .. } => return Subject::Name(name.as_str()),
            Self::AccessToken { hash, .. } => return Subject::AccessToken(hash),
            Self::Token(Claim { credential, .. }) | Self::Bearer(credential) => *credential,
        };
        match credential {
            CredentialId::Anonymous if index.settings.anonymous_read => Subject::Anonymous,
            CredentialId::Anonymous => Subject::None,
            CredentialId::Password { user, .. } => Subject::Id(user),
            CredentialId::AccessToken { user, token } => Subject::Token(user, token),
        }
    }

    /// What must be read to know them: the first statement of the handler's batch.
    #[must_use]
    pub fn statement(&self) -> Statement {
        match self {
            Self::Anonymous => users::by_credential(CredentialId::Anonymous),
            Self::Password { name, address, .. } => users::with_failures(name.as_str(), address),
            Self::AccessToken { name, hash, .. } => users::with_access_token(name.as_str(), hash),
            Self::Token(Claim { credential, .. }) | Self::Bearer(credential) => users::by_credential(*credential),
        }
    }

    /// Decides over the row of that statement.
    pub async fn known(&self, index: &Index, rows: &[Row]) -> Answer<Principal> {
        let principal = self.recognized(index, rows).await?;
        index.authenticated.set(principal.credential);
        Ok(principal)
    }

    async fn recognized(&self, index: &Index, rows: &[Row]) -> Answer<Principal> {
        match self {
            Self::Anonymous => Ok(Principal::ANONYMOUS),
            Self::Password { name, secret, address } => {
                let row = rows.first().ok_or_else(|| Fault::broken("no row for a user"))?;
                let user = login::check(index, row, name, secret, address).await?;
                let credential = CredentialId::Password { user: user.id, epoch: user.epoch };
                Ok(Principal { user: Some(user), credential, restrictions: None })
            }
            Self::AccessToken { address, .. } => by_access_token(index, rows, address),
            Self::Token(Claim { credential, .. }) => {
                by_credential(index, *credential, rows).ok_or_else(|| unauthorized("The token is no longer valid"))
            }
            Self::Bearer(credential) => by_credential(index, *credential, rows)
                .ok_or_else(|| Refusal::Unauthorized(Challenge::Session, "The token is no longer valid".into()).into()),
        }
    }
}

/// An access token that was found by its hash.
fn by_access_token(index: &Index, rows: &[Row], address: &str) -> Answer<Principal> {
    let found = rows.first().and_then(|row| Some((User::of(row)?, AccessToken::of(row)?)));
    let Some((user, token)) = found else { return Err(unauthorized("The access token is not valid")) };
    let method = AuthMethod::AccessToken(token.id);
    if !token.is_good(index.world.now()) {
        let reason = "The access token has expired or is not active";
        login::refused(index, user.id, method, reason, address);
        return Err(unauthorized(reason));
    }
    if !user.active {
        return login::inactive(index, user.id, method, address);
    }
    Ok(came_with(index, user, token))
}

/// A token's right must still exist: the user is active, and the password or the access token under
/// which it was given is the same.
fn by_credential(index: &Index, credential: CredentialId, rows: &[Row]) -> Option<Principal> {
    if credential == CredentialId::Anonymous {
        return Some(Principal::ANONYMOUS);
    }
    let row = rows.first()?;
    let user = User::of(row).filter(|user| user.active)?;
    match credential {
        CredentialId::Password { epoch, .. } if user.epoch == epoch => {
            Some(Principal { user: Some(user), credential, restrictions: None })
        }
        CredentialId::AccessToken { .. } => {
            let token = AccessToken::of(row).filter(|token| token.is_good(index.world.now()))?;
            Some(came_with(index, user, token))
        }
        _ => None,
    }
}

/// Seconds within which another use of a token is not written down.
const USE_NOTED: i64 = 60;

fn came_with(index: &Index, user: User, token: AccessToken) -> Principal {
    let now = index.world.now();
    if token.used_at.is_none_or(|used_at| used_at + USE_NOTED <= now) {
        index.later("note the use of an access token", access_tokens::used(token.id, now));
    }
    let credential = CredentialId::AccessToken { user: user.id, token: token.id };
    Principal { user: Some(user), credential, restrictions: Some(token.restrictions) }
}
