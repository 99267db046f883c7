//! The operator's settings: vars and secrets, read once per isolate. What cannot be read is a problem that is logged by
//! name, and what needs it is answered with 503.

mod quotas;
mod reader;
mod services;
mod settings;

pub use quotas::{HourlyQuota, Quotas};
pub use services::{Service, is_origin};
pub use settings::{SETTINGS, Setting, Values};

use std::cell::LazyCell;

use reader::Reader;

use crate::{
    domain::{
        certificates::SigningKey,
        keys::TokenKeys,
        password::{Cost, MIN_PASSWORD_LENGTH, Peppers},
        secret::{Secret, constant_time_eq},
        texts,
    },
    error::Fault,
};

/// The version that was built.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Bytes that `PROXY_SECRET` has at least.
const MIN_PROXY_SECRET_LENGTH: usize = 32;

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// What is computed once it is needed: certificates take a twentieth of a start, and most answers need none.
type Lazy<T> = LazyCell<T, Box<dyn FnOnce() -> T>>;

/// The settings of one deployment; each field is the setting of the same name, or names it.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Config {
    token_key: Result<TokenKeys, String>,
    password_pepper: Result<Peppers, String>,
    /// `PASSWORD_LENGTH`: characters that a new password has at least, 5 to 128.
    pub password_length: usize,
    /// `PASSWORD_COST`: the cost of a new hash.
    pub password_cost: Cost,
    /// `REGISTRATION = "open"`: anyone may register.
    pub registration_open: bool,
    /// `VISIBILITY = "private"`: of new repositories.
    pub private_by_default: bool,
    /// `ANONYMOUS_READ = "on"`: anonymous requests may read public repositories.
    pub anonymous_read: bool,
    /// `PAGES = "on"`: there are pages, beside those of mailed links.
    pub pages: bool,
    /// `SITE_NAME`: what stands on every page.
    pub site_name: String,
    /// Two settings that exclude each other: every request is answered with 503 until one of them changes.
    pub contradiction: Option<String>,
    /// `REGISTRY`: host and port of the v1 registry; the host of the request if unset.
    pub registry: Option<String>,
    /// `PUBLIC_URL`: where hublet is reached, without a slash at its end.
    pub public_url: Option<String>,
    /// `SEARCH_CACHE`: seconds that the result of an anonymous search is cached.
    pub search_cache: u64,
    proxy_secret: Option<Secret>,
    has_signing_key: bool,
    signing_key: Lazy<Result<SigningKey, String>>,
    /// `SERVICES`: the registries that tokens are issued for.
    pub services: Vec<Service>,
    /// `ISSUER`: `iss` of registry tokens.
    pub issuer: String,
    /// `REGISTRY_TOKEN_SECONDS` that a registry token is valid.
    pub registry_token_seconds: i64,
    /// `REFRESH_UNUSED_DAYS`, in seconds, after which an unused refresh token expires.
    pub refresh_unused: i64,
    /// `REFRESH_DAYS`, in seconds, after which every refresh token expires.
    pub refresh_age: i64,
    /// `ACCESS_TOKEN_MAX_DAYS`, in seconds, that a new access token is valid at most.
    pub access_token_age: Option<i64>,
    /// `AUDIT_DAYS`, in seconds, that the audit log is kept.
    pub audit_age: i64,
    /// `READS = "nearest"`: reads may come from a replica.
    pub read_replicas: bool,
    /// `DATABASE_TIMEOUT`: milliseconds after which a database call is given up.
    pub database_timeout: u32,
    /// How many of each thing there may be.
    pub quotas: Quotas,
    /// `MAIL_FROM`: the sender of mail.
    pub mail_from: Option<String>,
    /// What could not be read, for the log.
    pub problems: Vec<String>,
    /// The commit that was built, which the entry module has; `unknown` in this process.
    pub commit: String,
}

