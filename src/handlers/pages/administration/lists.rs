//! The lists of users and of namespaces, and the quotas with what of them is used, as far as an index of the database
//! answers that.

use maud::{Markup, html};

use crate::{
    config::Quotas,
    context::Context,
    domain::{texts, throttle::FAILURE_TTL},
    handlers::pages,
    store::{
        administration::{NamespaceLine, UserLine},
        rate_counters::RateCount,
    },
    wire::html::{encoded, neighbours},
};

/// Up to which number is counted what is in a namespace.
pub const MAX_COUNTED: i64 = 1_000;

/// A page of a list at a path.
pub struct List<'a> {
    /// The path.
    pub path: &'a str,
    /// How the names begin.
    pub beginning: &'a str,
    /// Which page, from 1.
    pub number: i64,
}

impl List<'_> {
    /// Users, of whom there is one more than is listed, if there is another page.
    pub fn users(&self, mut users: Vec<UserLine>) -> Markup {
        let more = pages::cut(&mut users);
        let rows = html! {
            @for user in &users {
                tr {
                    (link(self.path, &user.name))
                    (cells(&[&user.kind, &user.status, &user.rights, &texts::line(&user.emails)]))
                }
            }
        };
        self.table(&["Name", "Kind", "State", "Rights", "Addresses"], &rows, more)
    }

    /// The same of namespaces.
    pub fn namespaces(&self, quotas: &Quotas, mut namespaces: Vec<NamespaceLine>) -> Markup {
        let more = pages::cut(&mut namespaces);
        let used = |count: i64, most: i64| {
            let or_more = if count == MAX_COUNTED { " or more" } else { "" };
            format!("{count}{or_more} of {most}")
        };
        let rows = html! {
            @for namespace in &namespaces {
                @let (machines, repositories) = (used(namespace.machines, quotas.machines), used(namespace.repositories, quotas.repositories));
                tr {
                    (link("/r", &namespace.name))
                    (cells(&[&namespace.owner, &namespace.members.to_string(), &machines, &repositories]))
                }
            }
        };
        self.table(&["Name", "Owner", "Members", "Service accounts", "Repositories"], &rows, more)
    }

    fn table(&self, heads: &[&str], rows: &Markup, more: bool) -> Markup {
        html! {
            form.filter {
                label { "Name begins with " input name="name" value=(self.beginning) maxlength="254" autocapitalize="none" autocomplete="off"; }
                button { "Find" }
            }
            (table(heads, rows))
            (neighbours(&format!("{}?name={}&", self.path, encoded(self.beginning)), self.number, more))
        }
    }
}

/// The quotas.
pub fn limits(ctx: &Context, registrations: &[RateCount]) -> Markup {
    let current = registrations.iter().find(|count| count.last_at + FAILURE_TTL > ctx.platform.now());
    let registered = format!("{} in this hour", current.map_or(0, |count| count.count));
    let (quotas, user, namespace) = (&ctx.config.quotas, "on the page of a user", "in the list of namespaces");
    let limits = [
        ("ACCESS_TOKENS of a user", quotas.access_tokens, user),
        ("REFRESH_TOKENS of a user", quotas.refresh_tokens, user),
        ("EMAILS of a user", quotas.emails, user),
        ("MACHINES of a namespace", quotas.machines, namespace),
        ("REPOSITORIES of a namespace", quotas.repositories, namespace),
        ("REGISTRATIONS in an hour", quotas.registrations.at(false), registered.as_str()),
        ("REGISTRATIONS_PER_ADDRESS in an hour", quotas.registrations_per_address.at(false), ""),
        ("MAILS of a kind to a user", quotas.mails, ""),
        ("MAILS_PER_ADDRESS in an hour", quotas.mails_per_address.at(false), ""),
    ];
    let rows = html! {
        @for (what, most, used) in &limits { tr { th scope="row" { (what) } (cells(&[&most.to_string(), used])) } }
    };
    html! {
        p { "Each is a setting in wrangler.toml. Beyond it a request is refused." }
        (table(&["Setting", "At most", "Used"], &rows))
    }
}

fn table(heads: &[&str], rows: &Markup) -> Markup {
    html! {
        div {
            table {
                caption { "By name" }
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { (rows) }
            }
        }
    }
}

fn link(path: &str, name: &str) -> Markup {
    html! { th scope="row" { a href={ (path) "/" (name) } { (name) } } }
}

fn cells(cells: &[&str]) -> Markup {
    html! { @for cell in cells { td { (cell) } } }
}
