//! Service accounts: users without a password, made for a namespace.

use constcat::concat;

use crate::{
    domain::{NamespaceId, Role, UserId, audit::AuditAction},
    store::{
        FromRow, Query, Row, Statement, Step, Transaction,
        audit::{self, Account, AuditContext},
        repositories::bind_namespace,
        roles::{Subject, WITH_ROLE},
    },
};

/// Creates a service account of a namespace with a role in it, unless the name is taken or was another user's, or the
/// namespace has `most` already. Returns whether this created it, and how many there are, up to `most`.
pub fn create(
    transaction: &mut Transaction,
    (namespace_id, namespace): (NamespaceId, &str),
    name: &str,
    role: Role,
    by: &AuditContext,
    most: i64,
) -> (Step<bool>, Step<i64>) {
    let insert = Statement::new(
        "insert into users (name, kind, status, machine_of, created_at)
         select ?2, 'machine', 'active', ?1, ?3 where not exists (select 1 from namespaces where name = ?2)
           and not exists (select 1 from retired_names where name = ?2 and machine_of is not ?1)
           and (select count(*) from (select 1 from users where machine_of = ?1 limit ?4)) < ?4
         on conflict (name) do nothing returning id",
    )
    .bind(namespace_id)
    .bind(name)
    .bind(by.now)
    .bind(most);
    let created = transaction.read(Query::any(insert));
    transaction.run([
        audit::record(by, AuditAction::OrgMachineCreate, Account::Named(namespace), name, &[("role", role.as_str())]),
        Statement::new(
            "insert into members (namespace_id, user_id, role)
             select ?1, id, ?3 from users where name = ?2 and machine_of = ?1 on conflict do nothing",
        )
        .bind(namespace_id)
        .bind(name)
        .bind(role.as_str()),
        Statement::new(
            "delete from retired_names where name = ?2 and exists (
               select 1 from users where name = ?2 and machine_of = ?1)",
        )
        .bind(namespace_id)
        .bind(name),
    ]);
    let count = "select count(*) from (select 1 from users where machine_of = ?1 limit ?2)";
    (created, transaction.read(Query::one(Statement::new(count).bind(namespace_id).bind(most))))
}

/// Whether a namespace may use a name for a service account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Availability {
    /// A user or a namespace has the name, or had it, other than a service account of this namespace.
    pub taken: bool,
    /// The namespace is a user's own.
    pub owned: bool,
}

impl FromRow for Availability {
    fn from_row(row: &mut Row) -> Self {
        Self { taken: row.get("taken"), owned: row.get("owned") }
    }
}

/// Whether a service account of this namespace can have a name.
#[must_use]
pub fn availability(namespace: &str, name: &str) -> Query<Availability> {
    let statement = Statement::new(
        "select exists (select 1 from users where name = ?1) or exists (select 1 from namespaces where name = ?1)
             or exists (select 1 from retired_names where name = ?1
               and machine_of is not (select id from namespaces where name = ?2)) taken,
           exists (select 1 from namespaces where name = ?2 and owner_id is not null) owned",
    );
    Query::one(statement.bind(name).bind(namespace))
}

/// A service account of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// Its role in the whole namespace, if it has one.
    pub role: Option<Role>,
    /// Seconds since 1970.
    pub created_at: i64,
}

impl FromRow for Machine {
    fn from_row(row: &mut Row) -> Self {
        Self { name: row.get("name"), role: row.get("role"), created_at: row.get("created_at") }
    }
}

/// The service accounts of a namespace, by name, for its admins.
#[must_use]
pub fn list(namespace: &str, subject: &Subject<'_>) -> Query<Vec<Machine>> {
    let sql = concat!(
        WITH_ROLE,
        "select u.name, m.role, u.created_at from place p join users u on u.machine_of = p.namespace_id
         left join members m on m.namespace_id = p.namespace_id and m.user_id = u.id where p.role >= 3 order by u.name"
    );
    Query::all(bind_namespace(sql, namespace, subject))
}

/// The id of a service account of a namespace.
#[must_use]
pub fn find(namespace: &str, name: &str) -> Query<Option<UserId>> {
    let sql = "select u.id from namespaces n join users u on u.machine_of = n.id where n.name = ?1 and u.name = ?2";
    Query::optional(Statement::new(sql).bind(namespace).bind(name))
}

/// Deletes a service account with its tokens; its name stays reserved for the namespace.
#[must_use]
pub fn delete(id: UserId, namespace: &str, name: &str, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?2, u.machine_of, 'org.access_token.delete', t.uuid, ?3, 'password', ?4
             from users u join access_tokens t on t.user_id = u.id where u.id = ?1 and u.kind = 'machine'",
        )
        .bind(id)
        .bind(by.now)
        .bind(by.actor.as_str())
        .bind(by.address.as_str()),
        Statement::new(
            "insert into retired_names (name, machine_of, retired_at)
             select name, machine_of, ?2 from users where id = ?1 and kind = 'machine'",
        )
        .bind(id)
        .bind(by.now),
        Statement::new("delete from users where id = ?1 and kind = 'machine'").bind(id),
        audit::record(by, AuditAction::OrgMachineDelete, Account::Named(namespace), name, &[]),
    ]
}
