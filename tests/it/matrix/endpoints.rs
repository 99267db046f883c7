//! Every endpoint, and the request by which the matrix asks it.

use std::{collections::BTreeSet, sync::LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use hublet::{api, wire::Dialect};

use test_support::{
    TestApp,
    runner::{RawResponse, TestRequest},
};

use super::actors::{Actor, Fixtures, IMAGE, OWNER, TAG};

/// How somebody shows who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// In `Authorization`, in the way of the path's dialect.
    Header,
    /// In the body, which [`BODY`] stands for.
    Body,
    /// By a repository token to read.
    Token,
}

/// What the matrix says of an answer beside its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Nothing.
    Status,
    /// Whether the repository is listed.
    Listed,
    /// Which actions on the repository were granted.
    Granted,
}

/// An endpoint, and how it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// As the table of the API has it.
    pub pattern: &'static str,
    /// Behind the path; `{name}` is the repository.
    pub query: &'static str,
    /// Perhaps empty; `{name}` is the repository.
    pub body: &'static str,
    /// How somebody shows who they are.
    pub shows: Shows,
    /// What its answer says.
    pub says: Says,
    /// What the matrix says behind the endpoint, where it is asked in several ways.
    pub note: &'static str,
}

/// An endpoint that is asked with a header.
pub const fn endpoint(method: &'static str, pattern: &'static str, body: &'static str) -> Endpoint {
    Endpoint { method, pattern, query: "", body, shows: Shows::Header, says: Says::Status, note: "" }
}

impl Endpoint {
    /// Asked with this behind the path.
    pub const fn asking(self, query: &'static str, says: Says) -> Self {
        Self { query, says, ..self }
    }

    /// Asked by who shows themselves otherwise.
    pub const fn showing(self, shows: Shows) -> Self {
        Self { shows, ..self }
    }

    const fn noted(self, note: &'static str) -> Self {
        Self { note, ..self }
    }
}

const V1: &str = "/v1/repositories/{repository}/";
const HUB: &str = "/v2/namespaces/{namespace}/repositories/{repository}";
const TOKENS: &str = "/v2/namespaces/{namespace}/machines/{username}/access-tokens";
const LABEL: &str = r#"{"token_label": "other"}"#;
const SCOPE: &str = "?service=registry&scope=repository:olga/{name}:*";
const FORM: &str = "grant_type=password&service=registry&client_id=matrix&scope=repository:olga/{name}:*";
const EVENTS: &str = r#"{"events": []}"#;

