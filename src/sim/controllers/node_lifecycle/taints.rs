//! The taint eviction controller: pods leave nodes whose `NoExecute` taints they do not
//! tolerate, or no longer.

use super::disrupt;
use super::monitor::tolerates;
use crate::api::time::seconds;
use crate::api::{Key, Kind, Obj};
use crate::apiserver::DeleteOptions;
use crate::apiserver::events::Note;
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::{Str, Value};
use crate::world::World;

/// In place of a time: the pod has been evicted.
const DONE: u64 = u64::MAX;
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// A node's taints may have changed.
pub(super) fn node_changed(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    let taints = &new.spec()["taints"];
    let before = old.map_or(&Value::Null, |o| &o.spec()["taints"]);
    if before == taints && change == ChangeType::Modified {
        return;
    }
    let name = new.name();
    let gone = change == ChangeType::Deleted;
    let execute = !gone && no_execute(taints).next().is_some();
    let out = !gone && taints.items().iter().any(|t| t["key"].str() == OUT_OF_SERVICE);
    set(&mut w.nodes.tainted, &name, execute);
    set(&mut w.nodes.out_of_service, &name, out);
    if !gone && no_execute(before).ne(no_execute(taints)) {
        let pods: Vec<Key> = w.kubelet.on_node(&name).map(|r| r.key.clone()).collect();
        for pod in pods {
            if let Some(pod) = w.store.by_key(&pod).cloned() {
                judge(w, &name, &pod);
            }
        }
    }
    if out {
        super::podgc::look_at(w, &name);
    }
}

fn set(names: &mut crate::collections::BTreeSet<Str>, name: &Str, there: bool) {
    if there {
        names.insert(name.clone());
    } else {
        names.remove(name);
    }
}

fn no_execute(taints: &Value) -> impl Iterator<Item = &Value> {
    taints.items().iter().filter(|t| t["effect"].str() == "NoExecute")
}

/// How long a pod may stay.
enum Stay {
    Forever,
    /// Microseconds.
    For(u64),
    /// Not at all: a taint is not tolerated.
    Never,
}

fn stay(pod: &Obj, taints: &Value) -> Stay {
    let tolerations = pod.spec()["tolerations"].items();
    let mut least: Option<u64> = None;
    for taint in no_execute(taints) {
        let mut covered = false;
        for t in tolerations.iter().filter(|t| tolerates(t, taint)) {
            covered = true;
            if let Some(n) = t["tolerationSeconds"].as_int() {
                let time = seconds(n);
                least = Some(least.map_or(time, |l| l.min(time)));
            }
        }
        if !covered {
            return Stay::Never;
        }
    }
    least.map_or(Stay::Forever, Stay::For)
}

/// Decides about one pod of a node.
pub(super) fn judge(w: &mut World, node: &Str, pod: &Obj) {
    let key = Key::new(Kind::Node, "", node.clone());
    let taints = w.store.by_key(&key).map(|n| n.spec()["taints"].clone()).unwrap_or_default();
    let time = match stay(pod, &taints) {
        Stay::Forever => return cancel(w, pod),
        Stay::Never => {
            cancel(w, pod);
            0
        }
        // a time that was set before stays
        Stay::For(_) if w.nodes.evictions.contains_key(&pod.uid()) => return,
        Stay::For(time) => time,
    };
    let (uid, due) = (pod.uid(), w.now + time);
    w.nodes.evictions.insert(uid.clone(), due);
    w.timer_at(Comp::TaintEviction, pod.key(), uid, "taint.evict", due, due, false);
}

/// The pod may stay, is deleted before its time is over, or is gone: it is not evicted later.
pub(super) fn cancel(w: &mut World, pod: &Obj) {
    if w.nodes.evictions.remove(&pod.uid()).is_some_and(|due| due != DONE) {
        let message = format!("Cancelling deletion of Pod {}/{}", pod.ns(), pod.name());
        let note = Note::normal("taint-eviction-controller", "TaintManagerEviction", message);
        w.acting(Comp::TaintEviction, "taint.cancel", |w| w.event(pod, note));
    }
}

/// The pod's time on the node is over.
pub(super) fn evict(w: &mut World, key: &Key, uid: &Str, due: u64) {
    if w.nodes.evictions.get(uid) != Some(&due) {
        return;
    }
    w.nodes.evictions.insert(uid.clone(), DONE);
    let Some(pod) = w.store.by_key(key).filter(|p| p.uid() == *uid).cloned() else {
        return;
    };
    let message = format!("Marking for deletion Pod {}/{}", pod.ns(), pod.name());
    w.event(&pod, Note::normal("taint-eviction-controller", "TaintManagerEviction", message));
    let reason = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint");
    disrupt(w, key, Some(reason), false);
    let opts = DeleteOptions { uid: Some(uid.clone()), ..DeleteOptions::default() };
    // deleted meanwhile: nothing left to evict
    let _ = w.delete(key, &opts);
}
