//! Why an action is allowed or denied.

use hublet::{
    auth::ReviewSubject,
    domain::{
        NamespaceName, RepositoryName,
        access_review::{ANONYMOUS, Action, Reason, ReviewedAction, Source, sentence},
        ends::DAY,
        token_restrictions::{Resource, TokenRestrictions, TokenScope},
    },
    error::Fault,
    store::{
        FromRow, Query, Row, Statement, access,
        repositories::{self, RepositoryLookup, Subject},
        users,
    },
};

use crate::{Operator, Output, Result, Words, invalid, names, refuse, row, words};

/// `why NAME ACTION REPOSITORY`
///
/// The access review of the API, by the same queries and the same function, for who may know everything.
pub async fn why(operator: &Operator, words: &Words) -> Result<Output> {
    let user = words.user_or_anonymous("NAME")?;
    let (action, name) = (words.action("ACTION")?, words.repository("REPOSITORY")?);
    if NamespaceName::parse(&name.namespace).is_none() {
        // No client of a registry sends one, and no namespace can have it.
        let lower = name.to_string().to_lowercase();
        return invalid(format!(
            "there can be no namespace {}: names are in lower case, such as {lower}",
            name.namespace
        ));
    }
    let uuid = operator.flags.token.as_deref();
    if uuid.is_some_and(|uuid| !words::is_uuid(uuid)) {
        return invalid(format!("--token cannot be {}: {}", serde_json::Value::from(uuid), words::A_UUID));
    }
    let username = user.as_ref().map_or("", |user| user.as_str());
    let subject = Subject::of_review(username, operator.config.anonymous_read);
    let who = if username.is_empty() { ANONYMOUS } else { username };
    let subject_of_no = if username.is_empty() { "a request without credentials" } else { username };
    let lookups = repositories::lookup_many(&[Some(name.clone())], &subject);
    let token = uuid.map(|uuid| access::token(uuid, &subject, &name.namespace));
    let limits = uuid.map(limits);
    let (lookups, found, (token, held_by, limits)) =
        operator.fetch((lookups, users::by_name(username), (token, held_by(username), limits))).await?;
    let lookup = lookups.into_iter().next().ok_or_else(|| Fault::bug("no row for a lookup"))?.lookup;
    let pending_deletion = lookup.pending_deletion().is_some();
    let lookup = lookup.ignoring_pending_deletion();
    if user.is_some() && found.is_none() {
        return refuse(format!("there is no user {username}."));
    }
    let token = match (token, uuid) {
        (Some(None), Some(uuid)) => return refuse(format!("{who} has no access token {uuid}.")),
        (token, _) => token.flatten().map(|token| token.token),
    };
    let reviews = ReviewSubject::new(found, token, operator.now).review(&lookup, &name, &[action], true);
    let review = reviews.into_iter().next().ok_or_else(|| Fault::bug("no review"))?;
    let case = Case {
        username,
        who,
        name: &name,
        lookup: &lookup,
        pending_deletion,
        held_by,
        limits: limits.flatten(),
        review: &review,
        operator,
    };
    if review.allowed {
        let headline = format!("yes: {}", review.text(username, &name));
        let missing = lookup.repository.is_none().then(|| format!("But {}.", case.missing()));
        return Ok(Output { headline, notes: missing.into_iter().collect(), ..Output::default() });
    }
    let headline = format!("no: {subject_of_no} may not {} {name}", action.as_str());
    Ok(Output { headline, rows: case.reasons(), denied: true, ..Output::default() })
}

/// The most rows of `refusals`.
const MAX_REFUSALS: usize = 1_000;

