//! The architecture as a test: which module may depend on which, and what must not be in the code of one.

mod source;

use std::{fmt::Write, fs, path::Path};

use source::{Kind, Source, Token};
use test_support::sources::rust_files;

/// The modules, and what each may use: a module, or one thing in it.
const MODULES: [(&str, &[&str]); 16] = [
    ("error", &[]),
    ("domain", &["error"]),
    ("wire", &["domain", "error"]),
    ("store", &["domain", "error"]),
    ("config", &["domain", "error"]),
    ("platform", &["domain::outgoing", "error"]),
    (
        "context",
        &[
            "domain",
            "error",
            "config",
            "platform",
            "store::Db",
            "store::Outcome",
            "store::Right",
            "store::Statement",
            "store::Transaction",
            "store::rights",
        ],
    ),
    ("mail", &["domain", "store", "error", "context", "platform"]),
    ("auth", &["domain", "wire", "store", "error", "context", "config", "platform", "mail"]),
    ("jobs", &["domain", "store", "error", "context", "platform", "mail"]),
    ("routes", &["domain", "error", "wire::Dialect"]),
    ("operations", &["domain", "wire", "store", "error", "context", "config", "platform", "auth", "mail", "jobs"]),
    (
        "handlers",
        &["domain", "wire", "store", "error", "context", "config", "platform", "auth", "mail", "jobs", "operations"],
    ),
    ("api", &["auth", "handlers", "routes", "context", "wire", "error"]),
    ("serve", &["api", "auth::browser", "routes", "handlers", "jobs", "context", "wire", "error"]),
    (
        "edge",
        &[
            "serve",
            "context",
            "config",
            "platform",
            "wire",
            "error",
            "domain::logins::Logins",
            "domain::outgoing::OutgoingUrl",
            "domain::password::HashPacer",
            "domain::password::PasswordCache",
            "domain::secret::hex",
            "store::Database",
            "store::Db",
            "store::Row",
            "store::Rows",
            "store::Statement",
            "store::Value",
            "store::db::Sleep",
        ],
    ),
];

/// Words that must not be in the code of a module, with the reason. An empty list means every module; `!` before a module
/// means every other.
const WORDS: [(&str, &[&str], &str); 8] = [
    ("worker", &["!edge"], "only edge depends on Cloudflare"),
    ("async", &["domain", "routes", "wire", "error"], "nothing waits here"),
    ("await", &["domain", "routes", "wire", "error"], "nothing waits here"),
    ("SystemTime", &[], "its clock panics on wasm32: use Platform::now"),
    ("Instant", &[], "its clock panics on wasm32: use Platform::now_ms"),
    ("unsafe", &[], "there is no need"),
    ("macro_rules", &["store"], "SQL is named constants"),
    ("Row", &["handlers", "operations", "auth", "jobs", "mail", "context"], "rows are decoded in store"),
];

/// What must not be the name of something public: words of our own for what the field has a word for, and words that say
/// nothing of what they name.
const PRIVATE_NAMES: &str = "Presented Asker Asked Reached Whose Standing Place Limits Means By Told Door MOST LONGEST asked \
    reached opened shown told known found counted recorded located finished announced listed named \
    Index World Settings Most Pending Answer Presented lend lender standing place whose patience trips mint gate who managed projection";

/// Text is SQL when it begins with the first and has the second in it.
const SQL: [(&str, &str); 7] = [
    ("select ", " from "),
    ("insert into ", " "),
    ("update ", " set "),
    ("delete from ", " "),
    ("with ", " as ("),
    ("create ", "table "),
    ("pragma ", ""),
];

/// How an operand ends that `domain::secret::constant_time_eq` alone compares: `==` tells by its time where two texts differ.
const SECRETS: [&str; 5] = ["reveal", "mac", "signature", "password", "hash"];

/// Names that say nothing about what is in a file.
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "helper", "common", "manager", "service"];

/// The most lines of a file: a longer one is two.
const MAX_LINES: usize = 400;

