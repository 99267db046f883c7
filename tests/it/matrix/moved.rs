//! A repository that was moved: everybody may do with it what they may with one that is made there.

use serde_json::json;

use test_support::client::Client;

use super::actors::{self, Actor, Cast, IMAGE, OWNER, PRIVATE, PUBLIC};

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
fn rights(client: &Client, actor: &Actor, name: &str) -> Vec<String> {
    let mut answers = Vec::new();
    for (request, body, members) in PROBES {
        let mut client = Client(client.0.copied().unwrap());
        let basic = if actor.basic.0.is_empty() { String::new() } else { actor.basic.0.clone() + ":" + &actor.basic.1 };
        let who = if request.contains(" /v2/") { &actor.session } else { &basic };
        let told = client.ask(&request.replace("{name}", name), who, body);
        let granted = super::endpoints::granted(&told.text("token"));
        let members = members.iter().map(|member| told.body.pointer(member));
        answers.push(format!("{request}: {} {granted} {:?}", told.status, members.collect::<Vec<_>>()));
    }
    answers
}

/// Two indexes: in one this repository was moved to `acme`, in the other one was made there.
fn moved_and_made(cast: &Cast, name: &str) -> [Client; 2] {
    let hers = &cast.actors.iter().find(|actor| actor.basic.0 == OWNER).unwrap().session;
    let mut moved = Client(cast.client.0.copied().unwrap());
    let told = moved.ask(&format!("POST /v2/repositories/{OWNER}/{name}/transfer"), hers, r#"{"namespace": "acme"}"#);
    assert_eq!(told.status, 200, "{told:?}");
    let mut made = Client(cast.client.0.copied().unwrap());
    assert_eq!(made.ask(&format!("DELETE /v2/repositories/{OWNER}/{name}"), hers, "").status, 202);
    let wanted = json!({ "name": name, "is_private": name == PRIVATE }).to_string();
    assert_eq!(made.ask("POST /v2/namespaces/acme/repositories", hers, &wanted).status, 201);
    let images = json!([{ "id": IMAGE }]).to_string();
    assert_eq!(made.ask(&format!("PUT /v1/repositories/acme/{name}/"), "olga:secret", &images).status, 200);
    [moved, made]
}

#[test]
fn everybody_may_do_what_they_may_with_one_that_was_made_there() {
    let mut cast = actors::cast();
    actors::hide(&mut cast);
    // In the namespace it goes to, some of those who had a role in it have another, or none.
    for role in ["rita none", "will none", "adam none", "milo none", "mira read", "maya admin", "jane none"] {
        cast.client.operate(&format!("member acme {role}")).unwrap();
    }
    let (mut cases, mut found) = (0, Vec::new());
    for name in [PUBLIC, PRIVATE] {
        let [moved, made] = moved_and_made(&cast, name);
        for actor in &cast.actors {
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
fn the_operator_moves_it_as_it_is_moved_here() {
    let mut cast = actors::cast();
    actors::hide(&mut cast);
    for (flags, left) in [("", 0), (" --keep-collaborators", 3)] {
        let client = Client(cast.client.0.copied().unwrap());
        client.operate(&format!("transfer olga/hidden acme{flags}")).unwrap();
        let count = |sql: &str| -> i64 { client.0.db.connection().query_row(sql, [], |row| row.get(0)).unwrap() };
        let roles = "select count(*) from collaborators c join repositories r on r.id = c.repository_id
                     where r.full_name = 'acme/hidden'";
        assert_eq!(count(roles), left, "{flags}");
        let told = "select count(*) from audit where action = 'repo.collaborator.remove' and actor = 'operator'
                      and name in ('olga/hidden', 'acme/hidden')";
        assert_eq!(count(told), 2 * (3 - left), "in both logs, {flags}");
        let mut client = client;
        let hers = cast.actors.iter().find(|actor| actor.basic.0 == OWNER).unwrap().session.clone();
        let again = client.ask("POST /v2/namespaces/olga/repositories", &hers, r#"{"name": "hidden"}"#);
        assert_eq!((again.status, again.body["is_private"].as_bool()), (201, Some(true)), "{again:?}");
    }
}
