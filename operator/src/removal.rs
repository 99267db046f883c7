//! What is removed with all that is its own, and names that are free again.

use hublet::{
    domain::{audit::AuditAction, names::LIBRARY},
    store::{
        Query, Row, Statement, Transaction,
        audit::{self, Account},
        leaving,
    },
};

use crate::{Failure, Operator, Output, Result, Words, refuse, refused};

/// What is printed of a repository that is removed.
const STAYS: &str = " is removed; what was pushed stays in the registry";

/// `remove ACCOUNT`
pub async fn remove(operator: &Operator, words: &Words) -> Result<Output> {
    let account = words.account("ACCOUNT")?;
    let of = |sql| Statement::new(sql).bind(account.as_str());
    let now = operator.now;
    let exists = "select 1 where exists (select 1 from users where name = ?1)
       or exists (select 1 from namespaces where name = ?1)";
    let in_the_way = "select 'the repository ' || r.full_name as what,
         'npm run admin -- transfer ' || r.full_name || ' NAMESPACE' as command
       from repositories r join namespaces n on n.id = r.namespace_id
       where n.name = ?1 and r.deleted_at is null order by r.name limit 1000";
    let reads = (Query::any(of(exists)), Query::<Vec<Row>>::all(of(in_the_way)));
    let (exists, mut in_the_way) = operator.fetch(reads).await?;
    if operator.flags.repositories {
        in_the_way.clear();
    }
    if !exists {
        return refuse(format!("there is no user and no namespace {account}."));
    }
    if account == LIBRARY {
        return refuse(format!("{LIBRARY} is the namespace of repositories without one, and stays."));
    }
    if !in_the_way.is_empty() {
        let message = format!("{account} has repositories (`transfer` them first, or --repositories).");
        return Err(Failure::Refused { message, in_the_way });
    }
    let mut transaction = Transaction::new();
    let left = leaving::leave(&mut transaction, &account, operator.flags.repositories, &operator.by);
    let shown = "with recorded as (
         select action, name from audit where at = ?2 and actor = 'operator' and id > ifnull((
           select max(id) from audit where at < ?2), 0))
       select ?1 || ' is removed, and nobody gets the name' as what, 'npm run admin -- release ' || ?1 as command
       union all
       select 'the service account ' || name || ' is removed, and nobody gets the name',
         'npm run admin -- release ' || name
       from recorded where action = 'org.machine.delete' and name <> ?1
       union all
       select 'the repository ' || name || ?3, ''
       from recorded where action = 'repo.delete'
       union all
       select 'token ' || t.uuid || ' of the service account ' || m.name || ', which ' || ?1 || ' made, goes on',
         'npm run admin -- token ' || t.uuid || ' end'
       from access_tokens t join users m on m.id = t.user_id and m.kind = 'machine' where t.created_by = ?1";
    let shown = transaction.read(Query::<Vec<Row>>::all(of(shown).bind(now).bind(STAYS)));
    let mut outcome = operator.commit(transaction).await?;
    // A repository came meanwhile.
    if outcome.take(left)? { refused() } else { Ok(outcome.take(shown)?.into()) }
}

/// `release ACCOUNT`
pub async fn release(operator: &Operator, words: &Words) -> Result<Output> {
    let account = words.account("ACCOUNT")?;
    let of = |sql| Statement::new(sql).bind(account.as_str());
    let known = "select strftime('%Y-%m-%dT%H:%M:%SZ', r.retired_at, 'unixepoch') as \"removed at\",
         count(a.id) as \"rows of the log\",
         ifnull(strftime('%Y-%m-%dT%H:%M:%SZ', max(a.at), 'unixepoch'), '') as \"the last at\"
       from retired_names r left join audit a on a.action <> 'user.name.release'
         and (a.name = ?1 or a.actor = ?1 or substr(a.name, 1, length(?1) + 1) = ?1 || '/')
       where r.name = ?1 group by r.name";
    let known: Option<Row> = operator.fetch(Query::optional(of(known))).await?;
    let Some(known) = known else { return refused() };
    let retired_at = known.get::<String>("removed at");
    let mut transaction = Transaction::new();
    transaction.run([of("delete from retired_names where name = ?1")]);
    let data = [("retired_at", retired_at.as_str())];
    let record = audit::record(&operator.by, AuditAction::UserNameRelease, Account::Named(""), &account, &data);
    let released = transaction.read(Query::any(record));
    if !operator.commit(transaction).await?.take(released)? {
        return refused();
    }
    let name = ("free again".to_owned(), account.as_str().into());
    Ok(vec![Row::new(std::iter::once(name).chain(known.into_columns()).collect())].into())
}
