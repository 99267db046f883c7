//! A user deletes their own account.

use crate::{
    auth::PasswordSession,
    context::Context,
    domain::Secret,
    error::{Result, forbidden},
    handlers::body::JsonObject,
    jobs::search_index,
    store::{Over, Transaction, leaving},
    wire::{Request, Response},
};

/// `DELETE /v2/user`
///
/// For ever: the name does not come back. The last administrator may go too, since the operator makes another.
pub async fn leave(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<Response> {
    let wanted = JsonObject::parse_json(request)
        .and_then(|body| Ok((body.optional_bool("repositories")? == Some(true), Secret::new(body.text("password")?))));
    let there = leaving::conflicts(session.user());
    let (principal, repositories, there) = session.confirm_with(ctx, request, wanted, there).await?;
    let in_the_way =
        || forbidden("You have repositories: transfer them first, or send repositories: true to remove them");
    if !repositories && there {
        return in_the_way();
    }
    let mut transaction = Transaction::new();
    let (user, by) = (principal.require_user()?, principal.by(ctx, request));
    let left = leaving::leave(&mut transaction, user, repositories, &by);
    if ctx.commit([principal.right(Over::Themselves)], transaction).await?.take(left)? {
        // One came meanwhile.
        return in_the_way();
    }
    search_index::sync_after_response(ctx);
    Ok(Response::empty(204).no_store())
}
