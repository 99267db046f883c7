//! What a search finds and in which order, against a reference that looks at everything; and what it costs, which is the
//! same however much there is: while a database answers a search it answers nothing else, and hiding a repository waits.

use std::cmp::Reverse;

use hublet::{
    domain::search::{MAX_MATCHES, Search},
    store::{
        Database, Rows, Statement,
        documents::{self, Visibility},
        outbox::{Change, Document},
    },
};
use test_support::{client::TestClient, fake_platform::block_on, sqlite::Sqlite};
use unicode_normalization::UnicodeNormalization;

/// Documents of the smaller and the larger search. Of both sorts there are as many as one search looks at.
const SIZES: [i64; 2] = [2_000, 20_000];

/// Private repositories that the person who searches may read.
const PRIVATE: i64 = 150;

/// The most steps that a search takes, whatever is asked and however much there is.
const MOST_STEPS: i64 = 220_000;

pub fn rows(database: &Sqlite, statements: &[Statement]) -> Vec<Rows> {
    block_on(database.batch(statements)).unwrap_or_else(|error| panic!("{error:?}"))
}

pub fn read(q: &str, n: i64, page: i64) -> Search {
    let numbers = [("n", n), ("page", page)].map(|(key, number)| (key.to_owned(), number.to_string()));
    Search::parse(&[&[("q".to_owned(), q.to_owned())], numbers.as_slice()].concat(), &nfd)
}

fn nfd(text: &str) -> String {
    text.nfd().collect()
}

/// The names on a page, and how many there are in all.
pub fn found(database: &Sqlite, search: &Search, sight: &Visibility) -> (Vec<String>, i64) {
    let query = documents::find(search, sight);
    let page = query.decode(rows(database, &[query.statement().clone()]).remove(0)).unwrap();
    (page.items.into_iter().map(|found| found.name).collect(), page.head.count)
}

pub fn filled(news: &[Change]) -> Sqlite {
    let database = Sqlite::migrated("search").unwrap();
    for news in news.chunks(1_000) {
        rows(&database, &documents::write(news, 0, &nfd));
    }
    database
}

pub fn news(id: i64, document: Document) -> Change {
    Change { repository_id: id.into(), revision: 1, document: Some(document) }
}

/// So many documents: `image`, `ready` and the words from `aa` to `ah` are in each; of the words from `zq` to `zx` each has
/// one, and of `oddly` and `evenly`; `rare` is in twenty. The first has all the stars.
fn crowd(size: i64) -> Sqlite {
    let one = |id: i64| {
        let short = ["zq", "zr", "zs", "zt", "zu", "zv", "zw", "zx"][usize::try_from(id % 8).unwrap()];
        let long = if id % 2 == 0 { "evenly" } else { "oddly" };
        let rare = if id % (size / 20) == 1 { "rare" } else { "" };
        let description = format!("image ready {short} {long} {rare} aa ab ac ad ae af ag ah");
        let document = Document {
            namespace: format!("user{}", id % (size / 10)),
            name: format!("app{id}"),
            description,
            private: id % 4 > 1,
            star_count: if id == 1 { 1_000 } else { id % 3 },
            pushed_at: 1_700_000_000 + id * 1_000,
        };
        news(id, document)
    };
    filled(&(1..=size).map(one).collect::<Vec<_>>())
}

const SHAPES: [(&str, &str); 22] = [
    ("nothing", ""),
    ("long", "image"),
    ("long, rare", "rare"),
    ("long, nowhere", "nowhere"),
    ("long that meet", "image ready"),
    ("long that do not meet", "oddly evenly"),
    ("eight long", "image ready ima mag age rea ead ady"),
    ("eight long that do not meet", "image ready ima mag age rea oddly evenly"),
    ("a long one of what is everywhere", "mage ready"),
    ("short", "ap"),
    ("one letter", "a"),
    ("short that meet", "aa ab"),
    ("short that do not meet", "zq zx"),
    ("long and short that meet", "image aa"),
    ("long and short that do not meet", "oddly zq"),
    ("long and short, of which one is nowhere", "image qq"),
    ("long and seven short that do not meet", "image zq zr zs zt zu zv zw"),
    ("long and seven short that are nowhere", "image qa qb qc qd qe qf qg"),
    ("eight short that meet", "aa ab ac ad ae af ag ah"),
    ("eight short that do not meet", "zq zr zs zt zu zv zw zx"),
    ("the beginning of many names", "app"),
    ("a whole name", "user5/app5"),
];

