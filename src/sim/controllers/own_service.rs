//! The API server looks every ten seconds whether its own Service is there
//! (kubernetes/pkg/controlplane/controller/kubernetesservice).

use crate::api::time::SECOND;
use crate::api::{Key, Kind, Obj};
use crate::bootstrap;
use crate::controllers::{Action, Effect, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::world::World;

/// Time between two looks.
const INTERVAL: u64 = 10 * SECOND;

/// Someone deleted it: the next look finds that out.
pub fn on_change(w: &mut World, change: ChangeType, new: &Obj) {
    if change == ChangeType::Deleted
        && new.kind == Kind::Service
        && new.name() == "kubernetes"
        && new.ns() == "default"
    {
        w.enqueue_after(Comp::ApiServer, new.key(), INTERVAL - w.now % INTERVAL, true);
    }
}

/// Makes it again.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    if w.store.by_key(key).is_none() {
        let make = Action::Create(Kind::Service, bootstrap::own_service());
        plan.push(Effect::new("api.own-service", make));
    }
    plan
}
