//! Adding an address to an account: by the document's `PUT /v1/users/` too.

use crate::{
    context::Context,
    domain::names,
    error::{Refusal, Result, forbidden, invalid},
    mail::{
        links,
        notices::{self, Notice},
    },
    store::{Outcome, Step, Transaction, audit::AuditContext, emails, emails::Addition, links::Owner, users::User},
};

/// The message for an address of another user.
pub const EMAIL_TAKEN: &str = "email is already associated with an account";

/// An address that is about to be added to an account.
pub struct Adding<'a> {
    email: &'a str,
    key: String,
    link: Option<links::Link>,
}

impl<'a> Adding<'a> {
    /// Adds an address for this user; `None` if the address is theirs already and needs no confirmation. An address
    /// that counts, although no mailed link was ever opened there, gets a link: the request has the password.
    pub fn new(ctx: &Context, user: &User, email: &'a str, owner: Option<emails::Owner>) -> Result<Option<Self>> {
        names::email(email)?;
        let mails = ctx.platform.can_send_mail();
        if let Some(owner) = owner {
            if owner.user_id != user.id {
                return invalid(EMAIL_TAKEN);
            }
            if (if mails { owner.proved_at } else { owner.confirmed_at }).is_some() {
                return Ok(None);
            }
        }
        let link = mails.then(|| links::Link::new(ctx)).transpose()?;
        Ok(Some(Self { email, key: email.to_lowercase(), link }))
    }

    /// Adds the steps to a transaction.
    pub fn add_to(self, transaction: &mut Transaction, ctx: &Context, user: &User, by: &AuditContext) -> Added<'a> {
        let most = ctx.config.quotas;
        let confirmed = self.link.is_none();
        let addition = emails::add(transaction, user, (self.email, &self.key), confirmed, most.emails, by);
        let link = self.link.map(|link| {
            let kept = transaction.read(link.query(&self.key, Owner::Id(user.id), by.now, most.mails));
            (link, kept)
        });
        Added { email: self.email, addition, link }
    }
}

/// An address whose steps are in a transaction.
pub struct Added<'a> {
    email: &'a str,
    addition: Step<Addition>,
    link: Option<(links::Link, Step<bool>)>,
}

impl Added<'_> {
    /// Refuses what the outcome of the transaction refuses; else sends what there is to send.
    pub fn done(self, ctx: &Context, user: &User, by: &AuditContext, outcome: &mut Outcome) -> Result<()> {
        let most = ctx.config.quotas.emails;
        let addition = outcome.take(self.addition)?;
        if !addition.is_theirs {
            if addition.held >= most {
                return forbidden(format!("An account has at most {most} addresses of mail"));
            }
            // Another request was quicker.
            return invalid(EMAIL_TAKEN);
        }
        if let Some((link, kept)) = self.link {
            if !outcome.take(kept)? {
                return Err(Refusal::TooMany { retry_after: links::CONFIRM }.into());
            }
            link.send_to(ctx, self.email, &user.name);
        }
        notices::tell(ctx, user, by, Notice::EmailAdded(self.email));
        Ok(())
    }
}
