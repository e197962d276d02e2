//! Terminals, shell and kubectl.
use crate::world::World;

/// Terminals.
#[derive(Clone, Default)]
pub struct State {}

/// A terminal's command looks again.
pub fn wake(_w: &mut World, _terminal: u8) {}

/// Waiting commands look at what changed.
pub fn poll(_w: &mut World) {}
