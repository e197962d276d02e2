//! Watching nodes: silence, `Unknown`, taints, and the way back.

use super::{is_ready, put_condition};
use crate::api::object::condition;
use crate::api::time::{SECOND, rfc3339};
use crate::api::{Key, Kind, Obj, Object};
use crate::apiserver::Sub;
use crate::apiserver::events::Note;
use crate::config::{Delay, Latency};
use crate::queue::Comp;
use crate::value;
use crate::value::{Str, Value, text};
use crate::world::World;

/// A kubelet renews its lease each 10 s.
const RENEW: u64 = 10 * SECOND;
/// `node-monitor-period`.
const PERIOD: u64 = 5 * SECOND;
/// One node of a zone every ten seconds (`node-eviction-rate` 0.1).
const EVICTION_PAUSE: u64 = 10 * SECOND;

pub(super) const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// Taint of a cordoned node.
pub(super) const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Must the node get the taint of cordoned nodes (true) or lose it (false)?
pub(super) fn cordon_taint(node: &Obj) -> Option<bool> {
    let cordoned = node.spec()["unschedulable"].is_true();
    (cordoned != has_taint(node, UNSCHEDULABLE, "NoSchedule")).then_some(cordoned)
}

/// The taint of a node that is cordoned now.
pub(super) fn unschedulable(now: u64) -> Value {
    value!({"effect": "NoSchedule", "key": UNSCHEDULABLE, "timeAdded": (rfc3339(now))})
}

fn has_taint(node: &Obj, key: &str, effect: &str) -> bool {
    let mut taints = node.spec()["taints"].items().iter();
    taints.any(|t| t["key"].str() == key && t["effect"].str() == effect)
}

/// Takes a taint out of a node's spec.
pub(super) fn remove_taint(spec: &mut Value, key: &str, effect: &str) {
    let list = spec.entry("taints").list_mut();
    list.retain(|t| t["key"].str() != key || t["effect"].str() != effect);
    if list.is_empty() {
        spec.remove("taints");
    }
}

/// A node object is gone: the monitor says so at its next look.
pub(super) fn node_deleted(w: &mut World, node: &Obj) {
    let at = (w.now + 1).div_ceil(PERIOD) * PERIOD;
    w.timer_at(Comp::NodeLifecycle, node.key(), node.uid(), "node.removed", 0, at, false);
}

/// The monitor misses a node.
pub(super) fn removed(w: &mut World, key: &Key, uid: &Str) {
    let name = &key.name;
    let value = value!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": uid}
    });
    let message = format!("Node {name} event: Removing Node {name} from Controller");
    let note = Note::normal("node-controller", "RemovingNode", message);
    w.event(&std::rc::Rc::new(Object::new(Kind::Node, value)), note);
}

impl World {
    /// When a node renewed its lease last; each does so at its own moments. There is no object:
    /// a node that answers costs nothing.
    pub fn lease_renewed(&self, name: &str) -> u64 {
        let at = self.nodes.down.get(&text(name)).copied().unwrap_or(self.now);
        let phase = crate::rng::Stream::new(self.config.seed, &["lease", name]).range(0, RENEW);
        ((at + RENEW).saturating_sub(phase) / RENEW * RENEW + phase).saturating_sub(RENEW)
    }

    /// The node stops answering, and nothing happens on it any more.
    pub fn node_down(&mut self, name: &str) {
        let key = Key::new(Kind::Node, "", text(name));
        let Some(node) = self.store.by_key(&key).cloned() else { return };
        if self.kubelet.is_down(name) {
            return;
        }
        self.user_act(format!("node-down {name}"), |w| {
            crate::kubelet::node_down(w, &key.name);
            w.nodes.down.insert(key.name.clone(), w.now);
            let at = if w.config.latency == Latency::Realistic {
                (w.lease_renewed(name) + w.config.node_grace).div_ceil(PERIOD) * PERIOD
            } else {
                w.now + w.config.node_grace
            };
            let at = at.max(w.now);
            let since = w.now;
            w.timer_at(Comp::NodeLifecycle, key, node.uid(), "node.unreachable", since, at, false);
        });
    }

    /// The node answers again; what it has to do goes on.
    pub fn node_up(&mut self, name: &str) {
        let key = Key::new(Kind::Node, "", text(name));
        if !self.kubelet.is_down(name) {
            return;
        }
        self.user_act(format!("node-up {name}"), |w| {
            w.nodes.down.remove(&key.name);
            crate::kubelet::node_up(w, &key.name);
            if let Some(node) = w.store.by_key(&key).filter(|n| !is_ready(n)).cloned() {
                let at = w.now + w.delay(Delay::KubeletSync, &["node-up", name]);
                w.timer_at(Comp::NodeLifecycle, key, node.uid(), "node.back", 0, at, false);
            }
        });
    }
}

