//! `docker_auth`: the users and the access control list of its configuration, evaluated as it evaluates them.

use std::{collections::BTreeMap, rc::Rc};

use regex_lite::Regex;
use serde::Deserialize;
use serde_json::Value;

use crate::import::{
    actions::Actions,
    patterns::{Compiled, Matched, Patterns},
    source::{Account, Accounts, Refused, Rules},
};

/// The most combinations of labels that are tried for one pattern.
const MAX_COMBINATIONS: usize = 10_000;

/// Where users may come from that are not in the file.
const OTHER_USERS: [&str; 9] = [
    "ext_auth",
    "github_auth",
    "gitlab_auth",
    "google_auth",
    "ldap_auth",
    "mongo_auth",
    "oidc_auth",
    "plugin_authn",
    "xorm_auth",
];

/// Rules that are asked after those of the file.
const OTHER_RULES: [&str; 5] = ["acl_mongo", "acl_xorm", "casbin_authz", "ext_authz", "plugin_authz"];

/// A user of the configuration.
#[derive(Debug, Default, Deserialize)]
struct User {
    password: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, Vec<String>>,
}

/// For what a rule is. What is missing is for everything.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Conditions {
    account: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    ip: Option<String>,
    service: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// A rule.
#[derive(Debug, Deserialize)]
struct Rule {
    #[serde(rename = "match", default)]
    conditions: Conditions,
    #[serde(default)]
    actions: Vec<String>,
    comment: Option<String>,
}

impl Rule {
    /// What it gives of all actions.
    fn gives(&self) -> Actions {
        match self.actions.as_slice() {
            [all] if all == "*" => Actions::ALL,
            actions => actions.iter().filter_map(|name| Actions::named(name)).fold(Actions::NONE, Actions::or),
        }
    }
}

/// A rule, as far as it does not depend on the repository.
enum Prepared {
    /// All of it does.
    ByRepository(Rc<Rule>),
    /// One of these patterns has to match the repository.
    ByName(Matched, Vec<Rc<Compiled>>, Actions),
}

/// A configuration, whose texts are all strings.
pub struct DockerAuth {
    users: BTreeMap<String, User>,
    rules: Vec<Rc<Rule>>,
    patterns: Patterns,
    /// What is known of the rules for one account, which is asked for many repositories.
    prepared: Option<(String, Rc<[Prepared]>)>,
    /// `${name:1}`, as its pattern has it.
    groups: Regex,
}

impl DockerAuth {
    /// Reads a configuration; gives what is known of its users too.
    pub fn read(config: &Value) -> Result<(Self, Accounts), String> {
        let mut accounts = Accounts::default();
        let mut users = BTreeMap::new();
        for (name, value) in config.get("users").and_then(Value::as_object).into_iter().flatten() {
            // `"":` without anything is a user without a password.
            let empty = value.as_str().is_some_and(str::is_empty) || value.is_null();
            let user = if empty { Ok(User::default()) } else { User::deserialize(value) };
            let user = user.map_err(|error| format!("the user {name:?}: {error}"))?;
            match user.password.as_deref().filter(|hash| !hash.is_empty()) {
                None if name.is_empty() => accounts.anonymous = true,
                None => accounts.refused.push(Refused::new(
                    format!("the user {name}"),
                    "it has no password there, and so any password opens it: set one, or add the user here",
                )),
                Some(_) if name.is_empty() => {
                    accounts.refused.push(Refused::new("the user without a name", "it has a password"));
                }
                Some(hash) => accounts.users.push(Account { name: name.clone(), hash: hash.to_owned() }),
            }
            users.insert(name.clone(), user);
        }
        let rules = config.get("acl").filter(|rules| rules.as_str() != Some("")).map(Vec::<Rule>::deserialize);
        let rules = rules.transpose().map_err(|error| format!("acl: {error}"))?.unwrap_or_default();
        let rules = rules.into_iter().map(Rc::new).collect();
        for name in OTHER_USERS.into_iter().filter(|name| config.get(name).is_some()) {
            accounts.refused.push(Refused::new(name, "its users are not in this file: add them here"));
        }
        for name in OTHER_RULES.into_iter().filter(|name| config.get(name).is_some()) {
            accounts.refused.push(Refused::new(name, "its rules are not read: what they alone grant is lost"));
        }
        let groups = Regex::new(r"\$\{(.+?):([0-9]+)\}").map_err(|error| error.to_string())?;
        let mut system = Self { users, rules, patterns: Patterns::default(), prepared: None, groups };
        accounts.notes = system.uncertain();
        Ok((system, accounts))
    }

