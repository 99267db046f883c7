//! The page of the user's own account.

use maud::html;

use crate::{
    auth::Credentials,
    context::Context,
    error::{Fault, Result},
    handlers::pages,
    store::users,
    wire::{Form, Request, Response, html::time},
};

/// `GET /settings`
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let (principal, profile) = credentials.authenticate_with(ctx, users::profile(credentials.user())).await?;
    let user = principal.require_user()?;
    let profile = profile.ok_or_else(|| Fault::bug("no row for a user"))?;
    let mut frame = pages::page(ctx, &principal, "Your account");
    frame.tabs = (pages::settings_tabs(), "/settings");
    frame.done = pages::done(&Form::of_query(request));
    Ok(frame.response(
        200,
        &html! {
            dl.facts {
                dt { "User name" } dd { (user.name) }
                dt { "E-mail" } dd { (profile.address.as_deref().unwrap_or("none")) }
                dt { "Since" } dd { (time(profile.created_at)) }
            }
        },
    ))
}
