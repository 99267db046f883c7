//! An access review says what a registry token grants: both are asked by everybody about everything, and must agree.

use hublet::domain::{
    Role,
    access_review::{Action, Reason, Source},
};
use serde_json::{Value, json};

use test_support::{TestApp, operator};

use super::{
    actors::{self, Actor, Fixtures, MISSING, OWNER, PRIVATE, PUBLIC},
    endpoints::{Endpoint, Says, endpoint, granted},
    send,
};

/// What is asked about: her repositories, one in a namespace that does not exist, and one in `library`.
const REPOSITORIES: [(&str, &str); 5] =
    [(OWNER, PUBLIC), (OWNER, PRIVATE), (OWNER, MISSING), ("nowhere", MISSING), ("library", MISSING)];

const TOKEN: Endpoint = endpoint("GET", "/token", "")
    .asking("?service=registry&scope=repository:olga/{name}:pull,push,delete", Says::Granted);
const REVIEW: Endpoint = endpoint("POST", "/v2/access-reviews", r#"{"repository": "olga/{name}"}"#);

/// What a review said: each action, whether it is allowed, and the codes of the reasons.
type Actions = Vec<(String, bool, Vec<String>)>;

/// Asks for a review; none where it is refused.
fn reviewed(app: &mut TestApp, request: &super::TestRequest) -> Option<Actions> {
    let response = send(app, request).0;
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let actions = body["actions"].as_array().filter(|_| response.status == 200)?.iter().map(|action| {
        let codes = action["because"].as_array().unwrap().iter().map(|reason| text(&reason["code"])).collect();
        (text(&action["action"]), action["allowed"].as_bool().unwrap(), codes)
    });
    Some(actions.collect())
}

/// The actions that a registry token grants; none where it is refused.
fn tokens(app: &mut TestApp, fixtures: &Fixtures, actor: &Actor, namespace: &str, name: &str) -> Option<Vec<String>> {
    let request = TOKEN.request_in(namespace, fixtures, app, actor, name);
    let response = send(app, &request).0;
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let actions = granted(body["token"].as_str().filter(|_| response.status == 200)?);
    Some(actions.split(", ").filter(|action| *action != "nothing").map(str::to_owned).collect())
}

/// How many actions are told otherwise, of those that were compared.
fn disagreements(actions: &Actions, token: &[String], compared: &mut usize) -> Vec<String> {
    assert_eq!(actions.len(), Action::ALL.len());
    *compared += actions.len();
    let wrong = actions.iter().filter(|(action, allowed, _)| *allowed != token.contains(action));
    let silent = actions.iter().filter(|(_, _, because)| because.is_empty());
    wrong.chain(silent).map(|action| format!("{action:?}, and the token grants {token:?}")).collect()
}

#[test]
fn review_agrees_with_the_token() {
    let mut fixtures = actors::fixtures();
    actors::hide(&mut fixtures);
    let (mut cases, mut wrong) = (0, Vec::new());
    let administrator = fixtures.actors.iter().find(|actor| actor.label == "an administrator").unwrap();
    for actor in fixtures.actors.iter().filter(|actor| !actor.basic.1.starts_with("hlc_")) {
        for (namespace, name) in REPOSITORIES {
            let mut app = actor.app(&fixtures.client.app);
            let token = tokens(&mut app, &fixtures, actor, namespace, name);
            let request = REVIEW.request_in(namespace, &fixtures, &app, actor, name);
            let review = reviewed(&mut app, &request);
            drop(app);
            let label = format!("{} about {namespace}/{name}", actor.label);
            match (&review, &token) {
                (Some(actions), Some(token)) => {
                    let found = disagreements(actions, token, &mut cases);
                    wrong.extend(found.into_iter().map(|found| format!("{label}: {found}")));
                }
                (None, None) => cases += 1,
                _ => wrong.push(format!("{label}: {review:?}, and the token grants {token:?}")),
            }
            // The same of an administrator about this user, who is not asked.
            let (username, secret) = actor.named();
            if secret.starts_with("hlp_") {
                continue;
            }
            let username = if actor.basic.0.is_empty() { "" } else { username };
            let administrator = Actor { off: actor.off, ..administrator.clone() };
            let app = &mut administrator.app(&fixtures.client.app);
            let mut request = REVIEW.request_in(namespace, &fixtures, app, &administrator, name);
            request.body =
                json!({ "repository": format!("{namespace}/{name}"), "username": username }).to_string().into();
            let actions = reviewed(app, &request).unwrap_or_else(|| panic!("{label}: an administrator is refused"));
            let found = disagreements(&actions, &token.unwrap_or_default(), &mut cases);
            wrong.extend(found.into_iter().map(|found| format!("{label}, by an administrator: {found}")));
        }
    }
    println!("cases: {cases} access reviews held to registry tokens, {} disagreements", wrong.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(cases > 400, "{cases} cases");
}

/// The words of `why` for an actor, without the action and the repository: the name, and the flag of an access token.
fn asked_by_the_operator(app: &TestApp, actor: &Actor) -> (String, String) {
    let (username, secret) = actor.named();
    if actor.basic.0.is_empty() {
        return ("anonymous".to_owned(), String::new());
    }
    let sql = "select uuid from access_tokens where hash = ?1";
    let hash = [hublet::domain::secret::sha256_hex(secret)];
    let uuid = app.db.connection().query_row(sql, hash, |row| row.get::<_, String>(0));
    (username.to_owned(), uuid.map(|uuid| format!(" --token {uuid}")).unwrap_or_default())
}

/// Runs the commands that `why` printed, and asks again: what is denied then is an error.
fn allowed_by_the_commands(app: &TestApp, said: &operator::Said, why: &str, off: &str) -> Option<String> {
    let copy = std::rc::Rc::new(app.db.copied().unwrap());
    let now = hublet::platform::Platform::now(&*app.platform);
    for row in &said.rows {
        let Some((_, command)) = row.split_once("npm run admin -- ") else { continue };
        operator::run(&copy, command, now).unwrap();
    }
    let then = operator::run_with(&copy, why, now, off).unwrap();
    then.denied.then(|| format!("{why}: {:?}, and after these commands {:?}", said.rows, then.rows))
}

/// The operator's `why` is the same review, and the commands that it prints allow what is denied.
#[test]
fn why_agrees_with_the_review() {
    let mut fixtures = actors::fixtures();
    actors::hide(&mut fixtures);
    let (mut cases, mut allowed, mut repaired, mut wrong) = (0, 0, 0, Vec::new());
    for actor in fixtures.actors.iter().filter(|actor| !actor.basic.1.starts_with("hlc_")) {
        for (namespace, name) in REPOSITORIES {
            let app = &mut actor.app(&fixtures.client.app);
            let off = if actor.off { "off" } else { "on" };
            let (username, flag) = asked_by_the_operator(app, actor);
            let request = REVIEW.request_in(namespace, &fixtures, app, actor, name);
            // Who cannot sign in cannot ask: an administrator does, of the user with the password.
            let Some(actions) = reviewed(app, &request) else { continue };
            for (action, is_allowed, _) in actions {
                cases += 1;
                allowed += usize::from(is_allowed);
                let why = format!("why {username} {action} {namespace}/{name}{flag}");
                let now = hublet::platform::Platform::now(&*app.platform);
                let said = operator::run_with(&app.db, &why, now, off).unwrap();
                let heads = if is_allowed { "yes: " } else { "no: " };
                if said.denied == is_allowed || !said.headline.starts_with(heads) {
                    wrong.push(format!("{}: {why}: {}", actor.label, said.headline));
                }
                let is_own = flag.is_empty() && username != "anonymous";
                if said.denied && is_own {
                    repaired += 1;
                    wrong.extend(allowed_by_the_commands(app, &said, &why, off));
                }
            }
        }
    }
    println!("cases: {cases} answers of the operator's review, {allowed} allowed, {repaired} repaired by its commands");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(cases > 200 && allowed > 20 && repaired > 20, "{cases}, {allowed}, {repaired}");
}

#[test]
fn review_hides_private_repositories() {
    let mut fixtures = actors::fixtures();
    let of = |fixtures: &Fixtures, name: &str| {
        let mut answers = Vec::new();
        for actor in fixtures.actors.iter().filter(|actor| !actor.reads) {
            let app = &mut actor.app(&fixtures.client.app);
            let request = REVIEW.request(fixtures, app, actor, name);
            let (response, round_trips) = send(app, &request);
            let body = String::from_utf8(response.body).unwrap().replace(name, "NAME");
            let headers = response.headers.into_iter().filter(|(name, _)| name != "x-request-id").collect::<Vec<_>>();
            answers.push((actor.label, response.status, headers, body, round_trips));
        }
        answers
    };
    let before = of(&fixtures, PRIVATE);
    actors::hide(&mut fixtures);
    assert!(before.len() > 5, "who does not read it?");
    assert_eq!(of(&fixtures, PRIVATE), before, "there, and not there");
    assert_eq!(of(&fixtures, MISSING), before, "another that is not there");
}

#[test]
fn reasons_are_on_the_page() {
    let page = include_str!("../../wire/access-reviews.md");
    let role = Reason::Role { has: Role::Read, needs: Role::Write, from: Source::Member };
    let reasons = [
        Reason::Account,
        Reason::Credentials,
        Reason::Anonymous,
        Reason::NamespaceMissing,
        Reason::Library,
        Reason::NotVisible,
        role,
        Reason::Scopes { has: Vec::new() },
        Reason::Resources { has: Vec::new() },
    ];
    for reason in reasons {
        // A reason that is new does not compile here until it is in the list.
        match reason {
            Reason::Account
            | Reason::Credentials
            | Reason::Anonymous
            | Reason::NamespaceMissing
            | Reason::Library
            | Reason::NotVisible
            | Reason::Role { .. }
            | Reason::Scopes { .. }
            | Reason::Resources { .. } => {}
        }
        let code = reason.code();
        assert!(page.contains(&format!(r#"{{"code": "{code}""#)), "no answer on the page has the reason {code}");
    }
}
