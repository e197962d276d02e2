//! External provisioners: programs beside the cluster that make volumes for claims and remove
//! them again (behaviour/storage.md 5 and 6). The volume binder addresses them by an annotation
//! on the claim; [`Config::provisioners`](crate::Config::provisioners) says which of them run.

use crate::api::{Key, Kind, Obj, Object};
use crate::apiserver::events::Note;
use crate::apiserver::{DeleteOptions, WriteOptions};
use crate::config::{Delay, Latency};
use crate::controllers::volume_binder::{PROVISIONED_BY, PROVISIONER, SELECTED_NODE};
use crate::controllers::{Action, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::rng::Stream;
use crate::storage::claims;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// A provisioner that cannot serve a claim tries again that often, microseconds.
const RETRY: u64 = 15 * crate::api::time::SECOND;

/// Wakes for a claim that begins to ask for a volume, and for a volume that may go from now on.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    let concerns = |w: &World, obj: &Obj| match obj.kind {
        Kind::PersistentVolumeClaim => wanted(w, obj).is_some(),
        Kind::PersistentVolume => unwanted(w, obj).is_some(),
        _ => false,
    };
    if change != ChangeType::Deleted && concerns(w, new) && !old.is_some_and(|o| concerns(w, o)) {
        w.enqueue(Comp::Provisioner, new.key());
    }
}

/// The provisioner that shall make a volume for the claim now, if it runs here.
fn wanted(w: &World, claim: &Obj) -> Option<Str> {
    let name = running(w, claim.annotation(PROVISIONER)?)?;
    let placed = claim.annotation(SELECTED_NODE).is_some() || !claims::delayed(w, claim);
    (placed && claim.spec()["volumeName"].is_empty()).then_some(name)
}

/// The provisioner that shall remove the volume now, if it runs here.
fn unwanted(w: &World, volume: &Obj) -> Option<Str> {
    let released = volume.status()["phase"].str() == "Released"
        && volume.spec()["persistentVolumeReclaimPolicy"].str() == "Delete"
        && !volume.terminating();
    running(w, volume.annotation(PROVISIONED_BY)?).filter(|_| released)
}

fn running(w: &World, name: &str) -> Option<Str> {
    w.config.provisioners.iter().find(|p| p.as_str() == name).cloned()
}

/// Starts to make or to remove a volume; [`timer`] finishes it.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(obj) = w.store.by_key(key) else { return plan };
    let uid = obj.uid();
    if key.kind == Kind::PersistentVolume {
        if unwanted(w, obj).is_some() {
            let after = w.delay(Delay::Unprovision, &[&uid]);
            plan.act("pv.delete", Action::Timer(obj.clone(), "pv.delete", after));
        }
        return plan;
    }
    let Some(name) = wanted(w, obj) else { return plan };
    let component = component(w, &name);
    let message = format!(
        "External provisioner is provisioning volume for claim \"{}/{}\"",
        key.ns, key.name
    );
    let note = Note::normal(component.clone(), "Provisioning", message);
    plan.act("pv.provision", Action::Event(obj.clone(), note));
    if obj.spec()["selector"].is_null() {
        let after = w.delay(Delay::Provision, &[&uid]);
        plan.act("pv.provision", Action::Timer(obj.clone(), "pv.provision", after));
    } else {
        let message = format!(
            "failed to provision volume with StorageClass {:?}: claim Selector is not supported",
            claims::class_of(obj)
        );
        let note = Note::warning(component, "ProvisioningFailed", message);
        plan.act("pv.provision", Action::Event(obj.clone(), note));
        plan.act("pv.provision", Action::Requeue(RETRY, true));
    }
    plan
}

/// Name under which a provisioner's events appear: the program, the pod that it runs in, and a
/// uid. In the recorded clusters it is the program's name alone.
fn component(w: &World, provisioner: &Str) -> Str {
    if w.config.latency == Latency::Recording {
        return provisioner.clone();
    }
    let uid = Stream::new(w.config.seed, &["provisioner", provisioner]).uid();
    format!("{provisioner}_provisioner-0_{uid}").into()
}

/// The volume is made, or removed.
pub fn timer(w: &mut World, key: &Key, uid: &Str, what: &'static str) {
    let Some(obj) = w.store.by_key(key).filter(|o| o.meta()["uid"].str() == uid.as_str()) else {
        return;
    };
    let obj = obj.clone();
    if what == "pv.delete" {
        if unwanted(w, &obj).is_some() {
            let opts = DeleteOptions { uid: Some(uid.clone()), ..DeleteOptions::default() };
            // it may be gone already, which is what is wanted
            let _ = w.delete(key, &opts);
        }
    } else if let Some(name) = wanted(w, &obj) {
        let volume = volume(w, &obj, &name);
        let opts = WriteOptions::TRUSTED;
        if let Ok(made) = w.create(Kind::PersistentVolume, volume, opts) {
            let message = format!("Successfully provisioned volume {}", made.name());
            w.event(&obj, Note::normal(component(w, &name), "ProvisioningSucceeded", message));
        }
    }
}

/// The volume that a provisioner makes for a claim.
fn volume(w: &World, claim: &Object, provisioner: &Str) -> Value {
    let class = claims::class(w, claim).map(|c| c.value.clone()).unwrap_or_default();
    let name = format!("pvc-{}", claim.uid());
    let mut reference = crate::api::event::reference(claim);
    reference.set("resourceVersion", claim.resource_version().to_owned());
    let policy = match &class["reclaimPolicy"] {
        Value::Null => Value::from("Delete"),
        policy => policy.clone(),
    };
    let mode = match &claim.spec()["volumeMode"] {
        Value::Null => Value::from("Filesystem"),
        mode => mode.clone(),
    };
    let mut spec = value!({
        "accessModes": (&claim.spec()["accessModes"]),
        "capacity": {"storage": (&claim.spec()["resources"]["requests"]["storage"])},
        "claimRef": reference,
        "persistentVolumeReclaimPolicy": policy,
        "storageClassName": (crate::value::text(claims::class_of(claim))),
        "volumeMode": mode
    });
    if !class["mountOptions"].is_empty() {
        spec.set("mountOptions", &class["mountOptions"]);
    }
    match provisioner.as_str() {
        "k8s.io/minikube-hostpath" | "docker.io/hostpath" => {
            let path = format!("/tmp/hostpath-provisioner/{}/{}", claim.ns(), claim.name());
            spec.set("hostPath", value!({"path": path, "type": ""}));
        }
        "rancher.io/local-path" => {
            let path =
                format!("/var/local-path-provisioner/{name}_{}_{}", claim.ns(), claim.name());
            spec.set("hostPath", value!({"path": path, "type": "DirectoryOrCreate"}));
            // the directory is on one node, and so are its pods from now on
            if let Some(node) = claim.annotation(SELECTED_NODE) {
                let node = crate::value::text(node);
                spec.set(
                    "nodeAffinity",
                    value!({"required": {"nodeSelectorTerms": [{
                        "matchExpressions": [{
                            "key": "kubernetes.io/hostname", "operator": "In", "values": [node]
                        }]
                    }]}}),
                );
            }
        }
        _ => {
            let handle = claim.uid();
            spec.set("csi", value!({"driver": provisioner, "volumeHandle": handle}));
        }
    }
    value!({
        "metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": provisioner}, "name": name},
        "spec": spec
    })
}
