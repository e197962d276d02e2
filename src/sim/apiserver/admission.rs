//! What the API server does to objects by kind, besides defaults and validation: strategies
//! (`PrepareForCreate`/`Update`), admission plugins, address allocation.

use crate::api::{Key, Kind, Obj};
use crate::apiserver::Sub;
use crate::apiserver::error::{Reason, Status};
use crate::config::{Config, Latency};
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// Kinds whose `metadata.generation` counts changes of the spec.
pub fn has_generation(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::StatefulSet
            | Kind::Deployment
            | Kind::ReplicaSet
            | Kind::DaemonSet
            | Kind::Job
            | Kind::CronJob
            | Kind::EndpointSlice
            | Kind::PodDisruptionBudget
            | Kind::NetworkPolicy
            | Kind::Ingress
            | Kind::ReplicationController
            | Kind::CustomResourceDefinition
            | Kind::FlowSchema
            | Kind::PriorityLevelConfiguration
    )
}

/// Kinds with a status subresource whose status a create or a main update cannot set.
pub fn has_status(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::StatefulSet
            | Kind::Deployment
            | Kind::ReplicaSet
            | Kind::DaemonSet
            | Kind::Job
            | Kind::Service
            | Kind::PersistentVolume
            | Kind::PersistentVolumeClaim
            | Kind::PodDisruptionBudget
            | Kind::Node
            | Kind::Namespace
            | Kind::Ingress
            | Kind::HorizontalPodAutoscaler
            | Kind::ResourceQuota
    )
}

