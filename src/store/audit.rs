//! Who did what. Each row is inserted in the transaction of the change that it records, directly after it, if that
//! statement changed anything: neither is without the other.

use serde_json::{Map, Value, json};

use constcat::concat;

use crate::{
    domain::{
        AccessTokenId, RefreshTokenId, RepositoryId, RepositoryName, UserId,
        audit::{self, AuditAction},
        credential::CredentialId,
        logins,
        registry_token::AuthMethod,
        texts,
    },
    store::{
        FromRow, Query, Row, Statement,
        repositories::bind_namespace,
        roles::{Subject, WITH_ROLE},
    },
};

/// Who does something, with what, from where, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditContext {
    /// Name of the user; empty for an anonymous request.
    pub actor: String,
    /// What they showed.
    pub credential: CredentialId,
    /// Where the request came from.
    pub address: String,
    /// Seconds since 1970.
    pub now: i64,
    /// The same in milliseconds, as registries report the time of an event.
    pub millis: i64,
}

/// Whose log a row is in.
#[derive(Debug, Clone, Copy)]
pub enum Account<'a> {
    /// The namespace of this name.
    Named(&'a str),
    /// The namespace of the user with this id: their own, or that of the service account.
    Of(UserId),
}

/// Inserts an audit row if the preceding statement of the batch changed at least one row (`changes() > 0`), and returns
/// its `id`. Place it directly after the statement that it describes. Long texts of the data are cut.
#[must_use]
pub fn record(
    by: &AuditContext,
    action: AuditAction,
    account: Account<'_>,
    name: &str,
    data: &[(&str, &str)],
) -> Statement {
    let mut object = Map::new();
    for (key, text) in data {
        object.insert((*key).to_owned(), texts::line(audit::cut(text)).into());
    }
    let (named, user) = match account {
        Account::Named(name) => (Some(name), None),
        Account::Of(user) => (None, Some(user)),
    };
    let (method, token) = credential_columns(by.credential);
    Statement::new(
        "insert into audit (at, account, action, name, actor, credential, address, data)
         select ?1, coalesce((select id from namespaces where name = ?2), (select machine_of from users where id = ?3),
             (select id from namespaces where owner_id = ?3)),
           ?4, ?5, ?6, ?7 || ifnull((select ' ' || uuid from access_tokens where id = ?8), ''), ?9, ?10
         where changes() > 0 returning id",
    )
    .bind(by.now)
    .bind(named)
    .bind(user)
    .bind(action.as_str())
    .bind(name)
    .bind(by.actor.as_str())
    .bind(method)
    .bind(token)
    .bind(by.address.as_str())
    .bind(Value::Object(object).to_string())
}

