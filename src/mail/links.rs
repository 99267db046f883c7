//! Mailed links: their texts, and how they are stored.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    context::Context,
    domain::secret::sha256_hex,
    error::Fault,
    platform::Message,
    store::{Query, links},
};

/// Seconds that a link to confirm an e-mail is valid.
pub const CONFIRM: i64 = 24 * 60 * 60;

/// The problem in the log if a link has no origin.
pub const NO_PUBLIC_URL: &str = "MAIL needs PUBLIC_URL, of which links are made";

/// A link that is about to be sent.
pub struct Link {
    secret: String,
    public_url: String,
}

impl Link {
    /// A new link.
    pub fn new(ctx: &Context) -> Result<Self, Fault> {
        let public_url = ctx.config.public_url.clone();
        let public_url = public_url.ok_or_else(|| Fault::unconfigured(NO_PUBLIC_URL))?;
        Ok(Self::at(ctx, public_url))
    }

    /// A new link that is not mailed, below this origin.
    #[must_use]
    pub fn at(ctx: &Context, origin: String) -> Self {
        Self { secret: URL_SAFE_NO_PAD.encode(ctx.random::<24>()), public_url: origin }
    }

    /// The address on which it sets a password.
    #[must_use]
    pub fn password_address(&self) -> String {
        format!("{}/account/password#{}", self.public_url, self.secret)
    }

    /// Stores the link, in the transaction that adds the e-mail; the link is to be sent if that returns so.
    #[must_use]
    pub fn query(&self, email_key: &str, owner: links::Owner<'_>, now: i64, most: i64) -> Query<bool> {
        links::insert_confirmation(&self.hash(), email_key, owner, now + CONFIRM, now, most)
    }

    /// As it is stored: SHA-256 of its secret.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(&self.secret)
    }

    /// Sends it, after the answer.
    pub fn send_to(self, ctx: &Context, to: &str, name: &str) {
        let text = format!(
            "Somebody, most likely you, gave this address for the account {name}.\n\n\
             To confirm it within 24 hours of that, open this link and press the button:\n\n\
             {}/account/confirm#{}\n\n\
             If it was not you, do nothing: an address that is new is forgotten after a day.\n",
            self.public_url, self.secret
        );
        send(ctx, Message { to: to.to_owned(), subject: "Confirm your e-mail address".into(), text });
    }

    /// Sends it as one that sets a password, after the answer.
    pub fn send_password_to(self, ctx: &Context, to: &str, name: &str) {
        let text = format!(
            "Somebody, most likely you, asked for a new password for the account {name}.\n\n\
             To set it, open this link within one hour:\n\n{}\n\n\
             If it was not you, do nothing: your password stays as it is.\n",
            self.password_address()
        );
        send(ctx, Message { to: to.to_owned(), subject: "Set a new password".into(), text });
    }
}

fn send(ctx: &Context, message: Message) {
    ctx.run_after_response(|ctx| async move {
        let sent = ctx.platform.send_mail(&message).await;
        ctx.report("send a mail", sent.map_err(Into::into));
    });
}
