//! Accounts: register, check a login, change.

use serde_json::json;

use crate::{
    domain::{UserName, names, password},
    handlers::{
        account,
        body::Body,
        emails::{Adding, TAKEN as EMAIL_TAKEN},
        login,
        notices::{self, Notice},
        who,
    },
    index::{Index, Limit},
    refusal::{Answer, Fault, forbidden, invalid, not_found},
    store::{
        Over, Right, Rows, emails,
        links::Owner,
        rate_counters::{self, Counter},
        users::{self, Account, User},
    },
    wire::{Reply, Request},
};

/// Old clients compare these bytes, quotes and all, and then try to log in.
const TAKEN: &str = "Username or email already exists";

/// `GET /v1/users/`
pub async fn login(index: &Index, request: &Request) -> Answer<Reply> {
    let credentials = who::credentials(index, request)?;
    credentials.require_somebody()?;
    credentials.require_no_token()?;
    let principal = credentials.known(index, &index.db.last(vec![credentials.statement()]).await?).await?;
    principal.require_user()?;
    login::succeeded(index, request, &principal);
    Ok(Reply::json(200, &json!("OK")).personal())
}

/// `POST /v1/users/`
///
/// docker registers before it logs in, with whatever e-mail its user types, and goes on only when
/// the answer is that the name is taken: so this is said before anything else of the body is checked.
pub async fn register(index: &Index, request: &Request) -> Answer<Reply> {
    who::require_https(request)?;
    if !index.settings.open {
        return Err(who::unauthorized("Registration is closed"));
    }
    let body = Body::read(request)?;
    let (now, from, most) = (index.world.now(), request.address(), index.settings.most);
    // Also who only asks which names and addresses are taken.
    index.require_within(Limit::Logins, &from).await?;
    let typed = body.get("username");
    let Some(typed) = typed.as_deref().filter(|name| !name.is_empty()) else { return invalid("Missing username") };
    let email = body.get("email").unwrap_or_default();
    let email = email.as_str();
    let (mut email_taken, mut counted) = (false, Rows::new());
    if UserName::parse(typed).is_some() {
        let current = rate_counters::current(Counter::Registrations, &from);
        let [taken, rows] = index.db.rows([users::taken(typed, &email.to_lowercase()), current]).await?;
        counted = rows;
        let taken = taken.first().ok_or_else(|| Fault::broken("no row for a name"))?;
        if taken.flag("name_taken") && UserName::given(typed).is_ok() {
            return invalid(TAKEN);
        }
        email_taken = taken.flag("email_taken");
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
    login::require_allowance(Some(&counted), here - 1, Some(everywhere - 1), now)?;
    login::turn(index).await?;
    let account = Account {
        name: name.as_str(),
        password: &login::hash(index, secret)?,
        email,
        email_key: &email.to_lowercase(),
        confirmed: !index.world.mails(),
        now,
        from: &from,
        most: (here, everywhere),
    };
    let mut batch = users::register(&account);
    batch.insert(0, rate_counters::increment(Counter::Registrations, &from, now));
    let link = (!account.confirmed).then(|| account::Link::new(index)).transpose()?;
    if let Some(link) = &link {
        // Before the last statement, which tells the outcome.
        let owner = Owner::Password(account.password);
        batch.insert(batch.len() - 1, link.statement(account.email_key, owner, now, most.mails.max(1)));
    }
    let answers = index.db.write_unguarded(batch).await?;
    login::require_allowance(answers.first(), here, Some(everywhere), now)?;
    if answers.last().is_none_or(Vec::is_empty) {
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
pub async fn update(index: &Index, request: &Request, name: &str) -> Answer<Reply> {
    let credentials = who::credentials(index, request)?;
    credentials.require_somebody()?;
    credentials.require_no_token()?;
    let change = Change::read(request, index.settings.password_length);
    let email_key = change.as_ref().ok().and_then(|change| change.email.as_ref()).map(|email| email.to_lowercase());
    let owner = emails::owner(email_key.as_deref().unwrap_or_default());
    let [principal, target, owner] = index.db.rows([credentials.statement(), users::by_name(name), owner]).await?;
    let principal = credentials.known(index, &principal).await?;
    let change = change?;
    let (user, right) = require_self(&principal, name, target.first().and_then(User::of))?;
    let email = change.email.as_deref();
    let adding = email.map(|email| Adding::new(index, &user, email, &owner)).transpose()?.flatten();
    if user.machine {
        return forbidden("A machine has neither a password nor an email");
    }
    let (mut batch, by) = (Vec::new(), principal.by(index, request));
    if let Some(secret) = &change.password {
        password::require_not_the_name(secret, name)?;
        login::hashing_turn(index, &request.address()).await?;
        let stored = login::hash(index, secret)?;
        batch.extend(users::set_password(&user, &stored, email_key.as_deref(), &by));
    }
    if let Some(adding) = &adding {
        batch.extend(adding.statements(index, &user, &by));
    }
    if batch.is_empty() {
        // The e-mail is theirs already.
        return Ok(Reply::empty(204).personal());
    }
    // Hashing waits for its turn, and meanwhile the password that was shown may be another's.
    let answers = index.write([right], batch).await?;
    if change.password.is_some() {
        notices::tell(index, &user, &by, Notice::Password);
    }
    if let Some(adding) = adding {
        adding.done(index, &user, &by, &answers)?;
    }
    Ok(Reply::empty(204).personal())
}

/// The user whose account is changed, and by what right: oneself, or anybody for an administrator.
fn require_self(principal: &who::Principal, name: &str, target: Option<User>) -> Answer<(User, Right)> {
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
