//! The addresses of an account.

use serde_json::{Value, json};

use crate::{
    auth::PasswordSession,
    context::Context,
    domain::{Secret, time},
    error::{Result, invalid},
    handlers::body::JsonObject,
    operations::emails::{self, AccountEmail, AddEmail},
    wire::{Request, Response, request::decoded},
};

/// `GET /v2/user/emails`
pub async fn list(ctx: &Context, session: &PasswordSession<'_>) -> Result<Response> {
    let (_, addresses) = emails::list(ctx, session).await?;
    let results = addresses.iter().map(to_json).collect::<Vec<Value>>();
    Ok(Response::json(200, &json!({ "count": results.len(), "results": results })).no_store())
}

/// `POST /v2/user/emails`
pub async fn add(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<Response> {
    let wanted = JsonObject::parse_json(request)
        .and_then(|body| Ok(AddEmail { email: body.text("email")?, password: Secret::new(body.text("password")?) }));
    let (email, added) = emails::add(ctx, request, session, wanted).await?;
    Ok(respond(if added { 201 } else { 200 }, &email))
}

/// `PATCH /v2/user/emails/{email}`
pub async fn choose(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    address: &str,
) -> Result<Response> {
    let password = JsonObject::parse_json(request).and_then(|body| {
        if body.optional_bool("primary")? != Some(true) {
            return invalid("primary: true, of the address that is to be it");
        }
        body.text("password").map(Secret::new)
    });
    let email = emails::choose(ctx, request, session, &decoded(address.as_bytes()), password).await?;
    Ok(respond(200, &email))
}

/// `DELETE /v2/user/emails/{email}`
pub async fn remove(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    address: &str,
) -> Result<Response> {
    let password = JsonObject::parse_json(request).and_then(|body| body.text("password").map(Secret::new));
    emails::remove(ctx, request, session, &decoded(address.as_bytes()), password).await?;
    Ok(Response::empty(204).no_store())
}

fn respond(status: u16, email: &AccountEmail) -> Response {
    Response::json(status, &to_json(email)).no_store()
}

/// An address in the form of the management API.
fn to_json(email: &AccountEmail) -> Value {
    let AccountEmail { address, primary } = email;
    json!({
        "email": address.address,
        "verified": address.proved_at.is_some(),
        "usable": address.confirmed_at.is_some(),
        "primary": primary,
        "created_at": time::format_rfc3339(address.created_at),
    })
}
