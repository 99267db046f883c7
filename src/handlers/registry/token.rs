//! The token service of the registry protocol.
//!
//! A token grants what was asked for, what the user may do, and what the access token allows, all three. Less than was
//! asked is no error: the registry refuses the rest.

use serde_json::{Map, Value};

use crate::{
    auth::{self, Credentials, INVALID_CREDENTIALS, Principal, grants},
    config::Service,
    context::Context,
    domain::{
        Secret, UserName,
        credential::CredentialId,
        opaque_token,
        registry_token::{self, AuthMethod},
        scope::{self, Grant, MAX_SCOPES, Scope},
        texts,
    },
    error::{Challenge, Error, Refusal, Result, invalid},
    handlers::registry::refusals::{self, Refused},
    store::{
        Over, Query, reconcilers,
        refresh_tokens::{self, New},
        repositories::{self, PositionedLookup, RepositoryLookup, Subject},
    },
    wire::{Request, Response, request::form},
};

/// Seconds within which another use of a refresh token is not recorded.
const LAST_USED_GRANULARITY: i64 = 60 * 60;

/// The fields that are read of a form, and how many of them at most: each scope may be one.
const FIELDS: [&str; 8] =
    ["service", "scope", "client_id", "access_type", "grant_type", "username", "password", "refresh_token"];
const MAX_FIELDS: usize = 1_000;

/// What a client asks for, in a query or in a form.
struct TokenRequest<'a> {
    service: &'a Service,
    scopes: Vec<Scope>,
    client: String,
    /// Whether a refresh token is wanted.
    offline: bool,
    /// Whether the answer has the members of `OAuth2`.
    oauth: bool,
}

/// `GET /token?service=&scope=&account=&client_id=&offline_token=`
pub async fn get(ctx: &Context, request: &Request) -> Result<Response> {
    let parameters = request.parameters();
    let wanted = TokenRequest {
        offline: text(&parameters, "offline_token") == Some("true"),
        ..TokenRequest::read(ctx, &parameters)?
    };
    if let Some(hash) = as_basic(auth::reconciler::presented_as_password(request))? {
        return as_basic(issue_to_reconciler(ctx, &hash, &wanted).await);
    }
    let credentials = as_basic(auth::v1_credentials(ctx, request))?;
    as_basic(credentials.require_no_token())?;
    if let Some(account) = text(&parameters, "account").filter(|account| !account.is_empty()) {
        as_basic(require_account(&credentials, account))?;
    }
    as_basic(issue(ctx, request, &credentials, &wanted).await)
}

/// `POST /token`
pub async fn post(ctx: &Context, request: &Request) -> Result<Response> {
    auth::require_https(request)?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    if str::from_utf8(body).is_err() {
        return invalid("The form is not UTF-8");
    }
    let parameters = form(body);
    let parameters = parameters.filter(|(key, _)| FIELDS.contains(&key.as_str())).take(MAX_FIELDS + 1);
    let parameters = parameters.collect::<Vec<_>>();
    if parameters.len() > MAX_FIELDS {
        return invalid(format!("At most {MAX_FIELDS} parameters"));
    }
    let field = |name| match text(&parameters, name) {
        Some(value) if !value.is_empty() => Ok(value),
        _ => Err(Error::from(Refusal::Invalid(format!("{name} is missing").into()))),
    };
    let grant_type = field("grant_type")?;
    let wanted = TokenRequest {
        offline: text(&parameters, "access_type") == Some("offline"),
        oauth: true,
        ..TokenRequest::read(ctx, &parameters)?
    };
    field("client_id")?;
    match grant_type {
        "password" => {
            let credentials = Credentials::basic(field("username")?, Secret::new(field("password")?), request);
            as_basic(issue(ctx, request, &as_basic(credentials)?, &wanted).await)
        }
        "refresh_token" => as_basic(refresh(ctx, request, field("refresh_token")?, &wanted).await),
        _ => Err(Refusal::UnknownGrant.into()),
    }
}

