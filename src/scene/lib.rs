//! The view model of Podium: what is on stage, as plain data, from a world and a cursor alone.
//!
//! Nothing here knows a browser or a language: sentences are [`Msg`], keys of static/i18n with
//! their words. [`Director`] keeps the last scene and hands out the same `Rc` for every item
//! that has not changed, so that a page redraws only what has.

pub mod disks;
pub mod history;
pub mod lanes;
pub mod layout;
pub mod model;
pub mod net;
pub mod pods;
pub mod sets;
pub mod speak;
pub mod text;
pub mod why;

mod director;
mod look;
#[cfg(test)]
mod tests;

pub use director::Director;
pub use model::*;
