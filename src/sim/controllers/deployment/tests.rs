//! Deployments in hand-made worlds; pods become ready by hand.

use crate::api::time::{SECOND, rfc3339};
use crate::api::{Key, Kind, Obj};
use crate::apiserver::{DeleteOptions, Sub, WriteOptions};
use crate::config::{Config, Latency};
use crate::log::What;
use crate::value;
use crate::value::Value;
use crate::world::World;

const OPTS: WriteOptions = WriteOptions::TRUSTED;

fn template(image: &'static str) -> Value {
    value!({
        "metadata": {"labels": {"app": "app"}},
        "spec": {"containers": [{"image": image, "name": "app"}], "terminationGracePeriodSeconds": 0}
    })
}

fn world(replicas: i64, strategy: Value) -> World {
    let config = Config { latency: Latency::Recording, nodes: 0, ..Config::default() };
    let mut w = World::new(config);
    w.create(
        Kind::Deployment,
        value!({
            "metadata": {"name": "app", "namespace": "default"},
            "spec": {
                "progressDeadlineSeconds": 600, "replicas": replicas, "revisionHistoryLimit": 1,
                "selector": {"matchLabels": {"app": "app"}}, "strategy": strategy,
                "template": (template("one"))
            }
        }),
        OPTS,
    )
    .expect("created");
    w.settle(SECOND);
    w
}

fn rolling(surge: impl Into<Value>, unavailable: impl Into<Value>) -> Value {
    let (surge, unavailable) = (surge.into(), unavailable.into());
    value!({
        "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}, "type": "RollingUpdate"
    })
}

fn key() -> Key {
    Key::new(Kind::Deployment, "default", "app")
}

fn edit(w: &mut World, change: impl FnOnce(&mut Value)) {
    w.modify(&key(), Sub::Main, change).expect("edited");
    w.settle(SECOND);
}

fn deployment(w: &World) -> Obj {
    w.store.by_key(&key()).expect("is there").clone()
}

/// Makes every pod that is not ready ready; false if there was none.
fn ready(w: &mut World) -> bool {
    let waiting: Vec<Key> =
        w.store.all(Kind::Pod).filter(|p| !p.pod().ready).map(|p| p.key()).collect();
    let since = rfc3339(w.now);
    for pod in &waiting {
        w.modify(pod, Sub::Status, |v| {
            v.set(
                "status",
                value!({
                    "conditions": [
                        {"lastTransitionTime": (since.clone()), "status": "True", "type": "Ready"}
                    ],
                    "phase": "Running"
                }),
            );
        });
    }
    w.settle(SECOND);
    !waiting.is_empty()
}

/// Messages of the events about a kind of object, in order.
fn told(w: &World, since: u64) -> Vec<String> {
    let messages = w.log.since(since).filter_map(|(_, r)| match &r.what {
        What::Change { new, .. } if new.kind == Kind::Event => {
            let about = new.value["involvedObject"]["kind"].str();
            (about == "Deployment").then(|| new.value["message"].str().to_owned())
        }
        _ => None,
    });
    messages.collect()
}

/// Names of the sets, oldest version first, and their sizes.
fn sizes(w: &World) -> Vec<(String, i64)> {
    let mut sets: Vec<&Obj> = w.store.all(Kind::ReplicaSet).collect();
    sets.sort_by_key(|s| {
        s.annotation("deployment.kubernetes.io/revision").unwrap_or("").to_owned()
    });
    sets.iter().map(|s| (s.name().to_string(), s.spec()["replicas"].int_or(-1))).collect()
}

fn condition(w: &World, kind: &str) -> (String, String, String) {
    let d = deployment(w);
    let c = crate::api::object::condition(&d.value, kind);
    let text = |k: &str| c[k].str().to_owned();
    (text("status"), text("reason"), text("message"))
}

#[test]
fn comes_up_and_reports() {
    let mut w = world(3, rolling("25%", "25%"));
    let (name, size) = sizes(&w).remove(0);
    assert_eq!(size, 3);
    assert_eq!(told(&w, 0), [format!("Scaled up replica set {name} from 0 to 3")]);
    assert_eq!(condition(&w, "Available").0, "False");
    assert_eq!(
        condition(&w, "Progressing"),
        (
            "True".to_owned(),
            "ReplicaSetUpdated".to_owned(),
            format!("ReplicaSet \"{name}\" is progressing.")
        )
    );
    assert_eq!(w.store.count(Kind::Pod), 3);
    let set = w.store.all(Kind::ReplicaSet).next().expect("set");
    assert_eq!(
        set.meta()["annotations"],
        value!({
            "deployment.kubernetes.io/desired-replicas": "3",
            "deployment.kubernetes.io/max-replicas": "4",
            "deployment.kubernetes.io/revision": "1"
        })
    );
    ready(&mut w);
    let mut status = deployment(&w).status().clone();
    status.remove("conditions");
    assert_eq!(
        status,
        value!({
            "availableReplicas": 3, "observedGeneration": 1, "readyReplicas": 3, "replicas": 3,
            "terminatingReplicas": 0, "updatedReplicas": 3
        })
    );
    assert_eq!(condition(&w, "Available").1, "MinimumReplicasAvailable");
    assert_eq!(
        condition(&w, "Progressing").2,
        format!("ReplicaSet \"{name}\" has successfully progressed.")
    );
}