/// Whether a path is this one or leads into it.
fn within(path: &str, allowed: &str) -> bool {
    path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What is wrong with a file, each with its line.
fn faults(source: &Source) -> Vec<String> {
    let mut faults = shape(source);
    // The list of the modules itself uses all of them.
    if source.path != "src/lib.rs" {
        faults.extend(dependencies(source));
    }
    faults.extend(words(source));
    faults.extend(private_names(source));
    faults.extend(comparisons(source));
    faults.extend(sql(source));
    faults
}

fn shape(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = source.text.lines().count();
    if lines > MAX_LINES {
        faults.push(format!("{}: {lines} lines are more than {MAX_LINES}", source.path));
    }
    if !source.text.starts_with("//! ") {
        faults.push(format!("{}:1: does not say what is in the file (//!)", source.path));
    }
    let mut names = source.path.trim_end_matches(".rs").split('/');
    if let Some(name) = names.find(|name| EMPTY_NAMES.contains(name)) {
        faults.push(format!("{}: {name} is an empty name", source.path));
    }
    faults
}

fn dependencies(source: &Source) -> Vec<String> {
    let module = source.module();
    let Some((_, allowed)) = MODULES.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{}: {module} is not in the table of modules", source.path)];
    };
    let wrong = |path: &str| !within(path, module) && !allowed.iter().any(|allowed| within(path, allowed));
    let is_module = |path: &str| MODULES.iter().any(|(module, _)| within(path, module));
    let found = source.paths(is_module).into_iter().filter(|(path, _)| wrong(path));
    found.map(|(path, line)| format!("{}:{line}: {module} depends on {path}", source.path)).collect()
}

fn words(source: &Source) -> Vec<String> {
    let module = source.module();
    let applies = |modules: &[&str]| {
        let except = modules.iter().any(|name| name.strip_prefix('!') == Some(module));
        modules.is_empty() || modules.contains(&module) || modules.iter().any(|name| name.starts_with('!')) && !except
    };
    let words = WORDS.iter().filter(|(_, modules, _)| applies(modules));
    let found = words.flat_map(|(word, _, why)| {
        let tokens = source.tokens.iter().filter(move |token| token.kind == Kind::Word && token.text == *word);
        tokens.map(move |token| format!("{}:{}: {word}: {why}", source.path, token.line))
    });
    found.collect()
}

fn private_names(source: &Source) -> Vec<String> {
    let file = Path::new(&source.path).file_stem().map(|name| (name.to_string_lossy().into_owned(), 1));
    let names = source.public.iter().cloned().chain(file);
    let found = names.filter(|(name, _)| PRIVATE_NAMES.split(' ').any(|private| private == name));
    found.map(|(name, line)| format!("{}:{line}: {name} is a word of our own", source.path)).collect()
}

fn comparisons(source: &Source) -> Vec<String> {
    let tests = source.text.lines().position(|line| line.contains("#[cfg(test)]")).unwrap_or(usize::MAX);
    let code = source.tokens.iter().take_while(|token| token.line <= tests).collect::<Vec<_>>();
    let text = |at: usize| code.get(at).map_or("", |token| token.text.as_str());
    let is_secret = |token: Option<&&Token>| token.is_some_and(|token| SECRETS.contains(&token.text.as_str()));
    let part =
        |token: &&&Token| token.kind == Kind::Word || ["_", ".", "(", ")", "&", "*"].contains(&token.text.as_str());
    let mut faults = Vec::new();
    for at in 1..code.len() {
        let operator =
            (text(at) == "=" || text(at) == "!") && text(at + 1) == "=" && text(at - 1) != "=" && text(at + 2) != "=";
        if !operator || ["<", ">", "+", "-", "*", "/", "|", "&", "^", "%"].contains(&text(at - 1)) {
            continue;
        }
        let left = code[..at]
            .iter()
            .rev()
            .find(|token| token.kind == Kind::Word || !["(", ")"].contains(&token.text.as_str()));
        let end = (at + 2..code.len()).find(|at| text(*at) == "&" && text(at + 1) == "&").unwrap_or(code.len());
        let right = code[at + 2..end].iter().take_while(part).filter(|token| token.kind == Kind::Word).last();
        if is_secret(left) || is_secret(right) {
            faults.push(format!("{}:{}: a secret is compared with ==", source.path, code[at].line));
        }
    }
    if source.text.contains("PartialEq, Eq)]\npub struct Secret") {
        faults.push(format!("{}: a secret is compared with ==", source.path));
    }
    faults
}

fn sql(source: &Source) -> Vec<String> {
    if source.module() == "store" {
        return Vec::new();
    }
    let is_sql = |text: &str| {
        let text = text.trim_start().to_lowercase();
        SQL.iter().any(|(start, has)| text.strip_prefix(start).is_some_and(|rest| format!(" {rest}").contains(has)))
    };
    let found = source.texts().filter(|(text, _)| is_sql(text));
    found.map(|(_, line)| format!("{}:{line}: SQL outside of store", source.path)).collect()
}

/// The handler files, and those of them that serve endpoints: their functions have `GET /…` as their doc comment.
fn serves(source: &Source) -> bool {
    let verbs = ["GET", "PUT", "POST", "PATCH", "DELETE"];
    source.text.lines().any(|line| verbs.iter().any(|verb| line.starts_with(&format!("/// `{verb} /"))))
}

