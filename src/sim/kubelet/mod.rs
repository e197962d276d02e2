//! The kubelets: what happens on a node between a pod's binding and its end
//! (behaviour/pod-lifecycle.md 1 to 5).
//!
//! One pod is a [`PodRun`]; each step ends in a timer or in a status write. A node that is
//! down does nothing: its timers are kept and go on when it comes back.
//!
//! # Divergence from real Kubernetes
//! There is no pod life-cycle relist of one second in between: states are reported when they
//! change. Images of one pod are pulled one after the other, images of different pods at the
//! same time.

mod deadline;
mod hooks;
pub mod images;
mod probes;
mod qos;
mod references;
mod restart;
pub mod run;
mod scripts;
mod start;
mod status;
mod stop;

#[cfg(test)]
mod tests;

use crate::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::api::{Key, Kind, Obj};
use crate::apiserver::events::{EventType, Note};
use crate::apiserver::{Sub, WriteOptions};
use crate::config::Latency;
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::Str;
use crate::world::World;
pub use qos::qos_class;
use run::{PodRun, Stage};
pub(crate) use status::hex64;

/// What the kubelets know.
#[derive(Clone, Default)]
pub struct State {
    /// Pods on nodes, by uid.
    pods: BTreeMap<Str, Rc<PodRun>>,
    /// Uids of the pods of each node.
    by_node: BTreeMap<Str, BTreeSet<Str>>,
    /// Images that are on a node: (node, image).
    images: BTreeMap<Str, BTreeSet<Str>>,
    /// `imageID` of each image that was started.
    image_ids: BTreeMap<Str, Str>,
    /// Nodes that are down, with the timers that wait for their return.
    down: BTreeMap<Str, Vec<Frozen>>,
    /// Of containers (pod uid, index and life) that end with their script: when it looks again,
    /// if that is a mere repetition; see `scripts::stir`.
    turns: BTreeMap<(Str, u64), u64>,
    /// Scripts that run: pod uid, number of the container and life (hooks: `HOOK` added).
    scripts: BTreeMap<(Str, u64), crate::workload::Script>,
    /// When the script that is looked at wants to be looked at again: microseconds from now,
    /// in the background?
    pub(crate) wakes: Vec<(u64, bool)>,
    /// What containers printed.
    pub(crate) logs: crate::workload::Logs,
    /// Pod addresses of each node.
    addresses: BTreeMap<Str, Addresses>,
    /// Services of which containers get variables, by namespace.
    pub(crate) services: BTreeMap<Str, Rc<[Obj]>>,
    /// Pods (uids) that wait for a claim to be bound or a disk to be attached.
    waiting: BTreeMap<Key, BTreeSet<Str>>,
}

/// A step that a node which is down could not take.
#[derive(Clone)]
struct Frozen {
    key: Key,
    uid: Str,
    what: &'static str,
    n: u64,
}

impl State {
    /// What runs for the pod with this uid.
    pub fn pod(&self, uid: &str) -> Option<&PodRun> {
        self.pods.get(uid).map(|r| &**r)
    }

    /// Pods of a node, in the order of their uids.
    pub fn on_node(&self, node: &str) -> impl Iterator<Item = &PodRun> {
        self.by_node.get(node).into_iter().flatten().filter_map(|uid| self.pod(uid))
    }

    /// Is the node (or its kubelet) down?
    pub fn is_down(&self, node: &str) -> bool {
        self.down.contains_key(node)
    }

    fn edit<R>(&mut self, uid: &str, f: impl FnOnce(&mut PodRun) -> R) -> Option<R> {
        self.pods.get_mut(uid).map(|r| f(Rc::make_mut(r)))
    }
}

/// A change that kubelets may care for.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    match new.kind {
        Kind::Pod => pod_changed(w, change, old, new),
        Kind::PersistentVolumeClaim
            if !w.kubelet.waiting.is_empty() && new.status()["phase"].str() == "Bound" =>
        {
            wake(w, &new.key());
        }
        Kind::EndpointSlice | Kind::Service => {
            if new.kind == Kind::Service {
                w.kubelet.services.clear();
            }
            scripts::stir(w);
        }
        Kind::ConfigMap | Kind::Secret if !w.kubelet.waiting.is_empty() => {
            wake(w, &new.key());
        }
        _ => {}
    }
}

