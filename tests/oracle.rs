//! Every object that the simulator writes is one that Kubernetes 1.36 could have written: it
//! deserialises through k8s-openapi's types, and nothing is lost when it is written again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use k8s_openapi::api::{apps, core, discovery, policy, scheduling, storage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn through<T: DeserializeOwned + Serialize>(object: &Value) -> Result<Value, String> {
    let typed: T = serde_json::from_value(object.clone()).map_err(|e| e.to_string())?;
    serde_json::to_value(typed).map_err(|e| e.to_string())
}

fn reread(object: &Value) -> Result<Value, String> {
    match object["kind"].as_str().unwrap() {
        "Pod" => through::<core::v1::Pod>(object),
        "Service" => through::<core::v1::Service>(object),
        "ServiceAccount" => through::<core::v1::ServiceAccount>(object),
        "ConfigMap" => through::<core::v1::ConfigMap>(object),
        "Endpoints" => through::<core::v1::Endpoints>(object),
        "Event" => through::<core::v1::Event>(object),
        "Node" => through::<core::v1::Node>(object),
        "Namespace" => through::<core::v1::Namespace>(object),
        "PersistentVolume" => through::<core::v1::PersistentVolume>(object),
        "PersistentVolumeClaim" => through::<core::v1::PersistentVolumeClaim>(object),
        "StatefulSet" => through::<apps::v1::StatefulSet>(object),
        "Deployment" => through::<apps::v1::Deployment>(object),
        "ReplicaSet" => through::<apps::v1::ReplicaSet>(object),
        "ControllerRevision" => through::<apps::v1::ControllerRevision>(object),
        "EndpointSlice" => through::<discovery::v1::EndpointSlice>(object),
        "PodDisruptionBudget" => through::<policy::v1::PodDisruptionBudget>(object),
        "StorageClass" => through::<storage::v1::StorageClass>(object),
        "PriorityClass" => through::<scheduling::v1::PriorityClass>(object),
        "VolumeAttachment" => through::<storage::v1::VolumeAttachment>(object),
        other => Err(format!("no type for {other}")),
    }
}

/// What `written` lacks of `object`. Empty and null fields may be left out; times and
/// quantities may be spelled differently.
fn lost(path: &str, object: &Value, written: &Value, out: &mut Vec<String>) {
    let empty = |v: &Value| match v {
        Value::Null => true,
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        _ => false,
    };
    match (object, written) {
        (Value::Object(a), Value::Object(b)) => {
            for (k, v) in a {
                let inner = format!("{path}.{k}");
                match b.get(k) {
                    Some(w) => lost(&inner, v, w, out),
                    None if empty(v) => {}
                    None => out.push(format!("{inner} is unknown")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (v, w)) in a.iter().zip(b).enumerate() {
                lost(&format!("{path}[{i}]"), v, w, out);
            }
        }
        (a, b) if a == b || empty(a) && empty(b) => {}
        (Value::String(a), Value::String(b))
            if a.len() >= 20 && a[..19] == b[..19.min(b.len())] => {}
        (a, b) => out.push(format!("{path}: {a} became {b}")),
    }
}

#[test]
fn every_object_is_one_of_kubernetes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut folders: Vec<_> = std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.retain(|f| f.join("commands.txt").exists());
    folders.sort();
    let mut checked: BTreeMap<String, usize> = BTreeMap::new();
    let mut faults: BTreeMap<String, String> = BTreeMap::new();
    for latency in ["recording", "realistic"] {
        for folder in &folders {
            let out = Command::new(env!("CARGO_BIN_EXE_podium"))
                .args(["run", "--latency", latency, "--format", "events", "--dir"])
                .arg(folder)
                .arg(folder.join("commands.txt"))
                .output()
                .unwrap();
            for line in String::from_utf8(out.stdout).unwrap().lines() {
                let change: Value = serde_json::from_str(line).unwrap();
                let object = &change["object"];
                let kind = object["kind"].as_str().unwrap().to_owned();
                *checked.entry(kind.clone()).or_default() += 1;
                let mut found = Vec::new();
                match reread(object) {
                    Ok(written) => lost(&kind, object, &written, &mut found),
                    Err(why) => found.push(format!("{kind}: {why}")),
                }
                for fault in found {
                    faults.entry(fault).or_insert_with(|| line.to_owned());
                }
            }
        }
    }
    println!("oracle: {} objects of {} kinds", checked.values().sum::<usize>(), checked.len());
    assert!(checked.len() >= 12, "{checked:?}");
    let report: Vec<String> =
        faults.iter().take(20).map(|(f, l)| format!("{f}\n  {}", &l[..l.len().min(300)])).collect();
    assert!(faults.is_empty(), "{}", report.join("\n"));
}
