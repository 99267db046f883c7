//! Why an action is denied, who has access to a repository, and what was refused in a namespace.

use crate::{
    auth::{self, Credentials, NamespaceGuard, Principal, RepositoryGuard, ReviewSubject},
    context::Context,
    domain::{
        RepositoryName, Role, UserName,
        access_review::{Action, ReviewedAction},
    },
    error::{Fault, Result, invalid, not_found},
    store::{
        Batch, Page,
        access::{self, ReviewedToken, UserAccess},
        access_tokens::AccessToken,
        refusals::{self, Refusal},
        repositories::{self, PositionedLookup, Subject},
        users::{self, User},
    },
    wire::Request,
};

/// What a review is asked of.
pub struct Question {
    /// Whose access; without it the client's own, and where it is empty that of a request without credentials.
    pub username: Option<String>,
    /// An access token of that user, by its uuid.
    pub access_token: Option<String>,
    /// The repository.
    pub repository: RepositoryName,
    /// What is to be done with it.
    pub actions: Vec<Action>,
}

/// The full name of the repository that a review is about.
pub fn parse_repository(text: &str) -> Result<RepositoryName> {
    match text.split_once('/').and_then(|(namespace, name)| RepositoryName::parse(namespace, name).ok()) {
        Some(repository) => Ok(repository),
        None => invalid("repository: a namespace and a name, as acme/app, without a host or a tag"),
    }
}

/// The actions of these names, at least one.
pub fn parse_actions(names: &[String]) -> Result<Vec<Action>> {
    match names.iter().map(|name| Action::parse(name)).collect::<Option<Vec<_>>>() {
        Some(actions) if !actions.is_empty() => Ok(actions),
        _ => invalid("actions: a list of pull, push and delete"),
    }
}

impl Question {
    /// A question that asks nothing, for the time until a wrong body may be refused.
    fn empty() -> Self {
        let repository = RepositoryName { namespace: String::new(), name: String::new() };
        Self { username: None, access_token: None, repository, actions: Vec::new() }
    }

    /// The name of the user as it is stored, as far as it is one.
    fn normalized(self) -> Self {
        let username = self.username.map(|name| UserName::typed(&name).map_or(name, |name| name.as_str().to_owned()));
        Self { username, ..self }
    }
}

/// The answer.
pub struct Review {
    /// The user whose access was reviewed; empty for a request without credentials.
    pub username: String,
    /// The repository.
    pub repository: RepositoryName,
    /// The decision about each action.
    pub actions: Vec<ReviewedAction>,
}

impl Review {
    /// Whether all actions are allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.actions.iter().all(|action| action.allowed)
    }

    /// The decisions in words.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.actions.iter().map(|action| action.text(&self.username, &self.repository));
        texts.collect::<Vec<_>>().join(" ")
    }
}

/// Reviews an access. It decides as a token is issued, by the same query and the same function, and changes nothing.
pub async fn review(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    question: Result<Question>,
) -> Result<Review> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let (_, review, ()) = review_with(ctx, credentials, question, ()).await?;
    review
}

/// The same with the client, and with what else is read in that round trip.
pub async fn review_with<B: Batch>(
    ctx: &Context,
    credentials: &Credentials,
    question: Result<Question>,
    about: B,
) -> Result<(Principal, Result<Review>, B::Output)> {
    let question = question.map(Question::normalized);
    let empty = Question::empty();
    let asked = question.as_ref().unwrap_or(&empty);
    let own = credentials.subject(ctx);
    let subject = match asked.username.as_deref() {
        None => own.clone(),
        Some(name) => Subject::of_review(name, ctx.config.anonymous_read),
    };
    let namespace = &asked.repository.namespace;
    let token = asked.access_token.as_deref().map(|uuid| access::token(uuid, &subject, namespace));
    let user = asked.username.as_deref().map(users::by_name);
    let lookup = repositories::lookup_many(&[Some(asked.repository.clone())], &subject);
    let read = ((lookup, user, token), about);
    let (guard, ((lookups, user, token), about)) =
        NamespaceGuard::authenticate_with(ctx, credentials, namespace, read).await?;
    let review =
        question.and_then(|question| decide(ctx, &guard, question, lookups, (user.flatten(), token.flatten())));
    Ok((guard.principal, review, about))
}

