//! Session tokens of the management API: JWTs that only hublet reads, under `TOKEN_KEY`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::{
    credential::CredentialId,
    jwt::{self, UnverifiedJwt},
    keys::{Key, TokenKeys},
    secret::{constant_time_eq, from_hex, hex},
};

/// Seconds that a session lives, as on the Hub.
pub const LIFETIME: i64 = 10 * 60;

/// The `typ` that no other token of hublet has.
const AUDIENCE: &str = "hublet session";
const TYPE: &str = "hublet-session+jwt";
const PURPOSE: &str = "session token";

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    aud: String,
    exp: i64,
    iat: i64,
    jti: String,
    credential: String,
    /// Where the Hub's tools look for the name.
    #[serde(rename = "https://hub.docker.com")]
    hub: Value,
}

/// A session token for a credential.
#[must_use]
pub fn sign(keys: &TokenKeys, credential: CredentialId, username: &str, jti: [u8; 8], now: i64) -> String {
    let claims = Claims {
        aud: AUDIENCE.into(),
        exp: now + LIFETIME,
        iat: now,
        jti: hex(&jti),
        credential: credential.to_string(),
        hub: json!({ "username": username }),
    };
    let unsigned = jwt::signing_input(&header(keys.signing()), &claims);
    let signature = signature(keys.signing(), &unsigned);
    jwt::assemble(&unsigned, &signature)
}

/// The credential of a genuine one.
#[must_use]
pub fn verify(token: &str, keys: &TokenKeys, now: i64) -> Option<CredentialId> {
    let parts = UnverifiedJwt::parse(token)?;
    let id = from_hex(parts.header.get("kid")?.as_str()?)?.try_into().ok()?;
    let key = keys.by_id(id)?;
    if parts.header != header(key) || !constant_time_eq(&signature(key, parts.signed), &parts.signature) {
        return None;
    }
    let claims = parts.claims::<Claims>()?;
    let credential = CredentialId::parse(&claims.credential).filter(|credential| credential.user().is_some());
    credential.filter(|_| claims.aud == AUDIENCE && claims.iat <= now && now < claims.exp)
}

/// HMAC-SHA256 under a key of its own, so that no other MAC of the same key is ever one of these.
fn signature(key: &Key, unsigned: &str) -> [u8; 32] {
    Key::new(&key.mac(PURPOSE, &[])).hmac_sha256(unsigned.as_bytes())
}

fn header(key: &Key) -> Value {
    json!({ "alg": "HS256", "kid": hex(&key.id), "typ": TYPE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_token_needs_signature_and_expires() {
        let keys = TokenKeys::parse(&"k".repeat(32)).unwrap();
        let credential = CredentialId::Password { user: 3.into(), epoch: 1 };
        let token = sign(&keys, credential, "paul", [1; 8], 1000);
        assert_eq!(verify(&token, &keys, 1599), Some(credential));
        assert_eq!(verify(&token, &keys, 1600), None);
        assert_eq!(verify(&token, &keys, 999), None);
        assert_eq!(verify(&token, &TokenKeys::parse(&"K".repeat(32)).unwrap(), 1000), None);
        let rotated = TokenKeys::parse(&format!("{},{}", "n".repeat(32), "k".repeat(32))).unwrap();
        assert_eq!(verify(&token, &rotated, 1000), Some(credential));
        for place in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = token.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let altered = String::from_utf8(bytes).unwrap_or_default();
                assert_eq!(verify(&altered, &keys, 1000), None, "{altered}");
            }
        }
    }
}
