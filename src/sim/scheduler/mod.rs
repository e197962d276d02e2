//! The scheduler.
use crate::api::{Key, Obj};
use crate::log::ChangeType;
use crate::world::World;

/// What the scheduler knows.
#[derive(Clone, Default)]
pub struct State {}

/// A change that may make a pod schedulable.
pub fn on_change(_w: &mut World, _change: ChangeType, _old: Option<&Obj>, _new: &Obj) {}

/// Tries to place one pod.
pub fn sync(_w: &mut World, _key: &Key) {}

/// A back-off ended.
pub fn timer(_w: &mut World, _key: &Key, _what: &'static str) {}
