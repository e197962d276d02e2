//! The page: components over immutable frames. The engine is outside of component state, in
//! [`session::Session`]; each change makes a new [`session::Frame`] that goes down as props.

pub mod acts;
pub mod app;
pub mod diagnose;
pub mod editor;
pub mod exercise;
pub mod folder;
pub mod header;
pub mod highlight;
pub mod i18n;
pub mod icons;
pub mod inspector;
mod keys;
pub mod options;
pub mod playback;
pub mod readline;
pub mod screen;
pub mod session;
mod sight;
pub mod stage;
pub mod stories;
pub mod terminal;
pub mod timeline;
