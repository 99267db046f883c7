//! A user deletes their own account.

use crate::{
    auth::PasswordSession,
    context::Context,
    domain::Secret,
    error::{Result, forbidden, invalid},
    jobs::search_index,
    store::{Over, Transaction, leaving},
    wire::Request,
};

/// An account that is to be deleted.
pub struct DeleteAccount {
    /// The name of the account, where it is typed so that no other one is meant.
    pub name: Option<String>,
    /// Whether its repositories are deleted too; else it has none.
    pub repositories: bool,
    /// The password of the account.
    pub password: Secret,
}

/// Deletes the account of the user for ever: the name does not come back. The last administrator may go too, since the
/// operator makes another.
pub async fn leave(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    wanted: Result<DeleteAccount>,
) -> Result<()> {
    let wanted = wanted.map(|wanted| ((wanted.name, wanted.repositories), wanted.password));
    let there = leaving::conflicts(session.user());
    let (principal, (name, repositories), there) = session.confirm_with(ctx, request, wanted, there).await?;
    if name.is_some_and(|name| name != principal.name()) {
        return invalid("The user name is another one");
    }
    let in_the_way =
        || forbidden("You have repositories: transfer them first, or send repositories: true to remove them");
    if !repositories && there {
        return in_the_way();
    }
    let mut transaction = Transaction::new();
    let (user, by) = (principal.require_user()?, principal.by(ctx, request));
    let left = leaving::leave(&mut transaction, &user.name, repositories, &by);
    if ctx.commit([principal.right(Over::Themselves)], transaction).await?.take(left)? {
        // One came meanwhile.
        return in_the_way();
    }
    search_index::sync_after_response(ctx);
    Ok(())
}
