//! Users and service accounts: who there is, and what they may do at all.

use hublet::{
    domain::{UserName, access, audit::AuditAction},
    store::{
        Query, Row, Statement, Transaction, administration,
        audit::{self, Account},
        links,
        users::{self, User},
    },
};

use crate::{ALL, Operator, Output, Result, Words, names, passwords, refuse, row};

/// `add NAME`
///
/// A user who never chose a password may get another link.
pub async fn add(operator: &Operator, words: &Words) -> Result<Output> {
    let name = words.user("NAME")?;
    let password = passwords::given(operator, &name)?;
    let name = available(&name)?;
    let (user, taken) = operator.fetch((users::by_name(name), users::is_taken(name, ""))).await?;
    let waits = user.is_some_and(|user| !user.machine && user.password.is_none());
    if taken.name && (!waits || password.is_some()) {
        return names::refuse_name(operator, name).await;
    }
    let mut transaction = Transaction::new();
    transaction.run([
        Statement::new(
            "insert into users (name, status, password, created_at) select ?1, 'active', ?2, ?3
             where not exists (select 1 from namespaces where name = ?1)
               and not exists (select 1 from retired_names where name = ?1)
             on conflict (name) do nothing",
        )
        .bind(name)
        .bind(password.as_deref())
        .bind(operator.now),
        Statement::new(
            "insert into namespaces (name, owner_id, created_at)
             select name, id, ?2 from users where name = ?1 and kind = 'person' on conflict do nothing",
        )
        .bind(name)
        .bind(operator.now),
        audit::record(&operator.by, AuditAction::UserCreate, Account::Named(name), name, &[("status", "active")]),
    ]);
    let mut notes = Vec::new();
    if password.is_none() {
        let (secret, hash) = operator.link_secret()?;
        transaction.run(links::insert_password_link(name, &hash, &operator.by));
        notes.push(operator.link(&secret));
    }
    let shown = transaction.read(passwords::shown(name));
    let near = transaction.read(names::near(name));
    let mut outcome = operator.commit(transaction).await?;
    let warnings = names::warnings(name, outcome.take(near)?);
    Ok(Output { warnings, rows: outcome.take(shown)?, notes, ..Output::default() })
}

/// `add-machine NAME`
pub async fn add_machine(operator: &Operator, words: &Words) -> Result<Output> {
    let name = words.user("NAME")?;
    let name = available(&name)?;
    let mut transaction = Transaction::new();
    transaction.run([
        Statement::new(
            "insert into users (name, kind, status, created_at) select ?1, 'machine', 'active', ?2
             where not exists (select 1 from namespaces where name = ?1)
               and not exists (select 1 from retired_names where name = ?1)
             on conflict (name) do nothing",
        )
        .bind(name)
        .bind(operator.now),
        audit::record(&operator.by, AuditAction::OrgMachineCreate, Account::Named(name), name, &[]),
    ]);
    let shown = "select name, 'service account' as kind, status from users where name = ?1 and kind = 'machine'";
    let shown = transaction.read(Query::all(Statement::new(shown).bind(name)));
    let near = transaction.read(names::near(name));
    let mut outcome = operator.commit(transaction).await?;
    let rows = outcome.take::<Vec<Row>>(shown)?;
    if rows.is_empty() {
        return names::refuse_name(operator, name).await;
    }
    Ok(Output { warnings: names::warnings(name, outcome.take(near)?), ..rows.into() })
}

/// A name that is not reserved, or a refusal.
fn available(name: &UserName) -> Result<&str> {
    let name = name.as_str();
    if UserName::given(name).is_ok() { Ok(name) } else { refuse(format!("{name} is reserved.")) }
}

/// `disable NAME`
pub async fn disable(operator: &Operator, words: &Words) -> Result<Output> {
    let user = operator.require_user(&words.user("NAME")?).await?;
    let mut transaction = Transaction::new();
    transaction.run(administration::set_status(&user, "disabled", &operator.by));
    let sql = "with whose as (
         select name, status, (select id from namespaces where owner_id = users.id) own from users where name = ?1)
       select name || ' is ' || status as what, 'npm run admin -- enable ' || name as command from whose
       union all
       select 'token ' || t.uuid || ' of the service account ' || m.name || ' is dead by it', ''
       from whose w join users m on m.machine_of = w.own join access_tokens t on t.user_id = m.id
       union all
       select 'token ' || t.uuid || ' of the service account ' || m.name || ', which ' || w.name || ' made, goes on',
         'npm run admin -- token ' || t.uuid || ' end'
       from whose w join access_tokens t on t.created_by = w.name
       join users m on m.id = t.user_id and m.kind = 'machine' and m.machine_of is not w.own";
    finish(operator, transaction, Statement::new(sql).bind(user.name)).await
}

/// `enable NAME`
pub async fn enable(operator: &Operator, words: &Words) -> Result<Output> {
    let user = operator.require_user(&words.user("NAME")?).await?;
    let mut transaction = Transaction::new();
    transaction.run(administration::set_status(&user, "active", &operator.by));
    let shown = transaction.read(passwords::shown(&user.name));
    Ok(operator.commit(transaction).await?.take(shown)?.into())
}

/// `grant NAME`
pub async fn grant(operator: &Operator, words: &Words) -> Result<Output> {
    let user = operator.require_user(&words.user("NAME")?).await?;
    if let Some(why) = access::cannot_administrate(user.machine, user.active) {
        let hint = if user.machine { String::new() } else { format!(" (`enable {}`)", user.name) };
        return refuse(format!("{} {why}{hint}.", user.name));
    }
    administrate(operator, &user, true, "administrator").await
}

/// `revoke NAME`
pub async fn revoke(operator: &Operator, words: &Words) -> Result<Output> {
    let user = operator.require_user(&words.user("NAME")?).await?;
    administrate(operator, &user, false, "user").await
}

async fn administrate(operator: &Operator, user: &User, administrator: bool, role: &str) -> Result<Output> {
    let set = administration::set_administrator(user, administrator, &operator.by);
    operator.commit(set.into()).await?;
    Ok(vec![row([("name", user.name.as_str().into()), ("rights", role.into())])].into())
}

/// `list`
pub async fn list(operator: &Operator) -> Result<Output> {
    Ok(operator.rows(administration::users("", ALL, 0).into()).await?.into())
}

/// Writes, and gives the rows that a last statement reads.
pub async fn finish(operator: &Operator, mut transaction: Transaction, shown: Statement) -> Result<Output> {
    let shown = transaction.read(Query::<Vec<Row>>::all(shown));
    Ok(operator.commit(transaction).await?.take(shown)?.into())
}
