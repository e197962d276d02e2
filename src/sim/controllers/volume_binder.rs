//! volume_binder.
use crate::api::{Key, Obj};
use crate::controllers::Plan;
use crate::log::ChangeType;
use crate::world::World;

/// Wakes on changes.
pub fn on_change(_w: &mut World, _change: ChangeType, _old: Option<&Obj>, _new: &Obj) {}

/// Decides.
pub fn reconcile(_w: &World, _key: &Key) -> Plan {
    Plan::default()
}
