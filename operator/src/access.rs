//! Why an action is allowed or denied.

use hublet::{
    auth::ReviewSubject,
    domain::{
        RepositoryName,
        access_review::{ANONYMOUS, Action, Reason, ReviewedAction, Source, sentence},
    },
    error::Fault,
    store::{
        FromRow, Query, Row, Statement, access,
        repositories::{self, RepositoryLookup, Subject},
        users,
    },
};

use crate::{Operator, Output, Result, Words, invalid, refused, require, row, words};

/// `why NAME ACTION REPOSITORY`
///
/// The access review of the API, by the same queries and the same function, for who may know everything.
pub async fn why(operator: &Operator, words: &Words) -> Result<Output> {
    let user = words.user_or_anonymous("NAME")?;
    let (action, name) = (words.action("ACTION")?, words.repository("REPOSITORY")?);
    let uuid = operator.flags.token.as_deref();
    if uuid.is_some_and(|uuid| !words::is_uuid(uuid)) {
        return invalid(format!("--token cannot be {}: {}", serde_json::Value::from(uuid), words::A_UUID));
    }
    let username = user.as_ref().map_or("", |user| user.as_str());
    let subject = Subject::of_review(username, operator.config.anonymous_read);
    let lookups = repositories::lookup_many(&[Some(name.clone())], &subject);
    let token = uuid.map(|uuid| access::token(uuid, &subject, &name.namespace));
    let (lookups, found, (token, held_by)) =
        operator.fetch((lookups, users::by_name(username), (token, held_by(username)))).await?;
    let lookup = lookups.into_iter().next().ok_or_else(|| Fault::bug("no row for a lookup"))?.lookup;
    let lookup = lookup.ignoring_pending_deletion();
    if user.is_some() && found.is_none() {
        return refused();
    }
    let token = token.map(require).transpose()?.map(|token| token.token);
    let reviews = ReviewSubject::new(found, token, operator.now).review(&lookup, &name, &[action], true);
    let review = reviews.into_iter().next().ok_or_else(|| Fault::bug("no review"))?;
    if review.allowed {
        return Ok(Output { headline: format!("yes: {}", review.text(username, &name)), ..Output::default() });
    }
    let case = Case { username, name: &name, lookup: &lookup, held_by, review: &review, operator };
    let who = if username.is_empty() { ANONYMOUS } else { username };
    let headline = format!("no: {who} may not {} {name}", action.as_str());
    Ok(Output { headline, rows: case.reasons(), denied: true, ..Output::default() })
}

/// The user whose status counts for another: the owner of the namespace of a service account, and else themselves.
struct HeldBy(String);

impl FromRow for HeldBy {
    fn from_row(row: &mut Row) -> Self {
        Self(row.get("name"))
    }
}

fn held_by(username: &str) -> Query<Option<HeldBy>> {
    let sql = "select coalesce((select o.name from namespaces n join users o on o.id = n.owner_id
         where n.id = u.machine_of and u.status = 'active'), u.name) name
       from users u where u.name = ?1";
    Query::optional(Statement::new(sql).bind(username))
}

/// An action that is denied.
struct Case<'a> {
    username: &'a str,
    name: &'a RepositoryName,
    lookup: &'a RepositoryLookup,
    held_by: Option<HeldBy>,
    review: &'a ReviewedAction,
    operator: &'a Operator,
}

impl Case<'_> {
    /// A row for each reason, with the command that removes it, where there is one.
    fn reasons(&self) -> Vec<Row> {
        let who = if self.username.is_empty() { ANONYMOUS } else { self.username };
        let reasons = self.review.reasons.iter();
        let known = reasons.clone().any(|reason| *reason == Reason::NamespaceMissing);
        // A role is given in a namespace that exists.
        let first = (self.lookup.namespace_id.is_none() && !known && !self.username.is_empty())
            .then_some(&Reason::NamespaceMissing);
        let line = |reason: &Reason| {
            let command = self.command(reason).map(|command| format!("npm run admin -- {command}"));
            row([("because", sentence(reason, who, self.name).into()), ("command", command.unwrap_or_default().into())])
        };
        first.into_iter().chain(reasons).map(line).collect()
    }

    fn command(&self, reason: &Reason) -> Option<String> {
        let (user, name, namespace) = (self.username, self.name, &self.name.namespace);
        let role = self.review.action.role();
        let scope = match self.review.action {
            Action::Pull => "repo:read",
            Action::Push => "repo:write",
            Action::Delete => "repo:admin",
        };
        let repository = self.lookup.repository.as_ref();
        match reason {
            Reason::Account => self.held_by.as_ref().map(|HeldBy(name)| format!("enable {name}")),
            Reason::NamespaceMissing => Some(format!("namespace {namespace}")),
            Reason::Credentials | Reason::Scopes { .. } => Some(format!("token {user} --scope {scope}")),
            Reason::Resources { .. } => Some(format!("token {user} --scope {scope} --resource {name}")),
            // What removes it is the command for the role.
            Reason::Library | Reason::Anonymous => None,
            Reason::NotVisible if user.is_empty() => {
                let readable = self.operator.config.anonymous_read && self.review.action == Action::Pull;
                repository.filter(|_| readable).map(|_| format!("privacy {name} public"))
            }
            Reason::Role { .. } if user.is_empty() => None,
            Reason::Role { from: Source::Member, .. } => Some(format!("member {namespace} {user} {}", role.as_str())),
            Reason::Role { .. } | Reason::NotVisible if repository.is_some() => {
                Some(format!("collaborator {name} {user} {}", role.as_str()))
            }
            Reason::Role { .. } | Reason::NotVisible => Some(format!("member {namespace} {user} {}", role.as_str())),
        }
    }
}
