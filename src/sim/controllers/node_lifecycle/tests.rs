use super::*;
use crate::api::object::condition;
use crate::api::time::SECOND;
use crate::apiserver::{DeleteOptions, WriteOptions};
use crate::config::{Config, Latency};
use crate::value;

const OPTS: WriteOptions = WriteOptions::TRUSTED;

fn world() -> (World, Key) {
    let config = Config { latency: Latency::Recording, attach: false, ..Config::default() };
    let mut w = World::new(config);
    let pod = value!({
        "metadata": {"name": "web-2"},
        "spec": {
            "nodeName": "worker-2", "terminationGracePeriodSeconds": 30,
            "containers": [{"name": "nginx", "image": "nginx-slim:0.24"}],
            "tolerations": [
                {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 6}
            ]
        }
    });
    let key = w.create(Kind::Pod, pod, OPTS).map_or_else(|e| unreachable!("{e}"), |p| p.key());
    assert!(w.settle(60 * SECOND));
    (w, key)
}

fn events(w: &World, reason: &str) -> Vec<String> {
    w.store
        .all(Kind::Event)
        .filter(|e| e.value["reason"].str() == reason)
        .map(|e| e.value["message"].str().to_owned())
        .collect()
}

fn node(w: &World) -> Obj {
    w.store.get(Kind::Node, "", "worker-2").cloned().unwrap_or_else(|| unreachable!())
}

#[test]
fn a_lost_node_keeps_its_pods_terminating() {
    let (mut w, key) = world();
    w.node_down("worker-2");
    w.run_until(w.now + 49 * SECOND);
    assert!(w.store.by_key(&key).is_some_and(|p| p.pod().ready));
    w.run_until(w.now + 2 * SECOND);
    assert!(w.store.by_key(&key).is_some_and(|p| !p.pod().ready && !p.terminating()));
    assert_eq!(condition(&node(&w).value, "Ready")["status"].str(), "Unknown");
    let taints: Vec<String> =
        node(&w).spec()["taints"].items().iter().map(|t| t["effect"].str().to_owned()).collect();
    assert_eq!(taints, ["NoSchedule", "NoExecute"]);
    assert_eq!(
        events(&w, "NodeNotReady"),
        ["Node is not ready", "Node worker-2 status is now: NodeNotReady"]
    );
    assert!(w.settle(600 * SECOND));
    let pod = w.store.by_key(&key).cloned().unwrap_or_else(|| unreachable!());
    assert!(pod.terminating());
    assert_eq!(pod.status()["phase"].str(), "Running");
    assert!(pod.status()["containerStatuses"][0]["ready"].is_true());
    assert_eq!(condition(&pod.value, "DisruptionTarget")["reason"].str(), "DeletionByTaintManager");
    assert_eq!(events(&w, "TaintManagerEviction"), ["Marking for deletion Pod default/web-2"]);
    w.node_up("worker-2");
    assert!(w.settle(60 * SECOND));
    assert!(w.store.by_key(&key).is_none(), "the kubelet confirms what waited");
    assert!(is_ready(&node(&w)) && node(&w).spec()["taints"].is_null());
}

#[test]
fn a_node_that_comes_back_in_time_keeps_its_pods() {
    let (mut w, key) = world();
    w.node_down("worker-2");
    w.run_until(w.now + 52 * SECOND);
    w.node_up("worker-2");
    assert!(w.settle(60 * SECOND));
    assert!(w.store.by_key(&key).is_some_and(|p| p.pod().ready && !p.terminating()));
    assert_eq!(events(&w, "TaintManagerEviction"), ["Cancelling deletion of Pod default/web-2"]);
}

#[test]
fn pods_of_a_deleted_node_are_collected() {
    let (mut w, key) = world();
    w.node_down("worker-2");
    let _ = w.delete(&Key::new(Kind::Node, "", "worker-2"), &DeleteOptions::default());
    w.run_until(w.now + 39 * SECOND);
    assert!(w.store.by_key(&key).is_some());
    assert!(w.settle(60 * SECOND));
    assert!(w.store.by_key(&key).is_none());
}

#[test]
fn out_of_service_frees_pods_at_once() {
    let (mut w, key) = world();
    w.node_down("worker-2");
    w.run_until(w.now + 51 * SECOND);
    w.modify(&node(&w).key(), Sub::Main, |v| {
        v.entry("spec").entry("taints").list_mut().push(value!({
            "effect": "NoExecute", "key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown"
        }));
    });
    w.run_until(w.now + 21 * SECOND);
    assert!(w.store.by_key(&key).is_none());
}

#[test]
fn a_cordoned_node_is_tainted_while_it_is() {
    let (mut w, _) = world();
    let key = Key::new(Kind::Node, "", "worker-2");
    for cordoned in [true, false] {
        w.modify(&key, Sub::Main, |v| {
            let spec = v.entry("spec");
            if cordoned {
                spec.set("unschedulable", true);
            } else {
                spec.remove("unschedulable");
            }
        });
        assert!(w.settle(60 * SECOND));
        let taints = node(&w).spec()["taints"].clone();
        assert_eq!(!taints.is_null(), cordoned);
        if cordoned {
            assert_eq!(taints[0]["key"].str(), "node.kubernetes.io/unschedulable");
            assert!(!taints[0]["timeAdded"].is_null());
        }
    }
}

/// Evictions that do not take place are called off aloud; what was evicted once is not again,
/// unless a taint comes that it does not tolerate.
#[test]
fn evictions_called_off_and_repeated() {
    let off = ["Cancelling deletion of Pod default/web-2"];
    let (mut w, key) = world();
    w.node_down("worker-2");
    w.run_until(w.now + 53 * SECOND);
    let now = DeleteOptions { grace: Some(0), ..DeleteOptions::default() };
    w.delete(&key, &now).expect("deleted");
    assert_eq!(events(&w, "TaintManagerEviction"), off);

    let (mut w, key) = world();
    w.node_down("worker-2");
    assert!(w.settle(600 * SECOND));
    let mark = ["Marking for deletion Pod default/web-2"];
    assert_eq!(events(&w, "TaintManagerEviction"), mark);
    let count = |w: &World| {
        let mut all = w.store.all(Kind::Event);
        let event = all.find(|e| e.value["reason"].str() == "TaintManagerEviction");
        event.map_or(0, |e| e.value["count"].int_or(0))
    };
    let taint = |w: &mut World, effect: &'static str| {
        w.modify(&Key::new(Kind::Node, "", "worker-2"), Sub::Main, |v| {
            let taints = v.path_mut("spec.taints").list_mut();
            taints.push(value!({"effect": effect, "key": "mine"}));
        });
        assert!(w.settle(600 * SECOND));
    };
    taint(&mut w, "NoSchedule");
    assert_eq!(count(&w), 1);
    taint(&mut w, "NoExecute");
    assert_eq!(count(&w), 2);
    assert!(w.store.by_key(&key).is_some_and(|p| p.terminating()));
}

#[test]
fn the_monitor_tells_of_a_node_that_is_gone() {
    let (mut w, _) = world();
    let key = Key::new(Kind::Node, "", "worker-1");
    w.delete(&key, &DeleteOptions::default()).expect("deleted");
    assert!(w.settle(60 * SECOND));
    assert_eq!(
        events(&w, "RemovingNode"),
        ["Node worker-1 event: Removing Node worker-1 from Controller"]
    );
}
