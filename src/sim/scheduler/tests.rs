use super::*;
use crate::apiserver::{DeleteOptions, WriteOptions};
use crate::config::{Config, Latency};

fn world(seed: u64) -> World {
    World::new(Config { seed, latency: Latency::Recording, ..Config::default() })
}

fn pod(name: &str, app: &str, more: Value) -> Value {
    let mut spec = more;
    spec.set("containers", [value!({"image": "nginx:1", "name": "c"})]);
    value!({
        "metadata": {"labels": {"app": (value::text(app))}, "name": (value::text(name)), "namespace": "default"},
        "spec": (spec)
    })
}

fn create(w: &mut World, value: Value) {
    w.create(Kind::Pod, value, WriteOptions::default()).unwrap();
    assert!(w.settle(600 * SECOND));
}

fn node(w: &World, name: &str) -> Str {
    w.store.get(Kind::Pod, "default", name).unwrap().pod().node.clone()
}

fn refusal(w: &World, name: &str) -> String {
    let pod = w.store.get(Kind::Pod, "default", name).unwrap();
    crate::api::object::condition(&pod.value, "PodScheduled")["message"].str().to_owned()
}

fn apart(app: &str, which: &'static str) -> Value {
    let term = value!({
        "labelSelector": {"matchLabels": {"app": (value::text(app))}},
        "topologyKey": "kubernetes.io/hostname"
    });
    let mut kind = Value::map();
    kind.set("requiredDuringSchedulingIgnoredDuringExecution", [term]);
    let mut affinity = Value::map();
    affinity.set(which, kind);
    value!({"affinity": (affinity)})
}

fn spread(when: &'static str, key: &'static str) -> Value {
    value!({"topologySpreadConstraints": [{
        "labelSelector": {"matchLabels": {"app": "a"}}, "maxSkew": 1,
        "topologyKey": key, "whenUnsatisfiable": when
    }]})
}

/// Pods whose claims are still being bound take their places already.
#[test]
fn parallel_pods_with_late_bound_claims_keep_apart() {
    for seed in 0..8 {
        let mut w = world(seed);
        let mut spec = apart("a", "podAntiAffinity");
        spec.set("containers", [value!({"image": "nginx:1", "name": "c"})]);
        let set = value!({
            "metadata": {"name": "a", "namespace": "default"},
            "spec": {
                "podManagementPolicy": "Parallel", "replicas": 4, "serviceName": "a",
                "selector": {"matchLabels": {"app": "a"}},
                "template": {"metadata": {"labels": {"app": "a"}}, "spec": (spec)},
                "volumeClaimTemplates": [{
                    "metadata": {"name": "data"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"], "storageClassName": "local-wait",
                        "resources": {"requests": {"storage": "1Gi"}}
                    }
                }]
            }
        });
        w.create(Kind::StatefulSet, set, WriteOptions::default()).unwrap();
        assert!(w.settle(600 * SECOND));
        let nodes: BTreeSet<Str> = (0..4).map(|n| node(&w, &format!("a-{n}"))).collect();
        assert_eq!(nodes.iter().filter(|n| !n.is_empty()).count(), 3, "seed {seed}: {nodes:?}");
        assert!(w.scheduler.assumed.is_empty());
        assert_eq!(w.scheduler.usage.values().map(|u| u.pods).sum::<i64>(), 3);
    }
}

