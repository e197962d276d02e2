use super::*;
use crate::api::Kind;
use crate::api::time::SECOND;
use crate::apiserver::{DeleteOptions, WriteOptions};
use crate::config::{Config, Latency};
use crate::storage::fs;
use crate::value;

fn shell(script: &'static str) -> Process {
    process(&value!({"image": "busybox:1.36", "command": ["sh", "-c", script]}))
}

#[test]
fn processes() {
    assert_eq!(
        shell("while true; do date; sleep 1; done"),
        Process { waits: false, ends: None, term: Term::Ignores }
    );
    assert_eq!(shell("sleep 3600").term, Term::Ignores);
    assert_eq!(shell("sleep 5; exit 3").ends, Some((5 * SECOND, 3)));
    assert_eq!(shell("trap 'exit 0' TERM; while true; do sleep 1; done").term, Term::Obeys(0));
    assert_eq!(shell("echo hello && sleep infinity").ends, None);
    assert_eq!(
        process(&value!({"image": "nginx"})),
        Process { waits: false, ends: None, term: Term::Obeys(0) }
    );
    assert_eq!(process(&value!({"image": "busybox"})).ends, Some((0, 0)));
    let attached = value!({"image": "busybox", "args": ["sh"], "stdin": true});
    assert_eq!(process(&attached).ends, None);
    let client = value!({"image": "mysql:8", "args": ["mysql", "-h", "mysql-0"]});
    assert!(process(&client).ends.is_some());
    assert!(process(&value!({"image": "mysql:8", "args": ["--verbose"]})).ends.is_none());
    assert_eq!(hook_time(&value!({"exec": {"command": ["sh", "-c", "sleep 10"]}})), 10 * SECOND);
}

#[test]
fn a_web_server_serves_its_disk() {
    let mut w =
        World::new(Config { latency: Latency::Instant, attach: false, ..Config::default() });
    let opts = WriteOptions::TRUSTED;
    let pod = value!({
        "metadata": {"name": "web-0"},
        "spec": {
            "nodeName": "worker-1",
            "containers": [{"name": "nginx", "image": "nginx",
                "volumeMounts": [{"name": "www", "mountPath": "/usr/share/nginx/html"}]}],
            "volumes": [{"name": "www", "emptyDir": {}}]
        }
    });
    let key = w.create(Kind::Pod, pod, opts).map_or_else(|e| unreachable!("{e}"), |p| p.key());
    assert!(w.settle(60 * SECOND));
    let get =
        |w: &World, path: &str| http_get(w, &key, path).map(|r| (r.status, r.body.to_string()));
    assert_eq!(get(&w, "/").map(|r| r.0), Some(403), "an empty disk hides the image's page");
    assert_eq!(
        fs::write(&mut w, &key, "nginx", "/usr/share/nginx/html/index.html", "hello\n"),
        Ok(())
    );
    assert_eq!(get(&w, "/"), Some((200, "hello\n".to_owned())));
    assert_eq!(get(&w, "/x").map(|r| r.0), Some(404));
    let names = |w: &World, path: &str| {
        fs::list(w, &key, "", path).map(|l| l.into_iter().map(|e| e.name).collect::<Vec<_>>())
    };
    assert_eq!(names(&w, "/usr/share/nginx/html"), Ok(vec!["index.html".to_owned()]));
    assert_eq!(names(&w, "/usr/share"), Ok(vec!["nginx".to_owned()]));
    assert_eq!(fs::write(&mut w, &key, "nginx", "/nowhere/x", "1"), Err(fs::FsError::NotFound));
    assert_eq!(
        fs::remove(&mut w, &key, "nginx", "/usr/share/nginx/html", true),
        Err(fs::FsError::Busy)
    );
    assert_eq!(names(&w, "/usr/share/nginx/html"), Ok(vec![]));
    assert!(listener(&w, &key, 80).is_some() && listener(&w, &key, 8080).is_none());
    let _ = w.delete(&key, &DeleteOptions::default());
    assert!(w.settle(60 * SECOND));
    assert!(w.storage.disks.is_empty());
}

fn create(w: &mut World, pod: crate::value::Value) -> Key {
    let opts = WriteOptions::TRUSTED;
    w.create(Kind::Pod, pod, opts).map_or_else(|e| unreachable!("{e}"), |p| p.key())
}

