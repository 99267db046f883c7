//! Clock, randomness, mail, rate limits, cache and log of Cloudflare.

use std::{cell::OnceCell, rc::Rc};

use js_sys::{Array, Date, JsString, Promise, Uint8Array};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::{Env, worker_sys::Context as ExecutionContext};

use futures_util::future::LocalBoxFuture;

use crate::{
    config::{Config, VERSION},
    domain::{
        logins::Logins,
        outgoing::OutgoingUrl,
        password::{HashPacer, PasswordCache},
    },
    edge::{crypto, http, message_of, tasks, tasks::Reply},
    error::Fault,
    platform::{FetchError, FetchLimits, FetchResponse, Message, Platform, RateLimit, log_line},
};

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = hasBinding)]
    fn has_binding(env: &Env, binding: &str) -> bool;

    fn commit() -> String;

    fn variables(env: &Env) -> String;

    fn sleep(millis: f64, number: u32);

    fn later(number: u32);

    #[wasm_bindgen(js_name = rateLimit)]
    fn rate_limit(env: &Env, binding: &str, key: &str) -> Promise;

    #[wasm_bindgen(js_name = cacheGet)]
    fn cache_get(env: &Env, key: &str) -> Promise;

    #[wasm_bindgen(js_name = cachePut)]
    fn cache_put(env: &Env, key: &str, value: &str, seconds: u32) -> Promise;

    #[wasm_bindgen(js_name = fetchUrl)]
    fn fetch_url(url: &str, milliseconds: u32, limit: u32) -> Promise;

    fn inflate(base64: &JsString, number: u32);

    #[wasm_bindgen(js_name = sendMail)]
    fn send_mail(env: &Env, from: &str, to: &str, subject: &str, text: &str) -> Promise;
}

// The build makes a module of it that exports the base64 of what is deflated.
#[wasm_bindgen(module = "/src/openapi.json")]
extern "C" {
    #[wasm_bindgen(js_name = default, thread_local_v2)]
    static OPENAPI: JsString;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = log)]
    fn console_log(line: &str);

    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(line: &str);
}

/// What lives as long as the isolate. Losing it costs time only.
#[derive(Clone)]
pub struct Isolate {
    /// The settings.
    pub config: Rc<Config>,
    /// Passwords that were verified in the last minutes.
    pub password_cache: Rc<PasswordCache>,
    /// When the next password hash may be computed.
    pub hash_pacer: Rc<HashPacer>,
    /// Logins that were recorded in the last minutes.
    pub logins: Rc<Logins>,
}

thread_local! {
    static ISOLATE: OnceCell<Isolate> = const { OnceCell::new() };
}

/// What was built, in the log.
#[derive(Serialize)]
struct BuildLine<'a> {
    commit: &'a str,
    level: &'static str,
    version: &'static str,
}

/// What is to be known of a setting, in the log.
#[derive(Serialize)]
struct SettingLine<'a> {
    level: &'static str,
    setting: &'a str,
}

impl Isolate {
    /// This isolate. The first call reads the settings and logs what is wrong with them.
    pub fn current(env: &Env) -> Self {
        ISOLATE.with(|isolate| isolate.get_or_init(|| Self::begin(env)).clone())
    }

    fn begin(env: &Env) -> Self {
        let variables = variables(env);
        let parts = variables.split('\0').collect::<Vec<_>>();
        let (pairs, _) = parts.as_chunks::<2>();
        let variable = |name: &str| pairs.iter().find(|[known, _]| *known == name).map(|[_, text]| (*text).to_owned());
        let mut config = Config::from_env(variable);
        config.commit = commit();
        console_log(&log_line(&BuildLine { commit: &config.commit, level: "info", version: VERSION }));
        for problem in &config.problems {
            console_error(&log_line(&SettingLine { level: "error", setting: problem }));
        }
        if !has_binding(env, "MAIL") {
            let setting = "MAIL is not bound: accounts are active at once";
            console_log(&log_line(&SettingLine { level: "info", setting }));
        }
        let mut key = [0; 32];
        fill(&mut key);
        Self {
            config: Rc::new(config),
            password_cache: Rc::new(PasswordCache::new(key)),
            hash_pacer: Rc::default(),
            logins: Rc::default(),
        }
    }
}

/// Writes a line of the log: an error to the console's errors.
pub fn write_log(is_error: bool, line: &str) {
    if is_error { console_error(line) } else { console_log(line) }
}

/// The platform of one request or scheduled run.
pub struct CloudflarePlatform {
    env: Env,
    execution: ExecutionContext,
    mail_from: Option<String>,
}

impl CloudflarePlatform {
    /// The bindings of `env`.
    pub fn new(env: &Env, execution: ExecutionContext, mail_from: Option<String>) -> Self {
        Self { env: env.clone(), execution, mail_from }
    }

