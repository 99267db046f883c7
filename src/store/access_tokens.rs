//! Access tokens.

use crate::{
    domain::limits::Limits,
    store::{
        Row, Statement, Value,
        audit::{self, Account, By},
    },
};

/// An access token as it bears on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Never given twice.
    pub id: i64,
    /// What it allows.
    pub limits: Limits,
    /// When it was last used, roughly.
    pub used_at: Option<i64>,
    active: bool,
    expires_at: Option<i64>,
}

impl AccessToken {
    /// The token of a row that has `token_*` columns, if there is one in it.
    #[must_use]
    pub fn of(row: &Row) -> Option<Self> {
        Some(Self {
            id: row.maybe_integer("token_id")?,
            limits: Limits::stored(row.text("token_scopes"), row.maybe_text("token_resources")),
            used_at: row.maybe_integer("token_used_at"),
            active: row.flag("token_active"),
            expires_at: row.maybe_integer("token_expires_at"),
        })
    }

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
    /// As it was sent.
    pub expires_text: Option<&'a str>,
    /// Who made it.
    pub by: &'a By,
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
           created_by, creator_ip, creator_ua, created_at)
         select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
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
    .bind(new.most);
    let told = [("user", new.user), ("label", new.label), ("scopes", new.scopes)];
    let told = audit::told(new.by, "org.access_token.create", Account::Of(new.user_id), new.uuid, &told);
    vec![insert, told, by_uuid(&Whose::User(new.user_id), new.uuid)]
}

/// Whose tokens are meant.
pub enum Whose<'a> {
    /// Those of the user of this id.
    User(i64),
    /// Those of a machine: its namespace and its name.
    Machine(&'a str, &'a str),
}

impl Whose<'_> {
    fn bind_to(&self, statement: Statement) -> Statement {
        match *self {
            Self::User(id) => statement.bind(id).bind(Value::Null).bind(Value::Null),
            Self::Machine(namespace, name) => statement.bind(Value::Null).bind(namespace).bind(name),
        }
    }
}

/// The user of such three parameters.
macro_rules! whose {
    () => {
        "coalesce(?1, (select u.id from namespaces n join users u on u.machine_of = n.id
           where n.name = ?2 and u.name = ?3))"
    };
}

/// One token.
#[must_use]
pub fn by_uuid(whose: &Whose<'_>, uuid: &str) -> Statement {
    let sql = concat!("select * from access_tokens where user_id = ", whose!(), " and uuid = ?4");
    whose.bind_to(Statement::new(sql)).bind(uuid)
}

/// A page of tokens, the newest first, with `count` and `active_count` in every row; a page past the
/// end is one row without a `uuid`.
#[must_use]
pub fn list(whose: &Whose<'_>, limit: i64, offset: i64) -> Statement {
    let sql = concat!(
        "with asked as (select ",
        whose!(),
        " user_id)
         select c.count, c.active_count, t.* from
           (select count(*) count, ifnull(sum(is_active), 0) active_count from access_tokens
              where user_id = (select user_id from asked)) c
         left join (select * from access_tokens where user_id = (select user_id from asked)
              order by id desc limit ?4 offset ?5) t on true
         order by t.id desc"
    );
    whose.bind_to(Statement::new(sql)).bind(limit).bind(offset)
}

/// Changes the label or the state of a token; the last statement gives it as it is then.
#[must_use]
pub fn update(user: i64, uuid: &str, label: Option<&str>, active: Option<bool>, by: &By) -> Vec<Statement> {
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
        audit::told(by, "org.access_token.update", Account::Of(user), uuid, &told),
        by_uuid(&Whose::User(user), uuid),
    ]
}

/// Removes a token; the last statement gives a row if there was one.
#[must_use]
pub fn delete(user: i64, uuid: &str, by: &By) -> Vec<Statement> {
    vec![
        Statement::new("delete from access_tokens where user_id = ?1 and uuid = ?2").bind(user).bind(uuid),
        audit::told(by, "org.access_token.delete", Account::Of(user), uuid, &[]),
    ]
}
