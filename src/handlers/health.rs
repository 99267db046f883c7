//! `GET /health`: whether tokens are issued, and what needs the operator.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::{
    auth::{Credentials, Principal, registry_token},
    config::VERSION,
    context::Context,
    domain::{
        ends::DAY,
        health::{Facts, Failure, Finding, MAX_OUTBOX, Migrations, Primary, Registry, RegistryKey, Status},
    },
    error::{Fault, FaultKind, Result},
    store::{
        Page,
        health::{self, Heartbeat, PrimaryState, Progress},
    },
    wire::{Request, Response},
};

/// Seconds after which a client may ask again if a database does not answer.
const RETRY_AFTER: &str = "5";

/// `GET /health`
///
/// Both databases are asked at the same time, each once. A failure of one is part of the response.
pub async fn report(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let primary = credentials.authenticate_with(ctx, health::primary(MAX_OUTBOX));
    let (primary, search) = join(primary, ctx.search.fetch(health::search())).await;
    let (principal, primary) = match primary {
        Ok((principal, page)) => (Some(principal), Ok(primary_facts(ctx, page))),
        Err(error) => match error.fault() {
            Some(fault) => (None, Err(failure(ctx, "read the state of DB", fault))),
            None => return Err(error),
        },
    };
    let facts = Facts {
        now: ctx.platform.now(),
        primary,
        search: match search {
            Ok(applied) => Ok(Migrations { applied, expected: health::NEWEST_SEARCH_MIGRATION }),
            Err(fault) => Err(failure(ctx, "read the state of SEARCH", &fault)),
        },
        has_secrets: ctx.config.keys().is_ok() && ctx.config.peppers().is_ok(),
        registry_key: registry_key(ctx).await,
    };
    let is_administrator = principal.is_some_and(|principal: Principal| principal.is_administrator());
    Ok(response(&facts, is_administrator.then_some(&ctx.config.commit)))
}

fn primary_facts(ctx: &Context, page: Page<Progress, PrimaryState>) -> Primary {
    let came_at = |heartbeat: Heartbeat<'_>| {
        let task = heartbeat.task();
        page.items.iter().find(|progress| progress.task == task).map(|progress| progress.cursor)
    };
    let registries = ctx.config.services.iter().map(|service| Registry {
        name: service.name.clone(),
        notified_at: came_at(Heartbeat::Notification(&service.name)),
    });
    Primary {
        ran_at: came_at(Heartbeat::ScheduledRun),
        verified_at: came_at(Heartbeat::SearchVerified),
        registries: registries.collect(),
        outbox: page.head.outbox,
        migrated_at: page.head.migrated_at,
        migrations: Migrations { applied: page.head.migration, expected: health::NEWEST_MIGRATION },
    }
}

/// Why a database could not be read; the log has the fault.
fn failure(ctx: &Context, doing: &str, fault: &Fault) -> Failure {
    ctx.report(doing, Err::<(), _>(fault.clone().into()));
    if fault.kind == FaultKind::Unconfigured && fault.lacks_migration() {
        Failure::Unmigrated
    } else {
        Failure::Unavailable
    }
}

async fn registry_key(ctx: &Context) -> RegistryKey {
    if ctx.config.services.is_empty() {
        return RegistryKey::Unused;
    }
    let Ok(key) = ctx.config.signing_key() else { return RegistryKey::Unusable };
    match registry_token::fits_certificate(ctx, key).await {
        Ok(true) => RegistryKey::Usable { expires_at: key.chain.expires_at() },
        Ok(false) => RegistryKey::Unusable,
        Err(fault) => {
            ctx.report("try REGISTRY_KEY", Err::<(), _>(fault.into()));
            RegistryKey::Unusable
        }
    }
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
