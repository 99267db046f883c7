//! Adding an address to an account: by the document's `PUT /v1/users/`, and by the management API.

use crate::{
    domain::names,
    index::Index,
    mail::{
        links,
        notices::{self, Notice},
    },
    refusal::{Answer, Refusal, forbidden, invalid},
    store::{Outcome, Step, Transaction, audit::AuditContext, emails, emails::Addition, links::Owner, users::User},
};

/// For an address that is somebody else's.
pub const TAKEN: &str = "email is already associated with an account";

/// An address that is about to be added to an account.
pub struct Adding<'a> {
    email: &'a str,
    key: String,
    link: Option<links::Link>,
}

impl<'a> Adding<'a> {
    /// One for this user; nothing where the address is theirs already and there is nothing to confirm. One that counts,
    /// although no mail was ever opened there, is sent a link: whoever adds it has the password.
    pub fn new(index: &Index, user: &User, email: &'a str, owner: Option<emails::Owner>) -> Answer<Option<Self>> {
        names::email(email)?;
        let mails = index.world.mails();
        if let Some(owner) = owner {
            if owner.user_id != user.id {
                return invalid(TAKEN);
            }
            if (if mails { owner.proved_at } else { owner.confirmed_at }).is_some() {
                return Ok(None);
            }
        }
        let link = mails.then(|| links::Link::new(index)).transpose()?;
        Ok(Some(Self { email, key: email.to_lowercase(), link }))
    }

    /// Adds the steps to a transaction.
    pub fn add_to(self, transaction: &mut Transaction, index: &Index, user: &User, by: &AuditContext) -> Added<'a> {
        let most = index.settings.most;
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
    pub fn done(self, index: &Index, user: &User, by: &AuditContext, outcome: &mut Outcome) -> Answer<()> {
        let most = index.settings.most.emails;
        let addition = outcome.take(self.addition)?;
        if !addition.is_theirs {
            if addition.held >= most {
                return forbidden(format!("An account has at most {most} addresses of mail"));
            }
            // Somebody was quicker.
            return invalid(TAKEN);
        }
        if let Some((link, kept)) = self.link {
            if !outcome.take(kept)? {
                return Err(Refusal::TooMany { retry_after: links::CONFIRM }.into());
            }
            link.send_to(index, self.email, &user.name);
        }
        notices::tell(index, user, by, Notice::EmailAdded(self.email));
        Ok(())
    }
}
