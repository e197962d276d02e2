//! The disruption controller: keeps the status of PodDisruptionBudgets
//! (behaviour/pod-lifecycle.md 8).

use crate::api::object::condition;
use crate::api::time::{SECOND, parse, rfc3339};
use crate::api::{Key, Kind, Obj, selector};
use crate::apiserver::events::Note;
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// Name under which the controller's events appear.
const COMPONENT: &str = "controllermanager";
/// An evicted pod that is not being deleted after this time counts again, microseconds.
const DELETION_TIMEOUT: u64 = 120 * SECOND;

/// Wakes for budgets and for the pods that they select.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    match new.kind {
        Kind::PodDisruptionBudget if change != ChangeType::Deleted => {
            w.enqueue(Comp::Disruption, new.key());
        }
        Kind::Pod if w.store.count(Kind::PodDisruptionBudget) > 0 => {
            let ns = new.ns();
            let mut wake = Vec::new();
            for budget in w.store.list(Kind::PodDisruptionBudget, &ns) {
                let selects =
                    |p: &Obj| selector::matches(&budget.spec()["selector"], &p.meta()["labels"]);
                if selects(new) || old.is_some_and(selects) {
                    wake.push(budget.key());
                }
            }
            for key in wake {
                w.enqueue(Comp::Disruption, key);
            }
        }
        _ => {}
    }
}

/// Counts the pods of one budget.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(budget) = w.store.by_key(key) else { return plan };
    let pods: Vec<&Obj> = w
        .store
        .list(Kind::Pod, &key.ns)
        .filter(|p| selector::matches(&budget.spec()["selector"], &p.meta()["labels"]))
        .collect();
    if pods.is_empty() {
        tell(budget, Note::normal(COMPONENT, "NoPods", "No matching pods found"), &mut plan);
    }
    let (expected, desired) = expected(w, budget, &pods, &mut plan);
    let disrupted = disrupted(w, budget, &pods, &mut plan);
    let healthy = pods
        .iter()
        .filter(|p| {
            let facts = p.pod();
            facts.ready && !facts.terminating && !disrupted.has(p.meta()["name"].str())
        })
        .count() as i64;
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let mut status = value!({
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "disruptionsAllowed": allowed,
        "expectedPods": expected,
        "observedGeneration": (budget.meta()["generation"].int_or(0))
    });
    if !disrupted.is_empty() {
        status.set("disruptedPods", disrupted);
    }
    if budget.status().has("conditions") {
        status.set("conditions", &budget.status()["conditions"]);
    }
    set_allowed_condition(&mut status, w.now);
    if status != *budget.status() {
        let mut value = budget.value.clone();
        value.set("status", status);
        plan.push(
            Effect::new("pdb.status", Action::UpdateStatus(Kind::PodDisruptionBudget, value))
                .on_error(OnError::Continue),
        );
    }
    plan
}

fn tell(about: &Obj, note: Note, plan: &mut Plan) {
    plan.act("pdb.tell", Action::Event(about.clone(), note));
}

/// How many pods there should be, and how many of them healthy.
fn expected(w: &World, budget: &Obj, pods: &[&Obj], plan: &mut Plan) -> (i64, i64) {
    let (most, least) = (&budget.spec()["maxUnavailable"], &budget.spec()["minAvailable"]);
    if most.is_null()
        && let Some(least) = least.as_int()
    {
        return (pods.len() as i64, least);
    }
    // anything but a whole minAvailable asks the controllers how many they want
    let mut controllers: Vec<(Str, i64)> = Vec::new();
    let mut unmanaged = false;
    for pod in pods {
        let Some(r) = pod.controller_ref() else {
            unmanaged = true;
            continue;
        };
        if controllers.iter().all(|(uid, _)| uid.as_str() != r["uid"].str())
            && let Some(found) = scale(w, pod, r)
            && !controllers.contains(&found)
        {
            controllers.push(found);
        }
    }
    if unmanaged {
        let message = format!(
            "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
            selector::structure(&budget.spec()["selector"])
        );
        tell(budget, Note::warning(COMPONENT, "UnmanagedPods", message), plan);
    }
    let expected: i64 = controllers.iter().map(|(_, n)| n).sum();
    let count = |v: &Value| match v.str().strip_suffix('%').and_then(|p| p.parse::<i64>().ok()) {
        Some(percent) => (percent * expected + 99) / 100,
        None => v.int_or(0),
    };
    let desired = match (most.is_null(), least.is_null()) {
        (false, _) => (expected - count(most)).max(0),
        (true, false) => count(least),
        (true, true) => 0,
    };
    (expected, desired)
}

