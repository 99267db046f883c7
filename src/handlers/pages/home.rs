//! The first page.

use maud::{Markup, html};

use crate::{
    auth::Credentials,
    context::Context,
    domain::health::codes,
    error::Result,
    handlers::pages,
    operations::health,
    store::{
        health::{Heartbeat, Progress},
        home::{self, FirstSteps, OwnNamespace, Pushed},
    },
    wire::{
        Form, Request, Response,
        html::{self as parts, Page, command, search_form, time},
    },
};

/// The most namespaces of a user that are listed.
const MAX_NAMESPACES: i64 = 100;

/// The most pushes that are listed.
const MAX_PUSHED: i64 = 20;

/// `GET /`
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let user = credentials.user();
    let own = (home::namespaces(user, MAX_NAMESPACES), home::first_steps(user), home::notifications());
    let (principal, (pushed, (namespaces, steps, notifications))) =
        credentials.authenticate_with(ctx, (home::pushed(&credentials.subject(ctx), MAX_PUSHED), own)).await?;
    let site = ctx.config.site_name.as_str();
    let done = pages::done(&Form::of_query(request));
    let frame = Page { searchable: false, done, ..pages::page(ctx, &principal, site) };
    let host = pages::registry_host(ctx);
    let Some(user) = &principal.user else {
        return Ok(frame
            .response(200, &html! { (search_form("", true)) p { a href="/sign-in" { "Sign in" } } (list(&pushed)) }));
    };
    let findings = if principal.is_administrator() {
        health::report(ctx, request, credentials).await?.facts.findings()
    } else {
        Vec::new()
    };
    Ok(frame.response(
        200,
        &html! {
            @if !findings.is_empty() {
                p.error role="status" { "Not all is well: " (codes(&findings)) ". " a href="/admin" { "What to do" } }
            }
            (search_form("", true))
            @if pushed.is_empty() { (nothing(ctx, &notifications, principal.is_administrator())) }
            @if !steps.pushed { (first_steps(steps, host, &user.name)) }
            (own_namespaces(&namespaces))
            @if !pushed.is_empty() { (list(&pushed)) }
            section {
                h2 { "Use it" }
                (command(&format!("docker login {}", host.unwrap_or("REGISTRY"))))
                (pages::host_hint(host))
                p { a href="/settings/tokens/new" { "Make a token" } " for a program, or for docker in the place of your password." }
            }
        },
    ))
}

fn own_namespaces(namespaces: &[OwnNamespace]) -> Markup {
    html! {
        section {
            h2 { "Yours" }
            ul.cards {
                @for namespace in namespaces {
                    li { a href=(format!("/r/{}", namespace.name)) { (namespace.name) } " " span.badge { (namespace.role) } }
                }
            }
        }
    }
}

fn list(pushed: &[Pushed]) -> Markup {
    html! {
        section {
            h2 { "Pushed lately" }
            @if pushed.is_empty() { p.hint { "Nothing that you may read was pushed lately." } }
            ul.cards {
                @for item in pushed {
                    li {
                        a href=(format!("/r/{}", item.full_name)) { (item.full_name) }
                        @if item.private { " " span.badge { "private" } }
                        " " (time(item.pushed_at))
                    }
                }
            }
        }
    }
}

/// Why there is nothing to see yet: a registry that has reported nothing, or none at all.
fn nothing(ctx: &Context, notifications: &[Progress], administrator: bool) -> Markup {
    let last = |service: &str| {
        let task = Heartbeat::Notification(service).task();
        notifications.iter().find(|progress| progress.task == task)
    };
    html! {
        section {
            h2 { "Nothing here yet" }
            @if ctx.config.services.is_empty() { p { "No registry takes the tokens of this index yet: the setting SERVICES names one." } }
            @for service in &ctx.config.services {
                p {
                    @match last(&service.name) {
                        Some(row) => { "The registry " (service.name) " reported last at " (time(row.cursor)) "; nothing that you may read was pushed." }
                        None => { "The registry " (service.name) " has reported nothing yet: 0 events from " (service.name) "." }
                    }
                }
                @if administrator {
                    p.hint { "Check its notifications, and bring in what it has already:" }
                    (command("npm run doctor"))
                    (command(&format!("npm run registry -- reconcile {}", service.name)))
                }
            }
        }
    }
}

/// Three steps that are ticked as they are done.
fn first_steps(steps: FirstSteps, host: Option<&str>, user: &str) -> Markup {
    let registry = host.unwrap_or("REGISTRY");
    let done = |is_done: bool| if is_done { "done" } else { "" };
    html! {
        section data-poll="waiting" {
            h2 { "First steps" }
            ol.steps {
                li class=(done(steps.logged_in)) {
                    "Log in with docker" @if steps.logged_in { " ✓" }
                    (command(&format!("docker login {registry} --username {user}")))
                }
                li class=(done(steps.pushed)) {
                    "Push something" @if steps.pushed { " ✓" }
                    (parts::commands(&format!("docker tag IMAGE {registry}/{user}/IMAGE\ndocker push {registry}/{user}/IMAGE")))
                }
                li { "See it here" }
            }
        }
    }
}
