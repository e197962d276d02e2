//! The API server looks every ten seconds whether its own Service and its endpoints are there
//! (kubernetes/pkg/controlplane/controller/kubernetesservice, pkg/controlplane/reconcilers).

use crate::api::time::SECOND;
use crate::api::{Key, Kind, Obj};
use crate::bootstrap;
use crate::config::Latency;
use crate::controllers::{Action, Effect, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::world::World;

/// Time between two looks.
const INTERVAL: u64 = 10 * SECOND;

/// Someone deleted it: the next look finds that out.
pub fn on_change(w: &mut World, change: ChangeType, new: &Obj) {
    if change == ChangeType::Deleted
        && matches!(new.kind, Kind::Service | Kind::Endpoints | Kind::EndpointSlice)
        && new.name() == "kubernetes"
        && new.ns() == "default"
    {
        w.enqueue_after(Comp::ApiServer, new.key(), INTERVAL - w.now % INTERVAL, true);
    }
}

/// Makes it again.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let value = match key.kind {
        Kind::Service => bootstrap::own_service(),
        _ if w.config.latency == Latency::Recording => return plan,
        Kind::Endpoints => bootstrap::own_endpoints(),
        _ => bootstrap::own_slice(),
    };
    if w.store.by_key(key).is_none() {
        let make = Action::Create(key.kind, value);
        plan.push(Effect::new("api.own-service", make));
    }
    plan
}
