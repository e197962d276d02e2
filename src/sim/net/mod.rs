//! Addresses, DNS, kube-proxy.
use crate::api::{Key, Obj};
use crate::apiserver::error::Status;
use crate::log::ChangeType;
use crate::value::{Str, Value};
use crate::world::World;

/// Addresses and caches.
#[derive(Clone, Default)]
pub struct State {}

/// A change that networking may care for.
pub fn on_change(_w: &mut World, _change: ChangeType, _old: Option<&Obj>, _new: &Obj) {}

/// Own steps.
pub fn timer(_w: &mut World, _key: &Key, _uid: &Str, _what: &'static str, _n: u64) {}

/// Cluster IP of a new Service.
///
/// # Errors
/// 422 if the wanted address is taken.
pub fn allocate_service(_w: &mut World, _svc: &mut Value, _dry_run: bool) -> Result<(), Status> {
    Ok(())
}

/// Gives a Service's addresses back.
pub fn release_service(_w: &mut World, _svc: &Value) {}

/// A person has a client pod look a name up.
pub fn act_lookup(_w: &mut World, _client: &str, _name: &str) {}

/// A person has a client pod connect to the address that it remembers.
pub fn act_remembered(_w: &mut World, _client: &str) {}
