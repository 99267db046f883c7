//! The certificates under which registry tokens are signed, and the ids of their keys.

use std::{cell::Cell, fmt};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use der::{
    Decode, Reader, SliceReader, Tag,
    asn1::{GeneralizedTime, UtcTime},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

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
    /// Seconds since 1970 after which it is no longer valid.
    pub expires_at: i64,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.thumbprint())
    }
}

impl Certificate {
    /// Parses a certificate in DER.
    pub fn parse(der: Vec<u8>) -> Result<Self, String> {
        let (spki, ends) = parts(&der).map_err(|error| format!("a certificate cannot be read: {error}"))?;
        let point = spki.strip_prefix(&P256).and_then(|point| point.try_into().ok());
        let point = point.ok_or("a certificate is not of a P-256 key")?;
        Ok(Self { spki: spki.to_vec(), point, expires_at: i64::try_from(ends).unwrap_or(i64::MAX), der })
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

/// What stands before the point in every public key of P-256 (RFC 5480): lengths and the algorithm.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The first byte of the version of a certificate, which may be missing.
const VERSION: u8 = 0xa0;

/// What matters here of a certificate (RFC 5280, 4.1): the public key with its algorithm, and the
/// second when it ends. It is the operator's own: nothing else about it is judged.
fn parts(der: &[u8]) -> der::Result<(&[u8], u64)> {
    SliceReader::new(der)?.sequence(|certificate| {
        let parts = certificate.sequence(|fields| {
            if fields.peek_byte() == Some(VERSION) {
                fields.tlv_bytes()?;
            }
            let (_serial, _algorithm, _issuer) = (fields.tlv_bytes()?, fields.tlv_bytes()?, fields.tlv_bytes()?);
            let ends = fields.sequence(|validity| {
                validity.tlv_bytes()?;
                Ok::<_, der::Error>(match Tag::peek(validity)? {
                    Tag::UtcTime => UtcTime::decode(validity)?.to_unix_duration(),
                    _ => GeneralizedTime::decode(validity)?.to_unix_duration(),
                })
            })?;
            let (_subject, key) = (fields.tlv_bytes()?, fields.tlv_bytes()?);
            fields.drain(fields.remaining_len())?;
            Ok::<_, der::Error>((key, ends.as_secs()))
        })?;
        certificate.drain(certificate.remaining_len())?;
        Ok(parts)
    })
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
    /// Parses PEM certificates, one after the other.
    pub fn parse(pem: &str) -> Result<Self, String> {
        let blocks = pem_blocks(pem, "CERTIFICATE").map_err(|error| format!("REGISTRY_CERTIFICATE: {error}"))?;
        let mut certificates = blocks.into_iter().map(Certificate::parse);
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

    /// Seconds since 1970 after which the leaf or the CA is no longer valid.
    #[must_use]
    pub fn expires_at(&self) -> i64 {
        self.leaf.expires_at.min(self.ca.expires_at)
    }

    /// Every leaf whose tokens are valid.
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
    pub fn parse(key: &str, certificates: &str) -> Result<Self, String> {
        let pkcs8 = match pem_blocks(key, "PRIVATE KEY")?.pop() {
            Some(der) => der,
            None => STANDARD.decode(key.trim()).map_err(|_| "REGISTRY_KEY is not base64")?,
        };
        Ok(Self { pkcs8, chain: Chain::parse(certificates)?, fits: Cell::new(None) })
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
