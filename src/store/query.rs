//! Typed reads: a statement with the decoder of its rows, and several of them as one round trip.

use crate::{
    domain::{Role, Secret},
    refusal::Fault,
    store::{Row, Rows, Statement, Value},
};

/// A type that one row is decoded into.
pub trait FromRow: Sized {
    /// The type of a row; a column that the statement does not have, or of another type, is a fault.
    fn from_row(row: &mut Row) -> Result<Self, Fault>;
}

/// A type that may be missing from a row: the row is there for something else, or it is an outer join that found nothing.
pub trait Keyed: FromRow {
    /// The column that is null where it is missing.
    const KEY: &'static str;
}

/// A type that one column is decoded into.
pub trait FromValue: Sized {
    /// What it is, for the fault: `an integer`.
    const EXPECTED: &'static str;

    /// The value, unless it is something else.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for i64 {
    const EXPECTED: &'static str = "an integer";

    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Integer(number) = value { Some(*number) } else { None }
    }
}

impl FromValue for bool {
    const EXPECTED: &'static str = "0 or 1";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(0) => Some(false),
            Value::Integer(1) => Some(true),
            _ => None,
        }
    }
}

impl FromValue for String {
    const EXPECTED: &'static str = "a text";

    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone()) } else { None }
    }
}

impl FromValue for Secret {
    const EXPECTED: &'static str = "a text";

    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(Self::new(text)) } else { None }
    }
}

impl FromValue for Role {
    const EXPECTED: &'static str = "a role";

    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Self::parse(text) } else { None }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_value(value: &Value) -> Option<Self> {
        if *value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}

/// A row of one column.
impl<T: FromValue> FromRow for T {
    fn from_row(row: &mut Row) -> Result<Self, Fault> {
        match row.0.as_slice() {
            [(column, value)] => decoded(column, value),
            columns => Err(Fault::broken(format!("{} columns for one value", columns.len()))),
        }
    }
}

fn decoded<T: FromValue>(column: &str, value: &Value) -> Result<T, Fault> {
    T::from_value(value).ok_or_else(|| Fault::broken(format!("column {column} is not {}", T::EXPECTED)))
}

impl Row {
    /// A column; a fault if the statement does not have it, or it is of another type.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, Fault> {
        match self.0.iter().find(|(name, _)| name == column) {
            Some((_, value)) => decoded(column, value),
            None => Err(no_column(column)),
        }
    }

    /// A long text, moved out of the row and not copied.
    pub fn take(&mut self, column: &str) -> Result<Option<String>, Fault> {
        match self.0.iter_mut().find(|(name, _)| name == column) {
            Some((_, value)) => match std::mem::replace(value, Value::Null) {
                Value::Text(text) => Ok(Some(text)),
                Value::Null => Ok(None),
                _ => Err(Fault::broken(format!("column {column} is not a text"))),
            },
            None => Err(no_column(column)),
        }
    }

    /// What an outer join found, if it found something.
    pub fn joined<T: Keyed>(&mut self) -> Result<Option<T>, Fault> {
        match self.0.iter().find(|(name, _)| name == T::KEY) {
            Some((_, Value::Null)) => Ok(None),
            Some(_) => T::from_row(self).map(Some),
            None => Err(no_column(T::KEY)),
        }
    }
}

fn no_column(column: &str) -> Fault {
    Fault::broken(format!("no column {column}"))
}

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
        Self::new(statement, |rows| optional(rows)?.ok_or_else(|| Fault::broken("no row")))
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
        Self::new(statement, |rows| rows.into_iter().map(|mut row| T::from_row(&mut row)).collect())
    }
}

impl<T: Keyed, H: FromRow> Query<Page<T, H>> {
    /// At least one row: what is said of the whole list is in each, and an item where there is one.
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
    rows.first_mut().map(T::from_row).transpose()
}

fn page<T: Keyed, H: FromRow>(mut rows: Rows) -> Result<Page<T, H>, Fault> {
    let first = rows.first_mut().ok_or_else(|| Fault::broken("a page without a row"))?;
    let head = H::from_row(first)?;
    let items = rows.iter_mut().filter_map(|row| row.joined().transpose()).collect::<Result<_, _>>()?;
    Ok(Page { head, items })
}

/// A part of a list, and what is said of all of it.
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
    fn from_row(row: &mut Row) -> Result<Self, Fault> {
        Ok(Self { count: row.get("count")? })
    }
}

/// Reads that are one round trip: a query, or several as a tuple.
pub trait Batch: Sized {
    /// What comes of them.
    type Output;

    /// Puts the statements behind those that are there.
    fn push_to(&self, statements: &mut Vec<Statement>);

    /// Whether the rows of the first statement have the columns of the user for whom it reads, too.
    fn has_holder(&self) -> bool {
        false
    }

    /// Decodes as many answers as there were statements.
    fn decode_from(self, answers: &mut dyn Iterator<Item = Rows>) -> Result<Self::Output, Fault>;
}

impl Batch for () {
    type Output = ();

    fn push_to(&self, _: &mut Vec<Statement>) {}

    fn decode_from(self, _: &mut dyn Iterator<Item = Rows>) -> Result<(), Fault> {
        Ok(())
    }
}

impl<T> Batch for Query<T> {
    type Output = T;

    fn push_to(&self, statements: &mut Vec<Statement>) {
        statements.push(self.statement.clone());
    }

    fn has_holder(&self) -> bool {
        self.has_holder
    }

    fn decode_from(self, answers: &mut dyn Iterator<Item = Rows>) -> Result<T, Fault> {
        self.decode(answers.next().ok_or_else(|| Fault::broken("fewer answers than statements"))?)
    }
}

impl<A: Batch> Batch for Option<A> {
    type Output = Option<A::Output>;

    fn push_to(&self, statements: &mut Vec<Statement>) {
        if let Some(batch) = self {
            batch.push_to(statements);
        }
    }

    fn has_holder(&self) -> bool {
        self.as_ref().is_some_and(Batch::has_holder)
    }

    fn decode_from(self, answers: &mut dyn Iterator<Item = Rows>) -> Result<Self::Output, Fault> {
        self.map(|batch| batch.decode_from(answers)).transpose()
    }
}

impl<A: Batch, B: Batch> Batch for (A, B) {
    type Output = (A::Output, B::Output);

    fn push_to(&self, statements: &mut Vec<Statement>) {
        self.0.push_to(statements);
        self.1.push_to(statements);
    }

    fn has_holder(&self) -> bool {
        self.0.has_holder()
    }

    fn decode_from(self, answers: &mut dyn Iterator<Item = Rows>) -> Result<Self::Output, Fault> {
        Ok((self.0.decode_from(answers)?, self.1.decode_from(answers)?))
    }
}

impl<A: Batch, B: Batch, C: Batch> Batch for (A, B, C) {
    type Output = (A::Output, B::Output, C::Output);

    fn push_to(&self, statements: &mut Vec<Statement>) {
        self.0.push_to(statements);
        self.1.push_to(statements);
        self.2.push_to(statements);
    }

    fn has_holder(&self) -> bool {
        self.0.has_holder()
    }

    fn decode_from(self, answers: &mut dyn Iterator<Item = Rows>) -> Result<Self::Output, Fault> {
        Ok((self.0.decode_from(answers)?, self.1.decode_from(answers)?, self.2.decode_from(answers)?))
    }
}
