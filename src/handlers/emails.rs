//! Adding an address to an account: by the document's `PUT /v1/users/`, and by the management API.

use crate::{
    domain::names,
    handlers::{account, notices, notices::Notice},
    index::Index,
    refusal::{Answer, Refusal, forbidden, invalid},
    store::{Row, Rows, Statement, audit::AuditContext, emails, links::Owner, users::User},
};

/// For an address that is somebody else's.
pub const TAKEN: &str = "email is already associated with an account";

/// An address that is about to be added to an account.
pub struct Adding<'a> {
    email: &'a str,
    key: String,
    link: Option<account::Link>,
}

impl<'a> Adding<'a> {
    /// One for this user, by the rows of [`emails::owner`]; nothing where it is theirs already and there is
    /// nothing to confirm. One that counts, although no mail was ever opened there, is sent a link: whoever adds it
    /// has the password.
    pub fn new(index: &Index, user: &User, email: &'a str, owner: &[Row]) -> Answer<Option<Self>> {
        names::email(email)?;
        let mails = index.world.mails();
        if let Some(owner) = owner.first() {
            if owner.integer("user_id") != user.id {
                return invalid(TAKEN);
            }
            if owner.maybe_integer(if mails { "proved_at" } else { "confirmed_at" }).is_some() {
                return Ok(None);
            }
        }
        let link = mails.then(|| account::Link::new(index)).transpose()?;
        Ok(Some(Self { email, key: email.to_lowercase(), link }))
    }

    /// The statements, the last ones of their batch.
    pub fn statements(&self, index: &Index, user: &User, by: &AuditContext) -> Vec<Statement> {
        let most = index.settings.most;
        let mut batch = emails::add(user, self.email, &self.key, self.link.is_none(), most.emails, by);
        if let Some(link) = &self.link {
            // Before the last, which tells the outcome.
            batch.insert(batch.len() - 1, link.statement(&self.key, Owner::Id(user.id), by.now, most.mails));
        }
        batch
    }

    /// Refuses what the answers of that batch refuse; else sends what there is to send.
    pub fn done(self, index: &Index, user: &User, by: &AuditContext, answers: &[Rows]) -> Answer<()> {
        let most = index.settings.most.emails;
        let mut answers = answers.iter().rev();
        match answers.next().and_then(|rows| rows.first()) {
            Some(row) if row.maybe_integer("email_id").is_some() => {}
            Some(row) if row.integer("held") >= most => {
                return forbidden(format!("An account has at most {most} addresses of mail"));
            }
            // Somebody was quicker.
            _ => return invalid(TAKEN),
        }
        if let Some(link) = self.link {
            if answers.next().is_none_or(Vec::is_empty) {
                return Err(Refusal::TooMany { retry_after: account::CONFIRM }.into());
            }
            link.send_to(index, self.email, &user.name);
        }
        notices::tell(index, user, by, Notice::EmailAdded(self.email));
        Ok(())
    }
}
