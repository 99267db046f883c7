//! Which URLs hublet may fetch. A URL that a user or an operator chose must not reach what only hublet or its platform
//! can reach: the private network, the platform's own addresses, hublet itself.

use crate::domain::names::is_loopback;

/// Bytes of a URL at most.
const MAX_URL_LENGTH: usize = 2_000;

/// Names of this machine or of a private network (RFC 6761, 6762, 7686, 8375 and ICANN's `internal`).
const PRIVATE_SUFFIXES: [&str; 7] = ["localhost", "local", "internal", "home.arpa", "onion", "invalid", "test"];

/// A URL that may be fetched: `https` and a public host name; `http` too, and loopback addresses, for hublet on one's own
/// machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingUrl(String);

impl OutgoingUrl {
    /// Parses `https://host[:port][/path][?query]`. `public_url` is where hublet itself is reached; without one it runs
    /// on a loopback address. The error names the rule that the URL breaks.
    pub fn parse(url: &str, public_url: Option<&str>) -> Result<Self, &'static str> {
        if url.len() > MAX_URL_LENGTH || !url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#".contains(&byte)) {
            return Err(
                "the URL is longer than 2000 bytes, or has a fragment, blanks or other characters that no URL has",
            );
        }
        let (scheme, rest) = url.split_once("://").ok_or("the URL has no scheme")?;
        let (authority, _) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = host_of(authority).ok_or("the host of the URL is malformed, or has a user before it")?;
        let own = public_url.and_then(|url| url.split_once("://")).map(|(_, authority)| authority);
        if own.is_some_and(|own| is_same(own, authority)) {
            return Err("the URL is that of this index itself");
        }
        if own.is_none_or(is_loopback) && is_loopback(host) && matches!(scheme, "http" | "https") {
            return Ok(Self(url.to_owned()));
        }
        if scheme != "https" {
            return Err("the scheme of the URL is not https");
        }
        if !is_public(host) {
            return Err("the host of the URL is an address or a name of a private network, not a public name");
        }
        Ok(Self(url.to_owned()))
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The host of an authority without a user; a port has digits alone.
fn host_of(authority: &str) -> Option<&str> {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
            is_port.then_some(host)?
        }
        _ => authority,
    };
    let name = host.strip_prefix('[').map_or(Some(host), |host| host.strip_suffix(']'));
    let allowed: &[u8] = if host.starts_with('[') { b":." } else { b"-." };
    let formed = name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || allowed.contains(&byte))
    });
    formed.then_some(host)
}

/// Whether two authorities are one host: hublet answers on every port that its host has. On a loopback address every
/// port is another program.
fn is_same(own: &str, other: &str) -> bool {
    if is_loopback(own) {
        return own.eq_ignore_ascii_case(other);
    }
    let name = |authority: &str| host_of(authority).map(|host| host.trim_end_matches('.').to_ascii_lowercase());
    name(own) == name(other)
}

/// Whether a host is a public name: of two labels or more, of which the last is no number (`127.1` and `0x7f.1` are
/// addresses), and not under a name of a private network.
fn is_public(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    let Some((_, last)) = name.rsplit_once('.') else { return false };
    let is_under =
        |suffix: &&str| name.strip_suffix(*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    name.split('.').all(is_label)
        && last.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && !PRIVATE_SUFFIXES.iter().any(is_under)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: Option<&str> = Some("https://hub.example.com");

    #[test]
    fn public_names_over_https_are_allowed() {
        for url in [
            "https://example.com",
            "https://example.com/",
            "https://EXAMPLE.com:8443/a/b?c=d&e=%20",
            "https://xn--bcher-kva.example.com?x",
            "https://example.com./x",
            "https://notlocal.example",
            "https://1.example.com/@user",
        ] {
            for public_url in [PUBLIC, None, Some("http://127.0.0.1:8787")] {
                assert!(OutgoingUrl::parse(url, public_url).is_ok(), "{url}");
            }
        }
    }

    #[test]
    fn other_schemes_and_malformed_urls_are_refused() {
        for url in [
            "",
            "example.com",
            "//example.com",
            "http://example.com",
            "HTTPS://example.com",
            "ftp://example.com",
            "https://",
            "https:///path",
            "https://user@example.com",
            "https://user:secret@example.com",
            "https://example.com\\@evil.example",
            "https://example.com#fragment",
            "https://example.com:",
            "https://example.com:x",
            "https://example.com:123456",
            "https://exa mple.com",
            "https://ex\u{e4}mple.com",
            "https://%65xample.com",
            "https://example..com",
            "https://.example.com",
            "https://-a.example.com",
            &format!("https://example.com/{}", "x".repeat(2_000)),
        ] {
            for public_url in [PUBLIC, None] {
                assert!(OutgoingUrl::parse(url, public_url).is_err(), "{url}");
            }
        }
    }

    #[test]
    fn addresses_and_private_names_are_refused() {
        for host in [
            "1.1.1.1",
            "10.0.0.1",
            "169.254.169.254",
            "192.168.1.1",
            "[2606:4700::1111]",
            "[fd00::1]",
            "[::ffff:127.0.0.1]",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.1.",
            "a.0x7f",
            "registry",
            "printer.local",
            "db.internal",
            "internal.",
            "router.home.arpa",
            "x.onion",
            "a.localhost",
            "a.LOCALHOST",
        ] {
            for public_url in [PUBLIC, None] {
                assert!(OutgoingUrl::parse(&format!("https://{host}/"), public_url).is_err(), "{host}");
            }
        }
    }

    #[test]
    fn loopback_is_allowed_only_from_loopback() {
        for url in ["http://127.0.0.1:9000/x", "https://localhost", "http://[::1]:9000", "http://127.9.9.9"] {
            assert!(OutgoingUrl::parse(url, PUBLIC).is_err(), "{url}");
            assert!(OutgoingUrl::parse(url, None).is_ok(), "{url}");
            assert!(OutgoingUrl::parse(url, Some("http://localhost:8787")).is_ok(), "{url}");
        }
        assert!(OutgoingUrl::parse("file://localhost", None).is_err());
    }

    #[test]
    fn own_address_is_refused() {
        for url in ["https://hub.example.com", "https://HUB.example.com:8443/x", "https://hub.example.com./"] {
            assert!(OutgoingUrl::parse(url, PUBLIC).is_err(), "{url}");
        }
        assert!(OutgoingUrl::parse("https://hub.example.com.example.org", PUBLIC).is_ok());
        let own = Some("http://127.0.0.1:8787");
        assert!(OutgoingUrl::parse("http://127.0.0.1:8787/v2/", own).is_err());
        assert!(OutgoingUrl::parse("http://127.0.0.1:8788/v2/", own).is_ok());
    }
}
