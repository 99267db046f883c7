//! Passwords that another system hashed with bcrypt.

use std::fmt;

use base64::Engine;
use bcrypt::BASE_64;

/// The costs that are taken: 10 takes 150 ms of CPU, and each more takes twice as long.
const COSTS: std::ops::RangeInclusive<u32> = 4..=10;

/// Letters of a salt of 16 bytes.
const SALT_LENGTH: usize = 22;

/// How bcrypt computes: `$2b$05$` and the salt. `2a`, `2b` and `2y` are three names for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
}

impl Bcrypt {
    /// Reads it from the beginning of a text; gives the rest too.
    pub fn split(text: &str) -> Option<(Self, &str)> {
        let versions = ["$2a$", "$2b$", "$2y$"];
        let (cost, rest) = versions.iter().find_map(|version| text.strip_prefix(version))?.split_once('$')?;
        let is_cost = cost.len() == 2 && cost.bytes().all(|digit| digit.is_ascii_digit());
        let cost = cost.parse().ok().filter(|cost| is_cost && COSTS.contains(cost))?;
        let (salt, rest) = rest.split_at_checked(SALT_LENGTH)?;
        let salt = BASE_64.decode(salt).ok()?.try_into().ok()?;
        Some((Self { cost, salt }, rest))
    }

    /// Reads what a file of passwords has, `$2y$05$…` with 60 characters: how it was computed, and the result.
    pub fn parse(text: &str) -> Result<(Self, [u8; 23]), String> {
        let read = || {
            let (bcrypt, hash) = Self::split(text)?;
            Some((bcrypt, BASE_64.decode(hash).ok()?.try_into().ok()?))
        };
        read().ok_or_else(|| {
            let (least, most) = (COSTS.start(), COSTS.end());
            format!(
                "a bcrypt hash begins with $2a$, $2b$ or $2y$ and a cost from {least} to {most}, and has 60 characters"
            )
        })
    }

    /// What bcrypt makes of a password, of which it reads 72 bytes.
    pub fn hash(self, password: &str) -> [u8; 23] {
        let mut key = password.bytes().chain([0]).collect::<Vec<_>>();
        key.truncate(72);
        let [hash @ .., _] = bcrypt::bcrypt(self.cost, self.salt, &key);
        hash
    }

    /// How much work that is, in the measure of Argon2: KiB of memory, as often as it is passed over.
    pub fn work(self) -> u64 {
        128 << self.cost
    }

    /// Milliseconds that the next hash waits for it: twice what it takes.
    pub fn interval_ms(self) -> u64 {
        (300 << self.cost) >> 10
    }
}

impl fmt::Display for Bcrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$2b${:02}${}", self.cost, BASE_64.encode(self.salt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of jBCrypt, and of Apache's htpasswd, which writes `2y`.
    const HASHES: [(&str, &str); 4] = [
        ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
        ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
        ("abcdefghijklmnopqrstuvwxyz", "$2a$08$aTsUwsyowQuzRrDqFflhgekJ8d9/7Z3GV3UcgvzQW3J5zMyrTvlz."),
        ("secret", "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"),
    ];

    #[test]
    fn bcrypt_is_the_one_of_others() {
        for (password, hash) in HASHES {
            let (bcrypt, expected) = Bcrypt::parse(hash).unwrap();
            assert_eq!(bcrypt.hash(password), expected, "{password}");
            assert_ne!(bcrypt.hash(&format!("{password}.")), expected, "{password}");
            assert_eq!(format!("{}{}", bcrypt, BASE_64.encode(expected))[4..], hash[4..]);
        }
    }

    #[test]
    fn bcrypt_reads_72_bytes() {
        let (bcrypt, _) = Bcrypt::parse(HASHES[3].1).unwrap();
        assert_eq!(bcrypt.hash(&"x".repeat(72)), bcrypt.hash(&"x".repeat(1000)));
        assert_ne!(bcrypt.hash(&"x".repeat(71)), bcrypt.hash(&"x".repeat(72)));
    }

    #[test]
    fn bcrypt_is_parsed_strictly() {
        let good = HASHES[3].1;
        for bad in [
            good.replace("$2y$", "$2x$"),
            good.replace("$2y$", "$2$"),
            good.replace("$05$", "$5$"),
            good.replace("$05$", "$+5$"),
            good.replace("$05$", "$03$"),
            good.replace("$05$", "$11$"),
            good.replace("$05$", "$31$"),
            good.replace("abcdef", "abc\u{e9}ef"),
            format!("{good}a"),
            good[..59].to_owned(),
            good[..20].to_owned(),
            String::new(),
        ] {
            assert!(Bcrypt::parse(&bad).is_err(), "{bad}");
        }
    }
}
