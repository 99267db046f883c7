//! `POST /events`: the notifications of registries.
//!
//! A registry repeats a notification for ever, and holds back the later ones, until it is acknowledged. So with the
//! right secret the response is 200 whenever the events that could be parsed are stored; the others are logged. Events
//! never create namespaces, change who may see what, or make hublet send a request to an address that they name.

use std::iter::Peekable;

use serde_json::{Value, json};

use crate::{
    config::Service,
    context::Context,
    domain::{
        notifications::{self, Action, CloudEvent, Event},
        secret::constant_time_eq,
    },
    error::{Challenge, Refusal, Result},
    jobs::search_index,
    store::{self, Transaction},
    wire::{Authorization, Request, Response},
};

/// Bytes of a list of events that one batch takes: it is a parameter of the database, which has 2 MB
/// at most.
const BATCH: usize = 1_000_000;

/// The events of a request that the log names; of all of them it has the number.
const LOGGED: usize = 100;

/// `POST /events`
pub async fn receive(ctx: &Context, request: &Request) -> Result<Response> {
    let service = authenticate(ctx, request)?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    let headers =
        CloudEvent { id: request.header("ce-id"), kind: request.header("ce-type"), time: request.header("ce-time") };
    let now = ctx.platform.now();
    let mut sent = notifications::parse(body, headers, ctx.platform.now_ms().cast_signed()).peekable();
    let (mut odd, mut unknown, mut pulls, mut taken) = (Noted::default(), Vec::new(), Noted::default(), 0);
    while sent.peek().is_some() {
        let events = batch(&mut sent, &mut odd);
        if events.is_empty() {
            continue;
        }
        let mut transaction = Transaction::new();
        let names =
            store::events::receive(&mut transaction, &events, &service.name, ctx.config.private_by_default, now);
        unknown.extend(ctx.db.commit_unguarded(transaction).await?.take(names)?);
        taken += events.len();
        for event in events.iter().filter(|event| event.action == Action::Pull) {
            pulls.note(|| pulled(event));
        }
    }
    if pulls.count > 0 {
        // Pulls are too many for the audit: they are counted, and logged.
        ctx.platform.log(&json!({
            "level": "info", "request": request.id, "service": service.name, "pull_count": pulls.count,
            "pulls": pulls.first,
        }));
    }
    if odd.count > 0 || !unknown.is_empty() {
        let line = json!({
            "level": "warning",
            "request": request.id,
            "service": service.name,
            "not_understood": odd.first,
            "no_such_namespace": unknown,
        });
        ctx.platform.log(&line);
    }
    if taken > 0 {
        search_index::sync_after_response(ctx);
    }
    Ok(Response::json(200, &json!({ "taken": taken, "not_understood": odd.count })).no_store())
}

/// The number of some events, and the first of them, for the log.
#[derive(Default)]
struct Noted {
    count: usize,
    first: Vec<Value>,
}

impl Noted {
    fn note(&mut self, one: impl FnOnce() -> Value) {
        self.count += 1;
        if self.count <= LOGGED {
            self.first.push(one());
        }
    }
}

fn pulled(event: &Event) -> Value {
    let Event { repository, tag, digest, by, address, .. } = event;
    json!({ "name": repository.to_string(), "tag": tag, "digest": digest, "actor": by, "address": address })
}

/// The next events, in order, as many as fit a batch.
fn batch(sent: &mut Peekable<impl Iterator<Item = Result<Event, String>>>, odd: &mut Noted) -> Vec<Event> {
    let (mut events, mut size) = (Vec::new(), 0);
    let mut next = sent.next();
    while let Some(read) = next {
        match read {
            Ok(event) => {
                size += event.size_listed();
                events.push(event);
            }
            Err(reason) => odd.note(|| reason.into()),
        }
        next = sent.next_if(|next| size + next.as_ref().map_or(0, Event::size_listed) <= BATCH);
    }
    events
}

/// The service whose event secret the request has.
pub fn authenticate<'a>(ctx: &'a Context, request: &Request) -> Result<&'a Service> {
    let refused = |reason: &'static str| Refusal::Unauthorized(Challenge::Session, reason.into());
    let header = request.header("authorization");
    // Older zot has no way to send Bearer: there the secret is the password of any name.
    let Some(Authorization::Bearer(secret) | Authorization::Basic { secret, .. }) = Authorization::parse(header) else {
        return Err(refused("The event secret of a service is required").into());
    };
    crate::auth::require_https(request)?;
    let keys = ctx.config.keys()?;
    let is =
        |service: &&Service| constant_time_eq(keys.event_secret(&service.name).as_bytes(), secret.reveal().as_bytes());
    let service = ctx.config.services.iter().find(is);
    Ok(service.ok_or_else(|| refused("This is the event secret of no service"))?)
}
