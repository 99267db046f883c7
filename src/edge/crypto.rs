//! ES256 by the platform's own `WebCrypto`: thirty times faster than in wasm.

use std::cell::RefCell;

use base64::{Engine, engine::general_purpose::STANDARD};
use js_sys::Promise;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use crate::edge::tasks::Reply;

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = importKey, catch)]
    fn import_key(format: &str, key: &[u8], usage: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_name = sign)]
    fn sign_with(key: &JsValue, message: &[u8], number: u32);

    #[wasm_bindgen(js_name = verify)]
    fn verify_with(key: &JsValue, signature: &[u8], message: &[u8], number: u32);
}

thread_local! {
    /// Keys that this isolate imported, by their bytes: one that signs, a few that verify.
    static KEYS: RefCell<Vec<(Vec<u8>, JsValue)>> = const { RefCell::new(Vec::new()) };
}

/// More keys than an operator ever has in force.
const MAX_KEYS: usize = 16;

/// Signs with a key in PKCS#8.
pub async fn sign(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>, String> {
    let key = imported("pkcs8", pkcs8, "sign").await.map_err(|error| format!("WebCrypto: {error:?}"))?;
    let signed = Reply::of(|number| sign_with(&key, message, number)).await;
    let signed = signed.map_err(|message| format!("WebCrypto: {message}"))?;
    STANDARD.decode(signed).map_err(|error| format!("WebCrypto: {error}"))
}

/// Verifies with an uncompressed point. What cannot be a signature is none.
pub async fn verifies(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = imported("raw", point, "verify").await else { return false };
    Reply::of(|number| verify_with(&key, signature, message, number)).await.is_ok_and(|answer| answer == "true")
}

async fn imported(format: &str, bytes: &[u8], usage: &str) -> Result<JsValue, JsValue> {
    let known = KEYS.with_borrow(|keys| keys.iter().find(|(known, _)| known == bytes).map(|(_, key)| key.clone()));
    if let Some(key) = known {
        return Ok(key);
    }
    let key = JsFuture::from(import_key(format, bytes, usage)?).await?;
    KEYS.with_borrow_mut(|keys| {
        if keys.len() >= MAX_KEYS {
            keys.clear();
        }
        keys.push((bytes.to_vec(), key.clone()));
    });
    Ok(key)
}
