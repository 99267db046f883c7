//! Repositories, and the relations of a subject to them.

mod create;
mod delete;
mod details;
mod list;
mod push;
mod readable;
mod transfer;
mod update;

use constcat::concat;
use serde_json::json;

use crate::{
    domain::{NamespaceId, RepositoryId, RepositoryName, Role, access::Relations, audit::AuditAction},
    store::{
        FromRow, Keyed, Query, Row, Statement,
        audit::{self, Account, AuditContext},
        roles::{LOOKED_UP, LOOKED_UP_BY_ID, LOOKUP, ONE, PLACE_LOOKUP, ROLE_BY_ID, WITH_ROLE},
        users::HOLDER_COLUMNS,
    },
};

pub use crate::store::roles::Subject;
pub use create::{Destination, New, create, lookup_in_own_namespace};
pub use delete::{delete, mark, remove};
pub use details::{Details, RepositoryDetails, details};
pub use list::{List, Listed, NamespaceCount, Summary, list};
pub use push::{complete_push, create_for_push, record_announcement};
pub use readable::{CatalogEntry, ReadablePrivate, catalog, readable_private};
pub use transfer::{Transfer, transfer};
pub use update::{Change, update};

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Never given twice.
    pub id: RepositoryId,
    /// Only for users with a role in it.
    pub private: bool,
    /// Its deletion is pending: the first `DELETE` of v1 was received.
    pub pending_deletion: bool,
    /// Grows with each change that search must learn.
    pub revision: i64,
}

/// The result of looking a repository up by its name: what exists of it, and the relations of a subject to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryLookup {
    /// The namespace, when it exists.
    pub namespace_id: Option<NamespaceId>,
    /// The repository, when it exists.
    pub repository: Option<Repository>,
    owner: bool,
    member: Option<Role>,
    collaborator: Option<Role>,
    public: bool,
}

impl FromRow for Repository {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.get("repository_id"),
            private: row.get("private"),
            pending_deletion: row.get::<Option<i64>>("deleted_at").is_some(),
            revision: row.get("revision"),
        }
    }
}

impl Keyed for Repository {
    const KEY: &'static str = "repository_id";
}

impl FromRow for RepositoryLookup {
    fn from_row(row: &mut Row) -> Self {
        Self {
            namespace_id: row.get("namespace_id"),
            repository: row.joined(),
            owner: row.get::<Option<bool>>("owner").unwrap_or_default(),
            member: row.get("member_role"),
            collaborator: row.get("collaborator_role"),
            public: row.get::<Option<bool>>("public").unwrap_or_default(),
        }
    }
}

impl RepositoryLookup {
    /// The id of a repository with a pending deletion: it is removed when another of its name is created.
    #[must_use]
    pub fn pending_deletion(&self) -> Option<RepositoryId> {
        self.repository.as_ref().filter(|repository| repository.pending_deletion).map(|repository| repository.id)
    }

    /// The lookup as if a repository with a pending deletion did not exist.
    #[must_use]
    pub fn ignoring_pending_deletion(mut self) -> Self {
        if self.pending_deletion().is_some() {
            self.repository = None;
            self.collaborator = None;
            self.public = false;
        }
        self
    }

    /// The relations of the subject, to which the rules are applied.
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

/// The beginning of a lookup for [`Subject::is_by_id`], which reads the user, too: for a token issued under a password,
/// that is all that authentication needs.
const LOOKUP_BY_ID: &str = concat!("select ", HOLDER_COLUMNS, ", ", LOOKUP);

/// Looks a repository up.
#[must_use]
pub fn lookup(name: &RepositoryName, subject: &Subject<'_>) -> Query<RepositoryLookup> {
    let sql = subject.text(
        concat!(LOOKUP_BY_ID, " from ", ONE, LOOKED_UP_BY_ID),
        concat!("select ", LOOKUP, " from ", ONE, LOOKED_UP),
    );
    Query::one(bind_repository(sql, name, subject)).with_holder(subject.is_by_id())
}

/// A repository with the list of its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupWithImages {
    /// The repository.
    pub lookup: RepositoryLookup,
    /// Each image as its id and, directly after it, its checksum, separated by spaces, so that one text in one row
    /// carries them and nothing in it is escaped. Empty for a subject who may not read them.
    pub images: String,
}

impl FromRow for LookupWithImages {
    fn from_row(row: &mut Row) -> Self {
        Self { lookup: RepositoryLookup::from_row(row), images: row.take("images").unwrap_or_default() }
    }
}

