//! Which names, roles and visibilities come nearest to what another system allows, without allowing more.

use std::collections::{BTreeMap, BTreeSet};

use hublet::domain::{NamespaceName, RepositoryName, Role, UserName, names::LIBRARY, password};

use crate::import::{
    actions::Actions,
    granted::Granted,
    plan::{Collaborator, Member, Plan, User},
    source::{Account, Accounts, Refused, Rules},
};

/// The name of a repository that does not exist: what is allowed there is allowed in what is pushed later.
const NEW: &str = "hublet-probe-7c1e";

/// What the operator chose.
#[derive(Debug, Default)]
pub struct Choices {
    /// Whether users who may delete become admins, who change roles too.
    pub admins: bool,
    /// The names here of some users there.
    pub renamed: BTreeMap<String, String>,
}

/// A repository here, and what it is there.
struct Place {
    name: RepositoryName,
    /// As the registry names it; two where it has `app` and `library/app`.
    there: Vec<String>,
}

/// The repositories of a namespace.
#[derive(Default)]
struct Inside {
    /// Where they are in the list of all.
    at: Vec<usize>,
    /// What a new one would be called there.
    new: BTreeSet<String>,
}

impl Place {
    /// What an account there may do in all that it is there.
    fn allowed(&self, rules: &mut dyn Rules, account: &str) -> Actions {
        self.there.iter().fold(Actions::ALL, |all, name| all.and(rules.allowed(account, name)))
    }
}

/// Makes a plan of the rules of another system and of the repositories of its registry.
pub fn make(
    source: &str,
    rules: &mut dyn Rules,
    accounts: Accounts,
    repositories: &[String],
    choices: &Choices,
) -> Plan {
    let Accounts { users, anonymous, mut refused, notes } = accounts;
    let users = named(users, &choices.renamed, &mut refused);
    let places = placed(repositories, &mut refused);
    let mut granted = Granted::new(&places.iter().map(|place| place.name.to_string()).collect::<Vec<_>>());
    let mut namespaces = BTreeMap::<&str, Inside>::new();
    for (at, place) in places.iter().enumerate() {
        let inside = namespaces.entry(&place.name.namespace).or_default();
        inside.at.push(at);
        inside.new.extend(place.there.iter().map(|there| match there.split_once('/') {
            Some((namespace, _)) => format!("{namespace}/{NEW}"),
            None => NEW.to_owned(),
        }));
    }
    let mut of_new = BTreeMap::<(&str, &str), Option<Role>>::new();
    for User { name, source, .. } in &users {
        let row = places.iter().map(|place| place.allowed(rules, source)).collect();
        granted.users.insert(name.clone(), row);
        for (namespace, inside) in &namespaces {
            let allowed = inside.new.iter().fold(Actions::ALL, |all, form| all.and(rules.allowed(source, form)));
            of_new.insert((name, namespace), allowed.role(choices.admins));
        }
    }
    if anonymous {
        let row = places.iter().map(|place| place.allowed(rules, "")).collect();
        granted.users.insert(String::new(), row);
    }
    let public = public(&granted);
    let (mut members, mut collaborators) = (Vec::new(), Vec::new());
    for User { name, .. } in &users {
        let row = granted.users.get(name).map(Vec::as_slice).unwrap_or_default();
        for (namespace, inside) in namespaces.iter().filter(|(namespace, _)| *namespace != name) {
            let role = |at: usize| row.get(at).and_then(|actions| actions.role(choices.admins));
            let of_new = of_new.get(&(name.as_str(), *namespace)).copied().flatten();
            let least = inside.at.iter().map(|at| role(*at)).chain([of_new]).min().flatten();
            let all_public = inside.at.iter().all(|at| public.contains(at));
            let of_namespace = least.filter(|role| *role != Role::Read || !all_public);
            members.extend(of_namespace.map(|role| Member {
                namespace: (*namespace).to_owned(),
                user: name.clone(),
                role,
            }));
            for at in inside.at.iter().copied() {
                let by_others = of_namespace.max(public.contains(&at).then_some(Role::Read));
                let role = role(at).filter(|role| Some(*role) > by_others);
                let repository = || granted.repositories.get(at).cloned().unwrap_or_default();
                collaborators.extend(role.map(|role| Collaborator {
                    repository: repository(),
                    user: name.clone(),
                    role,
                }));
            }
        }
    }
    let owners = users.iter().map(|user| user.name.as_str()).collect::<BTreeSet<_>>();
    let shared = namespaces.keys().filter(|name| **name != LIBRARY && !owners.contains(**name));
    Plan {
        source: source.to_owned(),
        namespaces: shared.map(|name| (*name).to_owned()).collect(),
        members,
        collaborators,
        public: public.iter().filter_map(|at| granted.repositories.get(*at).cloned()).collect(),
        repositories: granted.repositories.clone(),
        refused,
        notes,
        grants: Some(granted.lists()),
        users,
    }
}

