//! The garbage collector: follows owner references when owners go (background, foreground,
//! orphan), behaviour/statefulset-controller.md 10 and Kubernetes' `pkg/controller/garbagecollector`.

use crate::collections::{BTreeMap, BTreeSet};

use crate::api::{Key, Kind, Obj};
use crate::apiserver::{DeleteOptions, Propagation};
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::{Str, Value};
use crate::world::World;

/// Finalizer of a foreground deletion.
const FOREGROUND: &str = "foregroundDeletion";
/// Finalizer of an orphaning deletion.
const ORPHAN: &str = "orphan";

/// Who depends on whom, by the owner's uid.
#[derive(Clone, Default)]
pub struct State {
    dependents: BTreeMap<Str, BTreeSet<Key>>,
}

fn owners(obj: &Obj) -> impl Iterator<Item = &Value> {
    obj.meta()["ownerReferences"].items().iter()
}

/// Keeps the graph and wakes whom a change concerns.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    let rewired = old.is_none_or(|o| o.meta()["ownerReferences"] != new.meta()["ownerReferences"]);
    if rewired || change == ChangeType::Deleted {
        rewire(w, change, old, new);
    }
    match change {
        ChangeType::Added | ChangeType::Modified => {
            // an owner begins to wait once; whoever depends on it says when to look again
            let begins = |name| waits(new, name) && !old.is_some_and(|o| waits(o, name));
            let lost = || owners(new).any(|r| owner(w, new, r).is_none());
            if begins(FOREGROUND) || begins(ORPHAN) || (rewired && (new.terminating() || lost())) {
                w.enqueue(Comp::GarbageCollector, new.key());
            }
            if let Some(old) = old.filter(|_| rewired) {
                wake_waiting(w, old);
            }
        }
        ChangeType::Deleted => {
            let uid = new.uid();
            let dependents: Vec<Key> =
                w.gc.dependents.get(&uid).into_iter().flatten().cloned().collect();
            for key in dependents {
                w.enqueue(Comp::GarbageCollector, key);
            }
            wake_waiting(w, new);
        }
    }
}

/// Wakes the owners that wait until this object is gone, or no longer theirs.
fn wake_waiting(w: &mut World, dependent: &Obj) {
    let waiting: Vec<Key> = owners(dependent)
        .filter_map(|r| owner(w, dependent, r))
        .filter(|o| waits(o, FOREGROUND))
        .map(|o| o.key())
        .collect();
    for key in waiting {
        w.enqueue(Comp::GarbageCollector, key);
    }
}

fn rewire(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    for r in old.into_iter().flat_map(owners) {
        let uid = r["uid"].to_str();
        if let Some(set) = w.gc.dependents.get_mut(&uid) {
            set.remove(&new.key());
            if set.is_empty() {
                w.gc.dependents.remove(&uid);
            }
        }
    }
    if change != ChangeType::Deleted {
        for r in owners(new) {
            w.gc.dependents.entry(r["uid"].to_str()).or_default().insert(new.key());
        }
    }
}

/// Is the object on its way out, held by that finalizer?
fn waits(obj: &Obj, finalizer: &str) -> bool {
    obj.terminating() && obj.meta()["finalizers"].items().iter().any(|f| f.str() == finalizer)
}

/// The object that an owner reference means, if it is there with that uid.
fn owner<'a>(w: &'a World, dependent: &Obj, r: &Value) -> Option<&'a Obj> {
    let kind = Kind::from_owner(r["apiVersion"].str(), r["kind"].str())?;
    let ns = if kind.info().namespaced { dependent.ns() } else { Str::default() };
    w.store.get(kind, &ns, r["name"].str()).filter(|o| o.meta()["uid"] == r["uid"])
}

/// Decides about one object: release its dependents, wait for them, or go with its owners.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(obj) = w.store.by_key(key) else { return plan };
    if waits(obj, ORPHAN) {
        orphan_dependents(w, obj, &mut plan);
    } else if waits(obj, FOREGROUND) {
        foreground(w, obj, &mut plan);
    } else {
        follow_owners(w, obj, &mut plan);
    }
    plan
}

fn dependents<'a>(w: &'a World, obj: &Obj) -> Vec<&'a Obj> {
    let keys = w.gc.dependents.get(&obj.uid());
    keys.into_iter().flatten().filter_map(|k| w.store.by_key(k)).collect()
}

fn orphan_dependents(w: &World, obj: &Obj, plan: &mut Plan) {
    let uid = obj.uid();
    for d in dependents(w, obj) {
        let mut value = d.value.clone();
        let refs = value.path_mut("metadata.ownerReferences").list_mut();
        refs.retain(|r| r["uid"].str() != uid.as_str());
        plan.push(
            Effect::new("gc.orphan", Action::Update(d.kind, value)).on_error(OnError::Ignore),
        );
    }
    plan.act("gc.finalize", without_finalizer(obj, ORPHAN));
}

