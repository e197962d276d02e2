//! Growth of volumes (behaviour/storage.md 10): the controller that notices a larger request,
//! the resizer beside the provisioner that makes the volume larger, and the kubelet that makes
//! the file system on it larger.

use crate::api::object::condition;
use crate::api::time::rfc3339;
use crate::api::{Key, Kind, Obj, Phase, quantity};
use crate::apiserver::Sub;
use crate::apiserver::events::Note;
use crate::config::Delay;
use crate::controllers::volume_binder::{PROVISIONED_BY, matching};
use crate::controllers::{Action, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::storage::claims;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// Name under which the first controller's events appear.
const COMPONENT: &str = "volume_expand";
/// Condition while the volume itself grows.
const RESIZING: &str = "Resizing";
/// Condition while only the file system has to grow.
const PENDING: &str = "FileSystemResizePending";

/// Wakes for a claim that asks for more than it has, and for a pod that starts to use it.
pub fn on_change(w: &mut World, change: ChangeType, _old: Option<&Obj>, new: &Obj) {
    if change == ChangeType::Deleted {
        return;
    }
    match new.kind {
        Kind::PersistentVolumeClaim if wants_more(new) => w.enqueue(Comp::Expand, new.key()),
        Kind::Pod if new.pod().phase == Phase::Running => {
            let ns = new.ns();
            for name in claims::claims_of(new) {
                let key = Key::new(Kind::PersistentVolumeClaim, ns.clone(), name);
                if w.store.by_key(&key).is_some_and(|c| !condition(&c.value, PENDING).is_null()) {
                    w.enqueue(Comp::Expand, key);
                }
            }
        }
        _ => {}
    }
}

fn wants_more(claim: &Obj) -> bool {
    let has = &claim.status()["capacity"]["storage"];
    let asks = &claim.spec()["resources"]["requests"]["storage"];
    claim.status()["phase"].str() == "Bound"
        && has != asks
        && quantity::milli(asks.str()) > quantity::milli(has.str())
}

/// The next step for a claim that grows.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(claim) = w.store.by_key(key).filter(|c| wants_more(c)) else { return plan };
    let volume = w.store.get(Kind::PersistentVolume, "", claim.spec()["volumeName"].str());
    let Some(volume) = volume else { return plan };
    let target = claim.status()["allocatedResources"]["storage"].str();
    if !condition(&claim.value, PENDING).is_null() {
        match user(w, claim) {
            Some(pod) => {
                let after = w.delay(Delay::GrowFileSystem, &[&claim.uid(), &pod.uid(), target]);
                plan.act(
                    "pv.grow-file-system",
                    Action::Timer(claim.clone(), "pv.grow-file-system", after),
                );
            }
            None => plan.waits = Some(("pv.wait-user", None, Str::default())),
        }
    } else if condition(&claim.value, RESIZING).is_null() {
        let message = "waiting for an external controller to expand this PVC";
        tell(claim, Note::normal(COMPONENT, "ExternalExpanding", message), &mut plan);
        let Some(driver) = driver(w, volume) else {
            plan.waits = Some(("pv.wait-resizer", None, Str::default()));
            return plan;
        };
        let message = format!("External resizer is resizing volume {}", volume.name());
        tell(claim, Note::normal(component(&driver), "Resizing", message), &mut plan);
        let asks = &claim.spec()["resources"]["requests"]["storage"];
        let mut value = claim.value.clone();
        let status = value.entry("status");
        status.set("allocatedResources", value!({"storage": asks}));
        status.set("allocatedResourceStatuses", value!({"storage": "ControllerResizeInProgress"}));
        set_condition(w, status, Some((RESIZING, "")));
        plan.act("pv.expand", Action::UpdateStatus(Kind::PersistentVolumeClaim, value));
        let after = w.delay(Delay::Provision, &["expand", &claim.uid(), asks.str()]);
        plan.act("pv.expand", Action::Timer(claim.clone(), "pv.expand", after));
    }
    plan
}

