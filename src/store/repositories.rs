//! Repositories, and what somebody is to them.

use crate::{
    domain::{RepositoryName, Role, access::Standing},
    store::{Row, Statement, Value},
};

/// Whose standing is read.
#[derive(Debug, Clone)]
pub enum Whose<'a> {
    /// Nobody's.
    Nobody,
    /// The user of this name, who may not exist.
    Name(&'a str),
    /// The user of this id.
    Id(i64),
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Never given twice.
    pub id: i64,
    /// Only for who was named.
    pub private: bool,
    /// The first `DELETE` was here.
    pub marked: bool,
    /// Grows with each change that search must learn.
    pub revision: i64,
}

/// A place where a repository is or could be, as somebody stands to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The namespace, when it exists.
    pub namespace_id: Option<i64>,
    /// The repository, when it exists.
    pub repository: Option<Repository>,
    owner: bool,
    member: Option<Role>,
    collaborator: Option<Role>,
}

impl Place {
    /// The place of a row.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        let role = |column: &str| row.maybe_text(column).and_then(Role::parse);
        Self {
            namespace_id: row.maybe_integer("namespace_id"),
            repository: row.maybe_integer("repository_id").map(|id| Repository {
                id,
                private: row.flag("private"),
                marked: row.maybe_integer("deleted_at").is_some(),
                revision: row.integer("revision"),
            }),
            owner: row.flag("owner"),
            member: role("member_role"),
            collaborator: role("collaborator_role"),
        }
    }

    /// What the rules are applied to.
    #[must_use]
    pub fn standing(&self, administrator: bool) -> Standing {
        Standing {
            administrator,
            owner: self.owner,
            member: self.member,
            collaborator: self.collaborator,
            public: self.repository.as_ref().is_some_and(|repository| !repository.private),
        }
    }
}

/// The statement of a place, with more columns about its repository `r`.
macro_rules! place {
    ($more:literal) => {
        concat!(
            "select n.id namespace_id, n.owner_id is not null and n.owner_id = u.id owner,
               r.id repository_id, r.private, r.deleted_at, r.revision, m.role member_role, c.role collaborator_role",
            $more,
            " from (select ?1 as namespace, ?2 as name) asked
             left join namespaces n on n.name = asked.namespace
             left join repositories r on r.namespace_id = n.id and r.name = asked.name
             left join users u on u.id = coalesce(?4, (select id from users where name = ?3))
             left join members m on m.namespace_id = n.id and m.user_id = u.id
             left join collaborators c on c.repository_id = r.id and c.user_id = u.id"
        )
    };
}

/// A place; always one row.
#[must_use]
pub fn place(name: &RepositoryName, whose: &Whose<'_>) -> Statement {
    located(place!(""), name, whose)
}

/// A place with the list of its images (`images`, JSON text built by the database; ids and checksums
/// hold nothing that JSON escapes).
#[must_use]
pub fn place_with_images(name: &RepositoryName, whose: &Whose<'_>) -> Statement {
    let sql = place!(
        ",
        (select '[' || ifnull(group_concat(
             '{\"id\":\"' || i.id || '\"' || ifnull(',\"checksum\":\"' || i.checksum || '\"', '') || '}', ','
           ), '') || ']'
         from (select id, checksum from images where repository_id = r.id order by position) i) images"
    );
    located(sql, name, whose)
}

/// A place with whether its repository lists this image (`listed`).
#[must_use]
pub fn place_with_image(name: &RepositoryName, whose: &Whose<'_>, image: &str) -> Statement {
    let sql = place!(", exists (select 1 from images where repository_id = r.id and id = ?5) listed");
    located(sql, name, whose).bind(image)
}

fn located(sql: &'static str, name: &RepositoryName, whose: &Whose<'_>) -> Statement {
    let (user_name, id) = match *whose {
        Whose::Nobody => (Value::Null, Value::Null),
        Whose::Name(name) => (name.into(), Value::Null),
        Whose::Id(id) => (Value::Null, id.into()),
    };
    Statement::new(sql).bind(name.namespace.as_str()).bind(name.name.as_str()).bind(user_name).bind(id)
}

/// Makes a repository, unless it is there. One that was marked deleted (`marked`) goes first.
#[must_use]
pub fn create(namespace: i64, name: &str, marked: Option<i64>, private: bool, now: i64) -> Vec<Statement> {
    let mut statements = marked.map(remove).unwrap_or_default();
    statements.push(
        Statement::new(
            "insert into repositories (namespace_id, name, private, created_at, updated_at)
             values (?1, ?2, ?3, ?4, ?4) on conflict (namespace_id, name) do nothing",
        )
        .bind(namespace)
        .bind(name)
        .bind(private)
        .bind(now),
    );
    statements
}

/// Says that a push is complete: search may find the repository.
#[must_use]
pub fn pushed(id: i64, now: i64) -> Vec<Statement> {
    vec![
        Statement::new(
            "update repositories set pushed_at = ?2, updated_at = ?2, revision = revision + 1
             where id = ?1 and deleted_at is null",
        )
        .bind(id)
        .bind(now),
        tell_search(id),
    ]
}

/// Marks a repository deleted: it is hidden, and waits for the registry to delete its part.
#[must_use]
pub fn mark(id: i64, now: i64) -> Vec<Statement> {
    vec![
        Statement::new(
            "update repositories set deleted_at = ?2, updated_at = ?2, revision = revision + 1
             where id = ?1 and deleted_at is null",
        )
        .bind(id)
        .bind(now),
        tell_search(id),
    ]
}

/// Removes a repository that was marked, with all that belongs to it.
#[must_use]
pub fn remove(id: i64) -> Vec<Statement> {
    vec![tell_search(id), Statement::new("delete from repositories where id = ?1 and deleted_at is not null").bind(id)]
}

/// Puts a repository on the list of what search must learn.
#[must_use]
pub fn tell_search(id: i64) -> Statement {
    Statement::new("insert into outbox (repository_id) values (?1)").bind(id)
}

/// The private repositories that a user may read, as ids (`id`), the newest first.
#[must_use]
pub fn readable_private(whose: &Whose<'_>, most: i64) -> Statement {
    let (name, id) = match *whose {
        Whose::Nobody => (Value::Null, Value::Null),
        Whose::Name(name) => (name.into(), Value::Null),
        Whose::Id(id) => (Value::Null, id.into()),
    };
    Statement::new(
        "with asker as (select id from users where id = coalesce(?2, (select id from users where name = ?1)))
         select json_group_array(id) ids from (
           select r.id from asker join namespaces n on n.owner_id = asker.id join repositories r on r.namespace_id = n.id
             where r.private = 1 and r.deleted_at is null and r.pushed_at is not null
           union
           select r.id from asker join members m on m.user_id = asker.id join repositories r on r.namespace_id = m.namespace_id
             where r.private = 1 and r.deleted_at is null and r.pushed_at is not null
           union
           select r.id from asker join collaborators c on c.user_id = asker.id join repositories r on r.id = c.repository_id
             where r.private = 1 and r.deleted_at is null and r.pushed_at is not null
           order by 1 desc limit ?3)",
    )
    .bind(name)
    .bind(id)
    .bind(most)
}
