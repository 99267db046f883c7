//! The registries that take tokens, as `SERVICES` names them.

use crate::domain::{names::is_loopback, registry_token::KeyHint};

/// A registry that tokens are issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The audience (`aud`) of its tokens.
    pub name: String,
    /// Where its clients reach it, perhaps with a port. hublet never connects to it.
    pub host: Option<String>,
    /// How a token names the key that signed it.
    pub hint: KeyHint,
}

impl Service {
    /// Parses `NAME[@HOST[:PORT]][=x5c|jwks|libtrust|zot]`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (called, hint) = text.split_once('=').unwrap_or((text, "x5c"));
        let (name, host) = called.split_once('@').map_or((called, None), |(name, host)| (name, Some(host)));
        let hint = match hint {
            // zot has one public key and looks at no header.
            "x5c" | "zot" => KeyHint::X5c,
            "jwks" => KeyHint::Jwks,
            "libtrust" => KeyHint::Libtrust,
            _ => return None,
        };
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\,".contains(&byte));
        (plain && host.is_none_or(is_host)).then(|| Self { name: name.to_owned(), host: host.map(str::to_owned), hint })
    }
}

/// Whether this is a host, perhaps with a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (text, "0"),
    };
    let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let (inside, more): (_, &[u8]) = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => (address, b":"),
        None => (host, b".-"),
    };
    is_port && !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

/// Whether this may stand in a challenge or a mailed link: `https`, or `http` on a loopback address.
#[must_use]
pub fn is_origin(url: &str) -> bool {
    let plain = |host: &str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(host), _) => plain(host),
        (_, Some(host)) => plain(host) && is_loopback(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same services that the tools read.
    #[test]
    fn services() {
        let lists: serde_json::Value = serde_json::from_str(include_str!("../../tests/services.json")).unwrap();
        for (text, read) in lists["services"].as_object().unwrap() {
            let service = Service::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(service.name, read["name"], "{text}");
            assert_eq!(service.host.as_deref(), read["host"].as_str(), "{text}");
        }
        for text in lists["no services"].as_array().unwrap() {
            assert_eq!(Service::parse(text.as_str().unwrap()), None, "{text}");
        }
    }
}
