//! Claims, classes and who uses which claim: what admission, the volume binder, the scheduler
//! and the protection controllers ask alike (behaviour/storage.md 2, 4, 6, 10).

use crate::collections::{BTreeMap, BTreeSet};

use crate::api::{Kind, Obj, Object};
use crate::log::ChangeType;
use crate::storage::mounts;
use crate::value::{Str, Value};
use crate::world::World;

/// Old annotation that names a claim's or volume's class; it goes before the field.
pub const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// Annotation of a default class, and its older spelling.
const DEFAULT_CLASS: [&str; 2] = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];

/// Namespace and name of a claim.
type Claim = (Str, Str);

/// Answers that would otherwise need a walk over all pods or volumes.
#[derive(Clone, Default)]
pub struct Index {
    /// Names of the pods that name a claim.
    users: BTreeMap<Claim, BTreeSet<Str>>,
    /// Volumes whose `claimRef` names the claim, whatever its uid.
    reserved: BTreeMap<Claim, BTreeSet<Str>>,
    /// Volumes without `claimRef`.
    free: BTreeSet<Str>,
}

/// Names of the claims that a pod mounts; generic ephemeral volumes have a claim
/// `<pod>-<volume>`.
pub fn claims_of(pod: &Object) -> impl Iterator<Item = Str> {
    pod.spec()["volumes"].items().iter().filter_map(|v| mounts::claim_name(pod, v))
}

/// Keeps the [`Index`].
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    match new.kind {
        // a pod's volumes never change
        Kind::Pod if change != ChangeType::Modified => {
            for claim in claims_of(new) {
                let id = (new.ns(), claim);
                file(&mut w.claims.users, id, new.name(), change == ChangeType::Added);
            }
        }
        Kind::PersistentVolume => {
            if let Some(old) = old {
                file_volume(&mut w.claims, old, false);
            }
            if change != ChangeType::Deleted {
                file_volume(&mut w.claims, new, true);
            }
        }
        _ => {}
    }
}

fn file(index: &mut BTreeMap<Claim, BTreeSet<Str>>, id: Claim, name: Str, add: bool) {
    if add {
        index.entry(id).or_default().insert(name);
    } else if let Some(names) = index.get_mut(&id) {
        names.remove(&name);
        if names.is_empty() {
            index.remove(&id);
        }
    }
}

fn file_volume(index: &mut Index, volume: &Obj, add: bool) {
    let r = &volume.spec()["claimRef"];
    if !r.is_null() {
        let id = (r["namespace"].to_str(), r["name"].to_str());
        file(&mut index.reserved, id, volume.name(), add);
    } else if add {
        index.free.insert(volume.name());
    } else {
        index.free.remove(&volume.name());
    }
}

/// Pods that name the claim, in the order of their names.
pub fn users<'a>(w: &'a World, ns: &Str, claim: &Str) -> impl Iterator<Item = &'a Obj> {
    let ns = ns.clone();
    let pods = w.claims.users.get(&(ns.clone(), claim.clone()));
    pods.into_iter().flatten().filter_map(move |pod| w.store.get(Kind::Pod, &ns, pod))
}

/// Volumes that a claim might get, in the order of their names: those without a claim, and
/// those that name this one.
pub fn candidates<'a>(w: &'a World, claim: &Object) -> Vec<&'a Obj> {
    let reserved = w.claims.reserved.get(&(claim.ns(), claim.name()));
    let mut names: Vec<&Str> = reserved.into_iter().flatten().chain(&w.claims.free).collect();
    names.sort_unstable();
    names.into_iter().filter_map(|v| w.store.get(Kind::PersistentVolume, "", v)).collect()
}

/// Name of the default class: the newest of those that are marked, then by name.
pub fn default_class(w: &World) -> Option<Str> {
    let marked = |c: &&Obj| DEFAULT_CLASS.iter().any(|a| c.annotation(a) == Some("true"));
    let mut best: Option<&Obj> = None;
    for class in w.store.all(Kind::StorageClass).filter(marked) {
        let age = |c: &Obj| c.meta()["creationTimestamp"].to_str();
        if best.is_none_or(|b| age(class) > age(b)) {
            best = Some(class);
        }
    }
    best.map(|c| c.name())
}

/// The class that a claim or a volume names; empty for none.
pub fn class_of(obj: &Object) -> &str {
    class_named(&obj.value)
}

/// As [`class_of`], for a value that is not stored yet.
pub fn class_named(obj: &Value) -> &str {
    let old = obj["metadata"]["annotations"].get(BETA_CLASS);
    old.as_str().unwrap_or_else(|| obj["spec"]["storageClassName"].str())
}

/// Does the claim say nothing of a class, not even that it wants none?
pub fn classless(claim: &Value) -> bool {
    claim["spec"]["storageClassName"].is_null() && !claim["metadata"]["annotations"].has(BETA_CLASS)
}

/// The claim's class object, if it names one that is there.
pub fn class<'a>(w: &'a World, claim: &Object) -> Option<&'a Obj> {
    w.store.get(Kind::StorageClass, "", class_of(claim))
}

/// Does the claim wait for its first consumer?
pub fn delayed(w: &World, claim: &Object) -> bool {
    class(w, claim).is_some_and(|c| c.value["volumeBindingMode"].str() == "WaitForFirstConsumer")
}
