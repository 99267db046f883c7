//! `docker_auth`'s rules twice: as the importer evaluates them, and by a matcher of the tests' own. Of ten thousand sets of rules,
//! a user who gains something by the import is a user whom the comparison lists.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use arbtest::{
    arbitrary::{Result, Unstructured},
    arbtest,
};
use hublet::domain::{RepositoryName, Role};
use hublet_operator::import::{self, Files, Plan};
use regex::Regex;
use serde_json::{Value, json};
use test_support::{client::TestClient, fake_platform::block_on, operator::operator, sqlite::Sqlite};

use super::import::{apply, rows};

/// Sets of rules.
const CASES: u64 = 10_000;

/// Of how many of them one is written into a database.
const WRITTEN: u64 = 100;

const ACTIONS: [&str; 3] = ["pull", "push", "delete"];

/// The users with their labels, as `group`; their names here are in lower case.
const USERS: [(&str, &[&str]); 4] =
    [("Alice", &["acme", "tools"]), ("bob_", &["tools"]), ("c.d-e", &[]), ("dora_", &["a"])];

const REPOSITORIES: [&str; 8] =
    ["acme/app", "acme/lib", "acme/app/sub", "tools/x", "tools/app", "alice/own", "app", "team-a/z"];

const ACCOUNTS: [&str; 13] = [
    "Alice",
    "bob_",
    "",
    "*",
    "?ob_",
    "[^A]*",
    "/.+/",
    "/^(Alice|bob_)$/",
    "/^([a-c]).*/",
    "c\\.d-e",
    "c.d-e",
    "/^${labels:group}/",
    "[",
];

const NAMES: [&str; 17] = [
    "acme/*",
    "acme/app",
    "*",
    "*/*",
    "${account}/*",
    "${labels:group}/*",
    "team-${labels:group}/*",
    "/^acme/.*$/",
    "/own$/",
    "/^${account}/",
    "/^${labels:group}/app$/",
    "/^(.+)/(x|app)$/",
    "${account:1}*/*",
    "[a-m]*/*",
    "[^a]*/?",
    "tools\\/*",
    "/^${type}/",
];

fn pick<'a>(u: &mut Unstructured<'_>, texts: &[&'a str]) -> Result<&'a str> {
    u.choose(texts).copied()
}

/// A rule as the configuration has it.
fn rule(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut conditions = json!({});
    if u.ratio(3, 4)? {
        conditions["account"] = pick(u, &ACCOUNTS)?.into();
    }
    if u.ratio(3, 4)? {
        conditions["name"] = pick(u, &NAMES)?.into();
    }
    if u.ratio(1, 4)? {
        conditions["type"] = pick(u, &["repository", "registry", "*", "re[p]*"])?.into();
    }
    if u.ratio(1, 8)? {
        conditions["labels"] = json!({ "group": pick(u, &["acme", "*", "/^t/", "${account}"])? });
    }
    if u.ratio(1, 8)? {
        conditions["ip"] = "10.0.0.0/8".into();
    }
    if u.ratio(1, 16)? {
        conditions["service"] = "registry".into();
    }
    let actions: &[&str] =
        u.choose(&[&["*"][..], &["pull"], &["pull", "push"], &["push"], &[], &["delete", "pull"], &["pull", "*"]])?;
    Ok(json!({ "match": conditions, "actions": actions }))
}

/// A configuration.
fn config(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut users = json!({});
    for (name, groups) in USERS {
        users[name] = json!({ "password": "x", "labels": { "group": groups } });
    }
    if u.ratio(1, 2)? {
        users[""] = json!({});
    }
    let rules = (0..u.int_in_range(0..=6)?).map(|_| rule(u)).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "users": users, "acl": rules }))
}

/// Go's `path.Match`, by trying; a pattern that is none matches nothing.
fn path_match(pattern: &[char], text: &[char]) -> Option<bool> {
    let Some((first, rest)) = pattern.split_first() else { return Some(text.is_empty()) };
    // What is wrong further on is wrong whatever the text is.
    let tail = |pattern: &[char], text: Option<&[char]>| match text {
        Some(text) => path_match(pattern, text),
        None => path_match(pattern, &[]).map(|_| false),
    };
    let next = |fits: fn(char) -> bool| text.split_first().filter(|(letter, _)| fits(**letter)).map(|(_, rest)| rest);
    match first {
        '*' => {
            let end = text.iter().position(|letter| *letter == '/').unwrap_or(text.len());
            (0..=end).try_fold(false, |found, at| Some(path_match(rest, &text[at..])? || found))
        }
        '?' => tail(rest, next(|letter| letter != '/')),
        '[' => {
            let negated = rest.first() == Some(&'^');
            let body = &rest[usize::from(negated)..];
            let close = body.iter().skip(1).position(|letter| *letter == ']')? + 1;
            let (inside, after) = (&body[..close], &body[close + 1..]);
            let has = |letter: char| match inside {
                [low, '-', high] => (*low..=*high).contains(&letter),
                letters => letters.contains(&letter),
            };
            let text = text.split_first().filter(|(letter, _)| has(**letter) != negated).map(|(_, rest)| rest);
            tail(after, text)
        }
        '\\' => {
            let (letter, rest) = rest.split_first()?;
            tail(rest, text.strip_prefix(std::slice::from_ref(letter)))
        }
        letter => tail(rest, text.strip_prefix(std::slice::from_ref(letter))),
    }
}

