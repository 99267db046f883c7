//! What the operator set: vars and secrets, read once per isolate. What cannot be read is a problem
//! that is logged by name, and what needs it answers 503.

use crate::{
    domain::{
        certificates::SigningKey,
        keys::Keys,
        names::is_loopback,
        password::{self, Cost, Peppers},
        registry_token::KeyHint,
        secret::{Secret, same},
    },
    index::most::Most,
    refusal::Fault,
};

/// A registry that tokens are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `aud` of its tokens.
    pub name: String,
    /// Where its clients reach it, perhaps with a port: nothing is sent there.
    pub host: Option<String>,
    /// How it is told which key signed.
    pub hint: KeyHint,
}

impl Service {
    /// Reads `NAME[@HOST[:PORT]][=x5c|jwks|libtrust|zot]`.
    fn read(text: &str) -> Option<Self> {
        let (called, hint) = text.split_once('=').unwrap_or((text, "x5c"));
        let (name, host) = called.split_once('@').map_or((called, None), |(name, host)| (name, Some(host)));
        let hint = match hint {
            // zot has one public key and looks at no header.
            "x5c" | "zot" => KeyHint::X5c,
            "jwks" => KeyHint::Jwks,
            "libtrust" => KeyHint::Libtrust,
            _ => return None,
        };
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\,".contains(&byte));
        (plain && host.is_none_or(is_host)).then(|| Self { name: name.to_owned(), host: host.map(str::to_owned), hint })
    }
}

/// `PASSWORD_LENGTH`; what is none counts as the one that `wrangler.toml` has.
fn password_length(value: Option<String>, problems: &mut Vec<String>) -> usize {
    let Some(value) = value else { return password::MIN_PASSWORD_LENGTH };
    let length = value.parse().ok().filter(|length| (password::MIN_PASSWORD_LENGTH..=128).contains(length));
    length.unwrap_or_else(|| {
        problems.push(format!("PASSWORD_LENGTH {value:?} is not a number from 5 to 128; it counts as 12"));
        12
    })
}

/// Whether this is a host, perhaps with a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (text, "0"),
    };
    let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let (inside, more): (_, &[u8]) = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => (address, b":"),
        None => (host, b".-"),
    };
    is_port && !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

/// Bytes that a secret of the operator's proxy has at least.
const SHORTEST_PROXY_SECRET: usize = 32;

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// The settings of one deployment; each field is the var or secret of the same name.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Settings {
    token_key: Result<Keys, String>,
    password_pepper: Result<Peppers, String>,
    /// `PASSWORD_LENGTH`: characters that a new password has at least, 5 to 128.
    pub password_length: usize,
    /// `PASSWORD_COST`: what a new hash costs.
    pub password_cost: Cost,
    /// `REGISTRATION = "open"`: anybody may make an account.
    pub open: bool,
    /// `VISIBILITY = "private"`: of new repositories.
    pub private: bool,
    /// `ANONYMOUS_READ = "on"`, which it is when unset: what is public is so for requests without credentials.
    pub anonymous_read: bool,
    /// Two settings that exclude each other: nothing is answered until one of them changes.
    pub contradiction: Option<String>,
    /// `REGISTRY`: host and port of the v1 registry; the request's own host when absent.
    pub registry: Option<String>,
    /// `PUBLIC_URL`: where this index is reached, without a slash at its end.
    pub public_url: Option<String>,
    /// `SEARCH_CACHE`: seconds that an anonymous search may be old.
    pub search_cache: u64,
    /// `PROXY_SECRET`: what the operator's own proxy shows.
    proxy_secret: Option<Secret>,
    signing_key: Result<SigningKey, String>,
    /// `SERVICES`: the registries that tokens are for.
    pub services: Vec<Service>,
    /// `ISSUER`: `iss` of registry tokens.
    pub issuer: String,
    /// `REGISTRY_TOKEN_SECONDS`: how long a registry token lives, 60 to 3,600.
    pub registry_token_seconds: i64,
    /// `REFRESH_UNUSED_DAYS`, in seconds: how long a refresh token may lie unused.
    pub refresh_unused: i64,
    /// `REFRESH_DAYS`, in seconds: how old a refresh token may be.
    pub refresh_age: i64,
    /// `ACCESS_TOKEN_MAX_DAYS`, in seconds: the longest that a new access token may be good.
    pub access_token_age: Option<i64>,
    /// `AUDIT_DAYS`, in seconds: how long it is known who did what.
    pub audit_age: i64,
    /// `READS = "nearest"`: reads may come from a replica.
    pub nearest: bool,
    /// `DATABASE_TIMEOUT`: milliseconds after which a database call is given up.
    pub database_timeout: u64,
    /// How much there may be of what somebody could make without end.
    pub most: Most,
    /// `MAIL_FROM`: the sender of mail.
    pub mail_from: Option<String>,
    /// What could not be read, for the log.
    pub problems: Vec<String>,
}

