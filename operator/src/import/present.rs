//! What of a plan is on the index already, and who may do what there.

use std::collections::{BTreeMap, BTreeSet};

use hublet::{
    domain::{NamespaceId, RepositoryId, Role, access::Relations},
    store::{FromRow, Query, Row, Statement},
};
use serde_json::json;

use crate::{
    Operator, Result,
    import::{actions::Actions, granted::Granted, plan::Plan},
};

/// A user of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Person {
    /// The name.
    pub name: String,
    /// Whether it is a service account.
    pub is_machine: bool,
    /// Whether it may do anything at all.
    pub is_active: bool,
    /// Whether it administrates the index.
    pub is_administrator: bool,
    /// Whether a command of the operator made it.
    pub by_operator: bool,
}

impl FromRow for Person {
    fn from_row(row: &mut Row) -> Self {
        Self {
            name: row.get("name"),
            is_machine: row.get("machine"),
            is_active: row.get("active"),
            is_administrator: row.get("administrator"),
            by_operator: row.get("by_operator"),
        }
    }
}

/// A namespace of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    name: String,
    /// Its id.
    pub id: NamespaceId,
    /// The user whose own it is.
    pub owner: Option<String>,
}

impl FromRow for Namespace {
    fn from_row(row: &mut Row) -> Self {
        Self { name: row.get("name"), id: row.get("id"), owner: row.get("owner") }
    }
}

/// A repository of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    name: String,
    /// Its id.
    pub id: RepositoryId,
    /// Whether it is private.
    pub is_private: bool,
    /// Whether its deletion is pending.
    pub is_pending: bool,
}

impl FromRow for Repository {
    fn from_row(row: &mut Row) -> Self {
        Self {
            name: row.get("name"),
            id: row.get("id"),
            is_private: row.get("private"),
            is_pending: row.get("pending"),
        }
    }
}

/// A role of a user somewhere.
struct Given {
    place: String,
    user: String,
    role: Role,
}

impl FromRow for Given {
    fn from_row(row: &mut Row) -> Self {
        Self { place: row.get("place"), user: row.get("user"), role: row.get("role") }
    }
}

/// What is on the index.
#[derive(Debug, Default)]
pub struct Present {
    /// Every user, by name.
    pub users: BTreeMap<String, Person>,
    /// The namespaces of the plan.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Its repositories.
    pub repositories: BTreeMap<String, Repository>,
    /// Roles in its namespaces, by namespace and user.
    pub members: BTreeMap<(String, String), Role>,
    /// Roles in its repositories, by repository and user.
    pub collaborators: BTreeMap<(String, String), Role>,
    /// Names of the plan that were those of what is gone.
    pub retired: BTreeSet<String>,
}

/// Every user `u`; a service account of a user's own namespace is active only while they are.
const USERS: &str = "select u.name, u.kind = 'machine' machine, u.administrator,
     coalesce((select o.status from namespaces n join users o on o.id = n.owner_id
       where n.id = u.machine_of and u.status = 'active'), u.status) = 'active' active,
     exists (select 1 from audit a where a.account = (select id from namespaces where owner_id = u.id)
       and a.name = u.name and a.action = 'user.create' and a.actor = 'operator') by_operator
   from users u";

const NAMESPACES: &str = "select n.name, n.id, o.name owner from namespaces n left join users o on o.id = n.owner_id
   where n.name in (select value from json_each(?1))";

const REPOSITORIES: &str = "select n.name || '/' || r.name name, r.id, r.private, r.deleted_at is not null pending
   from json_each(?1) j join namespaces n on n.name = substr(j.value, 1, instr(j.value, '/') - 1)
   join repositories r on r.namespace_id = n.id and r.name = substr(j.value, instr(j.value, '/') + 1)";

const MEMBERS: &str = "select n.name place, u.name user, m.role from namespaces n
   join members m on m.namespace_id = n.id join users u on u.id = m.user_id
   where n.name in (select value from json_each(?1))";