#[test]
fn a_pod_waits_for_the_neighbour_that_it_wants() {
    let mut w = world(1);
    create(&mut w, pod("web", "web", apart("cache", "podAffinity")));
    assert_eq!(
        refusal(&w, "web"),
        "0/3 nodes are available: 3 node(s) didn't match pod affinity rules. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    );
    create(&mut w, pod("cache", "cache", Value::map()));
    assert_eq!(node(&w, "web"), node(&w, "cache"));
    assert!(!node(&w, "web").is_empty());
}

#[test]
fn anti_affinity_fills_each_node_once() {
    let mut w = world(1);
    for name in ["a-0", "a-1", "a-2", "a-3"] {
        create(&mut w, pod(name, "a", apart("a", "podAntiAffinity")));
    }
    assert_eq!(
        refusal(&w, "a-3"),
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
    );
    let free = node(&w, "a-1");
    w.delete(&Key::new(Kind::Pod, "default", "a-1"), &DeleteOptions::default()).unwrap();
    assert!(w.settle(600 * SECOND));
    assert_eq!(node(&w, "a-3"), free);
}

#[test]
fn spreading_as_condition_and_as_wish() {
    for when in ["DoNotSchedule", "ScheduleAnyway"] {
        let mut w = world(3);
        for name in ["a-0", "a-1", "a-2", "a-3", "a-4", "a-5"] {
            create(&mut w, pod(name, "a", spread(when, "topology.kubernetes.io/zone")));
        }
        let counts: Vec<i64> = w.scheduler.usage.values().map(|u| u.pods).collect();
        assert_eq!(counts, [2, 2, 2], "{when}");
    }
    let mut w = world(3);
    create(&mut w, pod("a-0", "a", spread("DoNotSchedule", "rack")));
    assert!(refusal(&w, "a-0").starts_with(
        "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label). no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful"
    ));
}

#[test]
fn sidecars_count_with_what_starts_after_them() {
    let c = |cpu: &'static str| value!({"name": "c", "resources": {"requests": {"cpu": cpu}}});
    let mut sidecar = c("300m");
    sidecar.set("restartPolicy", "Always");
    let mut spec = Value::map();
    spec.set("initContainers", [sidecar, c("500m")]);
    spec.set("containers", [c("100m")]);
    assert_eq!(requests(&spec).cpu, 800, "the init container runs beside the sidecar");
}

#[test]
fn the_same_seed_gives_the_same_nodes() {
    let places = |seed| {
        let mut w = world(seed);
        (0..9)
            .map(|n| {
                let name = format!("p-{n}");
                create(&mut w, pod(&name, "p", Value::map()));
                node(&w, &name)
            })
            .collect::<Vec<Str>>()
    };
    assert_eq!(places(5), places(5));
    assert!((0..5).any(|s| places(s) != places(5)), "another seed may choose otherwise");
}

#[test]
fn a_cluster_without_nodes_says_so() {
    let mut w = world(1);
    let nodes: Vec<Key> = w.store.all(Kind::Node).map(|n| n.key()).collect();
    for key in nodes {
        w.delete(&key, &DeleteOptions::default()).unwrap();
    }
    create(&mut w, pod("web", "web", Value::map()));
    assert_eq!(refusal(&w, "web"), "no nodes available to schedule pods");
}

/// A pod of a priority class whose container asks for that much.
fn greedy(name: &str, resource: &'static str, amount: &'static str, class: &'static str) -> Value {
    let mut spec = Value::map();
    if !class.is_empty() {
        spec.set("priorityClassName", class);
    }
    let mut pod = pod(name, name, spec);
    let container = &mut pod.path_mut("spec.containers").list_mut()[0];
    container.path_mut("resources.requests").set(resource, amount);
    pod
}

fn classes(w: &mut World) {
    for (name, value, policy) in
        [("high", 1000, "PreemptLowerPriority"), ("patient", 1000, "Never"), ("low", -10, "")]
    {
        let mut class = value!({"metadata": {"name": name}, "value": value});
        if !policy.is_empty() {
            class.set("preemptionPolicy", policy);
        }
        w.create(Kind::PriorityClass, class, WriteOptions::default()).unwrap();
    }
}

#[test]
fn what_no_node_has_is_named() {
    let mut w = world(1);
    let mut gpu = greedy("a", "nvidia.com/gpu", "1", "");
    // such a request is refused without the same limit
    gpu.path_mut("spec.containers").list_mut()[0]
        .path_mut("resources.limits")
        .set("nvidia.com/gpu", "1");
    create(&mut w, gpu);
    assert_eq!(
        refusal(&w, "a"),
        "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    );
    create(&mut w, greedy("b", "ephemeral-storage", "40Gi", ""));
    assert!(!node(&w, "b").is_empty());
}

/// Two reasons of a node are one node to preemption.
#[test]
fn a_node_with_two_reasons_counts_once() {
    let mut w = world(1);
    let mut big = greedy("big", "cpu", "100", "");
    big.path_mut("spec.containers").list_mut()[0]
        .path_mut("resources.requests")
        .set("memory", "100Ti");
    create(&mut w, big);
    assert_eq!(
        refusal(&w, "big"),
        "0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    );
}

#[test]
fn a_higher_priority_takes_the_place_of_the_lowest() {
    let mut w = world(1);
    classes(&mut w);
    for (name, class) in [("a", ""), ("b", "low"), ("c", "high")] {
        create(&mut w, greedy(name, "cpu", "6", class));
    }
    let (low, uid) = (node(&w, "b"), |w: &World, name: &str| {
        w.store.get(Kind::Pod, "default", name).unwrap().uid()
    });
    create(&mut w, greedy("patient", "cpu", "6", "patient"));
    assert_eq!(
        refusal(&w, "patient"),
        "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never."
    );
    w.delete(&Key::new(Kind::Pod, "default", "patient"), &DeleteOptions::default()).unwrap();
    create(&mut w, greedy("d", "cpu", "6", "high"));
    assert_eq!(node(&w, "d"), low);
    assert!(w.store.get(Kind::Pod, "default", "b").is_none());
    assert!(w.store.get(Kind::Pod, "default", "a").is_some());
    assert!(w.scheduler.nominated.is_empty() && w.scheduler.aside.is_empty());
    let d = w.store.get(Kind::Pod, "default", "d").unwrap();
    assert!(d.status()["nominatedNodeName"].is_null());
    let told = |reason: &str| {
        let mut events = w.store.all(Kind::Event).filter(|e| e.value["reason"].str() == reason);
        events.next_back().map(|e| e.value["message"].str().to_owned()).unwrap_or_default()
    };
    assert_eq!(told("Preempted"), format!("Preempted by pod {} on node {low}", uid(&w, "d")));
    let said = w.log.iter().any(|(_, r)| match &r.what {
        crate::log::What::Change { new, .. } => {
            new.name() == "d"
                && new.status()["nominatedNodeName"].str() == low.as_str()
                && crate::api::object::condition(&new.value, "PodScheduled")["message"].str()
                    == "0/3 nodes are available: 3 Insufficient cpu."
        }
        _ => false,
    });
    assert!(said, "the node is promised while room is being made");
    // nobody left of a lower priority, but on one node
    create(&mut w, greedy("e", "cpu", "7", "low"));
    assert_eq!(
        refusal(&w, "e"),
        "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
    );
    assert_eq!(w.scheduler.usage.values().map(|u| u.pods).sum::<i64>(), 3);
}

#[test]
fn classes_give_priorities() {
    let mut w = world(1);
    classes(&mut w);
    let refused = w.create(Kind::Pod, greedy("a", "cpu", "1", "nope"), WriteOptions::default());
    assert_eq!(
        refused.map(drop).unwrap_err().message.as_str(),
        "pods \"a\" is forbidden: no PriorityClass with name nope was found"
    );
    create(&mut w, greedy("b", "cpu", "1", "patient"));
    let b = w.store.get(Kind::Pod, "default", "b").unwrap();
    assert_eq!(
        (b.spec()["priority"].int_or(0), b.spec()["preemptionPolicy"].str()),
        (1000, "Never")
    );
}

/// Of nodes whose most important victim is the same, the one with fewer victims is taken.
#[test]
fn few_victims_rather_than_many() {
    let mut w = world(1);
    classes(&mut w);
    for (name, cpu, class, place) in [
        ("x", "6", "", "worker-2"),
        ("y", "3", "", "worker-1"),
        ("y-low", "3", "low", "worker-1"),
        ("z", "6", "high", "worker-3"),
    ] {
        let mut pod = greedy(name, "cpu", cpu, class);
        pod.entry("spec").set("nodeName", place);
        create(&mut w, pod);
    }
    create(&mut w, greedy("d", "cpu", "6", "high"));
    assert_eq!(node(&w, "d"), "worker-2");
    assert!(w.store.get(Kind::Pod, "default", "y-low").is_some());
    let known: Vec<i64> = w.scheduler.priorities.iter().map(|(p, _)| *p).collect();
    assert_eq!(known, [-10, 0, 1000]);
}
