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
