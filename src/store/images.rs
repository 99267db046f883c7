//! The image lists of repositories.

use crate::{
    domain::{RepositoryName, images::MOST},
    store::{
        Statement,
        audit::{self, Account, AuditContext},
    },
};

/// Which repository a list is merged into.
pub enum Target<'a> {
    /// The one of this namespace and name, which the same batch may have made.
    Named(i64, &'a str),
    /// The one of this id.
    Id(i64),
}

/// Merges a list (JSON pairs of id and checksum) into a repository: new ids go behind the known ones
/// in the order of the list, a known one keeps its place and, when none is sent, its checksum.
/// Nothing is merged when the repository would then hold too many. The last statement gives the
/// repository (`id`), and how many of the list it lacks (`missing`: 0, unless they were too many). The
/// first merges.
#[must_use]
pub fn merge(target: &Target<'_>, pairs: &str) -> [Statement; 2] {
    let merge = Statement::new(
        "with place as materialized (
           select r.id repository_id,
             (select ifnull(max(position), 0) from images where repository_id = r.id) last,
             (select count(*) from images where repository_id = r.id) held,
             (select count(*) from json_each(?1) n where not exists (
                select 1 from images i where i.repository_id = r.id and i.id = n.value ->> 0)) fresh
           from repositories r
           where r.id = coalesce(?2, (select id from repositories where namespace_id = ?3 and name = ?4))
             and r.deleted_at is null)
         insert into images (repository_id, position, id, checksum)
         select place.repository_id, place.last + 1 + j.key, j.value ->> 0, j.value ->> 1
         from place cross join json_each(?1) j where place.held + place.fresh <= ?5
         on conflict (repository_id, id) do update set checksum = excluded.checksum
           where excluded.checksum is not null and images.checksum is not excluded.checksum",
    );
    let check = Statement::new(
        "select r.id, (select count(*) from json_each(?1) n where not exists (
           select 1 from images i where i.repository_id = r.id and i.id = n.value ->> 0)) missing
         from repositories r
         where r.id = coalesce(?2, (select id from repositories where namespace_id = ?3 and name = ?4))
           and r.deleted_at is null",
    );
    let (id, namespace, name) = match *target {
        Target::Named(namespace, name) => (None, Some(namespace), Some(name)),
        Target::Id(id) => (Some(id), None, None),
    };
    let bound = |statement: Statement| statement.bind(pairs).bind(id).bind(namespace).bind(name);
    [bound(merge).bind(i64::try_from(MOST).unwrap_or(i64::MAX)), bound(check)]
}

/// Empties the list of a repository.
#[must_use]
pub fn clear(repository: i64, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new("delete from images where repository_id = ?1").bind(repository),
        audit::record(by, "repo.images.delete", Account::Named(&name.namespace), &name.to_string(), &[]),
    ]
}
