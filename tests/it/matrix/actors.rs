//! The index of the matrix: one owner with a public repository, a private one, and everybody who could
//! be something to them.

use hublet::domain::{
    Access, RepositoryId, RepositoryName,
    credential::CredentialId,
    opaque_token::{RANDOM, TokenKind},
    repository_token::RepositoryTokenClaims,
    session_token,
};
use serde_json::{Value, json};

use test_support::{TestApp, Trial, client::TestClient};

/// Whose everything is.
pub const OWNER: &str = "olga";

/// The repositories of hers that are asked for.
pub const PUBLIC: &str = "open";
pub const PRIVATE: &str = "hidden";
pub const MISSING: &str = "absent";

/// The image and the tag that each of her repositories has.
pub const IMAGE: &str = "9e89cc6f0bc3c38722009fe6857087b486531f9a779a0c17e3ed29dae8f12c4f";
pub const TAG: &str = "latest";

/// Somebody, with everything that they could show.
#[derive(Debug, Clone)]
pub struct Actor {
    /// As the matrix names them.
    pub label: &'static str,
    /// The name, and the password or the access token; empty for nobody.
    pub basic: (String, String),
    /// A session token.
    pub session: String,
    /// The cookie of a browser; empty for who has none.
    pub cookie: String,
    /// Whether the cookie is sent to every endpoint, and nothing else.
    pub only_cookie: bool,
    /// Whose right a repository token of theirs is.
    pub credential: CredentialId,
    /// Whether they may read the private repository.
    pub reads: bool,
    /// Whether they ask where requests without credentials read nothing.
    pub off: bool,
}

/// Everybody with a password, as the matrix names them, and whether they may read the private
/// repository.
const PEOPLE: [(&str, &str, bool); 11] = [
    ("jane", "another user", false),
    ("rita", "collaborator `read`", true),
    ("will", "collaborator `write`", true),
    ("adam", "collaborator `admin`", true),
    ("mira", "member `read`", true),
    ("milo", "member `write`", true),
    ("maya", "member `admin`", true),
    (OWNER, "the owner", true),
    ("boss", "an administrator", true),
    ("unna", "unconfirmed", false),
    ("dora", "disabled", false),
];