/// The repositories that a request without credentials may pull, and every user too: to open one to a user who was denied it by
/// name would be more than they had.
fn public(granted: &Granted) -> BTreeSet<usize> {
    let Some(anonymous) = granted.users.get("") else { return BTreeSet::new() };
    let pulls =
        |row: &Vec<Actions>, at: usize| row.get(at).is_some_and(|actions| actions.and(Actions::PULL) == Actions::PULL);
    let of_all = |at: &usize| pulls(anonymous, *at) && granted.users.values().all(|row| pulls(row, *at));
    (0..granted.repositories.len()).filter(of_all).collect()
}

/// The users with their names here. A name that fits is kept; of those that are changed into one name, none gets it.
fn named(accounts: Vec<Account>, renamed: &BTreeMap<String, String>, refused: &mut Vec<Refused>) -> Vec<User> {
    let wanted = |account: &Account| renamed.get(&account.name).cloned().unwrap_or_else(|| changed(&account.name));
    let mut takers = BTreeMap::<String, Vec<String>>::new();
    for account in &accounts {
        takers.entry(wanted(account)).or_default().push(account.name.clone());
    }
    let mut users = Vec::new();
    for account in accounts {
        let name = wanted(&account);
        let others = takers.get(&name).into_iter().flatten().filter(|other| **other != account.name);
        let others = others.map(String::as_str).collect::<Vec<_>>();
        let what = format!("the user {}", account.name);
        let rename = format!("give another by --rename {}=NAME", account.name);
        if UserName::given(&name).is_err() {
            let reason = if UserName::parse(&name).is_some() { "is reserved" } else { "is no name here" };
            refused.push(Refused::new(what, format!("{name:?} {reason}: {rename}")));
        } else if !account.name.is_ascii() {
            refused.push(Refused::new(what, "its name is not ASCII, and patterns are not evaluated for it"));
        } else if !others.is_empty() && account.name != name {
            refused.push(Refused::new(what, format!("{name} is the name of {} too: {rename}", others.join(" and "))));
        } else {
            let bcrypt = password::is_importable(&account.hash).then_some(account.hash);
            users.push(User { name, source: account.name, bcrypt });
        }
    }
    users.sort_by(|one, other| one.name.cmp(&other.name));
    users
}

/// A name as it can be here: in lower case, with hyphens for what no name has.
fn changed(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if UserName::parse(&lower).is_some() {
        return lower;
    }
    let parts = lower.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.' && letter != '_');
    let parts = parts.map(|part| part.trim_matches(['.', '_'])).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

/// The repositories with their names here.
fn placed(repositories: &[String], refused: &mut Vec<Refused>) -> Vec<Place> {
    let mut places = BTreeMap::<String, Place>::new();
    for there in repositories {
        let (namespace, name) = there.split_once('/').unwrap_or((LIBRARY, there));
        let name = NamespaceName::parse(namespace).and_then(|_| RepositoryName::parse(namespace, name).ok());
        match name {
            Some(name) => {
                let place = places.entry(name.to_string()).or_insert_with(|| Place { name, there: Vec::new() });
                if !place.there.contains(there) {
                    place.there.push(there.clone());
                }
            }
            None => refused.push(Refused::new(format!("the repository {there}"), "its name is none here")),
        }
    }
    places.into_values().collect()
}
