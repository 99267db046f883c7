//! A D1 database behind the door.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use wasm_bindgen::JsValue;
use worker::{D1Database, D1SessionConstraint, Env};

use crate::{
    index::Pending,
    refusal::{Fault, FaultKind},
    store::{Database, Row, Rows, Statement, Value},
};

/// What D1 says when the same statement may succeed a moment later (its documentation, *Debug D1*).
const TRANSIENT: [&str; 6] = [
    "Network connection lost",
    "storage caused object to be reset",
    "reset because its code was updated",
    "Cannot resolve D1 DB due to transient issue",
    "Internal error in D1 DB storage",
    "isolate exceeded its memory limit",
];

/// What D1 says when another attempt would make it worse.
const OVERLOADED: [&str; 3] = ["overloaded", "Too many requests queued", "exceeded timeout"];

/// One bound database.
pub struct D1 {
    database: Result<D1Database, &'static str>,
    nearest: bool,
}

impl D1 {
    /// The database of this binding; without it every batch is a fault. `nearest` lets reads come
    /// from a replica.
    pub fn new(env: &Env, binding: &'static str, nearest: bool) -> Self {
        Self { database: env.d1(binding).map_err(|_| binding), nearest }
    }
}

impl Database for D1 {
    fn batch<'a>(&'a self, statements: &'a [Statement]) -> Pending<'a, Result<Vec<Rows>, Fault>> {
        Box::pin(async move {
            let database = self
                .database
                .as_ref()
                .map_err(|binding| Fault::unconfigured(format!("the binding {binding} is missing")))?;
            let mut prepared = Vec::with_capacity(statements.len());
            for Statement { sql, values } in statements {
                let values = values.iter().map(bound).collect::<Vec<_>>();
                prepared.push(database.prepare(*sql).bind(&values).map_err(|error| fault(&error))?);
            }
            let results = if self.nearest && statements.iter().all(Statement::reads_only) {
                let session = database.with_session_constraint(D1SessionConstraint::FirstUnconstrained);
                session.map_err(|error| fault(&error))?.batch(prepared).await
            } else {
                database.batch(prepared).await
            };
            let results = results.map_err(|error| fault(&error))?;
            results
                .iter()
                .map(|result| {
                    let rows = result.results::<D1Row>().map_err(|error| fault(&error))?;
                    Ok(rows.into_iter().map(|row| row.0).collect())
                })
                .collect()
        })
    }
}

/// D1 takes every number as a float, exact to 2^53, and stores it as the column's integer.
#[allow(clippy::cast_precision_loss)]
fn bound(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Integer(number) => JsValue::from_f64(*number as f64),
        Value::Text(text) => JsValue::from_str(text),
    }
}

/// `D1Error` panics when it is displayed, so its message is taken from the JavaScript error.
fn fault(error: &worker::Error) -> Fault {
    let message = match error {
        worker::Error::D1(error) => String::from(AsRef::<js_sys::Error>::as_ref(error).message()),
        other => format!("{other:?}"),
    };
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let kind = if says(&TRANSIENT) {
        FaultKind::Transient
    } else if says(&OVERLOADED) {
        FaultKind::Overloaded
    } else if message.contains("no such table") {
        FaultKind::Unconfigured
    } else {
        FaultKind::Broken
    };
    Fault { what: format!("D1: {message}"), kind }
}

/// A row as D1 gives it: an object with numbers, texts and nulls.
struct D1Row(Row);

impl<'de> Deserialize<'de> for D1Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Columns;
        impl<'de> Visitor<'de> for Columns {
            type Value = D1Row;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<D1Row, A::Error> {
                let mut columns = Vec::new();
                while let Some((name, D1Value(value))) = map.next_entry()? {
                    columns.push((name, value));
                }
                Ok(D1Row(Row(columns)))
            }
        }
        deserializer.deserialize_map(Columns)
    }
}

struct D1Value(Value);

impl<'de> Deserialize<'de> for D1Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Column;
        impl Visitor<'_> for Column {
            type Value = D1Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a text or null")
            }

            fn visit_unit<E>(self) -> Result<D1Value, E> {
                Ok(D1Value(Value::Null))
            }

            fn visit_none<E>(self) -> Result<D1Value, E> {
                Ok(D1Value(Value::Null))
            }

            fn visit_i64<E>(self, value: i64) -> Result<D1Value, E> {
                Ok(D1Value(Value::Integer(value)))
            }

            fn visit_u64<E>(self, value: u64) -> Result<D1Value, E> {
                Ok(D1Value(Value::Integer(value.cast_signed())))
            }

            /// Only whole numbers are ever stored.
            #[allow(clippy::cast_possible_truncation)]
            fn visit_f64<E>(self, value: f64) -> Result<D1Value, E> {
                Ok(D1Value(Value::Integer(value as i64)))
            }

            fn visit_str<E>(self, value: &str) -> Result<D1Value, E> {
                Ok(D1Value(Value::Text(value.to_owned())))
            }

            fn visit_string<E>(self, value: String) -> Result<D1Value, E> {
                Ok(D1Value(Value::Text(value)))
            }
        }
        deserializer.deserialize_any(Column)
    }
}
