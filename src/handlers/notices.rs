//! Mails that tell somebody what happened to their account, so that a thief is not alone with it: to every address
//! where a mail was opened before, after the answer, and no more than so many of a kind in an hour. They hold no
//! secret, no link that does anything, and nothing that a stranger wrote.

use crate::{
    domain::time,
    index::{Index, Message},
    refusal::Answer,
    store::{
        audit::By,
        counts::{self, Counted},
        emails,
        users::User,
    },
};

/// The most mails of one kind that somebody is sent in an hour.
const MOST: i64 = 5;

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Notice<'a> {
    /// This address was added, which is not told itself: it may be the thief's.
    EmailAdded(&'a str),
    /// An address was removed; it is told too, where it was proved.
    EmailRemoved {
        /// As it was given.
        address: &'a str,
        /// Whether a mail was opened there.
        proved: bool,
    },
    /// The password was changed by `PUT /v1/users/(username)/`.
    Password,
}

impl Notice<'_> {
    /// Under which it is counted.
    fn kind(self) -> &'static str {
        match self {
            Self::EmailAdded(_) => "email-added",
            Self::EmailRemoved { .. } => "email-removed",
            Self::Password => "password",
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Self::EmailAdded(_) => "An e-mail address was added to your account",
            Self::EmailRemoved { .. } => "An e-mail address was removed from your account",
            Self::Password => "The password of your account was changed",
        }
    }

    fn text(self, name: &str) -> String {
        match self {
            Self::EmailAdded(address) => format!("The address {} was added to the account {name}.", plain(address)),
            Self::EmailRemoved { address, .. } => {
                format!("The address {} was removed from the account {name}.", plain(address))
            }
            Self::Password => format!("The password of the account {name} was changed."),
        }
    }
}

/// Tells the user of an account what happened to it, where mail can be sent.
pub fn tell(index: &Index, user: &User, by: &By, notice: Notice<'_>) {
    if !index.world.mails() || user.machine {
        return;
    }
    let (not, also) = match notice {
        Notice::EmailAdded(address) => (Some(address.to_owned()), None),
        Notice::EmailRemoved { address, proved: true } => (None, Some(address.to_owned())),
        _ => (None, None),
    };
    let text = format!(
        "{}\n\nWhen: {}\nFrom: {}\n\n\
         If it was you, there is nothing to do. If it was not, somebody has your password: set a new one at \
         {}/account/forgotten, and tell the operator of this index, who can end what was made with it.\n",
        notice.text(&user.name),
        time::print(by.now),
        plain(&by.address),
        index.settings.public_url.as_deref().unwrap_or_default(),
    );
    let (lender, id, now) = (index.clone(), user.id, by.now);
    let (kind, subject) = (notice.kind(), notice.subject());
    index.world.later(Box::pin(async move {
        let told = async {
            let count = counts::one_more(Counted::Notices, &format!("{id} {kind}"), now);
            let mut answers = lender.db.write_unguarded(vec![count, emails::proved(id)]).await?.into_iter();
            let (counted, known) = (answers.next().unwrap_or_default(), answers.next().unwrap_or_default());
            let mine = counted.iter().find(|row| !row.text("address").is_empty());
            if mine.is_some_and(|row| row.integer("count") > MOST) {
                return Ok(());
            }
            let known = known.iter().map(|row| row.text("address").to_owned());
            for to in known.chain(also).filter(|to| not.as_ref() != Some(to)) {
                let message = Message { to, subject: subject.to_owned(), text: text.clone() };
                lender.world.mail(&message).await?;
            }
            Answer::Ok(())
        };
        lender.report("tell of what happened to an account", told.await);
    }));
}

/// A text that somebody else chose, as far as it cannot be taken for more than it is.
fn plain(text: &str) -> String {
    let harmless = |c: char| if c.is_ascii_graphic() || c.is_alphanumeric() { c } else { '?' };
    text.chars().take(260).map(harmless).collect()
}