/// Sets the fields that the server owns in a new object.
pub fn prepare_create(w: &World, kind: Kind, value: &mut Value) {
    if has_status(kind) && !matches!(kind, Kind::Node) {
        value.remove("status");
    }
    match kind {
        Kind::Pod => {
            let qos = crate::kubelet::qos_class(&value["spec"]);
            value.set("status", value!({"phase": "Pending", "qosClass": qos}));
            if !value["spec"]["schedulingGates"].is_empty() {
                let condition = value!({
                    "lastProbeTime": null, "lastTransitionTime": null,
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                    "reason": "SchedulingGated", "status": "False", "type": "PodScheduled"
                });
                value.path_mut("status.conditions").list_mut().push(condition);
            }
        }
        Kind::StatefulSet => {
            value.set("status", value!({"availableReplicas": 0, "replicas": 0}));
        }
        Kind::ReplicaSet => value.set("status", value!({"replicas": 0})),
        Kind::Deployment | Kind::ResourceQuota => value.set("status", Value::map()),
        Kind::Service => value.set("status", value!({"loadBalancer": {}})),
        Kind::PersistentVolumeClaim => {
            value.set("status", value!({"phase": "Pending"}));
            add_finalizer(value, "kubernetes.io/pvc-protection");
        }
        Kind::PersistentVolume => {
            let now = crate::api::time::rfc3339(w.now);
            value.set("status", value!({"lastPhaseTransitionTime": now, "phase": "Pending"}));
            add_finalizer(value, "kubernetes.io/pv-protection");
        }
        Kind::Namespace => {
            value.set("status", value!({"phase": "Active"}));
            value.set("spec", value!({"finalizers": ["kubernetes"]}));
            let name = value["metadata"]["name"].to_str();
            value.path_mut("metadata.labels").set("kubernetes.io/metadata.name", name);
        }
        Kind::HorizontalPodAutoscaler => {
            value.set("status", value!({"currentMetrics": null, "desiredReplicas": 0}));
        }
        Kind::PodDisruptionBudget => value.set(
            "status",
            value!({"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0}),
        ),
        _ => {}
    }
    // Go leaves empty maps and lists of metadata out
    let meta = value.entry("metadata");
    for key in ["labels", "annotations", "finalizers", "ownerReferences"] {
        if meta.has(key) && meta[key].is_empty() {
            meta.remove(key);
        }
    }
}

fn add_finalizer(value: &mut Value, finalizer: &'static str) {
    let list = value.path_mut("metadata.finalizers");
    if !list.items().iter().any(|f| f.str() == finalizer) {
        list.list_mut().push(finalizer.into());
    }
}

/// Mutating admission of a new object.
///
/// # Errors
/// 403 where a plugin refuses.
pub fn admit_create(w: &mut World, kind: Kind, value: &mut Value) -> Result<(), Status> {
    match kind {
        Kind::Pod => {
            if w.store.count(Kind::Pod) >= MOST_PODS {
                return Err(not_simulated(&format!("more than {MOST_PODS} pods")));
            }
            super::limits::fill(w, value);
            admit_pod(w, value)?;
            // the recorded cluster had no controller of accounts
            if w.config.latency != Latency::Recording {
                super::service_account::admit(w, value)?;
            }
        }
        Kind::PersistentVolumeClaim => default_storage_class(w, value),
        _ => bounded(kind, value)?,
    }
    Ok(())
}

/// Most pods of a cluster, and so of a workload.
const MOST_PODS: usize = 10_000;

/// The simulator's own limit, which a real server has not: a number that fills the memory of
/// the page is refused before anything is made of it.
fn bounded(kind: Kind, value: &Value) -> Result<(), Status> {
    let workload = matches!(kind, Kind::StatefulSet | Kind::Deployment | Kind::ReplicaSet);
    if workload && value["spec"]["replicas"].int_or(0) > MOST_PODS as i64 {
        return Err(not_simulated(&format!("more than {MOST_PODS} replicas")));
    }
    Ok(())
}

/// What admission adds to every pod, made once so that all pods share it.
pub(crate) struct Parts {
    /// The list of `DefaultTolerationSeconds`.
    tolerations: Value,
    /// What is projected into the volume with the account's token.
    pub(super) token: Value,
}

impl Parts {
    /// The parts for a cluster of that configuration.
    pub(crate) fn of(config: &Config) -> Self {
        let toleration = |key: &'static str| {
            value!({
                "effect": "NoExecute", "key": key, "operator": "Exists",
                "tolerationSeconds": (config.toleration_seconds)
            })
        };
        let tolerations =
            ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map(toleration);
        Self { tolerations: tolerations.into(), token: super::service_account::token() }
    }
}

/// `Priority`: a pod's priority comes from its class, or from the default one.
fn admit_priority(w: &World, pod: &mut Value) -> Result<(), Status> {
    let named = pod["spec"]["priorityClassName"].to_str();
    let class = if named.is_empty() {
        let defaults = w.store.all(Kind::PriorityClass);
        defaults.filter(|c| c.value["globalDefault"].is_true()).min_by_key(|c| value_of(c))
    } else {
        w.store.get(Kind::PriorityClass, "", &named)
    };
    let refuse =
        |why: String| Err(Status::forbidden(Kind::Pod, pod["metadata"]["name"].str(), &why));
    if class.is_none() && !named.is_empty() {
        return refuse(format!("no PriorityClass with name {named} was found"));
    }
    let priority = class.map_or(0, value_of);
    let policy = match class.map_or("", |c| c.value["preemptionPolicy"].str()) {
        "Never" => "Never",
        _ => "PreemptLowerPriority",
    };
    let own = &pod["spec"];
    if own["priority"].as_int().is_some_and(|n| n != priority) {
        return refuse(format!(
            "the integer value of priority ({}) must not be provided in pod spec; priority admission controller computed {priority} from the given PriorityClass name",
            own["priority"].int_or(0)
        ));
    }
    if !own["preemptionPolicy"].is_null() && own["preemptionPolicy"].str() != policy {
        return refuse(format!(
            "the string value of PreemptionPolicy ({}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name",
            own["preemptionPolicy"].str()
        ));
    }
    let name = class.map(|c| c.name());
    let spec = pod.entry("spec");
    if let Some(name) = name {
        spec.set("priorityClassName", name);
    }
    spec.set("priority", priority);
    spec.set("preemptionPolicy", policy);
    Ok(())
}

fn value_of(class: &Obj) -> i64 {
    class.value["value"].int_or(0)
}

/// Priority, `DefaultTolerationSeconds` and `RuntimeClass` of a pod.
fn admit_pod(w: &World, pod: &mut Value) -> Result<(), Status> {
    admit_priority(w, pod)?;
    default_tolerations(w, pod);
    if let Some(class) = pod["spec"]["runtimeClassName"].as_str()
        && w.store.get(Kind::RuntimeClass, "", class).is_none()
    {
        let why = format!("pod rejected: RuntimeClass {class:?} not found");
        return Err(Status::forbidden(Kind::Pod, pod["metadata"]["name"].str(), &why));
    }
    let spec = pod.entry("spec");
    if spec["enableServiceLinks"].is_null() {
        spec.set("enableServiceLinks", true);
    }
    Ok(())
}

/// `DefaultTolerationSeconds`: for how long a pod stays on a node that is lost. It acts on
/// updates too, so that who changes the tolerations of a pod need not repeat these.
pub fn default_tolerations(w: &World, pod: &mut Value) {
    let spec = pod.entry("spec");
    if spec["tolerations"].is_empty() {
        spec.set("tolerations", &w.admission.tolerations);
    }
    for added in w.admission.tolerations.items() {
        let tolerated = spec["tolerations"].items().iter().any(|t| {
            (t["key"] == added["key"] || t["key"].str().is_empty())
                && matches!(t["effect"].str(), "NoExecute" | "")
        });
        if !tolerated {
            spec.entry("tolerations").list_mut().push(added.clone());
        }
    }
}

/// `DefaultStorageClass`: fills the default class where none is named (storage.md 2).
fn default_storage_class(w: &World, claim: &mut Value) {
    let named = !claim["spec"]["storageClassName"].is_null()
        || claim["metadata"]["annotations"].has("volume.beta.kubernetes.io/storage-class");
    if named {
        return;
    }
    if let Some(name) = crate::storage::default_class(w) {
        claim.entry("spec").set("storageClassName", name);
    }
}

/// Keeps what an update may not change and counts the generation.
pub fn prepare_update(kind: Kind, value: &mut Value, old: &Value, sub: Sub) {
    if sub == Sub::Status {
        let status = value.get("status").clone();
        let meta = value.get("metadata").clone();
        *value = old.clone();
        value.set("status", status);
        // for most kinds a status update changes nothing else
        let also: &[&str] = match kind {
            Kind::Node => &["labels", "annotations"],
            Kind::Deployment => &["annotations"],
            _ => &[],
        };
        for key in also.iter().filter(|k| meta.has(k)) {
            value.entry("metadata").set(*key, meta.get(key));
        }
        return;
    }
    if has_status(kind) && kind != Kind::Namespace {
        match old.get("status") {
            Value::Null => value.remove("status"),
            s => value.map_mut().insert("status", s),
        };
    }
    let old_meta = &old["metadata"];
    let meta = value.entry("metadata");
    for key in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
        "generateName",
        "namespace",
    ] {
        match old_meta.get(key) {
            Value::Null => meta.remove(key),
            v => meta.map_mut().insert(key, v),
        };
    }
    meta.remove("managedFields");
    for key in ["labels", "annotations", "finalizers", "ownerReferences"] {
        if meta.has(key) && meta[key].is_empty() {
            meta.remove(key);
        }
    }
    if has_generation(kind) && spec_changed(kind, value, old) {
        let next = old_meta["generation"].int_or(0) + 1;
        value.entry("metadata").set("generation", next);
    }
}

