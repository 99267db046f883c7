//! `GET /health`: whether tokens are issued, and what needs the operator.

use serde_json::{Value, json};

use crate::{
    auth::Credentials,
    config::VERSION,
    context::Context,
    domain::{
        ends::DAY,
        health::{Facts, Failure, Finding, Migrations, Primary, RegistryKey, Status},
    },
    error::Result,
    operations::health,
    wire::{Request, Response},
};

/// Seconds after which a client may ask again if a database does not answer.
const RETRY_AFTER: &str = "5";

/// `GET /health`
pub async fn report(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let report = health::report(ctx, request, credentials).await?;
    Ok(response(&report.facts, report.is_administrator().then_some(&ctx.config.commit)))
}

/// `commit` is for administrators, who get the numbers too.
fn response(facts: &Facts, commit: Option<&String>) -> Response {
    let findings = facts.findings();
    let status = Status::of(&findings);
    let (word, problems) = (status.as_str(), codes(&findings));
    let body = match (&facts.primary, commit) {
        (Ok(primary), Some(commit)) => {
            json!({ "status": word, "problems": problems, "details": details(commit, facts, primary) })
        }
        _ => json!({ "status": word, "problems": problems }),
    };
    let response = Response::json(if status == Status::Down { 503 } else { 200 }, &body).no_store();
    match facts.primary {
        Err(Failure::Unavailable) => response.with("Retry-After", RETRY_AFTER),
        _ => response,
    }
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.problem.as_str()).collect()
}

/// What is behind each code, for administrators.
fn details(commit: &str, facts: &Facts, primary: &Primary) -> Value {
    let age = |at: Option<i64>| at.map(|at| facts.now - at);
    let days = match facts.registry_key {
        RegistryKey::Usable { expires_at } => Some((expires_at - facts.now).div_euclid(DAY)),
        RegistryKey::Unused | RegistryKey::Unusable => None,
    };
    let registries = primary.registries.iter();
    json!({
        "version": VERSION,
        "commit": commit,
        "migrations": migrations(&primary.migrations),
        "key": { "secrets": facts.has_secrets, "registry_key": days.is_some() },
        "certificate": { "days": days },
        "schedule": { "seconds": age(primary.ran_at) },
        "search": {
            "migrations": facts.search.as_ref().ok().map(migrations),
            "outbox": primary.outbox,
            "seconds": age(primary.verified_at),
        },
        "events": registries
            .map(|registry| json!({ "registry": registry.name, "seconds": age(registry.notified_at) }))
            .collect::<Value>(),
    })
}

fn migrations(migrations: &Migrations) -> Value {
    json!({ "applied": migrations.applied, "expected": migrations.expected })
}