impl Config {
    /// Reads every setting by its name.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let read = Reader::new(&lookup);
        let token_key = read.secret("TOKEN_KEY").and_then(|value| TokenKeys::parse(&value));
        let password_pepper = read.secret("PASSWORD_PEPPER").and_then(|value| Peppers::parse(&value));
        for missing in [token_key.as_ref().err(), password_pepper.as_ref().err()].into_iter().flatten() {
            read.problem(missing);
        }
        let registration_open = read.is("REGISTRATION", "open");
        let anonymous_read = read.is("ANONYMOUS_READ", "on");
        let password_length = read.optional_number("PASSWORD_LENGTH").and_then(|length| usize::try_from(length).ok());
        Self {
            token_key,
            password_pepper,
            password_length: password_length.unwrap_or(MIN_PASSWORD_LENGTH),
            password_cost: password_cost(&read),
            registration_open,
            private_by_default: read.is("VISIBILITY", "private"),
            anonymous_read,
            pages: read.is("PAGES", "on"),
            site_name: texts::line(read.text("SITE_NAME").as_deref().unwrap_or("hublet")),
            contradiction: contradiction(&read, registration_open, anonymous_read),
            registry: read.text("REGISTRY"),
            public_url: public_url(&read),
            search_cache: read.number("SEARCH_CACHE").unsigned_abs(),
            proxy_secret: proxy_secret(&read),
            has_signing_key: read.text("REGISTRY_KEY").is_some(),
            signing_key: signing_key(&read),
            services: services(&read),
            issuer: read.text("ISSUER").unwrap_or_else(|| "hublet".into()),
            registry_token_seconds: read.number("REGISTRY_TOKEN_SECONDS"),
            refresh_unused: read.number("REFRESH_UNUSED_DAYS") * DAY,
            refresh_age: read.number("REFRESH_DAYS") * DAY,
            access_token_age: read.optional_number("ACCESS_TOKEN_MAX_DAYS").map(|days| days * DAY),
            audit_age: read.number("AUDIT_DAYS") * DAY,
            read_replicas: read.is("READS", "nearest"),
            database_timeout: u32::try_from(read.number("DATABASE_TIMEOUT")).unwrap_or(u32::MAX),
            quotas: Quotas::from_env(&read),
            mail_from: read.text("MAIL_FROM"),
            problems: read.problems.into_inner(),
            commit: "unknown".to_owned(),
        }
    }

    /// Whether clients reach hublet over https: by this request, or by its public address, behind which a proxy may be.
    #[must_use]
    pub fn is_https(&self, request: bool) -> bool {
        request || self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// The keys under which hublet signs for itself.
    pub fn keys(&self) -> Result<&TokenKeys, Fault> {
        self.token_key.as_ref().map_err(Fault::unconfigured)
    }

    /// The key that signs registry tokens, with its certificates.
    pub fn signing_key(&self) -> Result<&SigningKey, Fault> {
        LazyCell::force(&self.signing_key).as_ref().map_err(Fault::unconfigured)
    }

    /// Why a key that is set cannot sign.
    pub fn signing_key_problem(&self) -> Option<&String> {
        self.has_signing_key.then(|| LazyCell::force(&self.signing_key).as_ref().err()).flatten()
    }

    /// Whether this is the secret of the operator's own proxy.
    #[must_use]
    pub fn is_proxy(&self, presented: Option<&str>) -> bool {
        let secret = self.proxy_secret.as_ref().map(Secret::reveal);
        secret
            .zip(presented)
            .is_some_and(|(secret, presented)| constant_time_eq(secret.as_bytes(), presented.as_bytes()))
    }

    /// The peppers of passwords.
    pub fn peppers(&self) -> Result<&Peppers, Fault> {
        self.password_pepper.as_ref().map_err(Fault::unconfigured)
    }
}

fn password_cost(read: &Reader<'_>) -> Cost {
    let Some(value) = read.text("PASSWORD_COST") else { return Cost::default() };
    Cost::parse(&value).unwrap_or_else(|| {
        read.problem(format!("PASSWORD_COST {value:?} is not m=KiB,t=passes,p=lanes within bounds"));
        Cost::default()
    })
}

fn contradiction(read: &Reader<'_>, registration_open: bool, anonymous_read: bool) -> Option<String> {
    if !registration_open || anonymous_read {
        return None;
    }
    let problem = "REGISTRATION = \"open\" with ANONYMOUS_READ = \"off\": anyone could sign in and read; every request \
                   is answered with 503";
    read.problem(problem);
    Some(problem.to_owned())
}

fn public_url(read: &Reader<'_>) -> Option<String> {
    let url = read.text("PUBLIC_URL")?.trim_end_matches('/').to_owned();
    if is_origin(&url) {
        return Some(url);
    }
    read.problem("PUBLIC_URL is not https://host (http on a loopback address)");
    None
}

fn proxy_secret(read: &Reader<'_>) -> Option<Secret> {
    let secret = read.text("PROXY_SECRET")?;
    if secret.len() >= MIN_PROXY_SECRET_LENGTH {
        return Some(Secret::new(secret));
    }
    read.problem(format!("PROXY_SECRET is shorter than {MIN_PROXY_SECRET_LENGTH} bytes; it counts as none"));
    None
}

