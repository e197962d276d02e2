//! Node lifecycle, taint eviction, pod garbage collection.
use crate::api::{Key, Obj};
use crate::controllers::Plan;
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::Str;
use crate::world::World;

/// What these controllers remember.
#[derive(Clone, Default)]
pub struct State {}

/// Wakes on changes.
pub fn on_change(_w: &mut World, _change: ChangeType, _old: Option<&Obj>, _new: &Obj) {}

/// Decides.
pub fn reconcile(_w: &World, _comp: Comp, _key: &Key) -> Plan {
    Plan::default()
}

/// Own timers.
pub fn timer(_w: &mut World, _comp: Comp, _key: &Key, _uid: &Str, _what: &'static str, _n: u64) {}

impl World {
    /// The node stops answering.
    pub fn node_down(&mut self, _name: &str) {}

    /// The node comes back.
    pub fn node_up(&mut self, _name: &str) {}
}
