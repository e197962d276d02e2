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
    let obj = w.create(Kind::Pod, pod, WriteOptions::TRUSTED);
    obj.map_or_else(|e| unreachable!("{e}"), |p| p.key())
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
    assert_eq!(p.pod().ip, "10.244.1.2");
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

fn statuses(w: &World) -> Vec<String> {
    let mut rows: Vec<String> =
        rows(w).into_iter().map(|r| r.split(' ').skip(1).collect::<Vec<_>>().join(" ")).collect();
    rows.dedup();
    rows
}

fn status(w: &World, key: &Key) -> Value {
    w.store.by_key(key).map(|p| p.status()["containerStatuses"][0].clone()).unwrap_or_default()
}

#[test]
fn a_recorded_start_has_the_recorded_shape() {
    let mut w = world(Latency::Recording);
    let key = create(&mut w, pod("registry.k8s.io/nginx-slim:0.24"));
    assert!(w.settle(60 * SECOND));
    assert_eq!(w.now, 320_000);
    let events = [
        "Pulling Pulling image \"registry.k8s.io/nginx-slim:0.24\"",
        "Pulled Successfully pulled image \"registry.k8s.io/nginx-slim:0.24\" in 300ms (300ms including waiting). Image size: 10 bytes.",
        "Created Container created",
        "Started Container started",
    ];
    assert_eq!(reasons(&w), events);
    let state = status(&w, &key);
    assert_eq!(
        state.to_string(),
        r#"{"image":"registry.k8s.io/nginx-slim:0.24","imageID":"","lastState":{},"name":"nginx","ready":true,"restartCount":0,"started":true,"state":{"running":{"startedAt":"2026-01-05T09:00:00Z"}}}"#
    );
    let _ = w.delete(&key, &DeleteOptions::default());
    assert!(w.settle(60 * SECOND));
    assert_eq!(w.now, 620_000);
    assert_eq!(
        statuses(&w),
        ["Pending - ", "Pending waiting ContainerCreating", "Running running "]
    );
}

#[test]
fn an_image_that_cannot_be_pulled_is_tried_again() {
    let mut w = world(Latency::Instant);
    let key = create(&mut w, pod("nginx-broken:1"));
    assert!(w.settle(60 * SECOND));
    assert_eq!(status(&w, &key)["state"]["waiting"]["reason"].str(), "ImagePullBackOff");
    let start = w.now;
    w.run_until(start + 120 * SECOND);
    let pulls: Vec<u64> = w
        .log
        .iter()
        .filter(|(_, r)| match &r.what {
            crate::log::What::Change { new, .. } => new.value["reason"].str() == "Pulling",
            _ => false,
        })
        .map(|(_, r)| r.at / SECOND)
        .collect();
    assert_eq!(pulls, [0, 10, 30, 70]);
    // the full text of the runtime
    assert_eq!(
        status(&w, &key)["state"]["waiting"]["message"].str(),
        "Back-off pulling image \"nginx-broken:1\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image \"docker.io/library/nginx-broken:1\": failed to resolve reference \"docker.io/library/nginx-broken:1\": docker.io/library/nginx-broken:1: not found"
    );
}

#[test]
fn a_container_that_crashes_backs_off() {
    let mut w = world(Latency::Realistic);
    let key = create(&mut w, pod("crash:1"));
    assert!(w.settle(60 * SECOND));
    let state = status(&w, &key);
    let uid = w.store.by_key(&key).map(|p| p.uid()).unwrap_or_default();
    assert_eq!(state["restartCount"].int_or(0), 1);
    assert_eq!(
        state["state"]["waiting"]["message"].str(),
        format!("back-off 10s restarting failed container=nginx pod=web-0_default({uid})")
    );
    assert_eq!(state["lastState"]["terminated"]["exitCode"].int_or(0), 1);
    w.run_until(w.now + 100 * SECOND);
    assert_eq!(status(&w, &key)["restartCount"].int_or(0), 4);
    assert_eq!(w.store.by_key(&key).map(|p| p.pod().phase), Some(Phase::Running));
}

#[test]
fn a_shell_that_ignores_sigterm_takes_the_whole_grace_period() {
    let mut w = world(Latency::Realistic);
    let mut p = pod("busybox:1");
    p.entry("spec").entry("containers").list_mut()[0]
        .set("command", value!(["sh", "-c", "while true; do sleep 1; done"]));
    let key = create(&mut w, p);
    assert!(w.settle(60 * SECOND));
    let before = w.now;
    let _ = w.delete(&key, &DeleteOptions::default());
    w.run_until(before + 29 * SECOND);
    assert!(w.store.by_key(&key).is_some());
    assert!(w.settle(60 * SECOND));
    assert!(w.now - before < 31 * SECOND);
    assert!(statuses(&w).contains(&"Failed terminated Error".to_owned()));
}

#[test]
fn a_second_pull_finds_the_image() {
    let mut w = world(Latency::Realistic);
    create(&mut w, pod("nginx:1"));
    assert!(w.settle(60 * SECOND));
    let mut other = pod("nginx:1");
    other.entry("metadata").set("name", "web-1");
    create(&mut w, other);
    assert!(w.settle(60 * SECOND));
    let text = "Pulled Container image \"nginx:1\" already present on machine and can be accessed by the pod";
    assert!(reasons(&w).contains(&text.to_owned()));
}

