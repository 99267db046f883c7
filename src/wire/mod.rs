//! Bytes to values and back: requests, replies, the Authorization header. It decides nothing.

pub mod authorization;
pub mod page;
pub mod reply;
pub mod request;

pub use authorization::Authorization;
pub use reply::{Dialect, Reply};
pub use request::Request;