thread_local! {
    /// Regular expressions that were compiled.
    static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::new(HashMap::new());
}

/// What a regular expression gives; nothing where it is none.
fn compiled<T>(regex: &str, work: impl Fn(&Regex) -> T) -> Option<T> {
    COMPILED
        .with_borrow_mut(|all| all.entry(regex.to_owned()).or_insert_with(|| Regex::new(regex).ok()).as_ref().map(work))
}

/// Whether a pattern in which everything is put is for a text. No pattern here is one in Go alone.
fn fits(pattern: &str, text: &str) -> bool {
    let letters = |text: &str| text.chars().collect::<Vec<_>>();
    match pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        Some(regex) if !regex.is_empty() => compiled(regex, |regex| regex.is_match(text)).unwrap_or(false),
        _ => path_match(&letters(pattern), &letters(text)).unwrap_or(false),
    }
}

/// Whether the conditions are met, apart from those on addresses and services.
fn meets(conditions: &Value, account: &str, repository: &str) -> bool {
    let groups = USERS.iter().find(|(name, _)| *name == account).map_or(&[][..], |(_, groups)| groups);
    let mut vars = [("${account}", account), ("${type}", "repository"), ("${name}", repository)]
        .map(|(name, value)| (name.to_owned(), regex::escape(value).replace("\\-", "-")))
        .to_vec();
    if let Some(regex) = conditions["account"].as_str().and_then(|text| text.strip_prefix('/')?.strip_suffix('/')) {
        let group = |regex: &Regex| Some(regex.captures(account)?.get(1)?.as_str().to_owned());
        let groups = compiled(regex, group).flatten();
        vars.extend(groups.map(|group| ("${account:1}".to_owned(), group)));
    }
    let put = |text: &str, vars: &[(String, String)]| {
        vars.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    };
    let named = [("account", account), ("type", "repository"), ("name", repository)];
    let mut fields = named.into_iter().filter_map(|(field, text)| Some((conditions[field].as_str()?, text)));
    let by_label = fields.all(|(pattern, text)| {
        let pattern = put(pattern, &vars);
        let each = groups.iter().map(|group| pattern.replace("${labels:group}", group));
        each.chain([pattern.clone()]).any(|pattern| fits(&pattern, text))
    });
    let label = conditions["labels"]["group"]
        .as_str()
        .is_none_or(|pattern| groups.iter().any(|group| fits(&put(pattern, &vars), group)));
    by_label && label
}

/// What `docker_auth` grants, whatever address a request comes from and for whatever service it is: of all ways in which the rules
/// that depend on it may be met, what each grants.
fn granted(config: &Value, account: &str, repository: &str) -> BTreeSet<&'static str> {
    let mut ways = Vec::new();
    let mut is_sure = false;
    for rule in config["acl"].as_array().unwrap() {
        let conditions = &rule["match"];
        if meets(conditions, account, repository) {
            let actions = rule["actions"].as_array().unwrap();
            let is_all = actions.len() == 1 && actions[0] == "*";
            let given = ACTIONS.into_iter().filter(|action| is_all || actions.iter().any(|one| one == action));
            ways.push(given.collect::<BTreeSet<_>>());
            is_sure = conditions["ip"].is_null() && conditions["service"].is_null();
        }
        if is_sure {
            break;
        }
    }
    if !is_sure {
        ways.push(BTreeSet::new());
    }
    ACTIONS.into_iter().filter(|action| ways.iter().all(|way| way.contains(action))).collect()
}

/// A name here.
fn here(name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("library/{name}") }
}

/// The rows of a comparison read back as a person reads them: user, repository and action.
fn listed(rows: &[String], change: &str) -> BTreeSet<(String, String, String)> {
    let all = REPOSITORIES.map(here);
    let mut found = BTreeSet::new();
    for row in rows {
        let [kind, users, actions, places] = row.split("  ").collect::<Vec<_>>()[..] else { panic!("{row}") };
        if kind != change {
            continue;
        }
        let mut repositories = BTreeSet::new();
        for place in places.split(", ") {
            let (place, without) = place.split_once(" but ").unwrap_or((place, ""));
            let without = without.split(" and ").collect::<Vec<_>>();
            let inside = |name: &&String| match place.strip_suffix('*') {
                Some(namespace) => name.starts_with(namespace) && !without.contains(&name.as_str()),
                None => place == "all repositories" || place == *name,
            };
            repositories.extend(all.iter().filter(inside).cloned());
        }
        for user in users.split(", ") {
            for action in actions.split(", ") {
                found.extend(repositories.iter().map(|place| (user.to_owned(), place.clone(), action.to_owned())));
            }
        }
    }
    found
}

