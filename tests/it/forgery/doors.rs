//! Every way in which a secret is shown to the index, and what is good there.

use base64::{Engine, engine::general_purpose::STANDARD};

use hublet::domain::secret::hex;

use test_support::{
    client::TestClient,
    runner::{Backend, TestRequest},
};

/// What the index gives out for people and programs to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of v1.
    Repository,
    /// Of the registry protocol; it may search.
    Registry,
    /// Of the management API.
    Session,
    /// In place of a password.
    Access,
    /// What docker keeps.
    Refresh,
    /// What a registry shows with its notifications.
    Event,
    /// What the tool beside a registry shows.
    Reconciler,
    /// What a browser keeps.
    Cookie,
}

/// How it is shown.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// Behind this word in the Authorization header.
    Scheme(&'static str),
    /// As the password of `paul` there.
    Password,
    /// As this field of a form, behind what else is in it.
    Field(&'static str),
    /// As the cookie of a browser.
    Cookie,
    /// As this member of a JSON object, behind the others.
    Member(&'static str),
}

/// A place where a secret is shown.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// `GET /path`
    pub request: &'static str,
    /// How.
    pub way: Way,
    /// What opens it.
    pub takes: &'static [Kind],
}

const fn door(request: &'static str, way: Way, takes: &'static [Kind]) -> Door {
    Door { request, way, takes }
}

const IMAGES: &str = "GET /v1/repositories/paul/app/images";
const TOKEN: Way = Way::Scheme("Token");
const BEARER: Way = Way::Scheme("Bearer");

/// The first door of a kind is the one at which its forgeries are tried.
pub const DOORS: [Door; 31] = [
    door(IMAGES, TOKEN, &[Kind::Repository]),
    door("GET /v2/", BEARER, &[Kind::Registry]),
    door("GET /v2/user", BEARER, &[Kind::Session]),
    door("GET /v1/users/", Way::Password, &[Kind::Access]),
    door(
        "POST /token",
        Way::Field("grant_type=refresh_token&service=registry&client_id=x&refresh_token="),
        &[Kind::Refresh],
    ),
    door("POST /events", BEARER, &[Kind::Event]),
    door("GET /reconciler", BEARER, &[Kind::Reconciler]),
    door("GET /settings", Way::Cookie, &[Kind::Cookie]),
    door("GET /v2/user", Way::Cookie, &[]),
    door("GET /reconciler", Way::Password, &[]),
    door("POST /reconciler", BEARER, &[Kind::Reconciler]),
    door(IMAGES, BEARER, &[]),
    door(IMAGES, Way::Password, &[Kind::Access]),
    door("PUT /v1/repositories/paul/app/auth", TOKEN, &[Kind::Repository]),
    door("PUT /v1/repositories/paul/app/auth", BEARER, &[]),
    door("GET /v1/users/", TOKEN, &[]),
    door("GET /v1/users/", BEARER, &[]),
    door("GET /v1/search", BEARER, &[Kind::Registry]),
    door("GET /v2/", TOKEN, &[]),
    door("GET /v2/", Way::Password, &[Kind::Access]),
    door("GET /v2/_catalog", BEARER, &[Kind::Registry]),
    door("GET /v2/user", Way::Scheme("JWT"), &[Kind::Session]),
    door("GET /v2/user", TOKEN, &[]),
    door("GET /v2/user", Way::Password, &[]),
    door("GET /token?service=registry", Way::Password, &[Kind::Access, Kind::Reconciler]),
    door(
        "POST /token",
        Way::Field("grant_type=password&service=registry&client_id=x&username=paul&password="),
        &[Kind::Access],
    ),
    door("POST /v2/users/login", Way::Member(r#"{"username":"paul","password":"#), &[Kind::Access]),
    door("POST /v2/auth/token", Way::Member(r#"{"identifier":"paul","secret":"#), &[Kind::Access]),
    door("POST /events", Way::Password, &[Kind::Event]),
    door("POST /account/confirm", Way::Field("secret="), &[]),
    door("POST /account/password", Way::Field("password=another&secret="), &[]),
];

/// A login whose token may search.
pub const SEARCHING: &str = "GET /token?service=registry&offline_token=true&scope=registry:catalog:search";

/// An index where Paul has a private repository, with one secret of every kind.
pub struct Site {
    /// Who asks.
    pub client: TestClient,
    /// One of each.
    pub secrets: Vec<(Kind, String)>,
}

impl Site {
    /// Sets it up.
    pub fn new() -> Self {
        let mut client = TestClient::new().unwrap_or_else(|error| unreachable!("{error}"));
        client.app.set("VISIBILITY", "private");
        // With the id of a key alone it is a short text, which is altered at every place.
        client.app.set("SERVICES", "registry=jwks");
        let session = client.register("paul");
        let made = client.ask("PUT /v1/repositories/paul/app/", "paul:secret", "[]");
        let login = client.ask(SEARCHING, "paul:secret", "");
        let reconciler = client.operate("reconciler registry").unwrap_or_default();
        let secrets = vec![
            (Kind::Repository, made.header("x-docker-token").to_owned()),
            (Kind::Registry, login.text("token")),
            (Kind::Session, session.replace("Bearer ", "")),
            (Kind::Access, client.access_token(&session).0),
            (Kind::Refresh, login.text("refresh_token")),
            (Kind::Event, client.app.event_secret("registry").unwrap_or_default()),
            (Kind::Cookie, client.sign_in("paul")),
            (Kind::Reconciler, reconciler.replace("HUBLET_RECONCILER_TOKEN=", "")),
        ];
        Self { client, secrets }
    }

    /// The secret of a kind.
    pub fn secret(&self, kind: Kind) -> String {
        self.secrets.iter().find(|(known, _)| *known == kind).map_or_else(String::new, |(_, secret)| secret.clone())
    }

    /// Shows a text at a door: the status, and how often a database was asked.
    pub fn show(&mut self, door: &Door, text: &str) -> (u16, u64) {
        let (method, target) = door.request.split_once(' ').unwrap_or_default();
        let mut request =
            TestRequest { method: method.to_owned(), target: target.to_owned(), ..TestRequest::default() };
        let mut header = |name: &str, value: String| request.headers.push((name.to_owned(), value));
        header("Sec-Fetch-Site", "same-origin".into());
        match door.way {
            Way::Scheme(scheme) => header("Authorization", format!("{scheme} {text}")),
            Way::Password => header("Authorization", format!("Basic {}", STANDARD.encode(format!("paul:{text}")))),
            Way::Field(fields) => {
                header("Content-Type", "application/x-www-form-urlencoded".into());
                let encoded = format!(
                    "%{}",
                    hex(text.as_bytes())
                        .as_bytes()
                        .chunks(2)
                        .map(String::from_utf8_lossy)
                        .collect::<Vec<_>>()
                        .join("%")
                );
                request.body = format!("{fields}{encoded}").into_bytes();
            }
            Way::Cookie => header("Cookie", format!("hublet={text}")),
            Way::Member(members) => {
                header("Content-Type", "application/json".into());
                request.body = format!("{members}{}}}", serde_json::Value::from(text)).into_bytes();
            }
        }
        let response = self.client.app.send(&request).unwrap_or_default();
        let log = self.client.app.platform.log.borrow();
        let round_trips = log.iter().rev().find_map(|line| line.get("round_trips")?.as_u64()).unwrap_or(u64::MAX);
        drop(log);
        self.client.app.platform.log.borrow_mut().clear();
        // To be sent to where one signs in is to be refused.
        let sign_in = response.headers.iter().any(|(name, value)| name == "location" && value.starts_with("/sign-in?"));
        (if sign_in { 401 } else { response.status }, round_trips)
    }

    /// The door at which forgeries of a kind are tried.
    pub fn door(kind: Kind) -> Door {
        *DOORS.iter().find(|door| door.takes == [kind]).unwrap_or_else(|| unreachable!("every kind has a door"))
    }
}
