//! What runs every minute, and after answers: search learns of changes, what has expired is removed, owners are warned.

pub mod search_index;
pub mod warnings;
