//! Why an action is denied, who has access to a repository, and what was refused in a namespace.

use serde_json::{Value, json};

use crate::{
    auth::{self, Credentials, NamespaceGuard, RepositoryGuard, ReviewSubject},
    context::Context,
    domain::{
        RepositoryName, Role, UserName,
        access_review::{self, Action, Reason, ReviewedAction},
        time,
    },
    error::{Fault, Result, invalid, not_found},
    handlers::{
        body::JsonObject,
        hub::pagination::{Pagination, paged},
    },
    store::{
        access::{self, ReviewedToken, UserAccess},
        access_tokens::AccessToken,
        refusals,
        repositories::{self, RepositoryLookup, Subject},
        users::{self, User},
    },
    wire::{Request, Response},
};

/// The most actions that are asked about.
const MAX_ACTIONS: usize = 3;

/// Refusals of a page, if the client does not set it.
const REFUSALS: i64 = 25;

/// What a review is asked of.
struct Question {
    /// Whose access; without it the client's own, and where it is empty that of a request without credentials.
    username: Option<String>,
    /// An access token of that user, by its uuid.
    access_token: Option<String>,
    repository: RepositoryName,
    actions: Vec<Action>,
}

impl Question {
    fn read(request: &Request) -> Result<Self> {
        let body = JsonObject::parse_json(request)?;
        let repository = body.text("repository")?;
        let parts = repository.split_once('/');
        let repository = parts.and_then(|(namespace, name)| RepositoryName::parse(namespace, name).ok());
        let Some(repository) = repository else {
            return invalid("repository: a namespace and a name, as acme/app, without a host or a tag");
        };
        let actions = body.optional_array::<String>("actions", "pull, push and delete", MAX_ACTIONS)?;
        let actions = match actions {
            None => Action::ALL.to_vec(),
            Some(names) => match names.iter().map(|name| Action::parse(name)).collect::<Option<Vec<_>>>() {
                Some(actions) if !actions.is_empty() => actions,
                _ => return invalid("actions: a list of pull, push and delete"),
            },
        };
        let username = body.optional_string("username")?;
        let username = username.map(|name| UserName::typed(&name).map_or(name, |name| name.as_str().to_owned()));
        Ok(Self { username, access_token: body.optional_string("access_token")?, repository, actions })
    }

    /// A question that asks nothing, for the time until a wrong body may be refused.
    fn empty() -> Self {
        let repository = RepositoryName { namespace: String::new(), name: String::new() };
        Self { username: None, access_token: None, repository, actions: Vec::new() }
    }
}

/// `POST /v2/access-reviews`
///
/// It decides as a token is issued, by the same query and the same function, and changes nothing.
pub async fn review(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let question = Question::read(request);
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
    let (guard, (lookups, user, token)) =
        NamespaceGuard::authenticate_with(ctx, credentials, namespace, (lookup, user, token)).await?;
    let question = question?;
    let lookup = lookups.into_iter().next().ok_or_else(|| Fault::bug("no row for a lookup"))?.lookup;
    let lookup = lookup.ignoring_pending_deletion();
    let case = Case::new(ctx, &question, &guard, user.flatten(), token.flatten())?;
    Ok(case.decide(&question, &guard, &lookup))
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

    /// The decision about each action.
    fn decide(&self, question: &Question, guard: &NamespaceGuard, lookup: &RepositoryLookup) -> Response {
        let (name, username) = (&question.repository, self.subject.principal.name());
        let visible = !self.own || guard.principal.effective_role(lookup, name).is_some();
        let actions = self.subject.review(lookup, name, &question.actions, visible);
        let response = json!({
            "allowed": actions.iter().all(|action| action.allowed),
            "username": username,
            "repository": name.to_string(),
            "actions": actions.iter().map(action).collect::<Vec<_>>(),
            "text": actions.iter().map(|action| action.text(username, name)).collect::<Vec<_>>().join(" "),
        });
        Response::json(200, &response).no_store()
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

/// A reviewed action as it is in the response.
fn action(reviewed: &ReviewedAction) -> Value {
    let sources =
        reviewed.sources.iter().map(|(source, role)| json!({ "code": source.as_str(), "role": role.as_str() }));
    let because = sources.chain(reviewed.reasons.iter().map(reason)).collect::<Vec<_>>();
    json!({ "action": reviewed.action.as_str(), "allowed": reviewed.allowed, "because": because })
}

/// A reason with what it is about.
fn reason(reason: &Reason) -> Value {
    let code = reason.code();
    match reason {
        Reason::Role { has, needs, from } => {
            json!({ "code": code, "has": has.as_str(), "needs": needs.as_str(), "from": from.as_str() })
        }
        Reason::Scopes { has } => json!({ "code": code, "has": has }),
        Reason::Resources { has } => json!({ "code": code, "has": has }),
        _ => json!({ "code": code }),
    }
}

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/access?page=&page_size=`
///
/// For admins of the repository. Administrators of hublet have access to everything, and are not listed.
pub async fn list(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let page = Pagination::read(request);
    let list = access::list(name, &credentials.subject(ctx), page.size, page.offset());
    let (guard, list) = RepositoryGuard::authenticate_with(ctx, credentials, name, list).await?;
    guard.require(Role::Admin)?;
    paged(ctx, request, page, list.head.count, list.items.iter().map(with_access).collect())
}

/// A user with the relations that give access.
fn with_access(user: &UserAccess) -> Value {
    let sources = access_review::sources(&user.relations).into_iter();
    let from = sources.map(|(source, role)| json!({ "code": source.as_str(), "role": role.as_str() }));
    json!({
        "username": user.username,
        "type": if user.machine { "Machine" } else { "User" },
        "is_active": user.active,
        "role": user.relations.effective_role().map(Role::as_str),
        "from": from.collect::<Vec<_>>(),
    })
}

/// `GET /v2/namespaces/{namespace}/refusals?page=&page_size=`
///
/// The last hour first, of seven days.
pub async fn refusals(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
) -> Result<Response> {
    let page = Pagination::with_default_size(request, REFUSALS);
    let list = refusals::list(namespace, &credentials.subject(ctx), page.size, page.offset());
    let (guard, list) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, list).await?;
    guard.require_admin()?;
    let one = |refused: &refusals::Refusal| {
        json!({
            "username": refused.username,
            "repository": format!("{namespace}/{}", refused.repository),
            "actions": refused.actions.split(',').collect::<Vec<_>>(),
            "reason": refused.reason,
            "count": refused.count,
            "last_at": time::format_rfc3339(refused.last_at),
            "address": refused.address,
        })
    };
    Ok(Response::json(200, &json!({ "results": list.iter().map(one).collect::<Vec<_>>() })).no_store())
}
