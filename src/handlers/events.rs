//! `POST /events`: what registries tell.
//!
//! A registry repeats an event for ever, and keeps the later ones waiting, until it is told that it
//! was taken. So with the right secret the answer is 200 whenever what could be understood is stored;
//! what could not is logged. Events never make namespaces, change who may see what, or make us ask
//! any address that they name.

use serde_json::json;

use crate::{
    domain::{
        events::{self, Action, CloudEvent, Event},
        secret::{hex, same},
    },
    handlers::projection,
    index::{Index, settings::Service},
    refusal::{Answer, Challenge, Refusal},
    store,
    wire::{Authorization, Reply, Request},
};

/// Bytes of a list of events that one batch takes: it is a parameter of the database, which has 2 MB
/// at most.
const BATCH: usize = 1_000_000;

/// Pulls of a request that the log names, of which it tells how many they were.
const LOGGED: usize = 100;

/// `POST /events`
pub async fn take(index: &Index, request: &Request) -> Answer<Reply> {
    let service = known(index, request)?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    let headers =
        CloudEvent { id: request.header("ce-id"), kind: request.header("ce-type"), time: request.header("ce-time") };
    let now = index.world.now();
    let (events, odd) = events::read(body, headers, index.world.millis().cast_signed());
    let mut unknown = Vec::new();
    for events in batches(&events) {
        let taken = store::events::take(events, &service.name, index.settings.private, now);
        let rows = index.db.write_unguarded(taken).await?.pop().unwrap_or_default();
        unknown.extend(rows.iter().map(|row| row.text("name").to_owned()));
    }
    log_pulls(index, request, service, &events);
    if !odd.is_empty() || !unknown.is_empty() {
        let line = json!({
            "level": "warning",
            "request": request.id,
            "service": service.name,
            "not_understood": odd.iter().take(20).collect::<Vec<_>>(),
            "no_such_namespace": unknown,
        });
        index.world.log(&line);
    }
    if !events.is_empty() {
        projection::later(index);
    }
    Ok(Reply::json(200, &json!({ "taken": events.len(), "not_understood": odd.len() })).personal())
}

/// Pulls are too many for the audit: they are counted, and stand in the log.
fn log_pulls(index: &Index, request: &Request, service: &Service, events: &[Event]) {
    let pulls = events.iter().filter(|event| event.action == Action::Pull);
    let said = pulls.clone().take(LOGGED).map(|event| {
        let Event { repository, tag, digest, by, address, .. } = event;
        json!({ "name": repository.to_string(), "tag": tag, "digest": digest, "actor": by, "address": address })
    });
    let (said, count) = (said.collect::<Vec<_>>(), pulls.count());
    if count > 0 {
        let line = json!({
            "level": "info", "request": request.id, "service": service.name, "pull_count": count, "pulls": said,
        });
        index.world.log(&line);
    }
}

/// The events in order, in as few parts as fit a batch each.
fn batches(events: &[Event]) -> impl Iterator<Item = &[Event]> {
    let mut size = 0;
    events.chunk_by(move |before, next| {
        size += before.size_listed();
        let fits = size + next.size_listed() <= BATCH;
        if !fits {
            size = 0;
        }
        fits
    })
}

/// The service whose secret this is.
pub fn known<'a>(index: &'a Index, request: &Request) -> Answer<&'a Service> {
    let refused = |reason: &'static str| Refusal::Unauthorized(Challenge::Session, reason.into());
    let header = request.header("authorization");
    // Older zot has no way to send Bearer: there the secret is the password of any name.
    let Some(Authorization::Bearer(secret) | Authorization::Basic { secret, .. }) = Authorization::read(header) else {
        return Err(refused("The event secret of a service is required").into());
    };
    crate::handlers::who::require_https(request)?;
    let key = index.settings.keys()?.oldest();
    let is = |service: &&Service| {
        let expected = hex(&key.mac("event secret", &[service.name.as_bytes()]));
        same(expected.as_bytes(), secret.reveal().as_bytes())
    };
    let service = index.settings.services.iter().find(is);
    Ok(service.ok_or_else(|| refused("This is the event secret of no service"))?)
}
