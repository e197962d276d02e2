use crate::api::time::SECOND;
use crate::api::{Key, Kind};
use crate::apiserver::{DeleteOptions, Sub, WriteOptions};
use crate::config::{Config, Latency};
use crate::value;
use crate::world::World;

const OPTS: WriteOptions = WriteOptions::TRUSTED;

/// A world with a bound claim `www`.
fn world() -> World {
    let mut w = World::new(Config { latency: Latency::Realistic, ..Config::default() });
    let pv = value!({
        "metadata": {"name": "pv1"},
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"},
            "csi": {"driver": "disk.sim.example", "volumeHandle": "h1"},
            "claimRef": {"namespace": "default", "name": "www"},
            "persistentVolumeReclaimPolicy": "Retain", "storageClassName": "x"}
    });
    let claim = value!({
        "metadata": {"name": "www"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "x", "volumeName": "pv1",
            "resources": {"requests": {"storage": "1Gi"}}}
    });
    assert!(w.create(Kind::PersistentVolume, pv, OPTS).is_ok());
    let claim = w.create(Kind::PersistentVolumeClaim, claim, OPTS).map(|c| c.key());
    assert!(w.settle(60 * SECOND));
    if let Ok(key) = claim {
        w.modify(&key, Sub::Status, |v| v.entry("status").set("phase", "Bound"));
    }
    w
}

fn pod(w: &mut World, name: &'static str, node: &'static str) -> Key {
    let pod = value!({
        "metadata": {"name": name},
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 30,
            "containers": [{"name": "c", "image": "nginx:1",
                "volumeMounts": [{"name": "d", "mountPath": "/data"}]}],
            "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "www"}}]}
    });
    w.create(Kind::Pod, pod, OPTS).map_or_else(|e| unreachable!("{e}"), |p| p.key())
}

fn events(w: &World) -> Vec<String> {
    w.store
        .all(Kind::Event)
        .filter(|e| e.value["reportingComponent"].str() == "attachdetach-controller")
        .map(|e| format!("{} {}", e.value["reason"].str(), e.value["message"].str()))
        .collect()
}

fn ready(w: &World, key: &Key) -> bool {
    w.store.by_key(key).is_some_and(|p| p.pod().ready)
}

#[test]
fn a_volume_moves_with_its_contents() {
    let mut w = world();
    let a = pod(&mut w, "a", "worker-1");
    assert!(w.settle(60 * SECOND));
    assert!(ready(&w, &a));
    assert_eq!(
        events(&w),
        ["SuccessfulAttachVolume AttachVolume.Attach succeeded for volume \"pv1\""]
    );
    assert_eq!(super::fs::write(&mut w, &a, "c", "/data/x", "kept"), Ok(()));
    let b = pod(&mut w, "b", "worker-2");
    assert!(w.settle(60 * SECOND));
    assert!(!ready(&w, &b));
    let error = "FailedAttachVolume Multi-Attach error for volume \"pv1\" Volume is already used by pod(s) a";
    assert!(events(&w).contains(&error.to_owned()));
    let _ = w.delete(&a, &DeleteOptions::default());
    assert!(w.settle(60 * SECOND));
    assert!(ready(&w, &b));
    assert_eq!(
        super::attach::attached_to(&w, "pv1").map(ToString::to_string).collect::<Vec<_>>(),
        ["worker-2"]
    );
    assert_eq!(
        super::fs::read(&w, &b, "c", "/data/x").map(|s| s.to_string()),
        Ok("kept".to_owned())
    );
    assert_eq!(w.store.count(Kind::VolumeAttachment), 1);
}

#[test]
fn a_dead_node_holds_its_volume_for_six_minutes() {
    let mut w = world();
    let a = pod(&mut w, "a", "worker-1");
    assert!(w.settle(60 * SECOND));
    w.node_down("worker-1");
    w.run_until(w.now + 60 * SECOND);
    let _ = w.delete(&a, &DeleteOptions { grace: Some(0), ..DeleteOptions::default() });
    let b = pod(&mut w, "b", "worker-2");
    let start = w.now;
    w.run_until(start + 359 * SECOND);
    assert!(!ready(&w, &b));
    w.run_until(start + 380 * SECOND);
    assert!(ready(&w, &b));
}
