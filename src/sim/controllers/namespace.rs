//! The namespace controller: empties a namespace that is being deleted, then lets it go.

use crate::api::{Key, Kind, Obj, kind};
use crate::apiserver::{DeleteOptions, service_account};
use crate::config::Latency;
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::{Str, Value};
use crate::world::World;

/// Wakes for namespaces, and for what vanishes from one that is being deleted.
pub fn on_change(w: &mut World, change: ChangeType, _old: Option<&Obj>, new: &Obj) {
    if new.kind == Kind::Namespace {
        let arrived = change == ChangeType::Added && w.config.latency != Latency::Recording;
        if (new.terminating() || arrived) && change != ChangeType::Deleted {
            w.enqueue(Comp::Namespace, new.key());
        }
    } else if change == ChangeType::Deleted {
        let key = Key::new(Kind::Namespace, "", new.ns());
        if w.store.by_key(&key).is_some_and(|n| n.terminating()) {
            w.enqueue(Comp::Namespace, key);
        }
    }
}

/// Gives a new namespace its account and certificate. Of one that is being deleted, deletes all
/// that is left; when nothing is, takes the finalizer off.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(ns) = w.store.by_key(key) else { return plan };
    if !ns.terminating() {
        for (kind, v) in service_account::of_namespace(&key.name) {
            if w.store.get(kind, &key.name, v["metadata"]["name"].str()).is_none() {
                plan.push(
                    Effect::new("ns.account", Action::Create(kind, v)).on_error(OnError::Ignore),
                );
            }
        }
        return plan;
    }
    let mut left = None;
    for kind in kind::ALL.iter().filter(|k| k.info().namespaced) {
        for obj in w.store.list(*kind, &key.name) {
            if obj.kind != Kind::Event {
                left.get_or_insert_with(|| obj.key());
            }
            if !obj.terminating() {
                let opts = DeleteOptions { uid: Some(obj.uid()), ..DeleteOptions::default() };
                plan.push(
                    Effect::new("ns.empty", Action::Delete(obj.key(), opts))
                        .on_error(OnError::Ignore),
                );
            }
        }
    }
    match left {
        Some(obj) => plan.waits = Some(("ns.wait-empty", Some(obj), Str::default())),
        None => {
            let mut value = ns.value.clone();
            value.entry("spec").set("finalizers", Value::list());
            plan.act("ns.finalize", Action::Update(Kind::Namespace, value));
        }
    }
    plan
}
