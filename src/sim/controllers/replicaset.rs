//! The ReplicaSet controller: as many pods of a template as asked for, whichever they are.
//! It follows Kubernetes' `pkg/controller/replicaset` and `controller_utils.go`.

use crate::collections::{BTreeMap, BTreeSet};
use std::cmp::Ordering;

use crate::api::object::condition;
use crate::api::time::{parse, rfc3339, seconds};
use crate::api::{Key, Kind, Obj, Object, Phase, selector};
use crate::apiserver::DeleteOptions;
use crate::apiserver::error::Status;
use crate::apiserver::events::Note;
use crate::controllers::statefulset::identity::controller_ref;
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::rng::Stream;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

#[cfg(test)]
mod tests;

/// Name under which the controller's events appear.
pub const COMPONENT: &str = "replicaset-controller";
/// Annotation of a pod: cheap ones go first when a set shrinks.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
/// The condition of a set whose pods cannot be made or deleted.
pub const FAILURE: &str = "ReplicaFailure";
/// A pass creates or deletes at most that many pods.
const BURST: i64 = 500;

/// Counters that are kept with each change of a pod, so that a pass need not look at all pods.
#[derive(Clone, Default)]
pub struct State {
    /// By the uid of the owner.
    sets: BTreeMap<Str, Counts>,
    /// Pods without a controller, by namespace and name.
    orphans: BTreeSet<(Str, Str)>,
}

/// Pods of one owner.
#[derive(Clone, Default)]
struct Counts {
    active: i64,
    ready: i64,
    terminating: i64,
    /// Pods whose labels are not those of the set's template.
    odd: BTreeSet<Str>,
}

/// Wakes for sets, their pods, and orphans that a set's selector matches.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    match new.kind {
        Kind::ReplicaSet if change == ChangeType::Deleted => {
            w.replicasets.sets.remove(&new.uid());
        }
        Kind::ReplicaSet => {
            let labels = |o: &Obj| o.spec()["template"]["metadata"]["labels"].clone();
            if old.is_none_or(|o| labels(o) != labels(new)) {
                find_odd(w, new);
            }
            w.enqueue(Comp::ReplicaSet, new.key());
        }
        Kind::Pod => {
            let set = owner(w, new);
            count(w, change, old, new, set.as_ref());
            pod_changed(w, change, old, new, set.as_ref());
        }
        _ => {}
    }
}

/// Takes the old version of a pod out of the counters and the new one in.
fn count(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj, set: Option<&Obj>) {
    let state = &mut w.replicasets;
    for (pod, n) in [(old, -1), (Some(new).filter(|_| change != ChangeType::Deleted), 1)] {
        let Some(pod) = pod else { continue };
        let facts = pod.pod();
        if facts.owner.is_empty() {
            let id = (pod.ns(), pod.name());
            if n > 0 {
                state.orphans.insert(id);
            } else {
                state.orphans.remove(&id);
            }
            continue;
        }
        // pods of other controllers are none of these counters' business
        let replicas = pod.controller_ref().is_some_and(|r| r["kind"].str() == "ReplicaSet");
        if !replicas {
            continue;
        }
        let counts = state.sets.entry(facts.owner.clone()).or_default();
        if active(pod) {
            counts.active += n;
            counts.ready += n * i64::from(facts.ready);
        } else if facts.terminating && !finished(pod) {
            counts.terminating += n;
        }
        if n < 0 && !counts.odd.is_empty() {
            counts.odd.remove(&pod.name());
        }
    }
    let odd = change != ChangeType::Deleted && set.is_some_and(|s| !labelled(s, new));
    if odd && let Some(counts) = state.sets.get_mut(&new.pod().owner) {
        counts.odd.insert(new.name());
    }
}

/// Has the pod all labels of the set's template, and does the selector match it?
fn labelled(set: &Object, pod: &Object) -> bool {
    let labels = &pod.meta()["labels"];
    let spec = set.spec();
    spec["template"]["metadata"]["labels"].pairs().all(|(k, v)| labels.get(k) == v)
        && selector::matches(&spec["selector"], labels)
}

fn find_odd(w: &mut World, set: &Obj) {
    let (ns, uid) = (set.ns(), set.uid());
    let odd: BTreeSet<Str> = w
        .store
        .list(Kind::Pod, &ns)
        .filter(|p| p.pod().owner == uid && !labelled(set, p))
        .map(|p| p.name())
        .collect();
    w.replicasets.sets.entry(uid).or_default().odd = odd;
}

