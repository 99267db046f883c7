//! The health of a deployment: what was measured, and what is wrong by it.

use crate::domain::ends::DAY;

/// Seconds before the end of a certificate from which it is a problem: rotating it is planned work.
pub const CERTIFICATE_WARNING: i64 = 60 * DAY;

/// Seconds without a scheduled run, or without one that verified the search index, that are a problem: it runs every
/// minute, and one that fails is followed by the next.
const MAX_RUN_AGE: i64 = 10 * 60;

/// Changes that wait for the search index from which it is a problem, and up to which they are counted: a scheduled run
/// takes five times as many.
pub const MAX_OUTBOX: i64 = 1_000;

/// Seconds without a notification of a registry that are a problem: any push or pull in a week is one.
const MAX_SILENCE: i64 = 7 * DAY;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The primary database does not answer.
    Database,
    /// The primary database lacks a migration.
    Migrations,
    /// A secret is missing or unusable: what signs tokens, or hashes passwords.
    Key,
    /// The certificate of registry tokens ends soon, or has ended.
    Certificate,
    /// The scheduled job does not run.
    Schedule,
    /// The search index does not answer, or does not learn of changes.
    Search,
    /// A registry sends no notifications.
    Events,
}

impl Problem {
    /// Its code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Migrations => "migrations",
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::Schedule => "schedule",
            Self::Search => "search",
            Self::Events => "events",
        }
    }
}

/// A problem that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The problem.
    pub problem: Problem,
    /// Whether no tokens are issued because of it.
    pub stops_tokens: bool,
}

/// The codes of findings, for people.
#[must_use]
pub fn codes(findings: &[Finding]) -> String {
    findings.iter().map(|finding| finding.problem.as_str()).collect::<Vec<_>>().join(", ")
}

/// All findings in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is no problem.
    Ok,
    /// There are problems, and tokens are issued.
    Degraded,
    /// No tokens are issued.
    Down,
}

impl Status {
    /// The status by these findings.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        match findings {
            [] => Self::Ok,
            _ if findings.iter().any(|finding| finding.stops_tokens) => Self::Down,
            _ => Self::Degraded,
        }
    }

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// Why a database could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It does not answer.
    Unavailable,
    /// It has not the tables.
    Unmigrated,
}

/// The migrations of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrations {
    /// The name of the newest one that was applied.
    pub applied: Option<String>,
    /// The name of the newest one that this version needs.
    pub expected: &'static str,
}

impl Migrations {
    /// Whether none is missing: names begin with their number. Those of a later version are there after a rollback.
    fn complete(&self) -> bool {
        self.applied.as_deref() >= Some(self.expected)
    }
}

/// A registry of `SERVICES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Its name.
    pub name: String,
    /// When its last notification came, to half a minute; seconds since 1970.
    pub notified_at: Option<i64>,
}

/// What the primary database holds. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Primary {
    /// Its migrations.
    pub migrations: Migrations,
    /// When the newest of them was applied: what runs every minute is not late before that.
    pub migrated_at: Option<i64>,
    /// Changes that wait for the search index, [`MAX_OUTBOX`] at most.
    pub outbox: i64,
    /// When the scheduled job ran.
    pub ran_at: Option<i64>,
    /// When the scheduled job verified the search index.
    pub verified_at: Option<i64>,
    /// The registries, as `SERVICES` lists them.
    pub registries: Vec<Registry>,
}

/// The key that signs registry tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryKey {
    /// There is no registry for which it would sign.
    Unused,
    /// It is missing, cannot be read, or is not that of its certificate.
    Unusable,
    /// It signs until its certificate ends.
    Usable {
        /// Seconds since 1970.
        expires_at: i64,
    },
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Seconds since 1970.
    pub now: i64,
    /// `DB`.
    pub primary: Result<Primary, Failure>,
    /// `SEARCH`.
    pub search: Result<Migrations, Failure>,
    /// Whether `TOKEN_KEY` and `PASSWORD_PEPPER` can be used.
    pub has_secrets: bool,
    /// `REGISTRY_KEY` with `REGISTRY_CERTIFICATE`.
    pub registry_key: RegistryKey,
}

impl Facts {
    /// What is wrong, each problem once, in the order of [`Problem`].
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let primary = self.primary.as_ref().ok();
        let late = |at: Option<i64>, most: i64| at.is_none_or(|at| at + most < self.now);
        let unmigrated = match &self.primary {
            Ok(primary) => !primary.migrations.complete(),
            Err(failure) => *failure == Failure::Unmigrated,
        };
        let (ends, ended) = match self.registry_key {
            RegistryKey::Usable { expires_at } => (expires_at < self.now + CERTIFICATE_WARNING, expires_at <= self.now),
            RegistryKey::Unused | RegistryKey::Unusable => (false, false),
        };
        let run_late = |primary: &Primary, at: Option<i64>| late(at.max(primary.migrated_at), MAX_RUN_AGE);
        let search_late = |primary: &Primary| primary.outbox >= MAX_OUTBOX || run_late(primary, primary.verified_at);
        let silent = |registry: &Registry| late(registry.notified_at, MAX_SILENCE);
        [
            (Problem::Database, self.primary == Err(Failure::Unavailable), true),
            (Problem::Migrations, unmigrated, true),
            (Problem::Key, !self.has_secrets || self.registry_key == RegistryKey::Unusable, true),
            (Problem::Certificate, ends, ended),
            (Problem::Schedule, primary.is_some_and(|primary| run_late(primary, primary.ran_at)), false),
            (
                Problem::Search,
                !self.search.as_ref().is_ok_and(Migrations::complete) || primary.is_some_and(search_late),
                false,
            ),
            (Problem::Events, primary.is_some_and(|primary| primary.registries.iter().any(silent)), false),
        ]
        .into_iter()
        .filter(|(_, holds, _)| *holds)
        .map(|(problem, _, stops_tokens)| Finding { problem, stops_tokens })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000 * DAY;