impl Settings {
    /// Reads every setting by its name.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let missing = |name: &str| format!("{name} is missing");
        let mut problems = Vec::new();
        let token_key = text("TOKEN_KEY").ok_or_else(|| missing("TOKEN_KEY")).and_then(|value| Keys::read(&value));
        let password_pepper =
            text("PASSWORD_PEPPER").ok_or_else(|| missing("PASSWORD_PEPPER")).and_then(|value| Peppers::read(&value));
        problems.extend(token_key.as_ref().err().cloned());
        problems.extend(password_pepper.as_ref().err().cloned());
        let mut choice = |name: &str, this: &str, that: &str| match text(name).as_deref() {
            Some(value) if value == this => true,
            Some(value) if value != that => {
                problems.push(format!("{name} is neither {this:?} nor {that:?}; it counts as {that:?}"));
                false
            }
            _ => false,
        };
        let open = choice("REGISTRATION", "open", "closed");
        let public = choice("VISIBILITY", "public", "private");
        let nearest = choice("READS", "nearest", "primary");
        let anonymous_read = text("ANONYMOUS_READ").is_none() || choice("ANONYMOUS_READ", "on", "off");
        let contradiction = (open && !anonymous_read).then(|| {
            "REGISTRATION = \"open\" with ANONYMOUS_READ = \"off\": anybody could sign in and read; nothing is answered"
                .to_owned()
        });
        problems.extend(contradiction.clone());
        let password_cost = text("PASSWORD_COST").map(|value| Cost::read(&value).ok_or(value));
        let password_cost = password_cost.transpose().unwrap_or_else(|value| {
            problems.push(format!("PASSWORD_COST {value:?} is not m=KiB,t=passes,p=lanes within bounds"));
            None
        });
        let public_url = text("PUBLIC_URL").map(|url| url.trim_end_matches('/').to_owned());
        if public_url.as_ref().is_some_and(|url| !is_origin(url)) {
            problems.push("PUBLIC_URL is not https://host (http on a loopback address)".into());
        }
        let proxy_secret = text("PROXY_SECRET").filter(|secret| {
            let long = secret.len() >= SHORTEST_PROXY_SECRET;
            if !long {
                problems.push(format!("PROXY_SECRET is shorter than {SHORTEST_PROXY_SECRET} bytes; it counts as none"));
            }
            long
        });
        let signing_key = match (text("REGISTRY_KEY"), text("REGISTRY_CERTIFICATE")) {
            (Some(key), Some(certificates)) => SigningKey::read(&key, &certificates),
            _ => Err("REGISTRY_KEY and REGISTRY_CERTIFICATE are missing (npm run keys)".into()),
        };
        if text("REGISTRY_KEY").is_some() {
            problems.extend(signing_key.as_ref().err().cloned());
        }
        let services = text("SERVICES").unwrap_or_default();
        let mut service = |text: &str| {
            let service = Service::read(text.trim());
            if service.is_none() {
                problems.push(format!("SERVICES: {text:?} is not NAME[@HOST[:PORT]][=x5c|jwks|libtrust|zot]"));
            }
            service
        };
        let services = services.split(',').filter(|s| !s.trim().is_empty()).filter_map(&mut service).collect();
        let number = |name: &str, usual: i64, least: i64, most: i64| {
            text(name).and_then(|value| value.parse::<i64>().ok()).unwrap_or(usual).clamp(least, most)
        };
        let access_token_age = text("ACCESS_TOKEN_MAX_DAYS").map(|value| {
            let days = value.parse::<i64>().ok().filter(|days| (1..=36_500).contains(days));
            days.unwrap_or_else(|| {
                problems
                    .push(format!("ACCESS_TOKEN_MAX_DAYS {value:?} is not a number from 1 to 36500; it counts as 365"));
                365
            })
        });
        let password_length = password_length(text("PASSWORD_LENGTH"), &mut problems);
        let search_cache = text("SEARCH_CACHE").and_then(|value| value.parse().ok()).unwrap_or(0);
        Self {
            token_key,
            password_pepper,
            password_length,
            password_cost: password_cost.unwrap_or_default(),
            open,
            private: !public,
            anonymous_read,
            contradiction,
            registry: text("REGISTRY"),
            public_url: public_url.filter(|url| is_origin(url)),
            search_cache,
            proxy_secret: proxy_secret.map(Secret::new),
            signing_key,
            services,
            issuer: text("ISSUER").unwrap_or_else(|| "hublet".into()),
            registry_token_seconds: number("REGISTRY_TOKEN_SECONDS", 300, 60, 3_600),
            refresh_unused: number("REFRESH_UNUSED_DAYS", 90, 1, 3_650) * DAY,
            refresh_age: number("REFRESH_DAYS", 365, 1, 3_650) * DAY,
            access_token_age: access_token_age.map(|days| days * DAY),
            audit_age: number("AUDIT_DAYS", 90, 1, 3_650) * DAY,
            nearest,
            database_timeout: number("DATABASE_TIMEOUT", 10_000, 50, 30_000).unsigned_abs(),
            most: Most::read(text),
            mail_from: text("MAIL_FROM"),
            problems,
        }
    }

    /// The keys under which hublet signs for itself.
    pub fn keys(&self) -> Result<&Keys, Fault> {
        self.token_key.as_ref().map_err(Fault::unconfigured)
    }

    /// The key that signs registry tokens, with its certificates.
    pub fn signing_key(&self) -> Result<&SigningKey, Fault> {
        self.signing_key.as_ref().map_err(Fault::unconfigured)
    }

    /// Whether this is what the operator's own proxy shows.
    #[must_use]
    pub fn is_proxy(&self, shown: Option<&str>) -> bool {
        let wanted = self.proxy_secret.as_ref().map(Secret::reveal);
        wanted.zip(shown).is_some_and(|(wanted, shown)| same(wanted.as_bytes(), shown.as_bytes()))
    }

    /// The peppers of passwords.
    pub fn peppers(&self) -> Result<&Peppers, Fault> {
        self.password_pepper.as_ref().map_err(Fault::unconfigured)
    }
}

