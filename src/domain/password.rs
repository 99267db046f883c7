//! Passwords: Argon2id with a pepper, and what an isolate remembers of them.

mod cache;
mod imported;
mod pacer;

use std::{borrow::Cow, cell::Cell, fmt};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};

use crate::{
    domain::{opaque_token, secret::constant_time_eq},
    error::{Result, invalid},
};

use imported::Bcrypt;

pub use cache::PasswordCache;
pub use pacer::{HashPacer, MAX_WAIT_MS};

/// The Hub's own least length, in characters: an operator may ask for more, not for less.
pub const MIN_PASSWORD_LENGTH: usize = 5;

/// Bytes beyond which a password only costs time.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// The most that a stored hash or a setting may ask of an isolate of 128 MB: 64 MiB, ten passes.
const MAX_MEMORY: u32 = 64 * 1024;
const MAX_PASSES: u32 = 10;
const MAX_LANES: u32 = 4;

/// Refuses a new password that is too short, too long, or looks like an access token.
pub fn acceptable(password: &str, least: usize) -> Result<&str> {
    if password.chars().count() < least {
        return invalid(format!("Password must be at least {least} characters long"));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return invalid(format!("Password must be at most {MAX_PASSWORD_BYTES} bytes long"));
    }
    if opaque_token::TokenKind::Access.has_prefix(password) {
        return invalid("Password must not begin as an access token does");
    }
    Ok(password)
}

/// Refuses the name of the user, which guessers try first.
pub fn require_not_the_name(password: &str, name: &str) -> Result<()> {
    if password.trim().to_lowercase() == name { invalid("Password must not be the username") } else { Ok(()) }
}

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// KiB of memory.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Cost {
    /// OWASP's first recommendation: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { memory: 19 * 1024, passes: 2, lanes: 1 }
    }
}

impl Cost {
    /// Reads `m=19456,t=2,p=1`, within the bounds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let mut part = |name: &str| parts.next()?.strip_prefix(name)?.parse().ok();
        let cost = Self { memory: part("m=")?, passes: part("t=")?, lanes: part("p=")? };
        let bounded = (1..=MAX_LANES).contains(&cost.lanes)
            && (8 * cost.lanes..=MAX_MEMORY).contains(&cost.memory)
            && (1..=MAX_PASSES).contains(&cost.passes);
        (parts.next().is_none() && bounded).then_some(cost)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={},t={},p={}", self.memory, self.passes, self.lanes)
    }
}

/// `PASSWORD_PEPPER`: secret inputs by id; the first hashes, all verify.
#[derive(Clone)]
pub struct Peppers(Vec<(String, Vec<u8>)>);

impl Peppers {
    /// Reads `id:value,id:value`; a value has at least 32 bytes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read = |part: &str| match part.trim().split_once(':') {
            Some((id, value)) if (1..=8).contains(&id.len()) && value.len() >= 32 => {
                Ok((id.to_owned(), value.as_bytes().to_vec()))
            }
            _ => Err("PASSWORD_PEPPER is not a list of id:value with an id of up to 8 and a value of 32 or more bytes"),
        };
        let peppers = text.split(',').map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(peppers))
    }

    /// The ids, the first of which hashes.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(id, _)| id.as_str())
    }

    fn first(&self) -> Option<&(String, Vec<u8>)> {
        self.0.first()
    }

    fn by_id(&self, id: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| known == id).map(|(_, value)| value.as_slice())
    }
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

