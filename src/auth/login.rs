//! The records of logins: who logged in, and who was refused that did not guess.

use crate::{
    auth::Principal,
    context::Context,
    domain::{UserId, credential::CredentialId, logins, registry_token::AuthMethod},
    error::{Refusal, Result},
    mail::notices::{self, Notice},
    store::{Transaction, audit, clients},
    wire::Request,
};

/// Refuses a user who is not active, whatever the credentials.
pub fn refuse_inactive<T>(ctx: &Context, user: UserId, method: AuthMethod, address: &str) -> Result<T> {
    record_refusal(ctx, user, method, "the account is not active", address);
    Err(Refusal::Inactive.into())
}

/// Records that an authenticated user was refused.
pub fn record_refusal(ctx: &Context, user: UserId, method: AuthMethod, reason: &str, address: &str) {
    ctx.after_response(
        "note a refused login",
        audit::record_refused_login(user, method, reason, address, ctx.platform.now()),
    );
}

/// Records a login after the response: once an hour for each credential and address. Anonymous requests are none.
pub fn record_success(ctx: &Context, request: &Request, principal: &Principal) {
    let method = match principal.credential {
        CredentialId::Anonymous => return,
        CredentialId::Password { .. } => AuthMethod::Password,
        CredentialId::AccessToken { token, .. } => AuthMethod::AccessToken(token),
    };
    record_success_with(ctx, request, principal, method, "");
}

/// The same for these credentials and the name of the client, if it sent one. A kind of client that is new to the user
/// is reported to them by mail.
pub fn record_success_with(ctx: &Context, request: &Request, principal: &Principal, method: AuthMethod, client: &str) {
    let Some(somebody) = principal.user.clone() else { return };
    let (user, by) = (somebody.id, principal.by(ctx, request));
    let (address, now) = (by.address.clone(), by.now);
    if !ctx.logins.begin(user, method, &address, now) {
        return;
    }
    let kind = logins::kind(if client.is_empty() { request.header("user-agent").unwrap_or_default() } else { client });
    ctx.run_after_response(|ctx| async move {
        let mut transaction = Transaction::from(vec![audit::record_login(user, method, &address, now)]);
        let seen = transaction.read(clients::record(user, &kind, now));
        let noted = ctx.db.commit_unguarded(transaction).await.and_then(|mut outcome| outcome.take(seen));
        if noted.is_err() {
            ctx.logins.forget(user, method, &address);
        }
        let is_another = noted == Ok(Some(true));
        ctx.report("note a login", noted.map_err(Into::into));
        if let (true, Some(telling)) = (is_another, notices::telling(&ctx, &somebody, &by, Notice::Client(&kind))) {
            telling.await;
        }
    });
}
