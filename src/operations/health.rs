//! Whether tokens are issued, and what needs the operator.

use futures_util::future::join;

use crate::{
    auth::{Credentials, Principal, registry_token},
    context::Context,
    domain::health::{Facts, Failure, MAX_OUTBOX, Migrations, Primary, Registry, RegistryKey},
    error::{Fault, FaultKind, Result},
    store::{
        Page,
        health::{self, Heartbeat, PrimaryState, Progress},
    },
    wire::Request,
};

/// The state of the service.
pub struct HealthReport {
    /// What was found; the findings come of it.
    pub facts: Facts,
    /// The client, or why it could not be verified.
    pub principal: Result<Principal, Fault>,
}

impl HealthReport {
    /// Whether the client is an administrator, for whom the numbers are.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.principal.as_ref().is_ok_and(Principal::is_administrator)
    }
}

/// Reports the state of the service. Both databases are asked at the same time, each once; a failure of one is part of
/// the report.
pub async fn report(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<HealthReport> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let primary = credentials.authenticate_with(ctx, health::primary(MAX_OUTBOX));
    let (primary, search) = join(primary, ctx.search.fetch(health::search())).await;
    let (principal, primary) = match primary {
        Ok((principal, page)) => (Ok(principal), Ok(primary_facts(ctx, page))),
        Err(error) => match error.fault() {
            Some(fault) => (Err(fault.clone()), Err(failure(ctx, "read the state of DB", fault))),
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
    Ok(HealthReport { facts, principal })
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
