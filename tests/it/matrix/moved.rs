//! A repository that was moved: everybody may do with it what they may with one that is made there.

use serde_json::json;

use test_support::client::TestClient;

use super::actors::{self, Actor, Fixtures, IMAGE, OWNER, PRIVATE, PUBLIC};

/// What shows how far somebody may go, and what of the body counts. Each is asked of a fresh copy.
const PROBES: [(&str, &str, &[&str]); 10] = [
    ("GET /v2/repositories/acme/{name}", "", &["/permissions", "/affiliation", "/is_private"]),
    ("GET /token?service=registry&scope=repository:acme/{name}:*", "", &[]),
    ("PUT /v1/repositories/acme/{name}/", "[]", &[]),
    ("GET /v1/repositories/acme/{name}/images", "", &[]),
    ("DELETE /v1/repositories/acme/{name}/", "", &[]),
    ("PATCH /v2/repositories/acme/{name}", r#"{"description": "x"}"#, &[]),
    ("GET /v2/repositories/acme/{name}/collaborators", "", &["/results"]),
    ("POST /v2/repositories/acme/{name}/collaborators", r#"{"user": "rita", "role": "read"}"#, &[]),
    ("POST /v2/repositories/acme/{name}/privacy", r#"{"is_private": false}"#, &[]),
    ("DELETE /v2/repositories/acme/{name}", "", &[]),
];

/// What somebody is answered to all of them.
fn rights(client: &TestClient, actor: &Actor, name: &str) -> Vec<String> {
    let mut answers = Vec::new();
    for (request, body, members) in PROBES {
        let mut client = TestClient { app: client.app.copied().unwrap() };
        let basic = if actor.basic.0.is_empty() { String::new() } else { actor.basic.0.clone() + ":" + &actor.basic.1 };
        let who = if request.contains(" /v2/") { &actor.session } else { &basic };
        let response = client.ask(&request.replace("{name}", name), who, body);
        let granted = super::endpoints::granted(&response.text("token"));
        let members = members.iter().map(|member| response.body.pointer(member));
        answers.push(format!("{request}: {} {granted} {:?}", response.status, members.collect::<Vec<_>>()));
    }
    answers
}

/// Two indexes: in one this repository was moved to `acme`, in the other one was made there.
fn moved_and_made(fixtures: &Fixtures, name: &str) -> [TestClient; 2] {
    let hers = &fixtures.actors.iter().find(|actor| actor.basic.0 == OWNER).unwrap().session;
    let mut moved = TestClient { app: fixtures.client.app.copied().unwrap() };
    let response =
        moved.ask(&format!("POST /v2/repositories/{OWNER}/{name}/transfer"), hers, r#"{"namespace": "acme"}"#);
    assert_eq!(response.status, 200, "{response:?}");
    let mut made = TestClient { app: fixtures.client.app.copied().unwrap() };
    assert_eq!(made.ask(&format!("DELETE /v2/repositories/{OWNER}/{name}"), hers, "").status, 202);
    let wanted = json!({ "name": name, "is_private": name == PRIVATE }).to_string();
    assert_eq!(made.ask("POST /v2/namespaces/acme/repositories", hers, &wanted).status, 201);
    let images = json!([{ "id": IMAGE }]).to_string();
    assert_eq!(made.ask(&format!("PUT /v1/repositories/acme/{name}/"), "olga:secret", &images).status, 200);
    [moved, made]
}

#[test]
fn moved_repository_has_the_rights_of_a_new_one() {
    let mut fixtures = actors::fixtures();
    actors::hide(&mut fixtures);
    // In the namespace it goes to, some of those who had a role in it have another, or none.
    for role in ["rita none", "will none", "adam none", "milo none", "mira read", "maya admin", "jane none"] {
        fixtures.client.operate(&format!("member acme {role}")).unwrap();
    }
    let (mut cases, mut found) = (0, Vec::new());
    for name in [PUBLIC, PRIVATE] {
        let [moved, made] = moved_and_made(&fixtures, name);
        for actor in &fixtures.actors {
            cases += PROBES.len();
            for (one, other) in rights(&moved, actor, name).iter().zip(rights(&made, actor, name)) {
                if *one != other {
                    found.push(format!("{} of {name}\n  moved: {one}\n  made:  {other}", actor.label));
                }
            }
        }
    }
    println!("cases: {cases} rights in what was moved");
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn operator_transfer_equals_the_api() {
    let mut fixtures = actors::fixtures();
    actors::hide(&mut fixtures);
    for (flags, left) in [("", 0), (" --keep-collaborators", 3)] {
        let client = TestClient { app: fixtures.client.app.copied().unwrap() };
        client.operate(&format!("transfer olga/hidden acme{flags}")).unwrap();
        let count = |sql: &str| -> i64 { client.app.db.connection().query_row(sql, [], |row| row.get(0)).unwrap() };
        let roles = "select count(*) from collaborators c join repositories r on r.id = c.repository_id
                     where r.full_name = 'acme/hidden'";
        assert_eq!(count(roles), left, "{flags}");
        let removals = "select count(*) from audit where action = 'repo.collaborator.remove' and actor = 'operator'
                      and name in ('olga/hidden', 'acme/hidden')";
        assert_eq!(count(removals), 2 * (3 - left), "in both logs, {flags}");
        let mut client = client;
        let hers = fixtures.actors.iter().find(|actor| actor.basic.0 == OWNER).unwrap().session.clone();
        let again = client.ask("POST /v2/namespaces/olga/repositories", &hers, r#"{"name": "hidden"}"#);
        assert_eq!((again.status, again.body["is_private"].as_bool()), (201, Some(true)), "{again:?}");
    }
}
