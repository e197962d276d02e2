//! `LimitRanger`: defaults for containers, and bounds for pods, containers and claims.

use std::cmp::Ordering;

use super::quota::{amount, of_pod};
use crate::api::quantity::milli;
use crate::api::{Kind, Obj};
use crate::apiserver::error::Status;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

fn ranges<'a>(w: &'a World, v: &'a Value) -> Vec<&'a Obj> {
    w.store.list(Kind::LimitRange, &v["metadata"]["namespace"].to_str()).collect()
}

/// Fills what the containers of a new pod do not say, and notes it in an annotation.
pub fn fill(w: &World, pod: &mut Value) {
    if w.store.count(Kind::LimitRange) == 0 {
        return;
    }
    let limits: Vec<Value> = ranges(w, pod)
        .iter()
        .flat_map(|r| r.spec()["limits"].items())
        .filter(|l| l["type"].str() == "Container")
        .cloned()
        .collect();
    let mut notes: Vec<String> = Vec::new();
    let spec = pod.entry("spec");
    for (list, what) in [("containers", "container"), ("initContainers", "init container")] {
        let mut containers = spec[list].items().to_vec();
        for c in &mut containers {
            for (field, from, word) in
                [("requests", "defaultRequest", "request"), ("limits", "default", "limit")]
            {
                let mut set: Vec<Str> = Vec::new();
                for (name, v) in limits.iter().flat_map(|l| l[from].pairs()) {
                    if !c["resources"][field].has(name) {
                        c.entry("resources").entry(field).set(name.clone(), v);
                        set.push(name.clone());
                    }
                }
                set.sort();
                if !set.is_empty() {
                    let set = set.iter().map(Str::as_str).collect::<Vec<_>>().join(", ");
                    notes.push(format!("{set} {word} for {what} {}", c["name"].str()));
                }
            }
        }
        if *spec[list].items() != *containers {
            spec.set(list, containers);
        }
    }
    if !notes.is_empty() {
        let note = format!("LimitRanger plugin set: {}", notes.join("; "));
        pod.path_mut("metadata.annotations").set("kubernetes.io/limit-ranger", note);
        // what a pod asks for decides its class
        let qos = crate::kubelet::qos_class(&pod["spec"]);
        pod.entry("status").set("qosClass", qos);
    }
}

/// Compares two quantities.
fn order(a: &Value, b: &Value) -> Ordering {
    milli(&amount(a)).cmp(&milli(&amount(b)))
}

/// What one item of a range finds wrong with requests and limits.
fn wrong(item: &Value, requests: &Value, limits: &Value, found: &mut Vec<String>) {
    let kind = item["type"].str();
    let claim = kind == "PersistentVolumeClaim";
    let both =
        |name: &str| [requests, limits].map(|list| Some(list.get(name)).filter(|v| !v.is_null()));
    for (name, bound) in item["min"].pairs() {
        let start = format!("minimum {name} usage per {kind} is {}", amount(bound));
        match both(name) {
            [None, _] => found.push(format!("{start}.  No request is specified")),
            [Some(r), _] if order(r, bound).is_lt() => {
                found.push(format!("{start}, but request is {}", amount(r)));
            }
            [_, Some(l)] if order(l, bound).is_lt() => {
                found.push(format!("{start}, but limit is {}", amount(l)));
            }
            _ => {}
        }
    }
    for (name, bound) in item["max"].pairs() {
        let start = format!("maximum {name} usage per {kind} is {}", amount(bound));
        match both(name) {
            [None, _] if claim => found.push(format!("{start}.  No request is specified")),
            [_, None] if !claim => found.push(format!("{start}.  No limit is specified")),
            [_, Some(l)] if order(l, bound).is_gt() => {
                found.push(format!("{start}, but limit is {}", amount(l)));
            }
            [Some(r), _] if order(r, bound).is_gt() => {
                found.push(format!("{start}, but request is {}", amount(r)));
            }
            _ => {}
        }
    }
    for (name, bound) in item["maxLimitRequestRatio"].pairs() {
        let start = format!("{name} max limit to request ratio per {kind} is {}", amount(bound));
        let [r, l] = both(name).map(|v| v.and_then(|v| milli(&amount(v))).filter(|n| *n != 0));
        match (r, l) {
            (None, _) => {
                found.push(format!("{start}, but no request is specified or request is 0"));
            }
            (_, None) => found.push(format!("{start}, but no limit is specified or limit is 0")),
            (Some(r), Some(l)) if l * 1000 > r * milli(&amount(bound)).unwrap_or(0) => {
                let ratio = l * 1_000_000 / r;
                let (whole, rest) = (ratio / 1_000_000, ratio % 1_000_000);
                found.push(format!("{start}, but provided ratio is {whole}.{rest:06}"));
            }
            _ => {}
        }
    }
}

/// Holds a pod or a claim against the ranges of its namespace.
///
/// # Errors
/// 403 with all that one range finds wrong.
pub fn check(w: &World, kind: Kind, v: &Value) -> Result<(), Status> {
    if w.store.count(Kind::LimitRange) == 0 {
        return Ok(());
    }
    let spec = &v["spec"];
    for range in ranges(w, v) {
        let mut found = Vec::new();
        for item in range.spec()["limits"].items() {
            match (kind, item["type"].str()) {
                (Kind::Pod, "Container") => {
                    let all = spec["containers"].items().iter();
                    for c in all.chain(spec["initContainers"].items()) {
                        let r = &c["resources"];
                        wrong(item, &r["requests"], &r["limits"], &mut found);
                    }
                }
                (Kind::Pod, "Pod") => {
                    let [requests, limits] = ["requests", "limits"].map(|f| of_pod(spec, f));
                    wrong(item, &requests, &limits, &mut found);
                }
                (Kind::PersistentVolumeClaim, "PersistentVolumeClaim") => {
                    wrong(item, &spec["resources"]["requests"], &value!({}), &mut found);
                }
                _ => {}
            }
        }
        let why = match found.as_slice() {
            [] => continue,
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        return Err(Status::forbidden(kind, v["metadata"]["name"].str(), &why));
    }
    Ok(())
}
