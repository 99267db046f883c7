//! The keys under which hublet signs for itself: `TOKEN_KEY`.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::secret::{constant_time_eq, hex};

/// Fewer bytes than this are not a key for HMAC-SHA256.
pub const MIN_KEY_LENGTH: usize = 32;

/// How many bytes name a key inside a token.
pub const ID: usize = 4;

/// One key.
#[derive(Clone)]
pub struct Key {
    secret: Vec<u8>,
    /// Names this key in a token: derived, so that it reveals nothing.
    pub id: [u8; ID],
}

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let mut key = Self { secret: secret.to_vec(), id: [0; ID] };
        let [a, b, c, d, ..] = key.mac("key id", &[]);
        key.id = [a, b, c, d];
        key
    }

    /// HMAC-SHA256 over a purpose and these parts, each with its length before it, so that no two
    /// lists of parts are the same bytes and no MAC serves two purposes.
    #[must_use]
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut framed = Vec::new();
        for part in [b"hublet", purpose.as_bytes()].iter().chain(parts) {
            framed.extend((part.len() as u64).to_be_bytes());
            framed.extend(*part);
        }
        self.hmac_sha256(&framed)
    }

    /// HMAC-SHA256 over just these bytes, for a key that has no other purpose.
    #[must_use]
    pub fn hmac_sha256(&self, bytes: &[u8]) -> [u8; 32] {
        // HMAC takes a key of any length: the refusal that the type allows does not exist.
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.secret) else { return [0; 32] };
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:02x?})", self.id)
    }
}

/// All keys: the first signs, every one verifies, so that a key can be changed without an outage.
#[derive(Debug, Clone)]
pub struct TokenKeys {
    signing: Key,
    earlier: Vec<Key>,
}

impl TokenKeys {
    /// Reads `TOKEN_KEY`: keys of at least 32 bytes between commas.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys = text.split(',').map(str::trim).map(|key| {
            (key.len() >= MIN_KEY_LENGTH)
                .then(|| Key::new(key.as_bytes()))
                .ok_or_else(|| format!("TOKEN_KEY holds a key of {} bytes; {MIN_KEY_LENGTH} are the least", key.len()))
        });
        let signing = keys.next().unwrap_or_else(|| Err("TOKEN_KEY is empty".into()))?;
        Ok(Self { signing, earlier: keys.collect::<Result<_, _>>()? })
    }

    /// The key that signs today.
    #[must_use]
    pub fn signing(&self) -> &Key {
        &self.signing
    }

    /// The key from which secrets that live in other people's configuration are derived: the last,
    /// which stays while new ones are put before it.
    #[must_use]
    pub fn oldest(&self) -> &Key {
        self.earlier.last().unwrap_or(&self.signing)
    }

    /// The secret that a registry sends with its events. It is derived, and stored nowhere.
    #[must_use]
    pub fn event_secret(&self, registry: &str) -> String {
        hex(&self.oldest().mac("event secret", &[registry.as_bytes()]))
    }

    /// Every key.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.signing).chain(&self.earlier)
    }

    /// The key of this id.
    #[must_use]
    pub fn by_id(&self, id: [u8; ID]) -> Option<&Key> {
        self.all().find(|key| key.id == id)
    }

    /// Whether this is the MAC of the named key over these parts.
    #[must_use]
    pub fn verifies(&self, id: [u8; ID], mac: &[u8], purpose: &str, parts: &[&[u8]]) -> bool {
        self.by_id(id).is_some_and(|key| constant_time_eq(&key.mac(purpose, parts), mac))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_separates_purpose_and_parts() {
        let key = Key::new(&[7; 32]);
        assert_ne!(key.mac("a", &[b"bc", b"d"]), key.mac("a", &[b"b", b"cd"]));
        assert_ne!(key.mac("a", &[b"b"]), key.mac("b", &[b"b"]));
    }

    #[test]
    fn first_key_signs_and_every_key_verifies() {
        let (old, new) = ("o".repeat(32), "n".repeat(32));
        let before = TokenKeys::parse(&old).unwrap();
        let mac = before.signing().mac("test", &[b"x"]);
        let after = TokenKeys::parse(&format!("{new}, {old}")).unwrap();
        assert!(after.verifies(before.signing().id, &mac, "test", &[b"x"]));
        assert_ne!(after.signing().id, before.signing().id);
        assert_eq!(after.oldest().id, before.signing().id);
        assert!(!TokenKeys::parse(&new).unwrap().verifies(before.signing().id, &mac, "test", &[b"x"]));
    }

    #[test]
    fn event_secrets_are_what_the_tools_print() {
        let keys = TokenKeys::parse(&format!("{},{}", "n".repeat(32), "o".repeat(32))).unwrap();
        let secret = keys.event_secret("registry");
        assert_eq!(secret, "f4d54f0857109ee4d98ef048308be8207eab02b7c0df3bb6f181af604bba27e9");
    }

    #[test]
    fn key_debug_shows_only_its_id() {
        let key = Key::new(&[7; 32]);
        assert_eq!(format!("{key:?}"), format!("Key({:02x?})", key.id));
    }

    #[test]
    fn short_key_is_refused() {
        assert!(TokenKeys::parse("").is_err());
        assert!(TokenKeys::parse(&format!("{},short", "k".repeat(32))).is_err());
    }
}
