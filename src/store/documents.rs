//! The projection that search reads, in `SEARCH`.

use serde_json::json;

use crate::{
    domain::{
        RepositoryName,
        search::{MOST, Search, last, words},
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
            "insert into documents (id, revision, name, last, words, description, visibility, star_count, pushed_at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
               value ->> 7, value ->> 8
             from json_each(?1) where true
             on conflict (id) do update set revision = excluded.revision, name = excluded.name, last = excluded.last,
               words = excluded.words, description = excluded.description, visibility = excluded.visibility,
               star_count = excluded.star_count, pushed_at = excluded.pushed_at, hidden_at = null
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

/// The documents with ids in a range (above the first, up to the second): `id`, `revision`, and
/// whether what they say is `settled`.
#[must_use]
pub fn between(above: i64, to: i64, now: i64) -> Statement {
    Statement::new("select id, revision, ifnull(hidden_at <= ?3, 1) settled from documents where id > ?1 and id <= ?2")
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
                        limit ?1 offset ?2) p on true
             order by p.class, p.star_count desc, p.pushed_at desc, p.id desc"
        )
    };
}

/// Candidates of a search for terms: the exact name, the public names and last components that begin
/// so, and what the full text gives: of what everybody may see, and of what else the asker may.
macro_rules! matching {
    ($table:literal, $also:literal) => {
        found!(
            concat!(
                "select id from documents where visibility in ('pub', 'prv') and name = ?6 collate nocase
                 union select id from (select id from documents
                   where visibility = 'pub' and name >= ?6 collate nocase and name < ?7 collate nocase limit ?5)
                 union select id from (select id from documents
                   where visibility = 'pub' and last >= ?6 collate nocase and last < ?7 collate nocase limit ?5)
                 union select rowid from (select rowid from ",
                $table,
                " where ",
                $table,
                " match ?8",
                $also,
                " limit ?5)
                 union select rowid from (select rowid from ",
                $table,
                " where ",
                $table,
                " match ?9
                   and rowid in (select value from json_each(?3))",
                $also,
                " limit ?5)"
            ),
            "case when d.name = ?6 collate nocase or d.last = ?6 collate nocase then 0
               when (d.name >= ?6 collate nocase and d.name < ?7 collate nocase)
                 or (d.last >= ?6 collate nocase and d.last < ?7 collate nocase) then 1
               when not exists (select 1 from json_each(?10) where instr(d.words, value) = 0) then 2
               else 3 end"
        )
    };
}

/// One page of what a search finds: `name`, `description`, `star_count`, and in every row `total`,
/// the matches up to [`MOST`]. A page past the end is one row without a name.
///
/// The order is: exact name, prefix, word, anything else; inside each by stars, then by the last push.
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
    let (fragments, prefixes) = (search.fragments(), search.prefixes());
    let (sql, text) = match (&fragments, &prefixes) {
        (None, None) => {
            return page(found!(
                "select id from (select id from documents where visibility = 'pub'
                   order by star_count desc, pushed_at desc, id desc limit ?5)
                 union select id from (select id from documents where visibility = 'prv' and ?4
                   order by star_count desc, pushed_at desc, id desc limit ?5)
                 union select value from json_each(?3)",
                "0"
            ));
        }
        (Some(text), None) => (matching!("fragments", ""), text),
        (None, Some(text)) => (matching!("prefixes", ""), text),
        (Some(text), Some(_)) => (
            matching!(
                "fragments",
                " and exists (select 1 from prefixes where prefixes match ?11 and prefixes.rowid = fragments.rowid)"
            ),
            text,
        ),
    };
    let visible = if all { text.clone() } else { format!("{text} AND visibility : \"pub\"") };
    let terms = search.terms.iter().map(|term| words(term)).collect::<Vec<_>>();
    let statement = page(sql)
        .bind(search.whole.as_str())
        .bind(format!("{}\u{10ffff}", search.whole))
        .bind(visible)
        .bind(text.as_str())
        .bind(json!(terms).to_string());
    match (fragments, prefixes) {
        (Some(_), Some(prefixes)) => statement.bind(prefixes),
        _ => statement,
    }
}
