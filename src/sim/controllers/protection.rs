//! Claims in use and volumes in use cannot vanish: two finalizers and the controllers that take
//! them off in time (behaviour/storage.md 6).

use crate::api::{Key, Kind, Obj};
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::storage::claims;
use crate::value::{Str, Value};
use crate::world::World;

/// Finalizer of claims.
pub const CLAIM_FINALIZER: &str = "kubernetes.io/pvc-protection";
/// Finalizer of volumes.
pub const VOLUME_FINALIZER: &str = "kubernetes.io/pv-protection";

/// Wakes for claims and volumes that are being deleted, and for pods that let go of a claim.
pub fn on_change(w: &mut World, change: ChangeType, _old: Option<&Obj>, new: &Obj) {
    match (new.kind, change) {
        (Kind::PersistentVolume | Kind::PersistentVolumeClaim, ChangeType::Deleted) => {
            w.verdict(Comp::Protection, new.key(), None);
        }
        (Kind::PersistentVolume | Kind::PersistentVolumeClaim, _) if new.terminating() => {
            w.enqueue(Comp::Protection, new.key());
        }
        (Kind::Pod, ChangeType::Deleted) => {
            let ns = new.ns();
            for claim in claims::claims_of(new) {
                let key = Key::new(Kind::PersistentVolumeClaim, ns.clone(), claim);
                if w.store.by_key(&key).is_some_and(|c| c.terminating()) {
                    w.enqueue(Comp::Protection, key);
                }
            }
        }
        _ => {}
    }
}

/// Takes the finalizer off what nothing uses any more.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(obj) = w.store.by_key(key).filter(|o| o.terminating()) else { return plan };
    let (finalizer, user) = if key.kind == Kind::PersistentVolume {
        let r = &obj.spec()["claimRef"];
        let (ns, name) = (r["namespace"].to_str(), r["name"].to_str());
        let claim = Key::new(Kind::PersistentVolumeClaim, ns, name);
        let bound = obj.status()["phase"].str() == "Bound";
        (VOLUME_FINALIZER, bound.then_some(claim))
    } else {
        // a pod without a node has not mounted it; a finished one still counts
        let mut users = claims::users(w, &key.ns, &key.name);
        let user = users.find(|p| !p.pod().node.is_empty()).map(|p| p.key());
        (CLAIM_FINALIZER, user)
    };
    let is_it = |f: &Value| f.str() == finalizer;
    if !obj.meta()["finalizers"].items().iter().any(is_it) {
        return plan;
    }
    if user.is_some() {
        plan.waits = Some(("protect.wait-unused", user, Str::default()));
        return plan;
    }
    let mut value = obj.value.clone();
    value.path_mut("metadata.finalizers").list_mut().retain(|f| !is_it(f));
    plan.push(
        Effect::new("protect.let-go", Action::Update(key.kind, value)).on_error(OnError::Continue),
    );
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::time::SECOND;
    use crate::apiserver::{DeleteOptions, Sub, WriteOptions};
    use crate::config::{Config, Latency};
    use crate::value;

    const OPTS: WriteOptions = WriteOptions::TRUSTED;

    fn world() -> World {
        let mut w = World::new(Config { latency: Latency::Recording, ..Config::default() });
        w.create(
            Kind::PersistentVolumeClaim,
            value!({
                "metadata": {"name": "data", "namespace": "default"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "standard"
                }
            }),
            OPTS,
        )
        .expect("created");
        w.settle(SECOND);
        w
    }

    fn pod(w: &mut World, name: &'static str, node: Option<&'static str>) -> Key {
        let mut spec = value!({
            "containers": [{"name": "c", "image": "i"}], "terminationGracePeriodSeconds": 0,
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
        });
        if let Some(node) = node {
            spec.set("nodeName", node);
        }
        let v = value!({"metadata": {"name": name, "namespace": "default"}, "spec": spec});
        w.create(Kind::Pod, v, OPTS).expect("created").key()
    }

    #[test]
    fn a_scheduled_pod_keeps_a_claim_and_a_claim_keeps_its_volume() {
        let mut w = world();
        let claim = Key::new(Kind::PersistentVolumeClaim, "default", "data");
        let volume = w.store.all(Kind::PersistentVolume).next().expect("volume").key();
        let running = pod(&mut w, "a", Some("worker-1"));
        w.modify(&running, Sub::Status, |v| v.entry("status").set("phase", "Succeeded"));
        w.delete(&claim, &DeleteOptions::default()).expect("deleted");
        w.delete(&volume, &DeleteOptions::default()).expect("deleted");
        w.settle(SECOND);
        assert!(w.store.by_key(&claim).is_some_and(|c| c.terminating()));
        assert!(w.store.by_key(&volume).is_some_and(|v| v.terminating()));
        let opts = DeleteOptions { grace: Some(0), ..DeleteOptions::default() };
        w.delete(&running, &opts).expect("deleted");
        w.settle(10 * SECOND);
        assert!(w.store.by_key(&claim).is_none());
        assert!(w.store.by_key(&volume).is_none());
    }

    #[test]
    fn a_pod_without_a_node_does_not() {
        let mut w = world();
        let nowhere = value!({"disktype": "none"});
        let key = pod(&mut w, "a", None);
        w.modify(&key, Sub::Main, |v| v.entry("spec").set("nodeSelector", nowhere));
        let claim = Key::new(Kind::PersistentVolumeClaim, "default", "data");
        w.delete(&claim, &DeleteOptions::default()).expect("deleted");
        w.settle(10 * SECOND);
        assert!(w.store.by_key(&claim).is_none());
        // and the volume of a class with policy Delete goes with it
        assert_eq!(w.store.count(Kind::PersistentVolume), 0);
    }
}
