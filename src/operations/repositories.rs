//! Repositories: created, described, transferred and deleted.

mod list;
mod readable;

pub use list::{ListRepositories, ListedRepository, list};
pub use readable::ReadableRepository;

use crate::{
    auth::{Credentials, NO_NAMESPACE, NOT_CREATABLE, Principal, RepositoryGuard},
    context::Context,
    domain::{
        NamespaceId, RepositoryName, Role,
        names::MAX_NAME_LENGTH,
        texts::{self, Form},
    },
    error::{Error, Result, forbidden, invalid, not_found},
    jobs::search_index,
    store::{
        Over, Right, Transaction, deletions,
        repositories::{self, Change, New, RepositoryLookup, Transfer},
    },
    wire::Request,
};

/// The longest texts, in characters: what the Hub takes.
const MAX_DESCRIPTION_LENGTH: usize = 100;
const MAX_FULL_DESCRIPTION_LENGTH: usize = 25_000;

/// A repository that is to be.
pub struct CreateRepository {
    /// Its name in the namespace.
    pub name: String,
    /// The name of the namespace, if the client names one.
    pub namespace: Option<String>,
    /// What it begins with.
    pub changes: UpdateRepository,
}

/// What is to be changed of a repository; what is absent stays.
#[derive(Default)]
pub struct UpdateRepository {
    /// A few lines.
    pub description: Option<String>,
    /// Markdown.
    pub full_description: Option<String>,
    /// Only for users with a role in it.
    pub is_private: Option<bool>,
}

/// Where a repository is to go.
pub struct TransferRepository {
    /// The name of the namespace.
    pub namespace: String,
    /// Whether its collaborators keep their roles.
    pub keep_collaborators: bool,
}

/// Creates a repository in this namespace (`namespace`), or in the one that is wanted, or in the user's own.
pub async fn create(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: Option<&str>,
    wanted: Result<CreateRepository>,
) -> Result<ReadableRepository> {
    // Wrong credentials are refused before a wrong body, so the lookup is made before the body is checked.
    let (asked, name) = wanted.as_ref().map_or((None, ""), |wanted| {
        (wanted.namespace.as_deref().filter(|namespace| !namespace.is_empty()), wanted.name.as_str())
    });
    let [asked, name] = [asked, Some(name)].map(|name| name.filter(|name| name.len() <= MAX_NAME_LENGTH));
    let lookup =
        repositories::lookup_in_own_namespace(namespace.or(asked), name.unwrap_or_default(), &credentials.subject(ctx));
    let (principal, destination) = credentials.authenticate_with(ctx, lookup).await?;
    let wanted = wanted?;
    let name = acceptable_name(destination.namespace.as_deref(), &wanted)?;
    require_good(wanted.changes.description.as_deref(), wanted.changes.full_description.as_deref())?;
    let pending_deletion = destination.lookup.pending_deletion();
    let lookup = destination.lookup.ignoring_pending_deletion();
    let (namespace, right) = require_creatable(&principal, &lookup, &name)?;
    let private = ctx.config.private_by_default || destination.was_private == Some(true);
    let new = New {
        namespace,
        name: &name,
        description: wanted.changes.description.as_deref().unwrap_or_default(),
        full_description: wanted.changes.full_description.as_deref().unwrap_or_default(),
        private: wanted.changes.is_private.unwrap_or(private),
        asked: wanted.changes.is_private.is_some(),
        by: &principal.by(ctx, request),
        most: ctx.config.quotas.repositories,
    };
    let mut transaction = Transaction::new();
    let created = repositories::create(&mut transaction, &new, pending_deletion);
    let details = transaction.read(repositories::details(&name, &credentials.subject(ctx)));
    let mut outcome = ctx.commit([right], transaction).await?;
    let (created, details) = (outcome.take(created)?, outcome.take(details)?);
    if !created {
        return conflict(&name, &details.lookup, new.most);
    }
    if pending_deletion.is_some() {
        search_index::sync_after_response(ctx);
    }
    ReadableRepository::new(principal, name, details)
}

/// A repository that the client may read.
pub async fn get(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<ReadableRepository> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let details = repositories::details(name, &credentials.subject(ctx));
    let (principal, details) = credentials.authenticate_with(ctx, details).await?;
    ReadableRepository::new(principal, name.clone(), details)
}

/// Updates a repository; only its admins change who can see it.
pub async fn update(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    changes: Result<UpdateRepository>,
) -> Result<ReadableRepository> {
    let (guard, ()) = RepositoryGuard::authenticate_with(ctx, credentials, name, ()).await?;
    let changes = changes?;
    require_good(changes.description.as_deref(), changes.full_description.as_deref())?;
    let (repository, right) = match changes.is_private {
        Some(_) => guard.require_to_change_roles()?,
        None => guard.require_to_write(Role::Write)?,
    };
    let change = Change {
        description: changes.description.as_deref(),
        full_description: changes.full_description.as_deref(),
        private: changes.is_private,
    };
    let mut transaction =
        Transaction::from(repositories::update(repository.id, name, &change, &guard.principal.by(ctx, request)));
    let details = transaction.read(repositories::details(name, &credentials.subject(ctx)));
    let mut outcome = match changes.is_private {
        Some(true) => search_index::hide_and_commit(ctx, right, repository, transaction).await?,
        _ => ctx.commit([right], transaction).await?,
    };
    search_index::sync_after_response(ctx);
    ReadableRepository::new(guard.principal, name.clone(), outcome.take(details)?)
}

