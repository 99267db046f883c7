//! What administrators and the operator see of all users and namespaces, and what they do to users.

use constcat::concat;

use crate::{
    domain::{UserId, audit::AuditAction},
    store::{
        FromRow, Query, Row, Statement,
        audit::{self, Account as AuditAccount, AuditContext},
        users::{STATUS, USER_COLUMNS, User},
    },
};

/// Makes of a text one that follows every text that begins with it.
const BEHIND: &str = " || char(1114111)";

/// The addresses of a user `u` in one text.
const EMAILS: &str = "coalesce((select group_concat(shown, ', ') from (
     select address || iif(confirmed_at is null, ' (not confirmed)', '') shown
     from emails where user_id = u.id order by id)), '') emails";

/// The columns of a [`UserLine`], of a user `u`.
const LINE: &str = concat!(
    "select u.name, iif(u.kind = 'machine', 'service account', 'user') kind, ",
    STATUS,
    " status, iif(u.administrator = 1, 'administrator', '') rights, ",
    EMAILS
);

/// A user in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserLine {
    /// Their name.
    pub name: String,
    /// What they are, in words.
    pub kind: String,
    /// `active`, `disabled` or `unconfirmed`; a service account of a user's own namespace is active only while they are.
    pub status: String,
    /// `administrator`, or nothing.
    pub rights: String,
    /// Their addresses.
    pub emails: String,
}

impl FromRow for UserLine {
    fn from_row(row: &mut Row) -> Self {
        Self {
            name: row.get("name"),
            kind: row.get("kind"),
            status: row.get("status"),
            rights: row.get("rights"),
            emails: row.get("emails"),
        }
    }
}

/// Users by name whose name begins with this text; if it has an `@`, of at most 1,000 addresses that begin with it.
#[must_use]
pub fn users(beginning: &str, limit: i64, offset: i64) -> Query<Vec<UserLine>> {
    let sql = if beginning.contains('@') {
        concat!(
            LINE,
            " from (select distinct user_id from (
                select user_id from emails where key >= ?1 and key < ?1",
            BEHIND,
            " limit 1000)) e cross join users u on u.id = e.user_id order by u.name limit ?2 offset ?3"
        )
    } else {
        concat!(LINE, " from users u where u.name >= ?1 and u.name < ?1", BEHIND, " order by u.name limit ?2 offset ?3")
    };
    Query::all(Statement::new(sql).bind(beginning).bind(limit).bind(offset))
}

/// What is known of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: User,
    /// `active`, `disabled` or `unconfirmed`.
    pub status: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Their addresses.
    pub emails: String,
    /// The namespaces, each with the role after a colon, at most 1,000.
    pub roles: String,
    /// Repositories in which they have a role of their own, at most 1,000.
    pub collaborations: i64,
    /// Browsers in which they are signed in, and logins that docker keeps.
    pub sessions: i64,
    /// Their access tokens.
    pub access_tokens: i64,
    /// When one of those was used last; seconds since 1970.
    pub used_at: Option<i64>,
    /// Of a service account, the namespace that it belongs to.
    pub machine_of: Option<String>,
}

impl FromRow for Account {
    fn from_row(row: &mut Row) -> Self {
        Self {
            user: User::from_row(row),
            status: row.get("status"),
            created_at: row.get("created_at"),
            emails: row.get("emails"),
            roles: row.get("roles"),
            collaborations: row.get("collaborations"),
            sessions: row.get("sessions"),
            access_tokens: row.get("access_tokens"),
            used_at: row.get("used_at"),
            machine_of: row.get("machine_of"),
        }
    }
}

/// What is known of the user of this name.
#[must_use]
pub fn user(name: &str) -> Query<Option<Account>> {
    let sql = concat!(
        "select ",
        USER_COLUMNS,
        ", u.created_at, ",
        EMAILS,
        ", coalesce((select group_concat(role, ', ') from (
             select name || ': owner' role from namespaces where owner_id = u.id
             union all select n.name || ': ' || m.role from members m cross join namespaces n on n.id = m.namespace_id
               where m.user_id = u.id limit 1000)), '') roles,
           (select count(*) from (select 1 from collaborators where user_id = u.id limit 1000)) collaborations,
           s.sessions, t.access_tokens, nullif(max(s.used_at, t.used_at), 0) used_at,
           (select name from namespaces where id = u.machine_of) machine_of
         from users u
         join (select count(*) sessions, ifnull(max(used_at), 0) used_at
           from refresh_tokens where user_id = (select id from users where name = ?1)) s
         join (select count(*) access_tokens, ifnull(max(used_at), 0) used_at
           from access_tokens where user_id = (select id from users where name = ?1)) t
         where u.name = ?1"
    );
    Query::optional(Statement::new(sql).bind(name))
}

/// A namespace in a list. What is counted is counted up to a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceLine {
    /// Its name.
    pub name: String,
    /// Its owner, or that it is shared.
    pub owner: String,
    /// Users with a role in it.
    pub members: i64,
    /// Its own service accounts.
    pub machines: i64,
    /// Its repositories.
    pub repositories: i64,
}

impl FromRow for NamespaceLine {
    fn from_row(row: &mut Row) -> Self {
        Self {
            name: row.get("namespace"),
            owner: row.get("owner"),
            members: row.get("members"),
            machines: row.get("service accounts"),
            repositories: row.get("repositories"),
        }
    }
}