/// Access tokens by whose they are and what their scopes and resources say.
const TOKENS: [(&str, &str, &str, bool); 7] = [
    (OWNER, "token `repo:public_read`", r#"{"scopes": ["repo:public_read"]}"#, false),
    (OWNER, "token `repo:read`", r#"{"scopes": ["repo:read"]}"#, true),
    (OWNER, "token `repo:write`", r#"{"scopes": ["repo:write"]}"#, true),
    (OWNER, "token `repo:admin`", r#"{"scopes": ["repo:admin"]}"#, true),
    (OWNER, "token `repo:admin`, `repo:roles`", r#"{"scopes": ["repo:admin", "repo:roles"]}"#, true),
    (
        OWNER,
        "token for another repository",
        r#"{"scopes": ["repo:admin", "repo:roles"], "resources": [{"path": "olga/other"}]}"#,
        false,
    ),
    ("boss", "token of an administrator", r#"{"scopes": ["repo:admin", "repo:roles"]}"#, false),
];

/// An index, with everybody in it.
pub struct Fixtures {
    /// The index.
    pub client: TestClient,
    /// Everybody who asks.
    pub actors: Vec<Actor>,
    /// What paths need: public names of an access token, a refresh token and a machine's token.
    pub uuids: [String; 3],
    /// How each of them is called in the patterns of paths.
    pub machine: &'static str,
}

/// Nobody's words, where a name has to be given: there is no such user.
const NOBODY: (&str, &str) = ("nobody", "no secret");

/// Makes the index up to the private repository, which [`hide`] makes.
pub fn fixtures() -> Fixtures {
    let mut client = TestClient::new().unwrap();
    let sessions = PEOPLE.map(|(name, ..)| client.register(name));
    let cookies = PEOPLE.map(|(name, ..)| client.sign_in(name));
    let hers = sessions[7].clone();
    let second = json!({ "email": "olga@example.org" }).to_string();
    assert_eq!(client.ask("PUT /v1/users/olga/", "olga:secret", &second).status, 204);
    for namespace in ["namespace acme", "grant boss"] {
        client.operate(namespace).unwrap();
    }
    for (name, ..) in PEOPLE {
        client.operate(&format!("member acme {name} write")).unwrap();
    }
    for (name, role) in [("mira", "read"), ("milo", "write"), ("maya", "admin")] {
        succeed(&mut client, &format!("PUT /v2/namespaces/olga/members/{name}"), &hers, &json!({ "role": role }));
    }
    repository(&mut client, PUBLIC, &hers);
    repository(&mut client, "other", &hers);
    succeed(&mut client, "POST /v2/namespaces/olga/machines", &hers, &json!({ "username": "olga-ci" }));
    let label = json!({ "token_label": "made for a test" });
    let machines = succeed(&mut client, "POST /v2/namespaces/olga/machines/olga-ci/access-tokens", &hers, &label);
    let login = client.ask("GET /token?service=registry&offline_token=true", "olga:secret", "");
    assert_eq!(login.status, 200);
    let kept = client.ask("GET /v2/refresh-tokens", &hers, "").body["results"][0]["uuid"].clone();
    let mut actors = vec![nobody("anonymous", false), nobody("anonymous, off", true)];
    actors.extend(PEOPLE.iter().zip(sessions.iter().zip(&cookies)).map(|((name, label, reads), (session, cookie))| {
        let basic = ((*name).to_owned(), "secret".to_owned());
        let credential = CredentialId::Password { user: id(&client, name).into(), epoch: 1 };
        let (session, cookie) = (session.clone(), cookie.clone());
        Actor { label, basic, session, cookie, only_cookie: false, credential, reads: *reads, off: false }
    }));
    // What opens her pages opens nothing of the API.
    actors.push(Actor {
        cookie: cookies[7].clone(),
        only_cookie: true,
        reads: true,
        ..nobody("the owner's cookie", false)
    });
    for (name, label, wanted, reads) in TOKENS {
        let owner = actors.iter().find(|actor| actor.basic.0 == name).unwrap().clone();
        actors.push(with_token(&mut client, &owner, label, wanted, reads));
    }
    // The same one in every index.
    let token = TokenKind::Reconciler.generate([7; RANDOM]);
    let token = token.reveal();
    let hash = TokenKind::Reconciler.parse_and_hash(token).unwrap();
    let insert = "insert into reconcilers (service, hash, created_at) values ('registry', ?1, 0)";
    client.app.db.connection().execute(insert, [hash]).unwrap();
    actors.push(Actor {
        basic: ("reconciler".to_owned(), token.to_owned()),
        session: format!("Bearer {token}"),
        ..nobody("a reconciler", false)
    });
    let uuids = [
        client.access_token(&hers).1,
        kept.as_str().unwrap().to_owned(),
        machines["uuid"].as_str().unwrap().to_owned(),
    ];
    // What is between mail and a confirmed account is the only way to be unconfirmed, and nobody who is
    // has a session: theirs is of before.
    client.app.db.connection().execute("update users set status = 'unconfirmed' where name = 'unna'", []).unwrap();
    client.operate("disable dora").unwrap();
    client.app.set("PUBLIC_URL", "https://hub.example.com");
    client.app.set("MAIL", "on");
    Fixtures { client, actors, uuids, machine: "olga-ci" }
}

fn nobody(label: &'static str, off: bool) -> Actor {
    let basic = (String::new(), String::new());
    Actor {
        label,
        basic,
        session: String::new(),
        cookie: String::new(),
        only_cookie: false,
        credential: CredentialId::Anonymous,
        reads: false,
        off,
    }
}

/// Makes the private repository.
pub fn hide(fixtures: &mut Fixtures) {
    let hers = fixtures.actors.iter().find(|actor| actor.basic.0 == OWNER).unwrap().session.clone();
    repository(&mut fixtures.client, PRIVATE, &hers);
    succeed(&mut fixtures.client, "POST /v2/repositories/olga/hidden/privacy", &hers, &json!({ "is_private": true }));
}

/// A repository of hers with an image, a tag and collaborators.
fn repository(client: &mut TestClient, name: &str, hers: &str) {
    let images = json!([{ "id": IMAGE }]).to_string();
    assert_eq!(client.ask(&format!("PUT /v1/repositories/olga/{name}/"), "olga:secret", &images).status, 200);
    assert_eq!(client.ask(&format!("PUT /v1/repositories/olga/{name}/images"), "olga:secret", "[]").status, 204);
    let event = json!({ "events": [{
        "id": name, "timestamp": "2026-01-01T00:00:00Z", "action": "push",
        "target": { "digest": format!("sha256:{IMAGE}"), "repository": format!("olga/{name}"), "tag": TAG, "size": 1,
          "mediaType": "application/vnd.docker.distribution.manifest.v2+json" },
    }] });
    let registry = client.event_authorization("registry");
    assert_eq!(succeed(client, "POST /events", &registry, &event)["taken"], 1);
    for (user, role) in [("rita", "read"), ("will", "write"), ("adam", "admin")] {
        let wanted = json!({ "user": user, "role": role });
        succeed(client, &format!("POST /v2/repositories/olga/{name}/collaborators"), hers, &wanted);
    }
    assert_eq!(client.ask(&format!("PUT /v2/repositories/olga/{name}/star"), hers, "").status, 204);
}

/// Somebody with an access token in the place of the password.
fn with_token(client: &mut TestClient, owner: &Actor, label: &'static str, wanted: &str, reads: bool) -> Actor {
    let mut wanted: Value = serde_json::from_str(wanted).unwrap();
    wanted["token_label"] = label.into();
    let made = succeed(client, "POST /v2/access-tokens", &owner.session, &wanted);
    let secret = made["token"].as_str().unwrap().to_owned();
    let login = json!({ "username": owner.basic.0, "password": secret });
    let session = succeed(client, "POST /v2/users/login", "", &login)["token"].as_str().unwrap().to_owned();
    let keys = client.app.context();
    let credential = session_token::verify(&session, keys.config.keys().unwrap(), keys.platform.now()).unwrap();
    let basic = (owner.basic.0.clone(), secret);
    let session = format!("Bearer {session}");
    Actor { label, basic, session, cookie: String::new(), only_cookie: false, credential, reads, off: false }
}

fn succeed(client: &mut TestClient, request: &str, who: &str, body: &Value) -> Value {
    let response = client.ask(request, who, &body.to_string());
    assert!((200..300).contains(&response.status), "{request}: {response:?}");
    response.body
}

fn id(client: &TestClient, name: &str) -> i64 {
    let sql = "select id from users where name = ?1";
    client.app.db.connection().query_row(sql, [name], |row| row.get(0)).unwrap()
}

impl Actor {
    /// Their index: what they ask of is as `app`, or it is closed to requests without credentials.
    pub fn app(&self, app: &TestApp) -> Trial {
        let mut app = app.trial().unwrap();
        if self.off {
            app.set("REGISTRATION", "closed");
            app.set("ANONYMOUS_READ", "off");
        }
        app
    }

    /// Name and secret where a request has to give them.
    pub fn named(&self) -> (&str, &str) {
        if self.basic.0.is_empty() { NOBODY } else { (&self.basic.0, &self.basic.1) }
    }

    /// A genuine repository token to read, as they would have it from when they could.
    pub fn repository_token(&self, app: &TestApp, namespace: &str, name: &str) -> String {
        let sql = "select id from repositories where full_name = ?1";
        let full = format!("{namespace}/{name}");
        let repository_id = app.db.connection().query_row(sql, [full], |row| row.get(0)).unwrap_or(1 << 20);
        let index = app.context();
        let claim = RepositoryTokenClaims {
            repository: RepositoryName::parse(namespace, name).unwrap(),
            repository_id: RepositoryId::new(repository_id),
            access: Access::Read,
            credential: self.credential,
            expires_at: index.platform.now() + 60,
        };
        format!("Token {}", claim.sign(index.config.keys().unwrap(), [0; 8]))
    }
}