/// `refusals [NAMESPACE]`
///
/// Of a user and a repository only one reason is recorded at a time, and `why` has all of them.
pub async fn refusals(operator: &Operator, words: &Words) -> Result<Output> {
    let namespace = words.maybe_namespace("NAMESPACE")?;
    if let Some(namespace) = &namespace {
        names::require_namespace(operator, namespace.as_str()).await?;
    }
    let sql = "select strftime('%Y-%m-%dT%H:%M:%SZ', f.last_at, 'unixepoch') as last, f.count as times,
         iif(f.username = '', 'anonymous', f.username) as user, f.actions, n.name || '/' || f.repository as repository,
         f.reason, f.address,
         'npm run admin -- why ' || iif(f.username = '', 'anonymous', f.username)
           || iif(instr(f.actions, 'push'), ' push ', ' pull ') || n.name || '/' || f.repository as command
       from refusals f join namespaces n on n.id = f.namespace_id
       where ?1 is null or n.name = ?1
       order by f.last_at desc, repository, user, f.reason limit ?2";
    let limit = i64::try_from(MAX_REFUSALS).unwrap_or(i64::MAX);
    let statement = Statement::new(sql).bind(namespace.as_ref().map(NamespaceName::as_str)).bind(limit);
    let rows = operator.rows(statement).await?;
    let notes = (rows.len() == MAX_REFUSALS).then(|| format!("These are the last {MAX_REFUSALS}."));
    Ok(Output { rows, notes: notes.into_iter().collect(), ..Output::default() })
}

/// The user whose status counts for another: the owner of the namespace of a service account, and else themselves.
struct HeldBy {
    name: String,
    status: String,
}

impl FromRow for HeldBy {
    fn from_row(row: &mut Row) -> Self {
        Self { name: row.get("name"), status: row.get("status") }
    }
}

fn held_by(username: &str) -> Query<Option<HeldBy>> {
    let sql = "select coalesce(o.name, u.name) name, coalesce(o.status, u.status) status
       from users u left join namespaces n on n.id = u.machine_of and u.status = 'active'
       left join users o on o.id = n.owner_id where u.name = ?1";
    Query::optional(Statement::new(sql).bind(username))
}

/// The limits of an access token, as another one is given them.
struct Limits {
    restrictions: TokenRestrictions,
    is_active: bool,
    expires_text: Option<String>,
    /// How long it is valid, in seconds.
    age: Option<i64>,
}

impl FromRow for Limits {
    fn from_row(row: &mut Row) -> Self {
        let (scopes, resources) = (row.get::<String>("scopes"), row.get::<Option<String>>("resources"));
        Self {
            restrictions: TokenRestrictions::stored(&scopes, resources.as_deref()),
            is_active: row.get("is_active"),
            expires_text: row.get("expires_text"),
            age: row.get("age"),
        }
    }
}

fn limits(uuid: &str) -> Query<Option<Limits>> {
    let sql =
        "select scopes, resources, is_active, strftime('%Y-%m-%dT%H:%M:%SZ', expires_at, 'unixepoch') expires_text,
         expires_at - ifnull(renewed_at, created_at) age
       from access_tokens where uuid = ?1";
    Query::optional(Statement::new(sql).bind(uuid))
}

/// An action, and all that is known of it.
struct Case<'a> {
    username: &'a str,
    /// The subject of a sentence.
    who: &'a str,
    name: &'a RepositoryName,
    /// As if what is pending deletion did not exist.
    lookup: &'a RepositoryLookup,
    pending_deletion: bool,
    held_by: Option<HeldBy>,
    /// Of the access token, where there is one.
    limits: Option<Limits>,
    review: &'a ReviewedAction,
    operator: &'a Operator,
}

