//! A user changes their own password; the request has the current one.

use crate::{
    auth::PasswordSession,
    context::Context,
    domain::Secret,
    error::Result,
    handlers::body::JsonObject,
    operations::password::{self, ChangePassword},
    wire::{Request, Response},
};

/// `POST /v2/user/password`
pub async fn change(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<Response> {
    let wanted = JsonObject::parse_json(request).and_then(|body| {
        let [new, current] = [body.text("new_password")?, body.text("password")?].map(Secret::new);
        Ok(ChangePassword { new, current })
    });
    password::change(ctx, request, session, wanted).await?;
    Ok(Response::empty(204).no_store())
}
