//! Every setting of the operator: its name, what it may be, what it is if unset, and what it means. The manual's page
//! `docs/configuration.md` is generated from this table, and [`super::Reader`] names a bad value by it.

/// A var of `wrangler.toml`, or a secret.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub values: Values,
    /// What it means, for the manual.
    pub meaning: &'static str,
}

/// What a setting may be.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// One of two words.
    Choice {
        /// The one that counts if the setting is unset.
        default: &'static str,
        /// The other one.
        other: &'static str,
        /// The one that counts in place of a value that is neither.
        invalid: &'static str,
    },
    /// A whole number.
    Number {
        /// The one that counts if the setting is unset, and in place of a value that is no number.
        default: i64,
        /// Bounds, which count in place of a number beyond them.
        min: i64,
        /// See `min`.
        max: i64,
    },
    /// A whole number that stands in place of a rule if it is set.
    OptionalNumber {
        /// What holds if it is unset.
        unset: &'static str,
        /// Bounds.
        min: i64,
        /// See `min`.
        max: i64,
        /// The one that counts in place of a value that is no number within the bounds.
        invalid: i64,
    },
    /// A number per hour; unlimited on a loopback address unless it is set.
    PerHour {
        /// The one that counts elsewhere if the setting is unset, and in place of a value that is no number.
        default: i64,
    },
    /// A text.
    Text {
        /// What counts if it is unset.
        default: &'static str,
        /// Its form.
        form: &'static str,
    },
    /// A secret, which `npm run deploy`, `npm run keys` or the operator uploads.
    Secret {
        /// Its form.
        form: &'static str,
    },
}

const fn choice(default: &'static str, other: &'static str, invalid: &'static str) -> Values {
    Values::Choice { default, other, invalid }
}

const fn number(default: i64, min: i64, max: i64) -> Values {
    Values::Number { default, min, max }
}

const fn text(default: &'static str, form: &'static str) -> Values {
    Values::Text { default, form }
}

const fn secret(form: &'static str) -> Values {
    Values::Secret { form }
}

const fn setting(name: &'static str, values: Values, meaning: &'static str) -> Setting {
    Setting { name, values, meaning }
}

/// The largest quota: what a quota counts is read, so that there must be an end to it.
const MAX_QUOTA: i64 = 100_000;

/// Ten years.
const MAX_DAYS: i64 = 3_650;

