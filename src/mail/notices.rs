//! Notices to a user of what happened to their account, so that a thief is not the only one to know: to every address
//! where a mailed link was opened before, after the response, and a limited number of each kind per hour. They have no
//! secret, no link with an effect, and no text of another user.

use futures_util::future::LocalBoxFuture;

use crate::{
    context::Context,
    domain::time,
    error::Result,
    platform::Message,
    store::{
        Transaction,
        audit::AuditContext,
        emails,
        rate_counters::{self, Counter},
        users::User,
    },
};

/// Notices of one kind that a user gets in an hour at most.
const MAX_PER_HOUR: i64 = 5;

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Notice<'a> {
    /// This address was added. It gets no notice itself: it may be the thief's.
    EmailAdded(&'a str),
    /// An address was removed. It gets a notice too, if it was proved.
    EmailRemoved {
        /// As it was given.
        address: &'a str,
        /// Whether a mail was opened there.
        proved: bool,
    },
    /// The password was changed, or set by a link.
    Password,
    /// An access token was made, for this service account or for the user.
    AccessToken(Option<&'a str>),
    /// A login by a kind of client that is new to the user; without a name if the client sent none.
    Client(&'a str),
    /// The user gave another user a role.
    Role {
        /// Who has it now.
        who: &'a str,
        /// Which.
        role: &'a str,
        /// In which namespace or repository.
        place: &'a str,
    },
}

impl Notice<'_> {
    /// Under which it is counted.
    fn kind(self) -> &'static str {
        match self {
            Self::EmailAdded(_) => "email-added",
            Self::EmailRemoved { .. } => "email-removed",
            Self::Password => "password",
            Self::AccessToken(_) => "access-token",
            Self::Client(_) => "client",
            Self::Role { .. } => "role",
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Self::EmailAdded(_) => "An e-mail address was added to your account",
            Self::EmailRemoved { .. } => "An e-mail address was removed from your account",
            Self::Password => "The password of your account was changed",
            Self::AccessToken(_) => "An access token was made with your account",
            Self::Client(_) => "A login to your account from a new kind of client",
            Self::Role { .. } => "Your account gave somebody a role",
        }
    }

    fn text(self, name: &str) -> String {
        match self {
            Self::EmailAdded(address) => format!("The address {} was added to the account {name}.", plain(address)),
            Self::EmailRemoved { address, .. } => {
                format!("The address {} was removed from the account {name}.", plain(address))
            }
            Self::Password => format!("The password of the account {name} was changed."),
            Self::AccessToken(None) => format!("An access token was made for the account {name}."),
            Self::AccessToken(Some(machine)) => {
                format!("The account {name} made an access token for the service account {}.", plain(machine))
            }
            Self::Client("") => {
                format!("Somebody logged in to the account {name} with a client that does not say what it is.")
            }
            Self::Client(kind) => {
                format!("Somebody logged in to the account {name} with {}, for the first time.", plain(kind))
            }
            Self::Role { who, role, place } => {
                format!("The account {name} gave {} the role {} in {}.", plain(who), plain(role), plain(place))
            }
        }
    }
}

/// Sends a notice to a user after the response, if mail can be sent.
pub fn tell(ctx: &Context, user: &User, by: &AuditContext, notice: Notice<'_>) {
    if let Some(telling) = telling(ctx, user, by, notice) {
        ctx.platform.wait_until(telling);
    }
}

/// The same in work that already follows the response.
pub fn telling(
    ctx: &Context,
    user: &User,
    by: &AuditContext,
    notice: Notice<'_>,
) -> Option<LocalBoxFuture<'static, ()>> {
    if !ctx.platform.can_send_mail() || user.machine {
        return None;
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
        time::format_seconds(by.now),
        plain(&by.address),
        ctx.config.public_url.as_deref().unwrap_or_default(),
    );
    let (ctx, id, now) = (ctx.clone(), user.id, by.now);
    let (kind, subject) = (notice.kind(), notice.subject());
    Some(Box::pin(async move {
        let told = async {
            let count = rate_counters::increment(Counter::Notices, &format!("{id} {kind}"), now);
            let mut transaction = Transaction::new();
            let (count, proved) = (transaction.read(count), transaction.read(emails::proved(id)));
            let mut outcome = ctx.db.commit_unguarded(transaction).await?;
            let counted = outcome.take(count)?;
            if counted.iter().any(|counted| !counted.address.is_empty() && counted.count > MAX_PER_HOUR) {
                return Ok(());
            }
            for to in outcome.take(proved)?.into_iter().chain(also).filter(|to| not.as_ref() != Some(to)) {
                let message = Message { to, subject: subject.to_owned(), text: text.clone() };
                ctx.platform.send_mail(&message).await?;
            }
            Result::Ok(())
        };
        ctx.report("tell of what happened to an account", told.await);
    }))
}

/// A text that another user chose, without what could pass for a text of hublet's.
fn plain(text: &str) -> String {
    let harmless = |c: char| if c.is_ascii_graphic() || c.is_alphanumeric() { c } else { '?' };
    text.chars().take(260).map(harmless).collect()
}
