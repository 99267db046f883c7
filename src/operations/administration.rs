//! What administrators of the whole index do to users, and what they write on every page.

use crate::{
    auth::{Credentials, Principal, registry_token},
    context::Context,
    domain::{
        access,
        ends::DAY,
        texts::{self, Form},
    },
    error::{Result, forbidden, invalid, not_found},
    jobs::search_index,
    mail::links::Link,
    store::{
        Step, Transaction, administration,
        audit::AuditContext,
        leaving, links,
        users::{self, User},
    },
    wire::Request,
};

/// For a user who is not there.
pub const NO_USER: &str = "user not found";

/// The longest notice, in characters.
pub const MAX_NOTICE_LENGTH: usize = 500;

/// Days before an incident since when what came to an account is taken away, if nothing else is asked for.
pub const INCIDENT_DAYS: i64 = 7;

/// What is to be done to a user.
pub enum UserChange {
    /// Everything of an account works again.
    Enable,
    /// Everything of an account ends, until it is enabled.
    Disable,
    /// Sessions and access tokens end; the password stays.
    EndSessions,
    /// The password ends, too, and addresses that came in these days are removed.
    Incident {
        /// Days before now.
        days: i64,
    },
    /// Makes them an administrator of the whole index, or takes that away.
    Administrate(bool),
    /// Removes the account.
    Remove {
        /// Its name, typed so that no other one is meant.
        name: String,
        /// Whether its repositories are removed too; else it has none.
        repositories: bool,
    },
}

/// What came of an incident.
pub struct Incident {
    /// The address on which the user chooses a password; a service account has none.
    pub link: Option<String>,
    /// The addresses that were removed.
    pub addresses: Vec<String>,
}

/// Changes another user. An administrator keeps their own account and right, so that there always is one.
pub async fn change_user(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &str,
    wanted: Result<UserChange>,
) -> Result<(Principal, Option<Incident>)> {
    let user = users::by_name(name);
    let (principal, rows) = credentials.administrator(ctx, user.statement()).await?;
    let right = principal.require_administrator()?;
    let wanted = wanted?;
    let Some(user) = user.decode(rows)? else { return not_found(NO_USER) };
    if user.name == principal.name() {
        return forbidden("This is your own account: another administrator changes it");
    }
    let link = || Ok(Link::at(ctx, registry_token::origin(ctx, request)?));
    let mut transaction = Transaction::new();
    let read = write(&mut transaction, &user, wanted, link, &principal.by(ctx, request))?;
    let mut outcome = ctx.commit([right], transaction).await?;
    let incident = match read {
        Written::All => None,
        Written::Incident(link, addresses) => {
            let link = (!user.machine).then(|| link.password_address());
            Some(Incident { link, addresses: outcome.take(addresses)? })
        }
        Written::Removal(left) => {
            if outcome.take(left)? {
                return forbidden("It has repositories: move them first, or remove them too");
            }
            search_index::sync_after_response(ctx);
            None
        }
    };
    Ok((principal, incident))
}

/// What is read of what was written.
enum Written {
    All,
    /// The link of the user, and the addresses that were removed.
    Incident(Link, Step<Vec<String>>),
    /// Whether the account is still there.
    Removal(Step<bool>),
}

fn write(
    transaction: &mut Transaction,
    user: &User,
    wanted: UserChange,
    link: impl FnOnce() -> Result<Link>,
    by: &AuditContext,
) -> Result<Written> {
    transaction.run(match wanted {
        UserChange::Enable => administration::set_status(user, "active", by),
        UserChange::Disable => administration::set_status(user, "disabled", by),
        UserChange::EndSessions => administration::end_sessions(user, false, by),
        UserChange::Administrate(administrator) => {
            if let Some(why) = access::cannot_administrate(user.machine, user.active).filter(|_| administrator) {
                return invalid(format!("{} {why}", user.name));
            }
            administration::set_administrator(user, administrator, by)
        }
        UserChange::Incident { days } => {
            let (link, since) = (link()?, by.now - days * DAY);
            transaction.run(administration::end_sessions(user, true, by));
            transaction.run(administration::record_addresses(user.id, since, by));
            transaction.run(links::insert_password_link(&user.name, &link.hash(), by));
            let addresses = transaction.read(administration::remove_addresses(user.id, since));
            return Ok(Written::Incident(link, addresses));
        }
        UserChange::Remove { name, repositories } => {
            if name != user.name {
                return invalid("The name is another one");
            }
            return Ok(Written::Removal(leaving::leave(transaction, &user.name, repositories, by)));
        }
    });
    Ok(Written::All)
}

/// Puts a text on every page, in the place of an earlier one; an empty text takes that away.
pub async fn set_notice(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    wanted: Result<&str>,
) -> Result<()> {
    let principal = credentials.authenticate(ctx).await?;
    let right = principal.require_administrator()?;
    let text = wanted?;
    if text.chars().count() > MAX_NOTICE_LENGTH {
        return invalid(format!("The notice has at most {MAX_NOTICE_LENGTH} characters"));
    }
    texts::acceptable("The notice", text, Form::Line)?;
    let notice = administration::set_notice(text, &principal.by(ctx, request));
    ctx.commit([right], notice.into()).await?;
    Ok(())
}
