//! Bytes to values and back: requests, replies, the Authorization header. It decides nothing.

pub mod authorization;
mod form;
pub mod html;
pub mod markdown;
pub mod request;
pub mod response;

pub use authorization::Authorization;
pub use form::Form;
pub use request::Request;
pub use response::{Dialect, Response};
