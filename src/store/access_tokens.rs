//! Access tokens.

use constcat::concat;

use crate::{
    domain::token_restrictions::TokenRestrictions,
    refusal::Fault,
    store::{
        FromRow, Keyed, Row, Statement, Value,
        audit::{self, Account, AuditContext},
        repositories::whole,
        roles::{Subject, WITH_ROLE},
    },
};

/// An access token as it bears on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Never given twice.
    pub id: i64,
    /// What it allows.
    pub restrictions: TokenRestrictions,
    /// When it was last used, roughly.
    pub used_at: Option<i64>,
    active: bool,
    expires_at: Option<i64>,
}

impl FromRow for AccessToken {
    fn from_row(row: &mut Row) -> Result<Self, Fault> {
        let (scopes, resources) = (row.get::<String>("token_scopes")?, row.get::<Option<String>>("token_resources")?);
        Ok(Self {
            id: row.get("token_id")?,
            restrictions: TokenRestrictions::stored(&scopes, resources.as_deref()),
            used_at: row.get("token_used_at")?,
            active: row.get("token_active")?,
            expires_at: row.get("token_expires_at")?,
        })
    }
}

impl Keyed for AccessToken {
    const KEY: &'static str = "token_id";
}

impl AccessToken {
    /// Whether it opens anything now.
    #[must_use]
    pub fn is_good(&self, now: i64) -> bool {
        self.active && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// Notes that a token was used.
#[must_use]
pub fn used(id: i64, now: i64) -> Statement {
    Statement::new("update access_tokens set used_at = ?2 where id = ?1").bind(id).bind(now)
}

/// A new access token.
pub struct New<'a> {
    /// Its public name.
    pub uuid: &'a str,
    /// Whose rights it has.
    pub user_id: i64,
    /// The name of that user.
    pub user: &'a str,
    /// SHA-256 of the secret.
    pub hash: &'a str,
    /// What people call it.
    pub label: &'a str,
    /// JSON list, as it was sent.
    pub scopes: &'a str,
    /// JSON list.
    pub resources: Option<&'a str>,
    /// Seconds since 1970.
    pub expires_at: Option<i64>,
    /// As it was sent, or as it was decided.
    pub expires_text: Option<&'a str>,
    /// The fewest days of the warnings that it needs no more.
    pub warned: Option<i64>,
    /// Who made it.
    pub by: &'a AuditContext,
    /// With what.
    pub creator_ua: &'a str,
    /// The most that a user may have.
    pub most: i64,
}

/// Keeps a new token, unless its user has the most already; gives it back if it did.
#[must_use]
pub fn create(new: &New<'_>) -> Vec<Statement> {
    let insert = Statement::new(
        "insert into access_tokens (uuid, user_id, hash, label, scopes, resources, expires_at, expires_text,
           created_by, creator_ip, creator_ua, created_at, warned_days)
         select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?14
         where (select count(*) from (select 1 from access_tokens where user_id = ?2 limit ?13)) < ?13",
    )
    .bind(new.uuid)
    .bind(new.user_id)
    .bind(new.hash)
    .bind(new.label)
    .bind(new.scopes)
    .bind(new.resources)
    .bind(new.expires_at)
    .bind(new.expires_text)
    .bind(new.by.actor.as_str())
    .bind(new.by.address.as_str())
    .bind(new.creator_ua)
    .bind(new.by.now)
    .bind(new.most)
    .bind(new.warned);
    let told = [("user", new.user), ("label", new.label), ("scopes", new.scopes)];
    let told = audit::record(new.by, "org.access_token.create", Account::Of(new.user_id), new.uuid, &told);
    vec![insert, told, by_uuid(&TokenOwner::User(new.user_id), new.uuid)]
}

/// Whose tokens are meant.
pub enum TokenOwner<'a> {
    /// Those of the user of this id.
    User(i64),
    /// Those of a machine: its namespace and its name.
    Machine(&'a str, &'a str),
}

impl TokenOwner<'_> {
    fn bind_to(&self, statement: Statement) -> Statement {
        match *self {
            Self::User(id) => statement.bind(id).bind(Value::Null).bind(Value::Null),
            Self::Machine(namespace, name) => statement.bind(Value::Null).bind(namespace).bind(name),
        }
    }
}

/// The user of such three parameters.
macro_rules! token_owner {
    () => {
        "coalesce(?1, (select u.id from namespaces n join users u on u.machine_of = n.id
           where n.name = ?2 and u.name = ?3))"
    };
}

/// One token.
#[must_use]
pub fn by_uuid(owner: &TokenOwner<'_>, uuid: &str) -> Statement {
    let sql = concat!("select * from access_tokens where user_id = ", token_owner!(), " and uuid = ?4");
    owner.bind_to(Statement::new(sql)).bind(uuid)
}

