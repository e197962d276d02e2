//! Other people's manifests, from a folder outside the project: PODIUM_MANIFESTS names it. Each
//! file must be accepted or refused as a real 1.36 server did (`expected.txt` there), and what
//! is accepted must end as it would in such a cluster: three nodes, one StorageClass, nothing
//! else. Files of one application (`mysql-configmap.yaml`, `mysql-statefulset.yaml`) are played
//! together. Without the variable there is nothing to play, and the test says so.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; its table is for people"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use podium_sim::api::time::SECOND;
use podium_sim::api::{Kind, Obj};
use podium_sim::{Config, World};

/// How each StatefulSet ends: application, set, pods that are Ready of those wanted, and what
/// the first one that is not says.
const ENDS: &[(&str, &str, &str, &str)] = &[
    ("examples/cassandra", "cassandra", "3/3", ""),
    ("examples/cockroachdb", "cockroachdb", "3/3", ""),
    // its four pods want the same port of three nodes
    (
        "examples/minio-distributed",
        "minio",
        "3/4",
        "minio-3 Pending: 0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.",
    ),
    // a StorageClass of that name is nowhere
    (
        "examples/vsphere-simple",
        "web",
        "0/14",
        "web-0 Pending: storageclass.storage.k8s.io \"thin-disk\" not found",
    ),
    ("k8s-e2e/cassandra", "cassandra", "3/3", ""),
    ("k8s-e2e/cockroachdb", "cockroachdb", "3/3", ""),
    ("k8s-e2e/etcd", "etcd", "3/3", ""),
    ("k8s-e2e/mysql-galera", "mysql", "3/3", ""),
    (
        "k8s-e2e/mysql-upgrade",
        "mysql",
        "0/3",
        "mysql-0 Pending: storageclass.storage.k8s.io \"default\" not found",
    ),
    ("k8s-e2e/zookeeper", "zoo", "3/3", ""),
    ("patroni/citus_k8s", "citusdemo-0", "3/3", ""),
    ("patroni/citus_k8s", "citusdemo-1", "2/2", ""),
    ("patroni/citus_k8s", "citusdemo-2", "2/2", ""),
    ("patroni/patroni_k8s", "patronidemo", "3/3", ""),
    // the ServiceAccount is in a file that is not there
    ("rabbitmq/gke", "rabbitmq", "0/1", NO_ACCOUNT),
    ("rabbitmq/minikube", "rabbitmq", "0/3", NO_ACCOUNT),
    ("redis/redis-cluster", "redis-cluster", "6/6", ""),
    ("website/cassandra", "cassandra", "3/3", ""),
    ("website/mysql", "mysql", "3/3", ""),
    ("website/rabbitmq", "rabbitmq", "1/1", ""),
    ("website/web", "web", "2/2", ""),
    ("website/web-parallel", "web", "2/2", ""),
    ("website/zookeeper", "zk", "3/3", ""),
];

const NO_ACCOUNT: &str = "Create Pod rabbitmq-0 in StatefulSet rabbitmq failed error: pods \"rabbitmq-0\" is forbidden: error looking up service account test-rabbitmq/rabbitmq: serviceaccount \"rabbitmq\" not found";

fn run(w: &mut World, line: &str) -> (String, i32) {
    let shown = w.terminal(1).map_or(0, |t| t.out.len());
    w.type_line(1, line);
    let until = w.now + 60 * SECOND;
    while w.terminal(1).unwrap().running() && w.queue.next_at().is_some_and(|at| at <= until) {
        w.step();
    }
    let t = w.terminal(1).unwrap();
    assert!(!t.running(), "{line} does not end");
    (t.text_since(shown), t.last_exit)
}

/// `mysql-statefulset.yaml` belongs to `mysql`.
fn application(file: &str) -> String {
    let stem = file.trim_end_matches(".yaml");
    let ends = ["-pdb", "-service", "-services", "-statefulset", "-configmap"];
    ends.iter().find_map(|e| stem.strip_suffix(e)).unwrap_or(stem).to_owned()
}

fn applications(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml") {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.entry(application(&name)).or_default().push(name);
            }
        }
    }
    for files in found.values_mut() {
        files.sort();
    }
    found
}

/// What the real server printed for `apply --dry-run=server` of each file, with its exit code.
fn expected(folder: &Path) -> BTreeMap<String, (BTreeSet<String>, i32)> {
    let mut found: BTreeMap<String, (BTreeSet<String>, i32)> = BTreeMap::new();
    let mut file = String::new();
    for line in std::fs::read_to_string(folder.join("expected.txt")).unwrap().lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            command.rsplit(' ').next().unwrap().clone_into(&mut file);
            found.insert(file.clone(), (BTreeSet::new(), 0));
        } else if let Some(code) = line.strip_prefix("[exit ") {
            found.get_mut(&file).unwrap().1 = code.trim_end_matches(']').parse().unwrap();
        } else {
            found.get_mut(&file).unwrap().0.insert(line.to_owned());
        }
    }
    found
}

