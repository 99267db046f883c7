//! Who has access to a repository: collaborators, every user with a role, and why a user may do something or not.

use maud::{Markup, html};

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{
        RepositoryName, Role,
        access_review::{self, Action, Reason},
    },
    error::{Result, invalid},
    handlers::pages::{self, repository_path},
    operations::{
        access_reviews::{self, Question, Review},
        collaborators::{self as operation, AddCollaborator},
    },
    store::{
        access::{self, UserAccess},
        repositories,
    },
    wire::{
        Form, Request, Response,
        html::{Link, pager, plural},
    },
};

/// `GET /r/{repository}/-/access?page=&user=&action=`
///
/// With `user` or `action`, the answer to whether they may; an empty `user` is a request without credentials.
pub async fn page(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    show(ctx, request, credentials, name, (200, None)).await
}

/// `POST /r/{repository}/-/access`
///
/// `action`: `set`, with a `user` and a `role`, or `remove`.
pub async fn change(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let fields = Form::read(request)?;
    let changed = match fields.text("action") {
        "remove" => operation::remove(ctx, request, credentials, name, fields.text("user")).await,
        _ => operation::add(ctx, request, credentials, name, wanted(&fields)).await.map(|_| ()),
    };
    match pages::beside_its_form(changed)? {
        Ok(()) => Ok(Response::see_other(&format!("{}/-/access?done=saved", repository_path(name)))),
        Err((status, reason)) => {
            show(ctx, request, &pages::again(ctx, request)?, name, (status, Some((&fields, &reason)))).await
        }
    }
}

fn wanted(fields: &Form) -> Result<AddCollaborator> {
    if fields.text("action") != "set" {
        return invalid("Nothing was asked for");
    }
    Ok(AddCollaborator { user: fields.required("user", "The user")?, role: Some(fields.text("role").to_owned()) })
}

/// What is asked by the query, if anything is.
fn question(query: &Form, name: &RepositoryName) -> Option<Question> {
    let asked = query.is_checked("user") || query.is_checked("action");
    let action = Action::parse(query.text("action"));
    asked.then(|| Question {
        username: Some(query.text("user").to_owned()),
        access_token: None,
        repository: name.clone(),
        actions: action.map_or_else(|| Action::ALL.to_vec(), |action| vec![action]),
    })
}

/// The page with this status, and with what was typed and refused.
async fn show(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    (status, refused): (u16, Option<(&Form, &str)>),
) -> Result<Response> {
    let (query, number) = (Form::of_query(request), pages::page_number(request));
    let subject = credentials.subject(ctx);
    let list = access::list(name, &subject, pages::PAGE_SIZE, (number - 1) * pages::PAGE_SIZE);
    let read = (list, repositories::lookup(name, &subject));
    let (principal, answer, (list, lookup)) = if let Some(question) = question(&query, name) {
        let (principal, review, read) = access_reviews::review_with(ctx, credentials, Ok(question), read).await?;
        (principal, Some(review), read)
    } else {
        let (principal, read) = credentials.authenticate_with(ctx, read).await?;
        (principal, None, read)
    };
    let guard = RepositoryGuard::new(principal, name, lookup);
    let private = guard.require(Role::Admin)?.private;
    let answer = answer.map(pages::beside_its_form).transpose()?;
    let answer = answer.map(|review| review.map_err(|(_, reason)| reason));
    let title = format!("{name}: access");
    let path = format!("{}/-/access", repository_path(name));
    let mut frame = pages::page(ctx, &guard.principal, &title);
    frame.crumbs = vec![pages::namespace_crumb(&name.namespace), Link::new(name.to_string(), repository_path(name))];
    frame.tabs = (pages::repository_tabs(name, guard.role()), &path);
    frame.done = pages::done(&query);
    frame.error = refused.map(|(_, reason)| reason);
    let typed = refused.map(|(fields, _)| fields).filter(|fields| fields.text("action") == "set");
    Ok(frame.response(
        status,
        &html! {
            section {
                h2 { "Who has access" }
                table {
                    caption { (plural(list.head.count, "user", "users")) }
                    thead { tr { th scope="col" { "User" } th scope="col" { "Role" } th scope="col" { "From" } th scope="col" { "Change" } } }
                    tbody {
                        @if !private { tr { th scope="row" { "All users" } td { "read" } td { "it is public" } td {} } }
                        @for user in &list.items { (row(user)) }
                    }
                }
                p.hint { "Administrators of the index have access to everything, and are not listed." }
                (pager(&format!("{path}?"), number, pages::PAGE_SIZE, list.head.count))
            }
            (pages::grant_form("Add a collaborator", "Only in this repository. For all of the namespace, add a member.", typed))
            (check(&path, &query, answer.as_ref(), name))
        },
    ))
}

