//! The projection that search reads, in `SEARCH`.

use serde_json::json;

use constcat::concat;

use crate::{
    domain::{
        RepositoryId, RepositoryName,
        search::{self, Decompose, MAX_MATCHES, Search, last_component, tokenize},
    },
    store::{FromRow, Keyed, Page, Query, Row, Statement, outbox::Change},
};

/// Seconds after which a repository that was hidden here first must be hidden in the primary database too: no request
/// takes as long.
pub const HIDE_GRACE_PERIOD: i64 = 60;

/// Updates documents; news that is older than a document does not change it, unless the document was hidden for a
/// change that was never committed.
#[must_use]
pub fn write(news: &[Change], now: i64, decompose: Decompose<'_>) -> Vec<Statement> {
    let mut documents = Vec::new();
    let mut gone = Vec::new();
    for Change { repository_id, revision, document } in news {
        match document {
            None => gone.push(json!([repository_id, revision])),
            Some(document) => {
                let name = RepositoryName { namespace: document.namespace.clone(), name: document.name.clone() };
                let name = name.short();
                documents.push(json!([
                    repository_id,
                    revision,
                    name,
                    last_component(&name),
                    tokenize(&name),
                    document.description,
                    if document.private { "prv" } else { "pub" },
                    document.star_count,
                    document.pushed_at,
                    search::text_of_description(&document.description, decompose),
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
        .bind(now - HIDE_GRACE_PERIOD),
        Statement::new(
            "insert into documents
               (id, revision, name, last, words, description, visibility, star_count, pushed_at, folded)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
               value ->> 7, value ->> 8, value ->> 9
             from json_each(?1) where true
             on conflict (id) do update set revision = excluded.revision, name = excluded.name, last = excluded.last,
               words = excluded.words, description = excluded.description, visibility = excluded.visibility,
               star_count = excluded.star_count, pushed_at = excluded.pushed_at, folded = excluded.folded,
               hidden_at = null
             where excluded.revision >= documents.revision or documents.hidden_at <= ?2",
        )
        .bind(json!(documents).to_string())
        .bind(now - HIDE_GRACE_PERIOD),
    ]
}

/// Hides a repository at once from users without a role in it, as of this revision, which the primary database is about
/// to reach.
#[must_use]
pub fn hide(id: RepositoryId, revision: i64, now: i64) -> Statement {
    Statement::new(
        "update documents set visibility = 'prv', revision = ?2, hidden_at = ?3 where id = ?1 and revision < ?2",
    )
    .bind(id)
    .bind(revision)
    .bind(now)
}

/// The state of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentState {
    /// The id of the repository.
    pub id: RepositoryId,
    /// The revision of the repository that it has; 0 if it is to be written again.
    pub revision: i64,
    /// Whether no request can be about to reach its revision.
    pub settled: bool,
}

impl FromRow for DocumentState {
    fn from_row(row: &mut Row) -> Self {
        Self { id: row.get("id"), revision: row.get("revision"), settled: row.get("settled") }
    }
}

/// The states of the documents with ids in a range (above the first, up to the second).
#[must_use]
pub fn between(above: i64, to: i64, now: i64) -> Query<Vec<DocumentState>> {
    let sql = "select id, iif(folded is null, 0, revision) revision, ifnull(hidden_at <= ?3, 1) settled
       from documents where id > ?1 and id <= ?2";
    Query::all(Statement::new(sql).bind(above).bind(to).bind(now - HIDE_GRACE_PERIOD))
}

/// What a search may find.
pub enum Visibility {
    /// Public repositories only.
    Public,
    /// Also the private ones of these ids (a JSON list).
    PublicAnd(String),
    /// Everything.
    All,
}

/// A repository that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The name for display: without `library/`.
    pub name: String,
    /// One line.
    pub description: String,
    /// Stars.
    pub star_count: i64,
}

impl FromRow for Match {
    fn from_row(row: &mut Row) -> Self {
        Self {
            name: row.get("name"),
            description: row.take("description").unwrap_or_default(),
            star_count: row.get("star_count"),
        }
    }
}

impl Keyed for Match {
    const KEY: &'static str = "name";
}

/// The beginning of a search, up to the statement of its candidates.
const CANDIDATES: &str = "with candidates (id) as materialized (";

/// After the candidates, up to the expression of the class of a document `d`.
const MATCHES: &str = "), matches as materialized (
   select d.id, d.name, d.description, d.star_count, d.pushed_at, ";

/// After the class: a page of the matches that may be seen, and how many there are.
const PAGE: &str = " class from candidates c join documents d on d.id = c.id
     where d.visibility = 'pub' or ?4 or d.id in (select value from json_each(?3)))
   select t.count, p.name, p.description, p.star_count
   from (select min(count(*), ?5) count from matches) t
   left join (select * from matches order by class, star_count desc, pushed_at desc, id desc
              limit max(min(?1, ?5 - ?2), 0) offset ?2) p on true
   order by p.class, p.star_count desc, p.pushed_at desc, p.id desc";

/// The first matches of an expression, which follows, in the order in which they are stored: the public ones.
const FIRST_PUBLIC: &str = "select d.id from (select rowid id from (select rowid from terms where terms match ";

/// After that expression: the private ones, for who may see everything; the expression follows again.
const FIRST_PRIVATE: &str = " and rowid >= 0 order by rowid desc limit ?5)
     union all select rowid from (select rowid from terms where ?4 and terms match ";

/// After that expression.
const FIRST: &str = " and rowid < 0 order by rowid desc limit ?5)) t cross join documents d on d.standing = t.id";

/// A search without words: every document is a candidate.
const EVERYTHING: &str = concat!(
    CANDIDATES,
    "select id from (select id from documents where visibility = 'pub'
       order by star_count desc, pushed_at desc, id desc limit ?5)
     union select id from (select id from documents where visibility = 'prv' and ?4
       order by star_count desc, pushed_at desc, id desc limit ?5)
     union select value from json_each(?3)",
    MATCHES,
    "0",
    PAGE
);

/// A search for words.
const BY_WORDS: &str = concat!(
    CANDIDATES,
    FIRST_PUBLIC,
    "?6",
    FIRST_PRIVATE,
    "?6",
    FIRST,
    " union ",
    FIRST_PUBLIC,
    "?7",
    FIRST_PRIVATE,
    "?7",
    FIRST,
    " union ",
    FIRST_PUBLIC,
    "?8",
    FIRST_PRIVATE,
    "?8",
    FIRST,
    " union ",
    FIRST_PUBLIC,
    "?9",
    FIRST_PRIVATE,
    "?9",
    FIRST,
    " union select d.id from json_each(?3) j cross join documents d on d.id = j.value
       where not exists (select 1 from json_each(?10) where not instr(d.named, value) and not instr(d.told, value))",
    MATCHES,
    "case when instr(d.named, ?11) then 0
       when instr(d.named, ?12) then 1
       when not exists (select 1 from json_each(?13) where not instr(d.named, value)) then 2
       else 3 end",
    PAGE
);

/// A page of the matches of a search; the count is at most [`MAX_MATCHES`].
///
/// The order is: exact name, prefix, word, anything else; in each of these by stars, then by the last push. Each of
/// them gives its first [`MAX_MATCHES`] that may be seen, so that none of its documents is lost among those of the next. The
/// other documents that the client may see are compared one by one.
#[must_use]
pub fn find(search: &Search, visibility: &Visibility) -> Query<Page<Match>> {
    let (ids, all) = match visibility {
        Visibility::Public => ("[]", false),
        Visibility::PublicAnd(ids) => (ids.as_str(), false),
        Visibility::All => ("[]", true),
    };
    let page = |sql: &'static str| {
        Statement::new(sql)
            .bind(search.page_size)
            .bind((search.page - 1) * search.page_size)
            .bind(ids)
            .bind(all)
            .bind(MAX_MATCHES)
    };
    if search.terms.is_empty() {
        return Query::page(page(EVERYTHING));
    }
    let (whole, beginning) = (search.whole(), search.beginning());
    let (words, anywhere) = (search.tokens(), search.anywhere());
    let terms = format!("{{named told}} : {}", search::all(&anywhere));
    let named = |phrases: &[String]| format!("named : {}", search::all(phrases));
    let statement = page(BY_WORDS)
        .bind(named(std::slice::from_ref(&whole)))
        .bind(named(std::slice::from_ref(&beginning)))
        .bind(format!("{} AND {terms}", named(&words)))
        .bind(terms)
        .bind(json!(anywhere).to_string())
        .bind(whole)
        .bind(beginning)
        .bind(json!(words).to_string());
    Query::page(statement)
}
