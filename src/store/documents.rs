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

/// A search without words: every document is a candidate.
const EVERYTHING: &str = "with candidates (id) as materialized (
   select id from (select id from documents where visibility = 'pub'
     order by star_count desc, pushed_at desc, id desc limit ?5)
   union select id from (select id from documents where visibility = 'prv' and ?4
     order by star_count desc, pushed_at desc, id desc limit ?5)
   union select value from json_each(?3)),
 matches as materialized (
   select d.id, d.name, d.description, d.star_count, d.pushed_at from candidates c join documents d on d.id = c.id
   where d.visibility = 'pub' or ?4 or d.id in (select value from json_each(?3)))
 select t.count, p.name, p.description, p.star_count
 from (select min(count(*), ?5) count from matches) t
 left join (select * from matches order by star_count desc, pushed_at desc, id desc
            limit max(min(?1, ?5 - ?2), 0) offset ?2) p on true
 order by p.star_count desc, p.pushed_at desc, p.id desc";

/// What is in one of 2,048 documents, and what is in one of 16,384.
const SAMPLED: &str = "'\"' || char(4, 4, 4) || '\"'";
const END: &str = "'\"' || char(6, 6, 6) || '\"'";

/// The places of a class, those of public documents or those of private ones, in order: up to how many are looked at.
const PLACES: &str = "(select json_group_array(place) from (
     select d.place from (
       select rowid from trigrams where trigrams match expression and rowid >= iif(side.value, 0, -9223372036854775808)
         and rowid <= ifnull(until, -1) & iif(side.value, 9223372036854775807, -1) order by rowid limit ";

/// After that, up to what a document `d` must have.
const COMPARED: &str = ") t cross join documents d on d.place = t.rowid where ";

/// It has all that was asked for: the first of it (parameter 9), which is most often all, and the others.
const HAS_ALL: &str = "(instr(d.named, ?9) or instr(d.described, ?9)) and (json_array_length(?7) = 1
   or not exists (select 1 from json_each(?7) where not instr(d.named, value) and not instr(d.described, value)))";

/// Its name has all that is of a class.
const IS_OF_CLASS: &str = "not exists (select 1 from json_each(class.value, '$[1]') where not instr(d.named, value))";

/// After that, up to how many places are found.
const IN_ORDER: &str = " order by t.rowid limit ";

/// After that: both sides for who may see everything.
const OF_THE_SIDES: &str = ")) from expressions e cross join json_each(iif(?4, '[0,1]', '[0]')) side";

/// A search for words. Parameter 6 is the classes of names, each an expression (or null) and what the name must have; 8 is
/// the runs of characters of the classes without an expression, each with its class.
///
/// The full text reads its lists in the order of places up to where all have met often enough, so that two words that are
/// everywhere and never meet would cost as much as there is. One of 2,048 documents has the mark 4. Where there are 32 of
/// them (65,536 public documents), these give how often each run is. If one is in none, then documents are found by those
/// that are in at most two, and compared. If there is no rare one, lists are read up to one of the marks 6, which have a
/// document of 16,384: all of them together, some 65,000 entries.
const BY_WORDS: &str = concat!(
    "with sample (last) as materialized (
   select (select rowid from trigrams where trigrams match ",
    SAMPLED,
    " and rowid < 0 order by rowid limit 1 offset 31)),
 runs (class, run, many) as materialized (
   select value ->> 0, value ->> 1, iif(value ->> 0 = 3, (
     select count(*) from trigrams where trigrams match (value ->> 1) || ' AND ' || ",
    SAMPLED,
    " and rowid <= last), 0)
   from json_each(?8) cross join sample),
 marks (marks) as materialized (
   select json_group_array(rowid) from (
     select rowid from trigrams where trigrams match ",
    END,
    " and rowid < 0 order by rowid)),
 ends (until, every) as materialized (
   select iif(min(many) and count(*) > 1, (select marks ->> max(1, 128 / sum(many)) from marks), null),
     min(many) or count(*) = 1
   from runs where class = 3),
 expressions (class, until, expression) as materialized (
   select key, null, value ->> 0 from json_each(?6) where value ->> 0 is not null
   union all
   select class, until, group_concat(iif(until is null, run, '(' || run || ' OR ' || ",
    END,
    " || ')'), ' AND ')
   from runs cross join ends where every or many <= 2 group by class),
 found (class, places) as (
   select e.class, ",
    PLACES,
    "?5",
    COMPARED,
    HAS_ALL,
    " and ",
    IS_OF_CLASS,
    IN_ORDER,
    "?1 + ?2",
    OF_THE_SIDES,
    " join json_each(?6) class on class.key = e.class
   union all
   select 3, ",
    PLACES,
    "2 * ?5",
    COMPARED,
    HAS_ALL,
    IN_ORDER,
    "?5",
    OF_THE_SIDES,
    " where e.class = 3),
 matches (class, place) as materialized (
   select min(class), place from (
     select class, value place from found cross join json_each(places)
     union all
     select ifnull((select min(key) from json_each(?6) class where value is not null and ",
    IS_OF_CLASS,
    "), 3), d.place
     from json_each(?3) own cross join documents d on d.id = own.value where d.visibility = 'prv' and ",
    HAS_ALL,
    ") group by place)
 select t.count, d.name, d.description, d.star_count
 from (select min(count(*), ?5) count from matches) t
 left join (select class, place from matches order by class, place & 9223372036854775807
            limit max(min(?1, ?5 - ?2), 0) offset ?2) p on true
 left join documents d on d.place = p.place
 order by p.class, p.place & 9223372036854775807"
);

/// A page of the matches of a search; the count is at most [`MAX_MATCHES`].
///
/// The order is: exact name, prefix, word, anything else; in each of these by stars, then by the last push. Each of the
/// first three gives what the page needs, the last one [`MAX_MATCHES`], of twice as many that are looked at. The other
/// documents that the client may see are compared one by one.
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
    let (anywhere, words) = (search.anywhere(), search.words());
    let by_name = |name: &String| json!([search::all(&search::trigrams(&[name])), [name]]);
    let classes = json!([
        search.whole().as_ref().map(by_name).unwrap_or_default(),
        search.beginning().as_ref().map(by_name).unwrap_or_default(),
        [null, words],
    ]);
    let of_class = |class: i64, runs: Vec<String>| {
        runs.into_iter().map(move |run| json!([class, search::all(&[run])])).collect::<Vec<_>>()
    };
    let runs = [of_class(2, search::edges(&words)), of_class(3, search::trigrams(&anywhere))].concat();
    let statement = page(BY_WORDS)
        .bind(classes.to_string())
        .bind(json!(anywhere).to_string())
        .bind(json!(runs).to_string())
        .bind(anywhere.first().map(String::as_str).unwrap_or_default());
    Query::page(statement)
}