/// Which handler files use another one that serves endpoints: what two of them share is in neither.
fn handlers_that_use_handlers(sources: &[Source]) -> Vec<String> {
    let name = |source: &Source| {
        let path = source.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        path.replace('/', "::")
    };
    let handlers = sources.iter().filter(|source| source.module() == "handlers").collect::<Vec<_>>();
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.module() != "api" && source.module() != "serve") {
        for (path, line) in source.paths(|_| false) {
            // The deepest file that the path leads to.
            let used = handlers.iter().filter(|handler| within(&path, &name(handler)));
            let used = used.max_by_key(|handler| name(handler).len());
            if let Some(handler) = used.filter(|handler| serves(handler) && handler.path != source.path) {
                faults.push(format!("{}:{line}: uses the handlers of {}", source.path, name(handler)));
            }
        }
    }
    faults
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A crate of the benchmark compiles into a folder of its own.
    let compiled = |path: &Path| path.components().any(|part| part.as_os_str() == "target");
    let files = rust_files(&root.join(folder)).into_iter().filter(|path| !compiled(path));
    let read = files.map(|path| {
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        Source::parse(&name, &fs::read_to_string(&path).unwrap_or_default())
    });
    read.collect()
}

fn list(faults: &[String]) -> String {
    faults.iter().fold(String::new(), |mut list, fault| {
        let _ = writeln!(list, "{fault}");
        list
    })
}

#[test]
fn modules_respect_the_architecture() {
    let sources = sources("src");
    assert!(sources.len() > 20, "where is the source?");
    let mut faults = sources.iter().flat_map(faults).collect::<Vec<_>>();
    faults.extend(handlers_that_use_handlers(&sources));
    assert!(faults.is_empty(), "\n{}", list(&faults));
}

/// What the operator's commands use of hublet: the modules below a request.
const OF_OPERATOR: [&str; 5] = ["auth", "config", "domain", "error", "store"];

/// What is wrong with a file of the operator's commands.
fn operator_faults(source: &Source) -> Vec<String> {
    let is_module = |word: &str| MODULES.iter().any(|(module, _)| *module == word) && !OF_OPERATOR.contains(&word);
    let words = source.tokens.iter().filter(|token| token.kind == Kind::Word && is_module(&token.text));
    let found = words.map(|token| format!("{}:{}: {} is of requests", source.path, token.line, token.text));
    shape(source).into_iter().chain(found).chain(comparisons(source)).collect()
}

#[test]
fn operator_commands_know_no_requests() {
    let sources = sources("operator/src");
    assert!(sources.len() > 10, "where is the source?");
    let faults = sources.iter().flat_map(operator_faults).collect::<Vec<_>>();
    assert!(faults.is_empty(), "\n{}", list(&faults));
    let planted = Source::parse("operator/src/a.rs", "//! A.\nuse hublet::{domain::Role, wire::Request};\n");
    assert_eq!(operator_faults(&planted), ["operator/src/a.rs:2: wire is of requests"]);
}

#[test]
fn tests_have_the_same_shape() {
    let faults = sources("tests").iter().flat_map(shape).collect::<Vec<_>>();
    assert!(faults.is_empty(), "\n{}", list(&faults));
}

