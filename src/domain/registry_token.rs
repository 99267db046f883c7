//! Registry tokens: JWTs that registries verify, signed ES256 under a certificate.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::{
    AccessTokenId, RefreshTokenId,
    certificates::{Certificate, Chain},
    credential::CredentialId,
    jwt::UnverifiedJwt,
    scope::Grant,
};

/// Seconds that `nbf` lies back: clocks differ.
const NBF_LEEWAY: i64 = 30;

/// Who the tool beside a registry is in its tokens, and so in notifications: a user cannot have this name.
pub const RECONCILER: &str = "(reconciler)";

/// How a registry learns which key signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHint {
    /// The certificate and its CA, in the token: what registries 2.8 and 3 both verify.
    X5c,
    /// RFC 7638 thumbprint, for registries with a JWKS file.
    Jwks,
    /// libtrust's id, for 2.8 with the bare leaf.
    Libtrust,
}

/// The claims of a registry token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims<A = Vec<Grant>> {
    /// `ISSUER`.
    pub iss: String,
    /// [`subject`]
    pub sub: String,
    /// The one service that it is for.
    pub aud: String,
    /// Seconds since 1970.
    pub exp: i64,
    /// A little earlier than `iat`.
    pub nbf: i64,
    /// Seconds since 1970.
    pub iat: i64,
    /// Random.
    pub jti: String,
    /// What it opens.
    pub access: A,
    /// For hublet alone: the credential under which it was issued.
    pub credential: String,
}

impl Claims {
    /// The times of a token that is valid for this number of seconds.
    #[must_use]
    pub fn times(now: i64, lifetime: i64) -> (i64, i64, i64) {
        (now + lifetime, now - NBF_LEEWAY, now)
    }
}

/// How a user authenticated for a token, by the id of the credential if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// A password, or nothing.
    Password,
    /// An access token.
    AccessToken(AccessTokenId),
    /// A refresh token: docker's own, from its login.
    RefreshToken(RefreshTokenId),
}

/// The subject of a token: the user's name; after a slash the id of the access token, or after a slash and an `r` that
/// of the refresh token; empty for an anonymous request. It is all that registries repeat of a token in their
/// notifications.
#[must_use]
pub fn subject(name: &str, method: AuthMethod) -> String {
    match method {
        AuthMethod::Password => name.to_owned(),
        AuthMethod::AccessToken(id) => format!("{name}/{id}"),
        AuthMethod::RefreshToken(id) => format!("{name}/r{id}"),
    }
}

/// The user's name and the means of such a subject.
#[must_use]
pub fn read_subject(subject: &str) -> (&str, AuthMethod) {
    let method = |text: &str| match text.strip_prefix('r') {
        Some(id) => Some(AuthMethod::RefreshToken(RefreshTokenId::new(id.parse().ok()?))),
        None => Some(AuthMethod::AccessToken(AccessTokenId::new(text.parse().ok()?))),
    };
    let parts = subject.rsplit_once('/').and_then(|(name, text)| Some((name, method(text)?)));
    parts.unwrap_or((subject, AuthMethod::Password))
}

/// The header of a token for a service.
#[must_use]
pub fn header(hint: KeyHint, chain: &Chain) -> Value {
    match hint {
        KeyHint::X5c => json!({ "alg": "ES256", "typ": "JWT", "x5c": chain.x5c() }),
        KeyHint::Jwks => json!({ "alg": "ES256", "typ": "JWT", "kid": chain.leaf.thumbprint() }),
        KeyHint::Libtrust => json!({ "alg": "ES256", "typ": "JWT", "kid": chain.leaf.libtrust_id() }),
    }
}

/// The credential under which a verified token was issued, and whether it grants search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Whose it is.
    pub credential: CredentialId,
    /// Whether `registry:catalog:search` was granted.
    pub searches: bool,
}

/// The leaf whose key verifies a presented token, if its header is one that we write. The header
/// chooses among our own certificates and nothing else.
#[must_use]
pub fn signer<'a>(parts: &UnverifiedJwt<'_>, chain: &'a Chain) -> Option<&'a Certificate> {
    chain.leaves().find(|leaf| {
        let chain = Chain { leaf: (*leaf).clone(), ..chain.clone() };
        [KeyHint::X5c, KeyHint::Jwks, KeyHint::Libtrust].iter().any(|hint| header(*hint, &chain) == parts.header)
    })
}

/// Verifies the claims of a token whose signature is right.
#[must_use]
pub fn verify_claims(parts: &UnverifiedJwt<'_>, issuer: &str, services: &[&str], now: i64) -> Option<VerifiedToken> {
    let claims = parts.claims::<Claims<Vec<Value>>>()?;
    let current = claims.nbf <= now && now < claims.exp;
    if !current || claims.iss != issuer || !services.contains(&claims.aud.as_str()) {
        return None;
    }
    let search = |grant: &Value| {
        grant["type"] == "registry"
            && grant["name"] == "catalog"
            && grant["actions"].as_array().is_some_and(|actions| actions.iter().any(|a| a == "search" || a == "*"))
    };
    Some(VerifiedToken {
        credential: CredentialId::parse(&claims.credential)?,
        searches: claims.access.iter().any(search),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_round_trips() {
        for method in [AuthMethod::Password, AuthMethod::AccessToken(7.into()), AuthMethod::RefreshToken(7.into())] {
            assert_eq!(read_subject(&subject("paul", method)), ("paul", method));
        }
        for other in ["", "paul/", "paul/r", "paul/x7", "paul/7r"] {
            assert_eq!(read_subject(other), (other, AuthMethod::Password), "{other}");
        }
    }

    #[test]
    fn token_is_valid_from_just_before_issue() {
        assert_eq!(Claims::times(1000, 300), (1300, 970, 1000));
    }
}
