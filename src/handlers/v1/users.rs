//! Accounts: register, check a login, change.

use serde_json::json;

use crate::{
    auth::{self, Credentials},
    domain::{UserName, names, password},
    handlers::{
        body::Body,
        emails::{Adding, TAKEN as EMAIL_TAKEN},
    },
    index::{Index, Limit},
    mail::{
        links::Link,
        notices::{self, Notice},
    },
    refusal::{Answer, forbidden, invalid, not_found},
    store::{
        Over, Right, Transaction, emails,
        links::Owner,
        rate_counters::{self, Counter},
        users::{self, Account, User},
    },
    wire::{Reply, Request},
};

/// Old clients compare these bytes, quotes and all, and then try to log in.
const TAKEN: &str = "Username or email already exists";

/// `GET /v1/users/`
pub async fn login(index: &Index, request: &Request, credentials: &Credentials) -> Answer<Reply> {
    let principal = credentials.authenticate(index).await?;
    principal.require_user()?;
    auth::login::succeeded(index, request, &principal);
    Ok(Reply::json(200, &json!("OK")).personal())
}

/// `POST /v1/users/`
///
/// docker registers before it logs in, with whatever e-mail its user types, and goes on only when
/// the answer is that the name is taken: so this is said before anything else of the body is checked.
pub async fn register(index: &Index, request: &Request) -> Answer<Reply> {
    auth::require_https(request)?;
    if !index.settings.open {
        return Err(auth::unauthorized("Registration is closed"));
    }
    let body = Body::read(request)?;
    let (now, from, most) = (index.world.now(), request.address(), index.settings.most);
    // Also who only asks which names and addresses are taken.
    index.require_within(Limit::Logins, &from).await?;
    let typed = body.get("username");
    let Some(typed) = typed.as_deref().filter(|name| !name.is_empty()) else { return invalid("Missing username") };
    let email = body.get("email").unwrap_or_default();
    let email = email.as_str();
    let (mut email_taken, mut counted) = (false, Vec::new());
    if UserName::parse(typed).is_some() {
        let current = rate_counters::current(Counter::Registrations, &from);
        let (taken, current) = index.db.fetch((users::taken(typed, &email.to_lowercase()), current)).await?;
        counted = current;
        if taken.name && UserName::given(typed).is_ok() {
            return invalid(TAKEN);
        }
        email_taken = taken.email;
    }
    let name = UserName::new_account(typed)?;
    let Some(secret) = body.get("password") else { return invalid("Missing password") };
    let secret = secret.as_str();
    password::acceptable(secret, index.settings.password_length)?;
    password::require_not_the_name(secret, name.as_str())?;
    let email = names::email(email)?;
    if email_taken {
        return invalid(EMAIL_TAKEN);
    }
    let (here, everywhere) =
        (most.registrations_per_address.at(request.loopback()), most.registrations.at(request.loopback()));
    // Before the work of hashing: one more would be too many.
    auth::password::require_allowance(&counted, here - 1, Some(everywhere - 1), now)?;
    auth::password::turn(index).await?;
    let account = Account {
        name: name.as_str(),
        password: &auth::password::hash(index, secret)?,
        email,
        email_key: &email.to_lowercase(),
        confirmed: !index.world.mails(),
        now,
        from: &from,
        most: (here, everywhere),
    };
    let mut transaction = Transaction::new();
    let counted = transaction.read(rate_counters::increment(Counter::Registrations, &from, now));
    transaction.run(users::register(&account));
    let link = (!account.confirmed).then(|| Link::new(index)).transpose()?;
    if let Some(link) = &link {
        let owner = Owner::Password(account.password);
        transaction.run([link.query(account.email_key, owner, now, most.mails.max(1)).into()]);
    }
    let made = transaction.read(users::is_registered(&account));
    let mut outcome = index.db.commit_unguarded(transaction).await?;
    auth::password::require_allowance(&outcome.take(counted)?, here, Some(everywhere), now)?;
    if !outcome.take(made)? {
        // Somebody was quicker, with the same name or the same e-mail.
        return invalid(TAKEN);
    }
    if let Some(link) = link {
        link.send_to(index, email, name.as_str());
    }
    Ok(Reply::json(201, &json!("User Created")).personal())
}

/// `PUT /v1/users/(username)/`
///
/// An e-mail is added and replaces none; a password is replaced.
pub async fn update(index: &Index, request: &Request, credentials: &Credentials, name: &str) -> Answer<Reply> {
    let change = Change::read(request, index.settings.password_length);
    let email_key = change.as_ref().ok().and_then(|change| change.email.as_ref()).map(|email| email.to_lowercase());
    let owner = emails::owner(email_key.as_deref().unwrap_or_default());
    let about = (users::by_name(name), owner);
    let (principal, (target, owner)) = credentials.authenticate_with(index, about).await?;
    let change = change?;
    let (user, right) = require_self(&principal, name, target)?;
    let email = change.email.as_deref();
    let adding = email.map(|email| Adding::new(index, &user, email, owner)).transpose()?.flatten();
    if user.machine {
        return forbidden("A machine has neither a password nor an email");
    }
    let (mut transaction, by) = (Transaction::new(), principal.by(index, request));
    if let Some(secret) = &change.password {
        password::require_not_the_name(secret, name)?;
        auth::password::hashing_turn(index, &request.address()).await?;
        let stored = auth::password::hash(index, secret)?;
        transaction.run(users::set_password(&user, &stored, email_key.as_deref(), &by));
    }
    let added = adding.map(|adding| adding.add_to(&mut transaction, index, &user, &by));
    if transaction.is_empty() {
        // The e-mail is theirs already.
        return Ok(Reply::empty(204).personal());
    }
    // Hashing waits for its turn, and meanwhile the password that was shown may be another's.
    let mut outcome = index.commit([right], transaction).await?;
    if change.password.is_some() {
        notices::tell(index, &user, &by, Notice::Password);
    }
    if let Some(added) = added {
        added.done(index, &user, &by, &mut outcome)?;
    }
    Ok(Reply::empty(204).personal())
}

/// The user whose account is changed, and by what right: oneself, or anybody for an administrator.
fn require_self(principal: &auth::Principal, name: &str, target: Option<User>) -> Answer<(User, Right)> {
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
struct Change {
    password: Option<String>,
    email: Option<String>,
}

impl Change {
    fn read(request: &Request, least: usize) -> Answer<Self> {
        let body = Body::read(request)?;
        let change = Self { password: body.maybe_text("password")?, email: body.maybe_text("email")? };
        if change.password.is_none() && change.email.is_none() {
            return invalid("A password or an email is expected");
        }
        change.password.as_deref().map(|secret| password::acceptable(secret, least)).transpose()?;
        change.email.as_deref().map(names::email).transpose()?;
        Ok(change)
    }
}
