//! The access tokens of a service account, for the admins of its namespace.

use maud::html;

use crate::{
    auth::Credentials,
    context::Context,
    domain::texts,
    error::Result,
    handlers::pages::{
        self, PAGE_SIZE, component,
        token_parts::{self, TokenChange},
    },
    operations::machines::{self, access_tokens},
    wire::{
        Form, Request, Response,
        html::{Link, pager},
    },
};

/// `GET /r/{namespace}/-/service-accounts/{username}?page=`
pub async fn page(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    user: &str,
) -> Result<Response> {
    show(ctx, request, credentials, (namespace, &component(user)), (200, None)).await
}

/// `POST /r/{namespace}/-/service-accounts/{username}`
///
/// `action`: `renew`, `on`, `off` or `delete` of a `uuid`; without one, a new token.
pub async fn change(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    user: &str,
) -> Result<Response> {
    let (fields, user) = (Form::read(request)?, component(user));
    let (machine, uuid) = ((namespace, user.as_str()), fields.text("uuid"));
    let changed = match token_parts::change(&fields) {
        TokenChange::Creation => {
            let wanted = token_parts::creation(ctx, &fields);
            access_tokens::create(ctx, request, credentials, machine, wanted).await.map(Some)
        }
        TokenChange::Renewal(wanted) => {
            access_tokens::renew(ctx, request, credentials, machine, uuid, Ok(wanted)).await.map(Some)
        }
        TokenChange::Deletion => access_tokens::delete(ctx, request, credentials, machine, uuid).await.map(|()| None),
        TokenChange::Update(wanted) => {
            access_tokens::update(ctx, request, credentials, machine, uuid, wanted).await.map(|_| None)
        }
    };
    match pages::beside_its_form(changed)? {
        Ok(Some((principal, token))) => {
            let title = format!("The secret of {}", texts::line(&token.details.label));
            let path = pages::service_accounts_path(namespace);
            let mut frame = pages::administrated(ctx, &principal, namespace, &title, &path);
            frame.crumbs.push(Link::new(user.as_str(), format!("{path}/{user}")));
            Ok(frame.response(200, &token_parts::secret(ctx, &user, &token)))
        }
        Ok(None) => Ok(Response::see_other(&format!("{}/{user}?done=saved", pages::service_accounts_path(namespace)))),
        Err((status, reason)) => {
            show(ctx, request, &pages::again(ctx, request)?, machine, (status, Some((&fields, &reason)))).await
        }
    }
}

/// The page with this status, and with what was typed and refused.
async fn show(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    (namespace, user): (&str, &str),
    (status, refused): (u16, Option<(&Form, &str)>),
) -> Result<Response> {
    let number = pages::page_number(request);
    let offset = (number - 1) * PAGE_SIZE;
    let (principal, machine, tokens) =
        access_tokens::list(ctx, credentials, (namespace, user), PAGE_SIZE, offset).await?;
    machines::require(machine)?;
    let (title, path) = (format!("{user}: access tokens"), pages::service_accounts_path(namespace));
    let mut frame = pages::administrated(ctx, &principal, namespace, &title, &path);
    let query = Form::of_query(request);
    frame.done = pages::done(&query);
    frame.error = refused.map(|(_, reason)| reason);
    let count = tokens.head.count;
    Ok(frame.response(
        status,
        &html! {
            (token_parts::table(&tokens.items, count, ctx.platform.now()))
            (pager(&format!("{path}/{user}?"), number, PAGE_SIZE, count))
            section {
                h2 { "New token" }
                (token_parts::form(ctx, refused.map_or(&Form::default(), |(fields, _)| fields), true))
            }
        },
    ))
}