    async fn send(&self, message: &Message) -> Result<(), String> {
        let from = self.mail_from.as_deref().ok_or("MAIL_FROM is missing")?;
        let sent = send_mail(&self.env, from, &message.to, &message.subject, &message.text);
        JsFuture::from(sent).await.map(|_| ()).map_err(|error| message_of(&error))
    }
}

/// The generator of the platform does not fail; were it to, nothing may be signed or hashed with
/// what it left, and ending the request is all that is left to do.
fn fill(buffer: &mut [u8]) {
    if getrandom::fill(buffer).is_err() {
        std::process::abort();
    }
}

impl Platform for CloudflarePlatform {
    fn now(&self) -> i64 {
        self.now_ms().cast_signed() / 1000
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole milliseconds since 1970")]
    fn now_ms(&self) -> u64 {
        Date::now() as u64
    }

    fn normalized(&self, text: &str, form: &str) -> String {
        JsString::from(text).normalize(form).into()
    }

    fn openapi(&self) -> LocalBoxFuture<'_, Result<String, Fault>> {
        Box::pin(async move {
            let text = Reply::of(|number| OPENAPI.with(|base64| inflate(base64, number))).await;
            text.map_err(|error| Fault::bug(format!("openapi.json: {error}")))
        })
    }

    fn sleep(&self, millis: u64) -> LocalBoxFuture<'static, ()> {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of a wait are far below 2^53")]
        let slept = Reply::of(|number| sleep(millis as f64, number));
        Box::pin(async move {
            // A timer does not fail.
            let _ = slept.await;
        })
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        fill(buffer);
    }

    fn check_rate_limit<'a>(&'a self, limit: RateLimit, key: &'a str) -> LocalBoxFuture<'a, bool> {
        Box::pin(async move {
            // A limiter that is missing or fails limits no request.
            JsFuture::from(rate_limit(&self.env, limit.binding(), key)).await.map_or(true, |within| within.is_truthy())
        })
    }

    fn can_send_mail(&self) -> bool {
        has_binding(&self.env, "MAIL")
    }

    fn send_mail<'a>(&'a self, message: &'a Message) -> LocalBoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move { self.send(message).await.map_err(|error| Fault::bug(format!("mail: {error}"))) })
    }

    fn cache_get<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Option<String>> {
        Box::pin(async move { JsFuture::from(cache_get(&self.env, key)).await.ok()?.as_string() })
    }

    fn cache_put<'a>(&'a self, key: &'a str, value: &'a str, seconds: u64) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            // KV keeps nothing for less than a minute; the entry says itself how old it is. What is
            // not kept is asked again.
            let seconds = u32::try_from(seconds.max(60)).unwrap_or(u32::MAX);
            let _ = JsFuture::from(cache_put(&self.env, key, value, seconds)).await;
        })
    }

    fn sign_es256<'a>(&'a self, pkcs8: &'a [u8], message: &'a [u8]) -> LocalBoxFuture<'a, Result<Vec<u8>, Fault>> {
        Box::pin(async move { crypto::sign(pkcs8, message).await.map_err(Fault::unconfigured) })
    }

    fn verify_es256<'a>(
        &'a self,
        point: &'a [u8; 65],
        message: &'a [u8],
        signature: &'a [u8],
    ) -> LocalBoxFuture<'a, bool> {
        Box::pin(crypto::verifies(point, message, signature))
    }

    fn fetch<'a>(
        &'a self,
        url: &'a OutgoingUrl,
        limits: FetchLimits,
    ) -> LocalBoxFuture<'a, Result<FetchResponse, FetchError>> {
        Box::pin(async move {
            let fetched = JsFuture::from(fetch_url(url.as_str(), limits.timeout_ms, limits.max_bytes)).await;
            let fetched = Array::from(&fetched.map_err(|error| FetchError::Failed(message_of(&error)))?);
            let status = fetched.get(0).as_string().and_then(|status| status.parse().ok()).unwrap_or_default();
            let body = fetched.get(1).dyn_ref::<Uint8Array>().map(Uint8Array::to_vec).ok_or(FetchError::TooLarge)?;
            Ok(FetchResponse { status, body })
        })
    }

    fn wait_until(&self, work: LocalBoxFuture<'static, ()>) {
        let promise = tasks::run(Box::pin(async {
            // After what is done now, which may be the response.
            let _ = Reply::of(later).await;
            work.await;
            JsValue::UNDEFINED
        }));
        if let Err(error) = self.execution.wait_until(promise.unchecked_ref()) {
            http::log(&error);
        }
    }

    fn write_log(&self, is_error: bool, line: &str) {
        write_log(is_error, line);
    }
}
