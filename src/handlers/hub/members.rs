//! Members.

use crate::{
    index::Index,
    refusal::{Answer, Fault},
    wire::{Reply, Request},
};

/// To come.
pub async fn list(_index: &Index, _request: &Request, _namespace: &str) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}

/// To come.
pub async fn set(_index: &Index, _request: &Request, _namespace: &str, _user: &str) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}

/// To come.
pub async fn remove(_index: &Index, _request: &Request, _namespace: &str, _user: &str) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}