fn tell(claim: &Obj, note: Note, plan: &mut Plan) {
    plan.act("pv.tell", Action::Event(claim.clone(), note));
}

/// The program that grows the volume, if it runs here.
fn driver(w: &World, volume: &Obj) -> Option<Str> {
    let by = volume.annotation(PROVISIONED_BY)?;
    w.config.provisioners.iter().find(|p| p.as_str() == by).cloned()
}

fn component(driver: &Str) -> Str {
    format!("external-resizer {driver}").into()
}

/// A running pod that has the claim mounted.
fn user<'a>(w: &'a World, claim: &Obj) -> Option<&'a Obj> {
    claims::users(w, &claim.ns(), &claim.name())
        .find(|p| p.pod().phase == Phase::Running && !p.pod().terminating)
}

/// Puts that condition in the place of both.
fn set_condition(w: &World, status: &mut Value, condition: Option<(&'static str, &'static str)>) {
    let list = status.entry("conditions").list_mut();
    list.retain(|c| !matches!(c["type"].str(), RESIZING | PENDING));
    if let Some((kind, message)) = condition {
        let mut c = value!({
            "lastProbeTime": null, "lastTransitionTime": (rfc3339(w.now)), "status": "True",
            "type": kind
        });
        if !message.is_empty() {
            c.set("message", message);
        }
        list.push(c);
    }
    if list.is_empty() {
        status.remove("conditions");
    }
}

/// The volume, or the file system, is larger now.
pub fn timer(w: &mut World, key: &Key, uid: &Str, what: &'static str) {
    let claim = w.store.by_key(key).filter(|c| c.uid() == *uid && wants_more(c)).cloned();
    let Some(claim) = claim else { return };
    let volume = Key::new(Kind::PersistentVolume, "", claim.spec()["volumeName"].to_str());
    let Some(volume) = w.store.by_key(&volume).cloned() else { return };
    if what == "pv.expand" {
        expanded(w, &claim, &volume);
    } else if !condition(&claim.value, PENDING).is_null()
        && let Some(pod) = user(w, &claim).cloned()
    {
        finished(w, &claim);
        let message =
            format!("MountVolume.NodeExpandVolume succeeded for volume \"{}\"", volume.name());
        let note = Note::normal("kubelet", "FileSystemResizeSuccessful", message)
            .on(pod.pod().node.clone(), "");
        w.event(&pod, note.clone());
        w.event(&claim, note);
    }
}

fn expanded(w: &mut World, claim: &Obj, volume: &Obj) {
    let size = claim.status()["allocatedResources"]["storage"].clone();
    if size.is_null() || condition(&claim.value, RESIZING).is_null() {
        return;
    }
    let larger = quantity::milli(size.str()).is_some_and(|s| s > matching::size(volume));
    if larger {
        w.modify(&volume.key(), Sub::Main, |v| v.path_mut("spec.capacity").set("storage", size));
    }
    if claim.spec()["volumeMode"].str() == "Block" {
        return finished(w, claim);
    }
    let mut value = claim.value.clone();
    let status = value.entry("status");
    let message =
        "Waiting for user to (re-)start a pod to finish file system resize of volume on node.";
    set_condition(w, status, Some((PENDING, message)));
    status.set("allocatedResourceStatuses", value!({"storage": "NodeResizePending"}));
    let status = status.clone();
    w.modify(&claim.key(), Sub::Status, |v| v.set("status", status));
    if let Some(driver) = driver(w, volume) {
        let message = "Require file system resize of volume on node";
        w.event(claim, Note::normal(component(&driver), "FileSystemResizeRequired", message));
    }
}

