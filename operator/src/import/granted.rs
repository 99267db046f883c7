//! Who may do what, as a table of users and repositories, and how two of them differ.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hublet::store::Row;
use serde::{Deserialize, Serialize};

use crate::{import::actions::Actions, row};

/// What some users may do in some repositories. A request without credentials is the user without a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grants {
    /// The users, by their names here.
    pub users: Vec<String>,
    /// What they may do.
    pub actions: Actions,
    /// Where.
    pub repositories: Vec<String>,
}

/// What each user may do in each repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The repositories.
    pub repositories: Vec<String>,
    /// What each user may do in them, in their order.
    pub users: BTreeMap<String, Vec<Actions>>,
}

/// How two tables differ, for people.
#[derive(Debug, Default)]
pub struct Differences {
    /// What users may do in the second table alone.
    pub gains: Vec<Row>,
    /// What they may do in the first alone.
    pub losses: Vec<Row>,
}

/// The user without a name, for people: no user has such a one.
const ANONYMOUS: &str = "(anonymous)";

/// The most repositories that are named as those that are left out of a namespace.
const MAX_EXCEPTIONS: usize = 5;

impl Granted {
    /// A table without users.
    #[must_use]
    pub fn new(repositories: &[String]) -> Self {
        Self { repositories: repositories.to_vec(), users: BTreeMap::new() }
    }

    /// The table that lists are. Of `users`, each is in it, with or without rights.
    #[must_use]
    pub fn read<'a>(repositories: &[String], users: impl Iterator<Item = &'a str>, lists: &[Grants]) -> Self {
        let mut granted = Self::new(repositories);
        for user in users {
            granted.users.insert(user.to_owned(), vec![Actions::NONE; repositories.len()]);
        }
        let places = repositories.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect::<HashMap<_, _>>();
        for list in lists {
            let at = list.repositories.iter().filter_map(|name| places.get(name.as_str())).collect::<Vec<_>>();
            for user in &list.users {
                let row = granted.users.entry(user.clone()).or_insert_with(|| vec![Actions::NONE; repositories.len()]);
                for at in &at {
                    if let Some(actions) = row.get_mut(**at) {
                        *actions = actions.or(list.actions);
                    }
                }
            }
        }
        granted
    }

    /// The table as lists: users with the same rights are in one.
    #[must_use]
    pub fn lists(&self) -> Vec<Grants> {
        let mut lists = BTreeMap::<(Actions, Vec<usize>), Vec<String>>::new();
        for (user, row) in &self.users {
            for (actions, at) in by_actions(row.iter().copied()) {
                lists.entry((actions, at.into_iter().collect())).or_default().push(user.clone());
            }
        }
        let named = |at: Vec<usize>| at.into_iter().filter_map(|at| self.repositories.get(at).cloned()).collect();
        lists.into_iter().map(|((actions, at), users)| Grants { users, actions, repositories: named(at) }).collect()
    }

    /// How another table of the same repositories differs from this one. A user whom one of them does not have may do
    /// there what a request without credentials may.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Differences {
        let none = vec![Actions::NONE; self.repositories.len()];
        let users = self.users.keys().chain(other.users.keys()).collect::<BTreeSet<_>>();
        let compared = |more: &Self, less: &Self| {
            let mut lines = BTreeMap::<(String, Actions), Vec<&str>>::new();
            for user in &users {
                let row =
                    |table: &Self| table.users.get(*user).or_else(|| table.users.get("")).unwrap_or(&none).clone();
                let more = row(more).into_iter().zip(row(less)).map(|(more, less)| more.without(less));
                for (actions, at) in by_actions(more) {
                    let name = if user.is_empty() { ANONYMOUS } else { user.as_str() };
                    lines.entry((self.places(&at), actions)).or_default().push(name);
                }
            }
            let line = |((places, actions), users): ((String, Actions), Vec<&str>)| {
                let [users, actions] = [users.join(", "), actions.to_string()];
                row([("user", users.into()), ("actions", actions.into()), ("repositories", places.into())])
            };
            lines.into_iter().map(line).collect()
        };
        Differences { gains: compared(other, self), losses: compared(self, other) }
    }

    /// Repositories in words: whole namespaces as `ns/*`.
    fn places(&self, at: &BTreeSet<usize>) -> String {
        let mut namespaces = BTreeMap::<&str, [Vec<&str>; 2]>::new();
        for (position, name) in self.repositories.iter().enumerate() {
            let namespace = name.split('/').next().unwrap_or_default();
            let [inside, outside] = namespaces.entry(namespace).or_default();
            if at.contains(&position) { inside.push(name) } else { outside.push(name) }
        }
        if at.len() == self.repositories.len() && at.len() > 1 {
            return "all repositories".to_owned();
        }
        let words = namespaces.into_iter().filter(|(_, [inside, _])| !inside.is_empty()).map(|(namespace, parts)| {
            let [inside, outside] = parts;
            match outside.len() {
                0 if inside.len() > 1 => format!("{namespace}/*"),
                1..=MAX_EXCEPTIONS if inside.len() > 2 * outside.len() => {
                    format!("{namespace}/* but {}", outside.join(" and "))
                }
                _ => inside.join(", "),
            }
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// The positions of each set of actions, without the empty one.
fn by_actions(row: impl Iterator<Item = Actions>) -> BTreeMap<Actions, BTreeSet<usize>> {
    let mut found = BTreeMap::<Actions, BTreeSet<usize>>::new();
    for (at, actions) in row.enumerate().filter(|(_, actions)| !actions.is_empty()) {
        found.entry(actions).or_default().insert(at);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_as_namespaces() {
        let names = ["a/1", "a/2", "a/3", "b/1", "b/2", "c/1"].map(str::to_owned);
        let granted = Granted::new(&names);
        for (at, words) in [
            (&[0, 1, 2][..], "a/*"),
            (&[0, 1], "a/1, a/2"),
            (&[3], "b/1"),
            (&[0, 1, 2, 5], "a/*, c/1"),
            (&[0, 1, 2, 3, 4, 5], "all repositories"),
        ] {
            assert_eq!(granted.places(&at.iter().copied().collect()), words);
        }
        let names = (0..9).map(|at| format!("a/{at}")).chain(["b/1".to_owned()]).collect::<Vec<_>>();
        assert_eq!(Granted::new(&names).places(&(1..9).collect()), "a/* but a/0");
    }

    #[test]
    fn lists_are_read_back() {
        let names = ["a/1", "a/2", "b/1"].map(str::to_owned);
        let mut granted = Granted::new(&names);
        let (pull, push) = (Actions::PULL, Actions::PULL.or(Actions::PUSH));
        for (user, row) in
            [("alice", [pull, pull, push]), ("bob", [pull, pull, push]), ("", [pull, Actions::NONE, Actions::NONE])]
        {
            granted.users.insert(user.to_owned(), row.to_vec());
        }
        let lists = granted.lists();
        assert_eq!(lists.len(), 3);
        assert_eq!(lists[1].users, ["alice", "bob"]);
        assert_eq!(Granted::read(&names, std::iter::empty(), &lists), granted);
        let nothing = granted.differences(&granted);
        assert!(nothing.gains.is_empty() && nothing.losses.is_empty());
    }
}