fn pod_changed(
    w: &mut World,
    change: ChangeType,
    old: Option<&Obj>,
    new: &Obj,
    owner: Option<&Obj>,
) {
    if let Some(set) = owner {
        let min_ready = set.spec()["minReadySeconds"].int_or(0);
        let key = set.key();
        let became_ready = new.pod().ready && !old.is_some_and(|o| o.pod().ready);
        if min_ready > 0 && became_ready {
            w.enqueue_after(Comp::ReplicaSet, key.clone(), seconds(min_ready), false);
        }
        w.enqueue(Comp::ReplicaSet, key);
    }
    let before = old.filter(|o| o.pod().owner != new.pod().owner);
    if let Some(set) = before.and_then(|o| self::owner(w, o)) {
        let key = set.key();
        w.enqueue(Comp::ReplicaSet, key);
    }
    let relevant = match change {
        ChangeType::Added => true,
        ChangeType::Modified => {
            before.is_some() || old.is_some_and(|o| o.meta()["labels"] != new.meta()["labels"])
        }
        ChangeType::Deleted => false,
    };
    if relevant && owner.is_none() && new.pod().owner.is_empty() {
        let ns = new.ns();
        let wake: Vec<Key> = w
            .store
            .list(Kind::ReplicaSet, &ns)
            .filter(|s| selector::matches(&s.spec()["selector"], &new.meta()["labels"]))
            .map(|s| s.key())
            .collect();
        for key in wake {
            w.enqueue(Comp::ReplicaSet, key);
        }
    }
}

/// The set that controls the object, if that very set is still there.
fn owner(w: &World, obj: &Obj) -> Option<Obj> {
    let r = obj.controller_ref().filter(|r| r["kind"].str() == "ReplicaSet")?;
    let set = w.store.get(Kind::ReplicaSet, obj.meta()["namespace"].str(), r["name"].str())?;
    (set.meta()["uid"] == r["uid"]).then(|| set.clone())
}

/// Neither finished nor on its way out.
fn active(pod: &Object) -> bool {
    let facts = pod.pod();
    !facts.terminating && !finished(pod)
}

fn finished(pod: &Object) -> bool {
    matches!(pod.pod().phase, Phase::Succeeded | Phase::Failed)
}

/// Decides about one set.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(set) = w.store.by_key(key) else { return plan };
    if let Some(counts) = steady(w, set) {
        status(set, &counts, &mut plan);
        return plan;
    }
    let pods = claim_pods(w, set, &key.ns, &mut plan);
    let (live, rest): (Vec<&Obj>, Vec<&Obj>) = pods.into_iter().partition(|p| active(p));
    let terminating = rest.iter().filter(|p| p.pod().terminating && !finished(p)).count();
    if !set.terminating() {
        manage(w, set, &live, &mut plan);
    }
    status(set, &counted(w, set, &live, terminating), &mut plan);
    if let Some(at) =
        live.iter().filter_map(|p| available_at(set, p)).filter(|at| *at > w.now).min()
    {
        plan.act("rs.min-ready", Action::Requeue(at - w.now, false));
    }
    plan
}

/// When a pod that is Ready counts as available.
fn available_at(set: &Obj, pod: &Obj) -> Option<u64> {
    let facts = pod.pod();
    let min_ready = seconds(set.spec()["minReadySeconds"].int_or(0));
    facts.ready.then(|| if min_ready == 0 { 0 } else { facts.ready_since() + min_ready })
}

/// Pods of a namespace that have no controller.
pub fn orphans<'a>(w: &'a World, ns: &'a Str) -> impl Iterator<Item = &'a Obj> {
    let all = w.replicasets.orphans.iter();
    all.filter(move |(o, _)| o == ns).filter_map(|(o, name)| w.store.get(Kind::Pod, o, name))
}

/// The counters alone, where they say that nothing is to be done and nothing has to be timed.
fn steady(w: &World, set: &Obj) -> Option<Tally> {
    let counts = w.replicasets.sets.get(&set.uid())?;
    let as_wanted = counts.active == set.spec()["replicas"].int_or(1) || set.terminating();
    let timed = set.spec()["minReadySeconds"].int_or(0) > 0;
    let adoptable = |pod: &Obj| {
        active(pod) && selector::matches(&set.spec()["selector"], &pod.meta()["labels"])
    };
    if !as_wanted || timed || !counts.odd.is_empty() || orphans(w, set.ns_ref()).any(adoptable) {
        return None;
    }
    Some(Tally {
        replicas: counts.active,
        labelled: counts.active,
        ready: counts.ready,
        available: counts.ready,
        terminating: counts.terminating,
    })
}

