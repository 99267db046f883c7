//! Moving in: a plan from the files of another system, what it changes here, and how both differ.
//!
//! Rules are evaluated and not translated: of each user, repository and action it is asked whether the other system allows it.

mod actions;
mod apply;
mod docker_auth;
mod fit;
mod granted;
mod htpasswd;
mod patterns;
mod plan;
mod present;
mod source;
mod zot;

use std::collections::BTreeMap;

use hublet::store::Row;
use serde::Deserialize;

use crate::{Failure, Operator, Output, Result, invalid, row};

pub use actions::Actions;
pub use apply::{Change, Changes, MAX_CHANGES, changes, step};
pub use granted::{Differences, Granted, Grants};
pub use plan::{Plan, User};
pub use source::Refused;

/// What a plan is made of.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Files {
    /// `htpasswd`, `docker_auth` or `zot`.
    pub source: String,
    /// The text of a file of passwords.
    pub htpasswd: String,
    /// A configuration.
    pub config: serde_json::Value,
    /// The repositories of the registry.
    pub repositories: Vec<String>,
    /// Whether users who may delete become admins.
    pub delete: bool,
    /// Names of users there, and those here.
    pub renamed: BTreeMap<String, String>,
}

/// Makes a plan.
pub fn plan(files: &Files) -> Result<Plan> {
    let choices = fit::Choices { admins: files.delete, renamed: files.renamed.clone() };
    let (users, mut refused) = htpasswd::read(&files.htpasswd);
    let (mut rules, mut accounts): (Box<dyn source::Rules>, _) = match files.source.as_str() {
        "htpasswd" => (Box::new(source::Everything), source::Accounts::default()),
        "docker_auth" => {
            let (rules, accounts) = docker_auth::DockerAuth::read(&files.config).map_err(Failure::Invalid)?;
            (Box::new(rules), accounts)
        }
        "zot" => {
            let (rules, accounts) = zot::Zot::read(&files.config).map_err(Failure::Invalid)?;
            (Box::new(rules), accounts)
        }
        other => {
            let other = serde_json::Value::from(other);
            return invalid(format!("a plan is made of htpasswd, docker_auth or zot, not of {other}"));
        }
    };
    accounts.users.extend(users);
    accounts.refused.append(&mut refused);
    let is_user = |name: &String| accounts.users.iter().any(|user| user.name == *name);
    if let Some(name) = files.renamed.keys().find(|name| !is_user(name)) {
        return invalid(format!("--rename: there is no user {name}"));
    }
    Ok(fit::make(&files.source, &mut *rules, accounts, &files.repositories, &choices))
}

/// What a plan has, for people; the table has who would gain and lose on an index with nothing else.
#[must_use]
pub fn summary(plan: &Plan) -> Output {
    let count = |number: usize, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
    let by_link = plan.users.iter().filter(|user| user.bcrypt.is_none()).count();
    let headline = [
        count(plan.users.len(), "user", "users"),
        count(plan.namespaces.len(), "namespace", "namespaces"),
        count(plan.repositories.len(), "repository", "repositories"),
        count(plan.members.len(), "member", "members"),
        count(plan.collaborators.len(), "collaborator", "collaborators"),
        format!("{} public", plan.public.len()),
    ];
    let mut notes = Vec::new();
    let list = |title: &str, lines: Vec<String>| match lines.len() {
        0 => None,
        number => Some(format!("{title} ({number}):\n  {}", lines.join("\n  "))),
    };
    let renamed = plan.users.iter().filter(|user| !user.source.is_empty() && user.source != user.name);
    notes.extend(list(
        "Names that change",
        renamed.map(|user| format!("{} becomes {}", user.source, user.name)).collect(),
    ));
    if by_link > 0 {
        let users = plan.users.iter().filter(|user| user.bcrypt.is_none());
        notes.extend(list(
            "By a link, since the hash of the password is not bcrypt of a cost from 4 to 10",
            users.map(|user| user.name.clone()).collect(),
        ));
    }
    notes
        .extend(list("Not imported", plan.refused.iter().map(|one| format!("{}: {}", one.what, one.reason)).collect()));
    notes.extend(list("Otherwise than before", plan.notes.clone()));
    notes.push(
        "A push makes no namespace: into one that is neither here nor in the plan, pushes are refused from then on."
            .to_owned(),
    );
    let Differences { gains, losses } = plan.granted().differences(&plan.gives());
    Output { headline: headline.join(", "), rows: table(gains, losses), notes, ..Output::default() }
}

/// Gains and losses as one table.
fn table(gains: Vec<Row>, losses: Vec<Row>) -> Vec<Row> {
    let marked = |change: &'static str| {
        move |row: Row| {
            let change = ("change".to_owned(), change.into());
            Row::new(std::iter::once(change).chain(row.into_columns()).collect())
        }
    };
    gains.into_iter().map(marked("gains")).chain(losses.into_iter().map(marked("loses"))).collect()
}

/// How the index differs from what the other system allows; denied where a user gains.
pub async fn compare(operator: &Operator, plan: &Plan) -> Result<Output> {
    let present = present::Present::read(operator, plan).await?;
    let gives = present.gives(plan, operator.config.anonymous_read);
    Ok(compared(&plan.granted(), &gives))
}

/// How two systems differ, where both were asked.
#[must_use]
pub fn compared(before: &Granted, after: &Granted) -> Output {
    let Differences { gains, losses } = before.differences(after);
    let denied = !gains.is_empty();
    let headline = match (gains.is_empty(), losses.is_empty()) {
        (true, true) => "every user may do what they could before, and no more",
        (true, false) => "no user gains",
        (false, _) => "users gain",
    };
    Output { headline: headline.to_owned(), rows: table(gains, losses), denied, ..Output::default() }
}

/// What two systems answered of the same repositories.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Lists {
    /// Those who were asked for; the user without a name is a request without credentials.
    pub users: Vec<String>,
    /// The repositories.
    pub repositories: Vec<String>,
    /// What the one system grants.
    pub before: Vec<Grants>,
    /// What the other grants.
    pub after: Vec<Grants>,
}

/// How they differ.
#[must_use]
pub fn differences(lists: &Lists) -> Output {
    let users = || lists.users.iter().map(String::as_str);
    let read = |grants: &[Grants]| Granted::read(&lists.repositories, users(), grants);
    compared(&read(&lists.before), &read(&lists.after))
}

/// What `apply` would write, for people.
#[must_use]
pub fn in_words(changes: &Changes) -> Output {
    let rows = changes.changes.iter().map(|change| row([("change", change.to_string().into())])).collect();
    let refused = changes.refused.iter().map(|one| format!("{}: {}", one.what, one.reason));
    let headline = format!("{} to write, {} there already", changes.changes.len(), changes.there);
    Output { headline, rows, notes: refused.collect(), denied: !changes.refused.is_empty(), ..Output::default() }
}