#[test]
fn rolls_and_rolls_back() {
    let mut w = world(3, rolling("25%", "25%"));
    ready(&mut w);
    let since = w.log.len();
    edit(&mut w, |v| v.entry("spec").set("template", template("two")));
    while ready(&mut w) {}
    let names: Vec<String> = sizes(&w).into_iter().map(|(n, _)| n).collect();
    let (one, two) = (&names[0], &names[1]);
    assert_eq!(sizes(&w).iter().map(|(_, n)| *n).collect::<Vec<_>>(), [0, 3]);
    assert_eq!(
        told(&w, since),
        [
            format!("Scaled up replica set {two} from 0 to 1"),
            format!("Scaled down replica set {one} from 3 to 2"),
            format!("Scaled up replica set {two} from 1 to 2"),
            format!("Scaled down replica set {one} from 2 to 1"),
            format!("Scaled up replica set {two} from 2 to 3"),
            format!("Scaled down replica set {one} from 1 to 0"),
        ]
    );
    assert_eq!(deployment(&w).annotation("deployment.kubernetes.io/revision"), Some("2"));
    // back to the first template: its old set is used again under a new number
    edit(&mut w, |v| v.entry("spec").set("template", template("one")));
    while ready(&mut w) {}
    let set = w.store.get(Kind::ReplicaSet, "default", one).expect("first set");
    assert_eq!(set.spec()["replicas"].int_or(0), 3);
    assert_eq!(set.annotation("deployment.kubernetes.io/revision"), Some("3"));
    assert_eq!(set.annotation("deployment.kubernetes.io/revision-history"), Some("1"));
    assert_eq!(deployment(&w).annotation("deployment.kubernetes.io/revision"), Some("3"));
    // revisionHistoryLimit 1: of two old versions the older one goes
    edit(&mut w, |v| v.entry("spec").set("template", template("three")));
    while ready(&mut w) {}
    let left: Vec<String> = sizes(&w).into_iter().map(|(n, _)| n).collect();
    assert_eq!(left.len(), 2);
    assert!(left.contains(one) && !left.contains(two));
}

#[test]
fn a_broken_version_stops_and_times_out() {
    let mut w = world(4, rolling(1, 1));
    ready(&mut w);
    edit(&mut w, |v| v.entry("spec").set("template", template("broken")));
    // one of four may be missing and one may be too much: two new pods, three old ones
    assert_eq!(sizes(&w).iter().map(|(_, n)| *n).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(condition(&w, "Available").0, "True");
    w.run_until(w.now + 605 * SECOND);
    let (status, reason, message) = condition(&w, "Progressing");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "ProgressDeadlineExceeded"));
    assert!(message.ends_with("has timed out progressing."));
}

#[test]
fn recreate_waits_until_all_are_gone() {
    let mut w = world(2, value!({"type": "Recreate"}));
    ready(&mut w);
    let pods: Vec<Key> = w.store.all(Kind::Pod).map(|p| p.key()).collect();
    for pod in &pods {
        w.modify(pod, Sub::Main, |v| v.entry("metadata").set("finalizers", value!(["test/hold"])));
    }
    w.settle(SECOND);
    edit(&mut w, |v| v.entry("spec").set("template", template("two")));
    assert_eq!(sizes(&w).len(), 1);
    for pod in &pods {
        w.modify(pod, Sub::Main, |v| drop(v.entry("metadata").remove("finalizers")));
    }
    w.settle(SECOND);
    assert_eq!(sizes(&w).iter().map(|(_, n)| *n).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn scales_in_proportion_in_the_middle_of_a_rollout() {
    let mut w = world(10, rolling(3, 2));
    ready(&mut w);
    edit(&mut w, |v| v.entry("spec").set("template", template("two")));
    assert_eq!(sizes(&w).iter().map(|(_, n)| *n).collect::<Vec<_>>(), [8, 5]);
    edit(&mut w, |v| v.entry("spec").set("replicas", 15));
    // 13 become 18: the old set's 8 count for three, the new one's 5 for two
    assert_eq!(sizes(&w).iter().map(|(_, n)| *n).collect::<Vec<_>>(), [11, 7]);
}

#[test]
fn scaling_and_pausing() {
    let mut w = world(3, rolling("25%", "25%"));
    ready(&mut w);
    edit(&mut w, |v| v.entry("spec").set("paused", true));
    assert_eq!(condition(&w, "Progressing").1, "DeploymentPaused");
    edit(&mut w, |v| v.entry("spec").set("template", template("two")));
    assert_eq!(sizes(&w).len(), 1);
    let since = w.log.len();
    edit(&mut w, |v| v.entry("spec").set("replicas", 1));
    assert_eq!(told(&w, since).len(), 1);
    assert!(told(&w, since)[0].ends_with("from 3 to 1"));
    assert_eq!(w.store.count(Kind::Pod), 1);
    edit(&mut w, |v| v.entry("spec").set("paused", false));
    while ready(&mut w) {}
    assert_eq!(sizes(&w).iter().map(|(_, n)| *n).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(condition(&w, "Progressing").1, "NewReplicaSetAvailable");
}

#[test]
fn orphans_are_adopted_again() {
    let mut w = world(2, rolling("25%", "25%"));
    ready(&mut w);
    let pods: Vec<Key> = w.store.all(Kind::Pod).map(|p| p.key()).collect();
    let opts = DeleteOptions {
        propagation: crate::apiserver::Propagation::Orphan,
        ..DeleteOptions::default()
    };
    let again = deployment(&w).value.clone();
    w.delete(&key(), &opts).expect("deleted");
    w.settle(SECOND);
    assert!(w.store.by_key(&key()).is_none());
    assert_eq!(w.store.count(Kind::ReplicaSet), 1);
    w.create(Kind::Deployment, again, OPTS).expect("created");
    w.settle(SECOND);
    let set = w.store.all(Kind::ReplicaSet).next().expect("set");
    assert_eq!(set.controller_uid(), deployment(&w).uid().as_str());
    assert_eq!(w.store.all(Kind::Pod).map(|p| p.key()).collect::<Vec<_>>(), pods);
}
