//! Disks: contents, attach and detach.
use crate::api::{Key, Obj};
use crate::apiserver::error::Status;
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::{Str, Value};
use crate::world::World;

/// Disks and attachments.
#[derive(Clone, Default)]
pub struct State {}

/// Name of the default storage class.
pub fn default_class(_w: &World) -> Option<Str> {
    Some("standard".into())
}

/// May this claim grow?
///
/// # Errors
/// 403 where not.
pub fn admit_resize(_w: &World, _new: &Value, _old: &Value) -> Result<(), Status> {
    Ok(())
}

/// A change that storage may care for.
pub fn on_change(_w: &mut World, _change: ChangeType, _old: Option<&Obj>, _new: &Obj) {}

/// Own steps of provisioner and attach/detach.
pub fn timer(_w: &mut World, _comp: Comp, _key: &Key, _uid: &Str, _what: &'static str, _n: u64) {}
