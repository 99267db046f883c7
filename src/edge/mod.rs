//! The only room that knows that it stands on Cloudflare: it lends the world to the index, reads
//! requests and writes replies, and decides nothing.

mod crypto;
mod d1;
mod http;
mod world;

use std::{
    cell::Cell,
    rc::Rc,
    task::{self, Poll, Waker},
};

use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;
use worker::{Context, Env, ScheduleContext, ScheduledEvent, event, worker_sys};

use crate::{
    index::Index,
    serve,
    store::{Db, db::Sleep},
};

use self::{d1::D1, world::Edge};

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
    let mut response = Box::pin(respond(request, env, Context::new(context)));
    match response.as_mut().poll(&mut task::Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => response.into(),
        Poll::Pending => future_to_promise(async move { Ok(response.await.into()) }).into(),
    }
}

async fn respond(request: web_sys::Request, env: Env, context: Context) -> web_sys::Response {
    let answer = async {
        let index = lend(&env, world::Lasting::Request(context));
        let request = http::read(&index, request).await?;
        http::write(&serve::serve(&index, &request).await)
    };
    match answer.await {
        Ok(response) => response,
        Err(error) => http::broken(&error),
    }
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, context: ScheduleContext) {
    let index = lend(&env, world::Lasting::Schedule(context));
    serve::scheduled(&index).await;
}

fn lend(env: &Env, lasting: world::Lasting) -> Index {
    let (settings, verified, logins) = world::isolate(env);
    let edge = Edge::new(env, lasting, settings.mail_from.clone());
    let sleep: Sleep = Rc::new(world::sleep);
    let client = |binding| {
        let database = Rc::new(D1::new(env, binding, settings.nearest));
        Rc::new(Db::new(database).within(settings.database_timeout, Rc::clone(&sleep)))
    };
    let (db, search) = (client("DB"), client("SEARCH"));
    Index { db, search, world: Rc::new(edge), settings, verified, logins, authenticated: Cell::default() }
}

/// What an error of JavaScript says.
fn message_of(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| error.message().into())
}
