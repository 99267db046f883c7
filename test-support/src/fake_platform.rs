//! The platform of the tests: a clock that is set, a mailbox that is read, a cache, a log.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use futures_util::future::LocalBoxFuture;

use hublet::{
    domain::outgoing::OutgoingUrl,
    error::Fault,
    platform::{FetchError, FetchLimits, FetchResponse, Message, Platform, RateLimit},
};
use p256::{
    ecdsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer, Verifier},
    },
    pkcs8::DecodePrivateKey,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// The time at the start: 2026-01-01 in UTC.
const BEGINNING: i64 = 1_767_225_600;

/// A platform on which nothing happens by itself.
#[derive(Default)]
pub struct FakePlatform {
    millis: Rc<Cell<u64>>,
    drawn: Cell<u64>,
    later: RefCell<VecDeque<LocalBoxFuture<'static, ()>>>,
    cache: RefCell<BTreeMap<String, (String, i64)>>,
    /// Whether mail can be sent.
    pub mails: Cell<bool>,
    /// Whether every rate limit is exceeded.
    pub over_limits: Cell<bool>,
    /// The checks of rate limits, in order.
    pub limits_asked: RefCell<Vec<(RateLimit, String)>>,
    /// The mails that were sent, in order.
    pub mailbox: RefCell<Vec<Message>>,
    /// The lines of the log, in order.
    pub log: RefCell<Vec<Value>>,
}

impl FakePlatform {
    /// A platform at the same time, with an empty mailbox and log, and other randomness.
    #[must_use]
    pub fn copied(&self) -> Self {
        let millis = Rc::new(Cell::new(self.millis.get()));
        Self { millis, drawn: Cell::new(1 << 32), mails: self.mails.clone(), ..Self::default() }
    }

    /// Moves the clock forward by this number of seconds.
    pub fn advance(&self, seconds: u64) {
        self.millis.set(self.millis.get() + seconds * 1000);
    }

    /// Moves the clock to the next whole second: hashes that wait for a slot take parts of one.
    pub fn finish_second(&self) {
        self.millis.set(self.millis.get().next_multiple_of(1000));
    }

    /// Runs the work that was left for after the response, and what that left.
    pub fn run_pending(&self) {
        loop {
            let Some(work) = self.later.borrow_mut().pop_front() else { break };
            block_on(work);
        }
    }
}

impl Platform for FakePlatform {
    fn now(&self) -> i64 {
        BEGINNING + i64::try_from(self.millis.get() / 1000).unwrap_or_default()
    }

    fn now_ms(&self) -> u64 {
        BEGINNING.unsigned_abs() * 1000 + self.millis.get()
    }

    fn normalized(&self, text: &str, form: &str) -> String {
        if form == "NFC" { text.nfc().collect() } else { text.nfd().collect() }
    }

    fn openapi(&self) -> LocalBoxFuture<'_, Result<String, Fault>> {
        Box::pin(async { Ok(include_str!("../../src/openapi.json").to_owned()) })
    }

    fn sleep(&self, millis: u64) -> LocalBoxFuture<'static, ()> {
        let clock = Rc::clone(&self.millis);
        let mut until = None;
        Box::pin(std::future::poll_fn(move |_| {
            if let Some(until) = until {
                clock.set(clock.get().max(until));
                return Poll::Ready(());
            }
            // The others go on meanwhile, and who sleeps beside this one sleeps at the same time.
            until = Some(clock.get() + millis);
            Poll::Pending
        }))
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(32) {
            self.drawn.set(self.drawn.get() + 1);
            let bytes = Sha256::digest(self.drawn.get().to_be_bytes());
            part.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        }
    }

    fn check_rate_limit<'a>(&'a self, limit: RateLimit, key: &'a str) -> LocalBoxFuture<'a, bool> {
        self.limits_asked.borrow_mut().push((limit, key.to_owned()));
        Box::pin(async { !self.over_limits.get() })
    }

    fn can_send_mail(&self) -> bool {
        self.mails.get()
    }

    fn send_mail<'a>(&'a self, message: &'a Message) -> LocalBoxFuture<'a, Result<(), Fault>> {
        Box::pin(async {
            self.mailbox.borrow_mut().push(message.clone());
            Ok(())
        })
    }

    fn cache_get<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Option<String>> {
        let cache = self.cache.borrow();
        let found = cache.get(key).filter(|(_, until)| self.now() < *until).map(|(value, _)| value.clone());
        Box::pin(async { found })
    }

    fn cache_put<'a>(&'a self, key: &'a str, value: &'a str, seconds: u64) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            let until = self.now() + i64::try_from(seconds).unwrap_or(i64::MAX / 2);
            self.cache.borrow_mut().insert(key.to_owned(), (value.to_owned(), until));
        })
    }

    fn sign_es256<'a>(&'a self, pkcs8: &'a [u8], message: &'a [u8]) -> LocalBoxFuture<'a, Result<Vec<u8>, Fault>> {
        let signed = SigningKey::from_pkcs8_der(pkcs8)
            .map(|key| Signer::<Signature>::sign(&key, message).to_bytes().to_vec())
            .map_err(|error| Fault::unconfigured(error.to_string()));
        Box::pin(async { signed })
    }

    fn verify_es256<'a>(
        &'a self,
        point: &'a [u8; 65],
        message: &'a [u8],
        signature: &'a [u8],
    ) -> LocalBoxFuture<'a, bool> {
        let verified = || {
            let key = VerifyingKey::from_sec1_bytes(point).ok()?;
            key.verify(message, &Signature::from_slice(signature).ok()?).ok()
        };
        let verified = verified().is_some();
        Box::pin(async move { verified })
    }

    fn fetch<'a>(
        &'a self,
        url: &'a OutgoingUrl,
        _limits: FetchLimits,
    ) -> LocalBoxFuture<'a, Result<FetchResponse, FetchError>> {
        Box::pin(async move { Err(FetchError::Failed(format!("no network here: {}", url.as_str()))) })
    }

    fn wait_until(&self, work: LocalBoxFuture<'static, ()>) {
        self.later.borrow_mut().push_back(work);
    }

    fn write_log(&self, _is_error: bool, line: &str) {
        self.log.borrow_mut().push(serde_json::from_str(line).unwrap_or_else(|error| unreachable!("{line}: {error}")));
    }
}

/// Polls a future to its end; it must wait for nothing outside of this process.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = work.as_mut().poll(&mut context) {
            return value;
        }
    }
}