/// The beginning of a statement that records what is done to each of some tags (`?3`, a JSON list of their names and
/// digests) of a repository (`?2`), before it is done; up to the services in which they are.
pub(super) const EACH_TAG: &str = "insert into audit (at, account, action, name, actor, credential, address, data)
   select ?4, (select id from namespaces where name = ?5), ?6, ?7, ?8,
     ?9 || ifnull((select ' ' || uuid from access_tokens where id = ?10), ''), ?11,
     json_object('digest', j.value ->> 1, 'tag', j.value ->> 0)
   from json_each(?3) j where j.value ->> 0 in (
     select t.name from tags t where t.repository_id = ?2 and t.deleted = 0 and t.service";

/// Its end, after the services.
pub(super) const RETURNING_TAGS: &str = ")) returning data ->> 'tag' tag";

/// Such a statement, of which the services, the repository and the tags are bound; gives the names of the tags.
pub(super) fn record_tags(
    statement: Statement,
    by: &AuditContext,
    action: AuditAction,
    name: &RepositoryName,
) -> Query<Vec<String>> {
    let (method, token) = credential_columns(by.credential);
    let statement = statement.bind(by.now).bind(name.namespace.as_str()).bind(action.as_str()).bind(name.to_string());
    Query::all(statement.bind(by.actor.as_str()).bind(method).bind(token).bind(by.address.as_str()))
}

/// A row in the log of each of the two namespaces for every collaborator of a repository that was moved by
/// the statement before this one, and loses them.
#[must_use]
pub fn record_lost_collaborators(
    by: &AuditContext,
    repository: RepositoryId,
    from: &RepositoryName,
    to: &RepositoryName,
) -> Statement {
    let lookup_many = json!([[from.namespace, from.to_string()], [to.namespace, to.to_string()]]).to_string();
    let (method, token) = credential_columns(by.credential);
    Statement::new(
        "insert into audit (at, account, action, name, actor, credential, address, data)
         select ?1, n.id, 'repo.collaborator.remove', j.value ->> 1, ?3,
           ?4 || ifnull((select ' ' || uuid from access_tokens where id = ?5), ''), ?6, json_object('user', u.name)
         from json_each(?2) j join namespaces n on n.name = j.value ->> 0
         join collaborators c on c.repository_id = ?7 join users u on u.id = c.user_id
         where changes() > 0 order by j.key, u.name",
    )
    .bind(by.now)
    .bind(lookup_many)
    .bind(by.actor.as_str())
    .bind(method)
    .bind(token)
    .bind(by.address.as_str())
    .bind(repository)
}

/// Binds when, by whom, with what kind of credential and from where something is done.
pub(super) fn bind_by(statement: Statement, by: &AuditContext) -> Statement {
    let method = credential_columns(by.credential).0;
    statement.bind(by.now).bind(by.actor.as_str()).bind(method).bind(by.address.as_str())
}

/// The kind of a credential, as a row has it, and the id of the access token.
fn credential_columns(credential: CredentialId) -> (&'static str, Option<AccessTokenId>) {
    match credential {
        CredentialId::Anonymous => ("", None),
        CredentialId::Password { .. } => ("password", None),
        CredentialId::AccessToken { token, .. } => ("access-token", Some(token)),
    }
}

/// Records a refused login whose credentials are, or were, this user's: at most one row a minute for each reason, since
/// to try again and again costs the client nothing.
#[must_use]
pub fn record_refused_login(user: UserId, method: AuthMethod, reason: &str, address: &str, now: i64) -> Statement {
    let (method, access, refresh) = of_method(method);
    Statement::new(
        "with u as (select name, coalesce(machine_of, (select id from namespaces where owner_id = users.id)) account
           from users where id = ?1)
         insert into audit (at, account, action, name, actor, credential, address, data)
         select ?2, account, 'user.login.refuse', name, '',
           ?3 || coalesce((select ' ' || uuid from access_tokens where id = ?4),
             (select ' ' || uuid from refresh_tokens where id = ?7), ''), ?5, json_object('reason', ?6)
         from u where not exists (
           select 1 from audit a where a.account is u.account and a.name = u.name and a.at > ?2 - 60
             and a.action = 'user.login.refuse' and a.data ->> 'reason' = ?6)",
    )
    .bind(user)
    .bind(now)
    .bind(method)
    .bind(access)
    .bind(address)
    .bind(reason)
    .bind(refresh)
}

/// Records a login: at most one row an hour for each user, credential and address. Of the rows about them
/// in that hour no more than the newest 500 are looked at: where there are more, one may be written twice.
#[must_use]
pub fn record_login(user: UserId, method: AuthMethod, address: &str, now: i64) -> Statement {
    let (method, access, refresh) = of_method(method);
    Statement::new(
        "with u as (select name, coalesce(machine_of, (select id from namespaces where owner_id = users.id)) account,
             ?3 || coalesce((select ' ' || uuid from access_tokens where id = ?4),
               (select ' ' || uuid from refresh_tokens where id = ?5), '') credential
           from users where id = ?1)
         insert into audit (at, account, action, name, actor, credential, address)
         select ?2, u.account, 'user.login', u.name, u.name, u.credential, ?6
         from u where not exists (
           select 1 from (select action, credential, address from audit a
               where a.account is u.account and a.name = u.name and a.at > ?2 - ?7 order by a.at desc limit 500) l
           where l.action = 'user.login' and l.credential = u.credential and l.address = ?6)",
    )
    .bind(user)
    .bind(now)
    .bind(method)
    .bind(access)
    .bind(refresh)
    .bind(address)
    .bind(logins::NOTED)
}

/// A credential in words, with the id of the access token or of the refresh token.
fn of_method(method: AuthMethod) -> (&'static str, Option<AccessTokenId>, Option<RefreshTokenId>) {
    match method {
        AuthMethod::Password => ("password", None, None),
        AuthMethod::AccessToken(id) => ("access-token", Some(id), None),
        AuthMethod::RefreshToken(id) => ("refresh-token", None, Some(id)),
    }
}

