//! What a plan changes on an index, and how it is written: in steps, each of which is one transaction.

use std::{collections::BTreeSet, fmt};

use hublet::{
    domain::{NamespaceName, RepositoryName, Role, audit::AuditAction, password},
    store::{
        Statement, Transaction,
        audit::{self, Account},
        links, repositories,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    Failure, Operator, Result,
    import::{
        plan::{self, Plan},
        present::Present,
        source::Refused,
    },
    invalid, passwords,
};

/// The most changes of a step.
pub const MAX_CHANGES: usize = 50;

/// Something that is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// A user, with the hash of their password or with a link.
    User {
        /// The name.
        name: String,
        /// The hash.
        bcrypt: Option<String>,
    },
    /// A namespace of no single user.
    Namespace {
        /// The name.
        name: String,
    },
    /// A repository that hublet does not know yet.
    Repository {
        /// As namespace/name.
        name: String,
        /// Whether it is public.
        public: bool,
    },
    /// A repository that becomes public.
    Public {
        /// As namespace/name.
        name: String,
    },
    /// A role in a namespace.
    Member {
        /// The namespace.
        namespace: String,
        /// The user.
        user: String,
        /// The role.
        #[serde(with = "plan::role")]
        role: Role,
    },
    /// A role in a repository.
    Collaborator {
        /// As namespace/name.
        repository: String,
        /// The user.
        user: String,
        /// The role.
        #[serde(with = "plan::role")]
        role: Role,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { name, bcrypt: Some(_) } => write!(f, "user {name}, with the password of before"),
            Self::User { name, bcrypt: None } => write!(f, "user {name}, with a link to choose a password"),
            Self::Namespace { name } => write!(f, "namespace {name}"),
            Self::Repository { name, public: true } => write!(f, "repository {name}, public"),
            Self::Repository { name, public: false } => write!(f, "repository {name}, private"),
            Self::Public { name } => write!(f, "repository {name} becomes public"),
            Self::Member { namespace, user, role } => write!(f, "member {namespace} {user} {}", role.as_str()),
            Self::Collaborator { repository, user, role } => {
                write!(f, "collaborator {repository} {user} {}", role.as_str())
            }
        }
    }
}

/// What there is to do.
#[derive(Debug, Default)]
pub struct Changes {
    /// In the order in which it is done.
    pub changes: Vec<Change>,
    /// How much of the plan is there already.
    pub there: usize,
    /// What of the plan cannot be.
    pub refused: Vec<Refused>,
}

/// What a plan changes. A role is never lowered, and a user who is there keeps their password. A user whom no command of the
/// operator made is one only where `existing` is set: they may be another person of the same name.
pub async fn changes(operator: &Operator, plan: &Plan, existing: bool) -> Result<Changes> {
    let present = Present::read(operator, plan).await?;
    let mut found = Changes::default();
    let users = users(plan, &present, existing, &mut found);
    let namespaces = namespaces(plan, &present, &users, &mut found);
    let repositories = repositories(plan, &present, &namespaces, &mut found);
    let has_user = |name: &str| users.contains(name);
    for member in plan.members.iter().filter(|member| has_user(&member.user)) {
        let (namespace, user, role) = (member.namespace.clone(), member.user.clone(), member.role);
        let is_owner = present.namespaces.get(&namespace).is_some_and(|one| one.owner.as_ref() == Some(&user));
        let has = present.members.get(&(namespace.clone(), user.clone()));
        if is_owner || has.is_some_and(|has| *has >= role) {
            found.there += 1;
        } else if namespaces.contains(namespace.as_str()) {
            found.changes.push(Change::Member { namespace, user, role });
        }
    }
    for collaborator in plan.collaborators.iter().filter(|collaborator| has_user(&collaborator.user)) {
        let (repository, user, role) = (collaborator.repository.clone(), collaborator.user.clone(), collaborator.role);
        let has = present.collaborators.get(&(repository.clone(), user.clone()));
        if has.is_some_and(|has| *has >= role) {
            found.there += 1;
        } else if repositories.contains(repository.as_str()) {
            found.changes.push(Change::Collaborator { repository, user, role });
        }
    }
    Ok(found)
}

