//! A request as plain values.

use std::{cell::Cell, fmt, net::IpAddr};

use crate::domain::names::is_loopback;

/// The headers that hublet reads; the edge provides no others. The last three are the attributes of a `CloudEvent`.
pub const HEADERS: [&str; 13] = [
    "authorization",
    "x-docker-token",
    "content-type",
    "user-agent",
    "cf-connecting-ip",
    "x-forwarded-for",
    "x-hublet-proxy",
    "cookie",
    "origin",
    "sec-fetch-site",
    "ce-id",
    "ce-type",
    "ce-time",
];

/// One request, read to its end.
#[derive(Clone, Default)]
pub struct Request {
    /// The method as it was sent: `GET`.
    pub method: String,
    /// The path of the normalised URL, still percent-encoded.
    pub path: String,
    /// What follows `?`, still percent-encoded.
    pub query: String,
    /// The host and port of the URL: `127.0.0.1:8787`.
    pub host: String,
    /// Whether it came over https.
    pub https: bool,
    /// Headers with lower-case names; one line each, as the platform joins them.
    pub headers: Vec<(String, String)>,
    /// The body, or nothing when it is over the limit of its route.
    pub body: Option<Vec<u8>>,
    /// Our name for this request, in the log and in `X-Request-Id`.
    pub id: String,
    /// Whether the operator's own proxy sent it, which `serve` decides before the address is read.
    pub proxied: Cell<bool>,
}

impl Request {
    /// The value of a header, which must be one of [`HEADERS`].
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        debug_assert!(HEADERS.contains(&name), "{name} is not among the headers that the edge lends");
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the host of the URL is a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// `https://host` as the caller reached us.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.host)
    }

    /// Where the request comes from, for counting: an IPv4 address, an IPv6 network of 64 bits
    /// (one customer), or `local`.
    #[must_use]
    pub fn address(&self) -> String {
        let peer = self.header("cf-connecting-ip").and_then(|ip| ip.parse::<IpAddr>().ok());
        match self.forwarded_for(peer).or(peer).map(|address| address.to_canonical()) {
            Some(IpAddr::V6(address)) => {
                let network = u128::from(address) & (u128::MAX << 64);
                format!("{}/64", std::net::Ipv6Addr::from(network))
            }
            Some(address) => address.to_string(),
            None if self.is_loopback() => "local".to_owned(),
            None => "unknown".to_owned(),
        }
    }

    /// The client of the operator's proxy: the last hop that it names. Cloudflare adds its own peer after that, which
    /// is the proxy again.
    fn forwarded_for(&self, peer: Option<IpAddr>) -> Option<IpAddr> {
        let hops = self.header("x-forwarded-for").filter(|_| self.proxied.get())?;
        let mut hops = hops.rsplit(',').map(|hop| hop.trim().parse::<IpAddr>().ok());
        let last = hops.next()?;
        if last.is_some() && last == peer { hops.next()? } else { last }
    }

    /// The decoded parameters of the query, in order.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        form(self.query.as_bytes()).collect()
    }
}

/// The pairs of an `application/x-www-form-urlencoded` text, one after the other; what is not UTF-8 becomes U+FFFD.
pub fn form(text: &[u8]) -> impl Iterator<Item = (String, String)> {
    text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let mut halves = pair.splitn(2, |&byte| byte == b'=');
        let mut half = || decoded(halves.next().unwrap_or_default());
        (half(), half())
    })
}

/// A percent-encoded text; what is not UTF-8 becomes U+FFFD.
#[must_use]
pub fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => match rest.split_first_chunk::<2>() {
                Some((digits, behind)) if digits.iter().all(u8::is_ascii_hexdigit) => {
                    bytes.push(digits.iter().fold(0, |value, &digit| value << 4 | nibble(digit)));
                    rest = behind;
                }
                _ => bytes.push(b'%'),
            },
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A text, percent-encoded but for letters, digits, `-._~` and what is `kept`.
#[must_use]
pub fn encoded(text: &str, kept: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.as_bytes().contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Neither headers nor the body: both hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.method, self.path, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_decoded_as_a_form() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let form = |text: &str| form(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(form("q=a+b%2Fc&n=25&&x"), [pair("q", "a b/c"), pair("n", "25"), pair("x", "")]);
        assert_eq!(
            form("q=100%&r=%zz&s=%C3%A9&t=%ff"),
            [pair("q", "100%"), pair("r", "%zz"), pair("s", "é"), pair("t", "\u{fffd}")]
        );
    }

    #[test]
    fn only_loopback_addresses_are_loopback() {
        let at = |host: &str| Request { host: host.to_owned(), ..Request::default() }.is_loopback();
        for host in ["127.0.0.1:8787", "127.9.9.9", "localhost:80", "[::1]:8787", "[::1]"] {
            assert!(at(host), "{host}");
        }
        for host in ["127.0.0.1.example.com", "localhost.example.com", "10.0.0.1:80", "[::2]:80", ""] {
            assert!(!at(host), "{host}");
        }
    }

    #[test]
    fn ipv6_address_is_its_network() {
        let from = |ip: &str| {
            let headers = vec![("cf-connecting-ip".to_owned(), ip.to_owned())];
            Request { headers, ..Request::default() }.address()
        };
        assert_eq!(from("203.0.113.9"), "203.0.113.9");
        assert_eq!(from("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(from("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(from("nonsense"), "unknown");
        assert_eq!(Request { host: "127.0.0.1".into(), ..Request::default() }.address(), "local");
    }

    #[test]
    fn forwarded_address_needs_the_proxy_secret() {
        let from = |proxied: bool, hops: &str| {
            let headers = [("cf-connecting-ip", "203.0.113.9"), ("x-forwarded-for", hops)];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let request = Request { headers, ..Request::default() };
            request.proxied.set(proxied);
            request.address()
        };
        for (hops, address) in [
            ("198.51.100.1", "198.51.100.1"),
            ("10.0.0.1, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1,198.51.100.1 , 203.0.113.9", "198.51.100.1"), // as it comes through Cloudflare
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            // No hop, or none that is an address.
            ("", "203.0.113.9"),
            ("203.0.113.9", "203.0.113.9"),
            ("198.51.100.1,", "203.0.113.9"),
            ("198.51.100.1, unknown", "203.0.113.9"),
            ("198.51.100.1, unknown, 203.0.113.9", "203.0.113.9"),
            ("198.51.100.1:4711", "203.0.113.9"),
        ] {
            assert_eq!(from(true, hops), address, "{hops}");
            assert_eq!(from(false, hops), "203.0.113.9", "{hops}");
        }
    }
}
