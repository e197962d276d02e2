//! The pod garbage collector: pods whose node is gone or out of service.

use super::{disrupt, is_ready};
use crate::api::time::SECOND;
use crate::api::{Key, Kind, Obj};
use crate::apiserver::DeleteOptions;
use crate::queue::Comp;
use crate::value::Str;
use crate::world::World;

/// The collector looks each 20 s.
const PERIOD: u64 = 20 * SECOND;
/// A node must have been missing for so long.
const QUARANTINE: u64 = 40 * SECOND;

fn next_look(now: u64) -> u64 {
    (now + 1).div_ceil(PERIOD) * PERIOD
}

/// A node object was deleted.
pub(super) fn node_deleted(w: &mut World, node: &Obj) {
    w.nodes.down.remove(&node.name());
    let lost = w.kubelet.on_node(&node.name()).next().is_some();
    if lost {
        missing(w, &node.name());
    }
}

/// A pod was bound to a node: is there such a node?
pub(super) fn pod_bound(w: &mut World, pod: &Obj) {
    let node = pod.spec()["nodeName"].to_str();
    let key = Key::new(Kind::Node, "", node.clone());
    if w.store.by_key(&key).is_none() {
        missing(w, &node);
    }
}

fn missing(w: &mut World, node: &Str) {
    let at = next_look(w.now) + QUARANTINE;
    let key = Key::new(Kind::Node, "", node.clone());
    w.timer_at(Comp::PodGc, key, Str::default(), "podgc.orphaned", 0, at, false);
}

/// The quarantine is over: pods of a node that is still missing go.
pub(super) fn orphaned(w: &mut World, node: &Key) {
    if w.store.by_key(node).is_some() {
        return;
    }
    for pod in pods(w, &node.name, false) {
        disrupt(w, &pod, Some(("DeletionByPodGC", "PodGC: node no longer exists")), true);
        remove(w, &pod);
    }
}

/// A node was taken out of service, or a pod on it was marked: look at the next turn.
pub(super) fn look_at(w: &mut World, node: &Str) {
    let at = next_look(w.now);
    let key = Key::new(Kind::Node, "", node.clone());
    w.timer_at(Comp::PodGc, key, Str::default(), "podgc.out-of-service", 0, at, false);
}

/// Marked pods of a node that is not ready and out of service go without confirmation.
pub(super) fn out_of_service(w: &mut World, node: &Key) {
    let lost = w.store.by_key(node).is_some_and(|n| !is_ready(n));
    if !lost || !w.nodes.out_of_service.contains(&node.name) {
        return;
    }
    for pod in pods(w, &node.name, true) {
        disrupt(w, &pod, None, true);
        remove(w, &pod);
    }
}

fn pods(w: &World, node: &Str, terminating: bool) -> Vec<Key> {
    w.store
        .all(Kind::Pod)
        .filter(|p| p.spec()["nodeName"].str() == node.as_str())
        .filter(|p| !terminating || p.terminating())
        .map(|p| p.key())
        .collect()
}

fn remove(w: &mut World, pod: &Key) {
    let opts = DeleteOptions { grace: Some(0), ..DeleteOptions::default() };
    // gone meanwhile: that is what was wanted
    let _ = w.delete(pod, &opts);
}
