//! Repositories: which there are, who sees them, and where they are.

use hublet::{
    domain::{NamespaceName, RepositoryName},
    store::{
        Statement, Transaction,
        repositories::{self, Change, Repository, Subject, Transfer},
    },
};

use crate::{Operator, Output, Result, Words, names, refuse, refused, row};

/// The repository of this name that is not pending deletion, or a refusal.
pub async fn require(operator: &Operator, name: &RepositoryName) -> Result<Repository> {
    let lookup = operator.fetch(repositories::lookup(name, &Subject::Anonymous)).await?;
    match lookup.repository {
        Some(repository) if repository.pending_deletion => refuse(format!("{name} is pending deletion.")),
        Some(repository) => Ok(repository),
        None if lookup.namespace_id.is_none() => refuse(format!("there is no namespace {}.", name.namespace)),
        None => refuse(format!("there is no repository {name}.")),
    }
}

/// `privacy REPOSITORY VISIBILITY`
pub async fn privacy(operator: &Operator, words: &Words) -> Result<Output> {
    let (name, private) = (words.repository("REPOSITORY")?, words.private("VISIBILITY")?);
    let repository = require(operator, &name).await?;
    let mut transaction = Transaction::new();
    if repository.private == private {
        transaction.run([repositories::enqueue(repository.id)]);
    } else {
        let change = Change { private: Some(private), ..Change::default() };
        transaction.run(repositories::update(repository.id, &name, &change, &operator.by));
    }
    operator.commit(transaction).await?;
    let visibility = if private { "private" } else { "public" };
    Ok(vec![row([("repository", name.to_string().into()), ("visibility", visibility.into())])].into())
}

/// The most repositories of a namespace: the operator may move more there than its members could make.
const NO_LIMIT: i64 = u32::MAX as i64;

/// `transfer REPOSITORY NAMESPACE`
pub async fn transfer(operator: &Operator, words: &Words) -> Result<Output> {
    let (from, namespace) = (words.repository("REPOSITORY")?, words.namespace("NAMESPACE")?);
    let repository = require(operator, &from).await?;
    let namespace_id = names::require_namespace(operator, namespace.as_str()).await?;
    let to = RepositoryName::parse(namespace.as_str(), &from.name)?;
    if let Some(there) = operator.fetch(repositories::lookup(&to, &Subject::Anonymous)).await?.repository {
        let state = if there.pending_deletion { ", which is pending deletion" } else { "" };
        return refuse(format!("there is {to} already{state}."));
    }
    let keep = operator.flags.keep_collaborators;
    let (id, by) = (repository.id, &operator.by);
    let transfer = Transfer { id, from: &from, namespace: namespace_id, to: &to, keep, by, most: NO_LIMIT };
    let mut transaction = Transaction::from(repositories::transfer(&transfer, None));
    let moved = transaction.read(repositories::lookup(&to, &Subject::Anonymous));
    let moved = operator.commit(transaction).await?.take(moved)?;
    if moved.repository.is_none_or(|moved| moved.id != id) {
        return refused();
    }
    Ok(vec![row([("full_name", to.to_string().into()), ("namespace", to.namespace.into())])].into())
}

/// `repositories [NAMESPACE]`
pub async fn list(operator: &Operator, words: &Words) -> Result<Output> {
    let namespace = words.maybe_namespace("NAMESPACE")?;
    let sql = "select coalesce(r.full_name, '(none)') as repository,
         case when r.id is null then '' when r.private then 'private' else 'public' end
           || iif(r.deleted_at is null, '', ', marked deleted') as visibility,
         (select count(*) from tags where repository_id = r.id and deleted = 0) as tags,
         coalesce(r.pull_count, 0) as pulls,
         coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', r.pushed_at, 'unixepoch'), '') as pushed
       from namespaces n left join repositories r on r.namespace_id = n.id
       where n.name = ?1 or ?1 is null and r.id is not null
       order by n.name, r.name";
    let rows = operator.rows(Statement::new(sql).bind(namespace.as_ref().map(NamespaceName::as_str))).await?;
    if rows.is_empty() && namespace.is_some() { refused() } else { Ok(rows.into()) }
}