fn finished(w: &mut World, claim: &Obj) {
    let mut value = claim.value.clone();
    let status = value.entry("status");
    set_condition(w, status, None);
    status.remove("allocatedResourceStatuses");
    let size = status["allocatedResources"]["storage"].clone();
    status.entry("capacity").set("storage", size);
    let status = status.clone();
    w.modify(&claim.key(), Sub::Status, |v| v.set("status", status));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::time::SECOND;
    use crate::apiserver::WriteOptions;
    use crate::config::{Config, Latency};

    const OPTS: WriteOptions = WriteOptions::TRUSTED;

    fn world(grows: bool) -> World {
        let config = Config { latency: Latency::Recording, nodes: 0, ..Config::default() };
        let mut w = World::new(config);
        let standard = Key::new(Kind::StorageClass, "", "standard");
        w.modify(&standard, Sub::Main, |v| v.set("allowVolumeExpansion", grows));
        w.create(
            Kind::PersistentVolumeClaim,
            value!({
                "metadata": {"name": "data", "namespace": "default"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}},
                    "storageClassName": "standard", "volumeMode": "Filesystem"
                }
            }),
            OPTS,
        )
        .expect("created");
        w
    }

    fn claim(w: &World) -> Obj {
        w.store.get(Kind::PersistentVolumeClaim, "default", "data").expect("claim").clone()
    }

    fn ask(w: &mut World, size: &'static str) -> Result<Obj, String> {
        let mut value = claim(w).value.clone();
        value.path_mut("spec.resources.requests").set("storage", size);
        let done = w.update(Kind::PersistentVolumeClaim, value, Sub::Main, OPTS);
        done.map_err(|e| e.message.to_string())
    }

    #[test]
    fn who_may_grow() {
        let mut w = world(false);
        let refused = "persistentvolumeclaims \"data\" is forbidden: ";
        assert_eq!(
            ask(&mut w, "2Gi").expect_err("not bound"),
            format!("{refused}Only bound persistent volume claims can be expanded")
        );
        w.settle(10 * SECOND);
        assert_eq!(
            ask(&mut w, "2Gi").expect_err("class"),
            format!(
                "{refused}only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
            )
        );
    }

    #[test]
    fn a_volume_grows_at_once_and_its_file_system_with_the_next_pod() {
        let mut w = world(true);
        w.settle(10 * SECOND);
        ask(&mut w, "2Gi").expect("allowed");
        w.settle(10 * SECOND);
        let c = claim(&w);
        assert!(condition(&c.value, RESIZING).is_null());
        assert_eq!(
            condition(&c.value, PENDING)["message"].str(),
            "Waiting for user to (re-)start a pod to finish file system resize of volume on node."
        );
        assert_eq!(c.status()["capacity"]["storage"].str(), "1Gi");
        let v = w.store.all(Kind::PersistentVolume).next().expect("volume");
        assert_eq!(v.spec()["capacity"]["storage"].str(), "2Gi");
        let pod = value!({
            "metadata": {"name": "p", "namespace": "default"},
            "spec": {
                "containers": [{"image": "i", "name": "c"}], "nodeName": "worker-1",
                "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
            }
        });
        let pod = w.create(Kind::Pod, pod, OPTS).expect("created").key();
        w.modify(&pod, Sub::Status, |v| v.entry("status").set("phase", "Running"));
        w.settle(100 * SECOND);
        let c = claim(&w);
        assert_eq!(
            *c.status(),
            value!({
                "accessModes": ["ReadWriteOnce"], "allocatedResources": {"storage": "2Gi"},
                "capacity": {"storage": "2Gi"}, "phase": "Bound"
            })
        );
        let told: Vec<&str> = w
            .store
            .all(Kind::Event)
            .filter(|e| e.value["involvedObject"]["name"].str() == "data")
            .map(|e| e.value["reason"].str())
            .collect();
        for reason in [
            "ExternalExpanding",
            "Resizing",
            "FileSystemResizeRequired",
            "FileSystemResizeSuccessful",
        ] {
            assert!(told.contains(&reason), "{reason} in {told:?}");
        }
    }
}