/// Pods of this set; orphans are adopted, strangers released.
fn claim_pods<'a>(w: &'a World, set: &Obj, ns: &'a Str, plan: &mut Plan) -> Vec<&'a Obj> {
    let uid = set.uid();
    let wanted = &set.spec()["selector"];
    let mut claimed = Vec::new();
    for pod in w.store.list(Kind::Pod, ns) {
        let facts = pod.pod();
        let owned = facts.owner == uid;
        if !owned && !facts.owner.is_empty() {
            continue;
        }
        let matches = selector::matches(wanted, &pod.meta()["labels"]);
        if owned && matches {
            claimed.push(pod);
        } else if owned && !set.terminating() {
            let mut value = pod.value.clone();
            let refs = value.path_mut("metadata.ownerReferences").list_mut();
            refs.retain(|r| r["uid"].str() != uid.as_str());
            plan.push(
                Effect::new("rs.release-pod", Action::Update(Kind::Pod, value))
                    .on_error(OnError::Ignore),
            );
        } else if matches && !owned && active(pod) && !set.terminating() {
            let mut value = pod.value.clone();
            let owner = controller_ref("apps/v1", "ReplicaSet", &set.name(), &uid);
            value.path_mut("metadata.ownerReferences").list_mut().push(owner);
            plan.act("rs.adopt-pod", Action::Update(Kind::Pod, value));
            claimed.push(pod);
        }
    }
    claimed
}

/// Creates what is missing, deletes what is too much.
fn manage(w: &World, set: &Obj, live: &[&Obj], plan: &mut Plan) {
    let wanted = set.spec()["replicas"].int_or(1);
    let missing = wanted - live.len() as i64;
    if missing > 0 {
        let mut taken = BTreeSet::new();
        for n in 0..missing.min(BURST) {
            create(w, set, n, &mut taken, plan);
        }
    } else if missing < 0 {
        let surplus = usize::try_from((-missing).min(BURST)).unwrap_or(0);
        for pod in condemned(w, set, live, surplus) {
            let name = pod.name();
            let opts = DeleteOptions { uid: Some(pod.uid()), ..DeleteOptions::default() };
            plan.push(
                Effect::new("rs.delete-pod", Action::Delete(pod.key(), opts))
                    .done(
                        set,
                        Note::normal(COMPONENT, "SuccessfulDelete", format!("Deleted pod: {name}")),
                    )
                    .on_error(OnError::Ignore),
            );
        }
    }
}

fn create(w: &World, set: &Obj, n: i64, taken: &mut BTreeSet<Str>, plan: &mut Plan) {
    let template = &set.spec()["template"];
    let prefix = format!("{}-", set.name());
    let label = [set.meta()["uid"].str(), &w.now.to_string(), &n.to_string()];
    let mut stream = Stream::new(w.config.seed, &label);
    let name = loop {
        let name: Str = format!("{prefix}{}", stream.suffix(5)).into();
        if !taken.contains(&name) && w.store.get(Kind::Pod, &set.ns(), &name).is_none() {
            break name;
        }
    };
    taken.insert(name.clone());
    let mut meta = value!({
        "generateName": prefix,
        "name": (name.clone()),
        "namespace": (set.ns()),
        "ownerReferences": [(controller_ref("apps/v1", "ReplicaSet", &set.name(), &set.uid()))]
    });
    for part in ["labels", "annotations", "finalizers"] {
        if !template["metadata"].get(part).is_empty() {
            meta.set(part, template["metadata"].get(part));
        }
    }
    let pod = value!({"metadata": meta, "spec": (&template["spec"])});
    let made = Note::normal(COMPONENT, "SuccessfulCreate", format!("Created pod: {name}"));
    let refused = Note::warning(COMPONENT, "FailedCreate", "Error creating:");
    let mut create = Effect::new("rs.create-pod", Action::Create(Kind::Pod, pod))
        .done(set, made)
        .failed(set, refused);
    // batches of 1, 2, 4, 8 … pods
    create.batch = (n + 1).ilog2() + 1;
    plan.push(create);
}

/// What decides which pod goes first.
struct Worth {
    /// Has a node, phase, ready, deletion cost, and how few neighbours of the same owner it
    /// has: the smallest goes.
    first: (bool, u8, bool, i64, i64),
    ready_since: u64,
    restarts: i64,
    born: u64,
    uid: Str,
}

impl Worth {
    fn cmp(&self, other: &Self, now: u64) -> Ordering {
        // times count by powers of two only, and by chance (the uid) inside them
        let log = |since: u64| match now.saturating_sub(since) {
            0 => -1,
            age => i64::from((i128::from(age) * 1000).ilog2()),
        };
        let later = |a: u64, b: u64| log(a).cmp(&log(b)).then_with(|| self.uid.cmp(&other.uid));
        self.first.cmp(&other.first).then_with(|| {
            if self.first.2 && self.ready_since != other.ready_since {
                later(self.ready_since, other.ready_since)
            } else if self.restarts != other.restarts {
                other.restarts.cmp(&self.restarts)
            } else if self.born != other.born {
                later(self.born, other.born)
            } else {
                self.uid.cmp(&other.uid)
            }
        })
    }
}

