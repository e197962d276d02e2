//! Claims and volumes in hand-made worlds.

use crate::api::time::SECOND;
use crate::api::{Key, Kind, Obj};
use crate::apiserver::{DeleteOptions, Sub, WriteOptions};
use crate::config::{Config, Latency};
use crate::controllers::volume_binder::matching;
use crate::log::{ChangeType, What};
use crate::value;
use crate::value::Value;
use crate::world::World;

const OPTS: WriteOptions = WriteOptions::TRUSTED;
const CLAIM: Kind = Kind::PersistentVolumeClaim;
const VOLUME: Kind = Kind::PersistentVolume;

fn world() -> World {
    World::new(Config { latency: Latency::Recording, ..Config::default() })
}

fn create(w: &mut World, kind: Kind, v: Value) -> Obj {
    w.create(kind, v, OPTS).expect("created")
}

fn claim(w: &mut World, name: &'static str, class: Value, size: &'static str) -> Obj {
    let mut spec = value!({
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}},
        "volumeMode": "Filesystem"
    });
    if !class.is_null() {
        spec.set("storageClassName", class);
    }
    create(w, CLAIM, value!({"metadata": {"name": name, "namespace": "default"}, "spec": spec}))
}

fn volume(w: &mut World, name: &'static str, size: &'static str, modes: &[&'static str]) -> Obj {
    let modes: Vec<Value> = modes.iter().map(|m| Value::from(*m)).collect();
    create(
        w,
        VOLUME,
        value!({
            "metadata": {"name": name},
            "spec": {
                "accessModes": modes, "capacity": {"storage": size},
                "hostPath": {"path": "/data", "type": ""},
                "persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"
            }
        }),
    )
}

fn get(w: &World, kind: Kind, name: &str) -> Obj {
    let ns = if kind.info().namespaced { "default" } else { "" };
    w.store.get(kind, ns, name).expect("is there").clone()
}

/// `pv pv-a ADDED Pending`, …: changes of claims and volumes in order, and events' reasons.
fn story(w: &World, since: u64) -> Vec<String> {
    let line = |what: &What| {
        let What::Change { change, new, .. } = what else { return None };
        let change = match change {
            ChangeType::Added => "ADDED",
            ChangeType::Modified => "MODIFIED",
            ChangeType::Deleted => "DELETED",
        };
        let bound = |v: &Value| if v.is_empty() { "-" } else { "bound" }.to_owned();
        match new.kind {
            CLAIM => Some(format!(
                "pvc {change} {} {}",
                new.status()["phase"].str(),
                bound(&new.spec()["volumeName"])
            )),
            VOLUME => Some(format!(
                "pv {change} {} {}{}",
                new.status()["phase"].str(),
                bound(&new.spec()["claimRef"]["uid"]),
                if new.terminating() { " terminating" } else { "" }
            )),
            Kind::Event if change == "ADDED" => Some(new.value["reason"].str().to_owned()),
            _ => None,
        }
    };
    w.log.since(since).filter_map(|(_, r)| line(&r.what)).collect()
}

#[test]
fn dynamic_provisioning_writes_in_order() {
    let mut w = world();
    let since = w.log.len();
    let c = claim(&mut w, "www-web-0", "standard".into(), "1Gi");
    assert!(w.settle(10 * SECOND));
    assert_eq!(
        story(&w, since),
        [
            "pvc ADDED Pending -",
            "pvc MODIFIED Pending -",
            "ExternalProvisioning",
            "Provisioning",
            "pv ADDED Pending bound",
            "ProvisioningSucceeded",
            "pv MODIFIED Bound bound",
            "pvc MODIFIED Pending bound",
            "pvc MODIFIED Bound bound",
        ]
    );
    let name = format!("pvc-{}", c.uid());
    let v = get(&w, VOLUME, &name);
    assert_eq!(v.annotation("pv.kubernetes.io/provisioned-by"), Some("disk.sim.example"));
    assert_eq!(v.annotation("pv.kubernetes.io/bound-by-controller"), None);
    let c = get(&w, CLAIM, "www-web-0");
    assert_eq!(
        c.meta()["annotations"],
        value!({
            "pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes",
            "volume.beta.kubernetes.io/storage-provisioner": "disk.sim.example",
            "volume.kubernetes.io/storage-provisioner": "disk.sim.example"
        })
    );
    assert_eq!(
        *c.status(),
        value!({"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "phase": "Bound"})
    );
}

#[test]
fn static_volumes_are_found_at_the_resync() {
    let mut w = world();
    claim(&mut w, "a", "".into(), "1Gi");
    w.settle(SECOND);
    let since = w.log.len();
    volume(&mut w, "pv-small", "500Mi", &["ReadWriteOnce"]);
    volume(&mut w, "pv-big", "10Gi", &["ReadWriteOnce"]);
    volume(&mut w, "pv-fit", "1Gi", &["ReadWriteOnce"]);
    volume(&mut w, "pv-rox", "1Gi", &["ReadOnlyMany"]);
    volume(&mut w, "pv-two", "1Gi", &["ReadWriteOnce", "ReadWriteMany"]);
    w.settle(SECOND);
    assert_eq!(get(&w, VOLUME, "pv-fit").status()["phase"].str(), "Available");
    assert_eq!(get(&w, CLAIM, "a").status()["phase"].str(), "Pending");
    w.run_until(16 * SECOND);
    assert_eq!(get(&w, CLAIM, "a").spec()["volumeName"].str(), "pv-fit");
    let tail = story(&w, since);
    assert_eq!(
        tail[tail.len() - 4..],
        [
            "pv MODIFIED Available bound",
            "pv MODIFIED Bound bound",
            "pvc MODIFIED Pending bound",
            "pvc MODIFIED Bound bound"
        ]
    );
    // the next claim gets the bigger one of the same modes, then the one with more modes
    claim(&mut w, "b", "".into(), "1Gi");
    w.settle(SECOND);
    assert_eq!(get(&w, CLAIM, "b").spec()["volumeName"].str(), "pv-big");
    assert_eq!(get(&w, CLAIM, "b").status()["capacity"]["storage"].str(), "10Gi");
    claim(&mut w, "c", "".into(), "1Gi");
    w.settle(SECOND);
    assert_eq!(get(&w, CLAIM, "c").spec()["volumeName"].str(), "pv-two");
}

fn events(w: &World) -> Vec<(String, String)> {
    let text = |e: &Obj, key: &str| e.value[key].str().to_owned();
    w.store.all(Kind::Event).map(|e| (text(e, "reason"), text(e, "message"))).collect()
}

#[test]
fn why_a_claim_stays_pending() {
    let mut w = world();
    create(
        &mut w,
        Kind::StorageClass,
        value!({"metadata": {"name": "manual"}, "provisioner": "kubernetes.io/no-provisioner"}),
    );
    create(
        &mut w,
        Kind::StorageClass,
        value!({"metadata": {"name": "far"}, "provisioner": "example.com/far"}),
    );
    volume(&mut w, "pv-a", "1Gi", &["ReadWriteOnce"]);
    w.settle(SECOND);
    for (name, class) in
        [("none", "nope"), ("man", "manual"), ("far", "far"), ("wait", "local-wait")]
    {
        claim(&mut w, name, class.into(), "1Gi");
    }
    let mut named = claim(&mut w, "big", "".into(), "2Gi").value.clone();
    named.entry("spec").set("volumeName", "pv-a");
    w.update(CLAIM, named, Sub::Main, OPTS).expect("updated");
    w.settle(SECOND);
    let found = events(&w);
    for (reason, message) in [
        ("ProvisioningFailed", "storageclass.storage.k8s.io \"nope\" not found"),
        ("ProvisioningFailed", "no volume plugin matched name: kubernetes.io/no-provisioner"),
        ("WaitForFirstConsumer", "waiting for first consumer to be created before binding"),
        ("VolumeMismatch", "Cannot bind to requested volume \"pv-a\": requested PV is too small"),
    ] {
        assert!(found.contains(&(reason.to_owned(), message.to_owned())), "{message}: {found:?}");
    }
    // the unknown provisioner is asked and never answers
    assert!(
        found.iter().any(|(r, m)| r == "ExternalProvisioning" && m.contains("'example.com/far'"))
    );
    assert!(!found.iter().any(|(r, _)| r == "Provisioning"));
}

#[test]
fn a_selected_node_starts_provisioning() {
    let mut w = world();
    claim(&mut w, "a", "local-wait".into(), "1Gi");
    w.settle(SECOND);
    assert_eq!(w.store.count(VOLUME), 0);
    w.modify(&Key::new(CLAIM, "default", "a"), Sub::Main, |v| {
        v.path_mut("metadata.annotations").set("volume.kubernetes.io/selected-node", "worker-2");
    });
    w.settle(SECOND);
    assert_eq!(get(&w, CLAIM, "a").status()["phase"].str(), "Bound");
}

#[test]
fn reserved_volume_waits_for_its_claim() {
    let mut w = world();
    let mut v = volume(&mut w, "pv-a", "5Gi", &["ReadWriteOnce"]).value.clone();
    v.entry("spec").set("claimRef", value!({"name": "mine", "namespace": "default"}));
    w.update(VOLUME, v, Sub::Main, OPTS).expect("updated");
    w.settle(SECOND);
    assert_eq!(get(&w, VOLUME, "pv-a").status()["phase"].str(), "Available");
    claim(&mut w, "other", "".into(), "1Gi");
    // a reservation counts even where the class differs and the claim would wait
    claim(&mut w, "mine", "local-wait".into(), "1Gi");
    w.settle(SECOND);
    assert_eq!(get(&w, CLAIM, "other").status()["phase"].str(), "Pending");
    assert_eq!(get(&w, CLAIM, "mine").spec()["volumeName"].str(), "pv-a");
    assert_eq!(get(&w, VOLUME, "pv-a").annotation("pv.kubernetes.io/bound-by-controller"), None);
}

#[test]
fn a_default_class_is_filled_in_later() {
    let mut w = world();
    let standard = Key::new(Kind::StorageClass, "", "standard");
    w.delete(&standard, &DeleteOptions::default()).expect("deleted");
    claim(&mut w, "a", Value::Null, "1Gi");
    w.settle(SECOND);
    assert!(get(&w, CLAIM, "a").spec()["storageClassName"].is_null());
    create(
        &mut w,
        Kind::StorageClass,
        value!({
            "metadata": {
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}, "name": "new"
            },
            "provisioner": "disk.sim.example", "volumeBindingMode": "Immediate"
        }),
    );
    w.run_until(20 * SECOND);
    assert_eq!(get(&w, CLAIM, "a").spec()["storageClassName"].str(), "new");
    assert_eq!(get(&w, CLAIM, "a").status()["phase"].str(), "Bound");
}

#[test]
fn a_claim_whose_volume_vanishes_is_lost() {
    let mut w = world();
    claim(&mut w, "a", "standard".into(), "1Gi");
    w.settle(SECOND);
    let key = w.store.all(VOLUME).next().expect("volume").key();
    w.modify(&key, Sub::Main, |v| drop(v.entry("metadata").remove("finalizers")));
    w.delete(&key, &DeleteOptions::default()).expect("deleted");
    w.settle(SECOND);
    assert_eq!(*get(&w, CLAIM, "a").status(), value!({"phase": "Lost"}));
    assert!(events(&w).iter().any(|(r, _)| r == "ClaimLost"));
}

#[test]
fn a_new_claim_of_the_same_name_does_not_get_the_old_volume() {
    let mut w = world();
    volume(&mut w, "pv-a", "1Gi", &["ReadWriteOnce"]);
    w.settle(SECOND);
    claim(&mut w, "a", "".into(), "1Gi");
    w.settle(SECOND);
    let key = Key::new(CLAIM, "default", "a");
    w.delete(&key, &DeleteOptions::default()).expect("deleted");
    w.settle(SECOND);
    assert_eq!(get(&w, VOLUME, "pv-a").status()["phase"].str(), "Released");
    let again = claim(&mut w, "a", "".into(), "1Gi");
    w.run_until(40 * SECOND);
    assert!(matching::find_fitting(&w, &again, &|_| true).is_none());
    assert_eq!(get(&w, CLAIM, "a").status()["phase"].str(), "Pending");
    // until somebody takes the old reference off
    let volume = Key::new(VOLUME, "", "pv-a");
    w.modify(&volume, Sub::Main, |v| drop(v.entry("spec").remove("claimRef")));
    w.run_until(60 * SECOND);
    assert_eq!(get(&w, CLAIM, "a").status()["phase"].str(), "Bound");
}

#[test]
fn policies_of_released_volumes() {
    let mut w = world();
    for (name, policy, path) in [
        ("keep", "Retain", "/data"),
        ("empty", "Recycle", "/data"),
        ("gone", "Delete", "/tmp/data"),
        ("stuck", "Delete", "/data"),
    ] {
        volume(&mut w, name, "1Gi", &["ReadWriteOnce"]);
        let key = Key::new(VOLUME, "", name);
        w.modify(&key, Sub::Main, |v| {
            let spec = v.entry("spec");
            spec.set("persistentVolumeReclaimPolicy", policy);
            spec.entry("hostPath").set("path", path);
            spec.set("claimRef", value!({"name": name, "namespace": "default"}));
        });
        claim(&mut w, name, "".into(), "1Gi");
        w.settle(SECOND);
        assert_eq!(get(&w, CLAIM, name).spec()["volumeName"].str(), name);
        let claim = Key::new(CLAIM, "default", name);
        w.delete(&claim, &DeleteOptions::default()).expect("deleted");
        w.settle(SECOND);
    }
    let phase = |name: &str| get(&w, VOLUME, name).status()["phase"].str().to_owned();
    assert_eq!(phase("keep"), "Released");
    // reserved by hand: the reservation stays, without the uid
    assert_eq!(phase("empty"), "Available");
    assert_eq!(get(&w, VOLUME, "empty").spec()["claimRef"]["name"].str(), "empty");
    assert!(w.store.get(VOLUME, "", "gone").is_none());
    assert_eq!(phase("stuck"), "Failed");
    assert!(events(&w).contains(&(
        "VolumeFailedDelete".to_owned(),
        "host_path deleter only supports /tmp/.+ but received provided /data".to_owned()
    )));
}
