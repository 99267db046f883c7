//! The first beat: who asks.
//!
//! What the header alone refuses is refused before any storage. The rest is one statement that a
//! handler puts into the batch it makes anyway, and a decision over its row.

use crate::{
    domain::{
        Access, RepositoryName, Role, Secret, UserName, password,
        repository_token::{Claim, Credential},
        throttle,
    },
    index::Index,
    refusal::{Answer, Challenge, Fault, Refusal, forbidden},
    store::{
        Row, Statement, failures,
        repositories::{Place, Whose},
        users,
        users::User,
    },
    wire::{Authorization, Request},
};

/// Words of a 401 for anything that could be a guess: they must not tell how close it was.
pub const WRONG: &str = "Wrong username or password";

/// What somebody presents, as far as it can be judged without storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// Nothing.
    Nobody,
    /// A password, which the row must confirm.
    Password {
        /// The user.
        name: UserName,
        /// The password.
        secret: Secret,
        /// Where it comes from.
        address: String,
    },
    /// A genuine repository token, whose right must still exist.
    Token(Claim),
}

/// Somebody who is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Nothing for nobody.
    pub user: Option<User>,
    /// What a token that is given to them stands for.
    pub credential: Credential,
}

impl Asker {
    /// The most that they may do in a place.
    #[must_use]
    pub fn role_at(&self, place: &Place) -> Option<Role> {
        place.standing(self.is_administrator()).role()
    }

    /// Whether they administrate the whole index with these credentials.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.administrator)
    }

    /// The user, or a 401.
    pub fn require_user(&self) -> Answer<&User> {
        self.user.as_ref().ok_or_else(|| unauthorized("Login required"))
    }
}

/// 401 with the challenge of the index.
#[must_use]
pub fn unauthorized<E: From<Refusal>>(reason: &'static str) -> E {
    Refusal::Unauthorized(Challenge::Index, reason.into()).into()
}

/// Reads what is presented, without storage. Credentials travel over https only, except to this
/// machine itself.
pub fn presented(index: &Index, request: &Request) -> Answer<Presented> {
    let header = request.header("authorization");
    let authorization = Authorization::read(header).ok_or_else(|| unauthorized::<Refusal>("Malformed credentials"))?;
    if authorization == Authorization::Nobody {
        return Ok(Presented::Nobody);
    }
    require_https(request)?;
    match authorization {
        Authorization::Nobody => Ok(Presented::Nobody),
        Authorization::Basic { name, secret } => {
            let name = UserName::parse(&name).ok_or_else(|| unauthorized::<Refusal>(WRONG))?;
            Ok(Presented::Password { name, secret, address: request.address() })
        }
        Authorization::Token(token) => {
            let claim = Claim::verify(token.reveal(), index.settings.keys()?, index.world.now());
            claim.map(Presented::Token).ok_or_else(|| unauthorized("The token is not valid"))
        }
        Authorization::Bearer(_) => Err(unauthorized("The token is not valid")),
    }
}

/// Refuses credentials over plain http.
pub fn require_https(request: &Request) -> Answer<()> {
    if request.https || request.loopback() { Ok(()) } else { forbidden("Credentials are taken over https only") }
}