fn signing_key(read: &Reader<'_>) -> Lazy<Result<SigningKey, String>> {
    let (key, certificates) = (read.text("REGISTRY_KEY"), read.text("REGISTRY_CERTIFICATE"));
    LazyCell::new(Box::new(|| match key.zip(certificates) {
        Some((key, certificates)) => SigningKey::parse(&key, &certificates),
        None => Err("REGISTRY_KEY and REGISTRY_CERTIFICATE are missing (npm run keys)".into()),
    }))
}

fn services(read: &Reader<'_>) -> Vec<Service> {
    let services = read.text("SERVICES").unwrap_or_default();
    let parse = |text: &str| {
        let service = Service::parse(text);
        if service.is_none() {
            read.problem(format!("SERVICES: {text:?} is not NAME[@HOST[:PORT]][=x5c|jwks|libtrust|zot]"));
        }
        service
    };
    services.split(',').map(str::trim).filter(|text| !text.is_empty()).filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Config {
        Config::from_env(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn defaults_are_private_and_closed() {
        let empty = config(&[]);
        assert!(!empty.registration_open && empty.private_by_default && empty.anonymous_read);
        assert_eq!(empty.problems, ["TOKEN_KEY is missing", "PASSWORD_PEPPER is missing"]);
        assert!(empty.keys().is_err() && empty.peppers().is_err());
    }

    #[test]
    fn anonymous_read_off_closes_registration() {
        let secrets = [("TOKEN_KEY", "k".repeat(32)), ("PASSWORD_PEPPER", format!("1:{}", "p".repeat(32)))];
        let read = |registration: &str, anonymous: &str| {
            let more = [("REGISTRATION", registration.to_owned()), ("ANONYMOUS_READ", anonymous.to_owned())];
            let pairs = secrets.iter().chain(&more).map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
            let read = config(&pairs);
            (read.anonymous_read, read.contradiction.is_some(), read.problems.len())
        };
        assert_eq!(read("closed", "off"), (false, false, 0));
        assert_eq!(read("open", "on"), (true, false, 0));
        assert_eq!(read("open", ""), (true, false, 0));
        assert_eq!(read("open", "off"), (false, true, 1));
        assert_eq!(read("closed", "no"), (false, false, 1));
    }

    #[test]
    fn proxy_secret_has_a_minimum_length() {
        let secret = "p".repeat(32);
        let proxy = config(&[("PROXY_SECRET", &secret)]);
        assert!(proxy.is_proxy(Some(&secret)));
        for shown in
            [None, Some(""), Some(&secret[1..]), Some(&*format!("{secret}p")), Some(&*secret.replace('p', "q"))]
        {
            assert!(!proxy.is_proxy(shown), "{shown:?}");
        }
        let short = config(&[("PROXY_SECRET", &secret[1..])]);
        assert!(!short.is_proxy(Some(&secret[1..])) && !short.is_proxy(None));
        assert!(short.problems.iter().any(|problem| problem.starts_with("PROXY_SECRET is shorter")));
        assert!(!config(&[]).is_proxy(Some("")) && !config(&[]).is_proxy(None));
    }

    #[test]
    fn bad_values_are_named_and_safe() {
        let key = "k".repeat(32);
        let odd = config(&[
            ("TOKEN_KEY", &key),
            ("PASSWORD_PEPPER", "1:short"),
            ("REGISTRATION", "Open"),
            ("PASSWORD_COST", "m=1"),
            ("PASSWORD_LENGTH", "4"),
            ("ACCESS_TOKEN_MAX_DAYS", "none"),
            ("PUBLIC_URL", "https://hub.example.com\" evil"),
        ]);
        assert!(odd.keys().is_ok() && odd.peppers().is_err());
        assert!(!odd.registration_open);
        assert_eq!(odd.password_cost, Cost::default());
        assert_eq!((odd.password_length, config(&[]).password_length), (12, 5));
        assert_eq!(odd.public_url, None);
        assert_eq!(odd.access_token_age, Some(365 * DAY));
        assert_eq!(odd.problems.len(), 6, "{:?}", odd.problems);
        assert_eq!(
            config(&[("PUBLIC_URL", "https://hub.example.com/")]).public_url.unwrap(),
            "https://hub.example.com"
        );
    }
}