impl<'a> TokenRequest<'a> {
    fn read(ctx: &'a Context, parameters: &[(String, String)]) -> Result<Self> {
        let Some(name) = text(parameters, "service") else { return invalid("service is missing") };
        let service = ctx.config.services.iter().find(|service| service.name == name);
        let Some(service) = service else { return invalid(format!("{name:?} is no service of this index")) };
        let scopes = parameters.iter().filter(|(key, _)| key == "scope").map(|(_, value)| value.as_str());
        let scopes = scope::parse_all(scopes);
        if scopes.len() > MAX_SCOPES {
            return invalid(format!("At most {MAX_SCOPES} scopes"));
        }
        let client = texts::line(text(parameters, "client_id").unwrap_or_default()).chars().take(100).collect();
        Ok(Self { service, scopes, client, offline: false, oauth: false })
    }

    /// One query for the repositories of all scopes, however many they are.
    fn lookups(&self, subject: &Subject<'_>) -> Query<Vec<PositionedLookup>> {
        repositories::lookup_many(&self.scopes.iter().map(Scope::repository).collect::<Vec<_>>(), subject)
    }

    /// What the principal is granted of each scope, and what is refused of pulls and pushes.
    fn grants(&self, principal: &Principal, lookups: Vec<PositionedLookup>) -> (Vec<Grant>, Vec<Refused>) {
        let mut found = vec![None; self.scopes.len()];
        for PositionedLookup { position, lookup } in lookups {
            if let Some(place) = usize::try_from(position).ok().and_then(|position| found.get_mut(position)) {
                *place = Some(lookup);
            }
        }
        let (mut granted, mut refused) = (Vec::new(), Vec::new());
        for (scope, lookup) in self.scopes.iter().zip(found) {
            let Some(name) = scope.repository() else {
                granted.extend(grants::of_registry(principal, scope));
                continue;
            };
            let Some(lookup) = lookup.map(RepositoryLookup::ignoring_pending_deletion) else { continue };
            let grant = grants::of_repository(principal, &lookup, &name, scope);
            let actions = grant.as_ref().map_or(&[][..], |grant| &grant.actions);
            refused.extend(Refused::new(&grants::facts(principal, &lookup, &name), scope, actions));
            granted.extend(grant);
        }
        (granted, refused)
    }
}

/// Issues a token for a password, an access token, or no credentials.
async fn issue(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    wanted: &TokenRequest<'_>,
) -> Result<Response> {
    // Before anything is computed or read for a token that could not be signed.
    ctx.config.signing_key()?;
    credentials.require_anonymous_limit(ctx, request).await?;
    let (principal, lookups) = credentials.authenticate_with(ctx, wanted.lookups(&credentials.subject(ctx))).await?;
    let mut refresh = None;
    // Only a password is worth replacing on the client's disk.
    if let (true, CredentialId::Password { user, .. }) = (wanted.offline, principal.credential) {
        let token = opaque_token::TokenKind::Refresh.generate(ctx.random());
        let new = New {
            uuid: &opaque_token::uuid(ctx.random()),
            user_id: user,
            hash: &opaque_token::TokenKind::Refresh.parse_and_hash(token.reveal()).unwrap_or_default(),
            client: &wanted.client,
            kind: refresh_tokens::Kind::Docker,
            by: &principal.by(ctx, request),
            most: ctx.config.quotas.refresh_tokens,
        };
        ctx.commit([principal.right(Over::Themselves)], refresh_tokens::create(&new).into()).await?;
        refresh = Some(token);
    }
    let method = match principal.credential {
        CredentialId::AccessToken { token, .. } => AuthMethod::AccessToken(token),
        _ => AuthMethod::Password,
    };
    let subject = registry_token::subject(principal.name(), method);
    auth::login::record_success_with(ctx, request, &principal, method, &wanted.client);
    answer(ctx, request, wanted, &principal, subject, lookups, refresh.as_ref()).await
}

