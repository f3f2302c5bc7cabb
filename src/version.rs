//! The program's version.

/// The version of this program and of what is in it, for people.
pub const VERSION: &str = env!("KOLABOREE_VERSION");
