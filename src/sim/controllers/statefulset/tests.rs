//! Sets in hand-made worlds, with manifests that the API server would have defaulted.

use crate::api::time::SECOND;
use crate::api::{Key, Kind, Obj};
use crate::apiserver::{DeleteOptions, Sub, WriteOptions};
use crate::config::{Config, Latency};
use crate::log::What;
use crate::queue::Comp;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

const OPTS: WriteOptions = WriteOptions::TRUSTED;
const CLAIM: Kind = Kind::PersistentVolumeClaim;

/// A world with a set `web` whose spec has these parts besides the usual ones.
pub(super) fn world(more: Value) -> World {
    let mut w = World::new(Config { latency: Latency::Recording, ..Config::default() });
    let mut spec = value!({
        "podManagementPolicy": "OrderedReady", "replicas": 3, "revisionHistoryLimit": 10,
        "selector": {"matchLabels": {"app": "web"}}, "serviceName": "web",
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"image": "nginx-slim:1", "name": "nginx"}]}
        },
        "updateStrategy": {"rollingUpdate": {"partition": 0}, "type": "RollingUpdate"}
    });
    for (k, v) in more.pairs() {
        spec.set(k, v);
    }
    let set = value!({"metadata": {"name": "web", "namespace": "default"}, "spec": spec});
    w.create(Kind::StatefulSet, set, OPTS).expect("created");
    w
}

fn claimed(deleted: &'static str, scaled: &'static str) -> Value {
    value!({
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": deleted, "whenScaled": scaled},
        "volumeClaimTemplates": [{
            "metadata": {"name": "www"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "standard"
            }
        }]
    })
}

pub(super) fn settle(w: &mut World) {
    assert!(w.settle(600 * SECOND));
}

pub(super) fn edit(w: &mut World, change: impl FnOnce(&mut Value)) {
    let key = Key::new(Kind::StatefulSet, "default", "web");
    w.modify(&key, Sub::Main, |v| change(v.entry("spec")));
    settle(w);
}

pub(super) fn pod(name: &str) -> Key {
    Key::new(Kind::Pod, "default", Str::from(name.to_owned()))
}

fn owners(claim: &Obj) -> Vec<String> {
    let refs = claim.meta()["ownerReferences"].items().iter();
    refs.map(|r| format!("{}/{}", r["kind"].str(), r["name"].str())).collect()
}

fn claim_owners(w: &World, name: &str) -> Vec<String> {
    owners(w.store.get(CLAIM, "default", name).expect("claim"))
}

