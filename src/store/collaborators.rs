//! Collaborators: users with a role in one repository.

use constcat::concat;

use crate::{
    domain::{RepositoryId, RepositoryName, Role, UserId, audit::AuditAction},
    store::{
        FromRow, Keyed, Page, Query, Row, Statement, Step, Transaction,
        audit::{self, Account, AuditContext},
        candidates::Candidate,
        repositories::bind_repository,
        roles::{Subject, WITH_ROLE},
        users::STATUS,
    },
};

/// A user with a role in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collaborator {
    /// The user's name.
    pub name: String,
    /// A service account is a user without a password.
    pub machine: bool,
    /// The role.
    pub role: Role,
}

impl FromRow for Collaborator {
    fn from_row(row: &mut Row) -> Self {
        Self { name: row.get("name"), machine: row.get::<String>("kind") == "machine", role: row.get("role") }
    }
}

impl Keyed for Collaborator {
    const KEY: &'static str = "role";
}

/// A page of the collaborators of a repository, by name, for its admins.
#[must_use]
pub fn list(repository: &RepositoryName, subject: &Subject<'_>, limit: i64, offset: i64) -> Query<Page<Collaborator>> {
    let sql = concat!(
        WITH_ROLE,
        ", all_of_them as (
           select u.name, u.kind, c.role from place p cross join collaborators c on c.repository_id = p.repository_id
             join users u on u.id = c.user_id
           where p.role >= 3)
         select c.count, p.* from (select count(*) count from all_of_them) c
         left join (select * from all_of_them order by name limit ?6 offset ?7) p on true order by p.name"
    );
    Query::page(bind_repository(sql, repository, subject).bind(limit).bind(offset))
}

/// A user as a collaborator of a repository, if there is such a user.
#[must_use]
pub fn find(repository: &RepositoryName, username: &str) -> Query<Option<Candidate<Collaborator>>> {
    let statement = Statement::new(concat!(
        "select u.id user_id, u.name, u.kind, ",
        STATUS,
        " status, c.role, ifnull(n.owner_id = u.id, 0) owner
         from users u left join namespaces n on n.name = ?1
         left join repositories r on r.namespace_id = n.id and r.name = ?2
         left join collaborators c on c.repository_id = r.id and c.user_id = u.id
         where u.name = ?3"
    ));
    Query::optional(statement.bind(repository.namespace.as_str()).bind(repository.name.as_str()).bind(username))
}

/// Gives a user a role in a repository; returns the user as they are then.
pub fn set(
    transaction: &mut Transaction,
    (repository, name): (RepositoryId, &RepositoryName),
    (user, username): (UserId, &str),
    role: Role,
    by: &AuditContext,
) -> Step<Option<Candidate<Collaborator>>> {
    let set = Statement::new(
        "insert into collaborators (repository_id, user_id, role)
         select r.id, u.id, ?3 from repositories r join users u on u.id = ?2 where r.id = ?1
         on conflict (repository_id, user_id) do update set role = excluded.role where role <> excluded.role",
    )
    .bind(repository)
    .bind(user)
    .bind(role.as_str());
    let data = [("user", username), ("role", role.as_str())];
    transaction.run([set, record(by, AuditAction::RepoCollaboratorAdd, name, &data)]);
    transaction.read(find(name, username))
}

/// Takes the role from a user; returns whether they had one.
pub fn remove(
    transaction: &mut Transaction,
    (repository, name): (RepositoryId, &RepositoryName),
    username: &str,
    by: &AuditContext,
) -> Step<bool> {
    let delete =
        "delete from collaborators where repository_id = ?1 and user_id = (select id from users where name = ?2)";
    transaction.run([Statement::new(delete).bind(repository).bind(username)]);
    transaction.read(Query::any(record(by, AuditAction::RepoCollaboratorRemove, name, &[("user", username)])))
}

fn record(by: &AuditContext, action: AuditAction, name: &RepositoryName, data: &[(&str, &str)]) -> Statement {
    audit::record(by, action, Account::Named(&name.namespace), &name.to_string(), data)
}