/// A stored hash, taken apart: `$argon2id$v=19$m=,t=,p=,keyid=$salt$hash`. Before that, an imported one has `$2b$05$` with
/// the salt by which another system hashed the password: Argon2 has hashed the result of that.
struct PasswordHash {
    bcrypt: Option<Bcrypt>,
    cost: Cost,
    pepper: String,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl PasswordHash {
    fn parse(text: &str) -> Option<Self> {
        let (bcrypt, text) = Bcrypt::split(text).map_or((None, text), |(bcrypt, rest)| (Some(bcrypt), rest));
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (cost, pepper) = parts.next()?.rsplit_once(",keyid=")?;
        let mut bytes = |at_least: usize| BASE64.decode(parts.next()?).ok().filter(|b| b.len() >= at_least);
        let stored = Self {
            bcrypt,
            cost: Cost::parse(cost)?,
            pepper: String::from_utf8(BASE64.decode(pepper).ok()?).ok()?,
            salt: bytes(8)?,
            hash: bytes(16)?,
        };
        parts.next().is_none().then_some(stored)
    }

    fn encode(&self) -> String {
        let encode = |bytes: &[u8]| BASE64.encode(bytes);
        let pepper = encode(self.pepper.as_bytes());
        let bcrypt = self.bcrypt.map(|bcrypt| bcrypt.to_string()).unwrap_or_default();
        format!("{bcrypt}$argon2id$v=19${},keyid={pepper}${}${}", self.cost, encode(&self.salt), encode(&self.hash))
    }
}

thread_local! {
    static HASHES: Cell<u64> = const { Cell::new(0) };
    static WORK: Cell<u64> = const { Cell::new(0) };
}

/// How many Argon2 this thread has computed: it is what an answer costs.
#[must_use]
pub fn hashes() -> u64 {
    HASHES.get()
}

/// How much work they were: KiB of memory, as often as it was passed over; with what bcrypt took of it.
#[must_use]
pub fn work() -> u64 {
    WORK.get()
}

/// What Argon2 hashes: the password, or what bcrypt makes of it.
fn input(password: &str, bcrypt: Option<Bcrypt>) -> Cow<'_, [u8]> {
    let Some(bcrypt) = bcrypt else { return password.as_bytes().into() };
    WORK.set(WORK.get() + bcrypt.work());
    bcrypt.hash(password).to_vec().into()
}

fn argon2(input: &[u8], salt: &[u8], pepper: &[u8], cost: Cost, length: usize) -> Result<Vec<u8>, String> {
    HASHES.set(HASHES.get() + 1);
    WORK.set(WORK.get() + u64::from(cost.memory) * u64::from(cost.passes));
    let mut hash = vec![0; length];
    Params::new(cost.memory, cost.passes, cost.lanes, Some(length))
        .and_then(|params| Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params))
        .and_then(|argon2| argon2.hash_password_into(input, salt, &mut hash))
        .map_err(|error| format!("Argon2: {error}"))?;
    Ok(hash)
}

/// Hashes a password under the first pepper, as it is stored.
pub fn hash(password: &str, salt: [u8; 16], peppers: &Peppers, cost: Cost) -> Result<String, String> {
    store(password.as_bytes(), None, salt, peppers, cost)
}

/// Hashes what another system stored of a password, by bcrypt: it is as hard to guess as one that was hashed here.
pub fn import(hash: &str, salt: [u8; 16], peppers: &Peppers, cost: Cost) -> Result<String, String> {
    let (bcrypt, hash) = Bcrypt::parse(hash)?;
    store(&hash, Some(bcrypt), salt, peppers, cost)
}

/// Whether [`import`] takes what another system stored.
#[must_use]
pub fn is_importable(hash: &str) -> bool {
    Bcrypt::parse(hash).is_ok()
}

fn store(
    input: &[u8],
    bcrypt: Option<Bcrypt>,
    salt: [u8; 16],
    peppers: &Peppers,
    cost: Cost,
) -> Result<String, String> {
    let (id, pepper) = peppers.first().ok_or("PASSWORD_PEPPER is empty")?;
    let hash = argon2(input, &salt, pepper, cost, 32)?;
    Ok(PasswordHash { bcrypt, cost, pepper: id.clone(), salt: salt.to_vec(), hash }.encode())
}