fn pod_changed(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    let node = &new.spec()["nodeName"];
    if node.is_null() {
        return;
    }
    let uid = new.uid();
    if change == ChangeType::Deleted {
        forget(w, &uid, new);
        return;
    }
    let Some(run) = w.kubelet.pod(&uid) else {
        let exists = w.store.by_key(&Key::new(Kind::Node, "", node.to_str())).is_some();
        if exists && !matches!(new.status()["phase"].str(), "Succeeded" | "Failed") {
            let run = PodRun::new(new.key(), uid.clone(), node.to_str(), &new.value, w.now);
            w.kubelet.by_node.entry(run.node.clone()).or_default().insert(uid.clone());
            w.kubelet.pods.insert(uid.clone(), Rc::new(run));
            let after = w.delay(crate::config::Delay::KubeletSync, &[&uid]);
            later(w, &uid, "kubelet.sync", 0, after, false);
        }
        return;
    };
    if new.terminating() {
        let (was, grace) = match old {
            Some(o) => (o.terminating(), &o.meta()["deletionGracePeriodSeconds"]),
            None => (false, &crate::value::Value::Null),
        };
        if run.stage < Stage::Stopping
            || (was && *grace != new.meta()["deletionGracePeriodSeconds"])
        {
            later(w, &uid, "kubelet.kill", 0, 0, false);
        }
    } else if old.is_some_and(|o| {
        o.spec() != new.spec() || o.meta()["annotations"] != new.meta()["annotations"]
    }) {
        restart::respec(w, &uid, new);
    }
}

/// The object is gone: nothing more is reported. Containers of a pod that was removed by
/// force are stopped all the same.
fn forget(w: &mut World, uid: &Str, last: &Obj) {
    let Some(run) = w.kubelet.pods.remove(uid) else { return };
    if let Some(set) = w.kubelet.by_node.get_mut(&run.node) {
        set.remove(uid);
    }
    if let Some(a) = w.kubelet.addresses.get_mut(&run.node) {
        a.used.remove(&run.ip_number);
    }
    if run.waits {
        w.kubelet.waiting.retain(|_, set| {
            set.remove(uid);
            !set.is_empty()
        });
    }
    w.kubelet.turns.retain(|(u, _), _| u != uid);
    w.kubelet.scripts.retain(|(u, _), _| u != uid);
    let lines = (uid.clone(), Str::default(), 0);
    while let Some((id, _)) = w.kubelet.logs.range(lines.clone()..).next()
        && id.0 == *uid
    {
        let id = id.clone();
        w.kubelet.logs.remove(&id);
    }
    if run.active() && !w.kubelet.is_down(&run.node) {
        stop::announce(w, &run, last);
    }
}

/// Looks again at the pods that wait for this object.
pub(crate) fn wake(w: &mut World, on: &Key) {
    if let Some(uids) = w.kubelet.waiting.remove(on) {
        for uid in uids {
            later(w, &uid, "kubelet.wake", 0, 0, false);
        }
    }
}

/// Looks again at one pod.
pub(crate) fn wake_pod(w: &mut World, uid: &Str) {
    later(w, uid, "kubelet.wake", 0, 0, false);
}

/// A kubelet's own step.
pub fn timer(w: &mut World, key: &Key, uid: &Str, what: &'static str, n: u64) {
    let Some(run) = w.kubelet.pods.get(uid) else { return };
    if let Some(frozen) = w.kubelet.down.get_mut(&run.node) {
        frozen.push(Frozen { key: key.clone(), uid: uid.clone(), what, n });
        return;
    }
    let Some(pod) = w.store.by_key(key).filter(|p| p.uid() == *uid).cloned() else {
        return;
    };
    let i = (n & 0xff) as usize;
    match what {
        "kubelet.sync" => start::first_sync(w, uid, &pod),
        "kubelet.wake" => start::woken(w, uid, &pod, n),
        "kubelet.mount-timeout" => start::mount_timeout(w, uid, &pod),
        "kubelet.probe" => {
            if let Some(i) = restart::same_life(w, uid, n) {
                probes::tick(w, uid, &pod, i, (n >> 56) as usize & 3);
            }
        }
        "kubelet.sandbox" => start::sandbox(w, uid, &pod),
        "kubelet.pulled" => start::pulled(w, uid, &pod, i, n >> 8),
        "kubelet.pull-failed" => start::pull_failed(w, uid, &pod, i),
        "kubelet.pull-wait" => start::pull_wait(w, uid, i),
        "kubelet.pull-retry" | "kubelet.retry" => start::retry(w, uid, &pod, i),
        "kubelet.create" => start::create(w, uid, &pod, i),
        "kubelet.exit" => restart::exit_due(w, uid, &pod, n),
        "kubelet.restart" => restart::restart(w, uid, &pod, n),
        "kubelet.backoff" => restart::backoff_over(w, uid, &pod, n),
        "kubelet.hook" => hooks::due(w, uid, &pod, n),
        "kubelet.script" => scripts::go_on(w, uid, &pod, n),
        "kubelet.kill" => stop::kill(w, uid, &pod),
        "kubelet.deadline" => deadline::passed(w, uid, &pod),
        "kubelet.stopped" => stop::stopped(w, uid),
        "kubelet.gone" => stop::gone(w, uid, key),
        _ => {}
    }
}

/// The i-th container's timer number: index and life.
fn number(run: &PodRun, i: usize) -> u64 {
    i as u64 | run.containers[i].life << 8
}

