//! Collaborators.

use crate::{
    domain::RepositoryName,
    index::Index,
    refusal::{Answer, Fault},
    wire::{Reply, Request},
};

/// To come.
pub async fn add(_index: &Index, _request: &Request, _name: &RepositoryName) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}

/// To come.
pub async fn list(_index: &Index, _request: &Request, _name: &RepositoryName) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}

/// To come.
pub async fn remove(_index: &Index, _request: &Request, _name: &RepositoryName, _user: &str) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}
