//! Disks: contents, attach and detach.
pub mod claims;
mod resize;

pub use claims::default_class;
pub use resize::admit_resize;

use crate::api::{Key, Obj};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::Str;
use crate::world::World;

/// Disks and attachments.
#[derive(Clone, Default)]
pub struct State {}

/// A change that storage may care for.
pub fn on_change(_w: &mut World, _change: ChangeType, _old: Option<&Obj>, _new: &Obj) {}

/// Own steps of provisioner and attach/detach.
pub fn timer(_w: &mut World, _comp: Comp, _key: &Key, _uid: &Str, _what: &'static str, _n: u64) {}
