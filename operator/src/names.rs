//! Namespaces, and names that people could take for each other.

use constcat::concat;
use hublet::{
    domain::{NamespaceId, audit::AuditAction},
    store::{
        Query, Statement, Transaction, administration,
        audit::{self, Account},
        namespaces,
        roles::Subject,
    },
};

use crate::{ALL, Operator, Output, Result, Words, refuse, refused, row};

/// The names of users and namespaces that differ from `?1` in the separators alone.
const NEAR: &str = concat!(
    "select group_concat(other, ', ') near from (
       select name other from users union select name from namespaces order by 1)
     where other <> ?1 and ",
    WITHOUT_SEPARATORS,
    "other, '.', ''), '-', ''), '_', '') = ",
    WITHOUT_SEPARATORS,
    "?1, '.', ''), '-', ''), '_', '')"
);

/// The beginning of a name without its separators.
const WITHOUT_SEPARATORS: &str = "replace(replace(replace(";

/// What a warning says of the names that are near to a new one.
pub fn near(name: &str) -> Query<Option<String>> {
    Query::one(Statement::new(NEAR).bind(name))
}

/// Says that there are names that people could take for a new one.
pub fn warnings(name: &str, near: Option<String>) -> Vec<String> {
    let warning =
        |near| format!("there is {near} already: not the same as {name}, but people may take one for the other");
    near.map(warning).into_iter().collect()
}

/// `namespace NAME`
pub async fn namespace(operator: &Operator, words: &Words) -> Result<Output> {
    let name = words.namespace("NAME")?;
    let name = name.as_str();
    let mut transaction = Transaction::new();
    transaction.run([
        Statement::new(
            "insert into namespaces (name, created_at)
             select ?1, ?2 where not exists (select 1 from users where name = ?1)
               and not exists (select 1 from retired_names where name = ?1)
             on conflict (name) do nothing",
        )
        .bind(name)
        .bind(operator.now),
        audit::record(&operator.by, AuditAction::OrgCreate, Account::Named(name), name, &[]),
    ]);
    let shared = Statement::new("select 1 from namespaces where name = ?1 and owner_id is null").bind(name);
    let shared = transaction.read(Query::any(shared));
    let near = transaction.read(near(name));
    let mut outcome = operator.commit(transaction).await?;
    if !outcome.take(shared)? {
        return refuse_name(operator, name).await;
    }
    let warnings = warnings(name, outcome.take(near)?);
    Ok(Output { warnings, ..vec![row([("namespace", name.into())])].into() })
}

/// `namespaces`
pub async fn namespaces(operator: &Operator) -> Result<Output> {
    Ok(operator.rows(administration::namespaces("", ALL, 0, ALL).into()).await?.into())
}

/// The id of the namespace of this name, or a refusal.
pub async fn require_namespace(operator: &Operator, name: &str) -> Result<NamespaceId> {
    let named = operator.fetch(namespaces::by_name(name, &Subject::None)).await?;
    named.namespace.map_or_else(|| refuse(format!("there is no namespace {name}.")), |namespace| Ok(namespace.id))
}

/// Whether there is a namespace of this name.
pub async fn is_namespace(operator: &Operator, name: &str) -> Result<bool> {
    Ok(operator.fetch(namespaces::by_name(name, &Subject::None)).await?.namespace.is_some())
}

/// Refuses a new name, with what has it.
pub async fn refuse_name<T>(operator: &Operator, name: &str) -> Result<T> {
    let sql = "select coalesce(
         (select iif(kind = 'machine', 'a service account', 'a user') from users where name = ?1),
         (select 'a namespace' from namespaces where name = ?1),
         (select 'the name of what is gone (`release ' || name || '`)' from retired_names where name = ?1)) has";
    let has = operator.fetch(Query::<Option<String>>::one(Statement::new(sql).bind(name))).await?;
    has.map_or_else(refused, |has| refuse(format!("{name} is taken: it is {has}.")))
}
