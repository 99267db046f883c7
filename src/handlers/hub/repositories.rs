//! Repositories as they are managed: made, described, moved and removed.

mod list;
mod reached;

use serde_json::json;

pub use list::list;
pub use reached::Reached;

use crate::{
    auth::{self, NO_NAMESPACE, Principal},
    domain::{
        RepositoryName, Role,
        names::LONGEST,
        texts::{self, Form},
    },
    handlers::body::Body,
    index::Index,
    jobs::search_index,
    refusal::{Answer, Error, Fault, forbidden, invalid, not_found},
    store::{
        Over, Query, Right, Rows, Transaction,
        managed::{self, Change, Move, New},
        repositories::{self, RepositoryLookup},
    },
    wire::{Reply, Request},
};

/// The longest texts, in characters: what the Hub takes.
const LONGEST_DESCRIPTION: usize = 100;
const LONGEST_FULL_DESCRIPTION: usize = 25_000;

/// What a new repository is to be.
struct Wanted {
    name: String,
    namespace: Option<String>,
    more: Changes,
}

impl Wanted {
    fn read(request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        Ok(Self { name: body.text("name")?, namespace: body.maybe_text("namespace")?, more: Changes::of(body)? })
    }
}

/// What is to be different about one.
#[derive(Default)]
struct Changes {
    description: Option<String>,
    full_description: Option<String>,
    is_private: Option<bool>,
}

impl Changes {
    fn read(request: &Request) -> Answer<Self> {
        Self::of(Body::read_json(request)?)
    }

    fn of(body: Body<'_>) -> Answer<Self> {
        Ok(Self {
            description: body.maybe_text("description")?,
            full_description: body.maybe_text("full_description")?,
            is_private: body.maybe_flag("is_private")?,
        })
    }

    /// Who sees it, and nothing else.
    fn of_privacy(request: &Request) -> Answer<Self> {
        let Some(private) = Body::read_json(request)?.maybe_flag("is_private")? else {
            return invalid("is_private is missing");
        };
        Ok(Self { is_private: Some(private), ..Self::default() })
    }
}

/// Where a repository is to go.
struct Destination {
    namespace: String,
    keep_collaborators: bool,
}

impl Destination {
    fn read(request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        let keep_collaborators = body.maybe_flag("keep_collaborators")?.unwrap_or_default();
        Ok(Self { namespace: body.text("namespace")?, keep_collaborators })
    }
}

/// `POST /v2/namespaces/{namespace}/repositories`, `POST /v2/repositories`
///
/// Where the path names no namespace, the body does; else the caller's own is meant.
pub async fn create(index: &Index, request: &Request, namespace: Option<&String>) -> Answer<Reply> {
    let credentials = auth::session(index, request)?;
    // Wrong credentials are told before a wrong body, so what the body names is looked up unread.
    let wanted = Wanted::read(request);
    let (asked, name) = wanted.as_ref().map_or((None, ""), |wanted| {
        (wanted.namespace.as_deref().filter(|namespace| !namespace.is_empty()), wanted.name.as_str())
    });
    let [asked, name] = [asked, Some(name)].map(|name| name.filter(|name| name.len() <= LONGEST));
    let lookup = managed::lookup_in_own_namespace(
        namespace.map(String::as_str).or(asked),
        name.unwrap_or_default(),
        &credentials.subject(index),
    );
    let (principal, lookup) = credentials.authenticate_with(index, Query::raw(lookup)).await?;
    let wanted = wanted?;
    let row = lookup.first().ok_or_else(|| Fault::broken("no row for a place"))?;
    let name = acceptable_name(row.maybe_text("namespace"), &wanted)?;
    require_good(wanted.more.description.as_deref(), wanted.more.full_description.as_deref())?;
    let lookup = RepositoryLookup::of(row);
    let pending_deletion = lookup.pending_deletion();
    let (namespace, right) = require_creatable(&principal, &lookup.ignoring_pending_deletion(), &name)?;
    let new = New {
        namespace,
        name: &name,
        description: wanted.more.description.as_deref().unwrap_or_default(),
        full_description: wanted.more.full_description.as_deref().unwrap_or_default(),
        private: wanted.more.is_private.unwrap_or(index.settings.private || row.flag("buried_private")),
        asked: wanted.more.is_private.is_some(),
        by: &principal.by(index, request),
        most: index.settings.most.repositories,
    };
    let mut batch = managed::create(&new, pending_deletion);
    let made = batch.len() - 1;
    batch.push(managed::repository(&name, &credentials.subject(index)));
    let mut rows = index.write([right], batch).await?;
    if rows.get(made).is_none_or(Vec::is_empty) {
        return in_the_way(&name, rows.pop(), new.most);
    }
    if pending_deletion.is_some() {
        search_index::later(index);
    }
    Reached::again(credentials, principal, rows.pop().unwrap_or_default())?.shown(&name, 201)
}