    fn migrations(applied: &str) -> Migrations {
        Migrations { applied: Some(applied.to_owned()), expected: "0009_refusals.sql" }
    }

    fn healthy() -> (Facts, Primary) {
        let primary = Primary {
            migrations: migrations("0009_refusals.sql"),
            migrated_at: Some(NOW - DAY),
            outbox: 0,
            ran_at: Some(NOW - MAX_RUN_AGE),
            verified_at: Some(NOW - MAX_RUN_AGE),
            registries: vec![Registry { name: "registry".into(), notified_at: Some(NOW - MAX_SILENCE) }],
        };
        let facts = Facts {
            now: NOW,
            primary: Ok(primary.clone()),
            search: Ok(migrations("0009_refusals.sql")),
            has_secrets: true,
            registry_key: RegistryKey::Usable { expires_at: NOW + CERTIFICATE_WARNING },
        };
        (facts, primary)
    }

    fn found(facts: &Facts) -> (&'static str, Vec<&'static str>) {
        let findings = facts.findings();
        (Status::of(&findings).as_str(), findings.iter().map(|finding| finding.problem.as_str()).collect())
    }

    #[test]
    fn nothing_is_wrong_up_to_each_bound() {
        assert_eq!(found(&healthy().0), ("ok", vec![]));
        let (facts, primary) = healthy();
        let unused = Facts {
            registry_key: RegistryKey::Unused,
            primary: Ok(Primary { registries: vec![], ..primary }),
            ..facts
        };
        assert_eq!(found(&unused), ("ok", vec![]));
    }

    #[test]
    fn each_fact_is_its_problem() {
        let of = |status, code: &'static str, change: &dyn Fn(&mut Facts)| {
            let (mut facts, _) = healthy();
            change(&mut facts);
            assert_eq!(found(&facts), (status, vec![code]));
        };
        let key = |expires_at| RegistryKey::Usable { expires_at };
        of("down", "database", &|facts| facts.primary = Err(Failure::Unavailable));
        of("down", "migrations", &|facts| facts.primary = Err(Failure::Unmigrated));
        of("down", "key", &|facts| facts.has_secrets = false);
        of("down", "key", &|facts| facts.registry_key = RegistryKey::Unusable);
        of("down", "certificate", &|facts| facts.registry_key = key(NOW));
        of("degraded", "certificate", &|facts| facts.registry_key = key(NOW + 1));
        of("degraded", "certificate", &|facts| facts.registry_key = key(NOW + CERTIFICATE_WARNING - 1));
        of("degraded", "search", &|facts| facts.search = Err(Failure::Unavailable));
        of("degraded", "search", &|facts| facts.search = Err(Failure::Unmigrated));
        of("degraded", "search", &|facts| facts.search = Ok(migrations("0008_manifests.sql")));
        let with = |status, code, change: &dyn Fn(&mut Primary)| {
            let (_, mut primary) = healthy();
            change(&mut primary);
            of(status, code, &|facts| facts.primary = Ok(primary.clone()));
        };
        with("down", "migrations", &|primary| primary.migrations = migrations("0008_manifests.sql"));
        with("down", "migrations", &|primary| primary.migrations.applied = None);
        with("degraded", "schedule", &|primary| primary.ran_at = None);
        with("degraded", "schedule", &|primary| primary.ran_at = Some(NOW - MAX_RUN_AGE - 1));
        with("degraded", "search", &|primary| primary.outbox = MAX_OUTBOX);
        with("degraded", "search", &|primary| primary.verified_at = None);
        with("degraded", "search", &|primary| primary.verified_at = Some(NOW - MAX_RUN_AGE - 1));
        let silent = |notified_at| Registry { name: "another".into(), notified_at };
        with("degraded", "events", &|primary| primary.registries.push(silent(None)));
        with("degraded", "events", &|primary| primary.registries.push(silent(Some(NOW - MAX_SILENCE - 1))));
    }

    #[test]
    fn new_database_is_not_late() {
        let (facts, primary) = healthy();
        let migrated = |ago| {
            let migrated_at = Some(NOW - ago);
            let new = Primary { migrated_at, ran_at: None, verified_at: None, ..primary.clone() };
            found(&Facts { primary: Ok(new), ..facts.clone() })
        };
        assert_eq!(migrated(MAX_RUN_AGE), ("ok", vec![]));
        assert_eq!(migrated(MAX_RUN_AGE + 1), ("degraded", vec!["schedule", "search"]));
    }

    #[test]
    fn later_migrations_are_no_problem() {
        let (facts, mut primary) = healthy();
        primary.migrations = migrations("0010_more.sql");
        assert_eq!(found(&Facts { primary: Ok(primary), ..facts }), ("ok", vec![]));
    }

    #[test]
    fn every_problem_is_listed_once_and_in_order() {
        let (facts, _) = healthy();
        let nothing = Primary {
            migrations: Migrations { applied: None, expected: "0009_refusals.sql" },
            migrated_at: None,
            outbox: MAX_OUTBOX,
            ran_at: None,
            verified_at: None,
            registries: vec![Registry { name: "registry".into(), notified_at: None }; 2],
        };
        let all = Facts { primary: Ok(nothing), search: Err(Failure::Unavailable), has_secrets: false, ..facts };
        let ended = Facts { registry_key: RegistryKey::Usable { expires_at: 0 }, ..all };
        let problems = vec!["migrations", "key", "certificate", "schedule", "search", "events"];
        assert_eq!(found(&ended), ("down", problems));
    }
}