/// The users of the plan that there are then, and others whom its roles name.
fn users<'a>(plan: &'a Plan, present: &'a Present, existing: bool, found: &mut Changes) -> BTreeSet<&'a str> {
    let mut users = BTreeSet::new();
    for user in &plan.users {
        let name = user.name.as_str();
        let refused = match present.users.get(name) {
            Some(there) if there.is_machine => "it is a service account",
            Some(there) if !there.by_operator && !existing => {
                "there is such a user, whom no command of the operator made: --existing if it is the same person"
            }
            Some(_) => {
                found.there += 1;
                users.insert(name);
                continue;
            }
            None if present.retired.contains(name) => "it is the name of what is gone (`release`)",
            None if present.namespaces.contains_key(name) => "it is a namespace of no single user",
            None => {
                found.changes.push(Change::User { name: name.to_owned(), bcrypt: user.bcrypt.clone() });
                users.insert(name);
                continue;
            }
        };
        found.refused.push(Refused::new(format!("user {name}"), refused));
    }
    let planned = plan.users.iter().map(|user| user.name.as_str()).collect::<BTreeSet<_>>();
    let named = plan.members.iter().map(|one| one.user.as_str());
    let named = named.chain(plan.collaborators.iter().map(|one| one.user.as_str())).collect::<BTreeSet<_>>();
    for name in named.difference(&planned) {
        if present.users.contains_key(*name) {
            users.insert(name);
        } else {
            found.refused.push(Refused::new(format!("the roles of {name}"), "there is no such user"));
        }
    }
    users
}

/// The namespaces of the plan that there are then.
fn namespaces<'a>(
    plan: &'a Plan,
    present: &Present,
    users: &BTreeSet<&'a str>,
    found: &mut Changes,
) -> BTreeSet<&'a str> {
    let of_repositories = plan.repositories.iter().filter_map(|name| name.split('/').next());
    let of_members = plan.members.iter().map(|member| member.namespace.as_str());
    let planned = plan.namespaces.iter().map(String::as_str).collect::<BTreeSet<_>>();
    let all = planned.iter().copied().chain(of_repositories).chain(of_members).collect::<BTreeSet<_>>();
    let mut namespaces = BTreeSet::new();
    for name in all {
        let there = present.namespaces.get(name);
        let owner = there.and_then(|there| there.owner.as_deref());
        let refused = if there.is_some() && owner.is_none() || owner.is_some_and(|owner| users.contains(owner)) {
            found.there += usize::from(planned.contains(name));
            namespaces.insert(name);
            continue;
        } else if users.contains(name) {
            namespaces.insert(name); // it is made with its user
            continue;
        } else if owner.is_some() {
            "it is a user's own, and the user is none of this plan"
        } else if present.users.contains_key(name) {
            "it is the name of a user"
        } else if present.retired.contains(name) {
            "it is the name of what is gone (`release`)"
        } else if planned.contains(name) && NamespaceName::parse(name).is_some() {
            found.changes.push(Change::Namespace { name: name.to_owned() });
            namespaces.insert(name);
            continue;
        } else {
            "it is none of the namespaces of this plan"
        };
        found.refused.push(Refused::new(format!("namespace {name}, with its repositories and members"), refused));
    }
    namespaces
}

/// The repositories of the plan that there are then.
fn repositories<'a>(
    plan: &'a Plan,
    present: &Present,
    namespaces: &BTreeSet<&str>,
    found: &mut Changes,
) -> BTreeSet<&'a str> {
    let public = plan.public.iter().map(String::as_str).collect::<BTreeSet<_>>();
    let mut repositories = BTreeSet::new();
    for name in plan.repositories.iter().map(String::as_str) {
        let is_public = public.contains(name);
        let change = match present.repositories.get(name) {
            Some(there) if there.is_pending => {
                found.refused.push(Refused::new(format!("repository {name}"), "its deletion is pending"));
                continue;
            }
            Some(there) if there.is_private && is_public => Change::Public { name: name.to_owned() },
            Some(_) => {
                found.there += 1;
                repositories.insert(name);
                continue;
            }
            None if namespaces.contains(name.split('/').next().unwrap_or_default()) => {
                Change::Repository { name: name.to_owned(), public: is_public }
            }
            None => continue,
        };
        repositories.insert(name);
        found.changes.push(change);
    }
    repositories
}

/// Writes a step; gives a link to choose a password for each new user without one: name and link.
pub async fn step(operator: &Operator, changes: &[Change]) -> Result<Vec<(String, String)>> {
    if changes.len() > MAX_CHANGES {
        return invalid(format!("a step has at most {MAX_CHANGES} changes"));
    }
    let mut transaction = Transaction::new();
    let mut links = Vec::new();
    for change in changes {
        match change {
            Change::User { name, bcrypt } => {
                let link = user(operator, &mut transaction, name, bcrypt.as_deref())?;
                links.extend(link.map(|link| (name.clone(), link)));
            }
            Change::Namespace { name } => transaction.run([
                Statement::new(
                    "insert into namespaces (name, created_at) select ?1, ?2
                     where not exists (select 1 from users where name = ?1)
                       and not exists (select 1 from retired_names where name = ?1) on conflict (name) do nothing",
                )
                .bind(name.as_str())
                .bind(operator.now),
                audit::record(&operator.by, AuditAction::OrgCreate, Account::Named(name), name, &[]),
            ]),
            Change::Repository { name, public } => repository(operator, &mut transaction, name, *public)?,
            Change::Public { name } => publish(operator, &mut transaction, name).await?,
            Change::Member { namespace, user, role } => {
                let data = [("role", role.as_str())];
                let record = |action| audit::record(&operator.by, action, Account::Named(namespace), user, &data);
                let write = |sql| Statement::new(sql).bind(namespace.as_str()).bind(user.as_str()).bind(role.as_str());
                transaction.run([
                    write(ADD_MEMBER),
                    record(AuditAction::OrgMemberAdd),
                    write(RAISE_MEMBER),
                    record(AuditAction::OrgMemberRoleChange),
                ]);
            }
            Change::Collaborator { repository, user, role } => {
                let name = plan::repository(repository).map_err(Failure::Invalid)?;
                let set = Statement::new(SET_COLLABORATOR).bind(name.namespace.as_str()).bind(name.name.as_str());
                let data = [("user", user.as_str()), ("role", role.as_str())];
                let account = Account::Named(&name.namespace);
                transaction.run([
                    set.bind(user.as_str()).bind(role.as_str()),
                    audit::record(&operator.by, AuditAction::RepoCollaboratorAdd, account, repository, &data),
                ]);
            }
        }
    }
    operator.commit(transaction).await?;
    Ok(links)
}