/// All settings, under the headings of the manual.
pub const SETTINGS: [(&str, &[Setting]); 7] = [
    (
        "Addresses",
        &[
            setting(
                "PUBLIC_URL",
                text("", "`https://host`, or `http://` on a loopback address"),
                "Where clients reach hublet: challenges and mailed links are made of it. Unset, only requests to a \
                 loopback address are answered.",
            ),
            setting(
                "REGISTRY",
                text("the host of the request", "`host[:port]`"),
                "The v1 registry that holds the images (`X-Docker-Endpoints`).",
            ),
            setting(
                "SERVICES",
                text("none", "`NAME[@HOST[:PORT]][=x5c|jwks|libtrust|zot]`, separated by commas"),
                "The registries that take hublet's tokens. `HOST` is where their clients reach them; hublet never \
                 connects to it.",
            ),
            setting(
                "PAGES",
                choice("on", "off", "off"),
                "Whether there are pages, beside those that mailed links lead to.",
            ),
            setting("SITE_NAME", text("hublet", "any text"), "The name of this index, on every page."),
            setting("ISSUER", text("hublet", "any text"), "The issuer (`iss`) of registry tokens."),
            setting(
                "MAIL_FROM",
                text("none", "an e-mail address"),
                "The sender of mail. Needs the binding `MAIL` and `PUBLIC_URL`.",
            ),
        ],
    ),
    (
        "Access",
        &[
            setting(
                "REGISTRATION",
                choice("closed", "open", "closed"),
                "Whether anyone may register, or only the operator adds users.",
            ),
            setting("VISIBILITY", choice("private", "public", "private"), "What a new repository is."),
            setting(
                "ANONYMOUS_READ",
                choice("on", "off", "off"),
                "Whether anonymous requests may read public repositories. Off, all users who are signed in may. Never \
                 off together with `REGISTRATION = \"open\"`: every request is then answered with 503.",
            ),
        ],
    ),
    (
        "Passwords",
        &[
            setting(
                "PASSWORD_LENGTH",
                Values::OptionalNumber { unset: "5, as on Docker Hub", min: 5, max: 128, invalid: 12 },
                "Characters that a new password has at least. Older ones stay valid.",
            ),
            setting(
                "PASSWORD_COST",
                text(
                    "m=19456,t=2,p=1",
                    "`m=KiB,t=passes,p=lanes`: at most 65,536 KiB, 10 passes, 4 lanes; at least 8 KiB per lane",
                ),
                "The cost of Argon2id. A login rehashes an older hash at this cost.",
            ),
        ],
    ),
    (
        "Lifetimes",
        &[
            setting(
                "REGISTRY_TOKEN_SECONDS",
                number(300, 60, 3_600),
                "Seconds that a registry token is valid: for so long a registry does not see that access was revoked.",
            ),
            setting(
                "ACCESS_TOKEN_MAX_DAYS",
                Values::OptionalNumber {
                    unset: "none: a user's access token expires after 365 days unless asked otherwise, a service \
                            account's never unless asked",
                    min: 1,
                    max: 36_500,
                    invalid: 365,
                },
                "Days that a new access token is valid at most.",
            ),
            setting(
                "REFRESH_UNUSED_DAYS",
                number(90, 1, MAX_DAYS),
                "Days after which a refresh token (a `docker login`) expires if it is not used.",
            ),
            setting("REFRESH_DAYS", number(365, 1, MAX_DAYS), "Days after which a refresh token expires in any case."),
            setting("AUDIT_DAYS", number(90, 1, MAX_DAYS), "Days that the audit log is kept."),
        ],
    ),
    (
        "Quotas",
        &[
            setting(
                "REPOSITORIES",
                number(1_000, 0, MAX_QUOTA),
                "Repositories of a namespace, those with a pending deletion too (403 beyond).",
            ),
            setting("MACHINES", number(100, 0, MAX_QUOTA), "Service accounts of a namespace (403 beyond)."),
            setting("ACCESS_TOKENS", number(250, 0, MAX_QUOTA), "Access tokens of a user (400 beyond)."),
            setting(
                "REFRESH_TOKENS",
                number(50, 1, MAX_QUOTA),
                "Refresh tokens of a user: a new one replaces the least recently used.",
            ),
            setting("EMAILS", number(10, 0, MAX_QUOTA), "E-mail addresses of a user (403 beyond)."),
            setting(
                "MAILS",
                number(3, 0, MAX_QUOTA),
                "Mailed links of one kind that a user has at a time; no more are sent, and the response is the same.",
            ),
            setting(
                "MAILS_PER_ADDRESS",
                Values::PerHour { default: 10 },
                "Mailed links that one client address may ask for (429 beyond).",
            ),
            setting("REGISTRATIONS", Values::PerHour { default: 100 }, "Registrations (429 beyond)."),
            setting(
                "REGISTRATIONS_PER_ADDRESS",
                Values::PerHour { default: 10 },
                "Registrations from one client address (429 beyond).",
            ),
        ],
    ),
    (
        "Performance",
        &[
            setting(
                "READS",
                choice("primary", "nearest", "primary"),
                "Where reads of D1 go. `nearest` is faster far from the primary database, and late by a replica's lag.",
            ),
            setting(
                "SEARCH_CACHE",
                number(60, 0, 86_400),
                "Seconds that the cached result of an anonymous search is used; 0 caches none.",
            ),
            setting(
                "DATABASE_TIMEOUT",
                number(10_000, 50, 30_000),
                "Milliseconds after which a query is given up with 503.",
            ),
        ],
    ),
    (
        "Secrets",
        &[
            setting(
                "TOKEN_KEY",
                secret("keys of 32 bytes or more, separated by commas; the first signs, all verify"),
                "Signs repository tokens, session tokens and mailed links; the last key makes the event secrets.",
            ),
            setting(
                "PASSWORD_PEPPER",
                secret(
                    "`id:value`, separated by commas, with an id of up to 8 characters and a value of 32 bytes or \
                     more; the first hashes, all verify",
                ),
                "A secret input of every password hash.",
            ),
            setting(
                "REGISTRY_KEY",
                secret("a P-256 key, PKCS#8 in PEM"),
                "Signs registry tokens. Without it hublet issues none.",
            ),
            setting(
                "REGISTRY_CERTIFICATE",
                secret("certificates in PEM: the key's own, its CA's, then earlier ones, whose tokens stay valid"),
                "Identifies the key that signs, for registries.",
            ),
            setting(
                "PROXY_SECRET",
                secret("32 bytes or more"),
                "What the operator's own proxy sends, so that the client address in its header is believed.",
            ),
        ],
    ),
];
