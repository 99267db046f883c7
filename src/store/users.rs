//! Users.

use constcat::concat;

use crate::{
    domain::{Secret, UserId, audit::AuditAction, credential::CredentialId, throttle::Failures},
    error::Fault,
    store::{
        FromRow, Keyed, Query, Row, Rows, Statement, Step, Transaction,
        access_tokens::{AccessToken, TOKEN_COLUMNS},
        audit::{self, Account as AuditAccount, AuditContext},
        rate_counters::Counter,
    },
};

/// The columns of a principal's user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Never given twice.
    pub id: UserId,
    /// Its name.
    pub name: String,
    /// A service account has no password.
    pub machine: bool,
    /// Only an active user may do anything.
    pub active: bool,
    /// Administrates the whole index.
    pub administrator: bool,
    /// PHC string, where it is read.
    pub password: Option<Secret>,
    /// Which password this is.
    pub epoch: i64,
}

impl FromRow for User {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.get("user_id"),
            name: row.get("user_name"),
            machine: row.get::<String>("kind") == "machine",
            active: row.get::<String>("status") == "active",
            administrator: row.get("administrator"),
            password: row.get("password"),
            epoch: row.get("epoch"),
        }
    }
}

impl Keyed for User {
    const KEY: &'static str = "user_id";
}

/// The effective status of a user `u`: a service account of a user's own namespace is active only while they are.
pub(super) const STATUS: &str = "coalesce((select o.status from namespaces n join users o on o.id = n.owner_id
   where n.id = u.machine_of and u.status = 'active'), u.status)";

/// The columns of a [`User`], of a user `u`.
pub(super) const USER_COLUMNS: &str =
    concat!("u.id user_id, u.name user_name, u.kind, ", STATUS, " status, u.administrator, u.password, u.epoch");

/// The same of an active user `u`, without the password.
pub(super) const HOLDER_COLUMNS: &str =
    "u.id user_id, u.name user_name, u.kind, 'active' status, u.administrator, null password, u.epoch";

/// The user in the rows of a query that has its holder; `None` if there is no such user, or they are not active.
pub fn of_holder(rows: &mut Rows) -> Result<Option<User>, Fault> {
    let Some(row) = rows.first_mut() else { return Ok(None) };
    let user = row.joined();
    row.checked()?;
    Ok(user)
}

/// A password attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The user, if there is one of the name.
    pub user: Option<User>,
    /// What was refused of the name from the address.
    pub from_address: Failures,
    /// What was refused of the name from anywhere.
    pub from_anywhere: Failures,
    /// A stored password of another user, where this one has none.
    pub example: Option<String>,
}

impl FromRow for Attempt {
    fn from_row(row: &mut Row) -> Self {
        let failures = |count, last_at| {
            let read = |column| row.get::<Option<i64>>(column).unwrap_or_default();
            Failures { count: read(count), last_at: read(last_at) }
        };
        Self {
            from_address: failures("address_count", "address_last_at"),
            from_anywhere: failures("name_count", "name_last_at"),
            example: row.get("example"),
            user: row.joined(),
        }
    }
}

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub user: User,
    /// The access token, where it is one, or was issued under one.
    pub token: Option<AccessToken>,
}

impl FromRow for Holder {
    fn from_row(row: &mut Row) -> Self {
        Self { user: User::from_row(row), token: row.joined() }
    }
}

/// The user of a password attempt, with the failures that count against the name; always one row.
///
/// If there is no such user, or none with a password, `example` is the stored hash of the next name that has one:
/// hashes of earlier settings cost what they cost, and a response of another cost would reveal who exists.
#[must_use]
pub fn for_password_login(name: &str, address: &str) -> Query<Attempt> {
    let statement = Statement::new(concat!(
        "select ",
        USER_COLUMNS,
        ",
           f.count address_count, f.last_at address_last_at, g.count name_count, g.last_at name_last_at,
           case when u.password is null then coalesce(
             (select password from users where password is not null and name >= coalesce(?1, '') order by name limit 1),
             (select password from users where password is not null order by name limit 1)) end example
         from (select coalesce(?1, '') as name) typed
         left join users u on u.name = typed.name
         left join failures f on f.name = typed.name and f.address = coalesce(?2, '')
         left join failures g on g.name = typed.name and g.address = ''"
    ));
    Query::one(statement.bind(name).bind(address))
}

/// The user with this id, whose password is verified again: the same.
#[must_use]
pub fn for_password_login_again(id: UserId, address: &str) -> Query<Option<Attempt>> {
    let statement = Statement::new(
        "select u.id user_id, u.name user_name, u.kind, u.status, u.administrator, u.password, u.epoch,
           f.count address_count, f.last_at address_last_at, g.count name_count, g.last_at name_last_at,
           null example
         from users u
         left join failures f on f.name = u.name and f.address = ?2
         left join failures g on g.name = u.name and g.address = ''
         where u.id = ?1",
    );
    Query::optional(statement.bind(id).bind(address))
}

