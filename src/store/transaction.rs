//! Typed writes: statements that are one transaction, and what comes of them.

use std::marker::PhantomData;

use crate::{
    error::Fault,
    store::{Query, Rows, Statement},
};

/// Writes that are one transaction. A step whose rows are its result has a name: the [`Step`] that was returned for it.
#[derive(Debug, Default)]
pub struct Transaction {
    steps: Vec<Statement>,
}

/// A step of a [`Transaction`], by which its outcome is found.
#[derive(Debug)]
pub struct Step<T> {
    position: usize,
    decode: fn(Rows) -> Result<T, Fault>,
    /// The type of the result.
    gives: PhantomData<T>,
}

impl<T> Step<T> {
    /// Which statement of the transaction it is, from 0.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// What these rows of it are.
    pub fn decode(&self, rows: Rows) -> Result<T, Fault> {
        (self.decode)(rows)
    }
}

impl Transaction {
    /// One without steps.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds steps whose rows are not read.
    pub fn run(&mut self, steps: impl IntoIterator<Item = Statement>) {
        self.steps.extend(steps);
    }

    /// Adds a step whose rows are read.
    pub fn read<T>(&mut self, query: Query<T>) -> Step<T> {
        let decode = query.decode;
        self.steps.push(query.into());
        Step { position: self.steps.len() - 1, decode, gives: PhantomData }
    }

    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The statements, in their order.
    #[must_use]
    pub fn statements(self) -> Vec<Statement> {
        self.steps
    }
}

impl From<Vec<Statement>> for Transaction {
    fn from(steps: Vec<Statement>) -> Self {
        Self { steps }
    }
}

/// What came of a [`Transaction`].
#[derive(Debug, Default)]
pub struct Outcome(pub(super) Vec<Rows>);

impl Outcome {
    /// What came of a step, which is asked for once.
    #[allow(clippy::needless_pass_by_value, reason = "so that it is asked for once")]
    pub fn take<T>(&mut self, step: Step<T>) -> Result<T, Fault> {
        let Step { position, decode, .. } = step;
        let rows = self.0.get_mut(position).ok_or_else(|| Fault::bug("a step of another transaction"))?;
        decode(std::mem::take(rows))
    }
}
