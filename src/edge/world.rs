//! Time, randomness, mail, limits, cache and log of the platform.

use std::{
    cell::OnceCell,
    future::{Future, poll_fn},
    mem::replace,
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use js_sys::{JsString, Promise};
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use worker::{Context, Date, Delay, Env, ScheduleContext, console_error, console_log};

use crate::{
    domain::{logins::Logins, password::Verified},
    edge::{crypto, message_of},
    index::{Limit, Message, Pending, Settings, World},
    refusal::Fault,
};

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    fn bound(env: &Env, binding: &str) -> bool;

    fn within(env: &Env, binding: &str, key: &str) -> Promise;

    fn cached(env: &Env, key: &str) -> Promise;

    fn cache(env: &Env, key: &str, value: &str, seconds: u32) -> Promise;

    fn mail(env: &Env, from: &str, to: &str, subject: &str, text: &str) -> Promise;
}

thread_local! {
    /// What lives as long as the isolate: losing it costs time only.
    static ISOLATE: OnceCell<(Rc<Settings>, Rc<Verified>, Rc<Logins>)> = const { OnceCell::new() };
}

/// The settings and the memory of this isolate. What is wrong with the settings is said once.
pub fn isolate(env: &Env) -> (Rc<Settings>, Rc<Verified>, Rc<Logins>) {
    ISOLATE.with(|isolate| {
        let (settings, verified, logins) = isolate.get_or_init(|| {
            let settings = Settings::read(|name| env.var(name).ok().map(|value| value.to_string()));
            for problem in &settings.problems {
                console_error!("{}", json!({ "level": "error", "setting": problem }));
            }
            if !bound(env, "MAIL") {
                console_log!(
                    "{}",
                    json!({ "level": "info", "setting": "MAIL is not bound: accounts are active at once" })
                );
            }
            let mut key = [0; 32];
            fill(&mut key);
            (Rc::new(settings), Rc::new(Verified::new(key)), Rc::default())
        });
        (Rc::clone(settings), Rc::clone(verified), Rc::clone(logins))
    })
}

/// Resolves after so many milliseconds.
pub fn sleep(millis: u64) -> Pending<'static, ()> {
    let (mut delay, mut again) = (Delay::from(Duration::from_millis(millis)), false);
    Box::pin(poll_fn(move |context| {
        // A delay wakes whoever polled it first, and `fetch` first polls for nobody.
        if replace(&mut again, true) {
            return Pin::new(&mut delay).poll(context);
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }))
}

/// What waits for work that follows the answer.
pub enum Lasting {
    /// The context of a request.
    Request(Context),
    /// The context of a scheduled run.
    Schedule(ScheduleContext),
}

/// The world as one request sees it.
pub struct Edge {
    env: Env,
    lasting: Lasting,
    mail_from: Option<String>,
}

impl Edge {
    /// Lends what is bound in `env`.
    pub fn new(env: &Env, lasting: Lasting, mail_from: Option<String>) -> Self {
        Self { env: env.clone(), lasting, mail_from }
    }

    async fn send(&self, message: &Message) -> Result<(), String> {
        let from = self.mail_from.as_deref().ok_or("MAIL_FROM is missing")?;
        let sent = mail(&self.env, from, &message.to, &message.subject, &message.text);
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

impl World for Edge {
    fn now(&self) -> i64 {
        i64::try_from(Date::now().as_millis() / 1000).unwrap_or(i64::MAX)
    }

    fn millis(&self) -> u64 {
        Date::now().as_millis()
    }

    fn normalized(&self, text: &str, form: &str) -> String {
        JsString::from(text).normalize(form).into()
    }

    fn sleep(&self, millis: u64) -> Pending<'static, ()> {
        sleep(millis)
    }

    fn random(&self, buffer: &mut [u8]) {
        fill(buffer);
    }

    fn within_limit<'a>(&'a self, limit: Limit, key: &'a str) -> Pending<'a, bool> {
        Box::pin(async move {
            // A limiter that is missing or fails limits nobody.
            JsFuture::from(within(&self.env, limit.binding(), key)).await.map_or(true, |within| within.is_truthy())
        })
    }

    fn mails(&self) -> bool {
        bound(&self.env, "MAIL")
    }

    fn mail<'a>(&'a self, message: &'a Message) -> Pending<'a, Result<(), Fault>> {
        Box::pin(async move { self.send(message).await.map_err(|error| Fault::broken(format!("mail: {error}"))) })
    }

    fn cached<'a>(&'a self, key: &'a str) -> Pending<'a, Option<String>> {
        Box::pin(async move { JsFuture::from(cached(&self.env, key)).await.ok()?.as_string() })
    }

    fn cache<'a>(&'a self, key: &'a str, value: &'a str, seconds: u64) -> Pending<'a, ()> {
        Box::pin(async move {
            // KV keeps nothing for less than a minute; the entry says itself how old it is. What is
            // not kept is asked again.
            let seconds = u32::try_from(seconds.max(60)).unwrap_or(u32::MAX);
            let _ = JsFuture::from(cache(&self.env, key, value, seconds)).await;
        })
    }

    fn sign<'a>(&'a self, pkcs8: &'a [u8], message: &'a [u8]) -> Pending<'a, Result<Vec<u8>, Fault>> {
        Box::pin(async move { crypto::sign(pkcs8, message).await.map_err(Fault::unconfigured) })
    }

    fn verifies<'a>(&'a self, point: &'a [u8; 65], message: &'a [u8], signature: &'a [u8]) -> Pending<'a, bool> {
        Box::pin(crypto::verifies(point, message, signature))
    }

    fn later(&self, work: Pending<'static, ()>) {
        match &self.lasting {
            Lasting::Request(context) => context.wait_until(work),
            Lasting::Schedule(context) => context.wait_until(work),
        }
    }

    fn log(&self, line: &Value) {
        if line.get("level").and_then(Value::as_str) == Some("error") {
            console_error!("{line}");
        } else {
            console_log!("{line}");
        }
    }
}
