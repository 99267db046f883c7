//! Collaborators: who else may do what in one repository.

use constcat::concat;

use crate::{
    domain::RepositoryName,
    store::{
        Statement,
        audit::{self, Account, AuditContext},
        repositories::located,
        roles::{Subject, WITH_ROLE},
        users::STATUS,
    },
};

/// A page of the collaborators of a repository, by name, for its admins, with `count` in every row: `name`, `kind`,
/// `role`. A page past the end is one row without a `name`.
#[must_use]
pub fn list(repository: &RepositoryName, subject: &Subject<'_>, limit: i64, offset: i64) -> Statement {
    let sql = concat!(
        WITH_ROLE,
        ", all_of_them as (
           select u.name, u.kind, c.role from place p cross join collaborators c on c.repository_id = p.repository_id
             join users u on u.id = c.user_id
           where p.role >= 3)
         select c.count, p.* from (select count(*) count from all_of_them) c
         left join (select * from all_of_them order by name limit ?6 offset ?7) p on true order by p.name"
    );
    located(sql, repository, subject).bind(limit).bind(offset)
}

/// A user as they stand to a repository: `user_id`, `name`, `kind`, `status`, `role`, `owner`; no row
/// when there is no such user.
#[must_use]
pub fn find(repository: &RepositoryName, username: &str) -> Statement {
    let sql = concat!(
        "select u.id user_id, u.name, u.kind, ",
        STATUS,
        " status, c.role, ifnull(n.owner_id = u.id, 0) owner
         from users u left join namespaces n on n.name = ?1
         left join repositories r on r.namespace_id = n.id and r.name = ?2
         left join collaborators c on c.repository_id = r.id and c.user_id = u.id
         where u.name = ?3"
    );
    named(sql, repository).bind(username)
}

/// Gives a user a role in a repository.
#[must_use]
pub fn set(
    repository: i64,
    name: &RepositoryName,
    user: i64,
    username: &str,
    role: &str,
    by: &AuditContext,
) -> Vec<Statement> {
    let set = Statement::new(
        "insert into collaborators (repository_id, user_id, role)
         select r.id, u.id, ?3 from repositories r join users u on u.id = ?2 where r.id = ?1
         on conflict (repository_id, user_id) do update set role = excluded.role where role <> excluded.role",
    )
    .bind(repository)
    .bind(user)
    .bind(role);
    vec![set, told(by, "repo.collaborator.add", name, &[("user", username), ("role", role)])]
}

/// Takes it away; the last statement gives a row if there was one.
#[must_use]
pub fn remove(repository: i64, name: &RepositoryName, username: &str, by: &AuditContext) -> Vec<Statement> {
    let remove = Statement::new(
        "delete from collaborators where repository_id = ?1 and user_id = (select id from users where name = ?2)",
    )
    .bind(repository)
    .bind(username);
    vec![remove, told(by, "repo.collaborator.remove", name, &[("user", username)])]
}

fn told(by: &AuditContext, action: &'static str, name: &RepositoryName, data: &[(&str, &str)]) -> Statement {
    audit::record(by, action, Account::Named(&name.namespace), &name.to_string(), data)
}

fn named(sql: &'static str, repository: &RepositoryName) -> Statement {
    Statement::new(sql).bind(repository.namespace.as_str()).bind(repository.name.as_str())
}
