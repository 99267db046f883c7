//! How a row is decoded: column by column, each of a type.

use serde::de::DeserializeOwned;

use crate::{
    domain::{Role, Secret},
    error::Fault,
    store::{Row, Value},
};

/// A type that one row is decoded into. A column that is missing or of another type is recorded by the row and fails
/// the query, so that it never reads as a default, and the code for a row is short.
pub trait FromRow: Sized {
    /// The type of a row.
    fn from_row(row: &mut Row) -> Self;
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

    /// What is there until the query has failed.
    fn nothing() -> Self;
}

impl FromValue for i64 {
    const EXPECTED: &'static str = "an integer";

    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Integer(number) = value { Some(*number) } else { None }
    }

    fn nothing() -> Self {
        0
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

    fn nothing() -> Self {
        false
    }
}

impl FromValue for String {
    const EXPECTED: &'static str = "a text";

    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone()) } else { None }
    }

    fn nothing() -> Self {
        Self::new()
    }
}

impl FromValue for Secret {
    const EXPECTED: &'static str = "a text";

    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(Self::new(text)) } else { None }
    }

    fn nothing() -> Self {
        Self::new("")
    }
}

impl FromValue for Role {
    const EXPECTED: &'static str = "a role";

    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Self::parse(text) } else { None }
    }

    fn nothing() -> Self {
        Self::Read
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_value(value: &Value) -> Option<Self> {
        if *value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }

    fn nothing() -> Self {
        None
    }
}

/// A row of one column.
impl<T: FromValue> FromRow for T {
    fn from_row(row: &mut Row) -> Self {
        let [(column, value)] = row.columns.as_slice() else {
            row.fail(Fault::bug(format!("{} columns for one value", row.columns.len())));
            return T::nothing();
        };
        row.decoded(column, value)
    }
}

/// A row whose columns are for people, and mean nothing here.
impl FromRow for Row {
    fn from_row(row: &mut Row) -> Self {
        std::mem::take(row)
    }
}

impl Row {
    /// Its columns, in their order.
    #[must_use]
    pub fn columns(&self) -> &[(String, Value)] {
        &self.columns
    }

    /// The same.
    #[must_use]
    pub fn into_columns(self) -> Vec<(String, Value)> {
        self.columns
    }

    /// A column; the query fails if the statement does not have it, or it is of another type.
    pub fn get<T: FromValue>(&self, column: &str) -> T {
        match self.value(column) {
            Some(value) => self.decoded(column, value),
            None => T::nothing(),
        }
    }

    fn decoded<T: FromValue>(&self, column: &str, value: &Value) -> T {
        T::from_value(value).unwrap_or_else(|| {
            self.mistyped(column, T::EXPECTED);
            T::nothing()
        })
    }

    /// A long text, moved out of the row and not copied.
    pub fn take(&mut self, column: &str) -> Option<String> {
        let found = self.columns.iter_mut().find(|(name, _)| name == column);
        match found.map(|(_, value)| std::mem::replace(value, Value::Null)) {
            Some(Value::Text(text)) => return Some(text),
            Some(Value::Null) => {}
            Some(_) => self.mistyped(column, "a text"),
            None => self.lacks(column),
        }
        None
    }

    /// A text that is JSON; the query fails if it is not of this type.
    pub fn json<T: DeserializeOwned + Default>(&self, column: &str, text: &str) -> T {
        serde_json::from_str(text).unwrap_or_else(|_| {
            self.mistyped(column, "JSON of its type");
            T::default()
        })
    }

    /// What an outer join found, if it found something.
    pub fn joined<T: Keyed>(&mut self) -> Option<T> {
        match self.value(T::KEY) {
            Some(Value::Null) | None => None,
            Some(_) => Some(T::from_row(self)),
        }
    }

    /// Fails the query, unless it has failed already.
    pub fn fail(&self, fault: Fault) {
        self.fault.borrow_mut().get_or_insert(fault);
    }

    fn value(&self, column: &str) -> Option<&Value> {
        let found = self.columns.iter().find(|(name, _)| name == column).map(|(_, value)| value);
        if found.is_none() {
            self.lacks(column);
        }
        found
    }

    #[cold]
    fn mistyped(&self, column: &str, expected: &str) {
        self.fail(Fault::bug(format!("column {column} is not {expected}")));
    }

    #[cold]
    fn lacks(&self, column: &str) {
        self.fail(Fault::bug(format!("no column {column}")));
    }

    /// What was read, unless something of it was wrong.
    pub(super) fn checked(&mut self) -> Result<(), Fault> {
        self.fault.get_mut().take().map_or(Ok(()), Err)
    }
}

/// What one row is decoded into.
pub(super) fn decoded<T: FromRow>(row: &mut Row) -> Result<T, Fault> {
    let value = T::from_row(row);
    row.checked()?;
    Ok(value)
}
