//! Accounts: register, check a login, change.

use serde_json::json;

use crate::{
    auth::{self, Credentials},
    context::Context,
    domain::{UserName, names, password},
    error::{Result, forbidden, invalid, not_found},
    handlers::{
        body::JsonObject,
        emails::{Adding, EMAIL_TAKEN},
    },
    mail::{
        links::Link,
        notices::{self, Notice},
    },
    platform::RateLimit,
    store::{
        Over, Right, Transaction, emails,
        links::Owner,
        rate_counters::{self, Counter},
        users::{self, NewUser, User},
    },
    wire::{Request, Response},
};

/// Old clients compare these bytes, quotes and all, and then try to log in.
const NAME_TAKEN: &str = "Username or email already exists";

/// `GET /v1/users/`
pub async fn login(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let principal = credentials.authenticate(ctx).await?;
    principal.require_user()?;
    auth::login::record_success(ctx, request, &principal);
    Ok(Response::json(200, &json!("OK")).no_store())
}

/// `POST /v1/users/`
///
/// docker registers before it logs in, with any e-mail its user types, and goes on only if the response is that the
/// name is taken: so the name is checked before the rest of the body.
pub async fn register(ctx: &Context, request: &Request) -> Result<Response> {
    auth::require_https(request)?;
    if !ctx.config.registration_open {
        return Err(auth::unauthorized("Registration is closed"));
    }
    let body = JsonObject::parse(request)?;
    let (now, from, most) = (ctx.platform.now(), request.address(), ctx.config.quotas);
    // Also who only asks which names and addresses are taken.
    ctx.require_rate_limit(RateLimit::Logins, &from).await?;
    let typed = body.get("username");
    let Some(typed) = typed.as_deref().filter(|name| !name.is_empty()) else { return invalid("Missing username") };
    let email = body.get("email").unwrap_or_default();
    let email = email.as_str();
    let (mut email_taken, mut counted) = (false, Vec::new());
    if UserName::parse(typed).is_some() {
        let current = rate_counters::current(Counter::Registrations, &from);
        let (taken, current) = ctx.db.fetch((users::is_taken(typed, &email.to_lowercase()), current)).await?;
        counted = current;
        if taken.name && UserName::given(typed).is_ok() {
            return invalid(NAME_TAKEN);
        }
        email_taken = taken.email;
    }
    let name = UserName::new_account(typed)?;
    let Some(secret) = body.get("password") else { return invalid("Missing password") };
    let secret = secret.as_str();
    password::acceptable(secret, ctx.config.password_length)?;
    password::require_not_the_name(secret, name.as_str())?;
    let email = names::email(email)?;
    if email_taken {
        return invalid(EMAIL_TAKEN);
    }
    let (here, everywhere) =
        (most.registrations_per_address.at(request.is_loopback()), most.registrations.at(request.is_loopback()));
    // Before the work of hashing: one more would be too many.
    auth::password::require_quota(&counted, here - 1, Some(everywhere - 1), now)?;
    auth::password::acquire_hash_slot(ctx).await?;
    let account = NewUser {
        name: name.as_str(),
        password: &auth::password::hash(ctx, secret)?,
        email,
        email_key: &email.to_lowercase(),
        confirmed: !ctx.platform.can_send_mail(),
        now,
        from: &from,
        most: (here, everywhere),
    };
    let mut transaction = Transaction::new();
    let counted = transaction.read(rate_counters::increment(Counter::Registrations, &from, now));
    transaction.run(users::register(&account));
    let link = (!account.confirmed).then(|| Link::new(ctx)).transpose()?;
    if let Some(link) = &link {
        let owner = Owner::Password(account.password);
        transaction.run([link.query(account.email_key, owner, now, most.mails.max(1)).into()]);
    }
    let made = transaction.read(users::is_registered(&account));
    let mut outcome = ctx.db.commit_unguarded(transaction).await?;
    auth::password::require_quota(&outcome.take(counted)?, here, Some(everywhere), now)?;
    if !outcome.take(made)? {
        // Another request was quicker, with the same name or the same e-mail.
        return invalid(NAME_TAKEN);
    }
    if let Some(link) = link {
        link.send_to(ctx, email, name.as_str());
    }
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
