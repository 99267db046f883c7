//! Accounts: register, check a login, change.

use serde_json::json;

use crate::{
    auth::{self, Credentials},
    context::Context,
    domain::{Secret, names, password},
    error::{Result, forbidden, invalid, not_found},
    handlers::body::JsonObject,
    mail::notices::{self, Notice},
    operations::{
        emails::Adding,
        registration::{self, Register},
    },
    store::{
        Over, Right, Transaction, emails,
        users::{self, User},
    },
    wire::{Request, Response},
};

/// `GET /v1/users/`
pub async fn login(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let principal = credentials.authenticate(ctx).await?;
    principal.require_user()?;
    auth::login::record_success(ctx, request, &principal);
    Ok(Response::json(200, &json!("OK")).no_store())
}

/// `POST /v1/users/`
pub async fn register(ctx: &Context, request: &Request) -> Result<Response> {
    let wanted = JsonObject::parse(request).map(|body| Register {
        name: body.get("username").unwrap_or_default(),
        email: body.get("email").unwrap_or_default(),
        password: body.get("password").map(Secret::new),
    });
    registration::register(ctx, request, wanted).await?;
    Ok(Response::json(201, &json!("User Created")).no_store())
}

/// `PUT /v1/users/(username)/`
///
/// An e-mail is added and replaces none; a password is replaced.
pub async fn update(ctx: &Context, request: &Request, credentials: &Credentials, name: &str) -> Result<Response> {
    let change = UpdateUser::read(request, ctx.config.password_length);
    let email_key = change.as_ref().ok().and_then(|change| change.email.as_ref()).map(|email| email.to_lowercase());
    let owner = emails::owner(email_key.as_deref().unwrap_or_default());
    let about = (users::by_name(name), owner);
    let (principal, (target, owner)) = credentials.authenticate_with(ctx, about).await?;
    let change = change?;
    let (user, right) = require_self(&principal, name, target)?;
    let email = change.email.as_deref();
    let adding = email.map(|email| Adding::new(ctx, &user, email, owner)).transpose()?.flatten();
    if user.machine {
        return forbidden("A service account has neither a password nor an email");
    }
    let (mut transaction, by) = (Transaction::new(), principal.by(ctx, request));
    if let Some(secret) = &change.password {
        password::require_not_the_name(secret, name)?;
        auth::password::acquire_hash_slot_for(ctx, &request.address()).await?;
        let stored = auth::password::hash(ctx, secret)?;
        transaction.run(users::set_password(&user, &stored, email_key.as_deref(), &by));
    }
    let added = adding.map(|adding| adding.add_to(&mut transaction, ctx, &user, &by));
    if transaction.is_empty() {
        // The e-mail is theirs already.
        return Ok(Response::empty(204).no_store());
    }
    // Hashing waits for its slot, and meanwhile the password may have been changed.
    let mut outcome = ctx.commit([right], transaction).await?;
    if change.password.is_some() {
        notices::tell(ctx, &user, &by, Notice::Password);
    }
    if let Some(added) = added {
        added.done(ctx, &user, &by, &mut outcome)?;
    }
    Ok(Response::empty(204).no_store())
}

/// The user whose account is changed, and the right to do so: their own, or an administrator's.
fn require_self(principal: &auth::Principal, name: &str, target: Option<User>) -> Result<(User, Right)> {
    let user = principal.require_password()?;
    if user.name != name && !principal.is_administrator() {
        return forbidden("You may change your own account only");
    }
    match target {
        Some(target) => {
            let over = if user.name == name { Over::Themselves } else { Over::Index };
            Ok((target, principal.right(over)))
        }
        None => not_found("User not found"),
    }
}

/// What is to be changed.
struct UpdateUser {
    password: Option<String>,
    email: Option<String>,
}

impl UpdateUser {
    fn read(request: &Request, least: usize) -> Result<Self> {
        let body = JsonObject::parse(request)?;
        let change = Self { password: body.optional_string("password")?, email: body.optional_string("email")? };
        if change.password.is_none() && change.email.is_none() {
            return invalid("A password or an email is expected");
        }
        change.password.as_deref().map(|secret| password::acceptable(secret, least)).transpose()?;
        change.email.as_deref().map(names::email).transpose()?;
        Ok(change)
    }
}