const ADD_MEMBER: &str = "insert into members (namespace_id, user_id, role)
   select n.id, u.id, ?3 from namespaces n join users u on u.name = ?2 where n.name = ?1
   on conflict (namespace_id, user_id) do nothing";

/// The names of roles are not in the order of the roles: `admin`, `write`, `read`.
const RAISE_MEMBER: &str = "update members set role = ?3
   where namespace_id = (select id from namespaces where name = ?1) and user_id = (select id from users where name = ?2)
     and instr('read write admin', role) < instr('read write admin', ?3)";

const SET_COLLABORATOR: &str = "insert into collaborators (repository_id, user_id, role)
   select r.id, u.id, ?4 from namespaces n join repositories r on r.namespace_id = n.id and r.name = ?2
   join users u on u.name = ?3 where n.name = ?1
   on conflict (repository_id, user_id) do update set role = excluded.role
     where instr('read write admin', role) < instr('read write admin', excluded.role)";

fn user(
    operator: &Operator,
    transaction: &mut Transaction,
    name: &str,
    bcrypt: Option<&str>,
) -> Result<Option<String>> {
    let password = bcrypt.map(|hash| {
        let cost = operator.config.password_cost;
        password::import(hash, operator.random()?, passwords::peppers(operator)?, cost).map_err(Failure::Invalid)
    });
    let password = password.transpose()?;
    transaction.run([
        Statement::new(
            "insert into users (name, status, password, created_at) select ?1, 'active', ?2, ?3
             where not exists (select 1 from namespaces where name = ?1)
               and not exists (select 1 from retired_names where name = ?1) on conflict (name) do nothing",
        )
        .bind(name)
        .bind(password.as_deref())
        .bind(operator.now),
        Statement::new(
            "insert into namespaces (name, owner_id, created_at)
             select name, id, ?2 from users where name = ?1 and kind = 'person' on conflict do nothing",
        )
        .bind(name)
        .bind(operator.now),
        audit::record(
            &operator.by,
            AuditAction::UserCreate,
            Account::Named(name),
            name,
            &[("status", "active"), ("by", "import")],
        ),
    ]);
    if password.is_some() {
        return Ok(None);
    }
    let (secret, hash) = operator.link_secret()?;
    transaction.run(links::insert_password_link(name, &hash, &operator.by));
    Ok(Some(operator.link_address(&secret)))
}

/// A repository that hublet does not know, in a namespace that it does; its images come by events.
fn repository(operator: &Operator, transaction: &mut Transaction, name: &str, public: bool) -> Result<()> {
    let RepositoryName { namespace, name: rest } = plan::repository(name).map_err(Failure::Invalid)?;
    let insert = "insert into repositories (namespace_id, name, full_name, private, created_at, updated_at)
       select id, ?2, name || '/' || ?2, ?3, ?4, ?4 from namespaces where name = ?1
       on conflict (namespace_id, name) do nothing";
    let insert = Statement::new(insert).bind(namespace.as_str()).bind(rest).bind(!public).bind(operator.now);
    let data = [("is_private", audit::flag(!public))];
    let account = Account::Named(&namespace);
    transaction.run([insert, audit::record(&operator.by, AuditAction::RepoCreate, account, name, &data)]);
    Ok(())
}

async fn publish(operator: &Operator, transaction: &mut Transaction, name: &str) -> Result<()> {
    let name = plan::repository(name).map_err(Failure::Invalid)?;
    let repository = crate::repositories::require(operator, &name).await?;
    let change = repositories::Change { private: Some(false), ..repositories::Change::default() };
    transaction.run(repositories::update(repository.id, &name, &change, &operator.by));
    Ok(())
}