/// The statement of lists over the user of `asked`, which stands `$before` it.
macro_rules! listed {
    ($before:expr, $limit:literal) => {
        concat!(
            $before,
            " select c.count, c.active_count, t.* from
               (select count(*) count, ifnull(sum(is_active), 0) active_count from access_tokens
                  where user_id = (select user_id from asked)) c
             left join (select * from access_tokens where user_id = (select user_id from asked)
                  order by id desc limit ",
            $limit,
            ") t on true
             order by t.id desc"
        )
    };
}

/// A page of the tokens of a user, the newest first, with `count` and `active_count` in every row; a page past the
/// end is one row without a `uuid`.
#[must_use]
pub fn list(user: i64, limit: i64, offset: i64) -> Statement {
    let sql = listed!("with asked as (select ?1 user_id)", "?2 offset ?3");
    Statement::new(sql).bind(user).bind(limit).bind(offset)
}

/// The same of a machine, for the admins of its namespace.
#[must_use]
pub fn list_of_machine(namespace: &str, name: &str, subject: &Subject<'_>, limit: i64, offset: i64) -> Statement {
    let sql = listed!(
        concat!(
            WITH_ROLE,
            ", asked as (select m.id user_id from place p cross join users m on m.name = ?6
               where m.machine_of = p.namespace_id and p.role >= 3)"
        ),
        "?7 offset ?8"
    );
    whole(sql, namespace, subject).bind(name).bind(limit).bind(offset)
}

/// Changes the label or the state of a token; the last statement gives it as it is then.
#[must_use]
pub fn update(user: i64, uuid: &str, label: Option<&str>, active: Option<bool>, by: &AuditContext) -> Vec<Statement> {
    let mut told = Vec::new();
    if let Some(label) = label {
        told.push(("label", label));
    }
    if let Some(active) = active {
        told.push(("is_active", audit::flag(active)));
    }
    vec![
        Statement::new(
            "update access_tokens set label = ifnull(?3, label), is_active = ifnull(?4, is_active)
             where user_id = ?1 and uuid = ?2",
        )
        .bind(user)
        .bind(uuid)
        .bind(label)
        .bind(active),
        audit::record(by, "org.access_token.update", Account::Of(user), uuid, &told),
        by_uuid(&TokenOwner::User(user), uuid),
    ]
}

/// A new secret for a token.
pub struct Renewal<'a> {
    /// Whose it is.
    pub user: i64,
    /// Its public name.
    pub uuid: &'a str,
    /// SHA-256 of the secret that it has: another one means that somebody was quicker.
    pub from: &'a str,
    /// SHA-256 of the new one.
    pub to: &'a str,
    /// Until when the earlier one is good too; not at all without.
    pub previous_until: Option<i64>,
    /// Seconds since 1970.
    pub expires_at: Option<i64>,
    /// As it was sent, or as it was decided.
    pub expires_text: Option<&'a str>,
    /// The fewest days of the warnings that it needs no more.
    pub warned: Option<i64>,
}

/// Gives a token a new secret and a new end, and ends an earlier secret that was still good beside the one it had.
/// The last statement gives it as it is then; the one before gives a row if this renewed it.
#[must_use]
pub fn renew(renewal: &Renewal<'_>, by: &AuditContext) -> Vec<Statement> {
    let update = Statement::new(
        "update access_tokens set hash = ?4, previous_hash = iif(?5 is null, null, hash), previous_until = ?5,
           expires_at = ?6, expires_text = ?7, warned_days = ?8, renewed_at = ?9
         where user_id = ?1 and uuid = ?2 and hash = ?3 and is_active = 1",
    )
    .bind(renewal.user)
    .bind(renewal.uuid)
    .bind(renewal.from)
    .bind(renewal.to)
    .bind(renewal.previous_until)
    .bind(renewal.expires_at)
    .bind(renewal.expires_text)
    .bind(renewal.warned)
    .bind(by.now);
    let overlap = renewal.previous_until.map_or(0, |until| until - by.now).to_string();
    let told = [("expires_at", renewal.expires_text.unwrap_or_default()), ("overlap_seconds", &overlap)];
    vec![
        update,
        audit::record(by, "org.access_token.renew", Account::Of(renewal.user), renewal.uuid, &told),
        by_uuid(&TokenOwner::User(renewal.user), renewal.uuid),
    ]
}

/// Forgets earlier secrets that are no longer good, at most so many.
#[must_use]
pub fn forget_previous(now: i64, most: i64) -> Statement {
    Statement::new(
        "update access_tokens set previous_hash = null, previous_until = null
         where id in (select id from access_tokens where previous_until <= ?1 order by previous_until limit ?2)
         returning 1",
    )
    .bind(now)
    .bind(most)
}

/// Ends the token that somebody holds, whatever state it is in; the earlier secret of a renewed one ends alone.
/// Nothing, where there is none of this hash.
#[must_use]
pub fn revoke(hash: &str, address: &str, now: i64) -> Vec<Statement> {
    vec![
        Statement::new(
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?2, coalesce(u.machine_of, (select id from namespaces where owner_id = u.id)),
               'org.access_token.delete', t.uuid, u.name, 'access-token ' || t.uuid, ?3,
               iif(t.hash = ?1, '{}', json_object('secret', 'previous'))
             from access_tokens t join users u on u.id = t.user_id where t.hash = ?1 or t.previous_hash = ?1",
        )
        .bind(hash)
        .bind(now)
        .bind(address),
        Statement::new("update access_tokens set previous_hash = null, previous_until = null where previous_hash = ?1")
            .bind(hash),
        Statement::new("delete from access_tokens where hash = ?1").bind(hash),
    ]
}

/// Removes a token; the last statement gives a row if there was one.
#[must_use]
pub fn delete(user: i64, uuid: &str, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new("delete from access_tokens where user_id = ?1 and uuid = ?2").bind(user).bind(uuid),
        audit::record(by, "org.access_token.delete", Account::Of(user), uuid, &[]),
    ]
}