/// Each change of an object of that kind: name, and what `tell` makes of it.
fn history(w: &World, kind: Kind, tell: impl Fn(&Obj) -> String) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (_, record) in w.log.iter() {
        if let What::Change { new, .. } = &record.what
            && new.kind == kind
        {
            let line = tell(new);
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

pub(super) fn told(w: &World, reason: &str) -> Vec<String> {
    w.store
        .all(Kind::Event)
        .filter(|e| e.value["reason"].str() == reason)
        .map(|e| e.value["message"].str().to_owned())
        .collect()
}

/// Claims get the owner that the policy wants while their pod is still Pending, without a word.
#[test]
fn new_claims_follow_the_policy_in_silence() {
    for (scaled, policy) in
        [("Retain", "OrderedReady"), ("Delete", "OrderedReady"), ("Delete", "Parallel")]
    {
        let mut more = claimed("Delete", scaled);
        more.set("podManagementPolicy", policy);
        let mut w = world(more);
        settle(&mut w);
        for claim in ["www-web-0", "www-web-1", "www-web-2"] {
            assert_eq!(claim_owners(&w, claim), ["StatefulSet/web"]);
        }
        assert_eq!(told(&w, "SuccessfulUpdate"), [""; 0]);
        let mut phases = history(&w, CLAIM, |c| {
            format!("{} {} {:?}", c.name(), c.status()["phase"].str(), owners(c))
        });
        phases.retain(|line| line.starts_with("www-web-0"));
        phases.dedup();
        assert_eq!(
            phases[..3],
            [
                "www-web-0 Pending []",
                "www-web-0 Pending [\"StatefulSet/web\"]",
                "www-web-0 Bound [\"StatefulSet/web\"]"
            ]
        );
    }
}

/// A change of the policy is carried to the claims of running pods, and told.
#[test]
fn a_changed_policy_is_told() {
    let mut w = world(claimed("Retain", "Retain"));
    settle(&mut w);
    edit(&mut w, |s| {
        s.path_mut("persistentVolumeClaimRetentionPolicy").set("whenDeleted", "Delete");
    });
    assert_eq!(claim_owners(&w, "www-web-1"), ["StatefulSet/web"]);
    assert_eq!(told(&w, "SuccessfulUpdate").len(), 3);
    edit(&mut w, |s| {
        s.path_mut("persistentVolumeClaimRetentionPolicy").set("whenDeleted", "Retain");
    });
    assert_eq!(claim_owners(&w, "www-web-1"), [""; 0]);
}

/// Scaled down with `whenScaled: Delete`: the claim goes with its pod, and the slot is filled
/// again only after that.
#[test]
fn a_claim_of_an_earlier_pod_blocks_its_slot() {
    let mut w = world(claimed("Delete", "Delete"));
    settle(&mut w);
    let uid = w.store.get(CLAIM, "default", "www-web-2").expect("claim").uid();
    edit(&mut w, |s| s.set("replicas", 2));
    assert!(w.store.get(CLAIM, "default", "www-web-2").is_none());
    edit(&mut w, |s| s.set("replicas", 3));
    let again = w.store.get(CLAIM, "default", "www-web-2").expect("claim");
    assert_ne!(again.uid(), uid);
    // held by a finalizer, owned by a pod that is gone
    let held = Key::new(CLAIM, "default", "www-web-2");
    w.modify(&held, Sub::Main, |v| v.path_mut("metadata.finalizers").list_mut().push("a/b".into()));
    edit(&mut w, |s| s.set("replicas", 2));
    assert_eq!(claim_owners(&w, "www-web-2"), ["Pod/web-2"]);
    edit(&mut w, |s| s.set("replicas", 3));
    assert!(w.store.by_key(&pod("web-2")).is_none());
    // nobody tells the set that the claim is gone now: the resync does, half a day later
    w.modify(&held, Sub::Main, |v| {
        v.path_mut("metadata").remove("finalizers");
    });
    w.run_until(w.now + 600 * SECOND);
    assert!(w.store.by_key(&held).is_none() && w.store.by_key(&pod("web-2")).is_none());
    w.run_until(w.now + 12 * 3600 * SECOND);
    assert!(w.store.by_key(&pod("web-2")).is_some());
}

/// Another controller's claim is left alone, and the set says so.
#[test]
fn a_foreign_claim_is_left_alone() {
    let mut w = world(claimed("Delete", "Retain"));
    let config = value!({"metadata": {"name": "owner", "namespace": "default"}});
    let uid = w.create(Kind::ConfigMap, config, OPTS).expect("created").uid();
    let owner = value!({
        "apiVersion": "v1", "controller": true, "kind": "ConfigMap", "name": "owner", "uid": uid
    });
    let spec = claimed("Delete", "Retain")["volumeClaimTemplates"][0]["spec"].clone();
    let claim = value!({
        "metadata": {"name": "www-web-0", "namespace": "default", "ownerReferences": [owner]},
        "spec": spec
    });
    w.create(CLAIM, claim, OPTS).expect("created");
    settle(&mut w);
    assert_eq!(claim_owners(&w, "www-web-0"), ["ConfigMap/owner"]);
    assert_eq!(claim_owners(&w, "www-web-1"), ["StatefulSet/web"]);
    assert_eq!(
        told(&w, "ConflictingController"),
        [
            "PersistentVolumeClaim www-web-0 has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim"
        ]
    );
}

/// Parallel: a slot that cannot be filled stops what comes after its batch (1, 2, 4, …), not
/// its neighbours.
#[test]
fn a_taken_name_stops_the_batches_after_it() {
    let mut w = world(value!({"podManagementPolicy": "Parallel", "replicas": 5}));
    let foreign = value!({
        "metadata": {"name": "web-1", "namespace": "default"},
        "spec": {"containers": [{"image": "nginx-slim:1", "name": "nginx"}]}
    });
    w.create(Kind::Pod, foreign, OPTS).expect("created");
    settle(&mut w);
    let there = |w: &World| -> Vec<Str> { w.store.all(Kind::Pod).map(|p| p.name()).collect() };
    assert_eq!(there(&w), ["web-0", "web-1", "web-2"]);
    assert_eq!(told(&w, "FailedCreate"), [""; 0]);
    w.delete(&pod("web-1"), &DeleteOptions::default()).expect("deleted");
    w.run_until(w.now + 1200 * SECOND);
    assert_eq!(there(&w).len(), 5);
}

/// Parallel: a pod that cannot be given its volumes stops what comes after its batch, and the
/// rollout is not reached. Its history is cut all the same.
#[test]
fn a_pod_without_its_volumes_stops_the_pass() {
    let mut more = claimed("Retain", "Retain");
    more.set("podManagementPolicy", "Parallel");
    more.set("revisionHistoryLimit", 0);
    more.set("replicas", 4);
    let mut w = world(more);
    let bare = value!({
        "metadata": {"labels": {"app": "web"}, "name": "web-1", "namespace": "default"},
        "spec": {"containers": [{"image": "nginx-slim:1", "name": "nginx"}]}
    });
    w.create(Kind::Pod, bare, OPTS).expect("created");
    settle(&mut w);
    for image in ["nginx-slim:2", "nginx-slim:3"] {
        edit(&mut w, |s| {
            s.path_mut("template.spec.containers").list_mut()[0].set("image", image);
        });
    }
    let there: Vec<Str> = w.store.all(Kind::Pod).map(|p| p.name()).collect();
    assert_eq!(there, ["web-0", "web-1", "web-2"]);
    assert_eq!(told(&w, "SuccessfulDelete"), [""; 0]);
    let [refused] = told(&w, "FailedUpdate").try_into().expect("one text");
    assert!(refused.starts_with(
        "Update Pod web-1 in StatefulSet web failed error: Pod \"web-1\" is invalid: spec: Forbidden: pod updates may not change"
    ));
    let key = Key::new(Kind::StatefulSet, "default", "web");
    let status = w.store.by_key(&key).expect("set").status().clone();
    let counts = ["replicas", "currentReplicas", "updatedReplicas"].map(|k| status[k].int_or(0));
    assert_eq!(counts, [3, 2, 0]);
    assert_eq!(w.store.all(Kind::ControllerRevision).count(), 2);
}

/// A terminating claim keeps its pod from being made; several are told of together.
#[test]
fn terminating_claims_fail_the_creation() {
    let mut more = claimed("Retain", "Retain");
    let mut second = more["volumeClaimTemplates"][0].clone();
    second.path_mut("metadata").set("name", "logs");
    more.entry("volumeClaimTemplates").list_mut().push(second);
    let mut w = world(more);
    settle(&mut w);
    for name in ["www-web-0", "logs-web-0"] {
        let key = Key::new(CLAIM, "default", name);
        w.modify(&key, Sub::Main, |v| {
            v.path_mut("metadata.finalizers").list_mut().push("a/b".into());
        });
        w.delete(&key, &DeleteOptions::default()).expect("marked");
    }
    w.delete(&pod("web-0"), &DeleteOptions::default()).expect("deleted");
    settle(&mut w);
    assert_eq!(
        told(&w, "FailedCreate"),
        [
            "Create Pod web-0 in StatefulSet web failed error: [pvc www-web-0 is being deleted, pvc logs-web-0 is being deleted]"
        ]
    );
}

/// `rollingUpdate` left out: a low pod that is lost in the middle of a rollout comes back as it
/// was. Under Parallel the walk then finds it old, and takes it away again.
#[test]
fn without_rolling_update_lost_pods_come_back_old() {
    let mut w = world(value!({"updateStrategy": {"type": "RollingUpdate"}}));
    settle(&mut w);
    edit(&mut w, |s| {
        s.path_mut("template.spec.containers").list_mut()[0].set("image", "nginx-broken:1");
    });
    let revision = |w: &World, name: &str| {
        w.store.by_key(&pod(name)).map(|p| p.pod().revision.clone()).expect("pod")
    };
    let old = revision(&w, "web-0");
    assert_ne!(revision(&w, "web-2"), old);
    w.delete(&pod("web-0"), &DeleteOptions::default()).expect("deleted");
    settle(&mut w);
    assert_eq!(revision(&w, "web-0"), old);
}

/// A set that takes over pods and claims of an earlier one: the claims follow its policy, and
/// each pod counts as updated once.
#[test]
fn claims_of_adopted_pods_follow_the_policy() {
    let mut w = world(claimed("Delete", "Retain"));
    settle(&mut w);
    let key = Key::new(Kind::StatefulSet, "default", "web");
    let set = w.store.by_key(&key).expect("set").value.clone();
    let orphan = DeleteOptions {
        propagation: crate::apiserver::Propagation::Orphan,
        ..DeleteOptions::default()
    };
    w.delete(&key, &orphan).expect("deleted");
    settle(&mut w);
    assert_eq!(claim_owners(&w, "www-web-0"), [""; 0]);
    let again = value!({
        "metadata": {"name": "web", "namespace": "default"}, "spec": (set["spec"].clone())
    });
    w.create(Kind::StatefulSet, again, OPTS).expect("created");
    settle(&mut w);
    for claim in ["www-web-0", "www-web-1", "www-web-2"] {
        assert_eq!(claim_owners(&w, claim), ["StatefulSet/web"]);
    }
    assert_eq!(told(&w, "FailedUpdate"), [""; 0]);
    assert_eq!(
        told(&w, "SuccessfulUpdate"),
        [0, 1, 2].map(|n| format!("Update Pod web-{n} in StatefulSet web successful"))
    );
}

/// Who watches time go on is not kept waiting for hundreds of pods at once, and nobody else acts
/// or looks before the last one of them is made.
#[test]
fn many_pods_are_made_in_steps_of_one_moment() {
    let mut w = world(value!({"podManagementPolicy": "Parallel", "replicas": 0}));
    settle(&mut w);
    w.type_line(1, "kubectl get pods -w");
    w.type_line(2, "kubectl scale sts web --replicas=300");
    let pods = |w: &World| w.store.list(Kind::Pod, &"default".into()).count();
    let shown = |w: &World| w.terminal(1).map_or(0, |t| t.text_since(0).lines().count());
    let mut begun = None;
    while shown(&w) < 2 {
        let before = (pods(&w), w.log.len());
        assert!(w.step());
        let more = pods(&w) - before.0;
        assert!(more <= 32, "{more} pods in one step");
        if before.0 == 0 && more > 0 {
            begun = Some((before.1, w.now));
        }
    }
    let (first, at) = begun.expect("pods were made");
    assert_eq!((pods(&w), shown(&w)), (300, 301));
    for (_, record) in w.log.since(first) {
        assert_eq!((record.at, record.by), (at, Comp::StatefulSet), "{}", record.rule);
    }
    settle(&mut w);
    let key = Key::new(Kind::StatefulSet, "default", "web");
    assert_eq!(w.store.by_key(&key).expect("it is there").status()["readyReplicas"].int_or(0), 300);
}