/// The grace period is over and the node has not been heard of.
pub(super) fn unreachable(w: &mut World, key: &Key, since: u64) {
    if w.nodes.down.get(&key.name) != Some(&since) {
        return;
    }
    let now = rfc3339(w.now);
    let Some(node) = w.modify(key, Sub::Status, |v| {
        for kind in ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"] {
            let heartbeat = condition(v, kind)["lastHeartbeatTime"].clone();
            put_condition(
                v,
                value!({
                    "lastHeartbeatTime": heartbeat, "lastTransitionTime": (now.clone()),
                    "message": "Kubelet stopped posting node status.",
                    "reason": "NodeStatusUnknown", "status": "Unknown", "type": kind
                }),
            );
        }
    }) else {
        return;
    };
    let pods: Vec<Key> = w.kubelet.on_node(&key.name).map(|r| r.key.clone()).collect();
    for pod in &pods {
        unready(w, pod);
    }
    taint(w, key, "NoSchedule");
    let note = Note::normal(
        "node-controller",
        "NodeNotReady",
        format!("Node {} status is now: NodeNotReady", key.name),
    );
    w.event(&node, note);
    for pod in pods {
        if let Some(pod) = w.store.by_key(&pod).cloned() {
            w.event(&pod, Note::warning("node-controller", "NodeNotReady", "Node is not ready"));
        }
    }
    if all_lost(w) {
        // when no node answers the fault is more likely on this side: nobody is evicted
        let nodes: Vec<Key> = w.store.all(Kind::Node).map(|n| n.key()).collect();
        for node in nodes {
            untaint(w, &node, "NoExecute");
        }
        return;
    }
    limited(w, key, &node.uid(), since);
}

/// Gives the `NoExecute` taint as soon as the zone's rate allows.
fn limited(w: &mut World, key: &Key, uid: &Str, since: u64) {
    let zone = w.store.by_key(key).and_then(|n| n.label("topology.kubernetes.io/zone").map(text));
    let slot = w.nodes.limiter.entry(zone.unwrap_or_default()).or_insert(0);
    let at = (*slot).max(w.now);
    *slot = at + EVICTION_PAUSE;
    w.timer_at(Comp::NodeLifecycle, key.clone(), uid.clone(), "node.no-execute", since, at, false);
}

/// The zone's turn has come.
pub(super) fn no_execute(w: &mut World, key: &Key, since: u64) {
    if w.nodes.down.get(&key.name) == Some(&since) && !all_lost(w) {
        taint(w, key, "NoExecute");
    }
}

fn all_lost(w: &World) -> bool {
    !w.store.all(Kind::Node).any(is_ready)
}

/// The pod counts as unready; its containers are as they were last reported.
fn unready(w: &mut World, pod: &Key) {
    let now = rfc3339(w.now);
    w.modify(pod, Sub::Status, |v| {
        let mut ready = condition(v, "Ready").clone();
        if ready["status"].str() == "True" {
            ready.set("status", "False");
            ready.set("lastTransitionTime", now);
            put_condition(v, ready);
        }
    });
}

fn taint(w: &mut World, node: &Key, effect: &'static str) {
    let now = rfc3339(w.now);
    w.modify(node, Sub::Main, |v| {
        let list = v.entry("spec").entry("taints").list_mut();
        if !list.iter().any(|t| t["key"].str() == UNREACHABLE && t["effect"].str() == effect) {
            list.push(value!({"effect": effect, "key": UNREACHABLE, "timeAdded": now}));
        }
    });
}

fn untaint(w: &mut World, node: &Key, effect: &'static str) {
    if w.store.by_key(node).is_some_and(|n| has_taint(n, UNREACHABLE, effect)) {
        w.modify(node, Sub::Main, |v| remove_taint(v.entry("spec"), UNREACHABLE, effect));
    }
}

/// The kubelet posts its node's status again; the monitor takes the taints off.
pub(super) fn back(w: &mut World, key: &Key) {
    if w.nodes.down.contains_key(&key.name) {
        return;
    }
    let lost_before = all_lost(w);
    let now = rfc3339(w.now);
    let node = w.acting(Comp::Kubelet, "node.back", |w| {
        w.modify(key, Sub::Status, |v| {
            for (kind, status, reason, message) in [
                (
                    "MemoryPressure",
                    "False",
                    "KubeletHasSufficientMemory",
                    "kubelet has sufficient memory available",
                ),
                (
                    "DiskPressure",
                    "False",
                    "KubeletHasNoDiskPressure",
                    "kubelet has no disk pressure",
                ),
                (
                    "PIDPressure",
                    "False",
                    "KubeletHasSufficientPID",
                    "kubelet has sufficient PID available",
                ),
                ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ] {
                put_condition(
                    v,
                    value!({
                        "lastHeartbeatTime": (now.clone()), "lastTransitionTime": (now.clone()),
                        "message": message, "reason": reason, "status": status, "type": kind
                    }),
                );
            }
        })
    });
    let Some(node) = node else { return };
    if w.config.latency != Latency::Recording {
        let note = Note::normal(
            "kubelet",
            "NodeReady",
            format!("Node {} status is now: NodeReady", key.name),
        );
        w.event(&node, note.on(key.name.clone(), ""));
    }
    untaint(w, key, "NoSchedule");
    untaint(w, key, "NoExecute");
    if lost_before {
        let others: Vec<(Key, Str, u64)> = w
            .store
            .all(Kind::Node)
            .filter(|n| !is_ready(n))
            .filter_map(|n| Some((n.key(), n.uid(), *w.nodes.down.get(&n.name())?)))
            .collect();
        for (key, uid, since) in others {
            limited(w, &key, &uid, since);
        }
    }
}

/// Does the toleration cover the taint?
pub(super) fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let effect = toleration["effect"].str();
    let key = toleration["key"].str();
    let exists = toleration["operator"].str() == "Exists";
    (effect.is_empty() || effect == taint["effect"].str())
        && (key == taint["key"].str() || (key.is_empty() && exists))
        && (exists || toleration["value"].str() == taint["value"].str())
}
