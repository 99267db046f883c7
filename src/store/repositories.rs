//! Repositories, and what somebody is to them.

use constcat::concat;
use serde_json::json;

use crate::{
    domain::{RepositoryName, Role, access::Relations},
    refusal::Fault,
    store::{
        FromRow, Keyed, Query, Row, Statement,
        audit::{self, Account, AuditContext},
        roles::{LOOKED_UP, LOOKUP, ONE, SUBJECT, WITH_ROLE},
        tombstones::bury,
        users::STATUS,
    },
};

pub use crate::store::roles::Subject;

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Never given twice.
    pub id: i64,
    /// Only for who was named.
    pub private: bool,
    /// The first `DELETE` was here.
    pub pending_deletion: bool,
    /// Grows with each change that search must learn.
    pub revision: i64,
}

/// A place where a repository is or could be, as somebody stands to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryLookup {
    /// The namespace, when it exists.
    pub namespace_id: Option<i64>,
    /// The repository, when it exists.
    pub repository: Option<Repository>,
    owner: bool,
    member: Option<Role>,
    collaborator: Option<Role>,
    public: bool,
}

impl FromRow for Repository {
    fn from_row(row: &mut Row) -> Result<Self, Fault> {
        Ok(Self {
            id: row.get("repository_id")?,
            private: row.get("private")?,
            pending_deletion: row.get::<Option<i64>>("deleted_at")?.is_some(),
            revision: row.get("revision")?,
        })
    }
}

impl Keyed for Repository {
    const KEY: &'static str = "repository_id";
}

impl FromRow for RepositoryLookup {
    fn from_row(row: &mut Row) -> Result<Self, Fault> {
        Ok(Self {
            namespace_id: row.get("namespace_id")?,
            repository: row.joined()?,
            owner: row.get::<Option<bool>>("owner")?.unwrap_or_default(),
            member: row.get("member_role")?,
            collaborator: row.get("collaborator_role")?,
            public: row.get::<Option<bool>>("public")?.unwrap_or_default(),
        })
    }
}

impl RepositoryLookup {
    /// The place of a row.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        Self::from_row(&mut row.clone()).unwrap_or_else(|fault| unreachable!("{fault:?}"))
    }

    /// The id of a repository that is marked deleted, and gives way to another of its name.
    #[must_use]
    pub fn pending_deletion(&self) -> Option<i64> {
        self.repository.as_ref().filter(|repository| repository.pending_deletion).map(|repository| repository.id)
    }

    /// The place as if a repository that is marked deleted were gone already.
    #[must_use]
    pub fn ignoring_pending_deletion(mut self) -> Self {
        if self.pending_deletion().is_some() {
            self.repository = None;
            self.collaborator = None;
            self.public = false;
        }
        self
    }

    /// What the rules are applied to.
    #[must_use]
    pub fn relations(&self, administrator: bool) -> Relations {
        Relations {
            administrator,
            owner: self.owner,
            member: self.member,
            collaborator: self.collaborator,
            public: self.public,
        }
    }
}

/// A place; always one row.
#[must_use]
pub fn lookup(name: &RepositoryName, subject: &Subject<'_>) -> Query<RepositoryLookup> {
    Query::one(located(concat!("select ", LOOKUP, " from ", ONE, LOOKED_UP), name, subject))
}

/// A place with the list of its images, for who may read them (`images`: each its id and right behind it its checksum, with
/// blanks between, so that one text in one row carries them and nothing in it is escaped on its way).
#[must_use]
pub fn lookup_with_images(name: &RepositoryName, subject: &Subject<'_>) -> Statement {
    let sql = concat!(
        WITH_ROLE,
        "select p.*, (select group_concat(i.id || ifnull(i.checksum, ''), ' ')
           from (select id, checksum from images where repository_id = p.repository_id and p.role >= 1
             order by position) i) images
         from place p"
    );
    located(sql, name, subject)
}

/// A place with whether its repository lists this image (`listed`).
#[must_use]
pub fn lookup_with_image(name: &RepositoryName, subject: &Subject<'_>, image: &str) -> Statement {
    let sql = concat!(
        "select ",
        LOOKUP,
        ", exists (select 1 from images where repository_id = r.id and id = ?6) listed from ",
        ONE,
        LOOKED_UP
    );
    located(sql, name, subject).bind(image)
}

/// A repository that was looked up with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionedLookup {
    /// Which of the names it is, from 0.
    pub position: i64,
    /// The repository, as the subject stands to it.
    pub lookup: RepositoryLookup,
}

impl FromRow for PositionedLookup {
    fn from_row(row: &mut Row) -> Result<Self, Fault> {
        Ok(Self { position: row.get("position")?, lookup: RepositoryLookup::from_row(row)? })
    }
}

