//! Secrets that hublet gives out and only it reads: access tokens, refresh tokens, the tokens of reconcilers, the cookies
//! of browsers, links.
//!
//! A token has a prefix that secret scanners know it by, 160 random bits, and a checksum, so that
//! nonsense is refused without the database. A cookie names its user, of whom a page is read while the cookie is looked up:
//! in the place of the checksum it has a MAC, so that only what hublet gave out costs a database anything.

use crate::domain::{
    Secret, UserId,
    keys::{Key, TokenKeys},
    secret::{constant_time_eq, hex, sha256_hex},
};

/// Random bytes in a token.
pub const RANDOM: usize = 20;

/// Hex digits of the user that a cookie names.
const USER: usize = 16;

/// Hex digits of the checksum.
const CHECKSUM: usize = 8;

/// Bytes of the MAC of a cookie.
const MAC: usize = 16;

/// What that MAC is for.
const PURPOSE: &str = "cookie";

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

    /// How a token is stored; nothing for what is not one, or is a cookie.
    #[must_use]
    pub fn parse_and_hash(self, text: &str) -> Option<String> {
        let (body, sum) = self.parts(text, 2 * RANDOM, CHECKSUM)?;
        (self != Self::Browser && checksum(body) == sum).then(|| sha256_hex(text))
    }

    /// What such a text says, and the digits by which it is verified, where both are as long as this after the prefix.
    fn parts(self, text: &str, body: usize, end: usize) -> Option<(&str, &str)> {
        let digits = text.strip_prefix(self.prefix())?;
        let formed = digits.len() == body + end && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        text.split_at_checked(text.len().checked_sub(end)?).filter(|_| formed)
    }
}

/// A cookie of these random bytes, which names its user.
#[must_use]
pub fn cookie(user: UserId, random: [u8; RANDOM], keys: &TokenKeys) -> Secret {
    let body = format!("{}{:0USER$x}{}", TokenKind::Browser.prefix(), user.get(), hex(&random));
    let mac = mac(keys.signing(), &body);
    Secret::new(body + &mac)
}

/// The user that a cookie names, and how it is stored; nothing for what hublet did not give out.
#[must_use]
pub fn parse_cookie(text: &str, keys: &TokenKeys) -> Option<(UserId, String)> {
    let (body, end) = TokenKind::Browser.parts(text, USER + 2 * RANDOM, 2 * MAC)?;
    let genuine = keys.all().any(|key| constant_time_eq(mac(key, body).as_bytes(), end.as_bytes()));
    let digits = body.strip_prefix(TokenKind::Browser.prefix())?.get(..USER).filter(|_| genuine)?;
    Some((UserId::new(i64::from_str_radix(digits, 16).ok()?), stored(text)))
}

/// How a cookie that was made, or verified, is stored.
#[must_use]
pub fn stored(cookie: &str) -> String {
    sha256_hex(cookie)
}

fn mac(key: &Key, body: &str) -> String {
    let mut mac = hex(&key.mac(PURPOSE, &[body.as_bytes()]));
    mac.truncate(2 * MAC);
    mac
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

    #[test]
    fn cookie_is_genuine_by_any_key_of_the_index() {
        let keys = |text: &str| TokenKeys::parse(text).unwrap();
        let (one, other) = ("1".repeat(32), "2".repeat(32));
        let made = cookie(UserId::new(300), [7; RANDOM], &keys(&one));
        let read = |text: &str, by: &str| parse_cookie(text, &keys(by));
        let found = Some((UserId::new(300), stored(made.reveal())));
        assert_eq!(read(made.reveal(), &one), found);
        assert_eq!(read(made.reveal(), &format!("{other},{one}")), found);
        assert_eq!(read(made.reveal(), &other), None);
        for altered in
            [made.reveal().replace("12c", "12d"), made.reveal().replace("07", "08"), format!("{}0", made.reveal())]
        {
            assert_eq!(read(&altered, &one), None, "{altered}");
        }
        for kind in [TokenKind::Access, TokenKind::Browser] {
            assert_eq!(kind.parse_and_hash(&made.reveal().replace("hls_", kind.prefix())), None);
        }
        // A checksum, which all can compute, makes no cookie.
        let body = format!("hls_{:016x}{}", 300, "07".repeat(20));
        assert_eq!(read(&format!("{body}{}", checksum(&body)), &one), None);
    }
}