/// The id of the pepper under which a stored password is hashed.
#[must_use]
pub fn pepper(stored: &str) -> Option<String> {
    PasswordHash::parse(stored).map(|stored| stored.pepper)
}

/// Whether this is the password that was stored. An error is ours: the stored text is damaged, or
/// its pepper is no longer configured.
pub fn verify(password: &str, stored: &str, peppers: &Peppers) -> Result<bool, String> {
    let stored = PasswordHash::parse(stored).ok_or("a stored password is not a PHC string of ours")?;
    let pepper = peppers
        .by_id(&stored.pepper)
        .ok_or_else(|| format!("PASSWORD_PEPPER lacks the id {:?} of a stored password", stored.pepper))?;
    let hash = argon2(&input(password, stored.bcrypt), &stored.salt, pepper, stored.cost, stored.hash.len())?;
    Ok(constant_time_eq(&hash, &stored.hash))
}

/// The work of a verification, for a user who does not exist: that of the stored hash of another, or of one of this cost.
/// The answer must not come sooner.
pub fn verify_dummy(password: &str, example: Option<&str>, peppers: &Peppers, cost: Cost) -> Result<(), String> {
    let (_, pepper) = peppers.first().ok_or("PASSWORD_PEPPER is empty")?;
    let (bcrypt, cost) =
        example.and_then(PasswordHash::parse).map_or((None, cost), |example| (example.bcrypt, example.cost));
    argon2(&input(password, bcrypt), &[0; 16], pepper, cost, 32).map(|_| ())
}

/// Milliseconds by which the slot of a stored hash is longer than that of an Argon2 alone.
#[must_use]
pub fn extra_interval_ms(stored: &str) -> u64 {
    PasswordHash::parse(stored).and_then(|stored| stored.bcrypt).map_or(0, Bcrypt::interval_ms)
}

