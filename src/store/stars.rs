//! Stars: which users like a repository.

use crate::{domain::RepositoryId, domain::UserId, store::Statement};

/// Gives a star; a second one of the same user changes nothing.
#[must_use]
pub fn add(user: UserId, repository: RepositoryId) -> Vec<Statement> {
    let added = Statement::new(
        "insert into stars (user_id, repository_id)
         select u.id, r.id from users u join repositories r on r.id = ?2 where u.id = ?1
         on conflict do nothing",
    );
    counted(added.bind(user).bind(repository), repository)
}

/// Takes a star back.
#[must_use]
pub fn remove(user: UserId, repository: RepositoryId) -> Vec<Statement> {
    let removed = Statement::new("delete from stars where user_id = ?1 and repository_id = ?2");
    counted(removed.bind(user).bind(repository), repository)
}

/// A change of stars, then the update of their count. The repository is queued for search before that, since after it
/// nothing indicates that the count changed.
fn counted(change: Statement, repository: RepositoryId) -> Vec<Statement> {
    vec![
        change,
        Statement::new(
            "insert into outbox (repository_id) select id from repositories
             where id = ?1 and star_count <> (select count(*) from stars where repository_id = ?1)",
        )
        .bind(repository),
        Statement::new(
            "update repositories set star_count = (select count(*) from stars where repository_id = ?1),
               revision = revision + 1
             where id = ?1 and star_count <> (select count(*) from stars where repository_id = ?1)",
        )
        .bind(repository),
    ]
}
