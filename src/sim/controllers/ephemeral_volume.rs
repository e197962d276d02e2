//! Makes the claims of generic ephemeral volumes: one for each such volume of a pod, named
//! `<pod>-<volume>` and owned by the pod, so that it goes with it. It follows Kubernetes'
//! `pkg/controller/volume/ephemeral`.

use crate::api::{Key, Kind, Obj, Object};
use crate::controllers::statefulset::identity::controller_ref;
use crate::controllers::{Action, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::storage::mounts;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// Wakes for pods with such volumes, and for pods whose claim has gone.
pub fn on_change(w: &mut World, change: ChangeType, new: &Obj) {
    match (new.kind, change) {
        (Kind::Pod, ChangeType::Added | ChangeType::Modified) if volumes(new).next().is_some() => {
            w.enqueue(Comp::EphemeralVolume, new.key());
        }
        (Kind::PersistentVolumeClaim, ChangeType::Deleted) => {
            if let Some(owner) = new.controller_ref().filter(|r| r["kind"].str() == "Pod") {
                let pod = Key::new(Kind::Pod, new.ns(), owner["name"].to_str());
                w.enqueue(Comp::EphemeralVolume, pod);
            }
        }
        _ => {}
    }
}

fn volumes(pod: &Object) -> impl Iterator<Item = &Value> {
    pod.spec()["volumes"].items().iter().filter(|v| v.has("ephemeral"))
}

/// Creates the claims that are missing; a claim of that name that is not the pod's is an error.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(pod) = w.store.by_key(key).filter(|p| !p.terminating()) else { return plan };
    for volume in volumes(pod) {
        let Some(name) = mounts::claim_name(pod, volume) else { continue };
        match w.store.get(Kind::PersistentVolumeClaim, &key.ns, &name) {
            None => plan.act("ephemeral.create", Action::Create(CLAIM, claim(pod, volume, &name))),
            Some(there) if there.controller_uid() == pod.uid_ref().as_str() => {}
            Some(_) => {
                let (ns, pod) = (&key.ns, &key.name);
                let why = format!(
                    "PVC {ns}/{name} was not created for pod {ns}/{pod} (pod is not owner)"
                );
                plan.act("ephemeral.create", Action::Fail(why.into()));
            }
        }
    }
    plan
}

const CLAIM: Kind = Kind::PersistentVolumeClaim;

fn claim(pod: &Object, volume: &Value, name: &Str) -> Value {
    let template = &volume["ephemeral"]["volumeClaimTemplate"];
    let owner = controller_ref("v1", "Pod", pod.name_ref(), pod.uid_ref());
    let mut meta = value!({"name": name, "namespace": (pod.ns()), "ownerReferences": [owner]});
    for part in ["annotations", "labels"] {
        let given = &template["metadata"][part];
        if !given.is_empty() {
            meta.set(part, given);
        }
    }
    value!({"metadata": meta, "spec": (template["spec"].clone())})
}
