//! The scheduler: one pod at a time, filter and score nodes, bind
//! (behaviour/pod-lifecycle.md 6, storage.md 4, 7 and 8).
//!
//! # Divergence from real Kubernetes
//! Unschedulable pods are retried as soon as a relevant change happens: the back-off queue of
//! an idle scheduler is emptied at once, as since 1.33. Ties between nodes are broken by the
//! seed, not by chance.

mod affinity;
mod filter;
mod hints;
mod preempt;
mod score;
#[cfg(test)]
mod tests;
mod volumes;

use crate::collections::{BTreeMap, BTreeSet, Iter};

use crate::api::time::{SECOND, rfc3339};
use crate::api::{Key, Kind, Obj, Phase, quantity};
use crate::apiserver::Sub;
use crate::apiserver::events::Note;
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;
use hints::Why;

/// Component name in events.
pub const COMPONENT: &str = "default-scheduler";

/// What is used on a node.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Requested CPU, thousandths.
    pub cpu: i64,
    /// Requested memory, bytes.
    pub memory: i64,
    /// Pods.
    pub pods: i64,
}

/// What the scheduler knows.
#[derive(Clone, Default)]
pub struct State {
    usage: BTreeMap<Str, Usage>,
    /// Pods of each controller (by uid) on each node.
    siblings: BTreeMap<Str, BTreeMap<Str, i64>>,
    /// Pods that could not be placed, and what refused them.
    unschedulable: BTreeMap<Key, Why>,
    by_claim: BTreeMap<Key, BTreeSet<Key>>,
    /// Unschedulable pods to which a newly placed neighbour may matter.
    social: BTreeSet<Key>,
    /// Pod (by uid) and the node chosen for it, while its claims are being bound. It takes its
    /// room there already.
    assumed: BTreeMap<Str, (Key, Str)>,
    /// Pods with required anti-affinity or host ports: only these make other pods look at them.
    particular: BTreeSet<Key>,
    /// How many placed pods have each priority.
    priorities: BTreeMap<i64, i64>,
    /// Pods (by uid) that a trial of preemption leaves out of account.
    aside: BTreeSet<Str>,
    /// Pods (by uid) for which room is being made on a node.
    nominated: BTreeMap<Str, (Key, Str)>,
}

/// Looks up names that come in order, each once: a walk beside them, not a search for each.
struct InOrder<'a, V> {
    head: Option<(&'a Str, &'a V)>,
    rest: Iter<'a, Str, V>,
}

impl<'a, V> InOrder<'a, V> {
    fn of(map: &'a BTreeMap<Str, V>) -> Self {
        let mut rest = map.iter();
        Self { head: rest.next(), rest }
    }

    fn at(&mut self, name: &Str) -> Option<&'a V> {
        loop {
            let (key, value) = self.head?;
            // names are shared texts: that they are the same is seen without reading them
            let same = key == name;
            if !same && key > name {
                return None;
            }
            self.head = self.rest.next();
            if same {
                return Some(value);
            }
        }
    }
}

/// Does the pod take room on a node?
fn occupies(pod: &Obj) -> bool {
    let facts = pod.pod();
    !facts.node.is_empty() && !matches!(facts.phase, Phase::Succeeded | Phase::Failed)
}

/// All pods that have a place, with their nodes: the bound ones, and those whose claims are
/// being bound on the node chosen for them.
fn placed(w: &World) -> impl Iterator<Item = (&Obj, &Str)> {
    let aside = &w.scheduler.aside;
    let bound = w.store.all(Kind::Pod).filter(|p| occupies(p)).map(|p| (p, &p.pod().node));
    let bound = bound.filter(|(p, _)| aside.is_empty() || !aside.contains(&p.uid()));
    let assumed = &w.scheduler.assumed;
    bound.chain(assumed.values().filter_map(|(key, node)| Some((w.store.by_key(key)?, node))))
}

/// Where a pod stands or is about to stand; empty if nowhere.
fn place_of<'a>(w: &'a World, pod: &'a Obj) -> &'a Str {
    match w.scheduler.assumed.get(&pod.uid()) {
        Some((_, node)) => node,
        None => &pod.pod().node,
    }
}