/// The pods that go when a set shrinks by that many.
fn condemned<'a>(w: &World, set: &Obj, live: &[&'a Obj], surplus: usize) -> Vec<&'a Obj> {
    if surplus >= live.len() {
        return live.to_vec();
    }
    let neighbours = neighbours(w, set);
    let mut ranked: Vec<(Worth, &Obj)> = live.iter().map(|p| (worth(p, &neighbours), *p)).collect();
    ranked.sort_by(|a, b| a.0.cmp(&b.0, w.now));
    ranked.into_iter().take(surplus).map(|(_, p)| p).collect()
}

/// Active pods by node, of all sets with the same owner as this one.
fn neighbours(w: &World, set: &Obj) -> BTreeMap<Str, i64> {
    let ns = set.ns();
    let owner = set.controller_uid();
    let related: Vec<Str> = w
        .store
        .list(Kind::ReplicaSet, &ns)
        .filter(|s| s.uid() == set.uid() || (!owner.is_empty() && s.controller_uid() == owner))
        .map(|s| s.uid())
        .collect();
    let mut count = BTreeMap::new();
    for pod in w.store.list(Kind::Pod, &ns).filter(|p| active(p)) {
        let facts = pod.pod();
        if related.contains(&facts.owner) {
            *count.entry(facts.node.clone()).or_insert(0) += 1;
        }
    }
    count
}

fn worth(pod: &Object, neighbours: &BTreeMap<Str, i64>) -> Worth {
    let facts = pod.pod();
    let phase = match facts.phase {
        Phase::Pending => 0,
        Phase::Unknown => 1,
        _ => 2,
    };
    let cost = pod.annotation(DELETION_COST).and_then(|c| c.parse().ok()).unwrap_or(0);
    let alone = -neighbours.get(&facts.node).copied().unwrap_or(0);
    let restarts = pod.status()["containerStatuses"].items().iter();
    Worth {
        first: (!facts.node.is_empty(), phase, facts.ready, cost, alone),
        ready_since: facts.ready_since(),
        restarts: restarts.map(|c| c["restartCount"].int_or(0)).max().unwrap_or(0),
        born: parse(pod.meta()["creationTimestamp"].str()).unwrap_or(0),
        uid: pod.uid(),
    }
}

/// What `status` tells.
struct Tally {
    replicas: i64,
    labelled: i64,
    ready: i64,
    available: i64,
    terminating: i64,
}

/// Counts the pods as they were when the pass began.
fn counted(w: &World, set: &Obj, live: &[&Obj], terminating: usize) -> Tally {
    let labels = &set.spec()["template"]["metadata"]["labels"];
    let (mut labelled, mut ready, mut available) = (0, 0, 0);
    for pod in live {
        let facts = pod.pod();
        let has = |(k, v): (&Str, &Value)| pod.meta()["labels"].get(k) == v;
        labelled += i64::from(labels.pairs().all(has));
        if facts.ready {
            ready += 1;
            available += i64::from(available_at(set, pod).is_some_and(|at| at <= w.now));
        }
    }
    let (replicas, terminating) = (live.len() as i64, terminating as i64);
    Tally { replicas, labelled, ready, available, terminating }
}

fn status(set: &Obj, tally: &Tally, plan: &mut Plan) {
    let mut next = value!({
        "observedGeneration": (set.meta()["generation"].int_or(0)),
        "replicas": (tally.replicas),
        "terminatingReplicas": (tally.terminating)
    });
    for (key, n) in [
        ("availableReplicas", tally.available),
        ("fullyLabeledReplicas", tally.labelled),
        ("readyReplicas", tally.ready),
    ] {
        if n != 0 {
            next.set(key, n);
        }
    }
    if plan.effects.is_empty() && next == *set.status() {
        return;
    }
    let mut value = set.value.clone();
    value.set("status", next);
    let mut write = Effect::new("rs.status", Action::UpdateStatus(Kind::ReplicaSet, value))
        .on_error(OnError::Ignore);
    write.always = true;
    write.amend = Some(failure);
    plan.push(write);
}

/// Says in the status that pods could not be made or deleted, as it was when that began.
fn failure(w: &World, value: &mut Value, error: &Status) {
    let meta = &value["metadata"];
    let stored = w.store.get(Kind::ReplicaSet, meta["namespace"].str(), meta["name"].str());
    let mut told = stored.map_or(Value::Null, |s| condition(&s.value, FAILURE).clone());
    if told.is_null() {
        let wanted = value["spec"]["replicas"].int_or(1);
        let short = value["status"]["replicas"].int_or(0) < wanted;
        told = value!({
            "lastTransitionTime": (rfc3339(w.now)), "message": (error.to_string()),
            "reason": (if short { "FailedCreate" } else { "FailedDelete" }),
            "status": "True", "type": FAILURE
        });
    }
    value.path_mut("status.conditions").list_mut().push(told);
}
