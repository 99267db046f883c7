//! The rights that writes carry, each checked again in the batch that it allows.
//!
//! A handler decides by rows that it has read, and writes in a second batch: between the two, a password changes, a
//! member is removed, an access token ends. So the first statement of every write by a user's right fails where that
//! right is gone, and with it the whole batch, which is one transaction.

use constcat::concat;

use crate::{
    domain::{NamespaceId, RepositoryId, Role, UserId, credential::CredentialId},
    store::{Statement, users::STATUS},
};

/// What a user has a right to, as far as a write needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Their own account: good credentials are enough.
    Themselves,
    /// The whole index, as an administrator.
    Index,
    /// A namespace, by its id: at least this role in it.
    Namespace(NamespaceId, Role),
    /// A repository: at least this role in it.
    Repository {
        /// Its id.
        id: RepositoryId,
        /// The id of the namespace in which it was found.
        namespace: NamespaceId,
        /// The role that the write takes.
        role: Role,
        /// Whether the access token of the credentials opens it only as long as it is public.
        public: bool,
    },
    /// A service account of a namespace: the user is an admin of that.
    Machine {
        /// The id of its user.
        id: UserId,
        /// The id of the namespace.
        namespace: NamespaceId,
    },
}

/// What a user was found to be allowed with a credential. A write takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// The credential.
    pub credential: CredentialId,
    /// What it is a right to.
    pub over: Over,
}

/// A statement that fails, up to a condition on the user `u`: it fails unless there is one, active, whose password (of
/// epoch `?2`) or access token (`?3`, good at `?4`) the credential names, and of whom the condition holds.
const UNLESS: &str = concat!(
    "select json_extract('{}', iif(exists (
       select 1 from users u where u.id = ?1 and ",
    STATUS,
    " = 'active'
         and (u.epoch = ?2 or exists (select 1 from access_tokens t where t.id = ?3 and t.user_id = u.id
           and t.is_active = 1 and ifnull(t.expires_at > ?4, 1)))"
);

/// The same statement, after that condition. The second path is none, and `SQLite` names it in its error, by which
/// `Fault::from_d1` recognises it.
pub(super) const FAIL: &str = "), '$', 'the right is gone')) held";

/// Whether the user `u` has one of the roles `?5` in the namespace `n`. Access tokens never administrate.
const HAS_ROLE: &str = "(n.owner_id = u.id or u.administrator = 1 and ?2 is not null or exists (select 1 from members m
   where m.namespace_id = n.id and m.user_id = u.id and instr(?5, m.role)))";

/// Fails, and the batch with it, unless the user still has this right.
#[must_use]
pub fn guard(right: &Right, now: i64) -> Statement {
    let (epoch, token) = match right.credential {
        CredentialId::Anonymous => (None, None),
        CredentialId::Password { epoch, .. } => (Some(epoch), None),
        CredentialId::AccessToken { token, .. } => (None, Some(token)),
    };
    let statement = |sql| Statement::new(sql).bind(right.credential.user()).bind(epoch).bind(token).bind(now);
    match right.over {
        Over::Themselves => statement(concat!(UNLESS, FAIL)),
        Over::Index => statement(concat!(UNLESS, " and u.administrator = 1 and ?2 is not null", FAIL)),
        Over::Namespace(id, role) => statement(concat!(
            UNLESS,
            " and exists (select 1 from namespaces n where n.id = ?6 and ",
            HAS_ROLE,
            ")",
            FAIL
        ))
        .bind(at_least(role))
        .bind(id),
        Over::Repository { id, namespace, role, public } => statement(concat!(
            UNLESS,
            " and exists (select 1 from repositories r join namespaces n on n.id = r.namespace_id
               where r.id = ?6 and n.id = ?7 and (r.private = 0 or ?8 = 0)
                 and (r.private = 0 and instr(?5, 'read') or ",
            HAS_ROLE,
            "      or exists (select 1 from collaborators c
                     where c.repository_id = r.id and c.user_id = u.id and instr(?5, c.role))))",
            FAIL
        ))
        .bind(at_least(role))
        .bind(id)
        .bind(namespace)
        .bind(public),
        Over::Machine { id, namespace } => statement(concat!(
            UNLESS,
            " and exists (select 1 from users k join namespaces n on n.id = k.machine_of
               where k.id = ?6 and n.id = ?7 and ",
            HAS_ROLE,
            ")",
            FAIL
        ))
        .bind(at_least(Role::Admin))
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
