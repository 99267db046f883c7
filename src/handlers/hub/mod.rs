//! The management API, in the forms of Docker Hub's own: what its tools send and read.
//!
//! It takes session tokens, and what is said to be JSON, and nothing else, so that no page of another origin can make a
//! browser change anything. Logging in changes nothing and leaves no cookie.

pub mod access_tokens;
pub mod audit;
pub mod collaborators;
pub mod emails;
pub mod images;
pub mod leaving;
pub mod machines;
pub mod members;
pub mod namespace;
pub mod namespaces;
pub mod password;
pub mod repositories;
pub mod search;
pub mod sessions;
pub mod stars;
pub mod tags;

use serde_json::{Map, Value};

use crate::{
    handlers::registry,
    index::Index,
    refusal::{Answer, Fault},
    routes::Hub,
    wire::{Reply, Request},
};

/// Serves a route of the management API; `method` is GET for HEAD.
pub async fn handle(index: &Index, request: &Request, route: &Hub, method: &str) -> Answer<Reply> {
    match (route, method) {
        (Hub::Login, _) => sessions::login(index, request).await,
        (Hub::AuthToken, _) => sessions::auth_token(index, request).await,
        (Hub::Logout, _) => sessions::logout(index, request).await,
        (Hub::OwnOrganisations, _) => namespaces::organisations(index, request).await,
        (Hub::OwnNamespaces, _) => namespaces::names(index, request).await,
        (Hub::User(name), _) => namespaces::user(index, request, name).await,
        (Hub::Organisation(name), _) => namespaces::one(index, request, name).await,
        (Hub::Oneself, "DELETE") => leaving::leave(index, request).await,
        (Hub::Oneself, _) => sessions::oneself(index, request).await,
        (Hub::Password, _) => password::change(index, request).await,
        (Hub::Emails, "POST") => emails::add(index, request).await,
        (Hub::Emails, _) => emails::list(index, request).await,
        (Hub::Email(email), "PATCH") => emails::choose(index, request, email).await,
        (Hub::Email(email), _) => emails::remove(index, request, email).await,
        (Hub::AccessTokens, "POST") => access_tokens::create(index, request).await,
        (Hub::AccessTokens, _) => access_tokens::list(index, request).await,
        (Hub::AccessToken(uuid), "PATCH") => access_tokens::update(index, request, uuid).await,
        (Hub::AccessToken(uuid), "DELETE") => access_tokens::delete(index, request, uuid).await,
        (Hub::AccessTokenRenewal(uuid), _) => access_tokens::renew(index, request, uuid).await,
        (Hub::AccessToken(uuid), _) => access_tokens::get(index, request, uuid).await,
        (Hub::RefreshTokens, _) => sessions::refresh_tokens(index, request).await,
        (Hub::RefreshToken(uuid), _) => sessions::end_refresh_token(index, request, uuid).await,
        (Hub::Repositories(namespace), "POST") => repositories::create(index, request, Some(namespace)).await,
        (Hub::Repositories(namespace), _) => repositories::list(index, request, namespace).await,
        (Hub::NewRepository, _) => repositories::create(index, request, None).await,
        (Hub::Repository(name), "PATCH") => repositories::update(index, request, name).await,
        (Hub::Repository(name), "DELETE") => repositories::delete(index, request, name).await,
        (Hub::Repository(name), _) => repositories::get(index, request, name).await,
        (Hub::Privacy(name), _) => repositories::privacy(index, request, name).await,
        (Hub::Transfer(name), _) => repositories::transfer(index, request, name).await,
        (Hub::Star(name), "DELETE") => stars::remove(index, request, name).await,
        (Hub::Star(name), "GET") => stars::list(index, request, name).await,
        (Hub::Star(name), _) => stars::add(index, request, name).await,
        (Hub::Images(name), _) => images::list(index, request, name).await,
        (Hub::ImagesSummary(name), _) => images::summary(index, request, name).await,
        (Hub::Search, _) => search::repositories(index, request).await,
        (Hub::Tags(name), _) => tags::list(index, request, name).await,
        (Hub::Tag(name, tag), "DELETE") => tags::delete(index, request, name, tag).await,
        (Hub::Tag(name, tag), _) => tags::get(index, request, name, tag).await,
        (Hub::Collaborators(name), "POST") => collaborators::add(index, request, name).await,
        (Hub::Collaborators(name), _) => collaborators::list(index, request, name).await,
        (Hub::Collaborator(name, user), _) => collaborators::remove(index, request, name, user).await,
        (Hub::Members(namespace), _) => members::list(index, request, namespace).await,
        (Hub::Member(namespace, user), "DELETE") => members::remove(index, request, namespace, user).await,
        (Hub::Member(namespace, user), _) => members::set(index, request, namespace, user).await,
        (Hub::AuditLogs(account), _) => audit::list(index, request, account).await,
        (Hub::AuditActions, _) => audit::actions(index, request).await,
        (Hub::Machines(namespace), "POST") => machines::create(index, request, namespace).await,
        (Hub::Machines(namespace), _) => machines::list(index, request, namespace).await,
        (Hub::Machine(namespace, user), _) => machines::delete(index, request, namespace, user).await,
        (Hub::MachineTokens(namespace, user), "POST") => machines::create_token(index, request, namespace, user).await,
        (Hub::MachineTokens(namespace, user), _) => machines::tokens(index, request, namespace, user).await,
        (Hub::MachineTokenRenewal(namespace, user, uuid), _) => {
            machines::renew_token(index, request, namespace, user, uuid).await
        }
        (Hub::MachineToken(namespace, user, uuid), method) => {
            machines::token(index, request, namespace, user, uuid, method).await
        }
    }
}

/// Which page of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    number: i64,
    size: i64,
}

impl Page {
    /// Reads `page` and `page_size`; nonsense is the first page of ten.
    #[must_use]
    pub fn read(request: &Request) -> Self {
        Self::of(request, 10)
    }

    /// The same, of so many where the request does not say.
    #[must_use]
    pub fn of(request: &Request, usual: i64) -> Self {
        let parameters = request.parameters();
        let number = |name: &str| {
            parameters.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<i64>().ok())
        };
        Self {
            number: number("page").unwrap_or(1).clamp(1, 1_000_000),
            size: number("page_size").unwrap_or(usual).clamp(1, 100),
        }
    }

    /// How many stand before it.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.number - 1) * self.size
    }

    /// The list with its counters, and perhaps one more member. The addresses of the pages beside it
    /// are absolute: the Hub's tools take them apart.
    fn reply(
        self,
        index: &Index,
        request: &Request,
        count: i64,
        results: Vec<Value>,
        more: Option<(&str, Value)>,
    ) -> Result<Reply, Fault> {
        let origin = registry::origin(index, request)?;
        let mut others = String::new();
        for (key, value) in request.parameters().iter().filter(|(key, _)| key != "page" && key != "page_size") {
            others = others + "&" + &escaped(key) + "=" + &escaped(value);
        }
        let at = |number: i64| format!("{origin}{}?page={number}&page_size={}{others}", request.path, self.size);
        let next = (self.number * self.size < count).then(|| at(self.number + 1));
        let previous = (self.number > 1).then(|| at(self.number - 1));
        let mut body = Map::new();
        body.insert("count".into(), count.into());
        body.insert("next".into(), next.into());
        body.insert("previous".into(), previous.into());
        body.insert("results".into(), results.into());
        body.extend(more.map(|(name, value)| (name.to_owned(), value)));
        Ok(Reply::json(200, &Value::Object(body)).personal())
    }
}

/// Percent-encoding of what a query may not hold.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
