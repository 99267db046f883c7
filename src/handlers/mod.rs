//! One function per heading of the documents, each in five beats: who, what, may they, do it, say it.

pub mod account;
pub mod gate;
pub mod projection;
pub mod v1;
pub mod who;
