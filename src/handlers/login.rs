//! Passwords at work: checked with patience for the database and none for guessers.

use crate::{
    domain::{Secret, UserName, credential::CredentialId, logins, password, registry_token::AuthMethod, throttle},
    handlers::{
        notices::{self, Notice},
        who::{Principal, WRONG, unauthorized},
    },
    index::{Index, Limit},
    refusal::{Answer, Fault, Refusal},
    store::{Row, Rows, audit, clients, login_failures, login_failures::Guess, rate_counters, users, users::User},
    wire::Request,
};

/// Checks a password against a row of [`users::with_failures`]. Whoever does not exist costs the same
/// work and gets the same answer as a wrong password; so do those who are not active, until the
/// password is right.
///
/// What is not remembered is a guess, and is counted before it is looked at: so many at once are no more than
/// so many one after the other.
pub async fn check(index: &Index, row: &Row, name: &UserName, secret: &Secret, address: &str) -> Answer<User> {
    let (from_address, from_anywhere) = users::failures(row);
    let wait = throttle::wait(from_address, from_anywhere, index.world.now());
    if wait > 0 {
        return Err(Refusal::TooMany { retry_after: wait }.into());
    }
    let user = User::of(row);
    if is_known(index, user.as_ref(), name, secret) {
        if from_address.count > 0 {
            index.later("forget failures", login_failures::reset(name.as_str(), address));
        }
        return active(index, user, address);
    }
    hashing_turn(index, address).await?;
    // Of many who come with one password at once, the first may have shown it meanwhile.
    if is_known(index, user.as_ref(), name, secret) {
        return active(index, user, address);
    }
    let now = index.world.now();
    let guess = Guess { name: name.as_str(), address, at: now, anywhere: from_anywhere };
    let here = counted(index, guess).await?;
    match is_right(index, row, user.as_ref(), name, secret) {
        Ok(true) => {
            index.later_all("forget failures", login_failures::take_back(guess, here));
            active(index, user, address)
        }
        Ok(false) => {
            index.later_all("note a refused password", login_failures::refused(user.as_ref(), address, now));
            Err(unauthorized(WRONG))
        }
        Err(fault) => {
            index.later_all("take back a guess", login_failures::take_back(guess, 1));
            Err(fault.into())
        }
    }
}

/// Counts a guess, and gives how many of its name from its address there are now; refused where the name must
/// wait by now.
async fn counted(index: &Index, guess: Guess<'_>) -> Answer<i64> {
    let counting = login_failures::count(guess.name, guess.address, guess.at).into();
    let mut answers = index.db.write_unguarded(counting).await?.into_iter();
    let (counted, rows) = (answers.next().unwrap_or_default(), answers.next().unwrap_or_default());
    let Some(row) = counted.iter().find(|row| !row.text("address").is_empty()) else {
        let (from_address, from_anywhere) = login_failures::read(&rows);
        let wait = throttle::wait(from_address, from_anywhere, guess.at);
        return Err(Refusal::TooMany { retry_after: wait.max(1) }.into());
    };
    Ok(row.integer("count"))
}

/// Somebody whose password is right, if they may do anything.
fn active(index: &Index, user: Option<User>, address: &str) -> Answer<User> {
    let Some(user) = user else { return Err(Fault::broken("a password is right, and nobody's").into()) };
    if user.active { Ok(user) } else { inactive(index, user.id, AuthMethod::Password, address) }
}

/// Refuses somebody who is not active, whatever they showed.
pub fn inactive<T>(index: &Index, user: i64, method: AuthMethod, address: &str) -> Answer<T> {
    refused(index, user, method, "the account is not active", address);
    Err(Refusal::Inactive.into())
}

/// Writes down that somebody was refused who did not guess.
pub fn refused(index: &Index, user: i64, method: AuthMethod, reason: &str, address: &str) {
    index.later("note a refused login", audit::record_refused_login(user, method, reason, address, index.world.now()));
}

/// Writes down, after the answer, that somebody logged in: once an hour for each credential and address. Whoever
/// comes without credentials did not.
pub fn succeeded(index: &Index, request: &Request, principal: &Principal) {
    let method = match principal.credential {
        CredentialId::Anonymous => return,
        CredentialId::Password { .. } => AuthMethod::Password,
        CredentialId::AccessToken { token, .. } => AuthMethod::AccessToken(token),
    };
    succeeded_with(index, request, principal, method, "");
}