/// Whether a stored hash should be replaced: it is imported, or another pepper or another cost is configured.
#[must_use]
pub fn is_outdated(stored: &str, peppers: &Peppers, cost: Cost) -> bool {
    let current = peppers.first().map(|(id, _)| id);
    let is_current =
        |stored: PasswordHash| stored.bcrypt.is_none() && stored.cost == cost && Some(&stored.pepper) == current;
    !PasswordHash::parse(stored).is_some_and(is_current)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Cost = Cost { memory: 64, passes: 1, lanes: 1 };

    fn peppers(ids: &[&str]) -> Peppers {
        let list = ids.iter().map(|id| format!("{id}:{}", id.repeat(40))).collect::<Vec<_>>();
        Peppers::parse(&list.join(",")).unwrap()
    }

    #[test]
    fn password_has_its_own_pepper_and_cost() {
        let old = hash("toto42", [1; 16], &peppers(&["a"]), COST).unwrap();
        assert!(old.starts_with("$argon2id$v=19$m=64,t=1,p=1,keyid=YQ$"), "{old}");
        let rotated = peppers(&["b", "a"]);
        assert_eq!(verify("toto42", &old, &rotated), Ok(true));
        assert_eq!(verify("toto43", &old, &rotated), Ok(false));
        assert!(verify("toto42", &old, &peppers(&["b"])).is_err());
        assert!(is_outdated(&old, &rotated, COST));
        assert!(!is_outdated(&old, &peppers(&["a", "b"]), COST));
        assert!(is_outdated(&old, &peppers(&["a"]), Cost::default()));
    }

    #[test]
    fn imported_password_is_verified_and_outdated() {
        let (peppers, bcrypt) = (peppers(&["a"]), "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a");
        let stored = import(bcrypt, [1; 16], &peppers, COST).unwrap();
        let salted = "$2b$05$abcdefghijklmnopqrstuu$argon2id$v=19$m=64,t=1,p=1,keyid=YQ$";
        assert!(stored.starts_with(salted), "{stored}");
        assert!(!stored.contains(&bcrypt[29..]), "what bcrypt made of it is not stored");
        assert_eq!(PasswordHash::parse(&stored).unwrap().encode(), stored);
        for (password, right) in [("secret", true), ("Secret", false), (bcrypt, false), (&bcrypt[29..], false)] {
            let before = work();
            assert_eq!(verify(password, &stored, &peppers), Ok(right), "{password}");
            let verified = work() - before;
            assert_eq!(verify_dummy(password, Some(&stored), &peppers, Cost::default()), Ok(()));
            assert_eq!(work() - before, 2 * verified, "an unknown name costs as much");
        }
        assert!(is_outdated(&stored, &peppers, COST));
        assert_eq!(pepper(&stored).as_deref(), Some("a"));
        assert_eq!((extra_interval_ms(&stored), extra_interval_ms("")), (9, 0));
        assert!(
            import("$2y$11$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", [1; 16], &peppers, COST).is_err()
        );
    }

    #[test]
    fn argon2_is_the_one_of_the_reference() {
        // RFC 9106 has no vector with these parameters: this one is of the reference implementation
        // (`echo -n password | argon2 somesalt -id -m 16 -t 2 -p 1 -l 32`).
        let hash = argon2(b"password", b"somesalt", &[], Cost { memory: 1 << 16, passes: 2, lanes: 1 }, 32).unwrap();
        let expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7";
        assert_eq!(crate::domain::secret::hex(&hash), expected);
    }

    #[test]
    fn stored_hash_is_parsed_strictly() {
        let good = hash("toto42", [1; 16], &peppers(&["a"]), COST).unwrap();
        assert_eq!(PasswordHash::parse(&good).unwrap().encode(), good);
        for bad in [
            good.replace("m=64", "m=99999999"),
            good.replace("t=1", "t=1000"),
            good.replace("argon2id", "argon2i"),
            good.replace(",keyid=YQ", ""),
            format!("{good}$"),
            String::new(),
        ] {
            assert!(PasswordHash::parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn hash_cost_is_bounded() {
        for good in ["m=8,t=1,p=1", "m=32,t=1,p=4", "m=65536,t=10,p=4", "m=19456,t=2,p=1"] {
            assert_eq!(Cost::parse(good).map(|cost| cost.to_string()).as_deref(), Some(good));
        }
        for bad in [
            "m=65537,t=1,p=1",
            "m=7,t=1,p=1",
            "m=31,t=1,p=4",
            "m=19456,t=0,p=1",
            "m=19456,t=11,p=1",
            "m=19456,t=2,p=0",
            "m=19456,t=2,p=5",
            "m=19456,t=2",
            "m=19456,t=2,p=1,",
            "t=2,m=19456,p=1",
            "m=-8,t=2,p=1",
            "",
        ] {
            assert_eq!(Cost::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn unknown_user_costs_one_hash() {
        let before = hashes();
        assert_eq!(verify_dummy("toto42", None, &peppers(&["a"]), COST), Ok(()));
        assert_eq!(hashes(), before + 1);
        assert!(verify_dummy("toto42", None, &Peppers(Vec::new()), COST).is_err());
    }

    #[test]
    fn pepper_debug_shows_only_ids() {
        assert_eq!(format!("{:?}", peppers(&["a", "b"])), r#"["a", "b"]"#);
    }

    #[test]
    fn lengths() {
        assert!(acceptable("1234", 5).is_err());
        assert!(acceptable("ééééé", 5).is_ok() && acceptable("ééééé", 6).is_err());
        assert!(acceptable(&"x".repeat(1024), 5).is_ok());
        assert!(acceptable(&"x".repeat(1025), 5).is_err());
        assert!(acceptable("hlp_is_mine", 5).is_err() && acceptable("hlp is mine", 5).is_ok());
        assert!(require_not_the_name("Alice", "alice").is_err() && require_not_the_name("alice1", "alice").is_ok());
    }
}
