//! Users and their e-mails.

use crate::{
    domain::{Secret, credential::CredentialId, throttle::Failures},
    store::{
        Row, Statement,
        audit::{self, Account as AuditAccount, AuditContext},
        rate_counters::Counter,
    },
};

/// What is read of somebody who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Never given twice.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// A machine has no password.
    pub machine: bool,
    /// Only an active user may do anything.
    pub active: bool,
    /// Administrates the whole index.
    pub administrator: bool,
    /// PHC string.
    pub password: Option<Secret>,
    /// Which password this is.
    pub epoch: i64,
}

impl User {
    /// The user of a row, if there is one in it.
    #[must_use]
    pub fn of(row: &Row) -> Option<Self> {
        Some(Self {
            id: row.maybe_integer("user_id")?,
            name: row.text("user_name").to_owned(),
            machine: row.text("kind") == "machine",
            active: row.text("status") == "active",
            administrator: row.flag("administrator"),
            password: row.maybe_text("password").map(Secret::new),
            epoch: row.integer("epoch"),
        })
    }
}

/// The status that counts, of a user `$user`: a machine of somebody's own namespace is active only while they are.
macro_rules! status {
    ($user:literal) => {
        concat!(
            "coalesce((select o.status from namespaces n join users o on o.id = n.owner_id where n.id = ",
            $user,
            ".machine_of and ",
            $user,
            ".status = 'active'), ",
            $user,
            ".status)"
        )
    };
}
pub(super) use status;

/// The columns that [`User::of`] reads, of a user `u`.
macro_rules! user_columns {
    () => {
        concat!(
            "u.id user_id, u.name user_name, u.kind, ",
            $crate::store::users::status!("u"),
            " status, u.administrator, u.password, u.epoch"
        )
    };
}
pub(super) use user_columns;

/// Somebody who shows a password, with the failures that count against the name; always one row.
///
/// Where there is no such user, or none with a password, `example` is what is stored of the next name that has
/// one: hashes of earlier settings cost what they cost, and an answer that costs another tells who exists.
#[must_use]
pub fn with_failures(name: &str, address: &str) -> Statement {
    Statement::new(concat!(
        "select ",
        user_columns!(),
        ",
           f.count address_count, f.last_at address_last_at, g.count name_count, g.last_at name_last_at,
           case when u.password is null then coalesce(
             (select password from users where password is not null and name >= ?1 order by name limit 1),
             (select password from users where password is not null order by name limit 1)) end example
         from (select ?1 as name) typed
         left join users u on u.name = typed.name
         left join failures f on f.name = typed.name and f.address = ?2
         left join failures g on g.name = typed.name and g.address = ''"
    ))
    .bind(name)
    .bind(address)
}

/// Somebody by id, who shows their password once more: the same.
#[must_use]
pub fn again_with_failures(id: i64, address: &str) -> Statement {
    Statement::new(
        "select u.id user_id, u.name user_name, u.kind, u.status, u.administrator, u.password, u.epoch,
           f.count address_count, f.last_at address_last_at, g.count name_count, g.last_at name_last_at
         from users u
         left join failures f on f.name = u.name and f.address = ?2
         left join failures g on g.name = u.name and g.address = ''
         where u.id = ?1",
    )
    .bind(id)
    .bind(address)
}

/// The failures of such a row: from the address, and from anywhere.
#[must_use]
pub fn failures(row: &Row) -> (Failures, Failures) {
    let read = |count: &str, last_at: &str| Failures { count: row.integer(count), last_at: row.integer(last_at) };
    (read("address_count", "address_last_at"), read("name_count", "name_last_at"))
}

/// Whose a credential is, with the access token that it names (`token_*`).
#[must_use]
pub fn by_credential(credential: CredentialId) -> Statement {
    let (user, token) = match credential {
        CredentialId::Anonymous => (0, None),
        CredentialId::Password { user, .. } => (user, None),
        CredentialId::AccessToken { user, token } => (user, Some(token)),
    };
    Statement::new(concat!(
        "select ",
        user_columns!(),
        ",
           t.id token_id, t.scopes token_scopes, t.resources token_resources, t.is_active token_active,
           t.expires_at token_expires_at, t.used_at token_used_at
         from users u left join access_tokens t on t.id = ?2 and t.user_id = u.id where u.id = ?1"
    ))
    .bind(user)
    .bind(token)
}

/// Whose an access token is, by its hash (`token_*`), under this name. The earlier secret of a renewed one ends when
/// it is no longer good beside the new one.
#[must_use]
pub fn with_access_token(name: &str, hash: &str) -> Statement {
    Statement::new(concat!(
        "select ",
        user_columns!(),
        ",
           t.id token_id, t.scopes token_scopes, t.resources token_resources, t.is_active token_active,
           iif(t.hash = ?2, t.expires_at, min(t.previous_until, ifnull(t.expires_at, t.previous_until))) token_expires_at,
           t.used_at token_used_at
         from access_tokens t join users u on u.id = t.user_id
         where (t.hash = ?2 or t.previous_hash = ?2) and u.name = ?1"
    ))
    .bind(name)
    .bind(hash)
}

/// When a user joined, and their primary e-mail: `created_at`, `address`.
#[must_use]
pub fn profile(id: i64) -> Statement {
    Statement::new(
        "select u.created_at, (select address from emails where user_id = u.id and confirmed_at is not null
           order by chosen_at desc nulls last, confirmed_at, id limit 1) address
         from users u where u.id = ?1",
    )
    .bind(id)
}