/// Every endpoint: one of [`hublet::api`] that is not here fails by its name.
#[rustfmt::skip]
pub const ENDPOINTS: [Endpoint; 141] = [
    endpoint("GET", "/v1/repositories/{repository}/images", ""),
    endpoint("PUT", "/v1/repositories/{repository}/images", "[]"),
    endpoint("DELETE", "/v1/repositories/{repository}/images", ""),
    endpoint("GET", "/v1/repositories/{repository}/tags", ""),
    endpoint("GET", "/v1/repositories/{repository}/layer/{image}/access", ""),
    endpoint("PUT", "/v1/repositories/{repository}/auth", "").showing(Shows::Token).noted(" with a repository token to read"),
    endpoint("PUT", "/v1/repositories/{repository}/auth", "").noted(" without one"),
    endpoint("PUT", V1, "[]"),
    endpoint("DELETE", V1, ""),
    endpoint("GET", "/v1/search", "").asking("?q={name}", Says::Listed),
    endpoint("GET", "/v2/_catalog", "").asking("", Says::Listed),
    endpoint("GET", "/v2/{repository}/tags/list", ""),
    endpoint("GET", "/v2/{repository}/manifests/{reference}", ""),
    endpoint("PUT", "/v2/{repository}/manifests/{reference}", "{}"),
    endpoint("GET", "/v2/{repository}/blobs/{digest}", ""),
    endpoint("POST", "/v2/{repository}/blobs/{digest}", ""),
    endpoint("GET", "/token", "").asking(SCOPE, Says::Granted),
    Endpoint { says: Says::Granted, ..endpoint("POST", "/token", FORM).showing(Shows::Body) },
    endpoint("GET", HUB, ""),
    endpoint("PATCH", HUB, r#"{"description": "new"}"#),
    endpoint("DELETE", HUB, ""),
    endpoint("POST", "/v2/namespaces/{namespace}/repositories/{repository}/privacy", r#"{"is_private": true}"#),
    endpoint("POST", "/v2/namespaces/{namespace}/repositories/{repository}/transfer", r#"{"namespace": "acme"}"#),
    endpoint("PUT", "/v2/namespaces/{namespace}/repositories/{repository}/star", ""),
    endpoint("POST", "/v2/namespaces/{namespace}/repositories/{repository}/star", ""),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories/{repository}/star", ""),
    endpoint("DELETE", "/v2/namespaces/{namespace}/repositories/{repository}/star", ""),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories/{repository}/images", ""),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories/{repository}/images-summary", ""),
    endpoint("GET", "/v2/search/repositories", "").asking("?query={name}", Says::Listed),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories/{repository}/tags", ""),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}", ""),
    endpoint("DELETE", "/v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}", ""),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories/{repository}/collaborators", ""),
    endpoint("POST", "/v2/namespaces/{namespace}/repositories/{repository}/collaborators", r#"{"user": "jane"}"#),
    endpoint("DELETE", "/v2/namespaces/{namespace}/repositories/{repository}/collaborators/{username}", ""),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories", "").asking("", Says::Listed),
    endpoint("POST", "/v2/namespaces/{namespace}/repositories", r#"{"name": "{name}"}"#),
    endpoint("POST", "/v2/repositories", r#"{"namespace": "olga", "name": "{name}"}"#),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories/{repository}/access", ""),
    endpoint("POST", "/v2/access-reviews", r#"{"repository": "olga/{name}"}"#),
    endpoint("GET", "/v2/namespaces/{namespace}/refusals", ""),
    endpoint("GET", "/v2/namespaces/{namespace}/members", ""),
    endpoint("PUT", "/v2/namespaces/{namespace}/members/{username}", r#"{"role": "read"}"#),
    endpoint("DELETE", "/v2/namespaces/{namespace}/members/{username}", ""),
    endpoint("GET", "/v2/namespaces/{namespace}/machines", ""),
    endpoint("POST", "/v2/namespaces/{namespace}/machines", r#"{"username": "olga-two"}"#),
    endpoint("DELETE", "/v2/namespaces/{namespace}/machines/{username}", ""),
    endpoint("GET", TOKENS, ""),
    endpoint("POST", TOKENS, LABEL),
    endpoint("GET", "/v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}", ""),
    endpoint("PATCH", "/v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}", LABEL),
    endpoint("DELETE", "/v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}", ""),
    endpoint("POST", "/v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}/renew", "{}"),
    endpoint("GET", "/v2/auditlogs/{account}", ""),
    endpoint("GET", "/v2/auditlogs/{account}/actions", ""),
    endpoint("GET", "/v1/users/", ""),
    endpoint("POST", "/v1/users/", r#"{"username": "newcomer", "password": "secret", "email": "newcomer@example.com"}"#),
    endpoint("PUT", "/v1/users/{username}/", r#"{"email": "other@example.com"}"#).noted(" of the owner"),
    endpoint("GET", "/v2/user", ""),
    endpoint("GET", "/v2/user/orgs", ""),
    endpoint("GET", "/v2/repositories/namespaces", ""),
    endpoint("GET", "/v2/users/{username}", "").noted(" of the owner"),
    endpoint("GET", "/v2/orgs/{namespace}", ""),
    endpoint("POST", "/v2/logout", ""),
    endpoint("DELETE", "/v2/user", r#"{"password": "[secret]", "repositories": true}"#),
    endpoint("POST", "/v2/user/password", r#"{"password": "[secret]", "new_password": "another one"}"#),
    endpoint("GET", "/v2/user/emails", ""),
    endpoint("POST", "/v2/user/emails", r#"{"email": "third@example.com", "password": "[secret]"}"#),
    endpoint("PATCH", "/v2/user/emails/{email}", r#"{"primary": true, "password": "[secret]"}"#).noted(" of the owner"),
    endpoint("DELETE", "/v2/user/emails/{email}", r#"{"password": "[secret]"}"#).noted(" of the owner"),
    endpoint("POST", "/v2/users/login", r#"{"username": "[name]", "password": "[secret]"}"#).showing(Shows::Body),
    endpoint("POST", "/v2/auth/token", r#"{"identifier": "[name]", "secret": "[secret]"}"#).showing(Shows::Body),
    endpoint("GET", "/v2/access-tokens", ""),
    endpoint("POST", "/v2/access-tokens", LABEL),
    endpoint("GET", "/v2/access-tokens/{uuid}", "").noted(" of the owner"),
    endpoint("PATCH", "/v2/access-tokens/{uuid}", LABEL).noted(" of the owner"),
    endpoint("DELETE", "/v2/access-tokens/{uuid}", "").noted(" of the owner"),
    endpoint("POST", "/v2/access-tokens/{uuid}/renew", "{}").noted(" of the owner"),
    endpoint("POST", "/token/revoke", "token=[secret]").showing(Shows::Body),
    endpoint("GET", "/v2/refresh-tokens", ""),
    endpoint("DELETE", "/v2/refresh-tokens/{uuid}", "").noted(" of the owner"),
    endpoint("GET", "/v2/", ""),
    endpoint("GET", "/v1/_ping", ""),
    endpoint("GET", "/.well-known/jwks.json", ""),
    endpoint("GET", "/openapi.json", ""),
    endpoint("GET", "/health", ""),
    endpoint("GET", "/", ""),
    endpoint("GET", "/favicon.ico", ""),
    endpoint("GET", "/robots.txt", ""),
    endpoint("POST", "/events", EVENTS),
    endpoint("GET", "/reconciler", ""),
    endpoint("POST", "/reconciler", EVENTS),
    endpoint("GET", "/sign-in", ""),
    endpoint("POST", "/sign-in", "").showing(Shows::Body),
    endpoint("POST", "/sign-out", ""),
    endpoint("GET", "/register", ""),
    endpoint("POST", "/register", "username=newcomer&email=newcomer@example.com&password=secret"),
    endpoint("GET", "/search", "").asking("?q={name}", Says::Listed),
    endpoint("GET", "/settings", ""),
    endpoint("POST", "/settings", "action=add&new=third@example.com&password=[secret]"),
    endpoint("GET", "/settings/tokens", ""),
    endpoint("POST", "/settings/tokens", "action=off&uuid=[token]").noted(" of the owner"),
    endpoint("GET", "/settings/tokens/new", ""),
    endpoint("POST", "/settings/tokens/new", "label=other&scope=repo:read&days=90"),
    endpoint("GET", "/settings/sessions", ""),
    endpoint("POST", "/settings/sessions", "action=end&uuid=[login]").noted(" of the owner"),
    endpoint("GET", "/admin", ""),
    endpoint("POST", "/admin", "action=write&notice=other"),
    endpoint("GET", "/admin/users", ""),
    endpoint("GET", "/admin/users/{username}", ""),
    endpoint("POST", "/admin/users/{username}", "action=disable").noted(" of the owner"),
    endpoint("GET", "/admin/namespaces", ""),
    endpoint("GET", "/admin/limits", ""),
    endpoint("GET", "/static/{file}", ""),
    endpoint("GET", "/r/{namespace}", "").asking("?name={name}", Says::Listed),
    endpoint("GET", "/r/{namespace}/-/new", ""),
    endpoint("POST", "/r/{namespace}/-/new", "name={name}&visibility=private"),
    endpoint("GET", "/r/{namespace}/-/members", ""),
    endpoint("POST", "/r/{namespace}/-/members", "action=set&user=mira&role=admin"),
    endpoint("GET", "/r/{namespace}/-/service-accounts", ""),
    endpoint("POST", "/r/{namespace}/-/service-accounts", "action=create&username=olga-two&role=read"),
    endpoint("GET", "/r/{namespace}/-/service-accounts/{username}", ""),
    endpoint("POST", "/r/{namespace}/-/service-accounts/{username}", "action=off&uuid=[token]"),
    endpoint("GET", "/r/{namespace}/-/audit", ""),
    endpoint("GET", "/r/{namespace}/-/refusals", ""),
    endpoint("GET", "/r/{namespace}/-/deletions", ""),
    endpoint("GET", "/r/{repository}", ""),
    endpoint("POST", "/r/{repository}/-/tags", "tag=latest"),
    endpoint("GET", "/r/{repository}/-/settings", ""),
    endpoint("POST", "/r/{repository}/-/settings", "action=describe&description=new&full_description=").noted(" (texts)"),
    endpoint("POST", "/r/{repository}/-/settings", "action=delete&name=olga/{name}").noted(" (the end)"),
    endpoint("GET", "/r/{repository}/-/access", ""),
    endpoint("POST", "/r/{repository}/-/access", "action=set&user=jane&role=read"),
    endpoint("GET", "/r/{repository}/-/tags/{tag}", ""),
    endpoint("GET", "/account/confirm", ""),
    endpoint("POST", "/account/confirm", "secret=none"),
    endpoint("GET", "/account/password", ""),
    endpoint("POST", "/account/password", "secret=none&password=other"),
    endpoint("GET", "/account/forgotten", ""),
    endpoint("POST", "/account/forgotten", "email=nobody@example.com"),
];

/// Whether the description knows this status of an endpoint.
pub fn describes(endpoint: &Endpoint, status: u16) -> bool {
    static DESCRIPTION: LazyLock<serde_json::Value> =
        LazyLock::new(|| serde_json::from_str(include_str!("../../../src/openapi.json")).unwrap());
    if !crate::openapi::is_described(endpoint.pattern) {
        return [200, 303, 400, 403, 404].contains(&status);
    }
    let path = endpoint.pattern.replace("/v1/repositories/{repository}", "/v1/repositories/{namespace}/{repository}");
    let operation = &DESCRIPTION["paths"][path][endpoint.method.to_lowercase()];
    operation["responses"].get(status.to_string()).is_some()
}

/// The method and the pattern of every endpoint.
pub fn all() -> BTreeSet<(&'static str, &'static str)> {
    api::endpoints().map(|(path, endpoint)| (endpoint.method.as_str(), path.pattern)).collect()
}

/// Whether an endpoint is a page, which takes the cookie of a browser and nothing else.
pub fn is_page(pattern: &str) -> bool {
    path(pattern).errors == Dialect::Page
}

/// The path of an endpoint in the table of the API.
pub fn path(pattern: &str) -> &'static api::Path {
    api::PATHS.iter().find(|path| path.pattern == pattern).unwrap_or_else(|| panic!("{pattern} is no path of the API"))
}

impl Endpoint {
    /// As the matrix names it.
    pub fn label(&self) -> String {
        format!("`{} {}`{}", self.method, self.pattern, self.note)
    }

    /// Whether a repository is asked for.
    pub fn names_a_repository(&self) -> bool {
        [self.pattern, self.query, self.body]
            .iter()
            .any(|text| text.contains("{repository}") || text.contains("{name}"))
            || self.says == Says::Listed
    }

    /// Whether a namespace is asked for.
    pub fn names_a_namespace(&self) -> bool {
        let named = |text: &str| ["{namespace}", "{repository}", "{account}"].iter().any(|name| text.contains(name));
        named(self.pattern) || self.query.contains(OWNER) || self.body.contains(OWNER)
    }

    /// What this actor sends about the owner's repository of this name.
    pub fn request(&self, fixtures: &Fixtures, app: &TestApp, actor: &Actor, name: &str) -> TestRequest {
        self.request_in(OWNER, fixtures, app, actor, name)
    }

    /// The same about one in another namespace.
    pub fn request_in(
        &self,
        namespace: &str,
        fixtures: &Fixtures,
        app: &TestApp,
        actor: &Actor,
        name: &str,
    ) -> TestRequest {
        let placed = |text: &str| text.replace(OWNER, namespace).replace("{name}", name);
        let v1 = self.pattern.starts_with("/v1/repositories");
        let repository = if v1 || ["/v2/{repository}", "/r/"].iter().any(|start| self.pattern.starts_with(start)) {
            format!("{namespace}/{name}")
        } else {
            name.to_owned()
        };
        let [token, refresh, machines] = &fixtures.uuids;
        let machine = ["machines", "service-accounts"].iter().any(|part| self.pattern.contains(part));
        let uuid = match (machine, self.pattern.contains("refresh")) {
            (true, _) => machines,
            (_, true) => refresh,
            _ => token,
        };
        let user = match self.pattern {
            _ if machine => fixtures.machine,
            pattern if pattern.contains("collaborators") => "rita",
            pattern if pattern.contains("members") => "mira",
            _ => OWNER,
        };
        let path = [
            ("{account}", namespace),
            ("{namespace}", namespace),
            ("{repository}", repository.as_str()),
            ("{username}", user),
            ("{uuid}", uuid.as_str()),
            ("{email}", "olga@example.org"),
            ("{image}", IMAGE),
            ("{tag}", TAG),
            ("{reference}", TAG),
            ("{digest}", "sha256:aa"),
            ("{file}", "pages.css"),
        ];
        let path = path.iter().fold(self.pattern.to_owned(), |path, (variable, value)| path.replace(variable, value));
        let (who, secret) = actor.named();
        let words = [("[name]", who), ("[secret]", secret), ("[token]", uuid), ("[login]", refresh)];
        let mut body = words.iter().fold(placed(self.body), |body, (word, value)| body.replace(word, value));
        if self.shows == Shows::Body && !body.starts_with('{') {
            body = format!("{body}&username={who}&password={secret}");
        }
        let mut headers = Vec::new();
        let dialect = self::path(self.pattern).errors;
        let authorization = match self.shows {
            Shows::Body => String::new(),
            _ if actor.only_cookie || is_page(self.pattern) => String::new(),
            Shows::Token => actor.repository_token(app, namespace, name),
            Shows::Header if dialect == Dialect::Hub => actor.session.clone(),
            Shows::Header if actor.basic.0.is_empty() => String::new(),
            Shows::Header => format!("Basic {}", STANDARD.encode(format!("{}:{}", actor.basic.0, actor.basic.1))),
        };
        // Over http and over https it has another name.
        if !actor.cookie.is_empty() && (actor.only_cookie || is_page(self.pattern)) {
            let cookie = &actor.cookie;
            headers.push(("Cookie".to_owned(), format!("hublet={cookie}; __Host-hublet={cookie}")));
        }
        headers.push(("Sec-Fetch-Site".to_owned(), "same-origin".to_owned()));
        if !authorization.is_empty() {
            headers.push(("Authorization".to_owned(), authorization));
        }
        if v1 && self.method != "POST" {
            headers.push(("X-Docker-Token".to_owned(), "true".to_owned()));
        }
        if body.starts_with(['{', '[']) {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        let target = format!("{path}{}", placed(self.query));
        TestRequest { method: self.method.to_owned(), target, headers, body: body.into_bytes() }
    }

    /// What the matrix says of an answer.
    pub fn outcome(&self, response: &RawResponse, name: &str) -> String {
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
        match self.says {
            Says::Listed if response.status == 200 && is_page(self.pattern) => {
                let link = format!("\"/r/{OWNER}/{name}\"");
                let listed = String::from_utf8_lossy(&response.body).contains(&link);
                if listed { "listed".to_owned() } else { "not listed".to_owned() }
            }
            Says::Listed if response.status == 200 => {
                let full = format!("{OWNER}/{name}");
                let list = |member: &str| body[member].as_array().cloned().unwrap_or_default();
                let listed = list("repositories").iter().any(|one| *one == full.as_str())
                    || list("results").iter().any(|one| {
                        [&one["name"], &one["repo_name"]]
                            .iter()
                            .any(|value| **value == name || **value == full.as_str())
                    });
                if listed { "listed".to_owned() } else { "not listed".to_owned() }
            }
            Says::Granted if response.status == 200 => granted(body["token"].as_str().unwrap_or_default()),
            _ => response.status.to_string(),
        }
    }
}

/// The actions that a registry token is good for.
pub fn granted(token: &str) -> String {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).unwrap_or_default();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap_or_default();
    let actions = claims["access"][0]["actions"].as_array().cloned().unwrap_or_default();
    let actions = actions.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>();
    if actions.is_empty() { "nothing".to_owned() } else { actions.join(", ") }
}
