//! A D1 database as the store uses one.

use std::{fmt, rc::Rc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
    ser::SerializeSeq,
};
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

use futures_util::future::LocalBoxFuture;

use crate::{
    edge::tasks::Reply,
    error::Fault,
    store::{Database, Row, Rows, Statement, Value},
};

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = batch)]
    fn run_batch(env: &Env, binding: &str, nearest: bool, writes: bool, millis: u32, statements: &str, number: u32);
}

/// One bound database.
pub struct D1 {
    env: Env,
    binding: &'static str,
    nearest: bool,
    timeout: u32,
}

impl D1 {
    /// The database of this binding; without it every batch is a fault, and so is one that it does not answer in `timeout`
    /// milliseconds. `nearest` lets reads come from a replica.
    pub fn new(env: &Env, binding: &'static str, nearest: bool, timeout: u32) -> Self {
        Self { env: env.clone(), binding, nearest, timeout }
    }
}

impl Database for D1 {
    fn batch<'a>(&'a self, statements: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>> {
        Box::pin(async move {
            let writes = !statements.iter().all(Statement::reads_only);
            let lines = serde_json::to_string(&Batch(statements)).map_err(|error| Fault::bug(error.to_string()))?;
            let nearest = self.nearest && !writes;
            let call = |number| run_batch(&self.env, self.binding, nearest, writes, self.timeout, &lines, number);
            let answer = Reply::of(call).await.map_err(|message| Fault::from_d1(&message))?;
            let rows: Vec<Vec<D1Row>> =
                serde_json::from_str(&answer).map_err(|error| Fault::bug(format!("D1: {error}")))?;
            Ok(rows.into_iter().map(|rows| rows.into_iter().map(|row| row.0).collect()).collect())
        })
    }
}

/// Statements as the list of their long texts, each once, and the list of themselves.
struct Batch<'a>(&'a [Statement]);

impl Serialize for Batch<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shared: Vec<&Rc<str>> = Vec::new();
        for value in self.0.iter().flat_map(|statement| &statement.values) {
            if let Value::Shared(text) = value
                && !shared.iter().any(|known| Rc::ptr_eq(known, text))
            {
                shared.push(text);
            }
        }
        let lines = self.0.iter().map(|statement| Line { statement, shared: &shared }).collect::<Vec<_>>();
        let texts = shared.iter().map(|text| &***text).collect::<Vec<_>>();
        (texts, lines).serialize(serializer)
    }
}

/// A statement as the list of its text and its values; a long text is the list of its place among those. D1 takes every
/// number as a float, exact to 2^53, and stores it as the column's integer.
struct Line<'a> {
    statement: &'a Statement,
    shared: &'a [&'a Rc<str>],
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        list.serialize_element(self.statement.sql)?;
        for value in &self.statement.values {
            match value {
                Value::Null => list.serialize_element(&())?,
                Value::Integer(number) => list.serialize_element(number)?,
                Value::Text(text) => list.serialize_element(text)?,
                Value::Shared(text) => {
                    list.serialize_element(&[self.shared.iter().position(|known| Rc::ptr_eq(known, text))])?;
                }
            }
        }
        list.end()
    }
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
                Ok(D1Row(Row::new(columns)))
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
