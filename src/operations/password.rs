//! A user changes their own password; the request has the current one.

use crate::{
    auth::{self, PasswordSession},
    context::Context,
    domain::{Secret, password},
    error::Result,
    mail::notices::{self, Notice},
    store::{Over, users},
    wire::Request,
};

/// The password that is to be.
pub struct ChangePassword {
    /// The new one.
    pub new: Secret,
    /// The current one.
    pub current: Secret,
}

/// Changes the password of the user. It ends what was given out under the old one: this session, logins that docker
/// keeps, links. Access tokens stay.
pub async fn change(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    wanted: Result<ChangePassword>,
) -> Result<()> {
    let wanted = wanted.and_then(|wanted| {
        password::acceptable(wanted.new.reveal(), ctx.config.password_length)?;
        Ok((wanted.new, wanted.current))
    });
    let (principal, new, ()) = session.confirm_with(ctx, request, wanted, ()).await?;
    let user = principal.require_user()?;
    password::require_not_the_name(new.reveal(), &user.name)?;
    auth::password::acquire_hash_slot_for(ctx, &request.address()).await?;
    let (stored, by) = (auth::password::hash(ctx, new.reveal())?, principal.by(ctx, request));
    ctx.commit([principal.right(Over::Themselves)], users::set_password(user, &stored, None, &by).into()).await?;
    notices::tell(ctx, user, &by, Notice::Password);
    Ok(())
}
