use super::*;
use crate::api::Phase;
use crate::api::time::SECOND;
use crate::apiserver::{DeleteOptions, WriteOptions};
use crate::config::Config;
use crate::value;
use crate::value::Value;

fn world(latency: Latency) -> World {
    World::new(Config { latency, attach: false, ..Config::default() })
}

fn pod(image: &str) -> Value {
    value!({
        "metadata": {"name": "web-0"},
        "spec": {
            "nodeName": "worker-1", "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
            "containers": [{"name": "nginx", "image": (image.to_owned()), "imagePullPolicy": "IfNotPresent",
                "ports": [{"containerPort": 80, "protocol": "TCP"}]}]
        }
    })
}

fn create(w: &mut World, pod: Value) -> Key {
    let obj = w.create(Kind::Pod, pod, WriteOptions { trusted: true, dry_run: false });
    obj.map(|o| o.key()).unwrap_or_else(|e| unreachable!("{e}"))
}

fn reasons(w: &World) -> Vec<String> {
    w.store
        .all(Kind::Event)
        .map(|e| format!("{} {}", e.value["reason"].str(), e.value["message"].str()))
        .collect()
}

fn rows(w: &World) -> Vec<String> {
    let pods = w.log.iter().filter_map(|(_, r)| match &r.what {
        crate::log::What::Change { change, new, .. } if new.kind == Kind::Pod => {
            Some((*change, new.clone()))
        }
        _ => None,
    });
    pods.map(|(change, p)| {
        let state = &p.status()["containerStatuses"][0]["state"];
        let (kind, v) = state.pairs().next().map_or(("-", &Value::Null), |(k, v)| (k.as_str(), v));
        format!("{change:?} {} {kind} {}", p.status()["phase"].str(), v["reason"].str())
    })
    .collect()
}

#[test]
fn a_pod_starts_and_stops() {
    let mut w = world(Latency::Realistic);
    let key = create(&mut w, pod("nginx:1"));
    assert!(w.settle(60 * SECOND));
    let p = w.store.by_key(&key).cloned().unwrap_or_else(|| unreachable!());
    assert_eq!(p.pod().phase, Phase::Running);
    assert!(p.pod().ready);
    assert_eq!(p.pod().ip, "10.244.1.3");
    let started = reasons(&w);
    assert!(started[0].starts_with("Pulling Pulling image \"nginx:1\""), "{started:?}");
    assert!(started[1].starts_with("Pulled Successfully pulled image \"nginx:1\" in "));
    assert_eq!(started[2..], ["Created Container created", "Started Container started"]);
    let _ = w.delete(&key, &DeleteOptions::default());
    assert!(w.settle(60 * SECOND));
    assert!(w.store.by_key(&key).is_none());
    assert_eq!(
        rows(&w),
        [
            "Added Pending - ",
            "Modified Pending waiting ContainerCreating",
            "Modified Running running ",
            "Modified Running running ",
            "Modified Succeeded terminated Completed",
            "Modified Succeeded terminated Completed",
            "Deleted Succeeded terminated Completed",
        ]
    );
}
