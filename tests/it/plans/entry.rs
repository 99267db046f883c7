//! A function of the store as the tests run it: its statements, and what becomes of their rows.

use hublet::{
    error::Fault,
    store::{Batch, Query, Rows, Statement, Step, Transaction, users},
};

/// Decodes the rows of a statement, and forgets what they were.
pub type Decoder = Box<dyn Fn(Rows) -> Result<(), Fault>>;

/// What a function of the store gave for some values.
pub struct Entry {
    /// `module::function`
    pub name: &'static str,
    /// Its statements, in their order.
    pub statements: Vec<Statement>,
    /// Of each statement whose rows are read: its position, and how.
    pub decoders: Vec<(usize, Decoder)>,
}

/// Statements whose rows nobody reads.
pub fn write(name: &'static str, statements: impl IntoIterator<Item = Statement>) -> Entry {
    Entry { name, statements: statements.into_iter().collect(), decoders: Vec::new() }
}

/// A query, with the user where it reads that, too.
pub fn read<T: 'static>(name: &'static str, query: Query<T>) -> Entry {
    let statements = vec![query.statement().clone()];
    let decode = move |mut rows: Rows| {
        if query.has_holder() {
            users::of_holder(&mut rows)?;
        }
        query.decode(rows).map(drop)
    };
    Entry { name, statements, decoders: vec![(0, Box::new(decode))] }
}

/// A part of a transaction, with what is read of it.
pub fn transaction<S: Steps>(name: &'static str, add: impl FnOnce(&mut Transaction) -> S) -> Entry {
    let mut transaction = Transaction::new();
    let decoders = add(&mut transaction).decoders();
    Entry { name, statements: transaction.statements(), decoders }
}

/// The steps of a transaction that are read.
pub trait Steps {
    /// How each of them is.
    fn decoders(self) -> Vec<(usize, Decoder)>;
}

impl<T: 'static> Steps for Step<T> {
    fn decoders(self) -> Vec<(usize, Decoder)> {
        vec![(self.position(), Box::new(move |rows| self.decode(rows).map(drop)))]
    }
}

impl<A: Steps, B: Steps> Steps for (A, B) {
    fn decoders(self) -> Vec<(usize, Decoder)> {
        self.0.decoders().into_iter().chain(self.1.decoders()).collect()
    }
}

impl<S: Steps> Steps for Vec<S> {
    fn decoders(self) -> Vec<(usize, Decoder)> {
        self.into_iter().flat_map(Steps::decoders).collect()
    }
}

impl<A: Steps, const N: usize> Steps for [A; N] {
    fn decoders(self) -> Vec<(usize, Decoder)> {
        self.into_iter().flat_map(Steps::decoders).collect()
    }
}
