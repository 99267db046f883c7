//! What the tools read and write as hublet does: registries, their secrets and keys, addresses.

use std::collections::BTreeMap;

use hublet::{
    config::{Config, Service, is_origin},
    domain::{certificates::Certificate, keys::TokenKeys, registry_token::KeyHint},
};

/// A registry of `SERVICES`.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct Registry {
    /// Its name, which is the `aud` of its tokens.
    pub name: String,
    /// Where its clients reach it.
    pub host: Option<String>,
    /// How a token names the key that signed it: `x5c`, `jwks`, `libtrust` or `zot`.
    pub trust: String,
}

/// Reads a registry of `SERVICES`: `NAME[@HOST[:PORT]][=x5c|jwks|libtrust|zot]`.
#[must_use]
pub fn registry(text: &str) -> Option<Registry> {
    let Service { name, host, hint } = Service::parse(text)?;
    let is_zot = text.rsplit_once('=').is_some_and(|(_, trust)| trust == "zot");
    let trust = match hint {
        KeyHint::X5c if is_zot => "zot",
        KeyHint::X5c => "x5c",
        KeyHint::Jwks => "jwks",
        KeyHint::Libtrust => "libtrust",
    };
    Some(Registry { name, host, trust: trust.to_owned() })
}

/// The secret that a registry sends with its events.
pub fn event_secret(token_key: &str, registry: &str) -> Result<String, String> {
    Ok(TokenKeys::parse(token_key)?.event_secret(registry))
}

/// Whether this can be `PUBLIC_URL`.
#[must_use]
pub fn is_public_url(text: &str) -> bool {
    is_origin(text)
}

/// Two of these settings, by name, that exclude each other, as the log of hublet says it.
#[must_use]
pub fn contradiction(settings: &BTreeMap<String, String>) -> Option<String> {
    Config::from_env(|name| settings.get(name).cloned()).contradiction
}

/// The public key of a certificate, in DER, as a JWK.
pub fn jwk(certificate: &[u8]) -> Result<serde_json::Value, String> {
    Certificate::parse(certificate.to_vec()).map(|certificate| certificate.jwk())
}

/// libtrust's id of the public key of a certificate, in DER.
pub fn libtrust_id(certificate: &[u8]) -> Result<String, String> {
    Certificate::parse(certificate.to_vec()).map(|certificate| certificate.libtrust_id())
}
