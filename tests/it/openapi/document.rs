//! What was seen of every operation, as an `OpenAPI` 3.1 document.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    seen::{Operation, Response, Seen, is_own},
    shape::Shape,
};

const ABOUT: &str = "Accounts, repositories, permissions, tokens and search for a registry, in three dialects: the Docker Hub API v1, the token service of the registry protocol, and the management API of the Hub. Every path also answers OPTIONS, and HEAD where it answers GET. A body has at most the bytes that x-body-limit says, or it is a 413. Every answer carries X-Request-Id.";

/// The document: a line for each path and for each component, so that a change is a change of few
/// lines.
pub fn print(seen: &Seen) -> String {
    let described = seen.operations.iter().filter(|(pattern, _)| super::is_described(pattern));
    let paths = described.map(|(pattern, operations)| {
        let item = operations
            .iter()
            .map(|(method, operation)| (method.to_lowercase(), self::operation(method, pattern, operation)));
        let mut item = item.collect::<Map<_, _>>();
        let parameters = of_path(pattern);
        if !parameters.is_empty() {
            item.insert("parameters".into(), parameters.into());
        }
        (path(pattern), Value::Object(item))
    });
    let failures = seen.failures.iter().map(|(name, failure)| {
        let mut failure = response(failure, "A failure");
        // With a 429 and a 503, whether or not a page of this dialect shows one.
        failure["headers"]["Retry-After"] = json!({ "schema": { "type": "string" } });
        ((*name).to_owned(), failure)
    });
    let info = json!({ "title": "hublet", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT });
    format!(
        "{{\n\"openapi\":\"3.1.0\",\n\"info\":{info},\n\"servers\":[{{\"url\":\"/\"}}],\n\"paths\":{{{}\n}},\n\
         \"components\":{{\n\"securitySchemes\":{{{}\n}},\n\"responses\":{{{}\n}}\n}}\n}}\n",
        lines(paths),
        lines(schemes().into_iter()),
        lines(failures)
    )
}

fn lines(members: impl Iterator<Item = (String, Value)>) -> String {
    members.map(|(name, value)| format!("\n{}:{value}", json!(name))).collect::<Vec<_>>().join(",")
}

/// A v1 name has two components, which are two parameters here; `library` may be left out.
fn path(pattern: &str) -> String {
    pattern.replace("/v1/repositories/{repository}", "/v1/repositories/{namespace}/{repository}")
}

fn of_path(pattern: &str) -> Vec<Value> {
    let path = path(pattern);
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let schema = |name: &str| match name {
        "image" => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
        "uuid" => json!({ "type": "string", "format": "uuid" }),
        _ => json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]+$", "maxLength": 128 }),
    };
    let parameter = |name| json!({ "in": "path", "name": name, "required": true, "schema": schema(name) });
    names.map(parameter).collect()
}

fn operation(method: &str, pattern: &str, seen: &Operation) -> Value {
    let mut operation = Map::new();
    operation.insert("summary".into(), json!(seen.summary()));
    let parameters = of_query(seen);
    if !parameters.is_empty() {
        operation.insert("parameters".into(), parameters.into());
    }
    if let Some(body) = body(seen) {
        operation.insert("requestBody".into(), body);
    }
    if seen.schemes().any(|scheme| !scheme.is_empty()) {
        let one = |scheme: &&str| if scheme.is_empty() { json!({}) } else { json!({ *scheme: [] }) };
        operation.insert("security".into(), seen.schemes().map(one).collect());
    }
    let failure = json!({ "$ref": format!("#/components/responses/{}", seen.dialect) });
    let own = seen.responses.iter().filter(|(status, _)| is_own(pattern, **status));
    let mut responses =
        own.map(|(status, seen)| (status.to_string(), response(seen, reason(*status)))).collect::<Map<_, _>>();
    let failures = seen.responses.keys().copied().chain(implied(method, pattern, seen));
    let failures = failures.filter(|status| !is_own(pattern, *status));
    responses.extend(failures.map(|status| (status.to_string(), failure.clone())));
    operation.insert("responses".into(), Value::Object(responses));
    Value::Object(operation)
}