    /// The rules of which it is not known here for what they are.
    fn uncertain(&mut self) -> Vec<String> {
        let mut notes = Vec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let Conditions { account, kind, name, ip, service, labels } = &rule.conditions;
            let patterns = [account, kind, name].into_iter().flatten().chain(labels.values());
            let reason = if ip.is_some() {
                "depends on an address"
            } else if service.is_some() {
                "depends on the service"
            } else if patterns
                .into_iter()
                .any(|pattern| self.patterns.of_docker_auth(pattern).matches("") == Matched::Unknown)
            {
                "has a pattern that is not understood here"
            } else {
                continue;
            };
            let comment = rule.comment.as_deref().map(|comment| format!(" ({comment})")).unwrap_or_default();
            notes
                .push(format!("rule {}{comment} {reason}: it counts where it denies, and not where it allows", at + 1));
        }
        notes
    }

    /// What a rule is for an account.
    fn prepared(&mut self, rule: &Rc<Rule>, account: &str) -> Prepared {
        let Conditions { account: of_account, kind, name, labels, .. } = &rule.conditions;
        let mut patterns = [of_account, kind, name].into_iter().flatten().chain(labels.values());
        if patterns.any(|pattern| pattern.contains("${name") || pattern.contains("${Name")) {
            return Prepared::ByRepository(Rc::clone(rule));
        }
        let (matched, names) = self.evaluated(&rule.conditions, account, "");
        Prepared::ByName(matched, names, rule.gives())
    }

    /// Whether the conditions of a rule are met apart from the name, and the patterns one of which the name has to match.
    fn evaluated(&mut self, conditions: &Conditions, account: &str, repository: &str) -> (Matched, Vec<Rc<Compiled>>) {
        let Conditions { account: of_account, kind, name, ip, service, labels } = conditions;
        let known = [("account", of_account, account), ("type", kind, "repository"), ("name", name, repository)];
        let mut values = known.map(|(field, _, text)| (format!("${{{field}}}"), quoted(text))).to_vec();
        for (_, pattern, _) in &known {
            for (placeholder, field, number) in self.placeholders(pattern.as_deref().unwrap_or_default()) {
                let found = known.iter().find(|(known, _, _)| *known == field);
                let Some((_, Some(pattern), text)) = found else { continue };
                if pattern.starts_with('/') && pattern.ends_with('/') {
                    let group = self.patterns.group(pattern, number, text);
                    values.extend(group.map(|group| (placeholder, group)));
                }
            }
        }
        let of_user = self.users.get(account).map(|user| user.labels.clone()).unwrap_or_default();
        let mut matched = Matched::Yes;
        for (pattern, text) in [(of_account, account), (kind, "repository")] {
            if let Some(pattern) = pattern {
                let patterns = self.with_labels(pattern, &values, &of_user);
                matched = matched.and(any(&patterns, text));
            }
        }
        for (label, pattern) in labels {
            let pattern = self.patterns.of_docker_auth(&replaced(pattern, &values));
            let texts = of_user.get(label).into_iter().flatten();
            matched = matched.and(first(texts.map(|text| pattern.matches(text))));
        }
        if ip.is_some() || service.is_some() {
            matched = matched.and(Matched::Unknown);
        }
        let name = name.as_deref().unwrap_or("/^/");
        (matched, self.with_labels(name, &values, &of_user))
    }

    /// The groups that a pattern names: the placeholder, the field, and the number.
    fn placeholders(&self, pattern: &str) -> Vec<(String, String, usize)> {
        let all = self.groups.captures_iter(pattern).map(|found| {
            let text = |group| found.get(group).map_or("", |group| group.as_str()).to_owned();
            // The first letter is read in either case.
            let mut field = text(1);
            field.get_mut(..1).into_iter().for_each(str::make_ascii_lowercase);
            (text(0), field, text(2).parse().unwrap_or(0))
        });
        all.collect()
    }

    /// A pattern as it is, and with each combination of the labels that it names.
    fn with_labels(
        &mut self,
        pattern: &str,
        values: &[(String, String)],
        labels: &BTreeMap<String, Vec<String>>,
    ) -> Vec<Rc<Compiled>> {
        let mut patterns = vec![self.patterns.of_docker_auth(&replaced(pattern, values))];
        let named = labels.iter().map(|(label, texts)| (format!("${{labels:{label}}}"), texts));
        let named = named.filter(|(placeholder, _)| pattern.contains(placeholder.as_str())).collect::<Vec<_>>();
        if named.is_empty() {
            return patterns;
        }
        if named.iter().fold(1_usize, |product, (_, texts)| product.saturating_mul(texts.len())) > MAX_COMBINATIONS {
            patterns.push(Rc::new(Compiled::Unknown));
            return patterns;
        }
        let mut combinations = vec![values.to_vec()];
        for (placeholder, texts) in named {
            let with = |values: &Vec<(String, String)>| {
                let one = |text: &String| [values.clone(), vec![(placeholder.clone(), text.clone())]].concat();
                texts.iter().map(one).collect::<Vec<_>>()
            };
            combinations = combinations.iter().flat_map(with).collect();
        }
        patterns.extend(combinations.iter().map(|values| self.patterns.of_docker_auth(&replaced(pattern, values))));
        patterns
    }
}