/// CPU (thousandths) and memory (bytes) that a pod asks for: the larger of all containers
/// together and any init container with the sidecars before it; sidecars count with the
/// containers.
pub fn requests(spec: &Value) -> Usage {
    let of = |c: &Value| {
        let r = &c["resources"];
        let get = |name: &str| {
            let q = match r["requests"].get(name) {
                Value::Null => r["limits"].get(name),
                q => q,
            };
            quantity::of(q)
        };
        (get("cpu") as i64, (get("memory") / 1000) as i64)
    };
    let mut usage = Usage { cpu: 0, memory: 0, pods: 1 };
    for c in spec["containers"].items() {
        let (cpu, memory) = of(c);
        usage.cpu += cpu;
        usage.memory += memory;
    }
    let (mut largest, mut sidecars) = ((0, 0), (0, 0));
    for c in spec["initContainers"].items() {
        let (cpu, memory) = of(c);
        if c["restartPolicy"].str() == "Always" {
            sidecars = (sidecars.0 + cpu, sidecars.1 + memory);
        } else {
            largest = (largest.0.max(sidecars.0 + cpu), largest.1.max(sidecars.1 + memory));
        }
    }
    usage.cpu += sidecars.0;
    usage.memory += sidecars.1;
    usage.cpu = usage.cpu.max(largest.0);
    usage.memory = usage.memory.max(largest.1);
    usage
}

fn account(w: &mut World, pod: &Obj, node: Str, sign: i64) {
    let wants = requests(pod.spec());
    let used = w.scheduler.usage.entry(node.clone()).or_default();
    used.cpu += sign * wants.cpu;
    used.memory += sign * wants.memory;
    used.pods += sign;
    let same = w.scheduler.priorities.entry(preempt::priority(pod)).or_default();
    *same += sign;
    if *same == 0 {
        w.scheduler.priorities.remove(&preempt::priority(pod));
    }
    let owner = pod.pod().owner.clone();
    if !owner.is_empty() {
        *w.scheduler.siblings.entry(owner).or_default().entry(node).or_default() += sign;
    }
    if affinity::particular(pod.spec()) {
        if sign > 0 {
            w.scheduler.particular.insert(pod.key());
        } else {
            w.scheduler.particular.remove(&pod.key());
        }
    }
}

/// Keeps the sums and wakes pods that a change may have made schedulable.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    match new.kind {
        Kind::Pod => pod_changed(w, change, old, new),
        Kind::Node => {
            let relevant = old.is_none_or(|o| {
                o.spec() != new.spec()
                    || o.meta()["labels"] != new.meta()["labels"]
                    || o.status()["allocatable"] != new.status()["allocatable"]
            });
            if relevant || change == ChangeType::Deleted {
                let new = (change != ChangeType::Deleted).then_some(new);
                let old = old.filter(|_| new.is_some());
                wake(w, |why, pod| why.helped_by_node(pod, old, new));
            }
        }
        Kind::PersistentVolumeClaim => {
            let waiting = w.scheduler.by_claim.remove(&new.key()).unwrap_or_default();
            for key in waiting {
                w.enqueue(Comp::Scheduler, key);
            }
        }
        Kind::PersistentVolume | Kind::StorageClass if change != ChangeType::Deleted => {
            wake(w, |why, _| why.helped_by_storage());
        }
        _ => {}
    }
}

fn no_longer_waits(w: &mut World, key: &Key) {
    w.scheduler.unschedulable.remove(key);
    w.scheduler.social.remove(key);
    w.scheduler.nominated.retain(|_, (k, _)| k != key);
}

/// Tries the unschedulable pods again that a change may help.
fn wake(w: &mut World, helped: impl Fn(Why, &Obj) -> bool) {
    let waiting = w.scheduler.unschedulable.iter();
    let pods = waiting.filter_map(|(key, why)| Some((key, *why, w.store.by_key(key)?)));
    let keys: Vec<Key> =
        pods.filter(|(_, why, pod)| helped(*why, pod)).map(|(key, ..)| key.clone()).collect();
    for key in keys {
        w.enqueue(Comp::Scheduler, key);
    }
}

fn pod_changed(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    let before = old.filter(|o| occupies(o));
    let after = Some(new).filter(|n| change != ChangeType::Deleted && occupies(n));
    if let Some((_, node)) = w
        .scheduler
        .assumed
        .get(&new.uid())
        .filter(|_| after.is_some() || change == ChangeType::Deleted)
        .cloned()
    {
        // no longer assumed: it is there, or it never will be
        w.scheduler.assumed.remove(&new.uid());
        account(w, new, node, -1);
        if after.is_none() {
            wake(w, |why, _| why.helped_by_departure());
        }
    }
    let social = match (before, after) {
        (Some(o), None) => {
            account(w, o, o.pod().node.clone(), -1);
            wake(w, |why, _| why.helped_by_departure());
            false
        }
        (None, Some(n)) => {
            account(w, n, n.pod().node.clone(), 1);
            true
        }
        (Some(o), Some(n)) => {
            if o.spec() != n.spec() {
                account(w, o, o.pod().node.clone(), -1);
                account(w, n, n.pod().node.clone(), 1);
            }
            o.meta()["labels"] != n.meta()["labels"]
        }
        _ => false,
    };
    if social {
        for key in w.scheduler.social.clone() {
            w.enqueue(Comp::Scheduler, key);
        }
    }
    let key = new.key();
    if change == ChangeType::Deleted || !new.pod().node.is_empty() {
        no_longer_waits(w, &key);
        return;
    }
    let news =
        old.is_none_or(|o| o.spec() != new.spec() || o.meta()["labels"] != new.meta()["labels"]);
    let ours = matches!(new.spec()["schedulerName"].str(), COMPONENT | "");
    if news && ours && !new.terminating() && new.spec()["schedulingGates"].is_empty() {
        w.enqueue(Comp::Scheduler, key);
    }
}

