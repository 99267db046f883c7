//! `GET /v2/`: the gate of the registry protocol, which decides who can work with this host.
//!
//! Every client of today begins here. Without the version header, old ones do not take the index for
//! a registry; with a 401, new ones ask for credentials.

use serde_json::json;

use crate::{
    handlers::who::{self, Presented},
    index::Index,
    refusal::{Answer, Challenge, Error, Refusal},
    wire::{Reply, Request},
};

/// `GET /v2/`
pub async fn enter(index: &Index, request: &Request) -> Answer<Reply> {
    let known = async {
        let presented = who::presented(index, request)?;
        if presented == Presented::Nobody {
            return Err(who::unauthorized("authentication required"));
        }
        presented.require_no_token()?;
        presented.known(index, &index.db.last(vec![presented.statement()]).await?).await
    };
    match known.await {
        Ok(_) => Ok(Reply::json(200, &json!({})).personal()),
        Err(Error::Refusal(Refusal::Unauthorized(_, reason))) => {
            Err(Refusal::Unauthorized(Challenge::Basic, reason).into())
        }
        Err(error) => Err(error),
    }
}
