//! A person's own password, changed by who shows the one that it has now.

use crate::{
    auth::{self, PasswordSession},
    domain::{Secret, password},
    handlers::body::Body,
    index::Index,
    mail::notices::{self, Notice},
    refusal::Answer,
    store::{Over, users},
    wire::{Reply, Request},
};

/// `POST /v2/user/password`
///
/// It ends what was given out under the old one: this session, logins that docker keeps, links. Access tokens stay.
pub async fn change(index: &Index, request: &Request, session: &PasswordSession<'_>) -> Answer<Reply> {
    let wanted = Body::read_json(request).and_then(|body| {
        let new = body.text("new_password")?;
        password::acceptable(&new, index.settings.password_length)?;
        Ok((Secret::new(new), Secret::new(body.text("password")?)))
    });
    let (principal, new, ()) = session.confirm_with(index, request, wanted, ()).await?;
    let user = principal.require_user()?;
    password::require_not_the_name(new.reveal(), &user.name)?;
    auth::password::hashing_turn(index, &request.address()).await?;
    let (stored, by) = (auth::password::hash(index, new.reveal())?, principal.by(index, request));
    index.commit([principal.right(Over::Themselves)], users::set_password(user, &stored, None, &by).into()).await?;
    notices::tell(index, user, &by, Notice::Password);
    Ok(Reply::empty(204).personal())
}
