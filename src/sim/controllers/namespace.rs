//! The namespace controller: empties a namespace that is being deleted, then lets it go.

use crate::api::time::{parse, rfc3339, seconds};
use crate::api::{Key, Kind, Obj, Phase, kind};
use crate::apiserver::{DeleteOptions, service_account};
use crate::collections::BTreeMap;
use crate::config::Latency;
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// How long the controller waits before it looks at a namespace that was changed: other servers
/// shall have seen that it is being deleted.
const SETTLING: i64 = 5;
/// How long what has finalizers is given.
const FINALIZERS: i64 = 15;

/// Wakes for namespaces. Nobody tells the controller of what vanishes from one: it comes back
/// when that should be over.
pub fn on_change(w: &mut World, change: ChangeType, _old: Option<&Obj>, new: &Obj) {
    if change == ChangeType::Deleted && new.kind.info().namespaced {
        // nobody tells the controller, but its next look will find that out
        w.expect(Comp::Namespace, Key::new(Kind::Namespace, "", new.ns()));
    }
    if new.kind != Kind::Namespace || change == ChangeType::Deleted {
        return;
    }
    if new.terminating() {
        w.enqueue_after(Comp::Namespace, new.key(), seconds(SETTLING), false);
    } else if change == ChangeType::Added && w.config.latency != Latency::Recording {
        w.enqueue(Comp::Namespace, new.key());
    }
}

/// Will the object still be there after its deletion? All others are gone at once.
fn lingers(obj: &Obj) -> bool {
    let pod = obj.kind == Kind::Pod && {
        let f = obj.pod();
        !f.node.is_empty() && !matches!(f.phase, Phase::Succeeded | Phase::Failed)
    };
    pod || !obj.meta()["finalizers"].is_empty()
}

/// How long it may take until the pods have ended, in seconds; nothing if that time is over.
fn estimate(w: &World, ns: &Obj) -> i64 {
    let grace = |p: &Obj| p.spec()["terminationGracePeriodSeconds"].int_or(0);
    let all = w.store.list(Kind::Pod, ns.name_ref());
    let longest = all.filter(|p| lingers(p)).map(grace).max().unwrap_or(0);
    let since = parse(ns.meta()["deletionTimestamp"].str()).unwrap_or(0);
    if w.now.saturating_sub(since) >= seconds(longest) { 0 } else { longest }
}

/// The conditions of a namespace that is being deleted: what is left, by resource, and what
/// waits for finalizers. Says with the condition that nothing of both is left.
fn conditions(w: &World, ns: &Obj, resources: &Counts, finalizers: &Counts) -> Value {
    let left = |counts: &Counts, verb: &str| {
        let all: Vec<String> = counts
            .iter()
            .map(|(name, n)| format!("{name} {verb} {n} resource instances"))
            .collect();
        all.join(", ")
    };
    let resources = left(resources, "has");
    let finalizers = left(finalizers, "in");
    let rows = [
        (
            "NamespaceDeletionDiscoveryFailure",
            "ResourcesDiscovered",
            "All resources successfully discovered",
            None,
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
            None,
        ),
        (
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
            None,
        ),
        (
            "NamespaceContentRemaining",
            "ContentRemoved",
            "All content successfully removed",
            Some(("SomeResourcesRemain", "Some resources are remaining:", resources)),
        ),
        (
            "NamespaceFinalizersRemaining",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
            Some((
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining:",
                finalizers,
            )),
        ),
    ];
    let mut list = ns.status()["conditions"].items().to_vec();
    for (kind, good, message, bad) in rows {
        let (status, reason, message) = match bad.filter(|(.., what)| !what.is_empty()) {
            Some((reason, start, what)) => ("True", reason, format!("{start} {what}")),
            None => ("False", good, message.to_owned()),
        };
        let mut condition = value!({
            "lastTransitionTime": (rfc3339(w.now)), "message": message, "reason": reason,
            "status": status, "type": kind
        });
        match list.iter_mut().find(|c| c["type"].str() == kind) {
            Some(old) => {
                if old["status"].str() == status {
                    condition.set("lastTransitionTime", &old["lastTransitionTime"]);
                }
                *old = condition;
            }
            None => list.push(condition),
        }
    }
    list.into()
}

/// How many there are of each.
type Counts = BTreeMap<String, usize>;

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
    let (mut resources, mut finalizers) = (Counts::new(), Counts::new());
    let pods = w.store.list(Kind::Pod, &key.name).any(lingers);
    let estimate = estimate(w, ns);
    let kinds = kind::ALL.iter().filter(|k| k.info().namespaced);
    for kind in kinds.filter(|k| !pods || **k == Kind::Pod) {
        for obj in w.store.list(*kind, &key.name) {
            if lingers(obj) {
                left.get_or_insert_with(|| obj.key());
                let i = kind.info();
                *resources.entry(format!("{}.{}", i.plural, i.group)).or_default() += 1;
                for f in obj.meta()["finalizers"].items() {
                    *finalizers.entry(f.str().to_owned()).or_default() += 1;
                }
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
    // while pods are left nothing else was looked at, and nothing is said
    if pods {
        (resources, finalizers) = (Counts::new(), Counts::new());
    }
    let mut value = ns.value.clone();
    value.entry("status").set("conditions", conditions(w, ns, &resources, &finalizers));
    if value != *ns.value {
        let status = Action::UpdateStatus(Kind::Namespace, value);
        plan.push(Effect::new("ns.status", status).on_error(OnError::Ignore));
    }
    match left {
        Some(obj) => {
            plan.waits = Some(("ns.wait-empty", Some(obj), Str::default()));
            let ending = pods && estimate > 0;
            let wait = if ending { estimate } else { FINALIZERS };
            // nothing to do and nothing that ends by itself: somebody has to take a finalizer off
            let idle = !ending && plan.effects.is_empty();
            plan.act("ns.empty", Action::Requeue(seconds(wait / 2 + 1), idle));
        }
        None => {
            let mut value = ns.value.clone();
            value.entry("metadata").remove("resourceVersion");
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
    use crate::apiserver::{Sub, WriteOptions};
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

    /// Who holds a finalizer may hold it for ever: that is no reason to wait.
    #[test]
    fn a_finalizer_that_nobody_takes_off_does_not_keep_the_cluster_busy() {
        let opts = WriteOptions::TRUSTED;
        let mut w = World::new(Config { latency: Latency::Recording, ..Config::default() });
        w.create(Kind::Namespace, value!({"metadata": {"name": "shop"}}), opts).expect("created");
        let held = value!({
            "metadata": {"name": "held", "namespace": "shop", "finalizers": ["example.com/hold"]}
        });
        w.create(Kind::ConfigMap, held, opts).expect("created");
        let key = Key::new(Kind::Namespace, "", "shop");
        w.delete(&key, &DeleteOptions::default()).expect("marked");
        assert!(w.settle(60 * SECOND), "settles");
        let held = Key::new(Kind::ConfigMap, "shop", "held");
        w.modify(&held, Sub::Main, |cm| {
            cm.path_mut("metadata").remove("finalizers");
        });
        assert!(w.store.by_key(&held).is_none());
        w.run_until(w.now + 9 * SECOND);
        assert!(w.store.by_key(&key).is_none(), "the controller comes back");
    }
}
