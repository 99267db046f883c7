//! Work that waits for the platform. A promise costs two closures and a registration of each with the collector in
//! `wasm-bindgen-futures`, and its resolution a microtask: here a call has a number, and what comes of it one call back.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use futures_util::future::LocalBoxFuture;
use js_sys::Promise;
use wasm_bindgen::{JsValue, closure::Closure, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = listen)]
    fn listen_with(settle: &Closure<dyn Fn(u32, bool, String)>, abandon: &Closure<dyn Fn(u32)>);

    /// A promise of this number.
    fn promised(number: u32) -> Promise;

    /// Resolves the promise of this number.
    fn resolve(number: u32, value: JsValue);
}

/// What waits, by its number: a few for each request that is served.
type Waiting<T> = RefCell<Vec<(u32, T)>>;

/// Takes what waits under this number.
fn take<T>(waiting: &mut Vec<(u32, T)>, number: u32) -> Option<T> {
    let at = waiting.iter().position(|(known, _)| *known == number)?;
    Some(waiting.swap_remove(at).1)
}

thread_local! {
    static NUMBERS: Cell<u32> = const { Cell::new(0) };
    static REPLIES: Waiting<Rc<RefCell<State>>> = const { RefCell::new(Vec::new()) };
    static TASKS: Waiting<LocalBoxFuture<'static, JsValue>> = const { RefCell::new(Vec::new()) };
    static READY: RefCell<VecDeque<u32>> = const { RefCell::new(VecDeque::new()) };
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// The next number: none is given twice while it is in use.
fn number() -> u32 {
    NUMBERS.replace(NUMBERS.get().wrapping_add(1))
}

#[derive(Default)]
struct State {
    result: Option<Result<String, String>>,
    waker: Option<Waker>,
}

/// What a call of the platform replies: a text, or the message of an error.
pub struct Reply {
    number: u32,
    state: Rc<RefCell<State>>,
}

impl Reply {
    /// Calls with a number, under which `platform.js` calls back once.
    pub fn of(call: impl FnOnce(u32)) -> Self {
        let (number, state) = (number(), Rc::default());
        REPLIES.with_borrow_mut(|replies| replies.push((number, Rc::clone(&state))));
        call(number);
        Self { number, state }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        REPLIES.with_borrow_mut(|replies| drop(take(replies, self.number)));
    }
}

impl Future for Reply {
    type Output = Result<String, String>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.state.borrow_mut();
        if let Some(result) = state.result.take() {
            return Poll::Ready(result);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// Hands `platform.js` what it calls back.
pub fn listen() {
    let settle = Closure::<dyn Fn(u32, bool, String)>::new(|number, is_reply, text| {
        let Some(state) = REPLIES.with_borrow_mut(|replies| take(replies, number)) else { return };
        let waker = {
            let mut state = state.borrow_mut();
            state.result = Some(if is_reply { Ok(text) } else { Err(text) });
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    });
    // Dropped after it was taken, since it holds replies and whatever else.
    let abandon = Closure::<dyn Fn(u32)>::new(|number| drop(TASKS.with_borrow_mut(|tasks| take(tasks, number))));
    listen_with(&settle, &abandon);
    // They are called as long as the program lives.
    settle.forget();
    abandon.forget();
}

/// How many tasks and calls wait.
#[cfg(feature = "testing")]
pub fn count() -> (usize, usize) {
    (TASKS.with_borrow(Vec::len), REPLIES.with_borrow(Vec::len))
}

/// Wakes a task by its number.
struct TaskWaker(u32);

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        READY.with_borrow_mut(|ready| ready.push_back(self.0));
        // What is woken while a task runs follows it.
        if !IS_RUNNING.replace(true) {
            run_ready();
        }
    }
}

/// Polls a task, and keeps it if it waits.
fn advance(number: u32, mut task: LocalBoxFuture<'static, JsValue>) -> Poll<JsValue> {
    let waker = Waker::from(Arc::new(TaskWaker(number)));
    let advanced = task.as_mut().poll(&mut Context::from_waker(&waker));
    if advanced.is_pending() {
        TASKS.with_borrow_mut(|tasks| tasks.push((number, task)));
    }
    advanced
}

/// Polls what was woken, until nothing is.
fn run_ready() {
    while let Some(number) = READY.with_borrow_mut(VecDeque::pop_front) {
        let task = TASKS.with_borrow_mut(|tasks| take(tasks, number));
        if let Some(Poll::Ready(value)) = task.map(|task| advance(number, task)) {
            resolve(number, value);
        }
    }
    IS_RUNNING.set(false);
}

/// Runs a task: its value if that is ready at once, as every refusal is, else a promise of it.
pub fn run(task: LocalBoxFuture<'static, JsValue>) -> JsValue {
    let number = number();
    let was_running = IS_RUNNING.replace(true);
    let value = match advance(number, task) {
        Poll::Ready(value) => value,
        Poll::Pending => promised(number).into(),
    };
    if !was_running {
        run_ready();
    }
    value
}
