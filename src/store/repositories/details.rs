//! The details of a repository.

use constcat::concat;

use crate::{
    domain::RepositoryName,
    store::{
        FromRow, Keyed, Query, Row,
        repositories::{RepositoryLookup, Summary, bind_repository},
        roles::{PLACE_LOOKUP, Subject, WITH_ROLE, WITH_ROLE_BY_ID},
    },
};

/// The details of a repository, for a subject who may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// What lists have of it, too.
    pub summary: Summary,
    /// Markdown.
    pub full_description: String,
    /// The number of its collaborators.
    pub collaborator_count: i64,
    /// Whether the subject has given it a star.
    pub has_starred: bool,
}

impl FromRow for Details {
    fn from_row(row: &mut Row) -> Self {
        Self {
            summary: Summary::from_row(row),
            full_description: row.take("full_description").unwrap_or_default(),
            collaborator_count: row.get("collaborator_count"),
            has_starred: row.get("has_starred"),
        }
    }
}

impl Keyed for Details {
    const KEY: &'static str = "created_at";
}

/// A repository with its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryDetails {
    /// The repository.
    pub lookup: RepositoryLookup,
    /// Its details, if it exists and the subject may read it. The patterns of an access token are not all applied here.
    pub details: Option<Details>,
}

impl FromRow for RepositoryDetails {
    fn from_row(row: &mut Row) -> Self {
        Self { lookup: RepositoryLookup::from_row(row), details: row.joined() }
    }
}

/// The details of a `place`.
const DETAILS: &str = concat!(
    "select ",
    PLACE_LOOKUP,
    ", r.description, r.full_description, r.star_count, r.pull_count, r.created_at, r.updated_at,
       exists (select 1 from tags t where t.repository_id = r.id and t.deleted = 0) is_tagged,
       (select count(*) from collaborators k where k.repository_id = r.id) collaborator_count,
       exists (select 1 from stars s where s.user_id = p.user_id and s.repository_id = r.id) has_starred
     from place p left join repositories r on r.id = p.repository_id and p.role >= 1"
);

/// Looks a repository up, with its details.
#[must_use]
pub fn details(name: &RepositoryName, subject: &Subject<'_>) -> Query<RepositoryDetails> {
    let sql = subject.text(concat!(WITH_ROLE_BY_ID, DETAILS), concat!(WITH_ROLE, DETAILS));
    Query::one(bind_repository(sql, name, subject))
}