/// Somebody by name.
#[must_use]
pub fn by_name(name: &str) -> Statement {
    Statement::new(concat!(
        "select ",
        user_columns!(),
        "
         from users u where u.name = ?1"
    ))
    .bind(name)
}

/// Whether a name and an e-mail are taken: `name_taken`, `email_taken`. A name that was somebody's does not come back.
#[must_use]
pub fn taken(name: &str, email_key: &str) -> Statement {
    Statement::new(
        "select exists (select 1 from users where name = ?1) or exists (select 1 from namespaces where name = ?1)
             or exists (select 1 from retired_names where name = ?1) as name_taken,
           exists (select 1 from emails where key = ?2) as email_taken",
    )
    .bind(name)
    .bind(email_key)
}

/// A new account.
pub struct Account<'a> {
    /// The user's name.
    pub name: &'a str,
    /// PHC string.
    pub password: &'a str,
    /// As it was given.
    pub email: &'a str,
    /// In lower case.
    pub email_key: &'a str,
    /// Whether both are usable at once.
    pub confirmed: bool,
    /// Seconds since 1970.
    pub now: i64,
    /// From where.
    pub from: &'a str,
    /// The most accounts that are made in an hour from there, and from anywhere.
    pub most: (i64, i64),
}

/// Makes an account with its namespace and its e-mail, unless the name or the e-mail is taken, or too
/// many were counted by [`rate_counters::increment`](super::rate_counters::increment), which goes before it. The
/// last statement tells whether it did, by the stored password, which no other account has:
/// `user_id`, `email_id`.
#[must_use]
pub fn register(account: &Account<'_>) -> Vec<Statement> {
    let status = if account.confirmed { "active" } else { "unconfirmed" };
    let (actor, address) = (account.name.to_owned(), account.from.to_owned());
    let by = AuditContext {
        actor,
        credential: CredentialId::Anonymous,
        address,
        now: account.now,
        millis: account.now * 1000,
    };
    vec![
        Statement::new(
            "insert into users (name, status, password, created_at)
             select ?1, ?2, ?3, ?4
             where not exists (select 1 from namespaces where name = ?1)
               and not exists (select 1 from retired_names where name = ?1)
               and not exists (select 1 from emails where key = ?5)
               and not exists (select 1 from failures where name = ?6
                 and (address = ?7 and count > ?8 or address = '' and count > ?9))
             on conflict (name) do nothing",
        )
        .bind(account.name)
        .bind(status)
        .bind(account.password)
        .bind(account.now)
        .bind(account.email_key)
        .bind(Counter::Registrations.name())
        .bind(account.from)
        .bind(account.most.0)
        .bind(account.most.1),
        Statement::new(
            "insert into namespaces (name, owner_id, created_at)
             select name, id, ?3 from users where name = ?1 and password = ?2",
        )
        .bind(account.name)
        .bind(account.password)
        .bind(account.now),
        audit::record(&by, "user.create", AuditAccount::Named(account.name), account.name, &[("status", status)]),
        Statement::new(
            "insert into emails (user_id, address, key, confirmed_at, created_at)
             select id, ?3, ?4, ?5, ?6 from users where name = ?1 and password = ?2",
        )
        .bind(account.name)
        .bind(account.password)
        .bind(account.email)
        .bind(account.email_key)
        .bind(account.confirmed.then_some(account.now))
        .bind(account.now),
        Statement::new(
            "select u.id user_id, e.id email_id from users u join emails e on e.user_id = u.id
             where u.name = ?1 and u.password = ?2 and e.key = ?3",
        )
        .bind(account.name)
        .bind(account.password)
        .bind(account.email_key),
    ]
}

/// Sets a password, unless the e-mail that goes with it is somebody else's. What was given out under
/// the old one ends: links and refresh tokens here, other tokens by the epoch.
#[must_use]
pub fn set_password(user: &User, password: &str, email_key: Option<&str>, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new(
            "update users set password = ?2, epoch = epoch + 1 where id = ?1
             and not exists (select 1 from emails where key = ?3 and user_id <> ?1)",
        )
        .bind(user.id)
        .bind(password)
        .bind(email_key),
        audit::record(by, "user.password.change", AuditAccount::Of(user.id), &user.name, &[]),
        Statement::new(
            "delete from links where user_id = ?1
             and exists (select 1 from users where id = ?1 and password = ?2)",
        )
        .bind(user.id)
        .bind(password),
        Statement::new(
            "delete from refresh_tokens where user_id = ?1
             and exists (select 1 from users where id = ?1 and password = ?2)",
        )
        .bind(user.id)
        .bind(password),
    ]
}

/// Stores the same password hashed anew, unless it has changed meanwhile.
#[must_use]
pub fn rehash(user: i64, from: &str, to: &str) -> Statement {
    Statement::new("update users set password = ?3 where id = ?1 and password = ?2").bind(user).bind(from).bind(to)
}

/// Seconds after which what nobody confirmed lapses.
pub const UNCONFIRMED: i64 = 24 * 60 * 60;

/// Removes accounts and e-mails that nobody confirmed in 24 hours, at most so many of each; the names are
/// free again.
#[must_use]
pub fn lapse(now: i64, most: i64) -> Vec<Statement> {
    vec![
        Statement::new(
            "delete from users where id in (
               select id from users where status = 'unconfirmed' and created_at <= ?1 limit ?2) returning 1",
        )
        .bind(now - UNCONFIRMED)
        .bind(most),
        Statement::new(
            "delete from emails where id in (
               select id from emails where confirmed_at is null and created_at <= ?1 limit ?2) returning 1",
        )
        .bind(now - UNCONFIRMED)
        .bind(most),
    ]
}
