//! What Node calls. Values that have a form cross as JSON.

use std::{fmt, rc::Rc};

use futures_util::future::LocalBoxFuture;
use hublet::{
    error::Fault,
    store::{Database, Row, Rows, Statement, Value},
};
use js_sys::{Function, JsString, Promise};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::json;
use wasm_bindgen::{JsCast, JsError, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use crate::{Failure, Output, Request, after_restore, command, formats, run};

type Answer<T> = Result<T, JsError>;

/// Prints what a panic says; Node alone says that an instruction was unreachable.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// Every command: `[{usage, purpose}]`.
#[wasm_bindgen]
pub fn commands() -> String {
    let commands =
        command::COMMANDS.iter().map(|command| json!({ "usage": command.usage, "purpose": command.purpose }));
    json!(commands.collect::<Vec<_>>()).to_string()
}

/// Whether the command for these words prints a link on which a password is chosen.
#[wasm_bindgen]
#[allow(clippy::needless_pass_by_value, reason = "what Node gives is ours")]
pub fn links(words: Vec<String>) -> bool {
    command::find(&words, false).is_ok_and(|(command, _)| command.links)
}

/// Runs a command. `batch` is given statements, `[{sql, params}]`, and promises the rows of each.
///
/// Gives `{headline, rows, warnings, notes, full, denied}`, or `{message, rows}` where the command did nothing. It rejects with what
/// the database says.
#[wasm_bindgen(js_name = "run")]
pub async fn run_command(request: String, batch: Function) -> Answer<String> {
    let request = serde_json::from_str::<Request>(&request)?;
    let answer = match run(request, Rc::new(Node(batch))).await {
        Ok(Output { warnings, headline, rows: table, notes, is_full, denied }) => json!({
            "headline": headline, "rows": rows(&table), "warnings": warnings, "notes": notes, "full": is_full, "denied": denied
        }),
        Err(Failure::Invalid(message)) => json!({ "message": message, "rows": [] }),
        Err(Failure::Refused { message, in_the_way }) => json!({ "message": message, "rows": rows(&in_the_way) }),
        Err(Failure::Fault(fault)) => return Err(JsError::new(&fault.what)),
    };
    Ok(answer.to_string())
}

/// Rows as lists of columns: an object would lose their order.
fn rows(rows: &[Row]) -> Vec<Vec<serde_json::Value>> {
    let row = |row: &Row| row.columns().iter().map(|(name, value)| json!([name, plain(value)])).collect();
    rows.iter().map(row).collect()
}

fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Shared(text) => json!(**text),
    }
}

/// The database of the tool that runs us.
struct Node(Function);

impl Node {
    async fn ask(&self, statements: &[Statement]) -> Result<Vec<Rows>, JsValue> {
        let statement = |statement: &Statement| json!({ "sql": statement.sql, "params": statement.values.iter().map(plain).collect::<Vec<_>>() });
        let statements = json!(statements.iter().map(statement).collect::<Vec<_>>()).to_string();
        let promise = self.0.call1(&JsValue::NULL, &statements.into())?.dyn_into::<Promise>()?;
        let text = JsFuture::from(promise).await?.dyn_into::<JsString>()?;
        let answers = serde_json::from_str::<Vec<Vec<Columns>>>(&String::from(text));
        let answers = answers.map_err(|error| JsValue::from(error.to_string()))?;
        Ok(answers.into_iter().map(|rows| rows.into_iter().map(|columns| Row::new(columns.0)).collect()).collect())
    }
}

impl Database for Node {
    fn batch<'a>(&'a self, statements: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>> {
        Box::pin(async move {
            self.ask(statements).await.map_err(|error| {
                let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
                Fault::from_d1(&message.or_else(|| error.as_string()).unwrap_or_default())
            })
        })
    }
}

/// The columns of a row, in their order.
struct Columns(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Columns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Columns, A::Error> {
        let mut columns = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
            let value = match value {
                serde_json::Value::Null => Value::Null,
                serde_json::Value::String(text) => Value::Text(text),
                serde_json::Value::Number(number) if number.is_i64() => Value::Integer(number.as_i64().unwrap_or(0)),
                other => Value::Text(other.to_string()),
            };
            columns.push((name, value));
        }
        Ok(Columns(columns))
    }
}

/// What an operator who brought a database back must know.
#[wasm_bindgen(js_name = "restored")]
pub fn restored(keep: bool, private: bool, database_flag: &str) -> String {
    after_restore::notice(keep, private, database_flag)
}

/// A registry of `SERVICES`, `{name, host, trust}`, or `null` where it is none.
#[wasm_bindgen]
pub fn registry(text: &str) -> String {
    json!(formats::registry(text)).to_string()
}

/// The secret that a registry sends with its events.
#[wasm_bindgen(js_name = "eventSecret")]
pub fn event_secret(token_key: &str, registry: &str) -> Answer<String> {
    formats::event_secret(token_key, registry).map_err(|error| JsError::new(&error))
}

/// Whether this can be `PUBLIC_URL`.
#[wasm_bindgen(js_name = "isPublicUrl")]
pub fn is_public_url(text: &str) -> bool {
    formats::is_public_url(text)
}

/// Two settings that exclude each other, in words, or `undefined`. `settings` is JSON, `{NAME: value}`.
#[wasm_bindgen]
pub fn contradiction(settings: &str) -> Answer<Option<String>> {
    Ok(formats::contradiction(&serde_json::from_str(settings)?))
}

/// The public key of a certificate, in DER, as a JWK.
#[wasm_bindgen]
pub fn jwk(certificate: &[u8]) -> Answer<String> {
    formats::jwk(certificate).map(|jwk| jwk.to_string()).map_err(|error| JsError::new(&error))
}

/// libtrust's id of the public key of a certificate, in DER.
#[wasm_bindgen(js_name = "libtrustId")]
pub fn libtrust_id(certificate: &[u8]) -> Answer<String> {
    formats::libtrust_id(certificate).map_err(|error| JsError::new(&error))
}
