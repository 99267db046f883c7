//! Paths, queries, bodies, names.

use hublet::{
    api,
    domain::{
        RepositoryName, Role, UserName, images, names,
        notifications::{self, CloudEvent},
        scope::{self, Grant, Scope},
        search, time,
        token_restrictions::{self, Resource, TokenRestrictions},
    },
    routes::{self, Hub, Route},
    wire::{Request, request::form},
};
use serde_json::Value;

use super::{text, two};

const NOW: i64 = 1_800_000_000_000;

/// A path: a slash at its end changes nothing, and what it names stands in it.
pub fn path(bytes: &[u8]) {
    let path = text(bytes);
    let _ = routes::dialect(&path);
    let Ok(route) = routes::route(&path) else { return };
    if !path.ends_with('/') {
        assert_eq!(routes::route(&format!("{path}/")).as_ref(), Ok(&route));
    }
    let listed = api::path(&route);
    assert!(listed.pattern.starts_with('/') && !listed.endpoints.is_empty() && listed.allow().ends_with(", OPTIONS"));
    assert!(listed.max_body > 0 || matches!(route, Route::Manifest | Route::Blob));
    assert!(listed.endpoints.iter().all(|one| listed.endpoint(one.method.as_str()) == Some(one)));
    if let Route::Repository(name) | Route::Images(name) | Route::Auth(name) | Route::LayerAccess(name, _) = &route {
        let prefix = format!("/v1/repositories/{name}");
        let again = match &route {
            Route::Images(_) => format!("{prefix}/images"),
            Route::Auth(_) => format!("{prefix}/auth"),
            Route::LayerAccess(_, image) => format!("{prefix}/layer/{image}/access"),
            _ => format!("{prefix}/"),
        };
        // A repository called as a part of the API is can be named without its namespace alone.
        let word = ["images", "auth", "layer"].contains(&name.name.as_str());
        assert!(word || routes::route(&again).as_ref() == Ok(&route), "{again}");
    }
    if let Route::Hub(Hub::Repository(name) | Hub::Tags(name) | Hub::Tag(name, _)) = &route {
        // A name may be written with colons between its components.
        assert!(path.contains(&name.namespace) && path.replace(':', "/").contains(&name.name));
    }
}

/// A query: what is printed in percents is read as it was.
pub fn query(bytes: &[u8]) {
    let pairs = form(bytes).collect::<Vec<_>>();
    let encoded = |text: &str| {
        let bytes = text.bytes().map(|byte| format!("%{byte:02X}"));
        bytes.collect::<Vec<_>>().concat()
    };
    let printed = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    assert!(form(printed.collect::<Vec<_>>().join("&").as_bytes()).eq(pairs));
    let request = Request { query: text(bytes), ..Request::default() };
    let page = hublet::handlers::hub::Pagination::read(&request);
    assert!((0..=100_000_000).contains(&page.offset()));
}

/// A search: bounded, whatever is asked.
pub fn search(bytes: &[u8]) {
    let (q, numbers) = two(bytes);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let read = search::Search::parse(&[pair("q", &q), pair("n", &numbers), pair("page", &numbers)], &str::to_owned);
    assert!(
        (1..=100).contains(&read.page_size) && (1..=search::MAX_MATCHES).contains(&read.page) && read.terms.len() <= 8
    );
    for phrases in
        [read.anywhere(), read.words(), read.whole().into_iter().collect(), read.beginning().into_iter().collect()]
    {
        // Each is as long as the full text finds it, every quote is one of a pair, and nothing ends the text.
        assert!(phrases.iter().all(|phrase| phrase.chars().count() >= 3), "{phrases:?}");
        let expression = search::all(&search::trigrams(&phrases));
        assert!(expression.matches('"').count().is_multiple_of(2) && !expression.contains('\0'));
    }
    let words = search::tokenize(&q);
    assert!(words.starts_with(' ') && words.ends_with(' ') && !words.contains("  "));
    assert!(!search::last_component(&q).contains('/'));
}

/// The longest scope that is read. With its actions in the place of a `*`, one that was granted may be longer.
const LONGEST_SCOPE: usize = 320;

/// Scopes: what is granted is no more than what was asked, and is printed as a scope.
pub fn scopes(bytes: &[u8]) {
    let asked = text(bytes);
    let read = scope::parse_all([asked.as_str()].into_iter());
    let granted = read.iter().filter_map(|scope| {
        let grant = scope.for_role(Some(Role::Admin)).or_else(|| scope.for_registry(true))?;
        let all = scope.actions.contains(&"*");
        assert!(grant.actions.iter().all(|action| all || scope.actions.contains(action)));
        assert!(scope.for_role(Some(Role::Read)).is_none_or(|grant| grant.actions == ["pull"]));
        assert_eq!(scope.for_role(None), None);
        Some(grant)
    });
    let granted = granted.collect::<Vec<Grant>>();
    for grant in &granted {
        let printed = scope::encode(std::slice::from_ref(grant));
        let same = |again: Scope| again.name == grant.name && again.actions == grant.actions;
        assert!(printed.len() > LONGEST_SCOPE || Scope::parse(&printed).is_some_and(same), "{printed}");
    }
}

