//! How much there may be of what somebody could make without end: a var each.

/// The most of each thing; each field is the var of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// `ACCESS_TOKENS` of a user.
    pub access_tokens: i64,
    /// `REFRESH_TOKENS` of a user; the least used goes.
    pub refresh_tokens: i64,
    /// `MACHINES` of a namespace: each takes a name that a user could have.
    pub machines: i64,
    /// `REPOSITORIES` of a namespace.
    pub repositories: i64,
    /// `EMAILS` of a user: each is sent a mail.
    pub emails: i64,
    /// `MAILS` with a link of one kind that one user is sent, as long as it is good.
    pub mails: i64,
    /// `MAILS_PER_ADDRESS` that one address may ask for in an hour.
    pub mails_per_address: Hourly,
    /// `REGISTRATIONS` in an hour.
    pub registrations: Hourly,
    /// `REGISTRATIONS_PER_ADDRESS` in an hour.
    pub registrations_per_address: Hourly,
}

/// So many in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hourly {
    set: Option<i64>,
    usual: i64,
}

/// What nobody reaches.
const ENDLESS: i64 = 1 << 50;

impl Hourly {
    /// How many where the index is reached: on this machine itself as many as anybody likes, unless the
    /// operator says otherwise.
    #[must_use]
    pub fn at(self, loopback: bool) -> i64 {
        self.set.unwrap_or(if loopback { ENDLESS } else { self.usual })
    }
}

impl Most {
    /// Reads each by its name; what is no number is as usual.
    pub(super) fn read(text: impl Fn(&str) -> Option<String>) -> Self {
        let set =
            |name: &str, most: i64| text(name).and_then(|value| value.parse::<i64>().ok()).map(|n| n.clamp(0, most));
        let hourly = |name: &str, usual: i64| Hourly { set: set(name, ENDLESS), usual };
        // What is counted is read, so there is an end to what may be set.
        let number = |name: &str, usual: i64| set(name, 100_000).unwrap_or(usual);
        Self {
            access_tokens: number("ACCESS_TOKENS", 250),
            refresh_tokens: number("REFRESH_TOKENS", 50).max(1),
            machines: number("MACHINES", 100),
            repositories: number("REPOSITORIES", 1_000),
            emails: number("EMAILS", 10),
            mails: number("MAILS", 3),
            mails_per_address: hourly("MAILS_PER_ADDRESS", 10),
            registrations: hourly("REGISTRATIONS", 100),
            registrations_per_address: hourly("REGISTRATIONS_PER_ADDRESS", 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_counts_everywhere_and_what_is_usual_elsewhere() {
        let usual = Most::read(|_| None);
        assert_eq!((usual.registrations.at(false), usual.registrations.at(true)), (100, ENDLESS));
        let set = Most::read(|name| (name == "REGISTRATIONS").then(|| "7".to_owned()));
        assert_eq!((set.registrations.at(false), set.registrations.at(true)), (7, 7));
        let odd = Most::read(|_| Some("many".to_owned()));
        assert_eq!(odd, usual);
        assert_eq!(Most::read(|_| Some("-1".to_owned())).repositories, 0);
    }
}
