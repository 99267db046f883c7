//! Registration: a user makes an account of their own.

use crate::{
    auth,
    context::Context,
    domain::{Secret, UserName, names, password},
    error::{Result, invalid},
    mail::links::Link,
    operations::emails::EMAIL_TAKEN,
    platform::RateLimit,
    store::{
        Transaction,
        links::Owner,
        rate_counters::{self, Counter},
        users::{self, NewUser},
    },
    wire::Request,
};

/// Old clients compare these bytes, quotes and all, and then try to log in.
const NAME_TAKEN: &str = "Username or email already exists";

/// An account that is to be.
pub struct Register {
    /// The name of the user.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their password, if the client sends one.
    pub password: Option<Secret>,
}

/// Registers a user; returns whether a link was mailed that confirms the address, before which the account is not
/// active.
///
/// docker registers before it logs in, with any e-mail its user types, and goes on only if the response is that the
/// name is taken: so the name is checked before the rest of what is wanted.
pub async fn register(ctx: &Context, request: &Request, wanted: Result<Register>) -> Result<bool> {
    auth::require_https(request)?;
    if !ctx.config.registration_open {
        return Err(auth::unauthorized("Registration is closed"));
    }
    let wanted = wanted?;
    let (now, from, most) = (ctx.platform.now(), request.address(), ctx.config.quotas);
    // Also who only asks which names and addresses are taken.
    ctx.require_rate_limit(RateLimit::Logins, &from).await?;
    let (typed, email) = (wanted.name.as_str(), wanted.email.as_str());
    if typed.is_empty() {
        return invalid("Missing username");
    }
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
    let Some(secret) = &wanted.password else { return invalid("Missing password") };
    let secret = secret.reveal();
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
    let mailed = link.is_some();
    if let Some(link) = link {
        link.send_to(ctx, email, name.as_str());
    }
    Ok(mailed)
}
