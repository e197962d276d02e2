//! ReplicaSets in hand-made worlds; pods become ready by hand.

use super::*;
use crate::api::time::SECOND;
use crate::api::time::rfc3339;
use crate::apiserver::{Sub, WriteOptions};
use crate::config::{Config, Latency};

const OPTS: WriteOptions = WriteOptions::TRUSTED;

fn world(spec: Value) -> World {
    let config = Config { latency: Latency::Recording, nodes: 0, ..Config::default() };
    let mut w = World::new(config);
    let mut full = value!({
        "replicas": 3, "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web", "tier": "front"}},
            "spec": {"containers": [{"image": "i", "name": "c"}], "terminationGracePeriodSeconds": 0}
        }
    });
    for (k, v) in spec.pairs() {
        full.set(k, v);
    }
    let v = value!({"metadata": {"name": "web", "namespace": "default"}, "spec": full});
    w.create(Kind::ReplicaSet, v, OPTS).expect("created");
    w.settle(SECOND);
    w
}

fn set(w: &World) -> &Obj {
    w.store.get(Kind::ReplicaSet, "default", "web").expect("set")
}

fn pods(w: &World) -> Vec<Key> {
    w.store.all(Kind::Pod).map(|p| p.key()).collect()
}

fn ready(w: &mut World, pod: &Key, node: &'static str) {
    let since = rfc3339(w.now);
    w.modify(pod, Sub::Main, |v| v.entry("spec").set("nodeName", node));
    w.modify(pod, Sub::Status, |v| {
        v.set(
            "status",
            value!({
                "conditions": [{"lastTransitionTime": since, "status": "True", "type": "Ready"}],
                "phase": "Running"
            }),
        );
    });
    w.settle(SECOND);
}

fn scale(w: &mut World, n: i64) {
    let key = set(w).key();
    w.modify(&key, Sub::Main, |v| v.entry("spec").set("replicas", n));
    w.settle(SECOND);
}

fn status(w: &World, key: &str) -> i64 {
    set(w).status().get(key).int_or(0)
}

#[test]
fn replaces_what_goes() {
    let mut w = world(Value::map());
    assert_eq!((pods(&w).len(), status(&w, "replicas"), status(&w, "readyReplicas")), (3, 3, 0));
    let first = pods(&w).remove(0);
    assert!(first.name.starts_with("web-") && first.name.len() == 9, "{}", first.name);
    let pod = w.store.by_key(&first).expect("pod").clone();
    assert_eq!(pod.meta()["generateName"].str(), "web-");
    assert_eq!(pod.controller_uid(), set(&w).uid().as_str());
    w.delete(&first, &DeleteOptions::default()).expect("deleted");
    w.settle(SECOND);
    assert_eq!(pods(&w).len(), 3);
    assert!(!pods(&w).contains(&first));
}

#[test]
fn a_pod_that_loses_its_label_is_released_and_replaced() {
    let mut w = world(Value::map());
    let first = pods(&w).remove(0);
    w.modify(&first, Sub::Main, |v| v.path_mut("metadata.labels").set("app", "other"));
    w.settle(SECOND);
    assert_eq!(pods(&w).len(), 4);
    assert_eq!(w.store.by_key(&first).expect("pod").controller_uid(), "");
    // with its label back it is one too many
    w.modify(&first, Sub::Main, |v| v.path_mut("metadata.labels").set("app", "web"));
    w.settle(SECOND);
    assert_eq!(pods(&w).len(), 3);
    // a label outside the selector only shows in the counters
    let first = pods(&w).remove(0);
    w.modify(&first, Sub::Main, |v| drop(v.path_mut("metadata.labels").remove("tier")));
    w.settle(SECOND);
    assert_eq!((pods(&w).len(), status(&w, "fullyLabeledReplicas")), (3, 2));
}

#[test]
fn a_bare_pod_is_adopted() {
    let mut w = world(Value::map());
    scale(&mut w, 0);
    let bare = value!({
        "metadata": {"labels": {"app": "web"}, "name": "bare", "namespace": "default"},
        "spec": {"containers": [{"image": "i", "name": "c"}]}
    });
    let bare = w.create(Kind::Pod, bare, OPTS).expect("created").key();
    w.settle(SECOND);
    // adopted, and as there shall be none, deleted
    assert!(w.store.by_key(&bare).is_none());
}

#[test]
fn the_one_with_most_neighbours_goes_first() {
    let mut w = world(Value::map());
    let all = pods(&w);
    for (pod, node) in all.iter().zip(["worker-1", "worker-2", "worker-1"]) {
        ready(&mut w, pod, node);
    }
    // a pod that is not ready goes before all others
    scale(&mut w, 4);
    let fourth = pods(&w).into_iter().find(|p| !all.contains(p)).expect("fourth");
    scale(&mut w, 3);
    assert!(!pods(&w).contains(&fourth));
    scale(&mut w, 2);
    assert!(pods(&w).contains(&all[1]));
    scale(&mut w, 0);
    assert_eq!((pods(&w).len(), status(&w, "replicas")), (0, 0));
}

#[test]
fn min_ready_seconds_delay_availability() {
    let mut w = world(value!({"minReadySeconds": 10, "replicas": 1}));
    let pod = pods(&w).remove(0);
    ready(&mut w, &pod, "worker-1");
    assert_eq!((status(&w, "readyReplicas"), status(&w, "availableReplicas")), (1, 0));
    w.settle(20 * SECOND);
    assert_eq!(status(&w, "availableReplicas"), 1);
}

/// The counters that are kept agree with a count of the pods.
#[test]
fn counters_agree_with_the_pods() {
    let mut w = world(value!({"replicas": 5}));
    let all = pods(&w);
    ready(&mut w, &all[0], "worker-1");
    ready(&mut w, &all[1], "worker-1");
    w.modify(&all[2], Sub::Main, |v| v.entry("metadata").set("finalizers", value!(["test/hold"])));
    w.delete(&all[2], &DeleteOptions::default()).expect("deleted");
    w.settle(SECOND);
    let counts = w.replicasets.sets.get(&set(&w).uid()).expect("counts");
    assert_eq!((counts.active, counts.ready, counts.terminating), (5, 2, 1));
    assert_eq!(
        *set(&w).status(),
        value!({
            "availableReplicas": 2, "fullyLabeledReplicas": 5, "observedGeneration": 1,
            "readyReplicas": 2, "replicas": 5, "terminatingReplicas": 1
        })
    );
}
