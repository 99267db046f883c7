//! Repository tokens of the v1 protocol: `signature=<hex>,repository="ns/name",access=write`.
//!
//! The signature contains what it grants access to, until when, and the credential under which it was issued, so that a
//! forged or altered token is refused without storage. Whether that credential still exists is checked in the one round
//! trip of the request.

use crate::domain::{
    RepositoryId,
    access::Access,
    credential::CredentialId,
    keys::{ID, TokenKeys},
    names::RepositoryName,
    secret::{from_hex, hex},
};

/// Seconds that a token to read or write lives: a push of many layers takes hours.
pub const LIFETIME: i64 = 4 * 60 * 60;

/// Seconds that a token to delete lives.
pub const DELETE_LIFETIME: i64 = 15 * 60;

/// The form of the signature; another form gets another number.
const VERSION: u8 = 1;

/// What the MAC is for.
const PURPOSE: &str = "repository token";

/// Version, key id, then the fields of [`RepositoryTokenClaims`], then the nonce.
const SIGNED: usize = 1 + ID + 8 + 1 + 8 + 8 + 8 + NONCE;
const NONCE: usize = 8;
const MAC: usize = 32;

/// The claims of a repository token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryTokenClaims {
    /// The repository's name.
    pub repository: RepositoryName,
    /// Its id: a repository that was made again is another one.
    pub repository_id: RepositoryId,
    /// What it opens.
    pub access: Access,
    /// Whose right it is.
    pub credential: CredentialId,
    /// Seconds since 1970 from which it is refused.
    pub expires_at: i64,
}

impl RepositoryTokenClaims {
    /// The token, without a scheme.
    #[must_use]
    pub fn sign(&self, keys: &TokenKeys, nonce: [u8; NONCE]) -> String {
        let key = keys.signing();
        let (kind, user, number) = self.credential.fields();
        let mut signed = Vec::with_capacity(SIGNED + MAC);
        signed.push(VERSION);
        signed.extend(key.id);
        signed.extend(self.expires_at.to_be_bytes());
        signed.push(kind);
        signed.extend(user.to_be_bytes());
        signed.extend(number.to_be_bytes());
        signed.extend(self.repository_id.get().to_be_bytes());
        signed.extend(nonce);
        let name = self.repository.to_string();
        let mac = key.mac(PURPOSE, &[&signed, name.as_bytes(), self.access.as_str().as_bytes()]);
        signed.extend(mac);
        encode(&hex(&signed), &name, self.access)
    }

    /// Parses and verifies a token (without its scheme) strictly: byte for byte as hublet prints it, so that nothing it
    /// accepts means something else to a registry. `None` if it is forged, altered, expired or of another form.
    #[must_use]
    pub fn verify(token: &str, keys: &TokenKeys, now: i64) -> Option<Self> {
        let (signature, rest) = token.strip_prefix("signature=")?.split_once(",repository=\"")?;
        let (name, access) = rest.split_once("\",access=")?;
        let (access, bytes) = (Access::parse(access)?, from_hex(signature)?);
        let (signed, mac) = bytes.split_at_checked(SIGNED)?;
        let mut fields = Reader(signed);
        if fields.take::<1>()? != [VERSION] {
            return None;
        }
        let key = fields.take::<ID>()?;
        if !keys.verifies(key, mac, PURPOSE, &[signed, name.as_bytes(), access.as_str().as_bytes()]) {
            return None;
        }
        let expires_at = fields.number()?;
        let [kind] = fields.take::<1>()?;
        let credential = CredentialId::from_fields((kind, fields.number()?, fields.number()?))?;
        let (namespace, repository) = name.split_once('/')?;
        let claim = Self {
            repository: RepositoryName::parse(namespace, repository).ok()?,
            repository_id: RepositoryId::new(fields.number()?),
            access,
            credential,
            expires_at,
        };
        (now < expires_at).then_some(claim)
    }
}

fn encode(signature: &str, repository: &str, access: Access) -> String {
    format!(r#"signature={signature},repository="{repository}",access={access}"#)
}

/// A text from which numbers are taken, front first.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> TokenKeys {
        TokenKeys::parse(&"k".repeat(32)).unwrap()
    }

    fn claim() -> RepositoryTokenClaims {
        RepositoryTokenClaims {
            repository: RepositoryName::parse("paul", "app").unwrap(),
            repository_id: 7.into(),
            access: Access::Write,
            credential: CredentialId::Password { user: 3.into(), epoch: 1 },
            expires_at: 2000,
        }
    }

    #[test]
    fn signed_claims_are_read_back() {
        for credential in [
            CredentialId::Anonymous,
            CredentialId::Password { user: 3.into(), epoch: 9 },
            CredentialId::AccessToken { user: 3.into(), token: 5.into() },
        ] {
            for access in [Access::Read, Access::Write, Access::Delete] {
                let claim = RepositoryTokenClaims { access, credential, ..claim() };
                assert_eq!(RepositoryTokenClaims::verify(&claim.sign(&keys(), [1; 8]), &keys(), 1999), Some(claim));
            }
        }
    }

    #[test]
    fn token_has_the_documented_form() {
        let token = claim().sign(&keys(), [1; 8]);
        let (signature, rest) = token.strip_prefix("signature=").unwrap().split_once(',').unwrap();
        assert!(signature.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()));
        assert_eq!(signature.len(), 2 * (SIGNED + MAC));
        assert_eq!(rest, r#"repository="paul/app",access=write"#);
    }

    #[test]
    fn single_bit_change_is_refused() {
        let token = claim().sign(&keys(), [1; 8]);
        for place in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = token.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                if let Ok(altered) = String::from_utf8(bytes) {
                    assert_eq!(RepositoryTokenClaims::verify(&altered, &keys(), 1000), None, "{altered}");
                }
            }
        }
    }

    #[test]
    fn lookalikes_are_refused() {
        let token = claim().sign(&keys(), [1; 8]);
        let signature = token.split(',').next().unwrap();
        for altered in [
            token.replace("paul/app", "paul/other"),
            token.replace("write", "delete"),
            token.replace("access=", "Access="),
            token.replace("access=", "access ="),
            token.replace("write", "\"write\""),
            token.replace("repository", "Repository"),
            format!(r#"repository="paul/app",{signature},access=write"#),
            format!("{token},access=delete"),
            format!("{token} "),
            format!("{token},"),
            token.to_uppercase(),
            token.replace("signature=", "signature=0"),
            token.replace("signature=", "signature=00"),
            String::new(),
            "signature=,repository=\"\",access=".into(),
            "x".repeat(10_000),
        ] {
            assert_eq!(RepositoryTokenClaims::verify(&altered, &keys(), 1000), None, "{altered}");
        }
        assert_eq!(RepositoryTokenClaims::verify(&token, &TokenKeys::parse(&"K".repeat(32)).unwrap(), 1000), None);
        assert_eq!(RepositoryTokenClaims::verify(&token, &keys(), 2000), None);
    }
}
