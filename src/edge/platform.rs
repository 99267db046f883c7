//! Clock, randomness, mail, rate limits, cache and log of Cloudflare.

use std::{
    cell::OnceCell,
    future::{Future, poll_fn},
    mem::replace,
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use js_sys::{Array, Date, JsString, Promise, Uint8Array};
use serde_json::{Value, json};
use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::{Context, Delay, Env, ScheduleContext};

use futures_util::future::LocalBoxFuture;

use crate::{
    config::{Config, VERSION},
    domain::{
        logins::Logins,
        outgoing::OutgoingUrl,
        password::{HashPacer, PasswordCache},
    },
    edge::{crypto, message_of},
    error::Fault,
    platform::{FetchError, FetchLimits, FetchResponse, Message, Platform, RateLimit},
};

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = hasBinding)]
    fn has_binding(env: &Env, binding: &str) -> bool;

    fn commit() -> String;

    fn variables(env: &Env) -> String;

    #[wasm_bindgen(js_name = rateLimit)]
    fn rate_limit(env: &Env, binding: &str, key: &str) -> Promise;

    #[wasm_bindgen(js_name = cacheGet)]
    fn cache_get(env: &Env, key: &str) -> Promise;

    #[wasm_bindgen(js_name = cachePut)]
    fn cache_put(env: &Env, key: &str, value: &str, seconds: u32) -> Promise;

    #[wasm_bindgen(js_name = fetchUrl)]
    fn fetch_url(url: &str, milliseconds: u32, limit: u32) -> Promise;

    #[wasm_bindgen(js_name = sendMail)]
    fn send_mail(env: &Env, from: &str, to: &str, subject: &str, text: &str) -> Promise;
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

impl Isolate {
    /// This isolate. The first call reads the settings and logs what is wrong with them.
    pub fn current(env: &Env) -> Self {
        ISOLATE.with(|isolate| isolate.get_or_init(|| Self::begin(env)).clone())
    }

    fn begin(env: &Env) -> Self {
        // JSON.stringify wrote it.
        let variables: Vec<(String, String)> = serde_json::from_str(&variables(env)).unwrap_or_default();
        let variable = |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
        let mut config = Config::from_env(variable);
        config.commit = commit();
        log(&json!({ "level": "info", "version": VERSION, "commit": config.commit }));
        for problem in &config.problems {
            log(&json!({ "level": "error", "setting": problem }));
        }
        if !has_binding(env, "MAIL") {
            log(&json!({ "level": "info", "setting": "MAIL is not bound: accounts are active at once" }));
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
pub fn log(line: &Value) {
    if line.get("level").and_then(Value::as_str) == Some("error") {
        console_error(&line.to_string());
    } else {
        console_log(&line.to_string());
    }
}

/// Resolves after this number of milliseconds.
pub fn sleep(millis: u64) -> LocalBoxFuture<'static, ()> {
    let (mut delay, mut again) = (Delay::from(Duration::from_millis(millis)), false);
    Box::pin(poll_fn(move |context| {
        // A delay wakes the context that polled it first, and `fetch` first polls with none.
        if replace(&mut again, true) {
            return Pin::new(&mut delay).poll(context);
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }))
}

/// What runs work after the response.
pub enum ExecutionContext {
    /// The context of a request.
    Request(Context),
    /// The context of a scheduled run.
    Schedule(ScheduleContext),
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

    fn sleep(&self, millis: u64) -> LocalBoxFuture<'static, ()> {
        sleep(millis)
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
        match &self.execution {
            ExecutionContext::Request(context) => context.wait_until(work),
            ExecutionContext::Schedule(context) => context.wait_until(work),
        }
    }

    fn log(&self, line: &Value) {
        log(line);
    }
}