/// The answer to a question, of what was read about it.
fn decide(
    ctx: &Context,
    guard: &NamespaceGuard,
    question: Question,
    lookups: Vec<PositionedLookup>,
    (user, token): (Option<User>, Option<ReviewedToken>),
) -> Result<Review> {
    let lookup = lookups.into_iter().next().ok_or_else(|| Fault::bug("no row for a lookup"))?.lookup;
    let lookup = lookup.ignoring_pending_deletion();
    let case = Case::new(ctx, &question, guard, user, token)?;
    let visible = !case.own || guard.principal.effective_role(&lookup, &question.repository).is_some();
    let actions = case.subject.review(&lookup, &question.repository, &question.actions, visible);
    let username = case.subject.principal.name().to_owned();
    Ok(Review { username, repository: question.repository, actions })
}

/// Whose access is reviewed.
struct Case {
    subject: ReviewSubject,
    /// Whether the client asks about itself.
    own: bool,
}

impl Case {
    /// The one that is asked about, if the client may ask: about itself, and admins of the namespace about other users.
    fn new(
        ctx: &Context,
        question: &Question,
        guard: &NamespaceGuard,
        user: Option<User>,
        token: Option<ReviewedToken>,
    ) -> Result<Self> {
        let client = &guard.principal;
        let username = question.username.as_deref();
        let own = username.is_none_or(|name| name.is_empty() || name == client.name());
        // Administrators ask about what is nowhere, too.
        if !own && !client.is_administrator() {
            guard.require_admin()?;
        }
        let user = match (username, user) {
            (None, _) => client.user.clone(),
            (Some(""), _) => None,
            (Some(_), None) => return not_found("user not found"),
            (Some(_), user) => user,
        };
        let uuid = question.access_token.as_ref();
        let token = uuid.map(|_| reviewed_token(guard, own, token)).transpose()?;
        // A client with an access token asks with its limits.
        let limits = if own && user.is_some() { client.restrictions.clone() } else { None };
        let mut subject = ReviewSubject::new(user, token, ctx.platform.now());
        subject.principal.restrictions = subject.principal.restrictions.or(limits);
        Ok(Self { subject, own })
    }
}

/// An access token that the client may ask about: their own, with their password, and those of service accounts for the
/// admins of their namespace.
fn reviewed_token(guard: &NamespaceGuard, own: bool, token: Option<ReviewedToken>) -> Result<AccessToken> {
    if guard.principal.user.is_none() {
        return Err(auth::no_session());
    }
    if own {
        guard.principal.require_password()?;
    } else {
        guard.require_admin_with_password()?;
    }
    match token.filter(|token| own || token.is_of_namespace) {
        Some(token) => Ok(token.token),
        None => not_found("access token not found"),
    }
}

/// A page of the owner, the members and the collaborators of a repository, by name, for its admins.
pub async fn list_access<'a>(
    ctx: &'a Context,
    credentials: &'a Credentials,
    name: &'a RepositoryName,
    limit: i64,
    offset: i64,
) -> Result<(RepositoryGuard<'a>, Page<UserAccess>)> {
    let list = access::list(name, &credentials.subject(ctx), limit, offset);
    let (guard, list) = RepositoryGuard::authenticate_with(ctx, credentials, name, list).await?;
    guard.require(Role::Admin)?;
    Ok((guard, list))
}

/// What was refused in a namespace in seven days, the last hour first, for its admins.
pub async fn list_refusals(
    ctx: &Context,
    credentials: &Credentials,
    namespace: &str,
    limit: i64,
    offset: i64,
) -> Result<(NamespaceGuard, Vec<Refusal>)> {
    let list = refusals::list(namespace, &credentials.subject(ctx), limit, offset);
    let (guard, list) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, list).await?;
    guard.require_admin()?;
    Ok((guard, list))
}
