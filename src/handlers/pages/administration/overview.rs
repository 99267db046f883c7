//! Whether all is well, in words with what to do, and the notice on every page.

use maud::{Markup, html};

use crate::{
    auth::Credentials,
    config::VERSION,
    context::Context,
    domain::health::{Facts, MAX_OUTBOX, Primary, Problem, RegistryKey, Status},
    error::{Result, invalid},
    handlers::pages::{administration::frame, beside_form},
    operations::{
        administration::{self, MAX_NOTICE_LENGTH},
        health,
    },
    wire::{
        Form, Request, Response,
        html::{command, optional_time},
    },
};

/// `POST /admin`
///
/// `action`: `write`, with a `notice`, or `remove`.
pub async fn write_notice(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let fields = Form::read(request)?;
    let text = fields.text("notice");
    let wanted = match fields.text("action") {
        "write" => Ok(text),
        "remove" => Ok(""),
        _ => invalid("There is no such action"),
    };
    match beside_form(administration::set_notice(ctx, request, credentials, wanted).await)? {
        Ok(()) => Ok(Response::see_other("/admin?done=saved")),
        Err((status, reason)) => page(ctx, request, credentials, Some((status, text, &reason))).await,
    }
}

/// `GET /admin`; with the status, the text and the reason of a notice that was refused.
pub async fn page(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    refused: Option<(u16, &str, &str)>,
) -> Result<Response> {
    let report = health::report(ctx, request, credentials).await?;
    let principal = report.principal?;
    principal.require_administrator()?;
    let error = refused.map(|(_, _, reason)| reason);
    let frame = frame(ctx, &principal, "Administration", ("/admin", &Form::of_query(request), error));
    let (status, notice) = refused.map_or((200, frame.notice.unwrap_or_default()), |(status, text, _)| (status, text));
    Ok(frame.response(
        status,
        &html! {
            (state(&report.facts))
            @if let Ok(primary) = &report.facts.primary { (numbers(ctx, &report.facts, primary)) }
            form.stack method="post" {
                    h2 { "Notice to all who are signed in" }
                    label { "One line, on every page " input name="notice" value=(notice) maxlength=(MAX_NOTICE_LENGTH); }
                    button name="action" value="write" { "Show it" } " "
                    @if !notice.is_empty() { button.danger name="action" value="remove" { "Take it away" } }
            }
        },
    ))
}

fn state(facts: &Facts) -> Markup {
    let findings = facts.findings();
    html! {
        h2 { "Health: " (Status::of(&findings).as_str()) }
        @for finding in &findings {
            @let (advice, line) = advice(finding.problem);
            h3 { (finding.problem.as_str()) @if finding.stops_tokens { " " span.badge { "stops pulls and pushes" } } }
            p { (advice) }
            (command(line))
        }
    }
}

/// What a problem is and what to do, and the command with which to begin.
fn advice(problem: Problem) -> (&'static str, &'static str) {
    let (log, doctor) = ("npx wrangler tail", "npm run doctor -- --remote");
    match problem {
        Problem::Database => ("The primary database does not answer. Read the log.", log),
        Problem::Migrations => ("The database is older than this version. Deploy again.", "npm run deploy"),
        Problem::Key => ("A secret is missing, or cannot be used. The doctor finds which.", doctor),
        Problem::Certificate => (
            "The certificate of registry tokens ends within 60 days, or has ended. Make a new one.",
            "npm run keys -- rotate --remote",
        ),
        Problem::Schedule => ("The scheduled job has not run for ten minutes. Read its log.", log),
        Problem::Search => ("Search does not answer, or is behind. If that lasts for an hour, read the log.", log),
        Problem::Events => ("A registry in use has reported nothing for seven days, or never.", doctor),
    }
}

fn numbers(ctx: &Context, facts: &Facts, primary: &Primary) -> Markup {
    let mut times = vec![("Scheduled job", primary.ran_at), ("Search verified", primary.verified_at)];
    if let RegistryKey::Usable { expires_at } = facts.registry_key {
        times.push(("Certificate ends", Some(expires_at)));
    }
    html! {
        dl.facts {
            dt { "Version" } dd { (VERSION) ", " (ctx.config.commit) }
            dt { "Changes that wait for search" } dd { (primary.outbox) " of " (MAX_OUTBOX) }
            @for (what, at) in times { dt { (what) } dd { (optional_time(at)) } }
            @for registry in &primary.registries { dt { "Last report of " (registry.name) } dd { (optional_time(registry.notified_at)) } }
        }
    }
}
