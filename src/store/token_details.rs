//! Access tokens as their owners see them.

use constcat::concat;
use serde_json::Value;

use crate::{
    domain::UserId,
    store::{
        self, FromRow, Keyed, Page, Query, Row, Statement,
        repositories::bind_namespace,
        roles::{Subject, WITH_ROLE},
    },
};

/// An access token as its owner sees it: all but its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenDetails {
    /// Its public name.
    pub uuid: String,
    /// The user whose rights it has.
    pub user_id: UserId,
    /// What people call it.
    pub label: String,
    /// JSON list, as it was sent.
    pub scopes: Value,
    /// JSON list; without it, the token is for every repository of its user.
    pub resources: Option<Value>,
    /// An inactive one opens nothing.
    pub active: bool,
    /// When it ends, as it was sent, or as it was decided.
    pub expires_text: Option<String>,
    /// Until when the earlier secret of a renewed one stays valid.
    pub previous_until: Option<i64>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The name of the user who created it.
    pub created_by: String,
    /// The address from which it was created.
    pub creator_ip: String,
    /// The `User-Agent` of the request that created it.
    pub creator_ua: String,
    /// When it was last used, roughly.
    pub used_at: Option<i64>,
}

/// The columns of a [`TokenDetails`].
const DETAILS: &str = "uuid, user_id, label, scopes, resources, is_active, expires_text, previous_until, created_at,
   created_by, creator_ip, creator_ua, used_at";

impl FromRow for TokenDetails {
    fn from_row(row: &mut Row) -> Self {
        let resources = row.get::<Option<String>>("resources");
        Self {
            uuid: row.get("uuid"),
            user_id: row.get("user_id"),
            label: row.get("label"),
            scopes: row.json("scopes", &row.get::<String>("scopes")),
            resources: resources.map(|text| row.json("resources", &text)),
            active: row.get("is_active"),
            expires_text: row.get("expires_text"),
            previous_until: row.get("previous_until"),
            created_at: row.get("created_at"),
            created_by: row.get("created_by"),
            creator_ip: row.get("creator_ip"),
            creator_ua: row.get("creator_ua"),
            used_at: row.get("used_at"),
        }
    }
}

impl Keyed for TokenDetails {
    const KEY: &'static str = "uuid";
}

/// Whose tokens are meant.
pub enum TokenOwner<'a> {
    /// Those of the user of this id.
    User(UserId),
    /// Those of a service account: its namespace and its name.
    Machine(&'a str, &'a str),
}

impl TokenOwner<'_> {
    pub(super) fn bind_to(&self, statement: Statement) -> Statement {
        match *self {
            Self::User(id) => statement.bind(id).bind(store::Value::Null).bind(store::Value::Null),
            Self::Machine(namespace, name) => statement.bind(store::Value::Null).bind(namespace).bind(name),
        }
    }
}

/// The user of such parameters, `?1` to `?3`.
pub(super) const TOKEN_OWNER: &str = "coalesce(?1, (select u.id from namespaces n join users u on u.machine_of = n.id
   where n.name = ?2 and u.name = ?3))";

/// One token.
#[must_use]
pub fn by_uuid(owner: &TokenOwner<'_>, uuid: &str) -> Query<Option<TokenDetails>> {
    let sql = concat!("select ", DETAILS, " from access_tokens where user_id = ", TOKEN_OWNER, " and uuid = ?4");
    Query::optional(owner.bind_to(Statement::new(sql)).bind(uuid))
}

/// How many tokens a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCounts {
    /// All of them.
    pub count: i64,
    /// Those that are active.
    pub active_count: i64,
}

impl FromRow for TokenCounts {
    fn from_row(row: &mut Row) -> Self {
        Self { count: row.get("count"), active_count: row.get("active_count") }
    }
}

/// A page of the tokens of the user in the table `asked`, up to its limit and offset.
const LISTED: &str = concat!(
    " select c.count, c.active_count, ",
    DETAILS,
    " from
       (select count(*) count, ifnull(sum(is_active), 0) active_count from access_tokens
          where user_id = (select user_id from asked)) c
     left join (select id, ",
    DETAILS,
    " from access_tokens where user_id = (select user_id from asked) order by id desc limit "
);

/// The rest, after them.
const NEWEST_FIRST: &str = ") t on true order by t.id desc";

/// A page of the tokens of a user, the newest first.
#[must_use]
pub fn list(user: UserId, limit: i64, offset: i64) -> Query<Page<TokenDetails, TokenCounts>> {
    let sql = concat!("with asked as (select ?1 user_id)", LISTED, "?2 offset ?3", NEWEST_FIRST);
    Query::page(Statement::new(sql).bind(user).bind(limit).bind(offset))
}

/// The same of a service account, for the admins of its namespace.
#[must_use]
pub fn list_of_machine(
    namespace: &str,
    name: &str,
    subject: &Subject<'_>,
    limit: i64,
    offset: i64,
) -> Query<Page<TokenDetails, TokenCounts>> {
    let sql = concat!(
        WITH_ROLE,
        ", asked as (select m.id user_id from place p cross join users m on m.name = ?6
           where m.machine_of = p.namespace_id and p.role >= 3)",
        LISTED,
        "?7 offset ?8",
        NEWEST_FIRST
    );
    Query::page(bind_namespace(sql, namespace, subject).bind(name).bind(limit).bind(offset))
}