fn foreground(w: &World, obj: &Obj, plan: &mut Plan) {
    let uid = obj.uid();
    let blocking: Vec<&Obj> = dependents(w, obj)
        .into_iter()
        .filter(|d| {
            owners(d).any(|r| r["uid"].str() == uid.as_str() && r["blockOwnerDeletion"].is_true())
        })
        .collect();
    let Some(first) = blocking.first() else {
        plan.act("gc.finalize", without_finalizer(obj, FOREGROUND));
        return;
    };
    plan.waits = Some(("gc.wait-dependents", Some(first.key()), Str::default()));
    for d in blocking {
        if !(waits(d, FOREGROUND) || (d.terminating() && d.kind == Kind::Pod)) {
            follow_owners(w, d, plan);
        }
    }
}

fn without_finalizer(obj: &Obj, name: &str) -> Action {
    let mut value = obj.value.clone();
    value.path_mut("metadata.finalizers").list_mut().retain(|f| f.str() != name);
    Action::Update(obj.kind, value)
}

/// An object goes when all its owners are gone or wait for their dependents; a reference to a
/// gone owner beside a live one is taken out.
fn follow_owners(w: &World, obj: &Obj, plan: &mut Plan) {
    let refs = obj.meta()["ownerReferences"].items();
    let known = |r: &Value| Kind::from_owner(r["apiVersion"].str(), r["kind"].str()).is_some();
    // an owner of a kind that there is not may be there or not: nothing is done
    if refs.is_empty() || !refs.iter().all(known) {
        return;
    }
    let (mut solid, mut waiting) = (0, 0);
    let mut kept: Vec<Value> = Vec::new();
    for r in refs {
        match owner(w, obj, r) {
            Some(o) if waits(o, FOREGROUND) => waiting += 1,
            Some(_) => {
                solid += 1;
                kept.push(r.clone());
            }
            None => {}
        }
    }
    if solid > 0 {
        if kept.len() < refs.len() {
            let mut value = obj.value.clone();
            value.entry("metadata").set("ownerReferences", kept);
            plan.push(
                Effect::new("gc.drop-reference", Action::Update(obj.kind, value))
                    .on_error(OnError::Ignore),
            );
        }
        return;
    }
    if obj.terminating() {
        return;
    }
    let blocks = dependents(w, obj).iter().any(|d| {
        owners(d).any(|r| r["uid"] == obj.meta()["uid"] && r["blockOwnerDeletion"].is_true())
    });
    let propagation =
        if waiting > 0 && blocks { Propagation::Foreground } else { Propagation::Background };
    let opts = DeleteOptions { propagation, uid: Some(obj.uid()), ..DeleteOptions::default() };
    plan.push(Effect::new("gc.delete", Action::Delete(obj.key(), opts)).on_error(OnError::Ignore));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::time::SECOND;
    use crate::apiserver::{Sub, WriteOptions};
    use crate::config::Config;
    use crate::value;

    fn config(w: &mut World, name: &'static str, owner: Option<&Obj>) -> Obj {
        let mut meta = value!({"name": name, "namespace": "default"});
        if let Some(o) = owner {
            meta.set(
                "ownerReferences",
                value!([{
                    "apiVersion": "v1", "blockOwnerDeletion": true, "kind": "ConfigMap",
                    "name": (o.name()), "uid": (o.uid())
                }]),
            );
        }
        let made = value!({"metadata": meta});
        w.create(Kind::ConfigMap, made, WriteOptions::TRUSTED).expect("created")
    }

    /// An owner that waits looks at its dependents when the waiting begins and when one of them
    /// goes or is no longer its own, not whenever it is written.
    #[test]
    fn an_owner_looks_when_a_dependent_goes() {
        for goes in [true, false] {
            let mut w = World::new(Config::default());
            let settle = |w: &mut World| assert!(w.settle(60 * SECOND));
            let owner = config(&mut w, "owner", None);
            let held = config(&mut w, "held", Some(&owner)).key();
            w.modify(&held, Sub::Main, |v| {
                v.path_mut("metadata").set("finalizers", value!(["a/b"]));
            });
            let opts =
                DeleteOptions { propagation: Propagation::Foreground, ..DeleteOptions::default() };
            w.delete(&owner.key(), &opts).expect("marked");
            settle(&mut w);
            assert!(w.store.by_key(&held).expect("held").terminating());
            let late = config(&mut w, "late", Some(&owner)).key();
            w.modify(&owner.key(), Sub::Main, |v| v.entry("data").set("a", "b"));
            settle(&mut w);
            assert!(w.store.by_key(&late).is_some());
            let left = if goes { "finalizers" } else { "ownerReferences" };
            w.modify(&held, Sub::Main, |v| {
                v.path_mut("metadata").remove(left);
            });
            settle(&mut w);
            assert!(w.store.by_key(&late).is_none());
            assert!(w.store.by_key(&owner.key()).is_none());
            assert_eq!(w.store.by_key(&held).is_none(), goes);
        }
    }
}
