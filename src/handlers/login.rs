//! Passwords at work: checked with patience for the database and none for guessers.

use crate::{
    domain::{Secret, UserName, credential::Credential, password, registry_token::Means, throttle},
    handlers::who::{Asker, WRONG, unauthorized},
    index::{Index, Limit},
    refusal::{Answer, Fault, Refusal},
    store::{Row, Rows, audit, counts, failures, users, users::User},
    wire::Request,
};

/// Checks a password against a row of [`users::with_failures`]. Whoever does not exist costs the same
/// work and gets the same answer as a wrong password; so do those who are not active, until the
/// password is right.
pub async fn check(index: &Index, row: &Row, name: &UserName, secret: &Secret, address: &str) -> Answer<User> {
    let now = index.world.now();
    let (from_address, from_anywhere) = users::failures(row);
    let wait = throttle::wait(from_address, from_anywhere, now);
    if wait > 0 {
        return Err(Refusal::TooMany { retry_after: wait }.into());
    }
    let user = User::of(row);
    if !is_right(index, user.as_ref(), name, secret, address).await? {
        index.db.write_unguarded(failures::count(name.as_str(), user.as_ref(), address, now)).await?;
        return Err(unauthorized(WRONG));
    }
    let Some(user) = user else { return Err(Fault::broken("a password is right, and nobody's").into()) };
    if !user.active {
        return inactive(index, user.id, Means::Password, address);
    }
    if from_address.count > 0 || from_anywhere.count > 0 {
        index.later("forget failures", failures::reset(name.as_str(), address));
    }
    Ok(user)
}

/// Refuses somebody who is not active, whatever they showed.
pub fn inactive<T>(index: &Index, user: i64, means: Means, address: &str) -> Answer<T> {
    refused(index, user, means, "the account is not active", address);
    Err(Refusal::Inactive.into())
}

/// Writes down that somebody was refused who did not guess.
pub fn refused(index: &Index, user: i64, means: Means, reason: &str, address: &str) {
    index.later("note a refused login", audit::refused(user, means, reason, address, index.world.now()));
}

/// Writes down, after the answer, that somebody logged in: once an hour for each credential and address. Whoever
/// comes without credentials did not.
pub fn succeeded(index: &Index, request: &Request, asker: &Asker) {
    let means = match asker.credential {
        Credential::Nobody => return,
        Credential::Password { .. } => Means::Password,
        Credential::AccessToken { token, .. } => Means::AccessToken(token),
    };
    succeeded_with(index, request, asker, means);
}

/// The same for who came with this.
pub fn succeeded_with(index: &Index, request: &Request, asker: &Asker, means: Means) {
    let Some(user) = asker.user.as_ref().map(|user| user.id) else { return };
    let (address, now) = (request.address(), index.world.now());
    if !index.logins.begin(user, means, &address, now) {
        return;
    }
    let lender = index.clone();
    index.world.later(Box::pin(async move {
        let noted = lender.db.write_unguarded(vec![audit::logged_in(user, means, &address, now)]).await;
        if noted.is_err() {
            lender.logins.forget(user, means, &address);
        }
        lender.report("note a login", noted.map_err(Into::into));
    }));
}

/// Whether the password is right: remembered, or worth one Argon2.
async fn is_right(index: &Index, user: Option<&User>, name: &UserName, secret: &Secret, address: &str) -> Answer<bool> {
    let peppers = index.settings.peppers()?;
    let stored = user.and_then(|user| user.password.as_ref()).map(Secret::reveal);
    let known = |stored| index.verified.knows(name.as_str(), secret.reveal(), stored, index.world.now());
    if stored.is_some_and(known) {
        return Ok(true);
    }
    hashing_turn(index, address).await?;
    // Of many who come with one password at once, the first may have shown it meanwhile.
    if stored.is_some_and(known) {
        return Ok(true);
    }
    let Some(stored) = stored else {
        password::verify_nothing(secret.reveal(), peppers, index.settings.password_cost).map_err(Fault::broken)?;
        return Ok(false);
    };
    let right = password::verify(secret.reveal(), stored, peppers).map_err(Fault::unconfigured)?;
    if right {
        index.verified.remember(name.as_str(), secret.reveal(), stored, index.world.now());
        if password::is_outdated(stored, peppers, index.settings.password_cost) {
            hash_anew(index, user, secret, stored);
        }
    }
    Ok(right)
}

/// Waits until this request may compute an Argon2, within the limit of its address.
pub async fn hashing_turn(index: &Index, address: &str) -> Answer<()> {
    index.require_within(Limit::Logins, address).await?;
    turn(index).await
}

/// Refuses an address that has had so many (`here`) in this hour, or all together (`everywhere`); the rows
/// are those of [`counts`].
pub fn require_allowance(rows: Option<&Rows>, here: i64, everywhere: Option<i64>, now: i64) -> Answer<()> {
    match counts::wait(rows.map_or(&[], Vec::as_slice), here, everywhere.unwrap_or(i64::MAX), now) {
        0 => Ok(()),
        wait => Err(Refusal::TooMany { retry_after: wait }.into()),
    }
}

/// Waits until this request may compute an Argon2; [`Limit::Logins`] comes first.
pub async fn turn(index: &Index) -> Answer<()> {
    match index.verified.turn(index.world.millis()) {
        Some(0) => Ok(()),
        Some(wait) => {
            index.world.sleep(wait).await;
            Ok(())
        }
        None => Err(Refusal::TooMany { retry_after: 5 }.into()),
    }
}

/// After the answer: the same password under the pepper and the cost of today.
fn hash_anew(index: &Index, user: Option<&User>, secret: &Secret, stored: &str) {
    let Some(id) = user.map(|user| user.id) else { return };
    let (lender, secret, stored) = (index.clone(), secret.clone(), stored.to_owned());
    index.world.later(Box::pin(async move {
        let hashed = async {
            turn(&lender).await?;
            let new = hash(&lender, secret.reveal())?;
            lender.db.write_unguarded(vec![users::rehash(id, &stored, &new)]).await?;
            Answer::Ok(())
        };
        lender.report("hash a password anew", hashed.await);
    }));
}

/// A password as it is stored. Take a [`turn`] first.
pub fn hash(index: &Index, password: &str) -> Result<String, Fault> {
    password::hash(password, index.random(), index.settings.peppers()?, index.settings.password_cost)
        .map_err(Fault::broken)
}
