//! What a search costs where there is thirty times as much, for every kind of search and of client, and that what is found first
//! is what a reference that looks at everything finds first.
//!
//! The steps of `SQLite`'s machine are not all of it: they do not count how far the full text reads its lists, which marks
//! bound. The last test is about these.

use std::collections::HashMap;

use hublet::store::{
    documents::Visibility,
    outbox::{Change, Document},
};
use test_support::sqlite::Sqlite;

use crate::search::{expected, filled, found, news, read};

/// Repositories of the smaller and the larger index, beside those that are private to one person.
const SIZES: [i64; 2] = [1_000, 30_000];

/// Private repositories of the person who has most.
const OWN: i64 = 1_000;

/// The most steps of a search of a person with [`OWN`] private repositories, and of anybody else.
const MOST_STEPS: [i64; 2] = [280_000, 140_000];

/// Steps that take the time of a request that asks the database for one row: a search is a request, too.
const REQUEST: i64 = 30_000;

const WORDS: [&str; 24] = [
    "the", "for", "with", "and", "service", "server", "image", "tool", "proxy", "redis", "postgres", "nginx", "mail",
    "search", "index", "photo", "video", "lynx", "heron", "maple", "cedar", "basalt", "quartz", "zephyr",
];

const SHAPES: [(&str, &str); 15] = [
    ("frequent", "the"),
    ("less frequent", "redis"),
    ("rare", "basalt"),
    ("absent", "quagga"),
    ("two that meet", "the redis"),
    ("three, of which no name has all", "the for with"),
    ("five", "oddly the for server service"),
    ("two rare ones", "quartz zephyr"),
    ("two that do not meet", "oddly evenly"),
    ("one letter", "r"),
    ("two letters", "re"),
    ("two letters that are nowhere", "qx"),
    ("mixed", "redis re"),
    ("a name", "the-redis"),
    ("none", ""),
];

/// Numbers that are always the same, from 0 to 1.
fn draws() -> impl FnMut() -> f64 {
    let mut state = 88_172_645_463_325_252_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
    }
}

/// Repositories whose words are distributed by Zipf's law; one in five is private, and the last [`OWN`] are, to one person.
fn town(size: i64) -> Vec<Change> {
    let mut draw = draws();
    let mut word = || {
        let place = f64::powf(25.0, draw()) - 1.0;
        (0..24).rev().find(|at| f64::from(*at) <= place).map_or(WORDS[0], |at| WORDS[usize::try_from(at).unwrap()])
    };
    let one = |n: i64| {
        let half = if n % 2 == 0 { "evenly" } else { "oddly" };
        let document = Document {
            namespace: format!("u{}", n % 97),
            name: format!("{}-{}{}", word(), word(), if n % 50 == 0 { String::new() } else { n.to_string() }),
            description: format!("{} {} {} {} {half}", word(), word(), word(), word()),
            private: n % 5 == 0 || n > size,
            star_count: n * 7_919 % 17,
            pushed_at: 1_700_000_000 + n * 104_729 % 50_000,
        };
        news(n, document)
    };
    (1..=size + OWN).map(one).collect()
}

/// The kinds of clients, each with how many private repositories it may read: all where it is `None`.
const READERS: [(&str, Option<i64>); 4] = [
    ("anonymous", Some(0)),
    ("a person with 10", Some(10)),
    ("a person with 1,000", Some(OWN)),
    ("an administrator", None),
];

fn own(town: &[Change], size: i64, many: i64) -> Vec<i64> {
    let private = town.iter().skip(usize::try_from(size).unwrap());
    private.take(usize::try_from(many).unwrap()).map(|news| news.repository_id.get()).collect()
}

fn sight(town: &[Change], size: i64, many: Option<i64>) -> Visibility {
    match many {
        Some(0) => Visibility::Public,
        Some(many) => Visibility::PublicAnd(format!("{:?}", own(town, size, many))),
        None => Visibility::All,
    }
}

#[test]
fn search_costs_little_more_where_there_is_much_more() {
    let towns = SIZES.map(|size| (size, town(size)));
    let databases = [filled(&towns[0].1), filled(&towns[1].1)];
    let mut wrong = Vec::new();
    for (shape, q) in SHAPES {
        let terms = q.split_whitespace().collect::<Vec<_>>();
        let ranked = towns.each_ref().map(|(_, town)| ranked(town, &terms));
        for (who, many) in READERS {
            let search = read(q, 25, 1);
            let cost = |at: usize| {
                let (size, town) = &towns[at];
                let database: &Sqlite = &databases[at];
                let before = database.steps();
                let (names, _) = found(database, &search, &sight(town, *size, many));
                let own = own(town, *size, many.unwrap_or_default());
                let sees = |id: i64| many.is_none() || id % 5 != 0 && id <= *size || own.contains(&id);
                let first = ranked[at].iter().filter(|(id, _)| sees(*id)).map(|(_, name)| name).take(10);
                assert!(first.eq(names.iter().take(10)), "{shape} ({q}) as {who} of {size}: {names:?}");
                database.steps() - before
            };
            let (less, more) = (cost(0), cost(1));
            if more > MOST_STEPS[usize::from(many != Some(OWN))] || more + REQUEST > 3 * (less + REQUEST) {
                wrong.push(format!("{shape} ({q}) as {who}: {less} steps, then {more}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    println!("cases: {} searches of two sizes", SHAPES.len() * READERS.len());
}

/// What a reference finds that sees everything, in order, with the ids.
fn ranked(town: &[Change], terms: &[&str]) -> Vec<(i64, String)> {
    let ids = town.iter().map(|news| {
        let Document { namespace, name, .. } = news.document.as_ref().unwrap();
        (format!("{namespace}/{name}"), news.repository_id.get())
    });
    let ids = ids.collect::<HashMap<_, _>>();
    expected(town, terms, |_| true).into_iter().map(|name| (ids[&name], name)).collect()
}

/// Words of which every document has one, and one of 30,000 both: what is first is found, and what is last only where one of
/// the words is rare.
#[test]
fn words_that_are_everywhere_are_read_to_a_mark() {
    const SIZE: i64 = 150_000;
    let database = Sqlite::migrated("search").unwrap();
    let sql = format!(
        "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < {SIZE})
         insert into documents (id, revision, name, last, words, description, visibility, star_count, pushed_at, folded)
         select n, 1, 'u/n' || n, 'n' || n, ' u n' || n || ' ', d, 'pub', 0, n, d || char(1) from (
           select n, case when n % 30000 = 0 then 'oddly evenly' when n % 2 then 'oddly' else 'evenly' end
             || iif(n = 30000, ' rare', '') d from numbers)"
    );
    database.connection().execute_batch(&sql).unwrap();
    let names = |q: &str| found(&database, &read(q, 25, 1), &Visibility::Public).0;
    assert_eq!(names("oddly evenly"), ["u/n150000"], "the others are behind the mark");
    assert_eq!(names("oddly evenly rare"), ["u/n30000"]);
}
