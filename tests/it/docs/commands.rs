//! Commands: a block of them is run by the test that it names, or has the reason why none runs it; and what the front door
//! prints is what the commands print.

use std::{collections::BTreeSet, fs};

use serde_json::Value;
use test_support::client::TestClient;

use super::{all, markdown, name, read, root};

/// Languages under which commands could escape this test.
const SHELLS: [&str; 5] = ["bash", "shell", "shell-session", "zsh", "powershell"];

/// What is wrong with a block, by what stands after its fence; the names that are used already are in `names`.
fn fault(info: &str, names: &mut BTreeSet<String>) -> Option<String> {
    let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
    if SHELLS.contains(&language) {
        return Some("commands are in a block of the language sh".to_owned());
    }
    if language != "sh" {
        return None;
    }
    if let Some(reason) = rest.strip_prefix("(not run: ") {
        let reason = reason.strip_suffix(')').unwrap_or_default();
        return (reason.len() < 10).then(|| "it has no reason why no test runs it".to_owned());
    }
    let Some((block, file)) = rest.split_once(' ').filter(|(_, file)| file.starts_with("tests/")) else {
        return Some("it names neither a test (sh NAME tests/FILE) nor a reason (sh (not run: REASON))".to_owned());
    };
    if !names.insert(block.to_owned()) {
        return Some(format!("there are two blocks {block}"));
    }
    let call = format!("commands(\"{block}\")");
    match fs::read_to_string(root().join(file)) {
        Ok(test) if test.contains(&call) => None,
        Ok(_) => Some(format!("{file} has no {call}")),
        Err(_) => Some(format!("there is no {file}")),
    }
}

#[test]
fn commands_are_run_by_a_test_or_marked() {
    let mut names = BTreeSet::new();
    let mut faults = Vec::new();
    for page in all() {
        let text = fs::read_to_string(&page).unwrap();
        let (blocks, _) = markdown::split(&text);
        for block in blocks {
            let fault = fault(block.info, &mut names);
            faults.extend(fault.map(|fault| format!("{}:{}: {fault}", name(&page), block.line)));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(names.len() >= 7, "{names:?}");
}

#[test]
fn planted_blocks_are_found() {
    let mut names = BTreeSet::new();
    let mut found = |info: &str| fault(info, &mut names).unwrap_or_default();
    assert_eq!(found("json"), "");
    assert_eq!(found("sh (not run: it needs a cluster)"), "");
    assert_eq!(found("sh first-push tests/e2e/manual.test.mjs"), "");
    for (info, words) in [
        ("sh", "neither a test"),
        ("sh first-push", "neither a test"),
        ("sh (not run: )", "no reason"),
        ("bash", "language sh"),
        ("sh first-push tests/e2e/manual.test.mjs", "two blocks"),
        ("sh never-run tests/e2e/manual.test.mjs", "has no commands(\"never-run\")"),
        ("sh another tests/e2e/gone.test.mjs", "there is no tests/e2e/gone.test.mjs"),
    ] {
        assert!(found(info).contains(words), "{info}: {}", found(info));
    }
}

/// `npm run NAME`, in prose and in blocks.
#[test]
fn scripts_that_the_manual_names_exist() {
    let package = serde_json::from_str::<Value>(&read("package.json")).unwrap();
    let script = regex::Regex::new(r"npm run (?:--silent )?([a-z][a-z0-9-]*)").unwrap();
    let texts = all().iter().map(|page| fs::read_to_string(page).unwrap()).collect::<String>();
    let named = script.captures_iter(&texts).map(|found| found[1].to_owned()).collect::<BTreeSet<_>>();
    assert!(named.len() > 8, "{named:?}");
    let missing = named.iter().filter(|name| package["scripts"][name.as_str()].is_null()).collect::<Vec<_>>();
    assert!(missing.is_empty(), "package.json has no {missing:?}");
}

/// The first screen of the README has what is printed, on a deployed index.
#[test]
fn readme_prints_the_answer_to_why() {
    let mut client = TestClient::new().unwrap();
    let [olga, _] = ["olga", "robin"].map(|name| client.register(name));
    for command in ["namespace acme", "member acme olga admin", "member acme robin read"] {
        client.operate(command).unwrap();
    }
    let made = client.ask("POST /v2/namespaces/acme/repositories", &olga, r#"{"name": "app", "is_private": true}"#);
    assert_eq!(made.status, 201, "{made:?}");
    let readme = read("README.md");
    let (blocks, _) = markdown::split(&readme);
    let printed = blocks.iter().find(|block| block.info == "console").unwrap().text.join("\n");
    let answer = client.operated("why robin push acme/app").unwrap();
    assert!(answer.denied, "{answer:?}");
    let [reason] = &answer.rows[..] else { panic!("{answer:?}") };
    let (because, _) = reason.split_once("  ").unwrap();
    let head = format!("{:width$}  command", "because", width = because.len());
    let why = format!("{}\n{head}\n{reason} --remote", answer.headline);
    assert!(printed.contains(&format!("$ npm run admin -- why robin push acme/app --remote\n{why}\n")), "{why}");
    let (_, cure) = reason.split_once("npm run admin -- ").unwrap();
    let role = client.operated(cure).unwrap().rows;
    assert_eq!(role, ["acme  robin  write"]);
    let changed = format!("$ npm run admin -- {cure} --remote\nnamespace  user   role\nacme       robin  write");
    assert!(printed.ends_with(&changed), "{changed}");
    assert!(!client.operated("why robin push acme/app").unwrap().denied);
}
