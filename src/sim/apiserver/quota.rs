//! `ResourceQuota`: what objects of a namespace use together, and the plugin that refuses more.
//!
//! # Divergence from real Kubernetes
//! The scopes `CrossNamespacePodAffinity` and `VolumeAttributesClass` match nothing.

use crate::api::quantity::{milli, plus};
use crate::api::{Key, Kind, Obj};
use crate::apiserver::error::Status;
use crate::apiserver::{Sub, WriteOptions};
use crate::value;
use crate::value::{Str, Value, text};
use crate::world::World;

/// A quantity as text: schemas allow whole numbers too.
pub(super) fn amount(v: &Value) -> String {
    v.as_str().map_or_else(|| v.to_string(), str::to_owned)
}

fn add(to: &mut Value, name: &str, more: &str, sign: i128) {
    let sum = plus(to[name].as_str().unwrap_or("0"), more, sign);
    to.set(text(name), sum);
}

/// Amounts of a list of resources added to another.
pub fn sum(to: &mut Value, more: &Value) {
    for (name, v) in more.pairs() {
        add(to, name, &amount(v), 1);
    }
}

fn most(to: &mut Value, other: &Value) {
    for (name, v) in other.pairs() {
        if to[name.as_str()].is_null() || milli(&amount(v)) > milli(to[name.as_str()].str()) {
            to.set(name.clone(), amount(v));
        }
    }
}

/// What a pod asks for (`requests`) or may use (`limits`): the larger of all containers together
/// and of any init container with the sidecars before it.
pub fn of_pod(spec: &Value, field: &str) -> Value {
    let mut all = Value::map();
    for c in spec["containers"].items() {
        sum(&mut all, &c["resources"][field]);
    }
    let (mut largest, mut sidecars) = (Value::map(), Value::map());
    for c in spec["initContainers"].items() {
        let own = &c["resources"][field];
        if c["restartPolicy"].str() == "Always" {
            sum(&mut sidecars, own);
            most(&mut largest, &sidecars);
        } else {
            let mut with = sidecars.clone();
            sum(&mut with, own);
            most(&mut largest, &with);
        }
    }
    sum(&mut all, &sidecars);
    most(&mut all, &largest);
    // what is said of the whole pod goes first
    for (name, v) in spec["resources"][field].pairs() {
        all.set(name.clone(), amount(v));
    }
    sum(&mut all, &spec["overhead"]);
    all
}

/// The keys of a quota that count an object, and by how much.
fn usage(kind: Kind, v: &Value) -> Value {
    let mut used = Value::map();
    used.set(format!("count/{}", kind.resource()), "1");
    let spec = &v["spec"];
    match kind {
        Kind::Pod => {
            if matches!(v["status"]["phase"].str(), "Succeeded" | "Failed") {
                return used;
            }
            used.set("pods", "1");
            for field in ["requests", "limits"] {
                for (name, n) in of_pod(spec, field).pairs() {
                    let short = matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage");
                    if field == "requests" && (short || name.starts_with("hugepages-")) {
                        used.set(name.clone(), n);
                    }
                    if field == "requests" || short {
                        used.set(format!("{field}.{name}"), n);
                    }
                }
            }
        }
        Kind::PersistentVolumeClaim => {
            let class =
                match v["metadata"]["annotations"]["volume.beta.kubernetes.io/storage-class"]
                    .as_str()
                {
                    Some(class) => class,
                    None => spec["storageClassName"].str(),
                };
            let storage = &spec["resources"]["requests"]["storage"];
            let mut count = |name: &str, n: &str| {
                used.set(text(name), n.to_owned());
                if !class.is_empty() {
                    used.set(format!("{class}.storageclass.storage.k8s.io/{name}"), n.to_owned());
                }
            };
            count("persistentvolumeclaims", "1");
            if !storage.is_null() {
                count("requests.storage", &amount(storage));
            }
        }
        Kind::Service => {
            used.set("services", "1");
            let ports = spec["ports"].items();
            let balanced = spec["type"].str() == "LoadBalancer";
            if balanced {
                used.set("services.loadbalancers", "1");
            }
            if balanced || spec["type"].str() == "NodePort" {
                let given = ports.iter().filter(|p| !p["nodePort"].is_empty()).count();
                let none = spec["allocateLoadBalancerNodePorts"].as_bool() == Some(false);
                let n = if balanced && none { given } else { ports.len() };
                used.set("services.nodeports", n.to_string());
            }
        }
        Kind::ConfigMap | Kind::Secret | Kind::ReplicationController | Kind::ResourceQuota => {
            used.set(kind.info().plural, "1");
        }
        _ => {}
    }
    used
}