/// Sets a timer for a pod.
fn later(w: &mut World, uid: &Str, what: &'static str, n: u64, after: u64, background: bool) {
    if let Some(run) = w.kubelet.pod(uid) {
        let key = run.key.clone();
        w.timer_at(
            Comp::Kubelet,
            key,
            uid.clone(),
            what,
            n,
            w.now.saturating_add(after),
            background,
        );
    }
}

/// Records an event of a kubelet about a pod, or about its i-th container.
fn event(
    w: &mut World,
    run: &PodRun,
    pod: &Obj,
    i: Option<usize>,
    kind: EventType,
    reason: &'static str,
    message: impl Into<Str>,
) {
    let path = i.map_or_else(Str::default, |i| run.field_path(i));
    let mut note = Note::normal("kubelet", reason, message).on(run.node.clone(), path);
    note.event_type = kind;
    w.acting(Comp::Kubelet, "kubelet.event", |w| w.event(pod, note));
}

fn recording(w: &World) -> bool {
    w.config.latency == Latency::Recording
}

/// Writes the pod's status as it is now.
fn write_status(w: &mut World, uid: &Str, rule: &'static str) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let style = status::Style { recording: recording(w), at: w.now, now: w.stamp(w.now) };
    w.acting(Comp::Kubelet, rule, |w| {
        let Some(pod) = w.store.by_key(&run.key).filter(|p| p.uid() == *uid).cloned() else {
            return;
        };
        let mut value = pod.value.clone();
        value.set("status", status::build(&run, &value, &style));
        let opts = WriteOptions::TRUSTED;
        // read in this very moment, so that nothing can have changed meanwhile
        let _ = w.update(Kind::Pod, value, Sub::Status, opts);
    });
}

/// The node stops: nothing happens on it any more until it comes back.
pub fn node_down(w: &mut World, node: &Str) {
    w.kubelet.down.entry(node.clone()).or_default();
}

/// The node is back: what it had to do goes on, and its pods are reported as they are.
pub fn node_up(w: &mut World, node: &Str) {
    let Some(frozen) = w.kubelet.down.remove(node) else { return };
    for Frozen { key, uid, what, n } in frozen {
        let at = w.now;
        w.timer_at(Comp::Kubelet, key, uid, what, n, at, false);
    }
    let uids: Vec<Str> = w.kubelet.by_node.get(node).into_iter().flatten().cloned().collect();
    for uid in uids {
        if w.kubelet.pod(&uid).is_some_and(|r| r.stage == Stage::Containers) {
            write_status(w, &uid, "kubelet.node-up");
        }
    }
}

/// Something changed that a pod's probes may depend on (a file): they look again.
pub fn poke(w: &mut World, pod: &Key) {
    if let Some(pod) = w.store.by_key(pod).cloned() {
        probes::poke(w, &pod);
    }
}

/// The main process of a container ends now, with that code: what a shell's `exit` or
/// `kill 1` does. False if it does not run.
pub fn exec_exit(w: &mut World, pod: &Key, container: &str, code: i64) -> bool {
    let Some(pod) = w.store.by_key(pod).cloned() else { return false };
    let uid = pod.uid();
    let Some(i) = w.kubelet.pod(&uid).and_then(|r| {
        r.index(container).filter(|i| r.containers[*i].running() && r.stage == Stage::Containers)
    }) else {
        return false;
    };
    w.acting(Comp::Workload, "workload.exit", |w| restart::ended(w, &uid, &pod, i, code));
    true
}

/// Addresses of one node.
#[derive(Clone, Default)]
struct Addresses {
    /// The number given out last.
    last: u64,
    /// Numbers in use.
    used: BTreeSet<u64>,
    /// `10.244.1`, the first part of the node's range.
    prefix: Str,
}

/// A free address of the node's range, and its number there. Numbers go round, so that a new
/// pod seldom gets an address that was used a moment ago.
fn pod_ip(w: &mut World, node: &Str) -> (Str, u64) {
    // a /24 is enough for the usual number of pods; larger nodes go on in another range
    let limit = if w.config.node_pods < 250 { 254 } else { 65_000 };
    if !w.kubelet.addresses.contains_key(node) {
        let object = w.store.by_key(&Key::new(Kind::Node, "", node.clone()));
        let range = object.map_or("", |o| o.spec()["podCIDR"].str());
        let prefix = range.rsplit_once('.').map_or("10.244.255", |(p, _)| p).to_owned().into();
        let fresh = Addresses { prefix, ..Addresses::default() };
        w.kubelet.addresses.insert(node.clone(), fresh);
    }
    let a = w.kubelet.addresses.entry(node.clone()).or_default();
    let mut n = a.last.max(1);
    for _ in 0..limit {
        n = if n >= limit { 2 } else { n + 1 };
        if !a.used.contains(&n) {
            break;
        }
    }
    a.last = n;
    a.used.insert(n);
    let prefix = a.prefix.clone();
    if n <= 254 {
        return (format!("{prefix}.{n}").into(), n);
    }
    let third = prefix.rsplit('.').next().and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
    (format!("10.{}.{}.{}", 128 + third % 64, n / 254, n % 254 + 1).into(), n)
}
