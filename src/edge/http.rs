//! The platform's requests and responses as plain values.

use std::{cell::Cell, fmt::Write};

use js_sys::Uint8Array;
use serde_json::json;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use crate::{
    context::Context,
    edge::platform,
    serve::body_limit,
    wire::{Request, Response, request::HEADERS},
};

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = requestParts, catch)]
    fn request_parts(request: &web_sys::Request, names: &str) -> Result<String, JsValue>;

    #[wasm_bindgen(js_name = body, catch)]
    fn read_body(request: &web_sys::Request, limit: usize) -> Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(catch)]
    fn response(status: u16, lines: &str, bytes: &[u8]) -> Result<web_sys::Response, JsValue>;
}

/// Reads a request, with a body up to its limit.
pub async fn read(ctx: &Context, platform_request: web_sys::Request) -> Result<Request, JsValue> {
    let parts = request_parts(&platform_request, &HEADERS.join(","))?;
    let mut lines = parts.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let mut request = Request {
        method: next().to_owned(),
        https: next() == "https:",
        host: next().to_owned(),
        path: next().to_owned(),
        query: next().trim_start_matches('?').to_owned(),
        id: next().to_owned(),
        headers: Vec::new(),
        body: Some(Vec::new()),
        proxied: Cell::default(),
    };
    let has_body = !next().is_empty();
    for name in HEADERS {
        if let Some(value) = next().strip_prefix('=') {
            request.headers.push((name.to_owned(), value.to_owned()));
        }
    }
    if has_body && !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        let body = JsFuture::from(read_body(&platform_request, body_limit(ctx, &request))?).await?;
        request.body = body.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec);
    }
    Ok(request)
}

/// What workerd reports if a client hangs up while its body is read.
const DISCONNECTED: &str = "Network connection lost";

/// Logs that a request could not be read to its end, or a response not be written. A client that hangs up is no fault.
pub fn log(error: &JsValue) {
    let message = format!("{error:?}");
    let is_error = !message.contains(DISCONNECTED);
    let line = json!({ "level": if is_error { "error" } else { "info" }, "fault": message });
    platform::write_log(is_error, &line.to_string());
}

/// Writes a response. One of status 204 must not have a body, not even an empty one.
pub fn write(reply: &Response) -> Result<web_sys::Response, JsValue> {
    let mut lines = String::new();
    for (name, value) in &reply.headers {
        let _ = writeln!(lines, "{name}\n{value}"); // into a String: it cannot fail
    }
    response(reply.status, &lines, &reply.body)
}