/// Whether this may stand in a challenge or a mailed link: https, or this machine itself.
fn is_origin(url: &str) -> bool {
    let plain = |host: &str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(host), _) => plain(host),
        (_, Some(host)) => plain(host) && is_loopback(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        Settings::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn nothing_set_is_a_private_closed_index_that_says_what_it_lacks() {
        let empty = settings(&[]);
        assert!(!empty.open && empty.private && empty.anonymous_read);
        assert_eq!(empty.problems, ["TOKEN_KEY is missing", "PASSWORD_PEPPER is missing"]);
        assert!(empty.keys().is_err() && empty.peppers().is_err());
    }

    #[test]
    fn who_reads_is_asked_of_those_who_may_not_just_register() {
        let secrets = [("TOKEN_KEY", "k".repeat(32)), ("PASSWORD_PEPPER", format!("1:{}", "p".repeat(32)))];
        let read = |registration: &str, anonymous: &str| {
            let more = [("REGISTRATION", registration.to_owned()), ("ANONYMOUS_READ", anonymous.to_owned())];
            let pairs = secrets.iter().chain(&more).map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
            let read = settings(&pairs);
            (read.anonymous_read, read.contradiction.is_some(), read.problems.len())
        };
        assert_eq!(read("closed", "off"), (false, false, 0));
        assert_eq!(read("open", "on"), (true, false, 0));
        assert_eq!(read("open", ""), (true, false, 0));
        assert_eq!(read("open", "off"), (false, true, 1));
        assert_eq!(read("closed", "no"), (false, false, 1));
    }

    #[test]
    fn a_proxy_is_known_by_a_secret_of_some_length() {
        let secret = "p".repeat(32);
        let proxy = settings(&[("PROXY_SECRET", &secret)]);
        assert!(proxy.is_proxy(Some(&secret)));
        for shown in
            [None, Some(""), Some(&secret[1..]), Some(&*format!("{secret}p")), Some(&*secret.replace('p', "q"))]
        {
            assert!(!proxy.is_proxy(shown), "{shown:?}");
        }
        let short = settings(&[("PROXY_SECRET", &secret[1..])]);
        assert!(!short.is_proxy(Some(&secret[1..])) && !short.is_proxy(None));
        assert!(short.problems.iter().any(|problem| problem.starts_with("PROXY_SECRET is shorter")));
        assert!(!settings(&[]).is_proxy(Some("")) && !settings(&[]).is_proxy(None));
    }

    /// The same services that the tools read.
    #[test]
    fn services() {
        let lists: serde_json::Value = serde_json::from_str(include_str!("../../tests/services.json")).unwrap();
        for (text, read) in lists["services"].as_object().unwrap() {
            let service = Service::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(service.name, read["name"], "{text}");
            assert_eq!(service.host.as_deref(), read["host"].as_str(), "{text}");
        }
        for text in lists["no services"].as_array().unwrap() {
            assert_eq!(Service::read(text.as_str().unwrap()), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_and_safe() {
        let key = "k".repeat(32);
        let odd = settings(&[
            ("TOKEN_KEY", &key),
            ("PASSWORD_PEPPER", "1:short"),
            ("REGISTRATION", "Open"),
            ("PASSWORD_COST", "m=1"),
            ("PASSWORD_LENGTH", "4"),
            ("ACCESS_TOKEN_MAX_DAYS", "none"),
            ("PUBLIC_URL", "https://hub.example.com\" evil"),
        ]);
        assert!(odd.keys().is_ok() && odd.peppers().is_err());
        assert!(!odd.open);
        assert_eq!(odd.password_cost, Cost::default());
        assert_eq!((odd.password_length, settings(&[]).password_length), (12, 5));
        assert_eq!(odd.public_url, None);
        assert_eq!(odd.access_token_age, Some(365 * DAY));
        assert_eq!(odd.problems.len(), 6, "{:?}", odd.problems);
        assert_eq!(
            settings(&[("PUBLIC_URL", "https://hub.example.com/")]).public_url.unwrap(),
            "https://hub.example.com"
        );
    }
}
