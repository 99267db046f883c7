//! ES256 by the platform's own `WebCrypto`: thirty times faster than in wasm.

use std::cell::RefCell;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = importKey, catch)]
    fn import_key(format: &str, key: &[u8], usage: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_name = sign, catch)]
    fn sign_with(key: &JsValue, message: &[u8]) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_name = verify, catch)]
    fn verify_with(key: &JsValue, signature: &[u8], message: &[u8]) -> Result<Promise, JsValue>;
}

thread_local! {
    /// Keys that this isolate imported, by their bytes: one that signs, a few that verify.
    static KEYS: RefCell<Vec<(Vec<u8>, JsValue)>> = const { RefCell::new(Vec::new()) };
}

/// More keys than an operator ever has in force.
const MAX_KEYS: usize = 16;

/// Signs with a key in PKCS#8.
pub async fn sign(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>, String> {
    let signed = async {
        let key = imported("pkcs8", pkcs8, "sign").await?;
        JsFuture::from(sign_with(&key, message)?).await
    };
    let signed = signed.await.map_err(|error: JsValue| format!("WebCrypto: {error:?}"))?;
    Ok(signed.unchecked_into::<Uint8Array>().to_vec())
}

/// Verifies with an uncompressed point. What cannot be a signature is none.
pub async fn verifies(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let verified = async {
        let key = imported("raw", point, "verify").await?;
        JsFuture::from(verify_with(&key, signature, message)?).await
    };
    verified.await.is_ok_and(|answer: JsValue| answer.is_truthy())
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
