//! Mail: texts and recipients.

pub mod links;
pub mod notices;
