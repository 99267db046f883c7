//! A person's own password, changed by who shows the one that it has now.

use crate::{
    domain::{Secret, password},
    handlers::{
        body::Body,
        hub::sessions::{by_password, user_of},
        login,
        notices::{self, Notice},
    },
    index::Index,
    refusal::Answer,
    store::{Over, users},
    wire::{Reply, Request},
};

/// `POST /v2/user/password`
///
/// It ends what was given out under the old one: this session, logins that docker keeps, links. Access tokens stay.
pub async fn change(index: &Index, request: &Request) -> Answer<Reply> {
    let wanted = Body::read_json(request).and_then(|body| {
        let new = body.text("new_password")?;
        password::acceptable(&new, index.settings.password_length)?;
        Ok((Secret::new(new), Secret::new(body.text("password")?)))
    });
    let profile = users::profile(user_of(index, request)?);
    let (principal, new, _) = by_password(index, request, wanted, profile).await?;
    let user = principal.require_user()?;
    password::require_not_the_name(new.reveal(), &user.name)?;
    login::hashing_turn(index, &request.address()).await?;
    let (stored, by) = (login::hash(index, new.reveal())?, principal.by(index, request));
    index.write([principal.right(Over::Themselves)], users::set_password(user, &stored, None, &by)).await?;
    notices::tell(index, user, &by, Notice::Password);
    Ok(Reply::empty(204).personal())
}
