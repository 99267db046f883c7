//! JSON Web Tokens, as far as hublet makes and reads its own.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// No token of ours is longer, with 500 scopes of 255 characters and a chain of certificates.
const MAX_TOKEN_LENGTH: usize = 256 * 1024;

/// A token taken apart; nothing of it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedJwt<'a> {
    /// The header. Nothing in it chooses a key or an algorithm: it must be what we write.
    pub header: Value,
    /// What is signed: the first two parts with the dot.
    pub signed: &'a str,
    claims: Vec<u8>,
    /// The third part.
    pub signature: Vec<u8>,
}

impl<'a> UnverifiedJwt<'a> {
    /// Takes a token apart; nothing for what has not its form.
    #[must_use]
    pub fn parse(token: &'a str) -> Option<Self> {
        if token.len() > MAX_TOKEN_LENGTH {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let bytes = |part: &str| BASE64URL.decode(part).ok();
        Some(Self {
            header: serde_json::from_slice(&bytes(header)?).ok()?,
            signed,
            claims: bytes(claims)?,
            signature: bytes(signature)?,
        })
    }

    /// The claims; ask only after the signature was verified.
    #[must_use]
    pub fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.claims).ok()
    }
}

/// What is to be signed for a token.
#[must_use]
pub fn signing_input(header: &Value, claims: &impl Serialize) -> String {
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims))
}

/// The token.
#[must_use]
pub fn assemble(unsigned: &str, signature: &[u8]) -> String {
    format!("{unsigned}.{}", BASE64URL.encode(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_headers_are_refused() {
        let of = |length: usize| format!("bnVsbA.bnVsbA.{}", "A".repeat(length - 14));
        assert!(UnverifiedJwt::parse(&of(MAX_TOKEN_LENGTH)).is_some());
        assert!(UnverifiedJwt::parse(&of(MAX_TOKEN_LENGTH + 1)).is_none());
    }
}
