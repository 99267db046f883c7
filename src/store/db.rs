//! A database client: statements in, rows out, all or nothing.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures_util::{FutureExt, future::LocalBoxFuture};

use crate::{
    domain::ids::Id,
    error::{Fault, FaultKind},
    store::{Batch, FromValue, Outcome, Transaction},
};

/// A database that runs a batch as one transaction in one round trip. Two bodies: D1 at the edge,
/// `SQLite` in memory in the tests.
pub trait Database {
    /// Runs the statements in order, all or nothing; gives the rows of each.
    fn batch<'a>(&'a self, statements: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>>;
}

/// One statement with its values. The text is fixed where it is written: a value is always bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Lower-case SQL with `?1`, `?2`, ...
    pub sql: &'static str,
    /// The values of the parameters.
    pub values: Vec<Value>,
    /// Whether it changes nothing: it is asked twice of each, and found by looking through all of the text.
    reads_only: bool,
}

impl Statement {
    /// A statement without values; add them by [`Statement::bind`].
    #[must_use]
    pub fn new(sql: &'static str) -> Self {
        let text = sql.trim_start();
        let is_change = |word: &[u8]| matches!(word, b"insert " | b"update " | b"delete ");
        let reads_only =
            text.starts_with("select") || (text.starts_with("with") && !text.as_bytes().windows(7).any(is_change));
        Self { sql, values: Vec::new(), reads_only }
    }

    /// Binds the next parameter.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Whether it changes nothing.
    #[must_use]
    pub const fn reads_only(&self) -> bool {
        self.reads_only
    }
}

/// A value of a column or a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// Up to 2^53, which is what D1 carries.
    Integer(i64),
    /// UTF-8, at most 2 MB.
    Text(String),
    /// A long text that several statements of a batch have: it is in memory once, and crosses to the database's side once.
    Shared(Rc<str>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl<Of> From<Id<Of>> for Value {
    fn from(id: Id<Of>) -> Self {
        Self::Integer(id.get())
    }
}

impl<Of> FromValue for Id<Of> {
    const EXPECTED: &'static str = i64::EXPECTED;

    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(Self::new)
    }

    fn nothing() -> Self {
        Self::NONE
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&Rc<str>> for Value {
    fn from(value: &Rc<str>) -> Self {
        Self::Shared(Rc::clone(value))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The rows of one statement.
pub type Rows = Vec<Row>;

/// One row: columns by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// Its columns.
    pub(super) columns: Vec<(String, Value)>,
    /// What was wrong with the first column that could not be read: it fails the query.
    pub(super) fault: RefCell<Option<Fault>>,
}

impl Row {
    /// A row of these columns.
    #[must_use]
    pub fn new(columns: Vec<(String, Value)>) -> Self {
        Self { columns, fault: RefCell::new(None) }
    }
}

/// A database client for one request. Counts round trips, and retries a batch once if it contains only reads and failed with
/// a transient error.
pub struct Db {
    database: Rc<dyn Database>,
    round_trips: Cell<u32>,
}

impl Db {
    /// A client of this database, for one request.
    #[must_use]
    pub fn new(database: Rc<dyn Database>) -> Self {
        Self { database, round_trips: Cell::new(0) }
    }

    /// How many round trips were made so far.
    #[must_use]
    pub fn round_trips(&self) -> u32 {
        self.round_trips.get()
    }

    /// Reads: runs the queries of a batch in order in one round trip. One that writes is
    /// refused, since it would carry no right.
    pub fn fetch<B: Batch>(&self, batch: B) -> impl Future<Output = Result<B::Output, Fault>> {
        let mut statements = Vec::new();
        let decoder = batch.split(&mut statements);
        self.batch(statements).map(move |answers| B::decode(decoder, &mut answers?.into_iter()))
    }

    /// Writes, if these guards let it: all or nothing, in one round trip.
    pub async fn commit(&self, guards: Vec<Statement>, transaction: Transaction) -> Result<Outcome, Fault> {
        let many = guards.len();
        let answers = self.run(guards.into_iter().chain(transaction.statements()).collect()).await?;
        Ok(Outcome(answers.into_iter().skip(many).collect()))
    }

    /// Writes without asking for a right: for what is no user's, or carries its right otherwise. `tests/it/rights.rs` lists who
    /// may; everything else writes by `Index::commit`.
    pub async fn commit_unguarded(&self, transaction: Transaction) -> Result<Outcome, Fault> {
        self.run(transaction.statements()).await.map(Outcome)
    }

    /// Reads: runs the statements in order in one round trip, in none if there are none. What writes is refused, since it would
    /// carry no right.
    pub fn batch(&self, statements: Vec<Statement>) -> LocalBoxFuture<'_, Result<Vec<Rows>, Fault>> {
        Box::pin(self.read(statements))
    }

    async fn read(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, Fault> {
        match statements.iter().find(|statement| !statement.reads_only()) {
            Some(write) => Err(Fault::bug(format!("a write without a right: {}", write.sql))),
            None if statements.is_empty() => Ok(Vec::new()),
            None => self.run(statements).await,
        }
    }

    /// Runs the statements in order, all or nothing, in one round trip. A read that failed for a
    /// passing reason is tried once more; a write never is, since it may have taken effect.
    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, Fault> {
        let answer = match self.ask(&statements).await {
            Err(fault) if fault.kind == FaultKind::Transient && statements.iter().all(Statement::reads_only) => {
                self.ask(&statements).await
            }
            answer => answer,
        }?;
        if answer.len() == statements.len() {
            Ok(answer)
        } else {
            Err(Fault::bug(format!("{} statements, {} answers", statements.len(), answer.len())))
        }
    }

    /// One round trip.
    fn ask<'a>(&'a self, statements: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>> {
        self.round_trips.set(self.round_trips.get() + 1);
        self.database.batch(statements)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{Future, ready},
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;
    use crate::store::Query;

    /// Answers each batch.
    struct Stub;

    impl Database for Stub {
        fn batch<'a>(&'a self, statements: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>> {
            Box::pin(ready(Ok(vec![Rows::new(); statements.len()])))
        }
    }

    #[test]
    fn writing_statement_is_not_a_read() {
        let db = Db::new(Rc::new(Stub));
        let insert =
            || vec![Statement::new("select 1"), Statement::new("insert into outbox (repository_id) values (1)")];
        let mut context = Context::from_waker(Waker::noop());
        let fault = Fault::bug("a write without a right: insert into outbox (repository_id) values (1)");
        assert_eq!(pin!(db.batch(insert())).poll(&mut context), Poll::Ready(Err(fault)));
        for guards in [Vec::new(), vec![Statement::new("select 2")]] {
            let mut transaction = Transaction::from(insert());
            let last = transaction.read(Query::any(Statement::new("select 3")));
            let written = pin!(db.commit(guards, transaction)).poll(&mut context);
            let Poll::Ready(Ok(mut outcome)) = written else { unreachable!("{written:?}") };
            assert_eq!(outcome.take(last), Ok(false));
        }
        assert!(matches!(pin!(db.commit_unguarded(insert().into())).poll(&mut context), Poll::Ready(Ok(_))));
    }
}
