//! Nodes that stop answering, pods on them, and what becomes of pods without a node
//! (behaviour/pod-lifecycle.md 7): the node lifecycle, taint eviction and pod garbage
//! collection controllers.
//!
//! # Divergence from real Kubernetes
//! No lease is renewed: a node that answers costs nothing. When a node stops, the moment at
//! which its silence will be noticed is known, and one timer stands for all the looks in
//! between.

mod monitor;
mod podgc;
mod taints;

#[cfg(test)]
mod tests;

use crate::collections::{BTreeMap, BTreeSet};

use crate::api::{Key, Kind, Obj};
use crate::apiserver::Sub;
use crate::controllers::{Action, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::{Str, Value};
use crate::world::World;

/// What these controllers remember.
#[derive(Clone, Default)]
pub struct State {
    /// Nodes that are down, and since when (microseconds).
    down: BTreeMap<Str, u64>,
    /// Nodes with a `NoExecute` taint.
    tainted: BTreeSet<Str>,
    /// Nodes with the taint `node.kubernetes.io/out-of-service`.
    out_of_service: BTreeSet<Str>,
    /// Pods (uids) whose toleration runs out, and when.
    evictions: BTreeMap<Str, u64>,
    /// When the next node of a zone may be given its `NoExecute` taint.
    limiter: BTreeMap<Str, u64>,
}

/// Wakes on changes of nodes, and of pods on nodes with taints.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    match new.kind {
        Kind::Node => {
            taints::node_changed(w, change, old, new);
            if change == ChangeType::Deleted {
                podgc::node_deleted(w, new);
                monitor::node_deleted(w, new);
            } else if monitor::cordon_taint(new).is_some() {
                w.enqueue(Comp::NodeLifecycle, new.key());
            }
        }
        Kind::Pod if !new.spec()["nodeName"].is_null() => {
            if change == ChangeType::Deleted {
                if !w.nodes.evictions.is_empty() {
                    taints::cancel(w, new);
                }
                return;
            }
            let bound = old.is_none_or(|o| o.spec()["nodeName"].is_null());
            if bound {
                podgc::pod_bound(w, new);
            }
            if !w.nodes.tainted.is_empty() {
                let node = new.spec()["nodeName"].to_str();
                if bound && w.nodes.tainted.contains(&node) {
                    taints::judge(w, &node, new);
                }
                if new.terminating() && w.nodes.out_of_service.contains(&node) {
                    podgc::look_at(w, &node);
                }
            }
        }
        _ => {}
    }
}

/// Taints cordoned nodes. All else these controllers do by timers.
pub fn reconcile(w: &World, comp: Comp, key: &Key) -> Plan {
    let mut plan = Plan::default();
    if comp == Comp::NodeLifecycle
        && let Some(taints) = w.store.by_key(key).and_then(monitor::cordon_taint)
        && let Some(node) = w.store.by_key(key)
    {
        let mut value = node.value.clone();
        let spec = value.entry("spec");
        if taints {
            spec.entry("taints").list_mut().push(monitor::unschedulable(w.now));
        } else {
            monitor::remove_taint(spec, monitor::UNSCHEDULABLE, "NoSchedule");
        }
        plan.act("node.cordon", Action::Update(Kind::Node, value));
    }
    plan
}

/// Own timers.
pub fn timer(w: &mut World, _comp: Comp, key: &Key, uid: &Str, what: &'static str, n: u64) {
    match what {
        "node.unreachable" => monitor::unreachable(w, key, n),
        "node.no-execute" => monitor::no_execute(w, key, n),
        "node.back" => monitor::back(w, key),
        "node.removed" => monitor::removed(w, key, uid),
        "taint.evict" => taints::evict(w, key, uid, n),
        "podgc.orphaned" => podgc::orphaned(w, key),
        "podgc.out-of-service" => podgc::out_of_service(w, key),
        _ => {}
    }
}

/// Is the node's condition Ready True?
fn is_ready(node: &Obj) -> bool {
    crate::api::object::condition(&node.value, "Ready")["status"].str() == "True"
}

/// Puts a condition into a status, in its place if it is there.
fn put_condition(object: &mut Value, condition: Value) {
    let list = object.entry("status").entry("conditions").list_mut();
    match list.iter_mut().find(|c| c["type"] == condition["type"]) {
        Some(slot) => *slot = condition,
        None => list.push(condition),
    }
}

/// Why a pod is disrupted: condition `DisruptionTarget`, and for a lost pod phase Failed.
fn disrupt(w: &mut World, pod: &Key, reason: Option<(&'static str, &'static str)>, failed: bool) {
    let now = crate::api::time::rfc3339(w.now);
    w.modify(pod, Sub::Status, |v| {
        if let Some((reason, message)) = reason {
            let generation = v["metadata"]["generation"].clone();
            let before = crate::api::object::condition(v, "DisruptionTarget");
            let since = match before["status"].str() {
                "True" => before["lastTransitionTime"].to_str(),
                _ => now,
            };
            put_condition(
                v,
                crate::value!({
                    "lastProbeTime": null, "lastTransitionTime": since, "message": message,
                    "observedGeneration": generation, "reason": reason, "status": "True",
                    "type": "DisruptionTarget"
                }),
            );
        }
        if failed && !matches!(v["status"]["phase"].str(), "Succeeded" | "Failed") {
            v.entry("status").set("phase", "Failed");
        }
    });
}