/// Why a pod cannot be placed.
enum Refusal {
    /// Before looking at nodes: a sentence; the claim that it is about.
    Whole(String, Option<Key>),
    /// Node by node.
    Nodes(Vec<Refused>),
}

/// A node that does not fit.
struct Refused {
    node: Str,
    reasons: Vec<Str>,
    /// Could removing pods help?
    resolvable: bool,
}

/// Tries to place one pod.
pub fn sync(w: &mut World, key: &Key) {
    let Some(pod) = w.store.by_key(key).cloned() else { return };
    if !pod.pod().node.is_empty() || pod.terminating() {
        return;
    }
    if let Some((_, node)) = w.scheduler.assumed.get(&pod.uid()).cloned() {
        match volumes::pending(w, &pod) {
            Some(claim) => wait_for_claim(w, &pod, claim),
            None => bind(w, &pod, &node),
        }
        return;
    }
    match decide(w, &pod) {
        Ok(node) => {
            let waits = volumes::prepare(w, &pod, &node);
            if let Some(claim) = waits {
                nominate(w, key, &node);
                w.scheduler.assumed.insert(pod.uid(), (key.clone(), node.clone()));
                account(w, &pod, node, 1);
                wait_for_claim(w, &pod, claim);
            } else {
                bind(w, &pod, &node);
            }
        }
        Err(refusal) => refuse(w, &pod, refusal),
    }
}

fn wait_for_claim(w: &mut World, pod: &Obj, claim: Key) {
    w.scheduler.by_claim.entry(claim.clone()).or_default().insert(pod.key());
    w.verdict(Comp::Scheduler, pod.key(), Some(("sched.wait-claim", Some(claim), Str::default())));
}

fn decide(w: &World, pod: &Obj) -> Result<Str, Refusal> {
    let claims = volumes::Claims::of(w, pod).map_err(|(why, claim)| Refusal::Whole(why, claim))?;
    let mut pass = filter::Pass::new(w, pod, &claims);
    let mut refused = Vec::new();
    let mut fit: Vec<(&Obj, i64)> = Vec::with_capacity(w.store.count(Kind::Node));
    for node in w.store.all(Kind::Node) {
        match pass.check(node) {
            Ok(pods) => fit.push((node, pods)),
            Err(reasons) => refused.push(Refused {
                node: node.name(),
                resolvable: reasons.iter().all(|(_, resolvable)| *resolvable),
                reasons: reasons.into_iter().map(|(why, _)| why).collect(),
            }),
        }
    }
    score::best(w, pod, &fit).ok_or(Refusal::Nodes(refused))
}

/// Says where the pod is about to be placed, while something has still to be done for that.
fn nominate(w: &mut World, pod: &Key, node: &Str) {
    w.acting(Comp::Scheduler, "sched.nominate", |w| {
        w.modify(pod, Sub::Status, |p| p.entry("status").set("nominatedNodeName", node))
    });
}

/// A step of the scheduler's own: the flush of pods that waited too long.
pub fn timer(w: &mut World, key: &Key, _what: &'static str) {
    if w.scheduler.unschedulable.contains_key(key) {
        w.enqueue_again(Comp::Scheduler, key.clone());
    }
}

