//! JSON Web Tokens as somebody makes them who has no key of ours.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use hublet::domain::certificates::pem_blocks;
use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::DecodePrivateKey,
};
use serde_json::{Value, json};
use sha2::Sha256;

/// The chain of the test app, and a leaf of the same CA that it does not know, with its key.
const CHAIN: &str = include_str!("../../../test-support/registry/certificates.pem");
const STRANGER: &str = include_str!("../../../test-support/registry/next.pem");
const STRANGERS_KEY: &str = include_str!("../../../test-support/registry/next-key.pem");

/// The JSON of one part of a token.
pub fn part(token: &str, at: usize) -> Value {
    let bytes = token.split('.').nth(at).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn with(header: &Value, members: &Value) -> Value {
    let mut header = header.as_object().cloned().unwrap_or_default();
    header.extend(members.as_object().cloned().unwrap_or_default());
    Value::Object(header)
}

/// Every key that is known to everybody: what a confused verifier takes for the secret of an HMAC.
fn public_keys(others: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let ders = pem_blocks(CHAIN, "CERTIFICATE").unwrap_or_default();
    let mut keys = vec![Vec::new(), vec![0; 32], b"secret".to_vec(), CHAIN.as_bytes().to_vec()];
    keys.extend(ders.iter().map(|der| STANDARD.encode(der).into_bytes()));
    keys.extend(ders);
    keys.extend(others.iter().cloned());
    keys
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return Vec::new() };
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn strangers_signature(message: &str) -> Vec<u8> {
    let der = pem_blocks(STRANGERS_KEY, "PRIVATE KEY").unwrap_or_default().pop().unwrap_or_default();
    let key = SigningKey::from_pkcs8_der(&der);
    key.map_or_else(|_| Vec::new(), |key| Signer::<Signature>::sign(&key, message.as_bytes()).to_bytes().to_vec())
}

/// The stranger's public key as a JWK.
fn strangers_jwk() -> Value {
    let der = pem_blocks(STRANGERS_KEY, "PRIVATE KEY").unwrap_or_default().pop().unwrap_or_default();
    let Ok(key) = SigningKey::from_pkcs8_der(&der) else { return Value::Null };
    let point = key.verifying_key().to_sec1_point(false);
    let coordinate =
        |bytes: Option<_>| bytes.map_or_else(String::new, |bytes: &p256::FieldBytes| URL_SAFE_NO_PAD.encode(bytes));
    json!({ "kty": "EC", "crv": "P-256", "x": coordinate(point.x()), "y": coordinate(point.y()), "alg": "ES256" })
}

/// Headers that try to choose the key or the algorithm.
fn headers(genuine: &Value) -> Vec<Value> {
    let certificates = |pem| pem_blocks(pem, "CERTIFICATE").unwrap_or_default();
    let text = |der: &Vec<u8>| STANDARD.encode(der);
    let (chain, stranger) = (certificates(CHAIN), certificates(STRANGER));
    let strangers = stranger.first().into_iter().chain(chain.get(1)).map(text).collect::<Vec<_>>();
    let algorithms = [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "ES384",
        "ES256K", "EdDSA", "ES256 ", "es256",
    ];
    let mut headers = algorithms.iter().map(|alg| with(genuine, &json!({ "alg": alg }))).collect::<Vec<_>>();
    for members in [
        json!({ "jwk": strangers_jwk() }),
        json!({ "jku": "http://127.0.0.1:1/jwks.json" }),
        json!({ "x5u": "http://127.0.0.1:1/chain.pem" }),
        json!({ "x5c": strangers }),
        json!({ "x5c": strangers.first() }),
        json!({ "x5c": [] }),
        json!({ "kid": "" }),
        json!({ "kid": "../../../dev/null" }),
        json!({ "kid": "' or 1=1 --" }),
        json!({ "kid": "00000000" }),
        json!({ "kid": Value::Null }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "typ": "JWT" }),
        json!({ "typ": "hublet-session+jwt" }),
        json!({ "zip": "DEF" }),
        json!({ "alg": Value::Null }),
        json!({ "alg": ["none", "ES256"] }),
    ] {
        headers.push(with(genuine, &members));
        headers.push(with(&json!({ "alg": "ES256", "typ": "JWT" }), &members));
        headers.push(with(&json!({ "alg": "HS256", "typ": "JWT" }), &members));
    }
    headers.push(json!([]));
    headers.push(Value::Null);
    headers
}

/// Tokens that say what this one says, or more, under every header and every signature that can be had without a
/// key of ours.
pub fn all(genuine: &str, others: &[Vec<u8>]) -> Vec<String> {
    let (header, claims) = (part(genuine, 0), part(genuine, 1));
    let more =
        json!({ "sub": "jane", "exp": 99_999_999_999_i64, "nbf": 0, "credential": "1.2.1", "aud": "hublet session" });
    let mut all = Vec::new();
    for (claims, header) in [claims.clone(), with(&claims, &more)]
        .iter()
        .flat_map(|claims| headers(&header).into_iter().map(move |header| (claims, header)))
    {
        let unsigned = unsigned(&header, claims);
        let mut sign = |signature: &[u8]| all.push(format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature)));
        // No signature, numbers that satisfy an equation without a check of their range, and the one of another text.
        sign(&[]);
        sign(&[0; 64]);
        sign(&[0xff; 64]);
        sign(&strangers_signature(&unsigned));
        for key in public_keys(others) {
            sign(&hmac(&key, &unsigned));
        }
        let signature = genuine.rsplit('.').next().unwrap_or_default();
        all.push(format!("{unsigned}.{signature}"));
        all.push(unsigned);
    }
    all.retain(|token| token != genuine);
    all
}

/// A text with this signature.
pub fn signed(unsigned: &str, signature: &[u8]) -> String {
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}
