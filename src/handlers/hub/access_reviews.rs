//! Why an action is denied, who has access to a repository, and what was refused in a namespace.

use serde_json::{Value, json};

use crate::{
    auth::Credentials,
    context::Context,
    domain::{
        RepositoryName, Role,
        access_review::{self, Action, Reason, ReviewedAction},
        time,
    },
    error::Result,
    handlers::{
        body::JsonObject,
        hub::{
            pagination::{Pagination, paged},
            users::kind,
        },
    },
    operations::access_reviews::{self, Question, parse_actions, parse_repository},
    store::{access::UserAccess, refusals::Refusal},
    wire::{Request, Response},
};

/// The most actions that are asked about.
const MAX_ACTIONS: usize = 3;

/// Refusals of a page, if the client does not set it.
const REFUSALS: i64 = 25;

/// `POST /v2/access-reviews`
///
/// It decides as a token is issued, by the same query and the same function, and changes nothing.
pub async fn review(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let review = access_reviews::review(ctx, request, credentials, read_question(request)).await?;
    let actions = review.actions.iter().map(action).collect::<Vec<_>>();
    let response = json!({
        "allowed": review.is_allowed(),
        "username": review.username,
        "repository": review.repository.to_string(),
        "actions": actions,
        "text": review.text(),
    });
    Ok(Response::json(200, &response).no_store())
}

fn read_question(request: &Request) -> Result<Question> {
    let body = JsonObject::parse_json(request)?;
    let repository = parse_repository(&body.text("repository")?)?;
    let actions = body.optional_array::<String>("actions", "pull, push and delete", MAX_ACTIONS)?;
    let actions = actions.map_or_else(|| Ok(Action::ALL.to_vec()), |names| parse_actions(&names))?;
    let username = body.optional_string("username")?;
    Ok(Question { username, access_token: body.optional_string("access_token")?, repository, actions })
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
    let (_, list) = access_reviews::list_access(ctx, credentials, name, page.size, page.offset()).await?;
    paged(ctx, request, page, list.head.count, list.items.iter().map(with_access).collect())
}

/// A user with the relations that give access.
fn with_access(user: &UserAccess) -> Value {
    let sources = access_review::sources(&user.relations).into_iter();
    let from = sources.map(|(source, role)| json!({ "code": source.as_str(), "role": role.as_str() }));
    json!({
        "username": user.username,
        "type": kind(user.machine),
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
    let (_, list) = access_reviews::list_refusals(ctx, credentials, namespace, page.size, page.offset()).await?;
    let one = |refused: &Refusal| {
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
