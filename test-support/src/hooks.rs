//! A database with a hook before each call: what other requests do while one is under way.

use std::{cell::Cell, rc::Rc};

use futures_util::future::LocalBoxFuture;

use hublet::{
    context::Context,
    error::Fault,
    serve::serve,
    store::{Database, Db, Rows, Statement},
    wire::{Request, Response},
};

use super::{TestApp, fake_platform::block_on, sqlite::Sqlite};

/// Runs before a call of the database. It gets the number of the call, from 1, and whether the call writes more than a
/// counted guess (that is written before the user is known).
pub type Hook = Box<dyn Fn(&Rc<Sqlite>, u32, bool)>;

struct HookedDatabase {
    database: Rc<Sqlite>,
    /// Whether the response is not complete yet.
    waiting: Cell<bool>,
    calls: Cell<u32>,
    hook: Hook,
}

impl Database for HookedDatabase {
    fn batch<'a>(&'a self, statements: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>> {
        if self.waiting.get() {
            self.calls.set(self.calls.get() + 1);
            let writes = |statement: &Statement| !statement.reads_only() && !statement.sql.contains("into failures");
            (self.hook)(&self.database, self.calls.get(), statements.iter().any(writes));
        }
        self.database.batch(statements)
    }
}

/// Answers a request, runs what it left for after the response, and returns the number of calls of `DB` before it.
pub fn answer(app: &TestApp, request: &Request, hook: Hook) -> (Response, u32) {
    let before =
        Rc::new(HookedDatabase { database: app.db.clone(), waiting: Cell::new(true), calls: Cell::new(0), hook });
    let index = Context { db: Rc::new(Db::new(before.clone())), ..app.context() };
    let reply = block_on(serve(&index, request));
    let asked = index.db.round_trips();
    before.waiting.set(false);
    app.platform.run_pending();
    (reply, asked)
}

/// A hook that runs once, before the first call that writes.
pub fn before_first_write(doing: impl Fn(&Rc<Sqlite>) + 'static) -> Hook {
    let done = Cell::new(false);
    Box::new(move |database, _, writes| {
        if writes && !done.replace(true) {
            doing(database);
        }
    })
}
