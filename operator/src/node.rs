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

use crate::{Failure, Operator, Output, Request, after_restore, command, export, formats, import, run};

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
    answer(run(request, Rc::new(Node(batch))).await.map(|output| said(&output)))
}

/// What a command says, `{headline, rows, warnings, notes, full, denied}`.
fn said(output: &Output) -> serde_json::Value {
    let Output { warnings, headline, rows: table, notes, is_full, denied } = output;
    json!({
        "headline": headline, "rows": rows(table), "warnings": warnings, "notes": notes, "full": is_full, "denied": denied
    })
}

/// An answer, or `{message, rows}` where nothing was done.
fn answer(result: crate::Result<serde_json::Value>) -> Answer<String> {
    let answer = match result {
        Ok(answer) => answer,
        Err(Failure::Invalid(message)) => json!({ "message": message, "rows": [] }),
        Err(Failure::Refused { message, in_the_way }) => json!({ "message": message, "rows": rows(&in_the_way) }),
        Err(Failure::Fault(fault)) => return Err(JsError::new(&fault.what)),
    };
    Ok(answer.to_string())
}

/// Makes a plan of the files of another system: its text, and what it has.
#[wasm_bindgen(js_name = "importPlan")]
pub fn import_plan(files: &str) -> Answer<String> {
    let files = serde_json::from_str(files)?;
    let plan = import::plan(&files).map(|plan| json!({ "plan": plan, "said": said(&import::summary(&plan)) }));
    answer(plan)
}

/// What a plan has.
#[wasm_bindgen(js_name = "importSummary")]
pub fn import_summary(plan: &str) -> Answer<String> {
    answer(
        import::Plan::read(plan).map_err(Failure::Invalid).map(|plan| json!({ "said": said(&import::summary(&plan)) })),
    )
}

/// What a plan changes, as a list, and in words.
#[wasm_bindgen(js_name = "importChanges")]
pub async fn import_changes(request: String, plan: String, existing: bool, batch: Function) -> Answer<String> {
    let operator = operator(&request, batch)?;
    let changes = async {
        let plan = import::Plan::read(&plan).map_err(Failure::Invalid)?;
        let changes = import::changes(&operator, &plan, existing).await?;
        Ok(
            json!({ "changes": changes.changes, "most": import::MAX_CHANGES, "said": said(&import::in_words(&changes)) }),
        )
    };
    answer(changes.await)
}

/// Writes some of these changes; gives the links of new users, `[[name, link]]`.
#[wasm_bindgen(js_name = "importStep")]
pub async fn import_step(request: String, changes: String, batch: Function) -> Answer<String> {
    let operator = operator(&request, batch)?;
    let changes = serde_json::from_str::<Vec<import::Change>>(&changes)?;
    answer(import::step(&operator, &changes).await.map(|links| json!({ "links": links })))
}

/// How the index differs from what the other system of a plan allows.
#[wasm_bindgen(js_name = "importCompare")]
pub async fn import_compare(request: String, plan: String, batch: Function) -> Answer<String> {
    let operator = operator(&request, batch)?;
    let compared = async {
        let plan = import::Plan::read(&plan).map_err(Failure::Invalid)?;
        Ok(json!({ "said": said(&import::compare(&operator, &plan).await?) }))
    };
    answer(compared.await)
}

/// How two lists of grants differ: `{repositories, before, after}`.
#[wasm_bindgen(js_name = "importDifferences")]
pub fn import_differences(lists: &str) -> Answer<String> {
    let lists = serde_json::from_str::<import::Lists>(lists)?;
    answer(Ok(json!({ "said": said(&import::differences(&lists)) })))
}

/// What can be taken along, without secrets.
#[wasm_bindgen(js_name = "exportAll")]
pub async fn export_all(request: String, batch: Function) -> Answer<String> {
    let operator = operator(&request, batch)?;
    answer(export::everything(&operator).await.map(|everything| json!({ "everything": everything })))
}

/// A new password for each of some users, `[[name, password, hash]]`.
#[wasm_bindgen(js_name = "exportPasswords")]
pub fn export_passwords(request: &str, names: &str, batch: Function) -> Answer<String> {
    let operator = operator(request, batch)?;
    let names = serde_json::from_str::<Vec<String>>(names)?;
    answer(export::new_passwords(&operator, &names).map(|passwords| json!({ "passwords": passwords })))
}

fn operator(request: &str, batch: Function) -> Answer<Operator> {
    Ok(Operator::new(serde_json::from_str(request)?, Rc::new(Node(batch))))
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