fn spec_changed(kind: Kind, value: &Value, old: &Value) -> bool {
    match kind {
        Kind::EndpointSlice => {
            let part = |v: &Value| {
                let mut v = v.clone();
                v.remove("metadata");
                v
            };
            part(value) != part(old) || value["metadata"]["labels"] != old["metadata"]["labels"]
        }
        _ => value["spec"] != old["spec"],
    }
}

/// Validating admission of an update; the field validation comes before it.
///
/// # Errors
/// 403 for a claim's growth that its class does not allow (storage.md 10).
pub fn admit_update(
    w: &World,
    kind: Kind,
    value: &Value,
    old: &Value,
    sub: Sub,
) -> Result<(), Status> {
    if kind == Kind::PersistentVolumeClaim && sub == Sub::Main {
        crate::storage::admit_resize(w, value, old)?;
    }
    // what is there already may shrink and end
    if value["spec"]["replicas"] == old["spec"]["replicas"] { Ok(()) } else { bounded(kind, value) }
}

/// Some objects cannot be deleted.
///
/// # Errors
/// 403 for the immortal namespaces.
pub fn admit_delete(key: &Key) -> Result<(), Status> {
    let immortal = ["default", "kube-system", "kube-public"];
    if key.kind == Kind::Namespace && immortal.contains(&key.name.as_str()) {
        return Err(Status::forbidden(key.kind, &key.name, "this namespace may not be deleted"));
    }
    Ok(())
}

/// An error for something that the simulated server does not do.
pub fn not_simulated(what: &str) -> Status {
    Status::new(Reason::BadRequest, Str::from(format!("not simulated: {what}")))
}
