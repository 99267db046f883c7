//! The stages on which the pages are played, and the world that they lend to the index.

#[allow(dead_code, reason = "not every test asks by itself")]
pub mod before;
#[allow(dead_code, reason = "not every test asks by itself")]
pub mod client;
pub mod operator;
pub mod page;
pub mod pattern;
pub mod play;
pub mod remote;
#[allow(dead_code, reason = "not every test reads the source")]
pub mod sources;
pub mod sqlite;
pub mod stage;
pub mod times;
pub mod world;

pub use stage::Stage;
