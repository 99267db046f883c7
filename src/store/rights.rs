//! The rights that writes carry, each asked for once more in the batch that it allows.
//!
//! A handler decides over rows that it has read, and writes in a second batch: between the two, a
//! password changes, a member is removed, an access token ends. So the first statement of every write
//! by a user's right fails where that right is gone, and with it the whole batch, which is one
//! transaction.

use constcat::concat;

use crate::{
    domain::{Role, credential::CredentialId},
    store::{Statement, users::STATUS},
};

/// Over what somebody has a right, as far as they need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Their own account: what they showed is all it takes.
    Themselves,
    /// The whole index, as an administrator.
    Index,
    /// A namespace, by its id: at least this role in it.
    Namespace(i64, Role),
    /// A repository: at least this role in it.
    Repository {
        /// Its id.
        id: i64,
        /// The id of the namespace in which it was found.
        namespace: i64,
        /// What it takes.
        role: Role,
        /// Whether their access token opens it only as long as it is public.
        public: bool,
    },
    /// A machine, by the id of its user, of a namespace of this id whose admins they are of.
    Machine {
        /// The id of its user.
        id: i64,
        /// The id of the namespace.
        namespace: i64,
    },
}

/// What somebody was found to be allowed, by what they showed. A write takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// What they showed.
    pub credential: CredentialId,
    /// Over what it is.
    pub over: Over,
}

/// A statement that fails unless there is a user `u`, active, whose password (of epoch `?2`) or access
/// token (`?3`, good at `?4`) is what was shown, and of whom this holds too. The second path is none,
/// and `SQLite` names it in its error, by which `Fault::of_database` knows it.
macro_rules! guard {
    ($over:expr) => {
        concat!(
            "select json_extract('{}', iif(exists (
               select 1 from users u where u.id = ?1 and ",
            STATUS,
            " = 'active'
                 and (u.epoch = ?2 or exists (select 1 from access_tokens t where t.id = ?3 and t.user_id = u.id
                   and t.is_active = 1 and ifnull(t.expires_at > ?4, 1)))",
            $over,
            "), '$', 'the right is gone')) held"
        )
    };
}

/// Whether user `u` has one of the roles `$roles` in the namespace `n`. Access tokens never administrate.
macro_rules! rules {
    ($roles:literal) => {
        concat!(
            "(n.owner_id = u.id or u.administrator = 1 and ?2 is not null or exists (select 1 from members m
               where m.namespace_id = n.id and m.user_id = u.id and instr(",
            $roles,
            ", m.role)))"
        )
    };
}

/// Fails, and the batch with it, unless somebody still has this right.
#[must_use]
pub fn guard(right: &Right, now: i64) -> Statement {
    let (epoch, token) = match right.credential {
        CredentialId::Anonymous => (None, None),
        CredentialId::Password { epoch, .. } => (Some(epoch), None),
        CredentialId::AccessToken { token, .. } => (None, Some(token)),
    };
    let statement = |sql| Statement::new(sql).bind(right.credential.user()).bind(epoch).bind(token).bind(now);
    match right.over {
        Over::Themselves => statement(guard!("")),
        Over::Index => statement(guard!(" and u.administrator = 1 and ?2 is not null")),
        Over::Namespace(id, role) => statement(guard!(concat!(
            " and exists (select 1 from namespaces n where n.id = ?5 and ",
            rules!("?6"),
            ")"
        )))
        .bind(id)
        .bind(at_least(role)),
        Over::Repository { id, namespace, role, public } => statement(guard!(concat!(
            " and exists (select 1 from repositories r join namespaces n on n.id = r.namespace_id
               where r.id = ?5 and n.id = ?6 and (r.private = 0 or ?8 = 0)
                 and (r.private = 0 and instr(?7, 'read') or ",
            rules!("?7"),
            "      or exists (select 1 from collaborators c
                     where c.repository_id = r.id and c.user_id = u.id and instr(?7, c.role))))"
        )))
        .bind(id)
        .bind(namespace)
        .bind(at_least(role))
        .bind(public),
        Over::Machine { id, namespace } => statement(guard!(concat!(
            " and exists (select 1 from users k join namespaces n on n.id = k.machine_of
               where k.id = ?5 and n.id = ?6 and ",
            rules!("'admin'"),
            ")"
        )))
        .bind(id)
        .bind(namespace),
    }
}

/// This role, and those that include it.
fn at_least(role: Role) -> &'static str {
    match role {
        Role::Read => "read write admin",
        Role::Write => "write admin",
        Role::Admin => "admin",
    }
}