/// Looks up several repositories at once; without a name, nothing is found.
#[must_use]
pub fn lookup_many(names: &[Option<RepositoryName>], subject: &Subject<'_>) -> Query<Vec<PositionedLookup>> {
    let names = names.iter().map(|name| name.as_ref().map(|name| [&name.namespace, &name.name])).collect::<Vec<_>>();
    let statement = subject
        .bind_to(Statement::new(concat!(
            "select ",
            LOOKUP,
            ", asked.position from (select key position, value ->> 0 namespace, value ->> 1 name from json_each(?4))",
            LOOKED_UP
        )))
        .bind(json!(names).to_string());
    Query::all(statement)
}

/// Binds who asks, and for which repository: `?1` to `?5`.
pub(super) fn located(sql: &'static str, name: &RepositoryName, subject: &Subject<'_>) -> Statement {
    subject.bind_to(Statement::new(sql)).bind(name.namespace.as_str()).bind(name.name.as_str())
}

/// Binds who asks, and for which whole namespace: it is the place of the repository without a name.
pub(super) fn whole(sql: &'static str, namespace: &str, subject: &Subject<'_>) -> Statement {
    subject.bind_to(Statement::new(sql)).bind(namespace).bind("")
}

/// Makes a repository, unless it is there, or the namespace has so many (`most`) already. One that was
/// marked deleted (`pending_deletion`) goes first.
#[must_use]
pub fn create(
    namespace: i64,
    name: &RepositoryName,
    pending_deletion: Option<i64>,
    private: bool,
    by: &AuditContext,
    most: i64,
) -> Vec<Statement> {
    let mut statements = pending_deletion.map(|id| give_way(id, name, by)).unwrap_or_default();
    statements.push(
        // One that is there is none more, and nothing is counted for it.
        Statement::new(concat!(
            "insert into repositories (namespace_id, name, full_name, private, created_at, updated_at)
             select id, ?2, name || '/' || ?2,
               max(?3, ifnull((select private from tombstones where namespace_id = ?1 and name = ?2), 0)), ?4, ?4
             from namespaces where id = ?1
               and not exists (select 1 from repositories where namespace_id = ?1 and name = ?2)
               and (select count(*) from (select 1 from repositories where namespace_id = ?1 limit ?5)) < ?5
             on conflict (namespace_id, name) do nothing"
        ))
        .bind(namespace)
        .bind(name.name.as_str())
        .bind(private)
        .bind(by.now)
        .bind(most),
    );
    statements.push(told(by, "repo.create", name));
    statements
}

/// Tells that so many images were announced, if one of them is new or has another checksum.
#[must_use]
pub fn announced(name: &RepositoryName, images: usize, by: &AuditContext) -> Statement {
    let images = images.to_string();
    audit::record(by, "repo.images.push", Account::Named(&name.namespace), &name.to_string(), &[("images", &images)])
}

/// Says that a push is complete: search may find the repository.
#[must_use]
pub fn pushed(id: i64, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new(
            "update repositories set pushed_at = ?2, updated_at = ?2, revision = revision + 1
             where id = ?1 and deleted_at is null",
        )
        .bind(id)
        .bind(by.now),
        told(by, "repo.images.push", name),
        enqueue(id),
    ]
}

/// Marks a repository deleted: it is hidden, and waits for the registry to delete its part.
#[must_use]
pub fn mark(id: i64, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    vec![
        bury(id, by),
        Statement::new(
            "update repositories set deleted_at = ?2, updated_at = ?2, revision = revision + 1
             where id = ?1 and deleted_at is null",
        )
        .bind(id)
        .bind(by.now),
        told(by, "repo.delete", name),
        enqueue(id),
    ]
}

/// Removes a repository that was marked, with all that belongs to it.
#[must_use]
pub fn remove(id: i64, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    let mut statements = vec![bury(id, by)];
    statements.extend(give_way(id, name, by));
    statements
}

/// The same for one that ended when it was marked, and gives way to another.
pub(super) fn give_way(id: i64, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    vec![
        enqueue(id),
        Statement::new("delete from repositories where id = ?1 and deleted_at is not null").bind(id),
        told(by, "repo.remove", name),
    ]
}

/// A row of the audit about a repository.
pub(super) fn told(by: &AuditContext, action: &'static str, name: &RepositoryName) -> Statement {
    audit::record(by, action, Account::Named(&name.namespace), &name.to_string(), &[])
}

/// Puts a repository on the list of what search must learn.
#[must_use]
pub fn enqueue(id: i64) -> Statement {
    Statement::new("insert into outbox (repository_id) values (?1)").bind(id)
}

