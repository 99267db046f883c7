//! The floor: the least that a worker in Rust does for an answer, without a database and with one
//! round trip to it.

use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    if request.inner().url().ends_with("/db") {
        let database = env.d1("DB")?;
        database.batch(vec![database.prepare("select 1 one")]).await?;
    }
    Response::ok("OK")
}
