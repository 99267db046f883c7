//! A database before whose calls something happens: what others do while a request is under way.

use std::{cell::Cell, rc::Rc};

use futures_util::future::LocalBoxFuture;

use hublet::{
    context::Context,
    error::Fault,
    serve::serve,
    store::{Database, Db, Rows, Statement},
    wire::{Request, Response},
};

use super::{Stage, fake_platform::finished, sqlite::Sqlite};

/// What happens before a call: it is told which one that is, from 1, and whether it writes more than that a guess is
/// counted, which is done before it is known whose right it is.
pub type Happens = Box<dyn Fn(&Sqlite, u32, bool)>;

struct Before {
    database: Rc<Sqlite>,
    /// Whether the answer is still waited for.
    waiting: Cell<bool>,
    calls: Cell<u32>,
    happens: Happens,
}

impl Database for Before {
    fn batch<'a>(&'a self, statements: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>> {
        if self.waiting.get() {
            self.calls.set(self.calls.get() + 1);
            let writes = |statement: &Statement| !statement.reads_only() && !statement.sql.contains("into failures");
            (self.happens)(&self.database, self.calls.get(), statements.iter().any(writes));
        }
        self.database.batch(statements)
    }
}

/// Answers a request, does what follows the answer, and says how often `DB` was asked for the answer.
pub fn answer(stage: &Stage, request: &Request, happens: Happens) -> (Response, u32) {
    let before = Rc::new(Before { database: stage.db.clone(), waiting: Cell::new(true), calls: Cell::new(0), happens });
    let index = Context { db: Rc::new(Db::new(before.clone())), ..stage.index() };
    let reply = finished(serve(&index, request));
    let asked = index.db.round_trips();
    before.waiting.set(false);
    stage.platform.do_later();
    (reply, asked)
}

/// Does this before the first call that writes, and never again.
pub fn the_first_write(doing: impl Fn(&Sqlite) + 'static) -> Happens {
    let done = Cell::new(false);
    Box::new(move |database, _, writes| {
        if writes && !done.replace(true) {
            doing(database);
        }
    })
}
