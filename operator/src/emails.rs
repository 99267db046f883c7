//! The e-mail addresses of users.

use hublet::{
    domain::{audit::AuditAction, names},
    store::{
        Statement, Transaction,
        audit::{self, Account},
        emails,
        users::User,
    },
};

use crate::{Operator, Output, Result, Words, refuse, refused, row, words::Change};

/// `email NAME`
pub async fn list(operator: &Operator, words: &Words) -> Result<Output> {
    let name = words.user("NAME")?;
    let sql = "select u.name, coalesce(e.address, '(none)') as address,
         case when e.id is null then '' when e.proved_at is not null then 'proved'
           when e.confirmed_at is not null then 'confirmed' else 'not confirmed' end as state,
         case when e.id = (select id from emails where user_id = u.id and confirmed_at is not null
           order by chosen_at desc nulls last, confirmed_at, id limit 1) then 'primary' else '' end as \"is\"
       from users u left join emails e on e.user_id = u.id where u.name = ?1 order by e.id";
    let rows = operator.rows(Statement::new(sql).bind(name.as_str())).await?;
    if rows.is_empty() { refused() } else { Ok(rows.into()) }
}

/// `email NAME ADDRESS CHANGE`
pub async fn change(operator: &Operator, words: &Words) -> Result<Output> {
    let (name, address, change) = (words.user("NAME")?, words.email("ADDRESS")?, words.change("CHANGE")?);
    let key = address.to_lowercase();
    let user = operator.require_user(&name).await?;
    let owner = operator.fetch(emails::owner(&key)).await?;
    let is_theirs = owner.is_some_and(|owner| owner.user_id == user.id);
    let is_confirmed = owner.is_some_and(|owner| owner.confirmed_at.is_some());
    let mut transaction = Transaction::new();
    let state = match change {
        Change::Confirm if !user.machine && (owner.is_none() || is_theirs) => {
            confirm(operator, &mut transaction, &user, &address, &key);
            "confirmed"
        }
        Change::Primary if is_theirs && is_confirmed => {
            emails::choose(&mut transaction, &user, &address, &key, &operator.by);
            "where mail goes"
        }
        Change::Remove if is_theirs => {
            remove(operator, &mut transaction, &user, &address, &key);
            "removed"
        }
        Change::Confirm if user.machine => {
            return refuse(format!("{name} is a service account, which has no address.", name = user.name));
        }
        Change::Confirm => return refuse(format!("{address} is the address of another user.")),
        Change::Primary if is_theirs => {
            return refuse(format!("{address} is not confirmed (`email {} {address} confirm`).", user.name));
        }
        Change::Primary | Change::Remove => return refuse(format!("{} has no address {address}.", user.name)),
    };
    operator.commit(transaction).await?;
    Ok(vec![row([("name", user.name.into()), ("address", address.into()), ("state", state.into())])].into())
}

/// Makes an address usable. It is not proved by it: no link that was mailed there was opened. A user who waited for it
/// is active from then on.
fn confirm(operator: &Operator, transaction: &mut Transaction, user: &User, address: &str, key: &str) {
    let record = |action| recorded(operator, user, action, address);
    transaction.run([
        Statement::new(
            "insert into emails (user_id, address, key, created_at) values (?1, ?2, ?3, ?4) on conflict (key) do nothing",
        )
        .bind(user.id)
        .bind(address)
        .bind(key)
        .bind(operator.now),
        record(AuditAction::UserEmailAdd),
        Statement::new("update emails set confirmed_at = ?3 where user_id = ?1 and key = ?2 and confirmed_at is null")
            .bind(user.id)
            .bind(key)
            .bind(operator.now),
        record(AuditAction::UserEmailConfirm),
        Statement::new(
            "update users set status = 'active' where id = ?1 and status = 'unconfirmed'
               and exists (select 1 from emails where user_id = ?1 and key = ?2)",
        )
        .bind(user.id)
        .bind(key),
        audit::record(
            &operator.by,
            AuditAction::UserStatusChange,
            Account::Of(user.id),
            &user.name,
            &[("status", "active")],
        ),
    ]);
}

/// Takes an address away, also the last one. A link that sets the password may have been mailed there.
fn remove(operator: &Operator, transaction: &mut Transaction, user: &User, address: &str, key: &str) {
    transaction.run([
        Statement::new("delete from links where user_id = ?1 and email_id is null").bind(user.id),
        Statement::new("delete from emails where user_id = ?1 and key = ?2").bind(user.id).bind(key),
        recorded(operator, user, AuditAction::UserEmailRemove, address),
    ]);
}

fn recorded(operator: &Operator, user: &User, action: AuditAction, address: &str) -> Statement {
    audit::record(&operator.by, action, Account::Of(user.id), &user.name, &[("email", &names::masked(address))])
}