/// Statuses that follow from what an operation takes, whether or not its page shows each of them.
fn implied(method: &str, pattern: &str, seen: &Operation) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::new();
    let known = seen.schemes().any(|scheme| !scheme.is_empty());
    // Somebody is known by the body.
    let secret = seen.stored && !seen.bodies.is_empty() && seen.credentials.contains("");
    let guesses = (secret || seen.schemes().any(|scheme| *scheme == "password"))
        // Of secrets that nobody can guess.
        && !["/events", "/account/confirm"].contains(&pattern);
    let writes = method != "GET" && known && pattern != "/events";
    // Every refusal of a token is one that it forbids.
    let authorizes = pattern.ends_with("/auth");
    for (holds, status) in [
        // A name that is none, and a path that is none with it.
        (pattern.contains('{'), 404),
        (pattern.contains("{repository}"), 400),
        (!seen.bodies.is_empty(), 400),
        // What cannot be read, and who is not known or not active.
        (known && !authorizes, 401),
        // And who comes over plain http.
        (known || secret, 403),
        (!seen.bodies.is_empty(), 413),
        (known && !seen.bodies.is_empty() && seen.dialect == "HubError", 415),
        // Whoever guesses waits, and who writes too often.
        (guesses || writes && !authorizes, 429),
        (seen.stored, 503),
    ] {
        if holds {
            statuses.insert(status);
        }
    }
    statuses
}

fn of_query(seen: &Operation) -> Vec<Value> {
    let one = |(name, parameter): (&String, &super::seen::Parameter)| {
        let text = json!({ "type": "string" });
        let schema = if parameter.many { json!({ "type": "array", "items": text }) } else { text };
        let mut one = json!({ "in": "query", "name": name, "schema": schema });
        if seen.requires(name, parameter) {
            one["required"] = json!(true);
            one["example"] = json!(parameter.example);
        }
        one
    };
    seen.parameters.iter().map(one).collect()
}

fn body(seen: &Operation) -> Option<Value> {
    if seen.bodies.is_empty() {
        return None;
    }
    let content = seen.bodies.iter().map(|(media, body)| {
        let mut content = json!({ "schema": body.shape.schema(false) });
        if let Some(example) = &body.example {
            content["example"] = example.clone();
        }
        (media.clone(), content)
    });
    let content = content.collect::<Map<_, _>>();
    let always = seen.bodies.values().map(|body| body.times).sum::<usize>() == seen.successes;
    let mut body = json!({ "content": content, "x-body-limit": seen.body_limit });
    if always {
        body["required"] = json!(true);
    }
    Some(body)
}

fn response(seen: &Response, description: &str) -> Value {
    let mut response = json!({ "description": description });
    let text = json!({ "type": "string" });
    let header = |times: usize| {
        if times == seen.times { json!({ "schema": text, "required": true }) } else { json!({ "schema": text }) }
    };
    let headers = seen.headers.iter().map(|(name, times)| (name.clone(), header(*times))).collect::<Map<_, _>>();
    if !headers.is_empty() {
        response["headers"] = headers.into();
    }
    let schema = |shape: &Shape| json!({ "schema": shape.schema(true) });
    let content = seen.content.iter().map(|(media, shape)| (media.clone(), schema(shape))).collect::<Map<_, _>>();
    if !content.is_empty() {
        response["content"] = content.into();
    }
    response
}

fn reason(status: u16) -> &'static str {
    match status {
        201 => "Created",
        202 => "Accepted",
        204 => "Done",
        503 => "Unavailable",
        _ => "OK",
    }
}

fn schemes() -> [(String, Value); 5] {
    let bearer = |about: &str| json!({ "type": "http", "scheme": "bearer", "description": about });
    [
        ("password", json!({ "type": "http", "scheme": "basic", "description": "A user's name with the password or an access token; at /events any name with the event secret." })),
        ("repositoryToken", json!({ "type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token ` and what X-Docker-Token said." })),
        ("session", bearer("A session token of POST /v2/users/login or /v2/auth/token.")),
        ("registryToken", bearer("A registry token of /token.")),
        ("eventSecret", bearer("What a registry shows with its notifications.")),
    ]
    .map(|(name, scheme)| (name.to_owned(), scheme))
}
