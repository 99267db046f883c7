//! Cloudflare. The only module that depends on the Workers runtime: it builds the [`Context`], reads requests and writes
//! responses, and decides nothing.

mod crypto;
mod d1;
mod http;
mod platform;
mod tasks;
#[cfg(feature = "testing")]
mod testing;

use std::{cell::Cell, rc::Rc};

use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Env, event, worker_sys::Context as ExecutionContext};

use crate::{context::Context, serve, store::Db};

use self::{
    d1::D1,
    platform::{CloudflarePlatform, Isolate},
};

/// Logs a panic with its stack before `worker`'s own hook. It ends in a trap, by which the entry module learns of it.
#[event(start)]
fn start() {
    let platform = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        platform(info);
    }));
    tasks::listen();
}

/// What the entry module calls for every request, in the place of what `event(fetch)` would make. What is ready at once, as every refusal is, goes back without a promise,
/// which costs more than the refusal. `undefined` is for an error that has been logged.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, execution: ExecutionContext) -> JsValue {
    tasks::run(Box::pin(async { respond(request, env, execution).await.into() }))
}

async fn respond(request: web_sys::Request, env: Env, execution: ExecutionContext) -> Option<web_sys::Response> {
    let answer = async {
        let ctx = context(&env, execution);
        #[cfg(feature = "testing")]
        if let Some(response) = testing::respond(&ctx, &request.url()).await? {
            return Ok(response);
        }
        let request = http::read(&ctx, request).await?;
        http::write(&serve::serve(&ctx, &request).await)
    };
    answer.await.inspect_err(http::log).ok()
}

/// What the entry module calls every minute, with the context of a scheduled run: it waits as that of a request does.
#[wasm_bindgen]
pub fn scheduled(env: Env, execution: ExecutionContext) -> JsValue {
    tasks::run(Box::pin(async move {
        serve::scheduled(&context(&env, execution)).await;
        JsValue::UNDEFINED
    }))
}

/// What one request or scheduled run is given.
fn context(env: &Env, execution: ExecutionContext) -> Context {
    let Isolate { config, password_cache, hash_pacer, logins } = Isolate::current(env);
    let platform = CloudflarePlatform::new(env, execution, config.mail_from.clone());
    let client =
        |binding| Rc::new(Db::new(Rc::new(D1::new(env, binding, config.read_replicas, config.database_timeout))));
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