#[test]
fn init_containers_come_first_and_a_command_that_ends_completes_the_pod() {
    let mut w = world(Latency::Realistic);
    let mut p = pod("busybox:1");
    let spec = p.entry("spec");
    spec.set("restartPolicy", "Never");
    spec.entry("containers").list_mut()[0].set("command", value!(["sh", "-c", "exit 3"]));
    spec.set(
        "initContainers",
        value!([
            {"name": "a", "image": "busybox:1", "command": ["true"]},
            {"name": "b", "image": "busybox:1", "command": ["sleep", "2"]}
        ]),
    );
    let key = create(&mut w, p);
    assert!(w.settle(60 * SECOND));
    let p = w.store.by_key(&key).cloned().unwrap_or_else(|| unreachable!());
    assert_eq!(p.status()["phase"].str(), "Failed");
    assert_eq!(status(&w, &key)["state"]["terminated"]["exitCode"].int_or(0), 3);
    let inits = p.status()["initContainerStatuses"].items();
    assert!(inits.iter().all(|s| s["state"]["terminated"]["reason"].str() == "Completed"));
    let first = &statuses(&w)[1];
    assert_eq!(first, "Pending waiting PodInitializing");
}

#[test]
fn readiness_follows_its_probe_and_liveness_restarts() {
    let mut w = world(Latency::Realistic);
    let mut p = pod("nginx:1");
    let c = &mut p.entry("spec").entry("containers").list_mut()[0];
    c.set(
        "readinessProbe",
        value!({"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 5}),
    );
    c.set(
        "livenessProbe",
        value!({"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 3}),
    );
    let key = create(&mut w, p);
    assert!(w.settle(60 * SECOND));
    assert!(
        w.store.by_key(&key).is_some_and(|p| p.pod().phase == Phase::Running && !p.pod().ready)
    );
    assert!(reasons(&w).contains(
        &"Unhealthy Readiness probe failed: cat: can't open '/tmp/ready': No such file or directory\n".to_owned()
    ));
    assert_eq!(crate::storage::fs::write(&mut w, &key, "nginx", "/tmp/ready", "1"), Ok(()));
    w.run_until(w.now + 6 * SECOND);
    assert!(w.store.by_key(&key).is_some_and(|p| p.pod().ready));
    let page = "/usr/share/nginx/html/index.html";
    assert_eq!(crate::storage::fs::remove(&mut w, &key, "nginx", page, false), Ok(()));
    w.run_until(w.now + 60 * SECOND);
    assert!(reasons(&w).contains(
        &"Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 403".to_owned()
    ));
    assert!(
        reasons(&w).contains(
            &"Killing Container nginx failed liveness probe, will be restarted".to_owned()
        )
    );
    assert_eq!(
        status(&w, &key)["restartCount"].int_or(0),
        1,
        "the new container has its page again"
    );
}

#[test]
fn a_missing_config_map_is_waited_for() {
    let mut w = world(Latency::Realistic);
    let mut p = pod("nginx:1");
    p.entry("spec").entry("containers").list_mut()[0].set(
        "env",
        value!([
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "mysql", "key": "a"}}}
        ]),
    );
    let key = create(&mut w, p);
    assert!(w.settle(60 * SECOND));
    assert_eq!(status(&w, &key)["state"]["waiting"]["reason"].str(), "CreateContainerConfigError");
    assert!(reasons(&w).contains(&"Failed Error: configmap \"mysql\" not found".to_owned()));
    let map = value!({"metadata": {"name": "mysql"}, "data": {"a": "1"}});
    assert!(w.create(Kind::ConfigMap, map, WriteOptions::TRUSTED).is_ok());
    assert!(w.settle(60 * SECOND));
    assert!(w.store.by_key(&key).is_some_and(|p| p.pod().ready));
}

#[test]
fn the_annotation_turns_readiness_off_and_on() {
    let mut w = world(Latency::Realistic);
    let key = create(&mut w, pod("nginx:1"));
    assert!(w.settle(60 * SECOND));
    let mut set = |value: &'static str| {
        w.modify(&key, Sub::Main, |v| v.path_mut("metadata.annotations").set("sim/ready", value));
        assert!(w.settle(60 * SECOND));
        w.store.by_key(&key).is_some_and(|p| p.pod().ready)
    };
    assert!(!set("false"));
    assert!(set("true"));
}

#[test]
fn an_image_change_restarts_the_container_in_place() {
    let mut w = world(Latency::Realistic);
    let key = create(&mut w, pod("nginx:1"));
    assert!(w.settle(60 * SECOND));
    let ip = w.store.by_key(&key).map(|p| p.pod().ip.clone());
    w.modify(&key, Sub::Main, |v| {
        v.entry("spec").entry("containers").list_mut()[0].set("image", "nginx:1.28");
    });
    assert!(w.settle(60 * SECOND));
    assert!(
        reasons(&w)
            .contains(&"Killing Container nginx definition changed, will be restarted".to_owned())
    );
    assert_eq!(status(&w, &key)["restartCount"].int_or(0), 1);
    assert_eq!(status(&w, &key)["image"].str(), "nginx:1.28");
    assert_eq!(w.store.by_key(&key).map(|p| p.pod().ip.clone()), ip);
}