/// The list of images, up to the id of the repository and the role of the subject.
const IMAGES: &str = ", (select group_concat(i.id || ifnull(i.checksum, ''), ' ')
   from (select id, checksum from images where repository_id = ";

/// The list of images, after that.
const LISTED_IMAGES: &str = " >= 1 order by position) i) images from ";

/// Looks a repository up, with its images.
#[must_use]
pub fn lookup_with_images(name: &RepositoryName, subject: &Subject<'_>) -> Query<LookupWithImages> {
    let sql = subject.text(
        concat!(LOOKUP_BY_ID, IMAGES, "r.id and ", ROLE_BY_ID, LISTED_IMAGES, ONE, LOOKED_UP_BY_ID),
        concat!(WITH_ROLE, "select ", PLACE_LOOKUP, IMAGES, "p.repository_id and p.role", LISTED_IMAGES, "place p"),
    );
    Query::one(bind_repository(sql, name, subject)).with_holder(subject.is_by_id())
}

/// A repository, and whether an image is one of its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupWithImage {
    /// The repository.
    pub lookup: RepositoryLookup,
    /// Whether it lists the image.
    pub is_listed: bool,
}

impl FromRow for LookupWithImage {
    fn from_row(row: &mut Row) -> Self {
        Self { lookup: RepositoryLookup::from_row(row), is_listed: row.get("is_listed") }
    }
}

/// Whether the image is one of the list of the repository, up to what is looked up.
const IS_LISTED: &str =
    concat!(", exists (select 1 from images where repository_id = r.id and id = ?6) is_listed from ", ONE);

/// Looks a repository up, with whether it lists this image.
#[must_use]
pub fn lookup_with_image(name: &RepositoryName, subject: &Subject<'_>, image: &str) -> Query<LookupWithImage> {
    let sql = subject
        .text(concat!(LOOKUP_BY_ID, IS_LISTED, LOOKED_UP_BY_ID), concat!("select ", LOOKUP, IS_LISTED, LOOKED_UP));
    Query::one(bind_repository(sql, name, subject).bind(image)).with_holder(subject.is_by_id())
}

/// A repository that was looked up with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionedLookup {
    /// Which of the names it is, from 0.
    pub position: i64,
    /// The repository.
    pub lookup: RepositoryLookup,
}

impl FromRow for PositionedLookup {
    fn from_row(row: &mut Row) -> Self {
        Self { position: row.get("position"), lookup: RepositoryLookup::from_row(row) }
    }
}

/// The beginning of a lookup of several repositories.
const MANY: &str = concat!(
    "select ",
    LOOKUP,
    ", asked.position from (select key position, value ->> 0 namespace, value ->> 1 name from json_each(?4))"
);

/// Looks up several repositories at once; without a name, nothing is found.
#[must_use]
pub fn lookup_many(names: &[Option<RepositoryName>], subject: &Subject<'_>) -> Query<Vec<PositionedLookup>> {
    let names = names.iter().map(|name| name.as_ref().map(|name| [&name.namespace, &name.name])).collect::<Vec<_>>();
    let sql = subject.text(concat!(MANY, LOOKED_UP_BY_ID), concat!(MANY, LOOKED_UP));
    Query::all(subject.bind_to(Statement::new(sql)).bind(json!(names).to_string()))
}

/// Binds the subject and the name of a repository: `?1` to `?5`.
pub(super) fn bind_repository(sql: &'static str, name: &RepositoryName, subject: &Subject<'_>) -> Statement {
    subject.bind_to(Statement::new(sql)).bind(name.namespace.as_str()).bind(name.name.as_str())
}

/// Binds the subject and a whole namespace: it is looked up as the repository with an empty name.
pub(super) fn bind_namespace(sql: &'static str, namespace: &str, subject: &Subject<'_>) -> Statement {
    subject.bind_to(Statement::new(sql)).bind(namespace).bind("")
}

/// Records in the audit what the statement before changed of a repository.
fn record(by: &AuditContext, action: AuditAction, name: &RepositoryName) -> Statement {
    audit::record(by, action, Account::Named(&name.namespace), &name.to_string(), &[])
}

/// Queues a repository for search, which must learn of its change.
#[must_use]
pub fn enqueue(id: RepositoryId) -> Statement {
    Statement::new("insert into outbox (repository_id) values (?1)").bind(id)
}
