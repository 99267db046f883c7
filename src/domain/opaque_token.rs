//! Secrets that hublet gives out and only it reads: access tokens, refresh tokens, the tokens of reconcilers, the cookies
//! of browsers, links.
//!
//! A token has a prefix that secret scanners know it by, 160 random bits, and a checksum, so that
//! nonsense is refused without the database.

use crate::domain::{
    Secret, UserId,
    secret::{hex, sha256_hex},
};

/// Random bytes in a token.
pub const RANDOM: usize = 20;

/// Hex digits of the user that a cookie names.
const USER: usize = 16;

/// Hex digits of the checksum.
const CHECKSUM: usize = 8;

/// The kinds of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Works wherever a password does.
    Access,
    /// Gets registry tokens.
    Refresh,
    /// Of the tool beside a registry.
    Reconciler,
    /// Of the session of a browser, in its cookie.
    Browser,
}

impl TokenKind {
    /// These prefixes never change: scanners know them.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Access => "hlp_",
            Self::Refresh => "hlr_",
            Self::Reconciler => "hlc_",
            Self::Browser => "hls_",
        }
    }

    /// A new token of these random bytes.
    #[must_use]
    pub fn generate(self, random: [u8; RANDOM]) -> Secret {
        let body = format!("{}{}", self.prefix(), hex(&random));
        Secret::new(format!("{body}{}", checksum(&body)))
    }

    /// Whether this means to be such a token.
    #[must_use]
    pub fn has_prefix(self, text: &str) -> bool {
        text.starts_with(self.prefix())
    }

    /// How a token is stored; nothing for what is not one.
    #[must_use]
    pub fn parse_and_hash(self, text: &str) -> Option<String> {
        let digits = text.strip_prefix(self.prefix())?;
        let user = if self == Self::Browser { USER } else { 0 };
        let formed = digits.len() == user + 2 * RANDOM + CHECKSUM
            && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let (body, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
        (formed && checksum(body) == sum).then(|| sha256_hex(text))
    }
}

/// A cookie of these random bytes, which names its user.
#[must_use]
pub fn cookie(user: UserId, random: [u8; RANDOM]) -> Secret {
    let body = format!("{}{:0USER$x}{}", TokenKind::Browser.prefix(), user.get(), hex(&random));
    Secret::new(format!("{body}{}", checksum(&body)))
}

/// The user that a cookie names, and how it is stored; nothing for what is not one.
#[must_use]
pub fn parse_cookie(text: &str) -> Option<(UserId, String)> {
    let hash = TokenKind::Browser.parse_and_hash(text)?;
    let digits = text.strip_prefix(TokenKind::Browser.prefix())?.get(..USER)?;
    Some((UserId::new(i64::from_str_radix(digits, 16).ok()?), hash))
}

/// A random UUID (version 4): the public name of a token.
#[must_use]
pub fn uuid(random: [u8; 16]) -> String {
    let bits = (u128::from_be_bytes(random) & !(0xf << 76) & !(0x3 << 62)) + (4 << 76) + (2 << 62);
    let group = |shift: u32| bits >> shift & 0xffff;
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", bits >> 96, group(80), group(64), group(48), bits & ((1 << 48) - 1))
}

fn checksum(body: &str) -> String {
    let mut sum = sha256_hex(body);
    sum.truncate(CHECKSUM);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn token_kind_is_known_by_its_form() {
        let token = TokenKind::Access.generate([7; RANDOM]);
        assert_eq!(token.reveal().len(), 4 + 40 + 8);
        assert_eq!(TokenKind::Access.parse_and_hash(token.reveal()), Some(sha256_hex(token.reveal())));
        assert_eq!(TokenKind::Refresh.parse_and_hash(token.reveal()), None);
        let altered = token.reveal().replace("07", "08");
        for other in [altered.as_str(), "hlp_", "", &token.reveal()[1..], &token.reveal().to_uppercase(), "hlp_é"] {
            assert_eq!(TokenKind::Access.parse_and_hash(other), None, "{other}");
        }
        let cookie = cookie(UserId::new(300), [7; RANDOM]);
        assert_eq!(parse_cookie(cookie.reveal()), Some((UserId::new(300), sha256_hex(cookie.reveal()))));
        assert_eq!(parse_cookie(&cookie.reveal().replace("12c", "12d")), None);
        assert_eq!(TokenKind::Access.parse_and_hash(&cookie.reveal().replace("hls_", "hlp_")), None);
        // Nor does a right checksum make a token of what has not the digits of one.
        for body in [
            "hlp_".to_owned() + &"07".repeat(19),
            "hlp_".to_owned() + &"07".repeat(21),
            "hlp_".to_owned() + &"0g".repeat(20),
        ] {
            let other = format!("{body}{}", checksum(&body));
            assert_eq!(TokenKind::Access.parse_and_hash(&other), None, "{other}");
        }
    }
}