/// What hublet itself grants: its own lookup for each user.
fn on_index(database: &Rc<Sqlite>, user: &str, repository: &str) -> Option<Role> {
    use hublet::store::repositories::{Subject, lookup};
    let (namespace, name) = repository.split_once('/').unwrap();
    let name = RepositoryName::parse(namespace, name).unwrap();
    let subject = if user.is_empty() { Subject::Anonymous } else { Subject::Name(user) };
    let operator = operator(database, 1_800_000_000, "on").unwrap();
    let found = block_on(operator.fetch(lookup(&name, &subject))).unwrap();
    found.namespace_id.and_then(|_| found.relations(false).effective_role())
}

fn actions_of(role: Option<Role>) -> &'static [&'static str] {
    match role {
        None => &[],
        Some(Role::Read) => &["pull"],
        Some(Role::Write) => &["pull", "push"],
        Some(Role::Admin) => &ACTIONS,
    }
}

#[test]
fn who_gains_is_listed() {
    let client = TestClient::new().unwrap();
    let (cases, gains) = (Cell::new(0_u64), Cell::new(0_usize));
    let property = |u: &mut Unstructured<'_>| {
        let (config, delete) = (config(u)?, u.ratio(1, 4)?);
        let files = Files {
            source: "docker_auth".to_owned(),
            config: config.clone(),
            repositories: REPOSITORIES.map(str::to_owned).into(),
            delete,
            ..Files::default()
        };
        let plan = import::plan(&files).unwrap();
        let accounts = USERS.iter().map(|(name, _)| (*name, name.to_lowercase())).chain([("", String::new())]);
        let is_open = config["users"].get("").is_some();
        let mut before = BTreeMap::new();
        for (account, user) in accounts {
            for repository in REPOSITORIES {
                let open = !account.is_empty() || is_open;
                let actions = if open { granted(&config, account, repository) } else { BTreeSet::new() };
                before.insert((user.clone(), here(repository)), actions);
            }
        }
        check(&plan, &before, &config);
        cases.set(cases.get() + 1);
        if cases.get().is_multiple_of(WRITTEN) {
            let database = Rc::new(client.app.db.copied().unwrap());
            gains.set(gains.get() + written(&database, &plan, &before, &config));
        }
        Ok(())
    };
    while cases.get() < CASES {
        arbtest(property).budget_ms(300);
    }
    assert!(gains.get() > 0, "the property was never tried: no user gained");
    println!("cases: {} sets of rules, of which one in {WRITTEN} was written", cases.get());
}

/// What the plan has of before is what the matcher of the tests says.
fn check(plan: &Plan, before: &BTreeMap<(String, String), BTreeSet<&'static str>>, config: &Value) {
    let mut planned = BTreeMap::<(String, String), BTreeSet<String>>::new();
    for list in plan.grants.iter().flatten() {
        for user in &list.users {
            for repository in &list.repositories {
                let actions = list.actions.to_string();
                planned
                    .entry((user.clone(), repository.clone()))
                    .or_default()
                    .extend(actions.split(", ").map(str::to_owned));
            }
        }
    }
    for (place, actions) in before {
        let planned = planned.get(place).map(|all| all.iter().map(String::as_str).collect()).unwrap_or_default();
        assert_eq!(*actions, planned, "{place:?} of {config:#}");
    }
}

/// Writes a plan; those who gain or lose are those whom the comparison lists. Gives how many gain.
fn written(
    database: &Rc<Sqlite>,
    plan: &Plan,
    before: &BTreeMap<(String, String), BTreeSet<&'static str>>,
    config: &Value,
) -> usize {
    apply(database, plan);
    let operator = operator(database, 1_800_000_000, "on").unwrap();
    let compared = block_on(import::compare(&operator, plan)).unwrap();
    let (mut gains, mut losses) = (BTreeSet::new(), BTreeSet::new());
    for ((user, repository), before) in before {
        let now = actions_of(on_index(database, user, repository));
        let user = if user.is_empty() { "(anonymous)" } else { user.as_str() };
        for action in ACTIONS {
            let change = (user.to_owned(), repository.clone(), action.to_owned());
            match (before.contains(action), now.contains(&action)) {
                (false, true) => drop(gains.insert(change)),
                (true, false) => drop(losses.insert(change)),
                _ => {}
            }
        }
    }
    let rows = rows(&compared);
    assert_eq!(listed(&rows, "gains"), gains, "{config:#}");
    assert_eq!(listed(&rows, "loses"), losses, "{config:#}");
    assert_eq!(compared.denied, !gains.is_empty());
    // By the plan alone, only owners of their own namespaces gain.
    assert!(
        gains.iter().all(|(user, repository, _)| repository.starts_with(&format!("{user}/"))),
        "{gains:?} {config:#}"
    );
    gains.len()
}