/// Does the quota count this object, by its scopes?
fn in_scope(quota: &Obj, kind: Kind, v: &Value) -> bool {
    let spec = quota.spec();
    let named = spec["scopes"].items().iter().map(|s| (s.str(), "Exists", &Value::Null));
    let chosen = spec["scopeSelector"]["matchExpressions"].items().iter();
    let chosen = chosen.map(|e| (e["scopeName"].str(), e["operator"].str(), &e["values"]));
    let pod = &v["spec"];
    named.chain(chosen).all(|(scope, operator, values)| {
        let bounded = pod["activeDeadlineSeconds"].int_or(-1) >= 0;
        let best = || crate::kubelet::qos_class(pod) == "BestEffort";
        let class = &pod["priorityClassName"];
        let listed = || values.items().iter().any(|c| c == class);
        kind == Kind::Pod
            && match (scope, operator) {
                ("Terminating", _) => bounded,
                ("NotTerminating", _) => !bounded,
                ("BestEffort", _) => best(),
                ("NotBestEffort", _) => !best(),
                ("PriorityClass", "Exists") => !class.is_empty(),
                ("PriorityClass", "DoesNotExist") => class.is_empty(),
                ("PriorityClass", "In") => listed(),
                ("PriorityClass", "NotIn") => !listed(),
                _ => false,
            }
    })
}

/// What all objects of the namespace use of what the quota bounds.
pub fn used(w: &World, quota: &Obj) -> Value {
    let (ns, hard) = (quota.ns(), &quota.spec()["hard"]);
    let mut all: Value =
        hard.pairs().map(|(name, _)| (name.clone(), "0")).collect::<value::Map>().into();
    for kind in crate::api::kind::ALL.iter().filter(|k| k.info().namespaced && **k != Kind::Event) {
        let objects = w.store.list(*kind, &ns);
        for obj in objects.filter(|o| in_scope(quota, *kind, &o.value)) {
            for (name, n) in usage(*kind, &obj.value).pairs().filter(|(n, _)| hard.has(n)) {
                add(&mut all, name, n.str(), 1);
            }
        }
    }
    all
}

/// `a=1,b=2`.
fn listed(names: &[Str], of: &Value) -> String {
    let one = |n: &Str| format!("{n}={}", of[n.as_str()].as_str().unwrap_or("0"));
    names.iter().map(one).collect::<Vec<_>>().join(",")
}

/// A quota on CPU or memory wants each container to say how much it needs.
fn unspecified(hard: &Value, pod: &Value) -> Option<String> {
    let spec = &pod["spec"];
    let mut parts: Vec<String> = Vec::new();
    let names = ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
    for name in names.into_iter().filter(|n| hard.has(n)) {
        let (field, resource) = name.split_once('.').unwrap_or(("requests", name));
        let containers = spec["containers"].items().iter().chain(spec["initContainers"].items());
        let mut lacking: Vec<&str> = containers
            .filter(|c| !c["resources"][field].has(resource))
            .map(|c| c["name"].str())
            .collect();
        lacking.sort_unstable();
        if !lacking.is_empty() && !spec["resources"][field].has(resource) {
            parts.push(format!("{name} for: {}", lacking.join(",")));
        }
    }
    (!parts.is_empty()).then(|| format!("must specify {}", parts.join("; ")))
}

/// Asks the quotas of the namespace for an object that is new, or was `old`. Gives those that
/// have more used afterwards, for [`charge`].
///
/// # Errors
/// 403 where a quota would be exceeded.
pub fn admit(
    w: &World,
    kind: Kind,
    v: &Value,
    old: Option<&Value>,
) -> Result<Vec<(Key, Value)>, Status> {
    let mut charged = Vec::new();
    let counted = old.is_none() || matches!(kind, Kind::PersistentVolumeClaim | Kind::Service);
    if w.store.count(Kind::ResourceQuota) == 0 || kind == Kind::Event || !counted {
        return Ok(charged);
    }
    let meta = &v["metadata"];
    let refuse = |why: String| Status::forbidden(kind, meta["name"].str(), &why);
    let mut delta = usage(kind, v);
    for (name, n) in old.map(|o| usage(kind, o)).unwrap_or_default().pairs() {
        add(&mut delta, name, n.str(), -1);
    }
    for quota in w.store.list(Kind::ResourceQuota, &meta["namespace"].to_str()) {
        let (hard, used) = (&quota.status()["hard"], &quota.status()["used"]);
        if !in_scope(quota, kind, v) {
            continue;
        }
        if kind == Kind::Pod
            && let Some(why) = unspecified(hard, v)
        {
            return Err(refuse(format!("failed quota: {}: {why}", quota.name())));
        }
        let mut after = used.clone();
        let mut exceeded: Vec<Str> = Vec::new();
        for (name, n) in delta.pairs().filter(|(n, v)| hard.has(n) && milli(v.str()) > Some(0)) {
            add(&mut after, name, n.str(), 1);
            if milli(after[name.as_str()].str()) > milli(hard[name.as_str()].str()) {
                exceeded.push(name.clone());
            }
        }
        if !exceeded.is_empty() {
            let [requested, used, limited] = [&delta, used, hard].map(|of| listed(&exceeded, of));
            return Err(refuse(format!(
                "exceeded quota: {}, requested: {requested}, used: {used}, limited: {limited}",
                quota.name()
            )));
        }
        if after != *used {
            charged.push((quota.key(), after));
        }
    }
    Ok(charged)
}

/// Writes down what is used now.
pub fn charge(w: &mut World, charged: Vec<(Key, Value)>) {
    for (key, used) in charged {
        let Some(mut value) = w.store.by_key(&key).map(|q| q.value.clone()) else { continue };
        value.entry("status").set("used", used);
        let _ = w.update(Kind::ResourceQuota, value, Sub::Status, WriteOptions::TRUSTED);
    }
}
