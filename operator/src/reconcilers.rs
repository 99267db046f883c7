//! The tools beside registries, which compare what a registry holds with the index.

use hublet::{
    domain::{audit::AuditAction, opaque_token::TokenKind},
    store::{
        Query, Statement, Transaction,
        audit::{self, Account},
    },
};

use crate::{Operator, Output, Result, Words, refuse, refused, row};

/// The service of a registry, of those that the settings name.
fn service<'a>(operator: &'a Operator, words: &Words) -> Result<&'a str> {
    let services = operator.config.services.iter().map(|service| service.name.as_str());
    let wanted = words.service("SERVICE")?;
    match services.clone().find(|name| *name == wanted) {
        Some(name) => Ok(name),
        None => refuse(format!("{wanted} is none of SERVICES: {}.", services.collect::<Vec<_>>().join(", "))),
    }
}

/// `reconciler SERVICE`
pub async fn create(operator: &Operator, words: &Words) -> Result<Output> {
    let service = service(operator, words)?;
    let token = TokenKind::Reconciler.generate(operator.random()?);
    let hash = TokenKind::Reconciler.parse_and_hash(token.reveal()).unwrap_or_default();
    let mut transaction = Transaction::new();
    let insert = "insert into reconcilers (service, hash, created_at) values (?1, ?2, ?3)
       on conflict (service) do update set hash = excluded.hash";
    transaction.run([
        Statement::new(insert).bind(service).bind(hash).bind(operator.now),
        audit::record(&operator.by, AuditAction::OrgReconcilerCreate, Account::Named(""), service, &[]),
    ]);
    operator.commit(transaction).await?;
    let note = format!(
        "\nThe token, which is shown this once; an earlier one has ended. Where the registry is:\n\
         HUBLET_RECONCILER_TOKEN={}",
        token.reveal()
    );
    Ok(Output { rows: vec![row([("service", service.into())])], notes: vec![note], ..Output::default() })
}

/// `reconciler SERVICE end`
pub async fn end(operator: &Operator, words: &Words) -> Result<Output> {
    words.end()?;
    let service = words.service("SERVICE")?;
    let service = service.as_str();
    let mut transaction = Transaction::new();
    transaction.run([Statement::new("delete from reconcilers where service = ?1").bind(service)]);
    let ended = audit::record(&operator.by, AuditAction::OrgReconcilerDelete, Account::Named(""), service, &[]);
    let ended = transaction.read(Query::any(ended));
    transaction.run([Statement::new("delete from deletions where service = ?1").bind(service)]);
    if !operator.commit(transaction).await?.take(ended)? {
        return refused();
    }
    Ok(vec![row([("service", service.into()), ("status", "ended".into())])].into())
}

/// `reconcilers`
pub async fn list(operator: &Operator) -> Result<Output> {
    let sql = "select service, strftime('%Y-%m-%dT%H:%M:%SZ', created_at, 'unixepoch') as made,
         coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', seen_at, 'unixepoch'), 'never') as seen,
         iif(hash like 'ended %', 'ended: `reconciler ' || service || '` makes another', 'valid') as token,
         (select count(*) from deletions d where d.service = reconcilers.service) as deletions,
         coalesce((select repository || iif(tag = '', '', ':' || tag) || ': ' || refusal from deletions d
           where d.service = reconcilers.service and refusal <> '' order by id limit 1), '') as \"first refusal\"
       from reconcilers order by service";
    Ok(operator.rows(Statement::new(sql)).await?.into())
}
