//! Credentials, and what they are made with.

use base64::{Engine, engine::general_purpose::STANDARD};
use hublet::{
    config::Config,
    domain::{
        Access, RepositoryName, Secret,
        certificates::{Chain, SigningKey},
        credential::CredentialId,
        jwt::UnverifiedJwt,
        keys::TokenKeys,
        opaque_token::TokenKind,
        password::{self, Cost, Peppers},
        registry_token,
        repository_token::RepositoryTokenClaims,
        session_token,
    },
    wire::Authorization,
};

use super::{MARK, keeps, text, two};
use crate::reading;

const NOW: i64 = 1_800_000_000;
const KEY: &str = "a key for the parsers, which is no secret";
const PEPPER: &str = "1:a pepper for the parsers, which is no secret";
const CHAIN: &str = include_str!("../../../test-support/registry/certificates.pem");

fn ours() -> Option<TokenKeys> {
    TokenKeys::parse(KEY).ok()
}

/// The header: read as it was written, and silent about what it holds.
pub fn authorization(bytes: &[u8]) {
    let header = text(bytes);
    let read = Authorization::parse(Some(&header));
    match &read {
        Some(Authorization::Basic { name, secret }) => {
            let marked = format!("basic {}", STANDARD.encode(format!("{name}:{}{MARK}", secret.reveal())));
            assert!(name.contains(MARK) || !format!("{:?}", Authorization::parse(Some(&marked))).contains(MARK));
            let again = format!("basic {}", STANDARD.encode(format!("{name}:{}", secret.reveal())));
            assert_eq!(Authorization::parse(Some(&again)), read);
        }
        Some(Authorization::Token(secret)) => {
            keeps(&format!("{:?}", Authorization::parse(Some(&format!("{header}{MARK}")))));
            // The corpus has genuine ones, in odd forms.
            if let Some(claim) = ours().and_then(|keys| RepositoryTokenClaims::verify(secret.reveal(), &keys, NOW)) {
                as_registries(header.trim_matches([' ', '\t']), &claim);
            }
            // What was brought into its own form once stays in it.
            if !secret.reveal().contains(' ') {
                assert_eq!(Authorization::parse(Some(&format!("Token {}", secret.reveal()))), read);
            }
        }
        Some(Authorization::Bearer(_)) => {
            keeps(&format!("{:?}", Authorization::parse(Some(&format!("{header}{MARK}")))));
        }
        _ => {}
    }
    // Two headers in one line are none.
    if matches!(read, Some(Authorization::Basic { .. })) {
        assert_eq!(Authorization::parse(Some(&format!("{header}, {header}"))), None);
    }
}

/// A repository token that nobody signed.
pub fn repository(bytes: &[u8]) {
    let Some(keys) = ours() else { return };
    let token = text(bytes);
    if let Some(claim) = RepositoryTokenClaims::verify(&token, &keys, NOW) {
        // The corpus has genuine ones.
        assert!(claim.expires_at > NOW);
        as_registries(&format!("Token {token}"), &claim);
    }
}

/// A repository token for whatever name there is, signed and then altered at a place that the bytes choose.
pub fn signed_repository(bytes: &[u8]) {
    let (Some(keys), [access, place, bit, name @ ..]) = (ours(), bytes) else { return };
    let name = text(name);
    let (namespace, rest) = name.split_once('/').unwrap_or(("library", &name));
    let Ok(repository) = RepositoryName::parse(namespace, rest) else { return };
    let access = [Access::Read, Access::Write, Access::Delete].into_iter().nth(usize::from(access % 3));
    let credential = CredentialId::Password { user: i64::from(*place).into(), epoch: i64::from(*bit) };
    let Some(access) = access else { return };
    let claim = RepositoryTokenClaims { repository, repository_id: 7.into(), access, credential, expires_at: NOW + 1 };
    let token = claim.sign(&keys, [*place; 8]);
    assert_eq!(RepositoryTokenClaims::verify(&token, &keys, NOW).as_ref(), Some(&claim));
    assert_eq!(RepositoryTokenClaims::verify(&token, &keys, NOW + 1), None);
    for scheme in ["Token ", "token Token ", "TOKEN "] {
        let header = format!("{scheme}{}", if bit & 1 == 0 { token.clone() } else { token.replace(',', ", ") });
        let shown = Authorization::parse(Some(&header));
        assert_eq!(shown, Some(Authorization::Token(Secret::new(token.as_str()))), "{header}");
        as_registries(&header, &claim);
    }
    let at = usize::from(*place) % token.len();
    let letters = token.bytes().enumerate();
    let altered = letters.map(|(place, byte)| char::from(if place == at { byte ^ 1 << (bit % 8) } else { byte }));
    assert_eq!(RepositoryTokenClaims::verify(&altered.collect::<String>(), &keys, NOW), None);
}

/// That the v1 registry reads a header as we do.
fn as_registries(header: &str, claim: &RepositoryTokenClaims) {
    let read = reading::registry(header);
    let says = |name: &str| read.get(name).map(String::as_str);
    assert_eq!(says("repository"), Some(claim.repository.to_string().as_str()), "{header}");
    assert_eq!(says("access"), Some(claim.access.as_str()), "{header}");
}

