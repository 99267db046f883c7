//! One function per endpoint, in five steps: authenticate, parse, authorize, execute, respond.

pub mod account;
pub mod body;
pub mod events;
pub mod health;
pub mod hub;
pub mod openapi;
pub mod pages;
pub mod reconciler;
pub mod registry;
pub mod revocation;
pub mod site;
pub mod v1;