const COLLABORATORS: &str = "select j.value place, u.name user, c.role
   from json_each(?1) j join namespaces n on n.name = substr(j.value, 1, instr(j.value, '/') - 1)
   join repositories r on r.namespace_id = n.id and r.name = substr(j.value, instr(j.value, '/') + 1)
   join collaborators c on c.repository_id = r.id join users u on u.id = c.user_id
   where r.deleted_at is null";

const RETIRED: &str = "select name from retired_names where name in (select value from json_each(?1))";

impl Present {
    /// Reads what there is of a plan.
    pub async fn read(operator: &Operator, plan: &Plan) -> Result<Self> {
        let namespace = |name: &String| name.split('/').next().unwrap_or_default().to_owned();
        let namespaces = plan.repositories.iter().map(namespace).chain(plan.namespaces.iter().cloned());
        let namespaces = namespaces.chain(plan.members.iter().map(|member| member.namespace.clone()));
        let namespaces = namespaces.collect::<BTreeSet<_>>();
        let names = namespaces.iter().chain(plan.users.iter().map(|user| &user.name)).collect::<BTreeSet<_>>();
        let of_namespaces = |sql| Statement::new(sql).bind(json!(namespaces).to_string());
        let of_repositories = |sql| Statement::new(sql).bind(json!(plan.repositories).to_string());
        let things = (
            Query::<Vec<Person>>::all(Statement::new(USERS)),
            Query::<Vec<Namespace>>::all(of_namespaces(NAMESPACES)),
            Query::<Vec<Repository>>::all(of_repositories(REPOSITORIES)),
        );
        let (users, namespaces, repositories) = operator.fetch(things).await?;
        let roles = (
            Query::<Vec<Given>>::all(of_namespaces(MEMBERS)),
            Query::<Vec<Given>>::all(of_repositories(COLLABORATORS)),
            Query::<Vec<String>>::all(Statement::new(RETIRED).bind(json!(names).to_string())),
        );
        let (members, collaborators, retired) = operator.fetch(roles).await?;
        let given = |roles: Vec<Given>| roles.into_iter().map(|one| ((one.place, one.user), one.role)).collect();
        Ok(Self {
            users: users.into_iter().map(|user| (user.name.clone(), user)).collect(),
            namespaces: namespaces.into_iter().map(|one| (one.name.clone(), one)).collect(),
            repositories: repositories.into_iter().map(|one| (one.name.clone(), one)).collect(),
            members: given(members),
            collaborators: given(collaborators),
            retired: retired.into_iter().collect(),
        })
    }

    /// What every user may do in the repositories of the plan, by the rule of hublet.
    pub fn gives(&self, plan: &Plan, anonymous_read: bool) -> Granted {
        let mut gives = Granted::new(&plan.repositories);
        for user in self.users.values().filter(|user| user.is_active) {
            let row = plan.repositories.iter().map(|name| self.allowed(Some(user), name)).collect();
            gives.users.insert(user.name.clone(), row);
        }
        if anonymous_read {
            let row = plan.repositories.iter().map(|name| self.allowed(None, name)).collect();
            gives.users.insert(String::new(), row);
        }
        gives
    }

    fn allowed(&self, user: Option<&Person>, name: &str) -> Actions {
        let namespace = name.split('/').next().unwrap_or_default();
        let Some(owned) = self.namespaces.get(namespace) else { return Actions::NONE };
        let repository = self.repositories.get(name).filter(|repository| !repository.is_pending);
        let username = user.map_or("", |user| user.name.as_str());
        let role = |roles: &BTreeMap<(String, String), Role>, place: &str| {
            roles.get(&(place.to_owned(), username.to_owned())).copied()
        };
        let relations = Relations {
            administrator: user.is_some_and(|user| user.is_administrator),
            owner: user.is_some() && owned.owner.as_deref() == Some(username),
            member: role(&self.members, namespace),
            collaborator: repository.and_then(|_| role(&self.collaborators, name)),
            public: repository.is_some_and(|repository| !repository.is_private),
        };
        Actions::of_role(relations.effective_role())
    }
}
