//! The projection that search reads, in `SEARCH`.

use serde_json::json;

use constcat::concat;

use crate::{
    domain::{
        RepositoryName,
        search::{self, MOST, Search, last, words},
    },
    store::{Statement, outbox::News},
};

/// Seconds after which what was hidden ahead of the truth must be true by now: no request takes so
/// long.
pub const SETTLED: i64 = 60;

/// Brings documents up to date with news; older news than what is there changes nothing, unless what
/// is there was hidden for a change that never came about.
#[must_use]
pub fn write(news: &[News], now: i64) -> Vec<Statement> {
    let mut documents = Vec::new();
    let mut gone = Vec::new();
    for News { repository_id, revision, document, .. } in news {
        match document {
            None => gone.push(json!([repository_id, revision])),
            Some(document) => {
                let name = RepositoryName { namespace: document.namespace.clone(), name: document.name.clone() };
                let name = name.shown();
                documents.push(json!([
                    repository_id,
                    revision,
                    name,
                    last(&name),
                    words(&name),
                    document.description,
                    if document.private { "prv" } else { "pub" },
                    document.star_count,
                    document.pushed_at,
                    search::told(&document.description),
                ]));
            }
        }
    }
    vec![
        Statement::new(
            "delete from documents where id in (
               select d.id from json_each(?1) j join documents d on d.id = j.value ->> 0
               where j.value ->> 1 = 0 or d.revision <= j.value ->> 1 or d.hidden_at <= ?2)",
        )
        .bind(json!(gone).to_string())
        .bind(now - SETTLED),
        Statement::new(
            "insert into documents (id, revision, name, last, words, description, visibility, star_count, pushed_at, folded)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
               value ->> 7, value ->> 8, value ->> 9
             from json_each(?1) where true
             on conflict (id) do update set revision = excluded.revision, name = excluded.name, last = excluded.last,
               words = excluded.words, description = excluded.description, visibility = excluded.visibility,
               star_count = excluded.star_count, pushed_at = excluded.pushed_at, folded = excluded.folded, hidden_at = null
             where excluded.revision >= documents.revision or documents.hidden_at <= ?2",
        )
        .bind(json!(documents).to_string())
        .bind(now - SETTLED),
    ]
}

/// Hides a repository from strangers at once, as of this revision, which the truth is about to reach.
#[must_use]
pub fn hide(id: i64, revision: i64, now: i64) -> Statement {
    Statement::new(
        "update documents set visibility = 'prv', revision = ?2, hidden_at = ?3 where id = ?1 and revision < ?2",
    )
    .bind(id)
    .bind(revision)
    .bind(now)
}

/// The documents with ids in a range (above the first, up to the second): `id`, `revision` (0 where they are to be written
/// anew), and whether what they say is `settled`.
#[must_use]
pub fn between(above: i64, to: i64, now: i64) -> Statement {
    Statement::new(
        "select id, iif(folded is null, 0, revision) revision, ifnull(hidden_at <= ?3, 1) settled
         from documents where id > ?1 and id <= ?2",
    )
    .bind(above)
    .bind(to)
    .bind(now - SETTLED)
}

/// Who may see what a search finds.
pub enum Sight {
    /// Public repositories only.
    Public,
    /// Also the private ones of these ids (a JSON list).
    Also(String),
    /// Everything.
    All,
}

/// What a search finds among candidates: a page of them, and how many there are.
macro_rules! found {
    ($candidates:expr, $class:literal) => {
        concat!(
            "with candidates (id) as materialized (",
            $candidates,
            "), matches as materialized (
               select d.id, d.name, d.description, d.star_count, d.pushed_at, ",
            $class,
            " class from candidates c join documents d on d.id = c.id
               where d.visibility = 'pub' or ?4 or d.id in (select value from json_each(?3)))
             select t.total, p.name, p.description, p.star_count
             from (select min(count(*), ?5) total from matches) t
             left join (select * from matches order by class, star_count desc, pushed_at desc, id desc
                        limit max(min(?1, ?5 - ?2), 0) offset ?2) p on true
             order by p.class, p.star_count desc, p.pushed_at desc, p.id desc"
        )
    };
}

/// The first matches of an expression (`$match`), as they stand: of what everybody may see, and of the rest for who may
/// see everything.
macro_rules! first {
    ($match:literal) => {
        concat!(
            "select d.id from (
               select rowid id from (select rowid from terms where terms match ",
            $match,
            " and rowid >= 0 order by rowid desc limit ?5)
               union all select rowid from (select rowid from terms where ?4 and terms match ",
            $match,
            " and rowid < 0 order by rowid desc limit ?5)) t
               cross join documents d on d.standing = t.id"
        )
    };
}

/// One page of what a search finds: `name`, `description`, `star_count`, and in every row `total`,
/// the matches up to [`MOST`]. A page past the end is one row without a name.
///
/// The order is: exact name, prefix, word, anything else; inside each by stars, then by the last push. Each of these gives
/// its first [`MOST`] in its sight, so that none of them is lost among what is behind it. What else the caller
/// may see is looked at one by one.
#[must_use]
pub fn find(search: &Search, sight: &Sight) -> Statement {
    let (ids, all) = match sight {
        Sight::Public => ("[]", false),
        Sight::Also(ids) => (ids.as_str(), false),
        Sight::All => ("[]", true),
    };
    let page = |sql: &'static str| {
        Statement::new(sql)
            .bind(search.page_size)
            .bind((search.page - 1) * search.page_size)
            .bind(ids)
            .bind(all)
            .bind(MOST)
    };
    if search.terms.is_empty() {
        return page(found!(
            "select id from (select id from documents where visibility = 'pub'
               order by star_count desc, pushed_at desc, id desc limit ?5)
             union select id from (select id from documents where visibility = 'prv' and ?4
               order by star_count desc, pushed_at desc, id desc limit ?5)
             union select value from json_each(?3)",
            "0"
        ));
    }
    let (whole, beginning) = (search.whole(), search.beginning());
    let (words, anywhere) = (search.words(), search.anywhere());
    let terms = format!("{{named told}} : {}", search::all(&anywhere));
    let named = |phrases: &[String]| format!("named : {}", search::all(phrases));
    page(found!(
        concat!(
            first!("?6"),
            " union ",
            first!("?7"),
            " union ",
            first!("?8"),
            " union ",
            first!("?9"),
            " union select d.id from json_each(?3) j cross join documents d on d.id = j.value
               where not exists (select 1 from json_each(?10) where not instr(d.named, value) and not instr(d.told, value))"
        ),
        "case when instr(d.named, ?11) then 0
           when instr(d.named, ?12) then 1
           when not exists (select 1 from json_each(?13) where not instr(d.named, value)) then 2
           else 3 end"
    ))
    .bind(named(std::slice::from_ref(&whole)))
    .bind(named(std::slice::from_ref(&beginning)))
    .bind(format!("{} AND {terms}", named(&words)))
    .bind(terms)
    .bind(json!(anywhere).to_string())
    .bind(whole)
    .bind(beginning)
    .bind(json!(words).to_string())
}
