//! Cloudflare. The only module that depends on the Workers runtime: it builds the [`Context`], reads requests and writes
//! responses, and decides nothing.

mod crypto;
mod d1;
mod http;
mod platform;

use std::{
    cell::Cell,
    rc::Rc,
    task::{self, Poll, Waker},
};

use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;
use worker::{Env, ScheduleContext, ScheduledEvent, event, worker_sys};

use crate::{
    context::Context,
    platform::FetchLimits,
    serve,
    store::{Db, db::Sleep},
};

use self::{
    d1::D1,
    platform::{CloudflarePlatform, ExecutionContext, Isolate},
};

/// Prints the stack of a panic beside what the platform's own hook prints, which stays in force.
#[event(start)]
fn start() {
    let platform = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        platform(info);
    }));
}

/// What the platform calls for every request, as `event(fetch)` would make it; but what is ready at
/// once, as every refusal is, goes back without a promise, which costs more than the refusal.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, context: worker_sys::Context) -> JsValue {
    let mut response = Box::pin(respond(request, env, worker::Context::new(context)));
    match response.as_mut().poll(&mut task::Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => response.into(),
        Poll::Pending => future_to_promise(async move { Ok(response.await.into()) }).into(),
    }
}

async fn respond(request: web_sys::Request, env: Env, execution: worker::Context) -> web_sys::Response {
    let answer = async {
        let ctx = context(&env, ExecutionContext::Request(execution));
        let request = http::read(&ctx, request).await?;
        http::write(&serve::serve(&ctx, &request).await)
    };
    match answer.await {
        Ok(response) => response,
        Err(error) => http::broken(&error),
    }
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, execution: ScheduleContext) {
    let ctx = context(&env, ExecutionContext::Schedule(execution));
    serve::scheduled(&ctx).await;
}

/// [`Context::fetch`] for the tests: status and body of a URL. No request reaches it, only code that holds the worker's
/// class.
#[wasm_bindgen(js_name = fetchUrl)]
pub async fn fetch_url(
    env: Env,
    execution: worker_sys::Context,
    url: String,
    limits: Vec<u32>,
) -> Result<JsValue, JsValue> {
    let ctx = context(&env, ExecutionContext::Request(worker::Context::new(execution)));
    let [timeout_ms, max_bytes] = limits[..] else { return Err("two limits".into()) };
    let fetched = ctx.fetch(&url, FetchLimits { timeout_ms, max_bytes }).await.map_err(|error| format!("{error:?}"))?;
    Ok(format!("{} {}", fetched.status, String::from_utf8_lossy(&fetched.body)).into())
}

/// What one request or scheduled run is given.
fn context(env: &Env, execution: ExecutionContext) -> Context {
    let Isolate { config, password_cache, hash_pacer, logins } = Isolate::current(env);
    let platform = CloudflarePlatform::new(env, execution, config.mail_from.clone());
    let sleep: Sleep = Rc::new(platform::sleep);
    let client = |binding| {
        let database = Rc::new(D1::new(env, binding, config.read_replicas));
        Rc::new(Db::new(database).within(config.database_timeout, Rc::clone(&sleep)))
    };
    Context {
        db: client("DB"),
        search: client("SEARCH"),
        platform: Rc::new(platform),
        config,
        password_cache,
        hash_pacer,
        logins,
        authenticated: Cell::default(),
    }
}

/// The message of an error of JavaScript.
fn message_of(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| error.message().into())
}
