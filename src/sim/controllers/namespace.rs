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

/// Gives a new namespace its account and certificate. Of one that is being deleted, deletes the
/// pods, when they are gone all else, and when nothing is left takes the finalizer off.
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
    let pods = w.store.list(Kind::Pod, &key.name).next().is_some();
    let kinds = kind::ALL.iter().filter(|k| k.info().namespaced);
    for kind in kinds.filter(|k| !pods || **k == Kind::Pod) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::time::SECOND;
    use crate::apiserver::WriteOptions;
    use crate::config::Config;
    use crate::log::What;
    use crate::value;

    /// Pods go first, all at once, and nobody can put others in their place.
    #[test]
    fn pods_go_before_what_makes_them() {
        let opts = WriteOptions::TRUSTED;
        let mut w = World::new(Config { latency: Latency::Recording, ..Config::default() });
        w.create(Kind::Namespace, value!({"metadata": {"name": "shop"}}), opts).expect("created");
        let set = value!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"image": "nginx:1", "name": "c"}]}
                }
            }
        });
        w.create(Kind::StatefulSet, set, opts).expect("created");
        w.settle(60 * SECOND);
        assert_eq!(w.store.all(Kind::Pod).count(), 2);
        let key = Key::new(Kind::Namespace, "", "shop");
        w.delete(&key, &DeleteOptions::default()).expect("marked");
        w.settle(60 * SECOND);
        assert!(w.store.by_key(&key).is_none());
        let gone: Vec<Str> = w
            .log
            .iter()
            .filter_map(|(_, r)| match &r.what {
                What::Change { change: ChangeType::Deleted, new, .. }
                    if matches!(new.kind, Kind::Pod | Kind::StatefulSet) =>
                {
                    Some(new.name())
                }
                _ => None,
            })
            .collect();
        assert_eq!(gone, ["web-0", "web-1", "web"]);
    }
}
