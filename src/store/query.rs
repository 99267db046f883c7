//! Typed reads: a statement with the decoder of its rows.

use crate::{
    error::Fault,
    store::{FromRow, Keyed, Row, Rows, Statement, row::decoded},
};

/// A statement that gives rows, and how they are decoded.
#[derive(Debug, Clone)]
pub struct Query<T> {
    statement: Statement,
    pub(super) decode: fn(Rows) -> Result<T, Fault>,
    /// Whether its rows have the columns of the user for whom it reads, too.
    has_holder: bool,
}

impl<T: FromRow> Query<T> {
    /// Exactly one row; none is a fault.
    #[must_use]
    pub fn one(statement: Statement) -> Self {
        Self::new(statement, |rows| optional(rows)?.ok_or_else(|| Fault::bug("no row")))
    }
}

impl<T: FromRow> Query<Option<T>> {
    /// The first row, if there is one.
    #[must_use]
    pub fn optional(statement: Statement) -> Self {
        Self::new(statement, optional)
    }
}

impl<T: FromRow> Query<Vec<T>> {
    /// Every row.
    #[must_use]
    pub fn all(statement: Statement) -> Self {
        Self::new(statement, |rows| {
            let mut all = Vec::with_capacity(rows.len());
            for mut row in rows {
                all.push(decoded(&mut row)?);
            }
            Ok(all)
        })
    }
}

impl<T: Keyed, H: FromRow> Query<Page<T, H>> {
    /// At least one row: the head of the list is in each, and an item if there is one.
    #[must_use]
    pub fn page(statement: Statement) -> Self {
        Self::new(statement, page)
    }
}

impl Query<bool> {
    /// Whether there is a row.
    #[must_use]
    pub fn any(statement: Statement) -> Self {
        Self::new(statement, |rows| Ok(!rows.is_empty()))
    }
}

impl Query<usize> {
    /// The number of rows.
    #[must_use]
    pub fn number(statement: Statement) -> Self {
        Self::new(statement, |rows| Ok(rows.len()))
    }
}

impl<T> Query<T> {
    fn new(statement: Statement, decode: fn(Rows) -> Result<T, Fault>) -> Self {
        Self { statement, decode, has_holder: false }
    }

    /// The same query, whose rows have the columns of the user for whom it reads, too (`users::HOLDER_COLUMNS`), or not.
    #[must_use]
    pub(super) fn with_holder(self, has_holder: bool) -> Self {
        Self { has_holder, ..self }
    }

    /// What is asked.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// What these rows of its statement are.
    pub fn decode(&self, rows: Rows) -> Result<T, Fault> {
        (self.decode)(rows)
    }
}

impl<T> From<Query<T>> for Statement {
    fn from(query: Query<T>) -> Self {
        query.statement
    }
}

fn optional<T: FromRow>(mut rows: Rows) -> Result<Option<T>, Fault> {
    rows.first_mut().map(decoded).transpose()
}

fn page<T: Keyed, H: FromRow>(mut rows: Rows) -> Result<Page<T, H>, Fault> {
    let first = rows.first_mut().ok_or_else(|| Fault::bug("a page without a row"))?;
    let head = decoded(first)?;
    let mut items = Vec::new();
    for row in &mut rows {
        if let Some(item) = row.joined() {
            items.push(item);
        }
        row.checked()?;
    }
    Ok(Page { head, items })
}

/// A page of a list, and what is known of all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, H = Count> {
    /// Of the whole list.
    pub head: H,
    /// Of this page; none past the end.
    pub items: Vec<T>,
}

/// How long the whole list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The number of its items.
    pub count: i64,
}

impl FromRow for Count {
    fn from_row(row: &mut Row) -> Self {
        Self { count: row.get("count") }
    }
}

/// Reads that are one round trip: a query, or several as a tuple.
pub trait Batch {
    /// What comes of them.
    type Output;

    /// How their answers are decoded: what is left of them while they are asked.
    type Decoder: Copy;

    /// Appends its statements, and returns how their rows are decoded.
    fn split(self, statements: &mut Vec<Statement>) -> Self::Decoder;

    /// Whether the rows of the first statement have the columns of the user for whom it reads, too.
    fn has_holder(&self) -> bool {
        false
    }

    /// Decodes as many answers as there were statements.
    fn decode(decoder: Self::Decoder, answers: &mut Answers) -> Result<Self::Output, Fault>;
}

/// The rows of each statement of a round trip, in their order.
pub type Answers = std::vec::IntoIter<Rows>;

impl Batch for () {
    type Output = ();
    type Decoder = ();

    fn split(self, _: &mut Vec<Statement>) {}

    fn decode((): (), _: &mut Answers) -> Result<(), Fault> {
        Ok(())
    }
}

impl<T> Batch for Query<T> {
    type Output = T;
    type Decoder = fn(Rows) -> Result<T, Fault>;

    fn split(self, statements: &mut Vec<Statement>) -> Self::Decoder {
        statements.push(self.statement);
        self.decode
    }

    fn has_holder(&self) -> bool {
        self.has_holder
    }

    fn decode(decoder: Self::Decoder, answers: &mut Answers) -> Result<T, Fault> {
        decoder(answers.next().ok_or_else(|| Fault::bug("fewer answers than statements"))?)
    }
}

impl<A: Batch> Batch for Option<A> {
    type Output = Option<A::Output>;
    type Decoder = Option<A::Decoder>;

    fn split(self, statements: &mut Vec<Statement>) -> Self::Decoder {
        self.map(|batch| batch.split(statements))
    }

    fn has_holder(&self) -> bool {
        self.as_ref().is_some_and(Batch::has_holder)
    }

    fn decode(decoder: Self::Decoder, answers: &mut Answers) -> Result<Self::Output, Fault> {
        decoder.map(|decoder| A::decode(decoder, answers)).transpose()
    }
}

impl<A: Batch, B: Batch> Batch for (A, B) {
    type Output = (A::Output, B::Output);
    type Decoder = (A::Decoder, B::Decoder);

    fn split(self, statements: &mut Vec<Statement>) -> Self::Decoder {
        (self.0.split(statements), self.1.split(statements))
    }

    fn has_holder(&self) -> bool {
        self.0.has_holder()
    }

    fn decode((a, b): Self::Decoder, answers: &mut Answers) -> Result<Self::Output, Fault> {
        Ok((A::decode(a, answers)?, B::decode(b, answers)?))
    }
}

impl<A: Batch, B: Batch, C: Batch> Batch for (A, B, C) {
    type Output = (A::Output, B::Output, C::Output);
    type Decoder = (A::Decoder, B::Decoder, C::Decoder);

    fn split(self, statements: &mut Vec<Statement>) -> Self::Decoder {
        (self.0.split(statements), self.1.split(statements), self.2.split(statements))
    }

    fn has_holder(&self) -> bool {
        self.0.has_holder()
    }

    fn decode((a, b, c): Self::Decoder, answers: &mut Answers) -> Result<Self::Output, Fault> {
        Ok((A::decode(a, answers)?, B::decode(b, answers)?, C::decode(c, answers)?))
    }
}
