//! Somebody who leaves.

use crate::{
    domain::Secret,
    handlers::{
        body::Body,
        hub::sessions::{by_password, user_of},
        projection,
    },
    index::Index,
    refusal::{Answer, forbidden},
    store::{Over, leaving},
    wire::{Reply, Request},
};

/// `DELETE /v2/user`
///
/// For ever: the name does not come back. The last administrator may go too, since the operator makes another.
pub async fn leave(index: &Index, request: &Request) -> Answer<Reply> {
    let wanted = Body::read_json(request)
        .and_then(|body| Ok((body.maybe_flag("repositories")? == Some(true), Secret::new(body.text("password")?))));
    let (principal, repositories, relations) =
        by_password(index, request, wanted, leaving::in_the_way(user_of(index, request)?)).await?;
    let in_the_way =
        || forbidden("You have repositories: transfer them first, or send repositories: true to remove them");
    if !repositories && !relations.is_empty() {
        return in_the_way();
    }
    let batch = leaving::leave(principal.require_user()?, repositories, &principal.by(index, request));
    if !index.write_last([principal.right(Over::Themselves)], batch).await?.is_empty() {
        // One came meanwhile.
        return in_the_way();
    }
    projection::later(index);
    Ok(Reply::empty(204).personal())
}
