//! zot: `accessControl` of its configuration, evaluated as it evaluates it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::import::{
    actions::Actions,
    patterns::{Matched, Patterns},
    source::{Accounts, Refused, Rules},
};

/// Where users may come from that are not in the file of passwords.
const OTHER_USERS: [&str; 4] = ["apikey", "bearer", "ldap", "openid"];

/// What some users and groups may do.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Policy {
    users: Vec<String>,
    groups: Vec<String>,
    actions: Vec<String>,
    conditions: Vec<Value>,
}

/// What is for the repositories of a glob.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PolicyGroup {
    policies: Vec<Policy>,
    defaultpolicy: Vec<String>,
    anonymouspolicy: Vec<String>,
}

/// The users of a group.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Group {
    users: Vec<String>,
}

/// Who may do what.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AccessControl {
    repositories: BTreeMap<String, PolicyGroup>,
    adminpolicy: Policy,
    groups: BTreeMap<String, Group>,
}

/// A configuration. One without `accessControl` lets every user do everything.
pub struct Zot {
    rules: Option<AccessControl>,
    patterns: Patterns,
}

impl Zot {
    /// Reads a configuration; gives what is known of its users, apart from those of the file of passwords.
    pub fn read(config: &Value) -> Result<(Self, Accounts), String> {
        let config = lower_keys(config);
        let at = |path: &str| config.pointer(path).filter(|value| !value.is_null());
        let rules = at("/http/accesscontrol").map(|rules| AccessControl::deserialize(&current(rules)));
        let rules = rules.transpose().map_err(|error| format!("accessControl: {error}"))?;
        let mut accounts = Accounts::default();
        for name in OTHER_USERS.into_iter().filter(|name| at(&format!("/http/auth/{name}")).is_some()) {
            accounts.refused.push(Refused::new(name, "its users have no password in a file: add them here"));
        }
        if let Some(rules) = &rules {
            let policies = || rules.repositories.values().flat_map(|group| &group.policies);
            accounts.anonymous = rules.repositories.values().any(|group| !group.anonymouspolicy.is_empty());
            if policies().any(|policy| !policy.conditions.is_empty()) {
                let note = "a policy with conditions counts for nothing: they are not evaluated here";
                accounts.notes.push(note.to_owned());
            }
            let lists = policies().map(|policy| &policy.actions);
            let lists = lists.chain(rules.repositories.values().map(|group| &group.defaultpolicy));
            let has = |list: &Vec<String>, name: &str| list.iter().any(|action| action == name);
            if lists.into_iter().any(|list| has(list, "create") != has(list, "update")) {
                let note = "who may create tags and not change them, or the other way round, may not push here";
                accounts.notes.push(note.to_owned());
            }
        }
        Ok((Self { rules, patterns: Patterns::default() }, accounts))
    }
}

impl Rules for Zot {
    /// The longest glob counts. Of two with the same length zot takes either, and so what both allow is sure.
    fn allowed(&mut self, account: &str, repository: &str) -> Actions {
        let Some(rules) = &self.rules else {
            return if account.is_empty() { Actions::NONE } else { Actions::ALL };
        };
        let groups = rules.groups.iter().filter(|(_, group)| group.users.iter().any(|user| user == account));
        let groups = groups.map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        let is_for = |policy: &Policy| {
            policy.users.iter().any(|user| user == account)
                || policy.groups.iter().any(|group| groups.contains(&group.as_str()))
        };
        let (mut length, mut found) = (0, Actions::NONE);
        for (glob, policies) in &rules.repositories {
            match self.patterns.of_zot(glob).matches(repository) {
                Matched::Yes if glob.len() >= length => {}
                // It may be the longest that matches, and deny.
                Matched::Unknown => return Actions::NONE,
                _ => continue,
            }
            let default = if account.is_empty() { &policies.anonymouspolicy } else { &policies.defaultpolicy };
            let lists = policies.policies.iter().filter(|policy| policy.conditions.is_empty() && is_for(policy));
            let lists = lists.map(|policy| &policy.actions).chain([default]);
            let allowed = actions(lists);
            found = if glob.len() == length { found.and(allowed) } else { allowed };
            length = glob.len();
        }
        if is_for(&rules.adminpolicy) { found.or(actions([&rules.adminpolicy.actions])) } else { found }
    }
}

/// `accessControl` as it is today: until zot 1.4.3 the globs were in it themselves.
fn current(rules: &Value) -> Value {
    let Some(members) = rules.as_object().filter(|members| !members.contains_key("repositories")) else {
        return rules.clone();
    };
    let others = ["adminpolicy", "groups", "metrics"];
    let (others, globs): (serde_json::Map<_, _>, serde_json::Map<_, _>) =
        members.clone().into_iter().partition(|(name, _)| others.contains(&name.as_str()));
    let globs = ("repositories".to_owned(), Value::from(globs));
    others.into_iter().chain([globs]).collect::<serde_json::Map<_, _>>().into()
}

/// What lists of zot's actions are together. A push creates tags and changes them.
fn actions<'a>(lists: impl IntoIterator<Item = &'a Vec<String>>) -> Actions {
    let names = lists.into_iter().flatten().map(String::as_str).collect::<Vec<_>>();
    let rules: [(&[&str], Actions); 3] =
        [(&["read"], Actions::PULL), (&["create", "update"], Actions::PUSH), (&["delete"], Actions::DELETE)];
    let given = rules.into_iter().filter(|(needs, _)| needs.iter().all(|need| names.contains(need)));
    given.fold(Actions::NONE, |all, (_, action)| all.or(action))
}

/// The same with all keys in lower case, as zot reads its file.
fn lower_keys(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.to_lowercase(), lower_keys(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(lower_keys).collect::<Vec<_>>().into(),
        value => value.clone(),
    }
}