#[test]
fn init_containers_write_what_the_server_serves() {
    let mut w =
        World::new(Config { latency: Latency::Realistic, attach: false, ..Config::default() });
    let key = create(
        &mut w,
        value!({
            "metadata": {"name": "web-0"},
            "spec": {
                "nodeName": "worker-1", "hostname": "web-0",
                "initContainers": [{"name": "init", "image": "busybox:1",
                    "command": ["sh", "-c", "echo \"I am $HOSTNAME, $ROLE\" > /work/index.html && sleep 2; touch /work/late"],
                    "env": [{"name": "ROLE", "value": "first"}],
                    "volumeMounts": [{"name": "www", "mountPath": "/work"}]}],
                "containers": [{"name": "nginx", "image": "nginx",
                    "lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "echo up > /tmp/started"]}}},
                    "volumeMounts": [{"name": "www", "mountPath": "/usr/share/nginx/html"}]}],
                "volumes": [{"name": "www", "emptyDir": {}}]
            }
        }),
    );
    assert!(w.settle(60 * SECOND));
    let page = http_get(&w, &key, "/").map(|r| r.body.to_string());
    assert_eq!(page.as_deref(), Some("I am web-0, first\n"));
    assert_eq!(http_get(&w, &key, "/late").map(|r| r.status), Some(200));
    assert_eq!(
        fs::read(&w, &key, "nginx", "/tmp/started").map(|s| s.to_string()),
        Ok("up\n".into())
    );
}

#[test]
fn init_containers_end() {
    let prepare = "set -ex\n# Make the server id of mysqld.\n[[ `hostname` =~ -([0-9]+)$ ]] || exit 1\necho [mysqld] > /mnt/server-id.cnf\n";
    let script = value!({"image": "mysql:5.7", "command": ["bash", "-c", prepare]});
    assert_eq!(init_process(&script).ends.map(|(_, code)| code), Some(0));
    let unknown = value!({"image": "example.com/install:1", "args": ["--work-dir=/work"]});
    assert_eq!(init_process(&unknown).ends.map(|(_, code)| code), Some(0));
    assert!(process(&unknown).ends.is_none());
    // these never end in a cluster either
    assert_eq!(init_process(&value!({"image": "nginx"})).ends, None);
    let sleeps = value!({"image": "busybox", "command": ["sleep", "infinity"]});
    assert_eq!(init_process(&sleeps).ends, None);
    let fails = value!({"image": "mysql:8", "command": ["sh", "-c", "exit 3"]});
    assert_eq!(init_process(&fails).ends.map(|(_, code)| code), Some(3));
}

#[test]
fn a_script_waits_for_a_name() {
    let mut w =
        World::new(Config { latency: Latency::Realistic, attach: false, ..Config::default() });
    let key = create(
        &mut w,
        value!({
            "metadata": {"name": "client"},
            "spec": {
                "nodeName": "worker-1",
                "initContainers": [
                    {"name": "wait", "image": "busybox:1.28",
                        "env": [{"name": "DB", "value": "db"}],
                        "command": ["sh", "-c", "until nslookup $DB; do echo waiting; sleep 2; done"]},
                    // a program of an image that is not known: it asks all the same
                    {"name": "ready", "image": "example.com/tools:1",
                        "command": ["sh", "-c", "until pg_isready -h db -p 5432; do sleep 1; done"]}],
                "containers": [{"name": "c", "image": "nginx:1"}]
            }
        }),
    );
    assert!(w.settle(60 * SECOND));
    let init = |w: &World| {
        let p = w.store.by_key(&key).cloned();
        p.map(|p| p.status()["initContainerStatuses"][0]["state"].clone()).unwrap_or_default()
    };
    assert!(init(&w).has("running"));
    w.run_until(w.now + 10 * SECOND);
    let said = logs(&w, &key, "wait", false).unwrap_or_default();
    assert!(said.iter().filter(|l| l.text == "waiting").count() >= 4);
    assert!(said.iter().any(|l| l.text == "nslookup: can't resolve 'db'"));
    let service = value!({
        "metadata": {"name": "db"},
        "spec": {"clusterIP": "10.96.7.7", "ports": [{"port": 5432}], "selector": {"app": "db"},
            "type": "ClusterIP"}
    });
    assert!(w.create(Kind::Service, service, WriteOptions::TRUSTED).is_ok());
    assert!(w.settle(60 * SECOND));
    assert!(init(&w).has("terminated"));
    let server = value!({
        "metadata": {"name": "db-0", "labels": {"app": "db"}},
        "spec": {"nodeName": "worker-2", "containers": [{"name": "c", "image": "postgres:17"}]}
    });
    create(&mut w, server);
    assert!(w.settle(60 * SECOND));
    assert!(w.store.by_key(&key).is_some_and(|p| p.pod().ready));
}

