//! Text to objects and back.
pub mod defaults;
pub mod validation;
