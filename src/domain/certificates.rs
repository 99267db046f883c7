//! The certificates under which registry tokens are signed, and the ids of their keys.

use std::{cell::Cell, fmt};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::domain::time;

/// An uncompressed point of P-256: 4, x, y.
pub type Point = [u8; 65];

/// One certificate for a P-256 key.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// DER of the public key with its algorithm.
    spki: Vec<u8>,
    /// The public key.
    pub point: Point,
    /// Seconds since 1970 after which nobody accepts it.
    pub expires_at: i64,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.thumbprint())
    }
}

impl Certificate {
    fn read(der: Vec<u8>) -> Result<Self, String> {
        let (spki, expires_at) = parts(&der).ok_or("a certificate cannot be read")?;
        let point = spki.strip_prefix(&SPKI).and_then(|point| point.try_into().ok());
        let point = point.ok_or("a certificate is not of a P-256 key")?;
        Ok(Self { spki: spki.to_vec(), point, expires_at, der })
    }

    /// RFC 7638.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let (x, y) = self.coordinates();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// libtrust's id: base32 of the first 240 bits of SHA-256 over the key, in 12 groups of 4.
    #[must_use]
    pub fn libtrust_id(&self) -> String {
        const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let digest = Sha256::digest(&self.spki);
        let bits = digest.iter().take(30).flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
        let bits = bits.collect::<Vec<_>>();
        let digits = bits.chunks(5).map(|five| five.iter().fold(0, |value, bit| value << 1 | usize::from(*bit)));
        let text = digits.filter_map(|digit| BASE32.get(digit)).map(|&byte| char::from(byte)).collect::<Vec<_>>();
        text.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(":")
    }

    /// The public key as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let (x, y) = self.coordinates();
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": self.thumbprint() })
    }

    fn coordinates(&self) -> (String, String) {
        let [_, coordinates @ ..] = &self.point;
        let (x, y) = coordinates.split_at(32);
        (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y))
    }

    fn base64(&self) -> String {
        STANDARD.encode(&self.der)
    }
}

/// What stands before the point of every P-256 key (RFC 5480): its algorithm, and the length of both.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Tag of the version, which may be missing.
const VERSION: u8 = 0xa0;

/// The two things of a certificate (RFC 5280, 4.1) that matter here: the public key with its algorithm,
/// and when it ends. It is the operator's own: nothing else about it is judged.
fn parts(der: &[u8]) -> Option<(&[u8], i64)> {
    let (certificate, []) = inside(der, SEQUENCE)? else { return None };
    let (mut fields, _) = inside(certificate, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        fields = element(fields)?.2;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (validity, fields) = inside(fields, SEQUENCE)?;
    let (tag, text, _) = element(element(validity)?.2)?;
    let subject = element(fields)?.2;
    let (_, _, behind) = element(subject)?;
    let spki = subject.get(..subject.len() - behind.len())?;
    Some((spki, seconds(tag, std::str::from_utf8(text).ok()?)?))
}

/// A time as certificates write it: two digits of the year until 2049, four since.
fn seconds(tag: u8, text: &str) -> Option<i64> {
    let (century, rest) = match tag {
        UTC_TIME if text.get(..2)? < "50" => ("20", text),
        UTC_TIME => ("19", text),
        GENERALIZED_TIME => ("", text),
        _ => return None,
    };
    let digits = format!("{century}{}", rest.strip_suffix('Z')?);
    let part = |from: usize, to: usize| digits.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    time::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// What is inside the first element, which has this tag, and what stands behind it.
fn inside(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, behind) = element(der)?;
    (tag == wanted).then_some((content, behind))
}

/// The first element: its tag, what is inside, and what stands behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, first, rest @ ..] = der else { return None };
    let (length, rest) = match (first, rest) {
        (0..=0x7f, rest) => (usize::from(*first), rest),
        (0x81, [length, rest @ ..]) => (usize::from(*length), rest),
        (0x82, [high, low, rest @ ..]) => (usize::from(*high) << 8 | usize::from(*low), rest),
        _ => return None,
    };
    let (content, behind) = rest.split_at_checked(length)?;
    Some((*tag, content, behind))
}

/// `REGISTRY_CERTIFICATE`: the leaf, its CA, then earlier leaves, whose tokens are still good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Whose key signs.
    pub leaf: Certificate,
    /// What registries trust.
    pub ca: Certificate,
    /// Whose keys signed before.
    pub earlier: Vec<Certificate>,
}

impl Chain {
    /// Reads PEM certificates, one behind the other.
    pub fn read(pem: &str) -> Result<Self, String> {
        let blocks = pem_blocks(pem, "CERTIFICATE").map_err(|error| format!("REGISTRY_CERTIFICATE: {error}"))?;
        let mut certificates = blocks.into_iter().map(Certificate::read);
        let mut next = |what: &str| certificates.next().unwrap_or_else(|| Err(format!("the {what} is missing")));
        let named = |error| format!("REGISTRY_CERTIFICATE: {error}");
        let (leaf, ca) = (next("leaf").map_err(named)?, next("CA").map_err(named)?);
        Ok(Self { leaf, ca, earlier: certificates.collect::<Result<_, _>>().map_err(named)? })
    }

    /// The leaf and the CA as a token carries them.
    #[must_use]
    pub fn x5c(&self) -> [String; 2] {
        [self.leaf.base64(), self.ca.base64()]
    }

    /// Every leaf whose tokens are good.
    pub fn leaves(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.leaf).chain(&self.earlier)
    }
}

/// `REGISTRY_KEY` with its certificates.
pub struct SigningKey {
    /// The private key, PKCS#8.
    pub pkcs8: Vec<u8>,
    /// Its certificates.
    pub chain: Chain,
    /// Whether the key is the leaf's, once it was tried.
    pub fits: Cell<Option<bool>>,
}

impl SigningKey {
    /// Reads the key (base64 of PKCS#8, or PEM) and the certificates.
    pub fn read(key: &str, certificates: &str) -> Result<Self, String> {
        let pkcs8 = match pem_blocks(key, "PRIVATE KEY")?.pop() {
            Some(der) => der,
            None => STANDARD.decode(key.trim()).map_err(|_| "REGISTRY_KEY is not base64")?,
        };
        Ok(Self { pkcs8, chain: Chain::read(certificates)?, fits: Cell::new(None) })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.chain.leaf)
    }
}

/// The bytes of each block of this label. The lines may also be ended by `\n` in two characters, as
/// files of variables have it.
pub fn pem_blocks(text: &str, label: &str) -> Result<Vec<Vec<u8>>, String> {
    let text = text.replace("\\n", "\n");
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    text.split(&begin)
        .skip(1)
        .map(|block| {
            let body = block.split(&end).next().unwrap_or_default();
            let body = body.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            STANDARD.decode(body).map_err(|_| format!("a {label} block is not base64"))
        })
        .collect()
}