/// The user of a credential, with the access token that it names (`token_*`). It is not compiled each time: see
/// `roles::LOOKED_UP_BY_ID`.
#[must_use]
pub fn by_credential(credential: CredentialId) -> Query<Option<Holder>> {
    let (user, token) = match credential {
        CredentialId::Anonymous => (UserId::NONE, None),
        CredentialId::Password { user, .. } => (user, None),
        CredentialId::AccessToken { user, token } => (user, Some(token)),
    };
    let statement = Statement::new(concat!(
        "select ",
        USER_COLUMNS,
        ", ",
        TOKEN_COLUMNS,
        ", t.expires_at token_expires_at
         from users u left join access_tokens t on t.id = coalesce(?2, 0) and t.user_id = u.id
         where u.id = coalesce(?1, 0)"
    ));
    Query::optional(statement.bind(user).bind(token))
}

/// Whose an access token is, by its hash (`token_*`), under this name. The earlier secret of a renewed one ends when
/// it is no longer good beside the new one.
#[must_use]
pub fn with_access_token(name: &str, hash: &str) -> Query<Option<Holder>> {
    let statement = Statement::new(concat!(
        "select ",
        USER_COLUMNS,
        ", ",
        TOKEN_COLUMNS,
        ", iif(t.hash = ?2, t.expires_at, min(t.previous_until, ifnull(t.expires_at, t.previous_until))) token_expires_at
         from access_tokens t join users u on u.id = t.user_id
         where (t.hash = coalesce(?2, '') or t.previous_hash = coalesce(?2, '')) and u.name = coalesce(?1, '')"
    ));
    Query::optional(statement.bind(name).bind(hash))
}

/// A user's profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Seconds since 1970.
    pub created_at: i64,
    /// The primary address.
    pub address: Option<String>,
}

impl FromRow for Profile {
    fn from_row(row: &mut Row) -> Self {
        Self { created_at: row.get("created_at"), address: row.get("address") }
    }
}

/// When a user joined, and their primary e-mail.
#[must_use]
pub fn profile(id: UserId) -> Query<Option<Profile>> {
    let sql = "select u.created_at, (select address from emails where user_id = u.id and confirmed_at is not null
         order by chosen_at desc nulls last, confirmed_at, id limit 1) address
       from users u where u.id = ?1";
    Query::optional(Statement::new(sql).bind(id))
}

/// The user with this name.
#[must_use]
pub fn by_name(name: &str) -> Query<Option<User>> {
    let sql = concat!("select ", USER_COLUMNS, " from users u where u.name = ?1");
    Query::optional(Statement::new(sql).bind(name))
}

/// What of an account is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The name: a user has it, or had it.
    pub name: bool,
    /// The e-mail.
    pub email: bool,
}

impl FromRow for Taken {
    fn from_row(row: &mut Row) -> Self {
        Self { name: row.get("name_taken"), email: row.get("email_taken") }
    }
}

/// Whether a name and an e-mail are taken. A name of a deleted user stays taken.
#[must_use]
pub fn is_taken(name: &str, email_key: &str) -> Query<Taken> {
    let sql = "select exists (select 1 from users where name = ?1) or exists (select 1 from namespaces where name = ?1)
           or exists (select 1 from retired_names where name = ?1) as name_taken,
         exists (select 1 from emails where key = ?2) as email_taken";
    Query::one(Statement::new(sql).bind(name).bind(email_key))
}

/// A new account.
pub struct NewUser<'a> {
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

/// Creates a user with their namespace and their e-mail, unless the name or the e-mail is taken, or a quota of
/// [`rate_counters::increment`](super::rate_counters::increment), which goes before it, is exceeded. [`is_registered`]
/// returns whether it did.
#[must_use]
pub fn register(account: &NewUser<'_>) -> Vec<Statement> {
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
        audit::record(
            &by,
            AuditAction::UserCreate,
            AuditAccount::Named(account.name),
            account.name,
            &[("status", status)],
        ),
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
    ]
}

/// Whether [`register`] made this account: by the stored password, which no other account has.
#[must_use]
pub fn is_registered(account: &NewUser<'_>) -> Query<bool> {
    let sql = "select 1 from users u join emails e on e.user_id = u.id
       where u.name = ?1 and u.password = ?2 and e.key = ?3";
    Query::any(Statement::new(sql).bind(account.name).bind(account.password).bind(account.email_key))
}

/// Sets a password, unless the e-mail that goes with it is another user's. What was issued under the old one is
/// revoked: links and refresh tokens here, other tokens by the epoch.
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
        audit::record(by, AuditAction::UserPasswordChange, AuditAccount::Of(user.id), &user.name, &[]),
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

/// Stores a new hash of the same password, unless the password has changed meanwhile.
#[must_use]
pub fn rehash(user: UserId, from: &str, to: &str) -> Statement {
    Statement::new("update users set password = ?3 where id = ?1 and password = ?2").bind(user).bind(from).bind(to)
}

/// Seconds after which an account or an e-mail lapses that was not confirmed.
pub const CONFIRMATION_TTL: i64 = 24 * 60 * 60;

/// Deletes users and e-mails that were not confirmed in 24 hours, at most `most` of each; the names are free again.
/// Returns how many of each were deleted.
pub fn expire_unconfirmed(transaction: &mut Transaction, now: i64, most: i64) -> [Step<usize>; 2] {
    [
        "delete from users where id in (
           select id from users where status = 'unconfirmed' and created_at <= ?1 limit ?2) returning 1",
        "delete from emails where id in (
           select id from emails where confirmed_at is null and created_at <= ?1 limit ?2) returning 1",
    ]
    .map(|sql| transaction.read(Query::number(Statement::new(sql).bind(now - CONFIRMATION_TTL).bind(most))))
}
