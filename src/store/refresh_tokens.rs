//! Sessions: the refresh tokens that docker keeps instead of the password, and the cookies of browsers.

use constcat::concat;

use crate::{
    domain::{RefreshTokenId, UserId, audit::AuditAction},
    store::{
        FromRow, Query, Row, Statement, Step, Transaction,
        audit::{self, Account, AuditContext},
        users::{USER_COLUMNS, User},
    },
};

/// A new refresh token.
pub struct New<'a> {
    /// Its public name.
    pub uuid: &'a str,
    /// Whose it is.
    pub user_id: UserId,
    /// SHA-256 of the secret.
    pub hash: &'a str,
    /// `client_id`, as it was sent.
    pub client: &'a str,
    /// What keeps it.
    pub kind: Kind,
    /// Who logs in.
    pub by: &'a AuditContext,
    /// The most that a user may have; the least used of more go.
    pub most: i64,
}

/// What keeps a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Docker, a refresh token.
    Docker,
    /// A browser, a cookie.
    Browser,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Browser => "browser",
        }
    }
}

/// The least used of a user (`?1`), beyond the most that they may have (`?2`).
const BEYOND: &str = "user_id = ?1 and id in (
   select id from refresh_tokens where user_id = ?1 order by used_at desc, id desc limit -1 offset ?2)";

/// Keeps a new one.
#[must_use]
pub fn create(new: &New<'_>) -> Vec<Statement> {
    vec![
        Statement::new(
            "insert into refresh_tokens (uuid, user_id, hash, client, address, created_at, used_at, kind, authenticated_at)
             select ?1, id, ?3, ?4, ?5, ?6, ?6, ?7, iif(?7 = 'browser', ?6, null) from users where id = ?2",
        )
        .bind(new.uuid)
        .bind(new.user_id)
        .bind(new.hash)
        .bind(new.client)
        .bind(new.by.address.as_str())
        .bind(new.by.now)
        .bind(new.kind.as_str()),
        audit::record(
            new.by,
            AuditAction::UserRefreshTokenCreate,
            Account::Of(new.user_id),
            new.uuid,
            &[("client", new.client)],
        ),
        Statement::new(concat!(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?3, (select id from namespaces where owner_id = ?1), 'user.refresh_token.delete', uuid, ?4,
               'password', ?5 from refresh_tokens where ",
            BEYOND
        ))
        .bind(new.user_id)
        .bind(new.most)
        .bind(new.by.now)
        .bind(new.by.actor.as_str())
        .bind(new.by.address.as_str()),
        Statement::new(concat!("delete from refresh_tokens where ", BEYOND)).bind(new.user_id).bind(new.most),
    ]
}

/// Whose a refresh token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub user: User,
    /// The id of the token.
    pub id: RefreshTokenId,
    /// When it was last used, roughly.
    pub used_at: i64,
}

impl FromRow for Holder {
    fn from_row(row: &mut Row) -> Self {
        Self { user: User::from_row(row), id: row.get("refresh_id"), used_at: row.get("refresh_used_at") }
    }
}

/// The user of one that is not too old (`unused` and `age` in seconds).
#[must_use]
pub fn user(hash: &str, now: i64, unused: i64, age: i64) -> Query<Option<Holder>> {
    let sql = concat!(
        "select ",
        USER_COLUMNS,
        ", t.id refresh_id, t.used_at refresh_used_at
         from refresh_tokens t join users u on u.id = t.user_id
         where t.hash = coalesce(?1, '') and t.used_at > ?2 - ?3 and t.created_at > ?2 - ?4"
    );
    Query::optional(Statement::new(sql).bind(hash).bind(now).bind(unused).bind(age))
}

/// Whose the cookie of a browser is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserHolder {
    /// The user.
    pub user: User,
    /// The session.
    pub session: BrowserSession,
    /// When it was last used, roughly.
    pub used_at: i64,
}

/// The session of a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserSession {
    /// Its id.
    pub id: RefreshTokenId,
    /// Its public name.
    pub uuid: String,
    /// When the password was typed last; seconds since 1970.
    pub authenticated_at: i64,
    /// What the administrators have to say on every page.
    pub notice: Option<String>,
}

impl FromRow for BrowserHolder {
    fn from_row(row: &mut Row) -> Self {
        Self {
            user: User::from_row(row),
            session: BrowserSession {
                id: row.get("session_id"),
                uuid: row.get("session_uuid"),
                authenticated_at: row.get("session_authenticated_at"),
                notice: row.get("notice"),
            },
            used_at: row.get("session_used_at"),
        }
    }
}

/// The user of a cookie that names them and is not too old (`unused` and `age` in seconds).
#[must_use]
pub fn browser(hash: &str, user: UserId, now: i64, unused: i64, age: i64) -> Query<Option<BrowserHolder>> {
    let sql = concat!(
        "select ",
        USER_COLUMNS,
        ", t.id session_id, t.uuid session_uuid, t.authenticated_at session_authenticated_at, t.used_at session_used_at,
           (select text from notices order by id desc limit 1) notice
         from refresh_tokens t join users u on u.id = t.user_id
         where t.hash = coalesce(?1, '') and t.user_id = ?2 and t.kind = 'browser' and t.used_at > ?3 - ?4
           and t.created_at > ?3 - ?5"
    );
    Query::optional(Statement::new(sql).bind(hash).bind(user).bind(now).bind(unused).bind(age))
}

