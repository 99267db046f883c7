//! What must not be seen again: collected as it is made or sent.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use test_support::runner::{RawResponse, TestRequest};

/// Kinds of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A password, right or wrong.
    Password,
    /// A whole `Authorization` header, behind its scheme.
    Header,
    /// An access token, a refresh token or a cookie.
    Opaque,
    /// The signature of a repository token.
    Repository,
    /// A registry token or a session token, and its signature.
    Signed,
    /// What is behind the `#` of a link.
    Link,
    /// What the operator has set, and what is made of it.
    Setting,
    /// A stored hash of a password: it is in its column and nowhere else.
    Hash,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Password,
        Self::Header,
        Self::Opaque,
        Self::Repository,
        Self::Signed,
        Self::Link,
        Self::Setting,
        Self::Hash,
    ];
}

/// Shorter texts are no secrets: they are what the pages call nonsense.
const SHORTEST: usize = 8;

/// What follows each password: people choose words that are everywhere.
const MARK: &str = "-which-nobody-says";

/// The secrets of one play.
#[derive(Debug, Default)]
pub struct Secrets(BTreeMap<Kind, BTreeSet<String>>);

impl Secrets {
    /// Keeps one.
    pub fn keep(&mut self, kind: Kind, text: &str) {
        if text.len() >= SHORTEST {
            self.0.entry(kind).or_default().insert(text.to_owned());
        }
    }

    /// Those of a kind.
    pub fn of(&self, kind: Kind) -> Vec<&String> {
        self.0.get(&kind).into_iter().flatten().collect()
    }

    /// How many of each kind there are.
    pub fn count_into(&self, counts: &mut BTreeMap<Kind, usize>) {
        for (kind, texts) in &self.0 {
            *counts.entry(*kind).or_default() += texts.len();
        }
    }

    /// What a text has in it; `where_it_may` is the one kind that may be there.
    pub fn found_in(&self, place: &str, text: &str, where_it_may: Option<Kind>) -> Vec<String> {
        let kinds = self.0.iter().filter(|(kind, _)| Some(**kind) != where_it_may);
        let found = kinds.flat_map(|(kind, secrets)| secrets.iter().map(move |secret| (kind, secret)));
        let found = found.filter(|(_, secret)| text.contains(secret.as_str()));
        found.map(|(kind, secret)| format!("{place} has a {kind:?}: {secret:?}")).collect()
    }

    /// The request with passwords that no other text can be, each the same every time.
    pub fn marked(&mut self, request: &TestRequest) -> TestRequest {
        let mut request = request.clone();
        for (_, value) in request.headers.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            *value = self.header(value);
        }
        if let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(&request.body) {
            let mut changed = false;
            for name in ["password", "new_password", "secret"] {
                if let Some(Value::String(text)) = fields.get_mut(name) {
                    changed = true;
                    *text = self.password(text);
                }
            }
            // Only where there is one: what else is in a body is left as its page has it.
            if changed {
                request.body = Value::Object(fields).to_string().into_bytes();
            }
        } else if let Ok(form) = String::from_utf8(request.body.clone()) {
            request.body = self.form(&form).into_bytes();
        }
        request
    }

    fn header(&mut self, value: &str) -> String {
        let Some((scheme, rest)) = value.split_once(' ') else { return value.to_owned() };
        let clear = STANDARD.decode(rest).ok().and_then(|clear| String::from_utf8(clear).ok());
        let named = clear.as_deref().and_then(|clear| clear.split_once(':'));
        let rest = match named.filter(|(name, _)| scheme.eq_ignore_ascii_case("basic") && !name.is_empty()) {
            Some((name, password)) => STANDARD.encode(format!("{name}:{}", self.password(password))),
            None => rest.to_owned(),
        };
        self.keep(Kind::Header, &rest);
        format!("{scheme} {rest}")
    }

    fn form(&mut self, form: &str) -> String {
        let field = |pair: &str| match pair.split_once('=') {
            Some((name, password)) if name.ends_with("password") => format!("{name}={}", self.password(password)),
            Some((name @ ("refresh_token" | "secret"), value)) => {
                self.keep(if name == "secret" { Kind::Link } else { Kind::Opaque }, value);
                pair.to_owned()
            }
            _ => pair.to_owned(),
        };
        form.split('&').map(field).collect::<Vec<_>>().join("&")
    }

    /// A password, kept. What is too short, too long or a token stays what it is.
    fn password(&mut self, text: &str) -> String {
        if text.trim_start().starts_with("hl") && text.contains('_') {
            self.keep(Kind::Opaque, text);
            return text.to_owned();
        }
        if self.0.values().any(|known| known.contains(text)) {
            return text.to_owned();
        }
        if !(5..=900).contains(&text.len()) || text.chars().count() < 5 {
            return text.to_owned();
        }
        let marked = format!("{text}{MARK}");
        self.keep(Kind::Password, &marked);
        marked
    }

    /// Keeps what an answer gives.
    pub fn given(&mut self, response: &RawResponse) {
        let header = |name: &str| response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        if let Some(token) = header("x-docker-token") {
            let signature = token.split(',').next().unwrap_or_default();
            self.keep(Kind::Repository, signature.trim_start_matches("signature="));
        }
        let cookie = header("set-cookie").and_then(|cookie| cookie.split_once('='));
        if let Some((value, _)) = cookie.and_then(|(_, rest)| rest.split_once(';')) {
            self.keep(Kind::Opaque, value);
        }
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        for token in ["token", "access_token", "refresh_token"].iter().filter_map(|name| body[name].as_str()) {
            if token.starts_with("hl") {
                self.keep(Kind::Opaque, token);
            } else {
                self.keep(Kind::Signed, token);
                self.keep(Kind::Signed, token.rsplit('.').next().unwrap_or_default());
            }
        }
    }
}