/// A StatefulSet of that image, running.
fn set(w: &mut World, image: &'static str, n: i64) -> Vec<Key> {
    let opts = WriteOptions::default();
    let sts = value!({
        "metadata": {"name": "db"},
        "spec": {"replicas": n, "selector": {"matchLabels": {"app": "db"}}, "serviceName": "db",
            "template": {"metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [{"name": "c", "image": image}]}}}
    });
    assert!(w.create(Kind::StatefulSet, sts, opts).is_ok());
    assert!(w.settle(60 * SECOND));
    (0..n).map(|i| Key::new(Kind::Pod, "default", format!("db-{i}"))).collect()
}

#[test]
fn databases() {
    let mut w =
        World::new(Config { latency: Latency::Instant, attach: false, ..Config::default() });
    let run = |w: &mut World, pod: &Key, line: &str| {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        client(w, pod, &argv, "", false).map(|o| o.out + &o.err).unwrap_or_default()
    };
    let pods = set(&mut w, "zookeeper:3", 3);
    let node = |w: &World, i: usize| {
        w.store.by_key(&pods[i]).map(|p| p.pod().node.to_string()).unwrap_or_default()
    };
    assert_ne!(node(&w, 0), node(&w, 2));
    assert_eq!(run(&mut w, &pods[0], "zkCli.sh create /hello world"), "Created /hello\n");
    assert_eq!(run(&mut w, &pods[1], "zkCli.sh get /hello"), "world\n");
    assert_eq!(run(&mut w, &pods[2], "zkServer.sh status"), "Mode: leader\n");
    let (first, last) = (node(&w, 0), node(&w, 2));
    w.node_down(&first);
    assert_eq!(run(&mut w, &pods[1], "zkCli.sh get /hello"), "world\n");
    w.node_down(&last);
    assert_eq!(run(&mut w, &pods[1], "zkCli.sh get /hello"), "KeeperErrorCode = ConnectionLoss\n");
}

#[test]
fn redis_and_mysql_keep_their_data() {
    let mut w =
        World::new(Config { latency: Latency::Instant, attach: false, ..Config::default() });
    let mut server = |name: &'static str, image: &'static str| {
        create(
            &mut w,
            value!({
                "metadata": {"name": name},
                "spec": {"nodeName": "worker-1", "containers": [{"name": "c", "image": image}]}
            }),
        )
    };
    let (redis, mysql) = (server("r", "redis:7"), server("m", "mysql:8"));
    assert!(w.settle(60 * SECOND));
    let mut run = |pod: &Key, argv: &[&str]| {
        let argv: Vec<String> = argv.iter().map(|s| (*s).to_owned()).collect();
        client(&mut w, pod, &argv, "", false).map(|o| o.out + &o.err).unwrap_or_default()
    };
    assert_eq!(run(&redis, &["redis-cli", "set", "a", "1"]), "OK\n");
    assert_eq!(run(&redis, &["redis-cli", "incr", "a"]), "2\n");
    let sql = "CREATE DATABASE test; CREATE TABLE test.messages (message VARCHAR(250)); INSERT INTO test.messages VALUES ('hello');";
    assert_eq!(run(&mysql, &["mysql", "-e", sql]), "");
    assert_eq!(run(&mysql, &["mysql", "-e", "SELECT * FROM test.messages"]), "message\nhello\n");
    assert_eq!(
        run(&mysql, &["mysql", "-h", "nowhere", "-e", "SELECT 1"]),
        "ERROR 2005 (HY000): Unknown MySQL server host 'nowhere' (-2)\n"
    );
}
