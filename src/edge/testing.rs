//! What only tests ask for, in a build that is not deployed: panics, what takes too long, and an outgoing request.

use std::{cell::Cell, hint::black_box};

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{context::Context, edge::tasks, platform::FetchLimits};

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    fn sweep(milliseconds: f64);
}

thread_local! {
    /// How often `/__test/memory` was asked: what a panic must not leave.
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

/// The response to a path of the tests; for every other there is none.
pub async fn respond(ctx: &Context, url: &str) -> Result<Option<web_sys::Response>, JsValue> {
    let url = web_sys::Url::new(url)?;
    let Some(what) = url.pathname().strip_prefix("/__test/").map(str::to_owned) else { return Ok(None) };
    let value = url.search_params().get("value").unwrap_or_default();
    let text = match what.as_str() {
        "memory" => ASKED.replace(ASKED.get() + 1).to_string(),
        "slow" => {
            ctx.platform.sleep(400).await;
            "slow".to_owned()
        }
        "panic-at-once" => fail(),
        "panic-after-an-await" => {
            ctx.platform.sleep(100).await;
            fail()
        }
        "panic-after-the-response" => {
            let platform = ctx.platform.clone();
            ctx.platform.wait_until(Box::pin(async move {
                platform.sleep(100).await;
                fail();
            }));
            "responded".to_owned()
        }
        "hour" => {
            ctx.platform.sleep(3_600_000).await;
            "an hour later".to_owned()
        }
        "waiting" => {
            // What has waited for so long ends.
            if let Ok(milliseconds) = value.parse() {
                sweep(milliseconds);
            }
            format!("{:?}", tasks::count())
        }
        "overflow" => depth(0).to_string(),
        "fetch" => fetched(ctx, &value).await,
        _ => return Ok(None),
    };
    web_sys::Response::new_with_opt_str(Some(&text)).map(Some)
}

#[expect(clippy::panic, reason = "it is what the test is about")]
fn fail() -> String {
    panic!("a test asked for this")
}

/// Uses more stack than there is.
#[expect(unconditional_recursion, reason = "it ends with the stack")]
fn depth(level: u64) -> u64 {
    let room = black_box([level; 64]);
    depth(room.iter().sum::<u64>() + 1) + 1
}

/// Status and body of a URL, as [`Context::fetch`] gets them; `value` is the URL with its limits in milliseconds and bytes,
/// as JSON.
async fn fetched(ctx: &Context, value: &str) -> String {
    let Ok((url, timeout_ms, max_bytes)) = serde_json::from_str::<(String, u32, u32)>(value) else {
        return "refused: URL, milliseconds and bytes".to_owned();
    };
    match ctx.fetch(&url, FetchLimits { timeout_ms, max_bytes }).await {
        Ok(response) => format!("{} {}", response.status, String::from_utf8_lossy(&response.body)),
        Err(error) => format!("refused: {error:?}"),
    }
}