#[test]
fn planted_violations_are_found() {
    for (path, text, expected) in [
        ("src/domain/names.rs", "use crate::wire::Reply;", "src/domain/names.rs:2: domain depends on wire::Reply"),
        (
            "src/domain/names.rs",
            "use crate::{\n    domain::Role,\n    store::{Db, users},\n};",
            "depends on store::users",
        ),
        ("src/domain/mod.rs", "use super::wire::Reply;", "domain depends on wire::Reply"),
        ("src/domain/a.rs", "fn a() { crate::context::now() }", "domain depends on context::now"),
        ("src/domain/a.rs", "use crate::*;", "domain depends on *"),
        ("src/context.rs", "use crate::store::users;", "context depends on store::users"),
        ("src/store/users.rs", "use crate::platform::{Limit, Platform};", "store depends on platform::Platform"),
        ("src/store/users.rs", "use crate::auth::Principal;", "store depends on auth::Principal"),
        ("src/auth/a.rs", "use crate::handlers::v1;", "auth depends on handlers::v1"),
        ("src/operations/a.rs", "use crate::handlers::v1;", "operations depends on handlers::v1"),
        ("src/jobs/a.rs", "use crate::handlers::v1;", "jobs depends on handlers::v1"),
        ("src/mail/a.rs", "use crate::auth::Principal;", "mail depends on auth::Principal"),
        ("src/serve.rs", "use crate::{refusal as r, store as s};", "serve depends on store"),
        ("src/edge/d1.rs", "use crate::store::users;", "edge depends on store::users"),
        ("src/api.rs", "use crate::store::users;", "api depends on store::users"),
        ("src/edge/d1.rs", "use crate::store::Dbs;", "edge depends on store::Dbs"),
        ("src/pantry.rs", "", "src/pantry.rs: pantry is not in the table"),
        ("src/handlers/a.rs", "\nuse worker::Env;", "src/handlers/a.rs:3: worker: only edge"),
        ("src/handlers/a.rs", "use crate::store::{Row, Statement};", "Row: rows are decoded in store"),
        ("src/store/a.rs", "macro_rules! a { () => { \"select 1\" } }", "macro_rules: SQL is named constants"),
        ("src/domain/a.rs", "async fn a() {}", "domain/a.rs:2: async"),
        ("src/wire/a.rs", "fn a() { b().await }", "await: nothing waits"),
        ("src/edge/a.rs", "fn a() { let t = std::time::SystemTime::now(); }", "SystemTime"),
        ("src/handlers/a.rs", "const Q: &str = \"select id from users\";", "handlers/a.rs:2: SQL outside of store"),
        ("src/handlers/a.rs", "const Q: &str = r#\"  DELETE FROM users\"#;", "SQL outside"),
        ("src/handlers/a.rs", "fn a() { b(c!(\"with a as (select 1) select 2\")) }", "SQL outside"),
        ("src/domain/a.rs", "fn a() { if secret.reveal() == other {} }", "a.rs:2: a secret is compared"),
        ("src/domain/a.rs", "fn a() -> bool { key.id != id && expected != parts.signature }", "a secret is compared"),
        ("src/domain/a.rs", "#[derive(Clone, PartialEq, Eq)]\npub struct Secret(String);", "a secret is compared"),
        ("src/store/a.rs", "pub fn told() {}", "src/store/a.rs:2: told is a word of our own"),
        ("src/auth/a.rs", "pub struct Presented;", "Presented is a word of our own"),
        (
            "src/auth/a.rs",
            "pub struct A;\nimpl A { pub fn whose(&self) {} }",
            "auth/a.rs:3: whose is a word of our own",
        ),
        ("src/handlers/who.rs", "", "who is a word of our own"),
        ("src/handlers/helpers.rs", "", "helpers is an empty name"),
        ("src/wire/a.rs", &"\n".repeat(400), "401 lines are more than 400"),
    ] {
        let found = faults(&Source::parse(path, &format!("//! A module.\n{text}")));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{text}: {found:?}");
    }
    let silent = faults(&Source::parse("src/wire/a.rs", "use crate::domain::Role;"));
    assert_eq!(silent, ["src/wire/a.rs:1: does not say what is in the file (//!)"]);
}

#[test]
fn planted_handler_dependencies_are_found() {
    let serving = "/// `GET /v2/a`\npub async fn get() {}";
    let faults = |text: &str| {
        let sources = [("src/handlers/hub/a.rs", serving), ("src/handlers/hub/b.rs", text)];
        handlers_that_use_handlers(&sources.map(|(path, text)| Source::parse(path, text)))
    };
    let found = ["src/handlers/hub/b.rs:1: uses the handlers of handlers::hub::a"];
    assert_eq!(faults("use crate::handlers::hub::a::get;"), found);
    assert_eq!(faults("fn b() { crate::handlers::hub::a::get() }"), found);
    assert!(faults("use crate::handlers::hub::pages;").is_empty());
}

#[test]
fn allowed_code_is_not_reported() {
    for (path, text) in [
        ("src/domain/a.rs", "use crate::{domain::{Role, names::LIBRARY}, error::{Result, invalid}};"),
        (
            "src/domain/a.rs",
            "// use crate::wire::Reply;\n/// See [`crate::wire`], and select id from users.\nfn a() {}",
        ),
        ("src/domain/a.rs", "pub(crate) mod a { use super::*; fn b<'a>(c: &'a str) -> char { '\"' } }"),
        ("src/domain/a.rs", "const TEXT: &str = \"async fn, crate::wire::Reply, SystemTime::now()\";"),
        ("src/store/a.rs", "use crate::error::Fault;\nconst Q: &str = \"select 1\";"),
        ("src/handlers/a.rs", "fn a() { \"select a user\\\"s name\".replace(\"a\", \"with care\"); asynchronous(); }"),
        ("src/handlers/a.rs", "fn a() -> bool { let hash = b; c.len() == d && hash >= e }"),
        ("src/edge/a.rs", "use worker::Env;"),
    ] {
        let found = faults(&Source::parse(path, &format!("//! A module.\n{text}")));
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}