/// The same for who came with this, by a client of this name if it has one. Of a kind of client that was not seen
/// before they are told.
pub fn succeeded_with(index: &Index, request: &Request, principal: &Principal, method: AuthMethod, client: &str) {
    let Some(somebody) = principal.user.clone() else { return };
    let (user, by) = (somebody.id, principal.by(index, request));
    let (address, now) = (by.address.clone(), by.now);
    if !index.logins.begin(user, method, &address, now) {
        return;
    }
    let kind = logins::kind(if client.is_empty() { request.header("user-agent").unwrap_or_default() } else { client });
    let lender = index.clone();
    index.world.later(Box::pin(async move {
        let batch = vec![audit::record_login(user, method, &address, now), clients::seen(user, &kind, now)];
        let noted = lender.db.write_unguarded(batch).await;
        if noted.is_err() {
            lender.logins.forget(user, method, &address);
        }
        let seen = noted.as_ref().ok().and_then(|answers| answers.last()?.first());
        let is_another = seen.is_some_and(|row| row.integer("others") > 0);
        lender.report("note a login", noted.map_err(Into::into));
        if let (true, Some(telling)) = (is_another, notices::telling(&lender, &somebody, &by, Notice::Client(&kind))) {
            telling.await;
        }
    }));
}

/// Whether this isolate has verified the password lately.
fn is_known(index: &Index, user: Option<&User>, name: &UserName, secret: &Secret) -> bool {
    let stored = user.and_then(|user| user.password.as_ref());
    let known =
        |stored: &Secret| index.verified.knows(name.as_str(), secret.reveal(), stored.reveal(), index.world.now());
    stored.is_some_and(known)
}

/// Whether the password is right, by one Argon2: for who has none, one that costs what others cost.
fn is_right(index: &Index, row: &Row, user: Option<&User>, name: &UserName, secret: &Secret) -> Result<bool, Fault> {
    let (peppers, cost) = (index.settings.peppers()?, index.settings.password_cost);
    if is_known(index, user, name, secret) {
        return Ok(true);
    }
    let Some(stored) = user.and_then(|user| user.password.as_ref()).map(Secret::reveal) else {
        let example = row.maybe_text("example").and_then(password::cost_of);
        for form in forms(index, secret) {
            password::verify_nothing(form.reveal(), peppers, example.unwrap_or(cost)).map_err(Fault::broken)?;
        }
        return Ok(false);
    };
    let mut right = false;
    for form in forms(index, secret) {
        right = right || password::verify(form.reveal(), stored, peppers).map_err(Fault::unconfigured)?;
    }
    if right {
        index.verified.remember(name.as_str(), secret.reveal(), stored, index.world.now());
        if password::is_outdated(stored, peppers, cost) {
            hash_anew(index, user, secret, stored);
        }
    }
    Ok(right)
}

/// A password as it was typed, and as it would be on a machine that writes `é` as one letter where this one writes two,
/// or the other way round: both are within one turn, and a wrong one costs both whoever it is for.
fn forms(index: &Index, secret: &Secret) -> impl Iterator<Item = Secret> {
    let typed = secret.reveal();
    let forms: &[&str] = if typed.is_ascii() { &[] } else { &["NFC", "NFD"] };
    let other = forms.iter().map(|form| index.world.normalized(typed, form)).find(|other| other.as_str() != typed);
    [Some(secret.clone()), other.map(Secret::new)].into_iter().flatten()
}

/// Waits until this request may compute an Argon2, within the limit of its address.
pub async fn hashing_turn(index: &Index, address: &str) -> Answer<()> {
    index.require_within(Limit::Logins, address).await?;
    turn(index).await
}

/// Refuses an address that has had so many (`here`) in this hour, or all together (`everywhere`); the rows
/// are those of [`rate_counters`].
pub fn require_allowance(rows: Option<&Rows>, here: i64, everywhere: Option<i64>, now: i64) -> Answer<()> {
    match rate_counters::wait(rows.map_or(&[], Vec::as_slice), here, everywhere.unwrap_or(i64::MAX), now) {
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
