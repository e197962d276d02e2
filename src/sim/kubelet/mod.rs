//! The kubelets.
use crate::api::{Key, Obj};
use crate::log::ChangeType;
use crate::value::{Str, Value};
use crate::world::World;

/// What the kubelets know.
#[derive(Clone, Default)]
pub struct State {}

/// `status.qosClass`.
pub fn qos_class(_spec: &Value) -> &'static str {
    "BestEffort"
}

/// A change that kubelets may care for.
pub fn on_change(_w: &mut World, _change: ChangeType, _old: Option<&Obj>, _new: &Obj) {}

/// A kubelet's own step.
pub fn timer(_w: &mut World, _key: &Key, _uid: &Str, _what: &'static str, _n: u64) {}