/// A list of images: printed and read, it is the same.
pub fn images(bytes: &[u8]) {
    let Ok(list) = images::parse(bytes) else { return };
    let objects = |(id, checksum): (&Value, &Value)| serde_json::json!({ "id": id, "checksum": checksum });
    let Ok(Value::Array(pairs)) = serde_json::from_str(&images::pairs(&list)) else { panic!("no list of pairs") };
    let printed = pairs.iter().filter_map(|pair| Some(objects((pair.get(0)?, pair.get(1)?))));
    let printed = Value::Array(printed.collect()).to_string();
    assert_eq!(images::parse(printed.as_bytes()), Ok(list));
}

/// Notifications of distribution.
pub fn events(bytes: &[u8]) {
    taken(bytes, CloudEvent::default());
}

/// An event of zot, with its type and its time in headers.
pub fn cloud_event(bytes: &[u8]) {
    let (header, body) = two(bytes);
    let mut words = header.split('|');
    taken(body.as_bytes(), CloudEvent { id: words.next(), kind: words.next(), time: words.next() });
}

fn taken(body: &[u8], headers: CloudEvent<'_>) {
    for read in notifications::parse(body, headers, NOW) {
        let event = match read {
            Ok(event) => event,
            Err(reason) => {
                assert!(reason.len() < 8_000, "a reason is as long as what it is about");
                continue;
            }
        };
        // An event without a time, or ahead of ours, is as old as its place in the list tells.
        let latest = NOW + i64::try_from(body.len()).unwrap_or(i64::MAX);
        assert!((1..=100).contains(&event.id.len()) && (0..=latest).contains(&event.at));
        assert!(!event.tag.is_empty() || !event.digest.is_empty());
        assert!(event.tag.len() <= 128 && event.digest.len() <= 200 && event.by.len() <= 255);
        let fields = [&event.id, &event.tag, &event.digest, &event.media_type, &event.by];
        assert!(fields.iter().all(|field| !field.chars().any(char::is_control)));
    }
}

/// Names of users and repositories, and addresses.
pub fn names(bytes: &[u8]) {
    let name = text(bytes);
    if let Some(user) = UserName::parse(&name) {
        assert_eq!(user.as_str(), name);
    }
    let (namespace, rest) = name.split_once('/').unwrap_or(("library", &name));
    if let Ok(repository) = RepositoryName::parse(namespace, rest) {
        let printed = repository.to_string();
        assert_eq!(printed.split_once('/'), Some((namespace, rest)));
        assert!(printed.len() <= 255 && !printed.contains("..") && !printed.contains("//") && printed.is_ascii());
        let shown = repository.short();
        assert!(shown == printed || format!("library/{shown}") == printed);
    }
    if let Ok(address) = names::email(&name) {
        assert!(address.matches('@').count() == 1 && !address.contains(['\r', '\n', ' ', '<', '>', ',']));
    }
    if names::is_loopback(&name) {
        assert!(name.starts_with("127.") || name.starts_with("localhost") || name.starts_with("[::1]"), "{name}");
    }
}

/// The limits of an access token: they open nothing outside of the namespace that they name.
pub fn limits(bytes: &[u8]) {
    let (resources, name) = two(bytes);
    let scopes = r#"["repo:admin"]"#;
    let stored = TokenRestrictions::stored(scopes, Some(&resources));
    let (namespace, rest) = name.split_once('/').unwrap_or(("library", &name));
    let role = RepositoryName::parse(namespace, rest).ok().and_then(|name| stored.role(&name, true));
    // As it is stored: of a member that stands twice in an object the last one counts.
    let listed = serde_json::from_str::<Value>(&resources).and_then(serde_json::from_value::<Vec<Resource>>);
    let listed = listed.unwrap_or_default();
    let namespaces = |path: &str| path.split_once('/').map_or("library", |(namespace, _)| namespace).to_owned();
    assert!(role.is_none() || listed.iter().any(|resource| namespaces(&resource.path) == namespace));
    if token_restrictions::acceptable(&listed).is_ok() {
        assert!(listed.iter().all(|resource| !namespaces(&resource.path).contains('*')));
        let printed = serde_json::to_string(&listed).unwrap_or_default();
        assert_eq!(TokenRestrictions::stored(scopes, Some(&printed)).resources.as_deref(), Some(listed.as_slice()));
    }
    let _ = TokenRestrictions::stored(&resources, None).role_in_namespace();
}

/// Times: printed and read, they are the same to the second.
pub fn times(bytes: &[u8]) {
    let Some(seconds) = time::parse(&text(bytes)) else { return };
    let printed = time::format_rfc3339(seconds);
    // Years of more than four digits have no such form.
    assert!(time::parse(&printed).is_none_or(|again| again == seconds), "{printed}");
}

/// Where a request comes from, and from which docker.
pub fn address(bytes: &[u8]) {
    let (ip, host) = two(bytes);
    let headers = vec![("cf-connecting-ip".to_owned(), ip)];
    let request = Request { host, headers, ..Request::default() };
    let address = request.address();
    assert!(address.len() <= 50 && address.is_ascii() && !address.is_empty());
    assert!(request.origin().starts_with("http://"));
}