/// Deletes a repository at once: no registry takes part in it. Returns whether a tool beside a registry will delete its
/// images.
pub async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<bool> {
    let present = deletions::present(ctx.platform.now());
    let (guard, present) = RepositoryGuard::authenticate_with(ctx, credentials, name, present).await?;
    let (repository, right) = guard.require_to_write(Role::Admin)?;
    let deletion = repositories::delete(repository.id, name, &guard.principal.by(ctx, request));
    search_index::hide_and_commit(ctx, right, repository, deletion.into()).await?;
    search_index::sync_after_response(ctx);
    Ok(!present.is_empty())
}

/// Transfers a repository. It needs an admin of the repository who may create one there. Its collaborators lose their
/// roles, unless an admin of the namespace that it goes to keeps them.
pub async fn transfer(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    wanted: Result<TransferRepository>,
) -> Result<ReadableRepository> {
    let namespace = wanted.as_ref().map_or("", |wanted| wanted.namespace.as_str());
    let there = RepositoryName { namespace: namespace.to_owned(), name: name.name.clone() };
    let lookup = repositories::lookup(&there, &credentials.subject(ctx));
    let (guard, lookup) = RepositoryGuard::authenticate_with(ctx, credentials, name, lookup).await?;
    let keep = wanted?.keep_collaborators;
    let there = RepositoryName::parse(&there.namespace, &there.name)?;
    let (repository, right) = guard.require_to_change_roles()?;
    let (pending_deletion, lookup) = (lookup.pending_deletion(), lookup.ignoring_pending_deletion());
    let (namespace, mut right_there) = require_creatable(&guard.principal, &lookup, &there)?;
    if keep {
        if guard.principal.effective_role(&lookup, &there) < Some(Role::Admin) {
            return forbidden("Access denied: keep_collaborators is for admins of the namespace it goes to");
        }
        guard.principal.require_roles(&there)?;
        right_there.over = Over::Namespace(namespace, Role::Admin);
    }
    let (by, most) = (guard.principal.by(ctx, request), ctx.config.quotas.repositories);
    let transfer = Transfer { id: repository.id, from: name, namespace, to: &there, keep, by: &by, most };
    let mut transaction = Transaction::from(repositories::transfer(&transfer, pending_deletion));
    let details = transaction.read(repositories::details(&there, &credentials.subject(ctx)));
    let details = ctx.commit([right, right_there], transaction).await?.take(details)?;
    if details.lookup.repository.as_ref().is_none_or(|found| found.id != repository.id) {
        return conflict(&there, &details.lookup, most);
    }
    search_index::sync_after_response(ctx);
    ReadableRepository::new(guard.principal, there, details)
}

/// The name of a new repository; `namespace` is the one that was looked up.
fn acceptable_name(namespace: Option<&str>, wanted: &CreateRepository) -> Result<RepositoryName> {
    let Some(namespace) = namespace else { return invalid("namespace: whose the repository is to be") };
    if wanted.namespace.as_deref().is_some_and(|asked| !asked.is_empty() && asked != namespace) {
        return invalid("namespace: the path names another one");
    }
    RepositoryName::parse(namespace, &wanted.name)
}

/// Refuses texts that are too long, in the words that the Hub has for it, and those that would not be what they seem.
fn require_good(description: Option<&str>, full_description: Option<&str>) -> Result<()> {
    let texts = [
        ("description", description, MAX_DESCRIPTION_LENGTH, Form::Lines),
        ("full_description", full_description, MAX_FULL_DESCRIPTION_LENGTH, Form::Page),
    ];
    for (field, text, longest, form) in texts {
        if text.is_some_and(|text| text.chars().count() > longest) {
            return invalid(format!("{field}: Exceeded max number of characters ({longest})"));
        }
        texts::acceptable(field, text.unwrap_or_default(), form)?;
    }
    Ok(())
}

/// The id of the namespace of a name that is free, for a principal who may create a repository there, with the right
/// to. A private repository that they may not see looks like a name that is free and that they may not use, and so does
/// a namespace that does not exist.
fn require_creatable(
    principal: &Principal,
    lookup: &RepositoryLookup,
    name: &RepositoryName,
) -> Result<(NamespaceId, Right)> {
    if principal.effective_role(lookup, name) < Some(Role::Write) {
        return forbidden(NOT_CREATABLE);
    }
    let Some(namespace) = lookup.namespace_id else { return not_found(NO_NAMESPACE) };
    if lookup.repository.is_some() {
        return exists(name);
    }
    Ok((namespace, principal.right(Over::Namespace(namespace, Role::Write))))
}

/// Why none was created under a name: another request was quicker, or the namespace is full.
fn conflict<T>(name: &RepositoryName, lookup: &RepositoryLookup, most: i64) -> Result<T> {
    if lookup.repository.is_some() {
        return exists(name);
    }
    forbidden(format!("A namespace holds at most {most} repositories"))
}

/// 400 in the words of the older clients, which look for them.
fn exists<T>(name: &RepositoryName) -> Result<T, Error> {
    invalid(format!("Repository {name} already exists"))
}