impl Presented {
    /// Refuses a repository token that is for something else than this repository and this access.
    pub fn require_token_for(&self, name: &RepositoryName, wanted: &[Access]) -> Answer<()> {
        match self {
            Self::Token(claim) if claim.repository != *name => Err(unauthorized("The token is for another repository")),
            Self::Token(claim) if !wanted.contains(&claim.access) => {
                forbidden(format!("The token is for access={}", claim.access))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a repository token where only a password will do.
    pub fn require_no_token(&self) -> Answer<()> {
        match self {
            Self::Token(_) => Err(unauthorized("Basic credentials are required")),
            _ => Ok(()),
        }
    }

    /// Refuses nobody where somebody is needed, before any storage.
    pub fn require_somebody(&self) -> Answer<()> {
        match self {
            Self::Nobody => Err(unauthorized("Login required")),
            _ => Ok(()),
        }
    }

    /// Whose standing a place is read for.
    #[must_use]
    pub fn whose(&self) -> Whose<'_> {
        match self {
            Self::Nobody => Whose::Nobody,
            Self::Password { name, .. } => Whose::Name(name.as_str()),
            Self::Token(claim) => claim.credential.user().map_or(Whose::Nobody, Whose::Id),
        }
    }

    /// What must be read to know them: the first statement of the handler's batch.
    #[must_use]
    pub fn statement(&self) -> Statement {
        match self {
            Self::Nobody => users::by_id(0),
            Self::Password { name, address, .. } => users::with_failures(name.as_str(), address),
            Self::Token(claim) => users::by_id(claim.credential.user().unwrap_or(0)),
        }
    }

    /// Decides over the row of that statement.
    pub async fn known(&self, index: &Index, rows: &[Row]) -> Answer<Asker> {
        match self {
            Self::Nobody => Ok(Asker { user: None, credential: Credential::Nobody }),
            Self::Password { name, secret, address } => {
                let row = rows.first().ok_or_else(|| Fault::broken("no row for a user"))?;
                let user = by_password(index, row, name, secret, address).await?;
                let credential = Credential::Password { user: user.id, epoch: user.epoch };
                Ok(Asker { user: Some(user), credential })
            }
            Self::Token(claim) => by_token(claim, rows),
        }
    }
}

/// A token's right must still exist: the user is active, and the password is the one under which
/// the token was given.
fn by_token(claim: &Claim, rows: &[Row]) -> Answer<Asker> {
    let user = rows.first().and_then(User::of);
    let stands = match (claim.credential, &user) {
        (Credential::Nobody, _) => true,
        (Credential::Password { epoch, .. }, Some(user)) => user.active && user.epoch == epoch,
        _ => false,
    };
    if stands {
        Ok(Asker { user, credential: claim.credential })
    } else {
        Err(unauthorized("The token is no longer valid"))
    }
}

/// Checks a password against a row of [`users::with_failures`]. Whoever does not exist costs the same
/// work and gets the same answer as a wrong password; so do those who are not active, until the
/// password is right.
async fn by_password(index: &Index, row: &Row, name: &UserName, secret: &Secret, address: &str) -> Answer<User> {
    let now = index.world.now();
    let (from_address, from_anywhere) = users::failures(row);
    let wait = throttle::wait(from_address, from_anywhere, now);
    if wait > 0 {
        return Err(Refusal::TooMany { retry_after: wait }.into());
    }
    let user = User::of(row);
    if !is_right(index, user.as_ref(), name, secret, address).await? {
        index.db.batch(vec![failures::count(name.as_str(), address, now)]).await?;
        return Err(unauthorized(WRONG));
    }
    let Some(user) = user.filter(|user| user.active) else { return Err(Refusal::Inactive.into()) };
    if from_address.count > 0 || from_anywhere.count > 0 {
        forget_failures(index, name, address);
    }
    Ok(user)
}

/// Whether the password is right: remembered, or worth one Argon2.
async fn is_right(index: &Index, user: Option<&User>, name: &UserName, secret: &Secret, address: &str) -> Answer<bool> {
    let (peppers, now) = (index.settings.peppers()?, index.world.now());
    let stored = user.and_then(|user| user.password.as_deref());
    if stored.is_some_and(|stored| index.verified.knows(name.as_str(), secret.reveal(), stored, now)) {
        return Ok(true);
    }
    hashing_turn(index, address).await?;
    let Some(stored) = stored else {
        password::verify_nothing(secret.reveal(), peppers, index.settings.password_cost).map_err(Fault::broken)?;
        return Ok(false);
    };
    let right = password::verify(secret.reveal(), stored, peppers).map_err(Fault::unconfigured)?;
    if right {
        index.verified.remember(name.as_str(), secret.reveal(), stored, now);
        if password::is_outdated(stored, peppers, index.settings.password_cost) {
            hash_anew(index, user, secret, stored);
        }
    }
    Ok(right)
}

/// Waits until this request may compute an Argon2, within the limit of its address.
pub async fn hashing_turn(index: &Index, address: &str) -> Answer<()> {
    if !index.world.within_limit(address).await {
        return Err(Refusal::TooMany { retry_after: 60 }.into());
    }
    turn(index).await
}

async fn turn(index: &Index) -> Answer<()> {
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
    let (index, secret, stored) = (index.clone(), secret.clone(), stored.to_owned());
    index.clone().world.later(Box::pin(async move {
        let hashed = async {
            turn(&index).await?;
            let new = hash(&index, secret.reveal())?;
            index.db.batch(vec![users::rehash(id, &stored, &new)]).await?;
            Answer::Ok(())
        };
        index.report("hash a password anew", hashed.await);
    }));
}

/// A password as it is stored. Take a [`hashing_turn`] first.
pub fn hash(index: &Index, password: &str) -> Result<String, Fault> {
    password::hash(password, index.random(), index.settings.peppers()?, index.settings.password_cost)
        .map_err(Fault::broken)
}

fn forget_failures(index: &Index, name: &UserName, address: &str) {
    let statement = failures::reset(name.as_str(), address);
    let index = index.clone();
    index.clone().world.later(Box::pin(async move {
        index.report("forget failures", index.db.batch(vec![statement]).await.map_err(Into::into));
    }));
}