fn row(user: &UserAccess) -> Markup {
    let sources = access_review::sources(&user.relations);
    html! {
        tr {
            th scope="row" {
                (user.username)
                @if user.machine { " " span.badge { "service account" } }
                @if !user.active { " " span.badge { "not active" } }
            }
            td { (user.relations.effective_role().map_or("none", Role::as_str)) }
            td {
                @for (at, (source, role)) in sources.iter().enumerate() {
                    @if at > 0 { ", " }
                    (source.as_str()) " (" (role.as_str()) ")"
                }
            }
            td { @if let Some(role) = user.relations.collaborator { (pages::role_form(&user.username, role)) } }
        }
    }
}

/// The form that asks, and the answer.
fn check(path: &str, query: &Form, answer: Option<&Result<Review, String>>, name: &RepositoryName) -> Markup {
    let asked = query.text("action");
    html! {
        section id="check" {
            h2 { "Check access" }
            form.filter action=(format!("{path}#check")) {
                label { "User " input name="user" value=(query.text("user")) maxlength="64" autocapitalize="none" aria-describedby="nobody"; }
                label {
                    "may "
                    select name="action" {
                        @for action in Action::ALL { option value=(action.as_str()) selected[action.as_str() == asked] { (action.as_str()) } }
                    }
                }
                button { "Check" }
            }
            p.hint id="nobody" { "Without a user: somebody who is not logged in." }
            @match answer {
                None => {}
                Some(Err(reason)) => { p.error role="alert" { (reason) } }
                Some(Ok(review)) => { (answered(review, name)) }
            }
        }
    }
}

fn answered(review: &Review, name: &RepositoryName) -> Markup {
    html! {
        div role="status" {
            @for action in &review.actions {
                p { strong { @if action.allowed { "Yes. " } @else { "No. " } } (action.text(&review.username, name)) }
                @if !action.reasons.is_empty() {
                    ul { @for reason in &action.reasons { li { (remedy(reason, name)) } } }
                }
            }
        }
    }
}

/// What ends a reason against an action.
fn remedy(reason: &Reason, name: &RepositoryName) -> String {
    let namespace = &name.namespace;
    match reason {
        Reason::Account => {
            "The account must be active: its user confirms the e-mail address, or an administrator enables it.".into()
        }
        Reason::Credentials => "Make another access token, or turn this one on again.".into(),
        Reason::Anonymous => "Log in with docker login.".into(),
        Reason::NamespaceMissing => format!("An administrator makes the namespace {namespace}."),
        Reason::Library => "An administrator makes them a member of library.".into(),
        Reason::NotVisible => {
            "Check the name. If it is right, add them as a collaborator here, or as a member of the namespace.".into()
        }
        Reason::Role { needs, .. } => {
            format!("Give them the role {} here, or in the namespace {namespace}.", needs.as_str())
        }
        Reason::Scopes { .. } => "Make an access token with more scopes.".into(),
        Reason::Resources { .. } => format!("Make an access token that is for {name}, too."),
    }
}
