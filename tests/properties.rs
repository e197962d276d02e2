//! What must hold for any manifest and any acts: random ones, many of them, each named by its
//! seed. `CASES=500 cargo test -p podium-cli --test properties` plays more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use podium_sim::api::Kind;
use podium_sim::log::{ChangeType, What};
use podium_sim::manifest::parse::parse;
use podium_sim::manifest::print::to_yaml;
use podium_sim::recording::Input;
use podium_sim::rng::Stream;
use podium_sim::timeline::Timeline;
use podium_sim::{Config, Latency, World};

const LIMIT: u64 = 900_000_000;

fn cases(default: u64) -> u64 {
    std::env::var("CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// A random StatefulSet with its Service.
struct Plan {
    ordered: bool,
    deletes_claims: bool,
    manifest: String,
}

fn plan(r: &mut Stream) -> Plan {
    let ordered = r.range(0, 2) > 0;
    let (deleted, scaled) = (r.range(0, 3) == 0, r.range(0, 3) == 0);
    let word = |b: bool| if b { "Delete" } else { "Retain" };
    let strategy = match r.range(0, 3) {
        0 => "{type: OnDelete}".to_owned(),
        1 => "{type: RollingUpdate}".to_owned(),
        _ => format!("{{type: RollingUpdate, rollingUpdate: {{partition: {}}}}}", r.range(0, 3)),
    };
    let manifest = format!(
        "apiVersion: v1
kind: Service
metadata: {{name: nginx}}
spec: {{clusterIP: None, selector: {{app: nginx}}, ports: [{{name: web, port: 80}}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web}}
spec:
  serviceName: nginx
  replicas: {}
  podManagementPolicy: {}
  minReadySeconds: {}
  ordinals: {{start: {}}}
  updateStrategy: {strategy}
  persistentVolumeClaimRetentionPolicy: {{whenDeleted: {}, whenScaled: {}}}
  selector: {{matchLabels: {{app: nginx}}}}
  template:
    metadata: {{labels: {{app: nginx}}}}
    spec:
      containers:
      - name: nginx
        image: registry.k8s.io/nginx-slim:0.24
        ports: [{{name: web, containerPort: 80}}]
        volumeMounts: [{{name: www, mountPath: /usr/share/nginx/html}}]
  volumeClaimTemplates:
  - metadata: {{name: www}}
    spec:
      accessModes: [ReadWriteOnce]
      storageClassName: {}
      resources: {{requests: {{storage: 1Gi}}}}
",
        r.range(0, 4),
        if ordered { "OrderedReady" } else { "Parallel" },
        r.range(0, 1) * 3,
        r.range(0, 1) * 2,
        word(deleted),
        word(scaled),
        if r.range(0, 1) == 0 { "standard" } else { "local-wait" },
    );
    Plan { ordered, deletes_claims: deleted || scaled, manifest }
}

/// A random act; none of them deletes a claim.
fn act(r: &mut Stream) -> Input {
    let pod = r.range(0, 5);
    let line = |text: String| Input::Line { term: 1, text };
    match r.range(0, 9) {
        0 | 1 => line(format!("kubectl delete pod web-{pod} --wait=false")),
        2 => line(format!("kubectl scale sts web --replicas={}", r.range(0, 5))),
        3 => line(format!(
            "kubectl set image sts/web nginx=registry.k8s.io/nginx-slim:0.{}",
            r.range(24, 26)
        )),
        4 => line("kubectl set image sts/web nginx=registry.k8s.io/nginx-broken:1".into()),
        5 => line("kubectl rollout undo sts/web".into()),
        6 => line(format!(
            "kubectl annotate pod web-{pod} sim/ready={} --overwrite",
            r.range(0, 1) == 1
        )),
        7 => line("kubectl apply -f web.yaml".into()),
        8 => line(
            [
                "kubectl delete sts web --wait=false",
                "kubectl delete sts web --cascade=orphan --wait=false",
            ][r.range(0, 1) as usize]
                .into(),
        ),
        _ if r.range(0, 1) == 0 => Input::NodeDown { name: format!("worker-{}", r.range(1, 3)) },
        _ => Input::NodeUp { name: format!("worker-{}", r.range(1, 3)) },
    }
}

fn story(seed: u64) -> (Plan, Timeline) {
    let mut r = Stream::new(seed, &["properties"]);
    let plan = plan(&mut r);
    let latency = if r.range(0, 1) == 0 { Latency::Realistic } else { Latency::Recording };
    let mut t = Timeline::new(Config { seed, latency, ..Config::default() });
    t.input(Input::File { name: "web.yaml".into(), text: plan.manifest.clone() });
    t.input(Input::Line { term: 1, text: "kubectl apply -f web.yaml".into() });
    for _ in 0..r.range(2, 8) {
        if r.range(0, 2) > 0 {
            t.settle(LIMIT);
        } else {
            t.advance(r.range(0, 4_000_000));
        }
        t.input(act(&mut r));
    }
    t.settle(LIMIT);
    (plan, t)
}

/// One name, one pod: a pod is only added when no other of its name is there, and ordered
/// sets only add a pod when its predecessors are Ready.
fn at_most_one(seed: u64, w: &World) {
    let mut live: BTreeMap<String, String> = BTreeMap::new();
    for (_, r) in w.log.iter() {
        let What::Change { change, new, .. } = &r.what else { continue };
        if new.kind != Kind::Pod {
            continue;
        }
        let (name, uid) = (new.name().to_string(), new.uid().to_string());
        match change {
            ChangeType::Added => {
                assert!(live.insert(name.clone(), uid).is_none(), "seed {seed}: two pods {name}");
            }
            ChangeType::Modified => assert_eq!(live[&name], uid, "seed {seed}: {name}"),
            ChangeType::Deleted => assert_eq!(live.remove(&name), Some(uid), "seed {seed}: {name}"),
        }
    }
}

fn in_order(seed: u64, w: &World) {
    let mut ready: BTreeSet<i64> = BTreeSet::new();
    for (_, r) in w.log.iter() {
        let What::Change { change, new, .. } = &r.what else { continue };
        if new.kind != Kind::Pod {
            continue;
        }
        let facts = new.pod();
        let Some((_, n)) = facts.ordinal else { continue };
        if *change == ChangeType::Added && r.rule == "sts.create-pod" {
            // only pods of this set at this moment: ordinals below, from the start
            let set =
                w.log.iter().take_while(|(_, x)| x.at <= r.at).filter_map(|(_, x)| match &x.what {
                    What::Change { new, .. } if new.kind == Kind::StatefulSet => Some(new.clone()),
                    _ => None,
                });
            let start = set.last().map_or(0, |s| s.spec()["ordinals"]["start"].int_or(0));
            for below in start..n {
                assert!(
                    ready.contains(&below),
                    "seed {seed}: web-{n} came before web-{below} was Ready"
                );
            }
        }
        if *change != ChangeType::Deleted && facts.ready && !facts.terminating {
            ready.insert(n);
        } else {
            ready.remove(&n);
        }
    }
}

fn claims_stay(seed: u64, w: &World) {
    for (_, r) in w.log.iter() {
        if let What::Change { change: ChangeType::Deleted, new, .. } = &r.what {
            let name = new.name();
            assert!(
                new.kind != Kind::PersistentVolumeClaim,
                "seed {seed}: claim {name} was deleted"
            );
        }
    }
}

#[test]
fn promises_hold_under_any_acts() {
    for seed in 0..cases(300) {
        let (plan, t) = story(seed);
        let w = t.tip();
        at_most_one(seed, w);
        if plan.ordered {
            in_order(seed, w);
        }
        if !plan.deletes_claims {
            claims_stay(seed, w);
        }
    }
}

#[test]
fn contents_stay_with_their_ordinal() {
    for seed in 0..cases(25) {
        let mut r = Stream::new(seed, &["contents"]);
        let mut t = Timeline::new(Config { seed, ..Config::default() });
        let manifest = plan(&mut Stream::new(0, &["fixed"])).manifest;
        let fixed = manifest
            .lines()
            .map(|l| match l.trim_start().split(':').next() {
                Some("replicas") => "  replicas: 3",
                Some("ordinals") => "  ordinals: {start: 0}",
                Some("persistentVolumeClaimRetentionPolicy") => "  revisionHistoryLimit: 5",
                Some("updateStrategy") => "  minReadySeconds: 0",
                Some("minReadySeconds") => "",
                _ => l,
            })
            .collect::<Vec<_>>()
            .join("\n");
        let line = |t: &mut Timeline, text: String| {
            t.input(Input::Line { term: 1, text });
            t.settle(LIMIT);
        };
        t.input(Input::File { name: "web.yaml".into(), text: fixed });
        line(&mut t, "kubectl apply -f web.yaml".into());
        for n in 0..3 {
            line(
                &mut t,
                format!("kubectl exec web-{n} -- sh -c 'echo disk-{n} > /usr/share/nginx/html/id'"),
            );
        }
        for _ in 0..6 {
            let text = match r.range(0, 3) {
                0 => format!("kubectl delete pod web-{}", r.range(0, 2)),
                1 => format!("kubectl scale sts web --replicas={}", r.range(0, 3)),
                2 => format!("kubectl set image sts/web nginx=nginx:1.{}", r.range(20, 29)),
                _ => "kubectl delete sts web".to_owned(),
            };
            line(&mut t, text);
            line(&mut t, "kubectl apply -f web.yaml".into());
        }
        for n in 0..3 {
            line(&mut t, format!("kubectl exec web-{n} -- cat /usr/share/nginx/html/id"));
            let out = t.world().terminal(1).unwrap().text_since(0);
            assert!(out.ends_with(&format!("disk-{n}\n")), "seed {seed}: web-{n} reads {out}");
        }
    }
}

#[test]
fn the_same_inputs_give_the_same_history() {
    for seed in 0..cases(40) {
        let (_, t) = story(seed);
        let again = Timeline::from_recording(&t.recording());
        assert_eq!(t.tip().fingerprint(), again.tip().fingerprint(), "seed {seed}");
        let mut back = t.clone();
        back.seek(t.end() / 2);
        let mut fresh = Timeline::from_recording(&t.recording());
        fresh.seek(t.end() / 2);
        assert_eq!(back.world().fingerprint(), fresh.world().fingerprint(), "seed {seed}");
    }
}

#[test]
fn every_object_survives_print_and_parse() {
    for seed in 0..cases(30) {
        let (_, t) = story(seed);
        for (_, r) in t.tip().log.iter() {
            if let What::Change { new, .. } = &r.what {
                let text = to_yaml(&new.value);
                let read =
                    parse(&text).remove(0).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
                assert_eq!(read.value, *new.value, "seed {seed}\n{text}");
            }
        }
    }
}

/// Numbers at the ends of their types, wherever a user can write one, do no harm: no overflow,
/// no memory filled, and the world goes on.
#[test]
fn extreme_numbers_do_no_harm() {
    let long = i64::MAX;
    let int = i32::MAX;
    let set = |spec: &str, pod: &str, container: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: web}}\nspec:\n  serviceName: web\n  {spec}\n  selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      {pod}\n      containers:\n      - name: c\n        image: nginx\n        {container}\n"
        )
    };
    let manifests = [
        set(&format!("replicas: {int}"), "", ""),
        set(&format!("replicas: {int}\n  podManagementPolicy: Parallel"), "", ""),
        set(&format!("minReadySeconds: {int}"), "", ""),
        set(&format!("ordinals: {{start: {int}}}"), "", ""),
        set(&format!("updateStrategy: {{rollingUpdate: {{partition: {int}}}}}"), "", ""),
        set(&format!("revisionHistoryLimit: {int}"), "", ""),
        set("", &format!("terminationGracePeriodSeconds: {long}"), ""),
        set("", &format!("terminationGracePeriodSeconds: {long}"), "command: [sleep, infinity]"),
        set(
            "",
            &format!(
                "tolerations: [{{operator: Exists, effect: NoExecute, tolerationSeconds: {long}}}]"
            ),
            "",
        ),
        set(
            "",
            "",
            &format!(
                "readinessProbe: {{tcpSocket: {{port: 80}}, periodSeconds: {int}, initialDelaySeconds: {int}, failureThreshold: {int}, timeoutSeconds: {int}, successThreshold: {int}}}"
            ),
        ),
        set(
            "",
            "",
            &format!(
                "livenessProbe: {{exec: {{command: [\"false\"]}}, terminationGracePeriodSeconds: {long}}}"
            ),
        ),
        set("", "", "resources: {requests: {cpu: 9E, memory: 9999999E}}"),
        set("", "", "command: [sleep, \"99999999999999999999\"]"),
        set("", "", &format!("command: [sh, -c, \"sleep {long}d; exit 1\"]")),
    ];
    for text in manifests {
        let mut w = World::new(Config::default());
        w.put_file("x.yaml", &text);
        w.type_line(1, "kubectl apply -f x.yaml");
        w.settle(600_000_000);
        w.type_line(1, "kubectl delete pod web-0 --wait=false; kubectl describe pods");
        w.settle(600_000_000);
        w.node_down("worker-1");
        w.node_down("worker-2");
        w.node_down("worker-3");
        w.settle(600_000_000);
        assert!(w.store.count(Kind::Pod) <= 1, "{text}");
    }
    let mut w = World::new(Config::default());
    for line in [
        "kubectl create deployment x --image=nginx".to_owned(),
        format!("kubectl scale deployment x --replicas={int}"),
        format!("kubectl patch deployment x -p '{{\"spec\":{{\"replicas\":{int}}}}}'"),
        format!("kubectl delete pod x --grace-period={long}"),
        "kubectl wait --for=delete pod/x --timeout=99999999999h".into(),
        format!("kubectl logs deployment/x --tail={long} --since=999999999h"),
        format!("echo $(( {long} + 1 )) $(( -{long} - 2 )) $(( 1 / 0 )) $(( 1 << 99 ))"),
        format!("seq 1 {long} | head -1"),
        format!("kubectl run y --image=nginx -- sleep {long}"),
        format!("sleep {long}"),
    ] {
        w.type_line(1, &line);
        w.settle(600_000_000);
    }
    assert_eq!(w.store.count(Kind::Deployment), 1);
    assert!(w.store.count(Kind::Pod) <= 2);
}