#[test]
fn quality_of_service() {
    let class = |resources: Value| qos_class(&value!({"containers": [{"resources": resources}]}));
    assert_eq!(class(value!({})), "BestEffort");
    assert_eq!(class(value!({"requests": {"cpu": "1"}})), "Burstable");
    let both = value!({"cpu": "1", "memory": "1Gi"});
    assert_eq!(class(value!({"requests": (both.clone()), "limits": (both.clone())})), "Guaranteed");
    assert_eq!(class(value!({"limits": both})), "Guaranteed");
}

/// STATUS as the table shows it, each change once.
fn shown(w: &World) -> Vec<String> {
    let pods = w.log.iter().filter_map(|(_, r)| match &r.what {
        crate::log::What::Change { new, .. } if new.kind == Kind::Pod => Some(new.clone()),
        _ => None,
    });
    let mut rows: Vec<String> =
        pods.map(|p| crate::kubectl::print::pods::state(&p.value, w.now).status).collect();
    rows.dedup();
    rows
}

fn with_init(script: &'static str) -> Value {
    let mut p = pod("nginx:1");
    p.entry("spec").set(
        "initContainers",
        value!([{"command": ["sh", "-c", script], "image": "busybox:1", "name": "first"}]),
    );
    p
}

#[test]
fn init_containers_are_followed_by_initializing() {
    let mut w = world(Latency::Realistic);
    create(&mut w, with_init("sleep 2"));
    assert!(w.settle(60 * SECOND));
    assert_eq!(shown(&w), ["Pending", "Init:0/1", "PodInitializing", "Running"]);
}

#[test]
fn a_failing_init_container_ends_as_it_failed() {
    let mut w = world(Latency::Realistic);
    let key = create(&mut w, with_init("exit 3"));
    w.run_until(w.now + 30 * SECOND);
    let before = ["Pending", "Init:0/1", "Init:Error"];
    assert_eq!(shown(&w)[..3], before);
    assert!(shown(&w).contains(&"Init:CrashLoopBackOff".to_owned()));
    let _ = w.delete(&key, &DeleteOptions::default());
    assert!(w.settle(60 * SECOND));
    let rows = shown(&w);
    assert_eq!(rows[rows.len() - 2..], ["Terminating", "Init:Error"]);
}

#[test]
fn a_name_that_is_none_is_not_pulled() {
    let mut w = world(Latency::Realistic);
    let key = create(&mut w, pod("UPPER:case"));
    assert!(w.settle(60 * SECOND));
    let why = "Failed to apply default image tag \"UPPER:case\": couldn't parse image name \"UPPER:case\": invalid reference format: repository name (library/UPPER) must be lowercase";
    let waiting = status(&w, &key)["state"]["waiting"].clone();
    assert_eq!(waiting["reason"].str(), "InvalidImageName");
    assert_eq!(waiting["message"].str(), why);
    assert_eq!(
        reasons(&w),
        [format!("InspectFailed {why}"), "Failed Error: InvalidImageName".to_owned()]
    );
}

fn count(w: &World, message: &str) -> i64 {
    let mut events = w.store.all(Kind::Event);
    let found = events.find(|e| e.value["message"].str().starts_with(message));
    found.map_or(0, |e| e.value["count"].int_or(0))
}

/// What is missing is looked for again and again, and there when it comes.
#[test]
fn missing_configuration_is_told_of_each_time() {
    let mut w = world(Latency::Realistic);
    let mut env = pod("nginx:1");
    env.path_mut("spec.containers").list_mut()[0]
        .set("envFrom", value!([{"configMapRef": {"name": "conf"}}]));
    let env = create(&mut w, env);
    let mut mounted = pod("nginx:1");
    mounted.entry("metadata").set("name", "web-1");
    mounted.entry("spec").set("volumes", value!([{"configMap": {"name": "conf"}, "name": "v"}]));
    let mounted = create(&mut w, mounted);
    assert!(w.settle(60 * SECOND));
    w.run_until(60 * SECOND);
    assert!((4..=6).contains(&count(&w, "Error: configmap \"conf\" not found")));
    // after 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 seconds
    let volume = "MountVolume.SetUp failed for volume \"v\" : configmap \"conf\" not found";
    assert_eq!(count(&w, volume), 7);
    let config = value!({"data": {}, "metadata": {"name": "conf", "namespace": "default"}});
    w.create(Kind::ConfigMap, config, WriteOptions::TRUSTED).expect("created");
    assert!(w.settle(60 * SECOND));
    for key in [&env, &mounted] {
        assert!(w.store.by_key(key).is_some_and(|p| p.pod().ready));
    }
    let told = w.log.len();
    w.run_until(w.now + 600 * SECOND);
    assert_eq!(w.log.len(), told, "nothing is tried any more");
}