impl Case<'_> {
    /// A row for each reason, with the command that removes it, where there is one.
    fn reasons(&self) -> Vec<Row> {
        let reasons = self.review.reasons.iter();
        let known = reasons.clone().any(|reason| *reason == Reason::NamespaceMissing);
        // A role is given in a namespace that exists.
        let first = (self.lookup.namespace_id.is_none() && !known && !self.username.is_empty())
            .then_some(&Reason::NamespaceMissing);
        let line = |reason: &Reason| {
            let command = self.command(reason).map(|command| format!("npm run admin -- {command}"));
            row([("because", self.sentence(reason).into()), ("command", command.unwrap_or_default().into())])
        };
        first.into_iter().chain(reasons).map(line).collect()
    }

    /// Why there is no such repository.
    fn missing(&self) -> String {
        let name = self.name;
        if self.pending_deletion {
            format!("{name} is pending deletion")
        } else {
            format!("there is no repository {name}")
        }
    }

    /// A reason in words. Users are not to learn what exists, and the operator is.
    fn sentence(&self, reason: &Reason) -> String {
        let Self { name, who, .. } = self;
        match (reason, &self.lookup.repository) {
            (Reason::NotVisible, Some(repository)) if self.username.is_empty() => {
                let public = format!("{name} is public, and ANONYMOUS_READ is off");
                if repository.private { format!("{name} is private") } else { public }
            }
            (Reason::NotVisible, Some(_)) => {
                format!("{name} is private, and {who} has no role in it or in {}", name.namespace)
            }
            (Reason::NotVisible, None) if self.username.is_empty() => self.missing(),
            // The reason before it has that there is no namespace.
            (Reason::NotVisible, None) if self.lookup.namespace_id.is_none() => {
                format!("{who} has no role in {}", name.namespace)
            }
            (Reason::NotVisible, None) => format!("{}, and {who} has no role in {}", self.missing(), name.namespace),
            (Reason::Account, _) => self.held_by.as_ref().map_or_else(
                || sentence(reason, who, name),
                |held_by| match held_by {
                    HeldBy { name, status } if name == who => format!("{name} is {status}"),
                    HeldBy { name, status } => format!("{who} is a service account of {name}, and {name} is {status}"),
                },
            ),
            (Reason::Credentials, _) => match &self.limits {
                Some(limits) if !limits.is_active => "the access token is deactivated".to_owned(),
                Some(Limits { expires_text: Some(end), .. }) => format!("the access token has expired at {end}"),
                _ => sentence(reason, who, name),
            },
            _ => sentence(reason, who, name),
        }
    }

    /// The command for another access token that allows the action and nothing else that this one does not. It has the
    /// resources of this one too, so that it may replace it; unless the scope is wider, which would then count in all of
    /// them. None where resources have scopes of their own, which the command cannot give.
    fn replacement(&self, scope: TokenScope) -> Option<String> {
        let Limits { restrictions, age, .. } = self.limits.as_ref()?;
        let stands = |code: &str| self.review.reasons.iter().any(|reason| reason.code() == code);
        let (lacks_scope, lacks_resource) = (stands("scopes"), stands("resources"));
        let scopes = if lacks_scope { vec![scope] } else { restrictions.scopes.clone() };
        let mut words = vec![format!("token {}", self.username)];
        for scope in scopes {
            words.push(format!("--scope {}", scope.as_str()));
        }
        let kept = restrictions.resources.iter().flatten().filter(|_| !(lacks_scope && lacks_resource));
        for Resource { path, scopes } in kept {
            if !scopes.is_empty() {
                return None;
            }
            // A shell would replace the stars.
            words.push(if path.contains('*') { format!("--resource '{path}'") } else { format!("--resource {path}") });
        }
        if lacks_resource {
            words.push(format!("--resource {}", self.name));
        }
        // Never longer than is allowed today; a day is the least that can be asked for.
        let days = age.map(|age| self.operator.config.access_token_age.map_or(age, |most| age.min(most)) / DAY);
        words.extend(days.map(|days| format!("--days {}", days.max(1))));
        Some(words.join(" "))
    }

    fn command(&self, reason: &Reason) -> Option<String> {
        let (user, name, namespace) = (self.username, self.name, &self.name.namespace);
        let role = self.review.action.role();
        let scope = match self.review.action {
            Action::Pull => TokenScope::Read,
            Action::Push => TokenScope::Write,
            Action::Delete => TokenScope::Admin,
        };
        let repository = self.lookup.repository.as_ref();
        match reason {
            Reason::Account => self.held_by.as_ref().map(|held_by| format!("enable {}", held_by.name)),
            Reason::NamespaceMissing => Some(format!("namespace {namespace}")),
            Reason::Credentials | Reason::Scopes { .. } | Reason::Resources { .. } => self.replacement(scope),
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
