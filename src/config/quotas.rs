//! How many of each thing there may be: a setting each.

use crate::config::reader::Reader;

/// The maximum of each thing; each field is the setting of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// `ACCESS_TOKENS` of a user.
    pub access_tokens: i64,
    /// `REFRESH_TOKENS` of a user; a new one replaces the least recently used.
    pub refresh_tokens: i64,
    /// `MACHINES` of a namespace: each takes a name that a user could have.
    pub machines: i64,
    /// `REPOSITORIES` of a namespace.
    pub repositories: i64,
    /// `EMAILS` of a user: each is sent a mail.
    pub emails: i64,
    /// `MAILS` with a link of one kind that a user is sent while the links are valid.
    pub mails: i64,
    /// `MAILS_PER_ADDRESS` that one client address may ask for in an hour.
    pub mails_per_address: HourlyQuota,
    /// `REGISTRATIONS` in an hour.
    pub registrations: HourlyQuota,
    /// `REGISTRATIONS_PER_ADDRESS` in an hour.
    pub registrations_per_address: HourlyQuota,
}

/// A number per hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HourlyQuota {
    pub(super) set: Option<i64>,
    pub(super) default: i64,
}

impl HourlyQuota {
    /// A number that is never reached.
    pub const UNLIMITED: i64 = 1 << 50;

    /// The quota of a request: on a loopback address it is unlimited unless the operator set it.
    #[must_use]
    pub fn at(self, loopback: bool) -> i64 {
        self.set.unwrap_or(if loopback { Self::UNLIMITED } else { self.default })
    }
}

impl Quotas {
    /// Reads every quota.
    pub(super) fn from_env(read: &Reader<'_>) -> Self {
        Self {
            access_tokens: read.number("ACCESS_TOKENS"),
            refresh_tokens: read.number("REFRESH_TOKENS"),
            machines: read.number("MACHINES"),
            repositories: read.number("REPOSITORIES"),
            emails: read.number("EMAILS"),
            mails: read.number("MAILS"),
            mails_per_address: read.per_hour("MAILS_PER_ADDRESS"),
            registrations: read.per_hour("REGISTRATIONS"),
            registrations_per_address: read.per_hour("REGISTRATIONS_PER_ADDRESS"),
        }
    }
}