/// A flag, as the data of a row has it.
#[must_use]
pub fn flag(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// The data of a row about the address `e`, as [`names::masked`](crate::domain::names::masked) masks it.
pub(super) const MASKED: &str =
    "json_object('email', substr(e.address, 1, 1) || '***' || substr(e.address, instr(e.address, '@')))";

/// Records the use of a mailed link by its user, if the preceding statement changed anything; with the address where the
/// link confirms one.
#[must_use]
pub fn record_by_link(hash: &str, action: AuditAction, address: &str, now: i64) -> Statement {
    Statement::new(concat!(
        "insert into audit (at, account, action, name, actor, credential, address, data)
         select ?1, (select id from namespaces where owner_id = u.id), ?2, u.name, u.name, 'link', ?3, ifnull(
           (select ",
        MASKED,
        " from emails e where e.id = l.email_id), '{}')
         from links l join users u on u.id = l.user_id where l.hash = ?4 and changes() > 0"
    ))
    .bind(now)
    .bind(action.as_str())
    .bind(address)
    .bind(hash)
}

/// Records a link that sets the password and is mailed to this address, if the preceding statement changed anything.
#[must_use]
pub fn record_link(hash: &str, email_key: &str, address: &str, now: i64) -> Statement {
    Statement::new(concat!(
        "insert into audit (at, account, action, name, actor, credential, address, data)
         select ?1, (select id from namespaces where owner_id = u.id), 'user.password.link', u.name, '', '', ?2, ",
        MASKED,
        " from links l join users u on u.id = l.user_id join emails e on e.user_id = u.id and e.key = ?4
         where l.hash = ?3 and l.email_id is null and changes() > 0",
    ))
    .bind(now)
    .bind(address)
    .bind(hash)
    .bind(email_key)
}

/// Which entries of a log are wanted; an absent filter fits all of them.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// The name of the namespace.
    pub account: &'a str,
    /// The user who reads: nothing is looked at for one who is no admin of the namespace.
    pub reader: &'a Subject<'a>,
    /// As it is written: `repo.tag.push`.
    pub action: Option<&'a str>,
    /// What it was done to.
    pub name: Option<&'a str>,
    /// The tag of what it was done to.
    pub tag: Option<&'a str>,
    /// The user who did it.
    pub actor: Option<&'a str>,
    /// Seconds since 1970, of the first moment.
    pub from: Option<i64>,
    /// Seconds since 1970, of the last moment.
    pub to: Option<i64>,
    /// The limit.
    pub limit: i64,
    /// The offset.
    pub offset: i64,
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Seconds since 1970.
    pub at: i64,
    /// As it is written: `repo.tag.push`.
    pub action: String,
    /// What it was done to.
    pub name: String,
    /// The user; empty for an anonymous request.
    pub actor: String,
    /// With which credential.
    pub credential: String,
    /// From which address.
    pub address: String,
    /// JSON object: the other data of the entry.
    pub data: String,
}

impl FromRow for Entry {
    fn from_row(row: &mut Row) -> Self {
        Self {
            at: row.get("at"),
            action: row.get("action"),
            name: row.get("name"),
            actor: row.get("actor"),
            credential: row.get("credential"),
            address: row.get("address"),
            data: row.get("data"),
        }
    }
}

/// A list, up to the index of the account that it walks over.
const LISTED: &str = concat!(
    WITH_ROLE,
    "select a.at, a.action, a.name, a.actor, a.credential, a.address, a.data from audit a indexed by "
);

/// The conditions of a list, but for the name.
const WANTED: &str = " where a.account = (select namespace_id from place where role >= 3)
   and a.at between ifnull(?6, 0) and ifnull(?7, 9999999999)
   and (?8 is null or a.action = ?8) and (?9 is null or a.actor = ?9)
   and (?10 is null or a.data ->> 'tag' = ?10)";

/// The rest of a list.
const NEWEST_FIRST: &str = " order by a.at desc, a.id desc limit ?12 offset ?13";

/// A page of a log, the newest first.
#[must_use]
pub fn list(list: &List<'_>) -> Query<Vec<Entry>> {
    let sql = match list.name {
        Some(_) => concat!(LISTED, "audit_by_name", WANTED, " and a.name = ?11", NEWEST_FIRST),
        None => concat!(LISTED, "audit_by_account", WANTED, " and ?11 is null", NEWEST_FIRST),
    };
    let statement = bind_namespace(sql, list.account, list.reader)
        .bind(list.from)
        .bind(list.to)
        .bind(list.action)
        .bind(list.actor)
        .bind(list.tag)
        .bind(list.name)
        .bind(list.limit)
        .bind(list.offset);
    Query::all(statement)
}

/// Deletes rows older than this number of seconds, at most `most`: the first ones by their ids, which are read only if
/// one of the first ten is too old: an operator's clock may be ahead.
#[must_use]
pub fn expire(now: i64, age: i64, most: i64) -> Query<usize> {
    let sql = "delete from audit where at <= ?1 - ?2 and id in (
         select id from audit order by id
         limit (select iif(min(at) <= ?1 - ?2, ?3, 0) from (select at from audit order by id limit 10)))
       returning 1";
    Query::number(Statement::new(sql).bind(now).bind(age).bind(most))
}
