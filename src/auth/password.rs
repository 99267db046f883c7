//! Passwords at work: checked with patience for the database and none for guessers.

use crate::{
    auth::{self, INVALID_CREDENTIALS, unauthorized},
    context::Context,
    domain::{Secret, UserName, password, registry_token::AuthMethod, throttle},
    error::{Fault, Refusal, Result},
    platform::RateLimit,
    store::{
        Transaction, login_failures,
        login_failures::Guess,
        rate_counters::{self, RateCount},
        users::{self, Attempt, User},
    },
};

/// Milliseconds after which it is looked again whether another request has verified the same password: an Argon2 takes
/// about as many. No request can be woken by another one.
const POLL_MS: u64 = 50;

/// Verifies the password of an attempt. An unknown user costs the same work and gets the same response as a wrong
/// password, and so does a user who is not active, until the password is right.
///
/// A password that is not cached is a guess, and is counted before it is verified: concurrent guesses are no more than
/// successive ones.
pub async fn verify_password(
    ctx: &Context,
    attempt: &Attempt,
    name: &UserName,
    secret: &Secret,
    address: &str,
) -> Result<User> {
    let wait = throttle::retry_after(attempt.from_address, attempt.from_anywhere, ctx.platform.now());
    if wait > 0 {
        return Err(Refusal::TooMany { retry_after: wait }.into());
    }
    let user = attempt.user.as_ref();
    if is_cached(ctx, user, name, secret) {
        if attempt.from_address.count > 0 {
            ctx.after_response("forget failures", login_failures::reset(name.as_str(), address));
        }
        return active(ctx, user, address);
    }
    // Of many requests with one password at once, one verifies it, and the others wait for that.
    let stored = stored_hash(attempt).unwrap_or_default();
    let mut waited = 0;
    while !ctx.password_cache.begin(name.as_str(), secret.reveal(), stored, ctx.platform.now_ms()) {
        if waited >= password::MAX_WAIT_MS {
            return Err(Refusal::TooMany { retry_after: 5 }.into());
        }
        ctx.platform.sleep(POLL_MS).await;
        waited += POLL_MS;
        if is_cached(ctx, user, name, secret) {
            return active(ctx, user, address);
        }
    }
    let verified = verify_guess(ctx, attempt, name, secret, address).await;
    ctx.password_cache.end(name.as_str(), secret.reveal(), stored);
    verified
}

/// Verifies a password that is not cached.
async fn verify_guess(
    ctx: &Context,
    attempt: &Attempt,
    name: &UserName,
    secret: &Secret,
    address: &str,
) -> Result<User> {
    let user = attempt.user.as_ref();
    ctx.require_rate_limit(RateLimit::Logins, address).await?;
    acquire_slot(ctx, stored_hash(attempt).map_or(0, password::extra_interval_ms)).await?;
    let now = ctx.platform.now();
    let guess = Guess { name: name.as_str(), address, at: now, anywhere: attempt.from_anywhere };
    let here = count_attempt(ctx, guess).await?;
    match matches(ctx, attempt, name, secret) {
        Ok(true) => {
            ctx.after_response_all("forget failures", login_failures::take_back(guess, here));
            active(ctx, user, address)
        }
        Ok(false) => {
            ctx.after_response_all("note a refused password", login_failures::refused(user, address, now));
            Err(unauthorized(INVALID_CREDENTIALS))
        }
        Err(fault) => {
            ctx.after_response_all("take back a guess", login_failures::take_back(guess, 1));
            Err(fault.into())
        }
    }
}

/// The hash that a password is compared with: that of the user, or what costs the same for who has none.
fn stored_hash(attempt: &Attempt) -> Option<&str> {
    let stored = attempt.user.as_ref().and_then(|user| user.password.as_ref());
    stored.map(Secret::reveal).or(attempt.example.as_deref())
}

/// Verifies the password of a user who is authenticated already and types it again; a wrong one is this refusal.
pub async fn verify_password_again(
    ctx: &Context,
    user: &User,
    attempt: Option<Attempt>,
    secret: &Secret,
    address: &str,
    wrong: impl Fn() -> Refusal,
) -> Result<()> {
    if secret.reveal().len() > password::MAX_PASSWORD_BYTES {
        return Err(wrong().into());
    }
    let attempt = attempt.ok_or_else(|| Fault::bug("no row for a user"))?;
    let name = UserName::parse(&user.name).ok_or_else(|| Fault::bug("a user has a name that is none"))?;
    let verified = verify_password(ctx, &attempt, &name, secret, address).await;
    verified.map(|_| ()).map_err(|error| error.map_unauthorized(|_| wrong()))
}

/// Counts a guess, and gives how many of its name from its address there are now; refused where the name must
/// wait by now.
async fn count_attempt(ctx: &Context, guess: Guess<'_>) -> Result<i64> {
    let [counting, current] = login_failures::count(guess.name, guess.address, guess.at);
    let mut transaction = Transaction::new();
    let (counting, current) = (transaction.read(counting), transaction.read(current));
    let mut outcome = ctx.db.commit_unguarded(transaction).await?;
    let counted = outcome.take(counting)?;
    if let Some(here) = counted.iter().find(|counted| !counted.address.is_empty()) {
        return Ok(here.count);
    }
    let (from_address, from_anywhere) = login_failures::read(&outcome.take(current)?);
    let wait = throttle::retry_after(from_address, from_anywhere, guess.at);
    Err(Refusal::TooMany { retry_after: wait.max(1) }.into())
}