/// Issues a token for a refresh token.
async fn refresh(ctx: &Context, request: &Request, token: &str, wanted: &TokenRequest<'_>) -> Result<Response> {
    ctx.config.signing_key()?;
    let wrong = || auth::unauthorized("The refresh token is not valid: log in again");
    let hash = opaque_token::TokenKind::Refresh.parse_and_hash(token.trim_ascii()).ok_or_else(wrong)?;
    let (now, config) = (ctx.platform.now(), &ctx.config);
    let found = refresh_tokens::user(&hash, now, config.refresh_unused, config.refresh_age);
    let lookups = wanted.lookups(&Subject::RefreshToken(&hash));
    let (found, lookups) = ctx.db.fetch((found, lookups)).await?;
    let refresh_tokens::Holder { user, id, used_at } = found.ok_or_else(wrong)?;
    let credential = CredentialId::Password { user: user.id, epoch: user.epoch };
    if !user.active {
        return auth::login::refuse_inactive(ctx, user.id, AuthMethod::RefreshToken(id), &request.address());
    }
    if used_at + LAST_USED_GRANULARITY <= now {
        ctx.after_response("note the use of a refresh token", refresh_tokens::used(id, now));
    }
    ctx.authenticated.set(credential);
    let subject = registry_token::subject(&user.name, AuthMethod::RefreshToken(id));
    let principal = Principal { user: Some(user), credential, restrictions: None, browser: None };
    auth::login::record_success_with(ctx, request, &principal, AuthMethod::RefreshToken(id), &wanted.client);
    answer(ctx, request, wanted, &principal, subject, lookups, None).await
}

/// Issues a token for the tool beside the registry: of another registry it knows nothing.
async fn issue_to_reconciler(ctx: &Context, hash: &str, wanted: &TokenRequest<'_>) -> Result<Response> {
    ctx.config.signing_key()?;
    let names = wanted.scopes.iter().filter_map(Scope::repository).map(|name| name.to_string()).collect::<Vec<_>>();
    let deletable = reconcilers::deletable(hash, &names);
    let (reconciler, deletable) = auth::reconciler::authenticate_hash(ctx, hash, deletable).await?;
    if reconciler.service != wanted.service.name {
        return Err(auth::reconciler::refused());
    }
    let deletes = |scope: &Scope| scope.repository().is_some_and(|name| deletable.contains(&name.to_string()));
    let grants = wanted.scopes.iter().filter_map(|scope| scope.for_reconciler(deletes(scope))).collect();
    signed(ctx, wanted, registry_token::RECONCILER.to_owned(), CredentialId::Anonymous, grants, None).await
}

/// The answer with the signed token.
async fn answer(
    ctx: &Context,
    request: &Request,
    wanted: &TokenRequest<'_>,
    principal: &Principal,
    subject: String,
    lookups: Vec<PositionedLookup>,
    refresh: Option<&Secret>,
) -> Result<Response> {
    let (grants, refused) = wanted.grants(principal, lookups);
    refusals::record_later(ctx, request, principal, &refused);
    signed(ctx, wanted, subject, principal.credential, grants, refresh).await
}

async fn signed(
    ctx: &Context,
    wanted: &TokenRequest<'_>,
    subject: String,
    credential: CredentialId,
    grants: Vec<Grant>,
    refresh: Option<&Secret>,
) -> Result<Response> {
    let scope = scope::encode(&grants);
    let signed = auth::registry_token::sign(ctx, wanted.service, subject, credential, grants).await?;
    let mut body = Map::new();
    body.insert("token".into(), signed.token.clone().into());
    body.insert("access_token".into(), signed.token.into());
    body.insert("expires_in".into(), signed.expires_in.into());
    body.insert("issued_at".into(), crate::domain::time::format_seconds(signed.issued_at).into());
    if wanted.oauth {
        body.insert("token_type".into(), "Bearer".into());
        body.insert("scope".into(), scope.into());
    }
    if let Some(refresh) = refresh {
        body.insert("refresh_token".into(), refresh.reveal().into());
    }
    Ok(Response::json(200, &Value::Object(body)).no_store())
}

/// Refuses a password or an access token of another user than `account`, which docker sends as it was typed.
fn require_account(credentials: &Credentials, account: &str) -> Result<()> {
    match credentials {
        Credentials::Password { name, .. } | Credentials::AccessToken { name, .. }
            if UserName::typed(account).as_ref() != Some(name) =>
        {
            Err(auth::unauthorized(INVALID_CREDENTIALS))
        }
        _ => Ok(()),
    }
}

/// Gives a 401 the challenge of the token service, which takes Basic alone.
fn as_basic<T>(answer: Result<T>) -> Result<T> {
    answer.map_err(|error| error.map_unauthorized(|reason| Refusal::Unauthorized(Challenge::Basic, reason)))
}

fn text<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
