//! Which limits count what, for every endpoint: what asks a database without credentials, and never what comes
//! with a right token.

use hublet::{domain::credential::CredentialId, platform::RateLimit};

use test_support::{TestApp, runner::TestRequest};

use super::{
    actors::{self, Actor, PRIVATE, PUBLIC},
    endpoints::{ENDPOINTS, Shows, is_page},
    send,
    variants::VARIANTS,
};

/// What is counted for an address, whatever it asks a database.
const BY_THEMSELVES: [&str; 3] = ["POST /v1/users/", "POST /register", "POST /account/forgotten"];

/// What every limit of an address was asked by this request, which is answered with this status.
fn asked(app: &mut TestApp, request: &TestRequest) -> (Vec<RateLimit>, u16, u64) {
    app.platform.limits_asked.take();
    let (response, round_trips) = send(app, request);
    let limits = app.platform.limits_asked.take().into_iter().map(|(limit, _)| limit);
    (limits.filter(|limit| *limit != RateLimit::Writes).collect(), response.status, round_trips)
}

#[test]
fn anonymous_reads_are_counted_per_address() {
    let mut fixtures = actors::fixtures();
    actors::hide(&mut fixtures);
    let nobody = fixtures.actors.iter().find(|actor| actor.credential == CredentialId::Anonymous).unwrap();
    let (mut cases, mut counted) = (0, 0);
    for endpoint in ENDPOINTS.iter().chain(&VARIANTS).filter(|endpoint| endpoint.shows == Shows::Header) {
        for name in [PUBLIC, PRIVATE] {
            let mut app = nobody.app(&fixtures.client.app);
            let sent = endpoint.request(&fixtures, &app, nobody, name);
            let (limits, status, round_trips) = asked(&mut app, &sent);
            drop(app);
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
            let app = &mut nobody.app(&fixtures.client.app);
            app.platform.over_limits.set(true);
            let (_, over_limits, round_trips) = asked(app, &sent);
            app.platform.over_limits.set(false);
            assert_eq!(
                (over_limits, round_trips),
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
fn shows_a_token(request: &TestRequest, actor: &Actor) -> bool {
    let header = request.headers.iter().find(|(name, _)| name == "Authorization").map(|(_, value)| value.as_str());
    actor.basic.1.starts_with("hlp_") || header.is_some_and(|header| !header.starts_with("Basic "))
}

#[test]
fn valid_token_is_never_refused_by_address() {
    let mut fixtures = actors::fixtures();
    actors::hide(&mut fixtures);
    let mut cases = 0;
    for endpoint in ENDPOINTS.iter().chain(&VARIANTS) {
        let request = format!("{} {}", endpoint.method, endpoint.pattern);
        // Those are for nobody: no credentials are looked at.
        if BY_THEMSELVES.contains(&request.as_str()) || request.starts_with("POST /account/") {
            continue;
        }
        // A page takes no token.
        if is_page(endpoint.pattern) {
            continue;
        }
        // A password is shown beside it once more.
        let again = endpoint.pattern == "/v2/user" || endpoint.pattern.starts_with("/v2/user/");
        if again && endpoint.body.contains("[secret]") {
            continue;
        }
        for actor in &fixtures.actors {
            let app = &mut actor.app(&fixtures.client.app);
            let sent = endpoint.request(&fixtures, app, actor, PUBLIC);
            if !shows_a_token(&sent, actor) {
                continue;
            }
            let (limits, _, _) = asked(app, &sent);
            assert_eq!(limits, [], "{request} as {}", actor.label);
            cases += 1;
        }
    }
    // Docker's login, which stands in a body.
    let login =
        fixtures.client.ask("GET /token?service=registry&offline_token=true", "olga:secret", "").text("refresh_token");
    let form = format!("grant_type=refresh_token&service=registry&client_id=docker&refresh_token={login}");
    fixtures.client.app.platform.over_limits.set(true);
    assert_eq!(fixtures.client.ask("POST /token", "", &form).status, 200);
    assert!(cases > 500, "who shows a token?");
    println!("cases: {cases} right tokens that no limit of an address refuses");
}
