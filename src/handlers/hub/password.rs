//! A user changes their own password; the request has the current one.

use crate::{
    auth::{self, PasswordSession},
    context::Context,
    domain::{Secret, password},
    error::Result,
    handlers::body::JsonObject,
    mail::notices::{self, Notice},
    store::{Over, users},
    wire::{Request, Response},
};

/// `POST /v2/user/password`
///
/// It ends what was given out under the old one: this session, logins that docker keeps, links. Access tokens stay.
pub async fn change(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<Response> {
    let wanted = JsonObject::parse_json(request).and_then(|body| {
        let new = body.text("new_password")?;
        password::acceptable(&new, ctx.config.password_length)?;
        Ok((Secret::new(new), Secret::new(body.text("password")?)))
    });
    let (principal, new, ()) = session.confirm_with(ctx, request, wanted, ()).await?;
    let user = principal.require_user()?;
    password::require_not_the_name(new.reveal(), &user.name)?;
    auth::password::acquire_hash_slot_for(ctx, &request.address()).await?;
    let (stored, by) = (auth::password::hash(ctx, new.reveal())?, principal.by(ctx, request));
    ctx.commit([principal.right(Over::Themselves)], users::set_password(user, &stored, None, &by).into()).await?;
    notices::tell(ctx, user, &by, Notice::Password);
    Ok(Response::empty(204).no_store())
}