/// A session token that nobody signed, and one that was and says what the bytes say.
pub fn session(bytes: &[u8]) {
    let Some(keys) = ours() else { return };
    let token = text(bytes);
    assert_eq!(session_token::verify(&token, &keys, 0), None);
    let credential =
        CredentialId::AccessToken { user: i64::try_from(bytes.len()).unwrap_or(1).into(), token: 3.into() };
    let signed = session_token::sign(&keys, credential, &token, [1; 8], NOW);
    assert_eq!(session_token::verify(&signed, &keys, NOW), (signed.len() <= 32 * 1024).then_some(credential));
    assert_eq!(session_token::verify(&format!("{signed}{token} "), &keys, NOW), None);
    if let Some(other) = CredentialId::parse(&token) {
        assert_eq!(other.to_string(), token);
    }
}

/// A registry token, as far as it is read before its signature is.
pub fn registry(bytes: &[u8]) {
    let token = text(bytes);
    let Some(parts) = UnverifiedJwt::parse(&token) else { return };
    if let Ok(chain) = Chain::parse(CHAIN) {
        let _ = registry_token::signer(&parts, &chain);
    }
    if let Some(verified) = registry_token::verify_claims(&parts, "hublet", &["registry"], NOW) {
        assert_eq!(CredentialId::parse(&verified.credential.to_string()), Some(verified.credential));
    }
}

/// Access and refresh tokens: what is one was made by us, and no text is both.
pub fn opaque(bytes: &[u8]) {
    let token = text(bytes);
    let (access, refresh) = (TokenKind::Access.parse_and_hash(&token), TokenKind::Refresh.parse_and_hash(&token));
    assert!(access.is_none() || refresh.is_none());
    for (kind, hash) in [(TokenKind::Access, access), (TokenKind::Refresh, refresh)] {
        assert!(hash.is_none() || kind.has_prefix(&token) && token.len() == 52);
        let Some(random) = bytes.first_chunk() else { continue };
        let made = kind.generate(*random);
        assert!(kind.parse_and_hash(made.reveal()).is_some_and(|hash| hash.len() == 64));
        assert_eq!(kind.parse_and_hash(&format!("{}{token} ", made.reveal())), None);
    }
}

/// A stored password, and a new one whose hash is read as it was printed.
pub fn stored_password(bytes: &[u8]) {
    let (stored, secret) = two(bytes);
    let Ok(peppers) = Peppers::parse(PEPPER) else { return };
    if let Some(cost) = Cost::parse(&stored) {
        assert_eq!(Cost::parse(&cost.to_string()), Some(cost));
    }
    let cheap = Cost { memory: 8, passes: 1, lanes: 1 };
    // Of what it costs, only a little is tried here.
    let parameters = stored.split('$').nth(3).and_then(|part| part.rsplit_once(",keyid=")).map(|(cost, _)| cost);
    let dear = parameters.and_then(Cost::parse).is_some_and(|cost| cost.memory > 256 || cost.passes > 2);
    if !dear && let Err(error) = password::verify(&format!("{secret}{MARK}"), &format!("{stored}{MARK}"), &peppers) {
        assert!(stored.contains(MARK) || !error.contains(MARK), "{error} tells");
    }
    let _ = password::is_outdated(&stored, &peppers, cheap);
    let Ok(hashed) = password::hash(&secret, [7; 16], &peppers, cheap) else { return };
    assert_eq!(password::verify(&secret, &hashed, &peppers), Ok(true));
    assert_eq!(password::verify(&format!("{secret}."), &hashed, &peppers), Ok(false));
    assert!(!password::is_outdated(&hashed, &peppers, cheap));
}

/// Secrets of the operator: what cannot be read is named, and not told.
pub fn keys(bytes: &[u8]) {
    let (name, value) = two(bytes);
    let value = format!("{value}{MARK}");
    keeps(&format!("{:?}", TokenKeys::parse(&value)));
    // The id of a pepper is no secret, nor is what stands where one is expected.
    if value.split(',').all(|pair| pair.split_once(':').is_some_and(|(id, _)| !id.contains(MARK))) {
        keeps(&format!("{:?}", Peppers::parse(&value)));
    }
    let secrets = ["TOKEN_KEY", "PASSWORD_PEPPER", "REGISTRY_KEY", "REGISTRY_CERTIFICATE"];
    let settings = Config::from_env(|asked| (asked == name || secrets.contains(&asked)).then(|| value.clone()));
    if secrets.contains(&name.as_str()) || name.is_empty() {
        keeps(&format!("{:?}", settings.problems));
    }
}

/// PEM and DER.
pub fn certificates(bytes: &[u8]) {
    let value = text(bytes);
    keeps(&format!("{:?}", SigningKey::parse(&format!("{value}{MARK}"), CHAIN)));
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(bytes));
    for text in [value, format!("{pem}{pem}")] {
        let Ok(chain) = Chain::parse(&text) else { continue };
        assert_eq!(chain.leaf.thumbprint().len(), 43);
        assert_eq!(chain.leaf.libtrust_id().len(), 59);
        assert_eq!(chain.leaves().count(), 1 + chain.earlier.len());
    }
}
