//! Repositories.

use crate::{
    domain::RepositoryName,
    index::Index,
    refusal::{Answer, Fault},
    wire::{Reply, Request},
};

/// To come.
pub async fn create(_index: &Index, _request: &Request, _namespace: Option<&String>) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}

/// To come.
pub async fn list(_index: &Index, _request: &Request, _namespace: &str) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}

/// To come.
pub async fn get(_index: &Index, _request: &Request, _name: &RepositoryName) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}

/// To come.
pub async fn update(_index: &Index, _request: &Request, _name: &RepositoryName) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}

/// To come.
pub async fn delete(_index: &Index, _request: &Request, _name: &RepositoryName) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}

/// To come.
pub async fn privacy(_index: &Index, _request: &Request, _name: &RepositoryName) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}

/// To come.
pub async fn transfer(_index: &Index, _request: &Request, _name: &RepositoryName) -> Answer<Reply> {
    Err(Fault::broken("to come").into())
}
