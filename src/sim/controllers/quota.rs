//! The resource quota controller: says in a quota's status what it bounds and what is used.
//! What a new object adds, the API server's plugin counts itself (`apiserver::quota`).

use crate::api::{Key, Kind, Obj, Phase};
use crate::apiserver::quota;
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::world::World;

/// Wakes a quota that is new or was changed, and all of a namespace when something is given back.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    if w.store.count(Kind::ResourceQuota) == 0 {
        return;
    }
    let over = |o: &Obj| matches!(o.pod().phase, Phase::Succeeded | Phase::Failed);
    if new.kind == Kind::ResourceQuota && change != ChangeType::Deleted {
        if old.is_none_or(|o| o.spec() != new.spec()) {
            w.enqueue(Comp::Namespace, new.key());
        }
        return;
    }
    let back = match (change, new.kind) {
        (_, Kind::Event) => false,
        (ChangeType::Deleted, kind) => kind.info().namespaced,
        (ChangeType::Modified, Kind::Pod) => over(new) && old.is_some_and(|o| !over(o)),
        (ChangeType::Modified, Kind::PersistentVolumeClaim | Kind::Service) => {
            old.is_some_and(|o| o.spec() != new.spec())
        }
        _ => false,
    };
    if back {
        let quotas: Vec<Key> =
            w.store.list(Kind::ResourceQuota, &new.ns()).map(|q| q.key()).collect();
        for key in quotas {
            w.enqueue(Comp::Namespace, key);
        }
    }
}

/// Counts anew.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(obj) = w.store.by_key(key) else { return plan };
    let mut value = obj.value.clone();
    let status = value.entry("status");
    status.set("hard", &obj.spec()["hard"]);
    status.set("used", quota::used(w, obj));
    if value != *obj.value {
        plan.push(
            Effect::new("quota.count", Action::UpdateStatus(Kind::ResourceQuota, value))
                .on_error(OnError::Ignore),
        );
    }
    plan
}
