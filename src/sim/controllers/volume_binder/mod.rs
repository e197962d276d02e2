//! The persistent volume controller: binds claims and volumes, asks provisioners for new
//! volumes, reclaims released ones (behaviour/storage.md 1 to 6). Each claim and each volume
//! is a key of its own in the queue, as upstream's two loops have it.

mod claim;
pub mod matching;
#[cfg(test)]
mod tests;
mod volume;

use crate::api::time::{SECOND, rfc3339};
use crate::api::{Key, Kind, Obj};
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::{Str, Value};
use crate::world::World;

/// Name under which the controller's events appear.
pub const COMPONENT: &str = "persistentvolume-controller";
/// Annotation of a claim whose binding is finished.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// Annotation of a volume: who made it.
pub const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// Annotations of a claim: who shall make its volume.
pub const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
/// The older spelling of [`PROVISIONER`].
pub const BETA_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
/// Annotation of a claim: the node that the scheduler chose for its first consumer.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// All unbound claims and all volumes are looked at again that often, counted from the start
/// of the cluster.
const RESYNC: u64 = 15 * SECOND;

/// Each claim and volume that changes is looked at; a volume that goes wakes its claim, a
/// claim that goes its volume.
pub fn on_change(w: &mut World, change: ChangeType, _old: Option<&Obj>, new: &Obj) {
    let other = match (new.kind, change) {
        (Kind::PersistentVolume, ChangeType::Deleted) => {
            let r = &new.spec()["claimRef"];
            let name = r["name"].to_str();
            Key::new(Kind::PersistentVolumeClaim, r["namespace"].to_str(), name)
        }
        (Kind::PersistentVolumeClaim, ChangeType::Deleted) => {
            w.verdict(Comp::VolumeBinder, new.key(), None);
            Key::new(Kind::PersistentVolume, "", new.spec()["volumeName"].to_str())
        }
        (Kind::PersistentVolume | Kind::PersistentVolumeClaim, _) => new.key(),
        _ => return,
    };
    if w.store.by_key(&other).is_some() {
        w.enqueue(Comp::VolumeBinder, other);
    }
}

/// Decides about one claim or one volume.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    if let Some(obj) = w.store.by_key(key) {
        match key.kind {
            Kind::PersistentVolume => volume::sync(w, obj, &mut plan),
            _ => claim::sync(w, obj, &mut plan),
        }
    }
    plan
}

/// Waits for the next resync.
fn again(w: &World, plan: &mut Plan) {
    plan.act("pv.resync", Action::Requeue(RESYNC - w.now % RESYNC, true));
}

/// The object with its spec and metadata changed, ready to be written whatever version is
/// stored by then: a pass writes an object twice.
fn changed(obj: &Obj, change: impl FnOnce(&mut Value)) -> Value {
    let mut value = obj.value.clone();
    value.entry("metadata").remove("resourceVersion");
    change(&mut value);
    value
}

/// Writes a volume's phase if it is another one; `message` tells of a failure.
fn set_phase(w: &World, volume: &Obj, phase: &'static str, message: Option<Str>, plan: &mut Plan) {
    if volume.status()["phase"].str() == phase {
        return;
    }
    let value = changed(volume, |v| {
        let status = v.entry("status");
        status.set("phase", phase);
        status.set("lastPhaseTransitionTime", rfc3339(w.now));
        match message {
            Some(message) => status.set("message", message),
            None => drop(status.remove("message")),
        }
    });
    plan.push(
        Effect::new("pv.phase", Action::UpdateStatus(Kind::PersistentVolume, value))
            .on_error(OnError::Ignore),
    );
}

/// Binds a claim and a volume: four writes, the volume's before the claim's; each only where
/// something is still missing.
fn bind(w: &World, claim: &Obj, volume: &Obj, rule: &'static str, plan: &mut Plan) {
    let yes = |v: &mut Value, key: &'static str| {
        v.entry("metadata").entry("annotations").set(key, "yes");
    };
    if !matching::bound_to(volume, claim) || volume.spec()["claimRef"]["uid"].is_empty() {
        let chosen = !matching::bound_to(volume, claim);
        let value = changed(volume, |v| {
            let mut r = crate::api::event::reference(claim);
            r.set("resourceVersion", claim.resource_version().to_owned());
            v.entry("spec").set("claimRef", r);
            if chosen {
                yes(v, matching::BOUND_BY_CONTROLLER);
            }
        });
        plan.act(rule, Action::Update(Kind::PersistentVolume, value));
    }
    set_phase(w, volume, "Bound", None, plan);
    let named = claim.spec()["volumeName"] == volume.meta()["name"];
    if !named || claim.annotation(BIND_COMPLETED).is_none() {
        let value = changed(claim, |v| {
            if !named {
                v.entry("spec").set("volumeName", volume.name());
                yes(v, matching::BOUND_BY_CONTROLLER);
            }
            yes(v, BIND_COMPLETED);
        });
        plan.act(rule, Action::Update(Kind::PersistentVolumeClaim, value));
    }
    let becomes = claim.status()["phase"].str() != "Bound";
    if becomes || claim.status()["accessModes"] != volume.spec()["accessModes"] {
        let value = changed(claim, |v| {
            let status = v.entry("status");
            status.set("phase", "Bound");
            status.set("accessModes", &volume.spec()["accessModes"]);
            if becomes {
                let size = &volume.spec()["capacity"]["storage"];
                status.set("capacity", crate::value!({"storage": size}));
            }
        });
        plan.act(rule, Action::UpdateStatus(Kind::PersistentVolumeClaim, value));
    }
}