/// Notes that the password was typed again.
#[must_use]
pub fn authenticated(id: RefreshTokenId, now: i64) -> Statement {
    Statement::new("update refresh_tokens set authenticated_at = ?2 where id = ?1").bind(id).bind(now)
}

/// Gives one a name; gives whether there was one.
pub fn name(transaction: &mut Transaction, user: UserId, uuid: &str, label: &str) -> Step<bool> {
    let update = "update refresh_tokens set label = ?3 where user_id = ?1 and uuid = ?2 returning id";
    transaction.read(Query::any(Statement::new(update).bind(user).bind(uuid).bind(label)))
}

/// Notes that one was used.
#[must_use]
pub fn used(id: RefreshTokenId, now: i64) -> Statement {
    Statement::new("update refresh_tokens set used_at = ?2 where id = ?1").bind(id).bind(now)
}

/// A refresh token as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its public name.
    pub uuid: String,
    /// `client_id`, as it was sent; of a browser, its name and system.
    pub client: String,
    /// Whether a browser keeps it, and not docker.
    pub is_browser: bool,
    /// The name that its user gave it; empty if none.
    pub label: String,
    /// From where the user logged in.
    pub address: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970, roughly.
    pub used_at: i64,
}

impl FromRow for RefreshToken {
    fn from_row(row: &mut Row) -> Self {
        Self {
            uuid: row.get("uuid"),
            client: row.get("client"),
            is_browser: row.get("is_browser"),
            label: row.get("label"),
            address: row.get("address"),
            created_at: row.get("created_at"),
            used_at: row.get("used_at"),
        }
    }
}

/// Those of a user that are not too old, the last used first.
#[must_use]
pub fn list(user: UserId, now: i64, unused: i64, age: i64) -> Query<Vec<RefreshToken>> {
    let sql =
        "select uuid, client, kind = 'browser' is_browser, label, address, created_at, used_at from refresh_tokens
       where user_id = ?1 and used_at > ?2 - ?3 and created_at > ?2 - ?4 order by used_at desc, id desc";
    Query::all(Statement::new(sql).bind(user).bind(now).bind(unused).bind(age))
}

/// Whether a user has this one.
#[must_use]
pub fn by_uuid(user: UserId, uuid: &str) -> Query<bool> {
    let sql = "select id from refresh_tokens where user_id = ?1 and uuid = ?2";
    Query::any(Statement::new(sql).bind(user).bind(uuid))
}

/// Removes one; gives whether there was one.
pub fn delete(transaction: &mut Transaction, user: UserId, uuid: &str, by: &AuditContext) -> Step<bool> {
    let delete = "delete from refresh_tokens where user_id = ?1 and uuid = ?2";
    transaction.run([Statement::new(delete).bind(user).bind(uuid)]);
    let record = audit::record(by, AuditAction::UserRefreshTokenDelete, Account::Of(user), uuid, &[]);
    transaction.read(Query::any(record))
}

/// Removes those of a user but for this one.
#[must_use]
pub fn delete_others(user: UserId, uuid: &str, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?3, (select id from namespaces where owner_id = ?1), 'user.refresh_token.delete', uuid, ?4,
               'password', ?5 from refresh_tokens where user_id = ?1 and uuid <> ?2",
        )
        .bind(user)
        .bind(uuid)
        .bind(by.now)
        .bind(by.actor.as_str())
        .bind(by.address.as_str()),
        Statement::new("delete from refresh_tokens where user_id = ?1 and uuid <> ?2").bind(user).bind(uuid),
    ]
}

/// Revokes the refresh token with this hash. No row if there is none.
#[must_use]
pub fn revoke(hash: &str, address: &str, now: i64) -> Vec<Statement> {
    vec![
        Statement::new(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?2, (select id from namespaces where owner_id = u.id), 'user.refresh_token.delete', t.uuid, u.name,
               'refresh-token ' || t.uuid, ?3
             from refresh_tokens t join users u on u.id = t.user_id where t.hash = ?1",
        )
        .bind(hash)
        .bind(now)
        .bind(address),
        Statement::new("delete from refresh_tokens where hash = ?1").bind(hash),
    ]
}

/// Deletes those that have expired, at most `most`.
#[must_use]
pub fn expire(now: i64, unused: i64, age: i64, most: i64) -> Query<usize> {
    let sql = "delete from refresh_tokens where id in (
         select id from refresh_tokens where used_at <= ?1 - ?2 or created_at <= ?1 - ?3 limit ?4) returning 1";
    Query::number(Statement::new(sql).bind(now).bind(unused).bind(age).bind(most))
}
