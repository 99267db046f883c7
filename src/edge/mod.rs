//! The only room that knows that it stands on Cloudflare: it lends the world to the index, reads
//! requests and writes replies, and decides nothing.

mod crypto;
mod d1;
mod http;
mod world;

use std::{cell::Cell, rc::Rc};

use worker::{Context, Env, ScheduleContext, ScheduledEvent, event};

use crate::{
    index::Index,
    serve,
    store::{Door, door::Sleep},
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

#[event(fetch)]
async fn fetch(request: worker::Request, env: Env, context: Context) -> worker::Result<worker::Response> {
    let request = http::read(request).await?;
    let index = lend(&env, world::Lasting::Request(context));
    http::write(serve::serve(&index, &request).await)
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, context: ScheduleContext) {
    let index = lend(&env, world::Lasting::Schedule(context));
    serve::scheduled(&index).await;
}

fn lend(env: &Env, lasting: world::Lasting) -> Index {
    let (settings, verified) = world::isolate(env);
    let edge = Edge::new(env, lasting, settings.mail_from.clone());
    let sleep: Sleep = Rc::new(world::sleep);
    let door = |binding| {
        let database = Rc::new(D1::new(env, binding, settings.nearest));
        Rc::new(Door::new(database).within(settings.database_timeout, Rc::clone(&sleep)))
    };
    Index { db: door("DB"), search: door("SEARCH"), world: Rc::new(edge), settings, verified, asker: Cell::default() }
}
