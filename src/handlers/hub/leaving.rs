//! A user deletes their own account.

use crate::{
    auth::PasswordSession,
    context::Context,
    domain::Secret,
    error::Result,
    handlers::body::JsonObject,
    operations::leaving::{self, DeleteAccount},
    wire::{Request, Response},
};

/// `DELETE /v2/user`
pub async fn leave(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<Response> {
    let wanted = JsonObject::parse_json(request).and_then(|body| {
        let repositories = body.optional_bool("repositories")? == Some(true);
        Ok(DeleteAccount { name: None, repositories, password: Secret::new(body.text("password")?) })
    });
    leaving::leave(ctx, request, session, wanted).await?;
    Ok(Response::empty(204).no_store())
}
