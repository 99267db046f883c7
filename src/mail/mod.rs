//! Mails: what they say, and to whom they go.

pub mod links;
pub mod notices;
