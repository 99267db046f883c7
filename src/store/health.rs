//! What says of the databases that they are well: their migrations, what waits in the outbox, and when what should come
//! regularly came last.
//!
//! The times are rows of `progress` beside those that say how far the scheduled job has come.

use crate::store::{FromRow, Keyed, Page, Query, Row, Statement};

/// The newest migration of `DB`.
pub const NEWEST_MIGRATION: &str = "0011_pages.sql";

/// The newest migration of `SEARCH`.
pub const NEWEST_SEARCH_MIGRATION: &str = "0008_trigrams.sql";

/// Seconds within which another heartbeat is not written: less than the scheduled job leaves between two runs.
const HEARTBEAT_GRANULARITY: i64 = 30;

/// What should come regularly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heartbeat<'a> {
    /// The scheduled job.
    ScheduledRun,
    /// The part of it that verifies the search index.
    SearchVerified,
    /// Notifications of the registry of this name.
    Notification(&'a str),
}

impl Heartbeat<'_> {
    /// Its `task` in `progress`.
    #[must_use]
    pub fn task(self) -> String {
        match self {
            Self::ScheduledRun => "scheduled run".into(),
            Self::SearchVerified => "search verified".into(),
            Self::Notification(registry) => format!("events {registry}"),
        }
    }
}

/// Records that it came now.
#[must_use]
pub fn record(heartbeat: Heartbeat<'_>, now: i64) -> Statement {
    let statement = Statement::new(
        "insert into progress (task, cursor) values (?1, ?2)
         on conflict (task) do update set cursor = excluded.cursor where excluded.cursor >= cursor + ?3",
    );
    statement.bind(heartbeat.task()).bind(now).bind(HEARTBEAT_GRANULARITY)
}

/// A row of `progress`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The task.
    pub task: String,
    /// Of a heartbeat, when it came last; seconds since 1970.
    pub cursor: i64,
}

impl FromRow for Progress {
    fn from_row(row: &mut Row) -> Self {
        Self { task: row.get("task"), cursor: row.get("cursor") }
    }
}

impl Keyed for Progress {
    const KEY: &'static str = "task";
}

/// What is read of `DB` beside the heartbeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryState {
    /// The name of the newest migration that was applied.
    pub migration: Option<String>,
    /// When it was applied; seconds since 1970.
    pub migrated_at: Option<i64>,
    /// Changes that wait for the search index.
    pub outbox: i64,
}

impl FromRow for PrimaryState {
    fn from_row(row: &mut Row) -> Self {
        Self { migration: row.get("migration"), migrated_at: row.get("migrated_at"), outbox: row.get("outbox") }
    }
}

/// The state of `DB` with all of `progress`; of the outbox at most `most` rows are counted. Wrangler writes
/// `d1_migrations`.
#[must_use]
pub fn primary(most: i64) -> Query<Page<Progress, PrimaryState>> {
    let statement = Statement::new(
        "select t.migration, t.migrated_at, t.outbox, p.task, p.cursor
         from (select max(name) migration, max(unixepoch(applied_at)) migrated_at,
                 (select count(*) from (select 1 from outbox limit ?1)) outbox from d1_migrations) t
         left join progress p on true",
    );
    Query::page(statement.bind(most))
}

/// The name of the newest migration that was applied to `SEARCH`.
#[must_use]
pub fn search() -> Query<Option<String>> {
    Query::one(Statement::new("select max(name) migration from d1_migrations"))
}
