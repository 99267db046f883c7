//! The repositories of a namespace.

use constcat::concat;

use crate::{
    domain::NamespaceId,
    store::{
        FromRow, Keyed, Page, Query, Row, Statement,
        repositories::RepositoryLookup,
        roles::{READS_PUBLIC, SUBJECT, Subject},
        users::STATUS,
    },
};

/// Which repositories of a namespace are listed, and in which order.
pub struct List<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// A text that their names contain, in any case.
    pub name: &'a str,
    /// `name` or `pull_count`, descending after a `-`; or `last_updated`, the newest first, the oldest first after a
    /// `-`.
    pub ordering: &'a str,
    /// Whether the credentials allow administration, which sees everything.
    pub administrating: bool,
    /// The most items.
    pub limit: i64,
    /// The number of items before them.
    pub offset: i64,
}

/// What a list has of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// One line.
    pub description: String,
    /// How many users like it.
    pub star_count: i64,
    /// How often it was pulled.
    pub pull_count: i64,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub updated_at: i64,
    /// Whether it has a tag.
    pub is_tagged: bool,
}

impl FromRow for Summary {
    fn from_row(row: &mut Row) -> Self {
        Self {
            description: row.get("description"),
            star_count: row.get("star_count"),
            pull_count: row.get("pull_count"),
            created_at: row.get("created_at"),
            updated_at: row.get("updated_at"),
            is_tagged: row.get("is_tagged"),
        }
    }
}

/// A repository in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name, without the namespace.
    pub name: String,
    /// The repository, as [`lookup`](super::lookup) finds it.
    pub lookup: RepositoryLookup,
    /// Its description and numbers.
    pub summary: Summary,
}

impl FromRow for Listed {
    fn from_row(row: &mut Row) -> Self {
        Self { name: row.get("name"), lookup: RepositoryLookup::from_row(row), summary: Summary::from_row(row) }
    }
}

impl Keyed for Listed {
    const KEY: &'static str = "name";
}

/// The head of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamespaceCount {
    /// The namespace, if it exists.
    pub namespace_id: Option<NamespaceId>,
    /// The number of repositories.
    pub count: i64,
}

impl FromRow for NamespaceCount {
    fn from_row(row: &mut Row) -> Self {
        Self { namespace_id: row.get("namespace_id"), count: row.get("count") }
    }
}

/// A list, up to its order. A subject without a role in the namespace gets what is public in it and what they are a
/// collaborator of, and nothing else is looked at for them.
const LISTED: &str = concat!(
    "with there as materialized (
       select n.id namespace_id, u.id user_id, n.owner_id is not null and n.owner_id = u.id owner,
         m.role member_role, ",
    READS_PUBLIC,
    " reads_public, ?6 and ifnull(u.administrator, 0) administrator
       from (select 1) left join namespaces n on n.name = ?4 left join users u on ",
    STATUS,
    " = 'active' and u.id = ",
    SUBJECT,
    "  left join members m on m.namespace_id = n.id and m.user_id = u.id),
     readable as materialized (
       select r.id, r.name, r.updated_at, r.pull_count
       from there t cross join repositories r on r.namespace_id = t.namespace_id
       where (t.owner or t.administrator or t.member_role is not null)
         and r.deleted_at is null and (?5 = '' or instr(lower(r.name), lower(?5)) > 0)
       union
       select r.id, r.name, r.updated_at, r.pull_count
       from there t cross join repositories r on r.namespace_id = t.namespace_id
       where t.reads_public and r.private = 0
         and r.deleted_at is null and (?5 = '' or instr(lower(r.name), lower(?5)) > 0)
       union
       select r.id, r.name, r.updated_at, r.pull_count
       from there t cross join collaborators k on k.user_id = t.user_id
         cross join repositories r on r.id = k.repository_id and r.namespace_id = t.namespace_id
       where r.deleted_at is null and (?5 = '' or instr(lower(r.name), lower(?5)) > 0))
     select t.namespace_id, t.owner, t.member_role, k.role collaborator_role, c.count,
       r.id repository_id, r.name, r.private, r.private = 0 and t.reads_public public, r.revision, null deleted_at,
       r.description,
       r.star_count, r.pull_count, r.created_at, r.updated_at,
       exists (select 1 from tags where repository_id = r.id and deleted = 0) is_tagged
     from there t join (select count(*) count from readable) c
     left join (select id from readable order by "
);

/// A list, after its order, up to the order of the page.
const PAGED: &str = " limit coalesce(?7, 0) offset coalesce(?8, 0)) p on true left join repositories r on r.id = p.id
     left join collaborators k on k.repository_id = r.id and k.user_id = t.user_id order by ";

/// The repositories of a namespace that the subject may read. Nothing for an order that does not exist.
#[must_use]
pub fn list(list: &List<'_>, subject: &Subject<'_>) -> Option<Query<Page<Listed, NamespaceCount>>> {
    let sql = match list.ordering {
        "name" => concat!(LISTED, "name", PAGED, "name"),
        "-name" => concat!(LISTED, "name desc", PAGED, "name desc"),
        "last_updated" => concat!(LISTED, "updated_at desc, name", PAGED, "updated_at desc, name"),
        "-last_updated" => concat!(LISTED, "updated_at, name", PAGED, "updated_at, name"),
        "pull_count" => concat!(LISTED, "pull_count, name", PAGED, "pull_count, name"),
        "-pull_count" => concat!(LISTED, "pull_count desc, name", PAGED, "pull_count desc, name"),
        _ => return None,
    };
    let statement = subject.bind_to(Statement::new(sql)).bind(list.namespace).bind(list.name);
    Some(Query::page(statement.bind(list.administrating).bind(list.limit).bind(list.offset)))
}
