//! What is removed with all that is its own, and names that are free again.

use constcat::concat;
use hublet::{
    domain::{audit::AuditAction, names::LIBRARY},
    store::{
        Query, Row, Statement, Transaction,
        audit::{self, Account},
    },
};

use crate::{Failure, Operator, Output, Result, Words, refuse, refused};

/// The namespace of the name `?1`, and the service accounts that are its own, as tables `n` and `m`.
const MACHINES: &str = "users m join namespaces n on n.id = m.machine_of where n.name = ?1";

/// The repositories of the namespace of the name `?1`.
const REPOSITORIES: &str = "repositories r join namespaces n on n.id = r.namespace_id where n.name = ?1";

/// The ids of the users that go.
const LEAVING: &str = "(select id from users where name = ?1
   or machine_of = (select id from namespaces where name = ?1))";

/// Fails the batch, and so undoes it, where a repository was created in the namespace meanwhile.
const STILL_EMPTY: &str =
    concat!("select json(iif(exists (select 1 from ", REPOSITORIES, " and r.deleted_at is null), 'refused', 'true'))");

/// What is printed of a repository that is removed.
const STAYS: &str = " is removed; what was pushed stays in the registry";

/// `remove ACCOUNT`
pub async fn remove(operator: &Operator, words: &Words) -> Result<Output> {
    let account = words.account("ACCOUNT")?;
    let of = |sql| Statement::new(sql).bind(account.as_str());
    let now = operator.now;
    let exists = "select 1 where exists (select 1 from users where name = ?1)
       or exists (select 1 from namespaces where name = ?1)";
    let in_the_way = concat!(
        "select 'the repository ' || r.full_name as what,
           'npm run admin -- transfer ' || r.full_name || ' NAMESPACE' as command
         from ",
        REPOSITORIES,
        " and r.deleted_at is null order by r.name limit 1000"
    );
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
    if !operator.flags.repositories {
        transaction.run([of(STILL_EMPTY)]);
    }
    transaction.run([
        of("insert into retired_names (name, machine_of, retired_at)
            select ?1, (select machine_of from users where name = ?1), ?2")
        .bind(now),
        // Its service accounts: the namespace that could have them again is gone.
        of(concat!(
            "insert into retired_names (name, machine_of, retired_at) select m.name, m.machine_of, ?2 from ",
            MACHINES
        ))
        .bind(now),
        of(concat!(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?2, n.id, 'org.machine.delete', m.name, 'operator', '', '' from ",
            MACHINES
        ))
        .bind(now),
        of(concat!(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?2, n.id, 'repo.delete', r.full_name, 'operator', '', '' from ",
            REPOSITORIES
        ))
        .bind(now),
        of(concat!("insert into outbox (repository_id) select r.id from ", REPOSITORIES)),
        of("insert into audit (at, account, action, name, actor, credential, address)
            select ?2, coalesce(u.machine_of, n.id),
              case when u.kind = 'machine' then 'org.machine.delete' when u.id is null then 'org.delete'
                else 'user.delete' end,
              ?1, 'operator', '', ''
            from (select ?1 as name) gone
            left join users u on u.name = gone.name left join namespaces n on n.name = gone.name")
        .bind(now),
        // Stars that they gave elsewhere.
        of(concat!("insert into outbox (repository_id) select repository_id from stars where user_id in ", LEAVING)),
        of(concat!(
            "update repositories set revision = revision + 1, star_count = star_count - (
               select count(*) from stars where repository_id = repositories.id and user_id in ",
            LEAVING,
            ") where id in (select repository_id from stars where user_id in ",
            LEAVING,
            ")"
        )),
        of("delete from users where name = ?1"),
        of("delete from namespaces where name = ?1"),
    ]);
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
    crate::accounts::finish(operator, transaction, of(shown).bind(now).bind(STAYS)).await
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