/// A cluster with the files in its folder and the namespaces that they name.
fn cluster(folder: &Path, files: &[String]) -> World {
    let mut w = World::new(Config::default());
    w.settle(60 * SECOND);
    for file in files {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        w.put_file(file, &text);
        for line in text.lines() {
            let Some(ns) = line.trim().strip_prefix("namespace:") else { continue };
            let ns = ns.trim().trim_matches('"');
            if !ns.is_empty() && w.store.get(Kind::Namespace, "", ns).is_none() {
                assert_eq!(run(&mut w, &format!("kubectl create namespace {ns}")).1, 0);
            }
        }
    }
    w
}

/// The pods of a set that are Ready, and why the first one that is not is not.
fn state(w: &mut World, set: &Obj) -> (String, String) {
    let wanted = set.spec()["replicas"].int_or(1);
    let ready = set.status()["readyReplicas"].int_or(0);
    let share = format!("{ready}/{wanted}");
    if ready == wanted {
        return (share, String::new());
    }
    let (ns, uid) = (set.ns(), set.uid());
    let waiting =
        w.store.list(Kind::Pod, &ns).find(|p| uid == p.controller_uid() && !p.pod().ready).cloned();
    // a pod that does not exist, a claim that is not bound, or the pod itself has the reason
    let Some(pod) = waiting else {
        return (share, format!("no pod: {}", warning(w, &ns, &set.name())));
    };
    let claims = pod.spec()["volumes"].items().iter();
    let mut names: Vec<String> = claims
        .map(|v| v["persistentVolumeClaim"]["claimName"].str().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    names.push(pod.name().to_string());
    let why = names
        .iter()
        .map(|name| warning(w, &ns, name))
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let status = run(w, &format!("kubectl get pod {} -n {ns} --no-headers", pod.name()));
    let status = status.0.split_whitespace().nth(2).unwrap_or("-").to_owned();
    (share, format!("{} {status}: {why}", pod.name()))
}

/// The last warning about an object.
fn warning(w: &mut World, ns: &str, name: &str) -> String {
    let selector = format!("involvedObject.name={name},type=Warning");
    let path = "{range .items[*]}{.message}{\"\\n\"}{end}";
    let line =
        format!("kubectl get events -n {ns} --field-selector {selector} -o jsonpath='{path}'");
    run(w, &line).0.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn manifests_of_others() {
    let Some(folder) = std::env::var_os("PODIUM_MANIFESTS").map(PathBuf::from) else {
        println!("PODIUM_MANIFESTS is not set: no manifests of others to play");
        return;
    };
    let expected = expected(&folder);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    println!("| file | answer | final state |\n|---|---|---|");
    for (name, files) in applications(&folder) {
        let mut answers = BTreeMap::new();
        for file in &files {
            let mut w = cluster(&folder, &files);
            let (out, code) = run(&mut w, &format!("kubectl apply --dry-run=server -f {file}"));
            let lines: BTreeSet<String> = out.lines().map(str::to_owned).collect();
            let (want, want_code) =
                expected.get(file).unwrap_or_else(|| panic!("expected.txt lacks {file}"));
            let same = lines == *want && code == *want_code;
            if !same {
                wrong.push(format!(
                    "{file}: dry run\nwant {want:#?} [{want_code}]\ngot {lines:#?} [{code}]"
                ));
            }
            let refused = if code == 0 { "applied" } else { "refused rightly" };
            answers.insert(file.clone(), if same { refused } else { "WRONG" });
        }
        let mut w = cluster(&folder, &files);
        for file in &files {
            run(&mut w, &format!("kubectl apply -f {file}"));
        }
        w.settle(900 * SECOND);
        let sets: Vec<Obj> = w.store.all(Kind::StatefulSet).cloned().collect();
        let mut ends = Vec::new();
        for set in &sets {
            let (share, why) = state(&mut w, set);
            let known = ENDS.iter().find(|(app, s, ..)| *app == name && *s == set.name().as_str());
            if known.is_none_or(|(.., n, text)| *n != share || !why.contains(text)) {
                wrong.push(format!("{name}: {} ends {share} {why}", set.name()));
            }
            seen.insert((name.clone(), set.name().to_string()));
            let why = if why.is_empty() { why } else { format!(" ({why})") };
            ends.push(format!("{} {share}{why}", set.name()));
        }
        for (i, file) in files.iter().enumerate() {
            let last = i + 1 == files.len();
            let end = if last { ends.join("; ") } else { String::new() };
            println!("| {file} | {} | {end} |", answers[file]);
        }
    }
    for (app, set, ..) in ENDS {
        if !seen.contains(&((*app).to_owned(), (*set).to_owned())) {
            wrong.push(format!("{app}: there is no set {set}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
