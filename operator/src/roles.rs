//! Roles in namespaces and repositories.

use hublet::{
    domain::Role,
    store::{
        Transaction, collaborators,
        members::{self, Grant},
    },
};

use crate::{Operator, Output, Result, Words, names, refuse, repositories, row};

/// What is printed for a role.
fn word(role: Option<Role>) -> &'static str {
    role.map_or("none", Role::as_str)
}

/// `member NAMESPACE USER ROLE`
pub async fn member(operator: &Operator, words: &Words) -> Result<Output> {
    let (namespace, user, role) = (words.namespace("NAMESPACE")?, words.user("USER")?, words.role("ROLE")?);
    let (namespace, user) = (namespace.as_str(), user.as_str());
    let namespace_id = names::require_namespace(operator, namespace).await?;
    let Some(candidate) = operator.fetch(members::find(namespace, user)).await? else {
        return refuse(format!("there is no user {user}."));
    };
    let mut transaction = Transaction::new();
    match role {
        Some(role) => {
            let changes = candidate.current.is_some();
            members::set(&mut transaction, &Grant { namespace_id, namespace, user, changes, role }, &operator.by);
        }
        None => {
            members::remove(&mut transaction, (namespace_id, namespace), user, &operator.by);
        }
    }
    operator.commit(transaction).await?;
    let columns = [("namespace", namespace.into()), ("user", user.into()), ("role", word(role).into())];
    Ok(vec![row(columns)].into())
}

/// `collaborator REPOSITORY USER ROLE`
pub async fn collaborator(operator: &Operator, words: &Words) -> Result<Output> {
    let (repository, user, role) = (words.repository("REPOSITORY")?, words.user("USER")?, words.role("ROLE")?);
    let found = repositories::require(operator, &repository).await?;
    let user = operator.require_user(&user).await?;
    let mut transaction = Transaction::new();
    let place = (found.id, &repository);
    match role {
        Some(role) => {
            collaborators::set(&mut transaction, place, (user.id, &user.name), role, &operator.by);
        }
        None => {
            collaborators::remove(&mut transaction, place, &user.name, &operator.by);
        }
    }
    operator.commit(transaction).await?;
    let columns =
        [("repository", repository.to_string().into()), ("user", user.name.into()), ("role", word(role).into())];
    Ok(vec![row(columns)].into())
}
