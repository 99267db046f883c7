//! Which limits count what, for every endpoint: what asks a database without credentials, and never what comes
//! with a right token.

use hublet::{domain::credential::CredentialId, platform::RateLimit};

use test_support::{Stage, runner::Sent};

use super::{
    Rehearsal,
    actors::{self, Actor, PRIVATE, PUBLIC},
    endpoints::{ENDPOINTS, Shows, VARIANTS},
    send,
};

/// What is counted for an address, whatever it asks a database.
const BY_THEMSELVES: [&str; 2] = ["POST /v1/users/", "POST /account/forgotten"];

/// What every limit of an address was asked by this request, which is answered with this status.
fn asked(stage: &mut Stage, sent: &Sent) -> (Vec<RateLimit>, u16, u64) {
    stage.platform.limited.take();
    let (answered, round_trips) = send(stage, sent);
    let limits = stage.platform.limited.take().into_iter().map(|(limit, _)| limit);
    (limits.filter(|limit| *limit != RateLimit::Writes).collect(), answered.status, round_trips)
}

#[test]
fn what_asks_a_database_without_credentials_is_counted_for_its_address() {
    let mut cast = actors::cast();
    actors::hide(&mut cast);
    let mut rehearsal = Rehearsal::of(&cast.client.0);
    let nobody = cast.actors.iter().find(|actor| actor.credential == CredentialId::Anonymous).unwrap();
    let (mut cases, mut counted) = (0, 0);
    for endpoint in ENDPOINTS.iter().chain(&VARIANTS).filter(|endpoint| endpoint.shows == Shows::Header) {
        for name in [PUBLIC, PRIVATE] {
            let stage = rehearsal.afresh(nobody);
            let sent = endpoint.request(&cast, stage, nobody, name);
            let (limits, status, round_trips) = asked(stage, &sent);
            let request = format!("{} {}", endpoint.method, endpoint.pattern);
            let wanted = match round_trips {
                _ if BY_THEMSELVES.contains(&request.as_str()) => vec![RateLimit::Logins],
                0 => vec![],
                _ => vec![RateLimit::Anonymous],
            };
            // What computes an Argon2 is counted for that, too.
            let limits = limits.into_iter().take(wanted.len().max(1)).collect::<Vec<_>>();
            assert_eq!(limits, wanted, "{request} of {name}: {status}");
            counted += wanted.len();
            // And beyond the limit no database is asked.
            let stage = rehearsal.afresh(nobody);
            stage.platform.flooded.set(true);
            let (_, flooded, round_trips) = asked(stage, &sent);
            stage.platform.flooded.set(false);
            assert_eq!(
                (flooded, round_trips),
                (if wanted.is_empty() { status } else { 429 }, 0),
                "{request} of {name}, flooded"
            );
            cases += 2;
        }
    }
    println!("cases: {cases} of limits without credentials, of which {counted} count");
    assert!(counted > 20, "nothing is counted");
}

/// Whether it comes with a token of any kind, and not with a password.
fn shows_a_token(sent: &Sent, actor: &Actor) -> bool {
    let header = sent.headers.iter().find(|(name, _)| name == "Authorization").map(|(_, value)| value.as_str());
    actor.basic.1.starts_with("hlp_") || header.is_some_and(|header| !header.starts_with("Basic "))
}

#[test]
fn no_limit_of_an_address_refuses_a_right_token() {
    let mut cast = actors::cast();
    actors::hide(&mut cast);
    let mut rehearsal = Rehearsal::of(&cast.client.0);
    let mut cases = 0;
    for endpoint in ENDPOINTS.iter().chain(&VARIANTS) {
        let request = format!("{} {}", endpoint.method, endpoint.pattern);
        // Those are for nobody: no credentials are looked at.
        if BY_THEMSELVES.contains(&request.as_str()) || request.starts_with("POST /account/") {
            continue;
        }
        // A password is shown beside it once more.
        let again = endpoint.pattern == "/v2/user" || endpoint.pattern.starts_with("/v2/user/");
        if again && endpoint.body.contains("[secret]") {
            continue;
        }
        for actor in &cast.actors {
            let stage = rehearsal.afresh(actor);
            let sent = endpoint.request(&cast, stage, actor, PUBLIC);
            if !shows_a_token(&sent, actor) {
                continue;
            }
            let (limits, _, _) = asked(stage, &sent);
            assert_eq!(limits, [], "{request} as {}", actor.label);
            cases += 1;
        }
    }
    // Docker's login, which stands in a body.
    let login =
        cast.client.ask("GET /token?service=registry&offline_token=true", "olga:secret", "").text("refresh_token");
    let form = format!("grant_type=refresh_token&service=registry&client_id=docker&refresh_token={login}");
    cast.client.0.platform.flooded.set(true);
    assert_eq!(cast.client.ask("POST /token", "", &form).status, 200);
    assert!(cases > 500, "who shows a token?");
    println!("cases: {cases} right tokens that no limit of an address refuses");
}