/// Uid and size of what controls a pod: of the Deployment, where a ReplicaSet belongs to one.
fn scale(w: &World, pod: &Obj, r: &Value) -> Option<(Str, i64)> {
    let ns = pod.ns();
    let find = |r: &Value| {
        let kind = Kind::from_owner(r["apiVersion"].str(), r["kind"].str())?;
        w.store.get(kind, &ns, r["name"].str()).filter(|o| o.meta()["uid"] == r["uid"])
    };
    let mut owner = find(r)?;
    if owner.kind == Kind::ReplicaSet
        && let Some(above) = owner.controller_ref().and_then(find)
    {
        owner = above;
    }
    let sized = matches!(
        owner.kind,
        Kind::Deployment | Kind::ReplicaSet | Kind::ReplicationController | Kind::StatefulSet
    );
    sized.then(|| (owner.uid(), owner.spec()["replicas"].int_or(1)))
}

/// Pods whose eviction was granted and that are not yet being deleted.
fn disrupted(w: &World, budget: &Obj, pods: &[&Obj], plan: &mut Plan) -> Value {
    let mut left = Value::map();
    let mut next: Option<u64> = None;
    let granted = &budget.status()["disruptedPods"];
    for pod in pods.iter().filter(|p| !p.pod().terminating && granted.has(p.meta()["name"].str())) {
        let name = pod.name();
        let due = parse(granted.get(&name).str()).unwrap_or(0) + DELETION_TIMEOUT;
        if due < w.now {
            let message = format!(
                "Pod was expected by PDB {}/{} to be deleted but it wasn't",
                budget.ns(),
                budget.name()
            );
            tell(pod, Note::warning(COMPONENT, "NotDeleted", message), plan);
        } else {
            next = Some(next.map_or(due, |n| n.min(due)));
            left.set(&name, granted.get(&name));
        }
    }
    if let Some(due) = next {
        plan.act("pdb.recheck", Action::Requeue(due - w.now + SECOND, true));
    }
    left
}

