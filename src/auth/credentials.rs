//! What a request carries to prove who it is from, read from its header.
//!
//! Credentials that the header alone refuses are refused before any storage is asked.

use crate::{
    auth::{browser::Cookie, registry_token},
    context::Context,
    domain::{
        Access, RepositoryName, Secret, UserId, UserName, credential::CredentialId, opaque_token::TokenKind, password,
        repository_token::RepositoryTokenClaims, session_token,
    },
    error::{Challenge, Error, Refusal, Result, forbidden},
    platform::RateLimit,
    store::repositories::Subject,
    wire::{Authorization, Request},
};

/// The message of a 401 for anything that could be a guess: it must not reveal how close the guess was.
pub const INVALID_CREDENTIALS: &str = "Wrong username or password";

/// The message of a 401 for what cannot be a user name, whether or not the address is registered.
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
    Token(RepositoryTokenClaims),
    /// A genuine session token, or registry token, whose right must still exist.
    Bearer(CredentialId),
    /// The cookie of a browser, which the row must confirm.
    Browser(Cookie),
}

/// 401 with the challenge of the index.
#[must_use]
pub fn unauthorized(reason: &'static str) -> Error {
    Refusal::Unauthorized(Challenge::Index, reason.into()).into()
}

/// 401 with the challenge of the management API.
#[must_use]
pub fn no_session() -> Error {
    Refusal::Unauthorized(Challenge::Session, "unauthorized".into()).into()
}

/// Refuses credentials over plain http, except on a loopback address.
pub fn require_https(request: &Request) -> Result<()> {
    if request.https || request.is_loopback() { Ok(()) } else { forbidden("Credentials are taken over https only") }
}

fn authorization(request: &Request) -> Result<Authorization> {
    let header = request.header("authorization");
    let authorization = Authorization::parse(header).ok_or_else(|| unauthorized("Malformed credentials"))?;
    if authorization != Authorization::Anonymous {
        require_https(request)?;
    }
    Ok(authorization)
}

/// Reads what is presented to the index: a password, an access token, a repository token.
pub fn v1_credentials(ctx: &Context, request: &Request) -> Result<Credentials> {
    match authorization(request)? {
        Authorization::Anonymous => Ok(Credentials::Anonymous),
        Authorization::Basic { name, secret } => Credentials::basic(&name, secret, request),
        Authorization::Token(token) => {
            let claim = RepositoryTokenClaims::verify(token.reveal(), ctx.config.keys()?, ctx.platform.now());
            claim.map(Credentials::Token).ok_or_else(|| unauthorized("The token is not valid"))
        }
        Authorization::Bearer(_) => Err(unauthorized("The token is not valid")),
    }
}

/// Reads a password or an access token; a request without one is refused.
pub fn password_credentials(ctx: &Context, request: &Request) -> Result<Credentials> {
    let credentials = v1_credentials(ctx, request)?;
    credentials.require_authenticated()?;
    credentials.require_no_token()?;
    Ok(credentials)
}

/// Parses the credentials of an endpoint that takes registry tokens too. `searching` requires one that grants search.
pub async fn registry_credentials(ctx: &Context, request: &Request, searching: bool) -> Result<Credentials> {
    let Authorization::Bearer(token) = authorization(request)? else { return v1_credentials(ctx, request) };
    let relations = registry_token::verify(ctx, token.reveal()).await?;
    match relations.filter(|relations| relations.searches || !searching) {
        Some(relations) => Ok(Credentials::Bearer(relations.credential)),
        None => Err(unauthorized("The token is not valid")),
    }
}

/// Reads what is presented to the management API: a session token and nothing else.
pub fn optional_session(ctx: &Context, request: &Request) -> Result<Credentials> {
    let authorization = Authorization::parse(request.header("authorization")).ok_or_else(no_session)?;
    if authorization == Authorization::Anonymous {
        return Ok(Credentials::Anonymous);
    }
    require_https(request)?;
    let Authorization::Bearer(token) = authorization else { return Err(no_session()) };
    let credential = session_token::verify(token.reveal(), ctx.config.keys()?, ctx.platform.now());
    credential.map(Credentials::Bearer).ok_or_else(no_session)
}

/// Parses the credentials of an endpoint that requires a session.
pub fn session(ctx: &Context, request: &Request) -> Result<Credentials> {
    match optional_session(ctx, request)? {
        Credentials::Anonymous => Err(no_session()),
        credentials => Ok(credentials),
    }
}