impl Rules for DockerAuth {
    /// The first rule that matches counts. Where it is not known whether one does, what both ways allow.
    fn allowed(&mut self, account: &str, repository: &str) -> Actions {
        let known = self.prepared.take().filter(|(known, _)| known == account);
        let (account, rules) = known.unwrap_or_else(|| {
            let rules = self.rules.clone();
            (account.to_owned(), rules.iter().map(|rule| self.prepared(rule, account)).collect())
        });
        let mut bound = Actions::ALL;
        let mut found = Actions::NONE;
        for rule in rules.iter() {
            let (matched, gives) = match rule {
                Prepared::ByName(Matched::No, ..) => continue,
                Prepared::ByName(matched, names, gives) => (matched.and(any(names, repository)), *gives),
                Prepared::ByRepository(rule) => {
                    let (matched, names) = self.evaluated(&rule.conditions, &account, repository);
                    (matched.and(any(&names, repository)), rule.gives())
                }
            };
            match matched {
                Matched::No => {}
                Matched::Yes => {
                    found = bound.and(gives);
                    break;
                }
                Matched::Unknown => bound = bound.and(gives),
            }
        }
        self.prepared = Some((account, rules));
        found
    }
}

/// Whether one of these patterns matches.
fn any(patterns: &[Rc<Compiled>], text: &str) -> Matched {
    first(patterns.iter().map(|pattern| pattern.matches(text)))
}

/// Whether one of them matches.
fn first(matched: impl Iterator<Item = Matched>) -> Matched {
    let mut found = Matched::No;
    for one in matched {
        match one {
            Matched::Yes => return Matched::Yes,
            Matched::Unknown => found = Matched::Unknown,
            Matched::No => {}
        }
    }
    found
}

/// A text in which each placeholder has its value; values are not read again.
fn replaced(text: &str, values: &[(String, String)]) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        replaced.push_str(before);
        let mut after =
            values.iter().map(|(placeholder, value)| Some((value, from.strip_prefix(placeholder.as_str())?)));
        if let Some((value, after)) = after.find_map(|found| found) {
            replaced.push_str(value);
            rest = after;
        } else {
            replaced.push('$');
            rest = from.get(1..).unwrap_or_default();
        }
    }
    replaced + rest
}

/// A text without the meaning of its letters in a regular expression, as Go's `QuoteMeta` gives it.
fn quoted(text: &str) -> String {
    text.chars().fold(String::new(), |mut quoted, letter| {
        if r"\.+*?()|[]{}^$".contains(letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
        quoted
    })
}