#[test]
fn search_cost_is_independent_of_size() {
    let ids = (1..=PRIVATE).map(|id| id * 4 + 2).collect::<Vec<_>>();
    let sights = [Visibility::Public, Visibility::PublicAnd(format!("{ids:?}")), Visibility::All];
    let [small, large] = SIZES.map(crowd);
    let mut wrong = Vec::new();
    for (shape, q) in SHAPES {
        for (sight, who) in sights.iter().zip(["anonymous", "a person", "an administrator"]) {
            let search = read(q, 25, 1);
            let [less, more] = [&small, &large].map(|database| {
                let before = database.steps();
                found(database, &search, sight);
                database.steps() - before
            });
            // As many as a page shows twenty times are compared, although none of them is on it.
            if more > MOST_STEPS || more > less * 3 / 2 + 1_500 {
                wrong.push(format!("{shape} ({q}) as {who}: {less} steps, then {more}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // What is oldest is not what is lost.
    for q in ["image", "ready image", "app", "ap", "a", "", "aa", "image aa"] {
        let (names, total) = found(&large, &read(q, 25, 1), &Visibility::Public);
        assert_eq!((names[0].as_str(), total), ("user1/app1", MAX_MATCHES), "{q}");
    }
    println!("cases: {} searches of two sizes", SHAPES.len() * sights.len());
}

/// The documents of the reference, of words that meet by chance: those who are found by many terms and those who are not.
fn town(size: i64) -> Vec<Change> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut below = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(most).unwrap()).unwrap()
    };
    let people = ["paul", "ada", "redis", "library", "tea_house"];
    let names = ["redis", "app", "tea", "cake", "cafe", "nginx", "r", "re", "port"];
    let words =
        ["Redis", "APP.", "tea &", "(cake)", "Café", "cafe\u{301}s", "ré-", "🐳", "x", "im-port", "Порт", "数据库"];
    let mut one = |id: i64| {
        let name = match below(3) {
            0 => names[below(9)].to_owned(),
            1 => format!("{}-{}", names[below(9)], names[below(9)]),
            _ => format!("{}{}/{}", names[below(9)], below(50), names[below(9)]),
        };
        let description = (0..below(5)).map(|_| words[below(12)]).collect::<Vec<_>>().join(" ");
        let stars = if below(4) == 0 { below(40) } else { 0 };
        let document = Document {
            namespace: people[below(5)].to_owned(),
            name,
            description,
            private: id % 10 == 0,
            star_count: i64::try_from(stars).unwrap(),
            pushed_at: 1_600_000_000 + i64::try_from(below(90_000_000)).unwrap(),
        };
        news(id, document)
    };
    // After a restore, ids begin at the clock in microseconds.
    (1..=size).map(|id| if id > size / 2 { one(id + 1_800_000_000_000_000) } else { one(id) }).collect()
}

/// As a person reads it: Latin letters without their accents.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('é', "e").replace('\u{301}', "")
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// What is to be found, in order: everything is looked at.
pub fn expected(town: &[Change], terms: &[&str], sees: impl Fn(&Change) -> bool) -> Vec<String> {
    let matching = town.iter().filter(|news| sees(news)).filter_map(|news| {
        let document = news.document.as_ref().unwrap();
        let official = document.namespace == "library" && !document.name.contains('/');
        let whole = if official { document.name.clone() } else { format!("{}/{}", document.namespace, document.name) };
        let description = plain(&document.description);
        let has = |term: &&str| match term.chars().count() {
            1 | 2 => {
                [whole.as_str(), &description].iter().any(|text| words(text).iter().any(|word| word.starts_with(term)))
            }
            _ => whole.contains(term) || description.contains(term),
        };
        let last = whole.rsplit('/').next().unwrap();
        let name_has = |term: &&str| {
            let (row, all) = (words(term), words(&whole));
            !row.is_empty() && all.windows(row.len()).any(|some| some == row)
        };
        let class = match terms {
            [] => 0,
            [name] if whole == *name || last == *name => 0,
            [name] if whole.starts_with(name) || last.starts_with(name) => 1,
            terms if terms.iter().all(name_has) => 2,
            _ => 3,
        };
        let order = (class, Reverse(document.star_count), Reverse(document.pushed_at), Reverse(news.repository_id));
        terms.iter().all(has).then_some((order, whole))
    });
    let mut matching = matching.collect::<Vec<_>>();
    matching.sort();
    matching.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn search_agrees_with_a_full_scan() {
    const TOWN: i64 = 4_000;
    let town = town(TOWN);
    let database = filled(&town);
    let own = town.iter().map(|news| news.repository_id.get()).filter(|id| id % 70 == 0).collect::<Vec<_>>();
    let private = |news: &Change| news.document.as_ref().unwrap().private;
    let mut most = 0;
    for (q, terms) in [
        ("", &[][..]),
        ("redis", &["redis"]),
        ("Redis:7.2", &["redis"]),
        ("library/redis", &["redis"]),
        ("ada/redis", &["ada/redis"]),
        ("redis redis-app", &["redis", "redis-app"]),
        ("tea & cake", &["tea", "cake"]),
        ("tea - cake", &["tea", "cake"]),
        ("🐳 port", &["port"]),
        ("café", &["cafe"]),
        ("CAFE\u{301}", &["cafe"]),
        ("cafe", &["cafe"]),
        ("cafés", &["cafes"]),
        ("ré", &["re"]),
        ("r", &["r"]),
        ("re app", &["re", "app"]),
        ("x re", &["x", "re"]),
        ("порт", &["порт"]),
        ("数据", &["数据"]),
        ("数据库 te", &["数据库", "te"]),
        ("a", &["a"]),
        ("app tea cake port", &["app", "tea", "cake", "port"]),
        ("redis nothing", &["redis", "nothing"]),
        ("&", &["&"]),
    ] {
        for (sight, sees) in [
            (Visibility::Public, &(|news: &Change| !private(news)) as &dyn Fn(&Change) -> bool),
            (Visibility::PublicAnd(format!("{own:?}")), &|news| {
                !private(news) || own.contains(&news.repository_id.get())
            }),
            (Visibility::All, &|_| true),
        ] {
            let expected = expected(&town, terms, sees);
            let many = expected.len().min(usize::try_from(MAX_MATCHES).unwrap());
            // The last of very many are told apart by the day of their push.
            let exact = if expected.len() > many { many / 2 } else { many };
            let pages = (1..=i64::try_from(many / 100 + 1).unwrap())
                .map(|page| found(&database, &read(q, 100, page), &sight))
                .collect::<Vec<_>>();
            assert!(
                pages.iter().all(|(_, total)| usize::try_from(*total) == Ok(many)),
                "{q}: {} of {many}",
                pages[0].1
            );
            let names = pages.into_iter().flat_map(|(names, _)| names).collect::<Vec<_>>();
            assert_eq!(names.len(), many, "{q}");
            assert_eq!(names[..exact], expected[..exact], "{q}");
            most = most.max(expected.len());
        }
    }
    assert!(most > 2 * usize::try_from(MAX_MATCHES).unwrap(), "{most} are not more than a search looks at");
}

#[test]
fn search_covers_ten_thousand_collaborations() {
    const MANY: i64 = 10_000;
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    let add = |client: &TestClient, from: i64, to: i64| {
        let numbers =
            format!("with recursive numbers (n) as (select {from} union all select n + 1 from numbers where n < {to})");
        let name = "'app' || printf('%0246d', n)";
        let db = client.app.db.connection();
        db.execute_batch(&format!(
            "insert into namespaces (id, name, created_at) values (99, 'acme', 0) on conflict do nothing;
             {numbers} insert into repositories (id, namespace_id, name, full_name, private, created_at, updated_at, pushed_at)
               select n + 1000, 99, {name}, 'acme/' || {name}, 1, 0, 0, 1 from numbers;
             {numbers} insert into collaborators (repository_id, user_id, role)
               select n + 1000, (select id from users where name = 'paul'), 'read' from numbers;"
        ))
        .unwrap();
        let document = |id: i64| Document {
            namespace: "acme".into(),
            name: format!("app{id:0246}"),
            description: if id == 1 { "oldest".into() } else { String::new() },
            private: true,
            star_count: 0,
            pushed_at: 1,
        };
        let entries = (from..=to).map(|id| news(id + 1000, document(id))).collect::<Vec<_>>();
        entries.chunks(1_000).for_each(|entries| drop(rows(&client.app.search, &documents::write(entries, 0, &nfd))));
    };
    let ask = |client: &mut TestClient, q: &str, who: &str| {
        let before = client.app.db.steps();
        let response = client.ask(&format!("GET /v1/search?q={q}"), who, "");
        assert_eq!(response.status, 200, "{response:?}");
        let (found, incomplete) = (&response.body["num_results"], &response.body["incomplete_results"]);
        (found.as_i64().unwrap(), incomplete.as_bool(), client.app.db.steps() - before)
    };
    add(&client, 1, MANY);
    let (found, incomplete, steps) = ask(&mut client, "oldest", "paul:secret");
    assert_eq!((found, incomplete), (1, None));
    assert_eq!(ask(&mut client, "app", "paul:secret").0, MAX_MATCHES);
    assert_eq!(ask(&mut client, "oldest", "").0, 0);

    add(&client, MANY + 1, 3 * MANY);
    let (found, incomplete, more) = ask(&mut client, "oldest", "paul:secret");
    assert_eq!((found, incomplete), (0, Some(true)), "what was not looked into is said");
    assert!(more < steps * 3 / 2, "{steps} steps, then {more}");
    let newest = format!("{:0246}", 3 * MANY);
    assert_eq!(ask(&mut client, &newest[200..], "paul:secret").0, 1);
    assert_eq!(ask(&mut client, "oldest", "").1, None);
}