impl Credentials {
    /// A name with a password or an access token, which is recognized by its form.
    pub fn basic(name: &str, secret: Secret, request: &Request) -> Result<Self> {
        let words = if name.contains('@') { NO_EMAIL } else { INVALID_CREDENTIALS };
        let name = UserName::typed(name).ok_or_else(|| unauthorized(words))?;
        if secret.reveal().len() > password::MAX_PASSWORD_BYTES {
            return Err(unauthorized(INVALID_CREDENTIALS));
        }
        // Copied, it may be followed by a line feed or a blank; a password may begin with one.
        let token = secret.reveal().trim_ascii();
        if TokenKind::Reconciler.has_prefix(token) {
            return Err(unauthorized("The token of a reconciler opens nothing here"));
        }
        if !TokenKind::Access.has_prefix(token) {
            return Ok(Self::Password { name, secret, address: request.address() });
        }
        let hash = TokenKind::Access.parse_and_hash(token);
        let hash = hash.ok_or_else(|| unauthorized("The access token is not valid"))?;
        Ok(Self::AccessToken { name, hash, address: request.address() })
    }

    /// Refuses a repository token that is for something else than this repository and this access.
    pub fn require_token_for(&self, name: &RepositoryName, wanted: &[Access]) -> Result<()> {
        match self {
            Self::Token(claim) if claim.repository != *name => Err(unauthorized("The token is for another repository")),
            Self::Token(claim) if !wanted.contains(&claim.access) => {
                forbidden(format!("The token is for access={}", claim.access))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a repository token where only a password will do.
    pub fn require_no_token(&self) -> Result<()> {
        match self {
            Self::Token(_) => Err(unauthorized("Basic credentials are required")),
            _ => Ok(()),
        }
    }

    /// Refuses an address that sends too many requests without credentials, before a database is queried. Repository
    /// tokens of anonymous clients do not count: a v1 registry forwards those of all its clients.
    pub async fn require_anonymous_limit(&self, ctx: &Context, request: &Request) -> Result<()> {
        match self {
            Self::Anonymous | Self::Bearer(CredentialId::Anonymous) => {
                ctx.require_rate_limit(RateLimit::Anonymous, &request.address()).await
            }
            _ => Ok(()),
        }
    }

    /// Refuses anonymous credentials, before any storage.
    pub fn require_authenticated(&self) -> Result<()> {
        match self {
            Self::Anonymous => Err(unauthorized("Login required")),
            _ => Ok(()),
        }
    }

    /// The user of a session, before the session is verified: for what is read in the same round trip. 0 for an
    /// anonymous request.
    #[must_use]
    pub fn user(&self) -> UserId {
        match self {
            Self::Bearer(credential) => credential.user().unwrap_or(UserId::NONE),
            Self::Browser(cookie) => cookie.user,
            _ => UserId::NONE,
        }
    }

    /// Whether an administrator who presents this is one with it: access tokens never are.
    #[must_use]
    pub fn allows_admin(&self) -> bool {
        match self {
            Self::Password { .. } | Self::Browser(_) => true,
            Self::Token(RepositoryTokenClaims { credential, .. }) | Self::Bearer(credential) => {
                matches!(credential, CredentialId::Password { .. })
            }
            Self::Anonymous | Self::AccessToken { .. } => false,
        }
    }

    /// Whether an access token is involved, which may grant less than its user's role.
    #[must_use]
    pub fn uses_access_token(&self) -> bool {
        match self {
            Self::AccessToken { .. } => true,
            Self::Token(RepositoryTokenClaims { credential, .. }) | Self::Bearer(credential) => {
                matches!(credential, CredentialId::AccessToken { .. })
            }
            Self::Anonymous | Self::Password { .. } | Self::Browser(_) => false,
        }
    }

    /// Whose relations are looked up. An anonymous token grants access to public repositories while anonymous requests
    /// may read them.
    #[must_use]
    pub fn subject(&self, ctx: &Context) -> Subject<'_> {
        let credential = match self {
            Self::Anonymous => CredentialId::Anonymous,
            Self::Password { name, .. } => return Subject::Name(name.as_str()),
            Self::AccessToken { hash, .. } => return Subject::AccessToken(hash),
            Self::Browser(cookie) => return Subject::Id(cookie.user),
            Self::Token(RepositoryTokenClaims { credential, .. }) | Self::Bearer(credential) => *credential,
        };
        match credential {
            CredentialId::Anonymous if ctx.config.anonymous_read => Subject::Anonymous,
            CredentialId::Anonymous => Subject::None,
            CredentialId::Password { user, .. } => Subject::Id(user),
            CredentialId::AccessToken { user, token } => Subject::Token(user, token),
        }
    }
}
