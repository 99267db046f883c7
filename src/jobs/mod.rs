//! What runs every minute, and after answers: search learns of changes, what has expired is removed, users are warned.

pub mod expiry;
pub mod search_index;
pub mod warnings;