/// The user of a right password, if they are active.
fn active(ctx: &Context, user: Option<&User>, address: &str) -> Result<User> {
    let Some(user) = user.cloned() else { return Err(Fault::bug("a password is right, and nobody's").into()) };
    if user.active { Ok(user) } else { auth::login::refuse_inactive(ctx, user.id, AuthMethod::Password, address) }
}

/// Whether this isolate has verified the password lately.
fn is_cached(ctx: &Context, user: Option<&User>, name: &UserName, secret: &Secret) -> bool {
    let stored = user.and_then(|user| user.password.as_ref());
    let known = |stored: &Secret| {
        ctx.password_cache.contains(name.as_str(), secret.reveal(), stored.reveal(), ctx.platform.now())
    };
    stored.is_some_and(known)
}

/// Whether the password is right, by one Argon2: for who has none, by what costs the same as another user's.
fn matches(ctx: &Context, attempt: &Attempt, name: &UserName, secret: &Secret) -> Result<bool, Fault> {
    let user = attempt.user.as_ref();
    let (peppers, cost) = (ctx.config.peppers()?, ctx.config.password_cost);
    if is_cached(ctx, user, name, secret) {
        return Ok(true);
    }
    let Some(stored) = user.and_then(|user| user.password.as_ref()).map(Secret::reveal) else {
        for form in forms(ctx, secret) {
            let example = attempt.example.as_deref();
            password::verify_dummy(form.reveal(), example, peppers, cost).map_err(Fault::bug)?;
        }
        return Ok(false);
    };
    let mut right = false;
    for form in forms(ctx, secret) {
        right = right || password::verify(form.reveal(), stored, peppers).map_err(Fault::unconfigured)?;
    }
    if right {
        ctx.password_cache.insert(name.as_str(), secret.reveal(), stored, ctx.platform.now());
        if password::is_outdated(stored, peppers, cost) {
            rehash(ctx, user, secret, stored);
        }
    }
    Ok(right)
}

/// The password as it was typed, and in the other Unicode normal form: one machine writes `é` as one letter, another as
/// two. Both are hashed in one slot, and a wrong password costs both for every user.
fn forms(ctx: &Context, secret: &Secret) -> impl Iterator<Item = Secret> {
    let typed = secret.reveal();
    let forms: &[&str] = if typed.is_ascii() { &[] } else { &["NFC", "NFD"] };
    let other = forms.iter().map(|form| ctx.platform.normalized(typed, form)).find(|other| other.as_str() != typed);
    [Some(secret.clone()), other.map(Secret::new)].into_iter().flatten()
}

/// Waits until this request may compute an Argon2, within the limit of its address.
pub async fn acquire_hash_slot_for(ctx: &Context, address: &str) -> Result<()> {
    ctx.require_rate_limit(RateLimit::Logins, address).await?;
    acquire_hash_slot(ctx).await
}

/// Refuses an address that has reached its quota of this hour (`here`), or all addresses together theirs
/// (`everywhere`).
pub fn require_quota(counted: &[RateCount], here: i64, everywhere: Option<i64>, now: i64) -> Result<()> {
    match rate_counters::retry_after(counted, here, everywhere.unwrap_or(i64::MAX), now) {
        0 => Ok(()),
        wait => Err(Refusal::TooMany { retry_after: wait }.into()),
    }
}

/// Waits until this request may compute an Argon2; [`RateLimit::Logins`] comes first.
pub async fn acquire_hash_slot(ctx: &Context) -> Result<()> {
    acquire_slot(ctx, 0).await
}

async fn acquire_slot(ctx: &Context, extra_ms: u64) -> Result<()> {
    match ctx.hash_pacer.reserve(ctx.platform.now_ms(), extra_ms) {
        Some(0) => Ok(()),
        Some(wait) => {
            ctx.platform.sleep(wait).await;
            Ok(())
        }
        None => Err(Refusal::TooMany { retry_after: 5 }.into()),
    }
}

/// After the answer: the same password under the pepper and the cost of today.
fn rehash(ctx: &Context, user: Option<&User>, secret: &Secret, stored: &str) {
    let Some(id) = user.map(|user| user.id) else { return };
    let (secret, stored) = (secret.clone(), stored.to_owned());
    ctx.run_after_response(|ctx| async move {
        let hashed = async {
            acquire_hash_slot(&ctx).await?;
            let new = hash(&ctx, secret.reveal())?;
            ctx.db.commit_unguarded(vec![users::rehash(id, &stored, &new)].into()).await?;
            Result::Ok(())
        };
        ctx.report("hash a password anew", hashed.await);
    });
}

/// A password as it is stored. Take a [`turn`] first.
pub fn hash(ctx: &Context, password: &str) -> Result<String, Fault> {
    password::hash(password, ctx.random(), ctx.config.peppers()?, ctx.config.password_cost).map_err(Fault::bug)
}
