//! Somebody who leaves.

use crate::{
    auth::PasswordSession,
    domain::Secret,
    handlers::body::Body,
    index::Index,
    jobs::search_index,
    refusal::{Answer, forbidden},
    store::{Over, Transaction, leaving},
    wire::{Reply, Request},
};

/// `DELETE /v2/user`
///
/// For ever: the name does not come back. The last administrator may go too, since the operator makes another.
pub async fn leave(index: &Index, request: &Request, session: &PasswordSession<'_>) -> Answer<Reply> {
    let wanted = Body::read_json(request)
        .and_then(|body| Ok((body.maybe_flag("repositories")? == Some(true), Secret::new(body.text("password")?))));
    let there = leaving::in_the_way(session.user());
    let (principal, repositories, there) = session.confirm_with(index, request, wanted, there).await?;
    let in_the_way =
        || forbidden("You have repositories: transfer them first, or send repositories: true to remove them");
    if !repositories && there {
        return in_the_way();
    }
    let mut transaction = Transaction::new();
    let (user, by) = (principal.require_user()?, principal.by(index, request));
    let left = leaving::leave(&mut transaction, user, repositories, &by);
    if index.commit([principal.right(Over::Themselves)], transaction).await?.take(left)? {
        // One came meanwhile.
        return in_the_way();
    }
    search_index::later(index);
    Ok(Reply::empty(204).personal())
}