/// `GET /v2/namespaces/{namespace}/repositories/{repository}`
pub async fn get(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    Reached::by_anybody(index, request, name, None).await?.shown(name, 200)
}

/// `PATCH /v2/namespaces/{namespace}/repositories/{repository}`
pub async fn update(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    change(index, request, name, Changes::read(request)).await
}

/// `POST /v2/namespaces/{namespace}/repositories/{repository}/privacy`
pub async fn privacy(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    change(index, request, name, Changes::of_privacy(request)).await
}

/// Changes what a body says; who may see a repository is for its admins to say.
async fn change(index: &Index, request: &Request, name: &RepositoryName, changes: Answer<Changes>) -> Answer<Reply> {
    let reached = Reached::with_session(index, request, name, None).await?;
    let changes = changes?;
    require_good(changes.description.as_deref(), changes.full_description.as_deref())?;
    let (repository, right) = match changes.is_private {
        Some(_) => reached.writable_roles(name)?,
        None => reached.writable(name, Role::Write)?,
    };
    let change = Change {
        description: changes.description.as_deref(),
        full_description: changes.full_description.as_deref(),
        private: changes.is_private,
    };
    let mut transaction =
        Transaction::from(managed::update(repository.id, name, &change, &reached.principal.by(index, request)));
    let changed = transaction.read(Query::raw(managed::repository(name, &reached.credentials.subject(index))));
    let mut outcome = match changes.is_private {
        Some(true) => search_index::commit_and_hide(index, right, repository, transaction).await?,
        _ => index.commit([right], transaction).await?,
    };
    search_index::later(index);
    Reached::again(reached.credentials, reached.principal, outcome.take(changed)?)?.shown(name, 200)
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}`
///
/// At once: no registry takes part in it.
pub async fn delete(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let reached = Reached::with_session(index, request, name, None).await?;
    let (repository, right) = reached.writable(name, Role::Admin)?;
    let change = managed::delete(repository.id, name, &reached.principal.by(index, request));
    search_index::commit_and_hide(index, right, repository, change.into()).await?;
    search_index::later(index);
    Ok(Reply::json(202, &json!({})).personal())
}

/// `POST /v2/namespaces/{namespace}/repositories/{repository}/transfer`
///
/// It needs an admin of the repository who may make one there. Who else has a role in it loses that, unless
/// an admin of the namespace it goes to keeps them.
pub async fn transfer(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let credentials = auth::session(index, request)?;
    let wanted = Destination::read(request);
    let namespace = wanted.as_ref().map_or("", |wanted| wanted.namespace.as_str());
    let there = RepositoryName { namespace: namespace.to_owned(), name: name.name.clone() };
    let lookup = repositories::lookup(&there, &credentials.subject(index));
    let reached = Reached::read(index, credentials, name, Some(lookup.into())).await?;
    let keep = wanted?.keep_collaborators;
    let there = RepositoryName::parse(&there.namespace, &there.name)?;
    let (repository, right) = reached.writable_roles(name)?;
    let lookup = RepositoryLookup::of(reached.more().first().ok_or_else(|| Fault::broken("no row for a place"))?);
    let (pending_deletion, lookup) = (lookup.pending_deletion(), lookup.ignoring_pending_deletion());
    let (namespace, mut right_there) = require_creatable(&reached.principal, &lookup, &there)?;
    if keep {
        if reached.principal.effective_role(&lookup, &there) < Some(Role::Admin) {
            return forbidden("Access denied: keep_collaborators is for admins of the namespace it goes to");
        }
        reached.principal.require_roles(&there)?;
        right_there.over = Over::Namespace(namespace, Role::Admin);
    }
    let (by, most) = (reached.principal.by(index, request), index.settings.most.repositories);
    let this = Move { id: repository.id, from: name, namespace, to: &there, keep, by: &by, most };
    let mut batch = managed::transfer(&this, pending_deletion);
    batch.push(managed::repository(&there, &reached.credentials.subject(index)));
    let rows = index.write_last([right, right_there], batch).await?;
    let now_there = rows.first().and_then(|row| RepositoryLookup::of(row).repository);
    if now_there.is_none_or(|there| there.id != repository.id) {
        return in_the_way(&there, Some(rows), most);
    }
    search_index::later(index);
    Reached::again(reached.credentials, reached.principal, rows)?.shown(&there, 200)
}

/// The name of a new repository; `namespace` is the one that was looked up.
fn acceptable_name(namespace: Option<&str>, wanted: &Wanted) -> Answer<RepositoryName> {
    let Some(namespace) = namespace else { return invalid("namespace: whose the repository is to be") };
    if wanted.namespace.as_deref().is_some_and(|asked| !asked.is_empty() && asked != namespace) {
        return invalid("namespace: the path names another one");
    }
    RepositoryName::parse(namespace, &wanted.name)
}

/// Refuses texts that are too long, in the words that the Hub has for it, and those that would not be what they seem.
fn require_good(description: Option<&str>, full_description: Option<&str>) -> Answer<()> {
    let texts = [
        ("description", description, LONGEST_DESCRIPTION, Form::Lines),
        ("full_description", full_description, LONGEST_FULL_DESCRIPTION, Form::Page),
    ];
    for (field, text, longest, form) in texts {
        if text.is_some_and(|text| text.chars().count() > longest) {
            return invalid(format!("{field}: Exceeded max number of characters ({longest})"));
        }
        texts::acceptable(field, text.unwrap_or_default(), form)?;
    }
    Ok(())
}

/// Gives the namespace of a place that is free, to somebody who may make a repository there, with the
/// right to. What is private and not theirs looks like what is free and may not be made, and so does a
/// namespace that is not there.
fn require_creatable(principal: &Principal, lookup: &RepositoryLookup, name: &RepositoryName) -> Answer<(i64, Right)> {
    if principal.effective_role(lookup, name) < Some(Role::Write) {
        return forbidden("Access denied: not allowed to create a repository in this namespace");
    }
    let Some(namespace) = lookup.namespace_id else { return not_found(NO_NAMESPACE) };
    if lookup.repository.is_some() {
        return exists(name);
    }
    Ok((namespace, principal.right(Over::Namespace(namespace, Role::Write))))
}

/// Why none was made here: somebody was quicker, or the namespace is full.
fn in_the_way<T>(name: &RepositoryName, lookup: Option<Rows>, most: i64) -> Answer<T> {
    match lookup.unwrap_or_default().first() {
        Some(row) if RepositoryLookup::of(row).repository.is_some() => exists(name),
        _ => forbidden(format!("A namespace holds at most {most} repositories")),
    }
}

/// 400 in the words of the older clients, which look for them.
fn exists<T>(name: &RepositoryName) -> Result<T, Error> {
    invalid(format!("Repository {name} already exists"))
}
