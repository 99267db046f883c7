//! What several tags of a repository name.

use constcat::concat;

use crate::{
    domain::RepositoryName,
    store::{
        FromRow, Query, Row,
        repositories::bind_repository,
        roles::{Subject, WITH_ROLE},
    },
};

/// A tag, and what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedDigest {
    /// The name of the tag.
    pub tag: String,
    /// The digest that it names.
    pub digest: String,
}

impl FromRow for NamedDigest {
    fn from_row(row: &mut Row) -> Self {
        Self { tag: row.get("name"), digest: row.get("digest") }
    }
}

/// What the tags of these names (a JSON list) name, for a subject who may read them: where several registries have one,
/// the one that was pushed last.
#[must_use]
pub fn list(repository: &RepositoryName, subject: &Subject<'_>, names: &str) -> Query<Vec<NamedDigest>> {
    let sql = concat!(
        WITH_ROLE,
        "select name, digest from (
           select t.name, t.digest, max(t.pushed_at)
           from place p cross join tags t on t.repository_id = p.repository_id
           where p.role >= 1 and t.deleted = 0 and t.name in (select value from json_each(?6)) group by t.name)"
    );
    Query::all(bind_repository(sql, repository, subject).bind(names))
}