fn bind(w: &mut World, pod: &Obj, node: &Str) {
    let now = w.stamp(w.now);
    let zone =
        w.store.get(Kind::Node, "", node).map(|n| n.meta()["labels"].clone()).unwrap_or_default();
    let name = node.clone();
    let bound = w.acting(Comp::Scheduler, "sched.bind", |w| {
        w.bind_pod(&pod.key(), |p| {
            p.entry("spec").set("nodeName", &name);
            p.entry("status").remove("nominatedNodeName");
            set_condition(
                p,
                "PodScheduled",
                value!({
                    "lastProbeTime": null, "lastTransitionTime": (now),
                    "status": "True", "type": "PodScheduled"
                }),
            );
            // an admission plugin of 1.35 and later copies the node's topology
            for label in ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"] {
                if let Some(v) = zone[label].as_str() {
                    p.path_mut("metadata.labels").set(label, value::text(v));
                }
            }
        })
    });
    if bound.is_some() {
        no_longer_waits(w, &pod.key());
        w.verdict(Comp::Scheduler, pod.key(), None);
        let message = format!("Successfully assigned {}/{} to {node}", pod.ns(), pod.name());
        let note = Note::normal(COMPONENT, "Scheduled", message);
        w.acting(Comp::Scheduler, "sched.bind", |w| w.event(pod, note));
    }
}

/// Puts a condition in place of the one of that type, or at the end. Its time stays while its
/// status does.
fn set_condition(pod: &mut Value, kind: &str, mut condition: Value) {
    let list = pod.path_mut("status.conditions").list_mut();
    match list.iter_mut().find(|c| c["type"].str() == kind) {
        Some(c) => {
            if c["status"] == condition["status"] {
                condition.set("lastTransitionTime", &c["lastTransitionTime"]);
            }
            *c = condition;
        }
        None => list.push(condition),
    }
}

fn refuse(w: &mut World, pod: &Obj, refusal: Refusal) {
    let mut promised = None;
    let nodes = w.store.count(Kind::Node);
    let mut because = Why::CLAIMS;
    let (message, claim) = match refusal {
        _ if nodes == 0 => {
            because = Why::ANYTHING;
            ("no nodes available to schedule pods".to_owned(), None)
        }
        // the recorded servers end the sentence like this when no node was looked at
        Refusal::Whole(why, claim) => {
            (format!("0/{nodes} nodes are available: {why}. not found"), claim)
        }
        Refusal::Nodes(refused) => {
            because = Why::of(refused.iter().flat_map(|r| &r.reasons).map(Str::as_str));
            let why = summary(nodes, refused.iter().flat_map(|r| &r.reasons));
            match preempt::preempt(w, pod, &refused) {
                Ok(node) => {
                    w.scheduler.nominated.insert(pod.uid(), (pod.key(), node.clone()));
                    promised = Some(node);
                    (why, None)
                }
                Err(text) => {
                    (format!("{why} no new claims to deallocate, preemption: {text}"), None)
                }
            }
        }
    };
    let key = pod.key();
    let already = crate::api::object::condition(&pod.value, "PodScheduled");
    let now = rfc3339(w.now);
    if already["message"].str() != message || promised.is_some() {
        let generation = pod.meta()["generation"].int_or(1);
        w.acting(Comp::Scheduler, "sched.unschedulable", |w| {
            w.modify(&key, Sub::Status, |p| {
                if let Some(node) = promised {
                    p.entry("status").set("nominatedNodeName", node);
                }
                set_condition(
                    p,
                    "PodScheduled",
                    value!({
                        "lastProbeTime": null, "lastTransitionTime": (now),
                        "message": (message.clone()), "observedGeneration": generation,
                        "reason": "Unschedulable", "status": "False", "type": "PodScheduled"
                    }),
                );
            })
        });
    }
    let note = Note::warning(COMPONENT, "FailedScheduling", message.clone());
    w.acting(Comp::Scheduler, "sched.unschedulable", |w| w.event(pod, note));
    w.scheduler.unschedulable.insert(key.clone(), because);
    if affinity::looks_at_neighbours(pod.spec()) {
        w.scheduler.social.insert(key.clone());
    }
    if let Some(claim) = &claim {
        w.scheduler.by_claim.entry(claim.clone()).or_default().insert(key.clone());
    }
    w.verdict(Comp::Scheduler, key.clone(), Some(("sched.unschedulable", claim, message.into())));
    let flush = w.now + 300 * SECOND;
    w.timer_at(Comp::Scheduler, key, pod.uid(), "flush", 0, flush, true);
}

/// `0/3 nodes are available: 1 a, 2 b.`
fn summary<'a>(nodes: usize, reasons: impl Iterator<Item = &'a Str>) -> String {
    let mut counts: BTreeMap<&Str, usize> = BTreeMap::new();
    for r in reasons {
        *counts.entry(r).or_default() += 1;
    }
    let mut texts: Vec<String> = counts.iter().map(|(r, n)| format!("{n} {r}")).collect();
    texts.sort();
    format!("0/{nodes} nodes are available: {}.", texts.join(", "))
}
