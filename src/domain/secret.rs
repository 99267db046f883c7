//! Text that must not be seen: it prints as dots, and is compared in constant time.

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A password, a token, a key.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for those who compute with it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Whether two texts are equal, in a time that reveals at most their lengths.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// SHA-256 in hex: how a secret of many random bits is stored.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of a lower-case hex text.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(16 * digit(high)? + digit(low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("toto42")), "…");
    }

    #[test]
    fn secrets_compare_to_the_last_byte() {
        let secret = Secret::new("toto42");
        assert_eq!(secret, Secret::new("toto42"));
        for other in ["toto43", "Toto42", "toto4", "toto421", ""] {
            assert_ne!(secret, Secret::new(other), "{other}");
        }
    }

    #[test]
    fn hex_is_lower_case_both_ways() {
        assert_eq!(hex(&[0, 255, 16]), "00ff10");
        assert_eq!(from_hex("00ff10"), Some(vec![0, 255, 16]));
        for wrong in ["0", "0G", "FF", " 0"] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }
}
