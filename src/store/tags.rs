//! The tags of repositories, as registries told of them in their events.

use crate::{
    domain::RepositoryName,
    store::{
        Statement,
        audit::{self, Account, By},
    },
};

/// The repository of a name, `?1` and `?2`.
macro_rules! repository {
    () => {
        "(select r.id from namespaces n join repositories r on r.namespace_id = n.id
           where n.name = ?1 and r.name = ?2)"
    };
}

/// The statement of lists in this order.
macro_rules! listed {
    ($order:literal) => {
        concat!(
            "with newest as materialized (
               select id, name, max(pushed_at) pushed_at from tags where repository_id = ",
            repository!(),
            "    and deleted = 0 and (?3 = '' or instr(lower(name), lower(?3)) > 0) group by name)
             select c.count, t.id, t.repository_id, t.name, t.digest, t.size, t.media_type, t.pushed_at, t.pushed_by,
               t.pulled_at
             from (select count(*) count from newest) c
             left join (select id from newest order by ",
            $order,
            " limit ?4 offset ?5) p on true left join tags t on t.id = p.id order by ",
            $order
        )
    };
}

/// A page of the tags that have a text in their names, with `count` in every row; a page past the end
/// is one row without a `name`. Where registries have the same tag, it is the one that was pushed
/// last. Nothing for an order that there is not.
#[must_use]
pub fn list(repository: &RepositoryName, name: &str, ordering: &str, limit: i64, offset: i64) -> Option<Statement> {
    let sql = match ordering {
        "name" => listed!("name"),
        "-name" => listed!("name desc"),
        "last_updated" => listed!("pushed_at, name"),
        "-last_updated" => listed!("pushed_at desc, name"),
        _ => return None,
    };
    Some(named(sql, repository).bind(name).bind(limit).bind(offset))
}

/// One tag, the one that was pushed last.
#[must_use]
pub fn find(repository: &RepositoryName, tag: &str) -> Statement {
    let sql = concat!(
        "select * from tags where repository_id = ",
        repository!(),
        " and name = ?3 and deleted = 0 order by pushed_at desc, id desc limit 1"
    );
    named(sql, repository).bind(tag)
}

/// Forgets a tag (of this digest) in every registry; the last statement gives a row if there was one. A
/// mark stays, so that an older push that is told late does not bring it back.
#[must_use]
pub fn forget(repository: i64, name: &RepositoryName, tag: &str, digest: &str, by: &By) -> Vec<Statement> {
    let told = [("tag", tag), ("digest", digest)];
    vec![
        Statement::new("update tags set deleted = 1 where repository_id = ?1 and name = ?2 and deleted = 0")
            .bind(repository)
            .bind(tag),
        audit::told(by, "repo.tag.delete", Account::Named(&name.namespace), &name.to_string(), &told),
    ]
}

fn named(sql: &'static str, repository: &RepositoryName) -> Statement {
    Statement::new(sql).bind(repository.namespace.as_str()).bind(repository.name.as_str())
}