/// Sets the condition `DisruptionAllowed` in a budget's status by its counters.
pub fn set_allowed_condition(status: &mut Value, now: u64) {
    let (state, reason) = if status["disruptionsAllowed"].int_or(0) > 0 {
        ("True", "SufficientPods")
    } else {
        ("False", "InsufficientPods")
    };
    let wrapped = value!({"status": (status.clone())});
    let before = condition(&wrapped, "DisruptionAllowed");
    let since = if before["status"].str() == state {
        before["lastTransitionTime"].to_str()
    } else {
        rfc3339(now)
    };
    let next = value!({
        "lastTransitionTime": since, "message": "",
        "observedGeneration": (status["observedGeneration"].int_or(0)),
        "reason": reason, "status": state, "type": "DisruptionAllowed"
    });
    status.set("conditions", [next]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::object::Object;
    use crate::apiserver::error::Reason;
    use crate::apiserver::{DeleteOptions, Sub, WriteOptions};
    use crate::config::{Config, Latency};

    const OPTS: WriteOptions = WriteOptions::TRUSTED;

    /// A set that asks for three, and its pods, ready.
    fn world(spec: Value) -> World {
        let config = Config { latency: Latency::Recording, nodes: 0, ..Config::default() };
        let mut w = World::new(config);
        let labels = value!({"app": "web"});
        let set = w
            .create(
                Kind::ReplicaSet,
                value!({
                    "metadata": {"name": "web", "namespace": "default"},
                    "spec": {
                        "replicas": 3, "selector": {"matchLabels": labels},
                        "template": {
                            "metadata": {"labels": (value!({"app": "web"}))},
                            "spec": {"containers": [{"image": "i", "name": "c"}]}
                        }
                    }
                }),
                OPTS,
            )
            .expect("created");
        assert_eq!(set.kind, Kind::ReplicaSet);
        budget(&mut w, "pdb", spec);
        w.settle(10 * SECOND);
        for pod in pods(&w) {
            ready(&mut w, &pod, "True");
        }
        w
    }

    fn budget(w: &mut World, name: &'static str, mut spec: Value) {
        spec.set("selector", value!({"matchLabels": {"app": "web"}}));
        let v = value!({"metadata": {"name": name, "namespace": "default"}, "spec": spec});
        w.create(Kind::PodDisruptionBudget, v, OPTS).expect("created");
    }

    fn pods(w: &World) -> Vec<Key> {
        w.store.all(Kind::Pod).map(|p| p.key()).collect()
    }

    fn ready(w: &mut World, pod: &Key, state: &'static str) {
        w.modify(pod, Sub::Status, |v| {
            v.set(
                "status",
                value!({"conditions": [{"status": state, "type": "Ready"}], "phase": "Running"}),
            );
        });
        w.settle(10 * SECOND);
    }

    fn counts(w: &World) -> [i64; 4] {
        let pdb = w.store.get(Kind::PodDisruptionBudget, "default", "pdb").expect("budget");
        ["currentHealthy", "desiredHealthy", "expectedPods", "disruptionsAllowed"]
            .map(|k| pdb.status().get(k).int_or(-1))
    }

    fn held(w: &mut World, pod: &Key) {
        w.modify(pod, Sub::Main, |v| v.entry("metadata").set("finalizers", value!(["test/hold"])));
        w.settle(10 * SECOND);
    }

    /// A budget that is made together with its set has looked twice before the first pod is
    /// there: when it came, and when it had a status.
    #[test]
    fn a_new_budget_finds_no_pods_twice() {
        for latency in [Latency::Recording, Latency::Realistic] {
            let mut w = World::new(Config { latency, ..Config::default() });
            let set = value!({
                "metadata": {"name": "web", "namespace": "default"},
                "spec": {
                    "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
                    "template": {
                        "metadata": {"labels": {"app": "web"}},
                        "spec": {"containers": [{"image": "i", "name": "c"}]}
                    }
                }
            });
            w.create(Kind::StatefulSet, set, OPTS).expect("created");
            budget(&mut w, "pdb", value!({"minAvailable": 1}));
            w.settle(30 * SECOND);
            let mut events = w.store.all(Kind::Event);
            let told = events.find(|e| e.value["reason"].str() == "NoPods").expect("told");
            assert_eq!(told.value["message"].str(), "No matching pods found");
            assert_eq!(told.value["count"].int_or(0), 2);
        }
    }

    #[test]
    fn counters() {
        assert_eq!(counts(&world(value!({"minAvailable": 2}))), [3, 2, 3, 1]);
        assert_eq!(counts(&world(value!({"maxUnavailable": 1}))), [3, 2, 3, 1]);
        // percentages are rounded up, of the controllers' replicas
        assert_eq!(counts(&world(value!({"maxUnavailable": "50%"}))), [3, 1, 3, 2]);
        assert_eq!(counts(&world(value!({"minAvailable": "50%"}))), [3, 2, 3, 1]);
        let w = world(value!({"minAvailable": 3}));
        let pdb = w.store.get(Kind::PodDisruptionBudget, "default", "pdb").expect("budget");
        let c: &Object = pdb;
        let c = condition(&c.value, "DisruptionAllowed");
        assert_eq!((c["status"].str(), c["reason"].str()), ("False", "InsufficientPods"));
    }

    #[test]
    fn eviction_takes_what_is_allowed_and_no_more() {
        let mut w = world(value!({"minAvailable": 2}));
        let pods = pods(&w);
        for pod in &pods {
            held(&mut w, pod);
        }
        let opts = DeleteOptions::default();
        w.evict(&pods[0], &opts).expect("evicted");
        let pdb = w.store.get(Kind::PodDisruptionBudget, "default", "pdb").expect("budget");
        assert!(pdb.status()["disruptedPods"].has(&pods[0].name));
        assert_eq!(counts(&w)[3], 0);
        let gone = w.store.by_key(&pods[0]).expect("held");
        assert!(gone.terminating());
        let c = condition(&gone.value, "DisruptionTarget");
        assert_eq!(c["reason"].str(), "EvictionByEvictionAPI");
        let refused = w.evict(&pods[1], &opts).expect_err("refused");
        assert_eq!(refused.code(), 429);
        assert_eq!(refused.message, REFUSED_TEXT);
        w.settle(10 * SECOND);
        let refused = w.evict(&pods[1], &opts).expect_err("refused");
        assert_eq!(
            refused.causes[0].message,
            "The disruption budget pdb needs 2 healthy pods and has 2 currently"
        );
        // one more budget for the same pods: the server gives up
        budget(&mut w, "second", value!({"minAvailable": 0}));
        let refused = w.evict(&pods[1], &opts).expect_err("refused");
        assert_eq!(refused.reason, Reason::InternalError);
        // but not for a pod that is going anyway
        w.evict(&pods[0], &opts).expect("going");
    }

    const REFUSED_TEXT: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

    #[test]
    fn unready_pods_go_while_the_others_suffice() {
        let mut w = world(value!({"minAvailable": 2}));
        let pods = pods(&w);
        ready(&mut w, &pods[0], "False");
        assert_eq!(counts(&w), [2, 2, 3, 0]);
        let opts = DeleteOptions { dry_run: true, ..DeleteOptions::default() };
        w.evict(&pods[0], &opts).expect("unhealthy, and two are healthy");
        assert_eq!(w.evict(&pods[1], &opts).expect_err("healthy").code(), 429);
        ready(&mut w, &pods[1], "False");
        assert_eq!(w.evict(&pods[0], &opts).expect_err("too few").code(), 429);
    }
}