/// Namespaces by name whose name begins with this text; of what is in one, at most `most` are counted.
#[must_use]
pub fn namespaces(beginning: &str, limit: i64, offset: i64, most: i64) -> Query<Vec<NamespaceLine>> {
    let sql = concat!(
        "select n.name namespace, coalesce(u.name, '(shared)') owner,
           (select count(*) from (select 1 from members where namespace_id = n.id limit ?4)) members,
           (select count(*) from (select 1 from users m where m.machine_of = n.id limit ?4)) \"service accounts\",
           (select count(*) from (
             select 1 from repositories where namespace_id = n.id and deleted_at is null limit ?4)) repositories
         from namespaces n left join users u on u.id = n.owner_id
         where n.name >= ?1 and n.name < ?1",
        BEHIND,
        " order by n.name limit ?2 offset ?3"
    );
    Query::all(Statement::new(sql).bind(beginning).bind(limit).bind(offset).bind(most))
}

fn record(by: &AuditContext, action: AuditAction, user: &User, data: &[(&str, &str)]) -> Statement {
    audit::record(by, action, AuditAccount::Of(user.id), &user.name, data)
}

/// Makes a user `active` or `disabled`.
#[must_use]
pub fn set_status(user: &User, status: &str, by: &AuditContext) -> Vec<Statement> {
    let update = Statement::new("update users set status = ?2 where id = ?1 and status <> ?2");
    vec![update.bind(user.id).bind(status), record(by, AuditAction::UserStatusChange, user, &[("status", status)])]
}

/// Makes a user an administrator of the whole index, or takes that away.
#[must_use]
pub fn set_administrator(user: &User, administrator: bool, by: &AuditContext) -> Vec<Statement> {
    let update = Statement::new("update users set administrator = ?2 where id = ?1 and administrator <> ?2");
    let data = [("role", if administrator { "administrator" } else { "user" })];
    vec![update.bind(user.id).bind(administrator), record(by, AuditAction::UserRoleChange, user, &data)]
}

/// A user `?1` and the service accounts of their own namespace, as a table `o`.
const OWN: &str = "(select ?1 id
   union all select m.id from namespaces n join users m on m.machine_of = n.id where n.owner_id = ?1) o";

/// Ends every session of a user, the access tokens of theirs and of the service accounts of their own namespace, and
/// the links that were sent to them; after an incident the password, too.
#[must_use]
pub fn end_sessions(user: &User, incident: bool, by: &AuditContext) -> Vec<Statement> {
    let of_user = |sql| Statement::new(sql).bind(user.id);
    vec![
        of_user("update users set epoch = epoch + 1, password = iif(?2, null, password) where id = ?1").bind(incident),
        record(by, AuditAction::UserSessionsEnd, user, &[]),
        of_user("delete from refresh_tokens where user_id = ?1"),
        audit::bind_by(
            of_user(concat!(
                "insert into audit (at, account, action, name, actor, credential, address, data)
                 select ?2, coalesce(u.machine_of, (select id from namespaces where owner_id = u.id)),
                   'org.access_token.delete', t.uuid, ?3, ?4, ?5, json_object('user', u.name)
                 from ",
                OWN,
                " join access_tokens t on t.user_id = o.id join users u on u.id = o.id"
            )),
            by,
        ),
        of_user(concat!("delete from access_tokens where user_id in (select id from ", OWN, ")")),
        of_user("delete from links where user_id = ?1"),
    ]
}

/// Of the addresses of a user `e`: whether it came, or was confirmed, since `?2`.
const SINCE: &str = "max(e.created_at, ifnull(e.confirmed_at, 0), ifnull(e.proved_at, 0)) >= ?2";

/// Records that [`remove_addresses`] follows, and forgets which kinds of client were new since then: of those the owner
/// is warned again.
#[must_use]
pub fn record_addresses(user: UserId, since: i64, by: &AuditContext) -> Vec<Statement> {
    let of_user = |sql| Statement::new(sql).bind(user).bind(since);
    let insert = of_user(concat!(
        "insert into audit (at, account, action, name, actor, credential, address, data)
         select ?3, (select id from namespaces where owner_id = u.id), 'user.email.remove', u.name, ?4, ?5, ?6, ",
        audit::MASKED,
        " from users u join emails e on e.user_id = u.id where u.id = ?1 and ",
        SINCE
    ));
    vec![audit::bind_by(insert, by), of_user("delete from clients where user_id = ?1 and first_at >= ?2")]
}

/// Removes the addresses of a user that came, or were confirmed, since then, and gives them: the audit has none in full.
#[must_use]
pub fn remove_addresses(user: UserId, since: i64) -> Query<Vec<String>> {
    let sql = concat!("delete from emails as e where e.user_id = ?1 and ", SINCE, " returning address");
    Query::all(Statement::new(sql).bind(user).bind(since))
}

/// Puts this text on every page in the place of an earlier one, or takes that away.
#[must_use]
pub fn set_notice(text: &str, by: &AuditContext) -> Vec<Statement> {
    let mut statements = vec![Statement::new("delete from notices")];
    if text.is_empty() {
        statements.push(audit::record(by, AuditAction::OrgNoticeDelete, AuditAccount::Named(""), "notice", &[]));
        return statements;
    }
    let insert = Statement::new("insert into notices (text, written_at, written_by) values (?1, ?2, ?3)");
    statements.push(insert.bind(text).bind(by.now).bind(by.actor.as_str()));
    let data = [("text", text)];
    statements.push(audit::record(by, AuditAction::OrgNoticeWrite, AuditAccount::Named(""), "notice", &data));
    statements
}