/// What search may find of a repository `r` that only some may read.
const SECRET: &str = "r.private = 1 and r.deleted_at is null and r.pushed_at is not null";

/// Some of the private repositories that a user may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadablePrivate {
    /// Up to a thousand of them: the id and the full name of each.
    pub repositories: Vec<(i64, String)>,
    /// Whether there are more than all the rows have.
    pub cut: bool,
}

impl FromRow for ReadablePrivate {
    fn from_row(row: &mut Row) -> Result<Self, Fault> {
        let list = row.take("readable")?.unwrap_or_default();
        let repositories =
            serde_json::from_str(&list).map_err(|_| Fault::broken("column readable is not a list of pairs"))?;
        Ok(Self { repositories, cut: row.get("cut")? })
    }
}

/// The private repositories that a user may read, less than `most` in all rows together. The first row has none, and says
/// whether they were cut: the number of repositories that are looked at for them is bounded as well.
#[must_use]
pub fn readable_private(subject: &Subject<'_>, most: i64) -> Query<Vec<ReadablePrivate>> {
    let statement = subject
        .bind_to(Statement::new(concat!(
            "with subject as (select id from users where id = ",
            SUBJECT,
            "), invited (id) as materialized (
               select c.repository_id from subject cross join collaborators c on c.user_id = subject.id
               order by c.repository_id desc limit ?4
             ), joined (id) as materialized (
               select m.namespace_id from subject cross join members m on m.user_id = subject.id limit ?4
             ), own (id, full_name) as materialized (
               select id, full_name from (select r.id, r.full_name from subject cross join namespaces n on n.owner_id = subject.id
                 cross join repositories r on r.namespace_id = n.id where ",
            SECRET,
            " limit ?4)
               union
               select id, full_name from (select r.id, r.full_name from joined
                 cross join repositories r on r.namespace_id = joined.id where ",
            SECRET,
            " limit ?4)
               union
               select r.id, r.full_name from invited cross join repositories r on r.id = invited.id where ",
            SECRET,
            " order by 1 desc limit ?4
             )
             select '[]' readable, max((select count(*) from invited), (select count(*) from joined),
               (select count(*) from own)) >= ?4 cut
             union all
             select json_group_array(json_array(id, full_name)), 0
               from (select id, full_name, row_number() over (order by id desc) - 1 at from own where true limit ?4 - 1)
               group by at / 1000"
        )))
        .bind(most);
    Query::all(statement)
}

/// A repository of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogEntry {
    /// Namespace and name.
    pub full_name: String,
    /// Only for who was named.
    pub private: bool,
}

impl FromRow for CatalogEntry {
    fn from_row(row: &mut Row) -> Result<Self, Fault> {
        Ok(Self { full_name: row.get("full_name")?, private: row.get("private")? })
    }
}

/// The repositories that the subject may read, in the order of full names, after this one (`last`), at most so many.
/// `administrating` lets an administrator read everything.
#[must_use]
pub fn catalog(subject: &Subject<'_>, administrating: bool, last: &str, limit: i64) -> Query<Vec<CatalogEntry>> {
    let statement = subject
        .bind_to(Statement::new(concat!(
            "with subject as (select id, administrator from users u where ",
            STATUS,
            " = 'active' and id = ",
            SUBJECT,
            ")
             select full_name, private from (
               select full_name, private from (select full_name, private from repositories
                 where private = 0 and deleted_at is null and pushed_at is not null and full_name > ?4
                   and (?2 = 0 or exists (select 1 from subject))
                 order by full_name limit ?5)
               union
               select r.full_name, r.private from subject join namespaces n on n.owner_id = subject.id
                 join repositories r on r.namespace_id = n.id
                 where r.deleted_at is null and r.pushed_at is not null and r.full_name > ?4
               union
               select r.full_name, r.private from subject join members m on m.user_id = subject.id
                 join repositories r on r.namespace_id = m.namespace_id
                 where r.deleted_at is null and r.pushed_at is not null and r.full_name > ?4
               union
               select r.full_name, r.private from subject join collaborators c on c.user_id = subject.id
                 join repositories r on r.id = c.repository_id
                 where r.deleted_at is null and r.pushed_at is not null and r.full_name > ?4
               union
               select full_name, private from (select r.full_name, r.private from subject cross join repositories r
                 where ?6 and subject.administrator = 1
                   and r.deleted_at is null and r.pushed_at is not null and r.full_name > ?4
                 order by r.full_name limit ?5)
               order by 1 limit ?5)"
        )))
        .bind(last)
        .bind(limit)
        .bind(administrating);
    Query::all(statement)
}
