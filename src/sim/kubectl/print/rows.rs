//! Columns of each kind, and the cells of an object (`pkg/printers/internalversion`).

use super::{batch, net, pods, scale};
use crate::api::object::condition;
use crate::api::time::{human, parse};
use crate::api::{Kind, Obj};
use crate::value::Value;

/// Columns of a kind; those after `|` are for `-o wide`, a `>` marks wide columns inside.
pub fn columns(kind: Kind) -> &'static str {
    match kind {
        Kind::Pod => "NAME,READY,STATUS,RESTARTS,AGE,>IP,>NODE,>NOMINATED NODE,>READINESS GATES",
        Kind::StatefulSet => "NAME,READY,AGE,>CONTAINERS,>IMAGES",
        Kind::Deployment => "NAME,READY,UP-TO-DATE,AVAILABLE,AGE,>CONTAINERS,>IMAGES,>SELECTOR",
        Kind::ReplicaSet | Kind::ReplicationController => {
            "NAME,DESIRED,CURRENT,READY,AGE,>CONTAINERS,>IMAGES,>SELECTOR"
        }
        Kind::DaemonSet => {
            "NAME,DESIRED,CURRENT,READY,UP-TO-DATE,AVAILABLE,NODE SELECTOR,AGE,>CONTAINERS,>IMAGES,>SELECTOR"
        }
        Kind::Service => "NAME,TYPE,CLUSTER-IP,EXTERNAL-IP,PORT(S),AGE,>SELECTOR",
        Kind::Endpoints => "NAME,ENDPOINTS,AGE",
        Kind::EndpointSlice => "NAME,ADDRESSTYPE,PORTS,ENDPOINTS,AGE",
        Kind::PersistentVolumeClaim => {
            "NAME,STATUS,VOLUME,CAPACITY,ACCESS MODES,STORAGECLASS,VOLUMEATTRIBUTESCLASS,AGE,>VOLUMEMODE"
        }
        Kind::PersistentVolume => {
            "NAME,CAPACITY,ACCESS MODES,RECLAIM POLICY,STATUS,CLAIM,STORAGECLASS,VOLUMEATTRIBUTESCLASS,REASON,AGE,>VOLUMEMODE"
        }
        Kind::StorageClass => {
            "NAME,PROVISIONER,RECLAIMPOLICY,VOLUMEBINDINGMODE,ALLOWVOLUMEEXPANSION,AGE"
        }
        Kind::VolumeAttachment => "NAME,ATTACHER,PV,NODE,ATTACHED,AGE",
        Kind::Node => {
            "NAME,STATUS,ROLES,AGE,VERSION,>INTERNAL-IP,>EXTERNAL-IP,>OS-IMAGE,>KERNEL-VERSION,>CONTAINER-RUNTIME"
        }
        Kind::Namespace => "NAME,STATUS,AGE",
        Kind::ControllerRevision => "NAME,CONTROLLER,REVISION,AGE",
        Kind::PodDisruptionBudget => "NAME,MIN AVAILABLE,MAX UNAVAILABLE,ALLOWED DISRUPTIONS,AGE",
        Kind::ConfigMap => "NAME,DATA,AGE",
        Kind::Secret => "NAME,TYPE,DATA,AGE",
        Kind::ServiceAccount => "NAME,AGE",
        Kind::Event => {
            "LAST SEEN,TYPE,REASON,OBJECT,>SUBOBJECT,>SOURCE,MESSAGE,>FIRST SEEN,>COUNT,>NAME"
        }
        Kind::Job => "NAME,STATUS,COMPLETIONS,DURATION,AGE,>CONTAINERS,>IMAGES,>SELECTOR",
        Kind::CronJob => {
            "NAME,SCHEDULE,TIMEZONE,SUSPEND,ACTIVE,LAST SCHEDULE,AGE,>CONTAINERS,>IMAGES,>SELECTOR"
        }
        Kind::Ingress => "NAME,CLASS,HOSTS,ADDRESS,PORTS,AGE",
        Kind::IngressClass => "NAME,CONTROLLER,PARAMETERS,AGE",
        Kind::HorizontalPodAutoscaler => "NAME,REFERENCE,TARGETS,MINPODS,MAXPODS,REPLICAS,AGE",
        Kind::NetworkPolicy => "NAME,POD-SELECTOR,AGE",
        Kind::PriorityClass => "NAME,VALUE,GLOBAL-DEFAULT,AGE,PREEMPTIONPOLICY",
        Kind::Role | Kind::ClusterRole | Kind::CustomResourceDefinition => "NAME,CREATED AT",
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            "NAME,ROLE,AGE,>USERS,>GROUPS,>SERVICEACCOUNTS"
        }
        Kind::PodTemplate => "NAME,CONTAINERS,IMAGES,POD LABELS",
        Kind::RuntimeClass => "NAME,HANDLER,AGE",
        Kind::CSIDriver => {
            "NAME,ATTACHREQUIRED,PODINFOONMOUNT,STORAGECAPACITY,TOKENREQUESTS,REQUIRESREPUBLISH,MODES,AGE"
        }
        Kind::CSINode => "NAME,DRIVERS,AGE",
        Kind::Lease => "NAME,HOLDER,AGE",
        Kind::ResourceQuota => "NAME,REQUEST,LIMIT,AGE",
        Kind::LimitRange => "NAME,CREATED AT",
        _ => "NAME,AGE",
    }
}

/// How long ago a time was, as kubectl prints it; `<unknown>` if there is none.
pub fn ago(time: &Value, now: u64) -> String {
    match time.as_str().and_then(parse) {
        Some(at) => human(now.saturating_sub(at)),
        None => "<unknown>".into(),
    }
}

pub(super) fn or_none(s: &str) -> String {
    if s.is_empty() { "<none>".into() } else { s.to_owned() }
}

pub(super) fn joined<'a>(list: impl Iterator<Item = &'a str>) -> String {
    list.collect::<Vec<_>>().join(",")
}

/// `a=b,c=d`, `<none>` if empty.
pub fn labels(map: &Value) -> String {
    let text: Vec<String> = map.pairs().map(|(k, v)| format!("{k}={}", v.str())).collect();
    or_none(&text.join(","))
}

/// A label selector object as text.
pub fn selector(s: &Value) -> String {
    let mut parts: Vec<(&str, String)> =
        s["matchLabels"].pairs().map(|(k, v)| (k.as_str(), format!("{k}={}", v.str()))).collect();
    for e in s["matchExpressions"].items() {
        let key = e["key"].str();
        let mut values: Vec<&str> = e["values"].items().iter().map(Value::str).collect();
        values.sort_unstable();
        let values = values.join(",");
        let part = match e["operator"].str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        parts.push((key, part));
    }
    // requirements are kept by their keys
    parts.sort_by_key(|(key, _)| *key);
    let parts: Vec<String> = parts.into_iter().map(|(_, part)| part).collect();
    or_none(&parts.join(","))
}

/// `RWO,RWX`.
pub fn modes(list: &Value) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for m in ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"] {
        if list.items().iter().any(|x| x.str() == m) {
            seen.push(match m {
                "ReadWriteOnce" => "RWO",
                "ReadOnlyMany" => "ROX",
                "ReadWriteMany" => "RWX",
                _ => "RWOP",
            });
        }
    }
    seen.join(",")
}

pub(super) fn int(v: &Value) -> String {
    v.int_or(0).to_string()
}

/// A number or a percentage.
fn int_or_text(v: &Value) -> String {
    match v {
        Value::Null => "N/A".into(),
        Value::Int(i) => i.to_string(),
        v => v.str().to_owned(),
    }
}

pub(super) fn containers(template: &Value, field: &str) -> String {
    joined(template["spec"]["containers"].items().iter().map(|c| c.get(field).str()))
}

fn terminating_or(obj: &Obj, status: &str) -> String {
    if obj.terminating() { "Terminating".into() } else { status.to_owned() }
}

fn node_status(node: &Obj) -> String {
    let ready = condition(&node.value, "Ready");
    let mut text = match ready["status"].str() {
        "True" => "Ready".to_owned(),
        "" => "Unknown".to_owned(),
        _ => "NotReady".to_owned(),
    };
    if node.spec()["unschedulable"].is_true() {
        text.push_str(",SchedulingDisabled");
    }
    text
}

/// Roles of a node, from its labels.
pub fn roles(node: &Obj) -> String {
    let mut roles: Vec<&str> = node.meta()["labels"]
        .pairs()
        .filter_map(|(k, v)| match k.as_str() {
            "kubernetes.io/role" => Some(v.str()),
            k => k.strip_prefix("node-role.kubernetes.io/"),
        })
        .filter(|r| !r.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    or_none(&roles.join(","))
}

fn address(node: &Obj, kind: &str) -> String {
    let list = node.status()["addresses"].items();
    or_none(list.iter().find(|a| a["type"].str() == kind).map_or("", |a| a["address"].str()))
}

/// All cells of an object, wide ones included, in the order of [`columns`].
pub fn cells(obj: &Obj, now: u64) -> Vec<String> {
    let (spec, status, meta) = (obj.spec(), obj.status(), obj.meta());
    let name = meta["name"].str().to_owned();
    let age = ago(&meta["creationTimestamp"], now);
    let template = &spec["template"];
    let parts = || vec![containers(template, "name"), containers(template, "image")];
    let mut row = match obj.kind {
        Kind::Pod => {
            let s = pods::state(&obj.value, now);
            let gates = spec["readinessGates"].items();
            let passed = |g: &&Value| {
                condition(&obj.value, g["conditionType"].str())["status"].str() == "True"
            };
            let passed = gates.iter().filter(passed).count();
            vec![
                name,
                s.ready,
                s.status,
                s.restarts,
                age,
                or_none(status["podIP"].str()),
                or_none(spec["nodeName"].str()),
                or_none(status["nominatedNodeName"].str()),
                if gates.is_empty() {
                    "<none>".into()
                } else {
                    format!("{passed}/{}", gates.len())
                },
            ]
        }
        Kind::StatefulSet => {
            let ready = format!("{}/{}", int(&status["readyReplicas"]), int(&spec["replicas"]));
            let mut row = vec![name, ready, age];
            row.extend(parts());
            row
        }
        Kind::Deployment => {
            let ready = format!("{}/{}", int(&status["readyReplicas"]), int(&spec["replicas"]));
            let mut row = vec![
                name,
                ready,
                int(&status["updatedReplicas"]),
                int(&status["availableReplicas"]),
                age,
            ];
            row.extend(parts());
            row.push(selector(&spec["selector"]));
            row
        }
        Kind::ReplicaSet | Kind::ReplicationController => {
            let mut row = vec![
                name,
                int(&spec["replicas"]),
                int(&status["replicas"]),
                int(&status["readyReplicas"]),
                age,
            ];
            row.extend(parts());
            row.push(if obj.kind == Kind::ReplicaSet {
                selector(&spec["selector"])
            } else {
                labels(&spec["selector"])
            });
            row
        }
        Kind::DaemonSet => {
            let mut row = vec![name];
            for field in [
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "numberReady",
                "updatedNumberScheduled",
                "numberAvailable",
            ] {
                row.push(int(status.get(field)));
            }
            row.push(labels(&template["spec"]["nodeSelector"]));
            row.push(age);
            row.extend(parts());
            row.push(selector(&spec["selector"]));
            row
        }
        Kind::Service => net::service(obj, age),
        Kind::Endpoints => vec![name, net::endpoints(&obj.value["subsets"]), age],
        Kind::EndpointSlice => net::slice(obj, age),
        Kind::PersistentVolumeClaim => {
            let bound = !spec["volumeName"].is_empty();
            let shown = |s: String| if bound { s } else { String::new() };
            vec![
                name,
                terminating_or(obj, status["phase"].str()),
                spec["volumeName"].str().to_owned(),
                shown(status["capacity"]["storage"].as_str().unwrap_or("0").to_owned()),
                shown(modes(&status["accessModes"])),
                class_of(obj),
                spec["volumeAttributesClassName"].as_str().unwrap_or("<unset>").to_owned(),
                age,
                spec["volumeMode"].as_str().unwrap_or("<unset>").to_owned(),
            ]
        }
        Kind::PersistentVolume => {
            let claim = &spec["claimRef"];
            let claim = if claim.is_null() {
                String::new()
            } else {
                format!("{}/{}", claim["namespace"].str(), claim["name"].str())
            };
            vec![
                name,
                spec["capacity"]["storage"].str().to_owned(),
                modes(&spec["accessModes"]),
                spec["persistentVolumeReclaimPolicy"].str().to_owned(),
                terminating_or(obj, status["phase"].str()),
                claim,
                class_of(obj),
                spec["volumeAttributesClassName"].as_str().unwrap_or("<unset>").to_owned(),
                status["reason"].str().to_owned(),
                age,
                spec["volumeMode"].as_str().unwrap_or("<unset>").to_owned(),
            ]
        }
        Kind::StorageClass => {
            let default = [
                "storageclass.kubernetes.io/is-default-class",
                "storageclass.beta.kubernetes.io/is-default-class",
            ]
            .iter()
            .any(|a| obj.annotation(a) == Some("true"));
            vec![
                if default { format!("{name} (default)") } else { name },
                obj.value["provisioner"].str().to_owned(),
                obj.value["reclaimPolicy"].str().to_owned(),
                obj.value["volumeBindingMode"].str().to_owned(),
                obj.value["allowVolumeExpansion"].is_true().to_string(),
                age,
            ]
        }
        Kind::VolumeAttachment => vec![
            name,
            spec["attacher"].str().to_owned(),
            spec["source"]["persistentVolumeName"].str().to_owned(),
            spec["nodeName"].str().to_owned(),
            status["attached"].is_true().to_string(),
            age,
        ],
        Kind::Node => {
            let info = &status["nodeInfo"];
            let arch = info["architecture"].str();
            let kernel = info["kernelVersion"].str();
            vec![
                name,
                node_status(obj),
                roles(obj),
                age,
                info["kubeletVersion"].str().to_owned(),
                address(obj, "InternalIP"),
                address(obj, "ExternalIP"),
                info["osImage"].str().to_owned(),
                format!("{kernel} ({arch})"),
                info["containerRuntimeVersion"].str().to_owned(),
            ]
        }
        Kind::Namespace => vec![name, terminating_or(obj, status["phase"].str()), age],
        Kind::ControllerRevision => {
            let owner = obj.controller_ref().map_or_else(
                || "<none>".to_owned(),
                |r| match Kind::from_owner(r["apiVersion"].str(), r["kind"].str()) {
                    Some(kind) => format!("{}/{}", kind.printed(), r["name"].str()),
                    None => format!("{}/{}", r["kind"].str().to_lowercase(), r["name"].str()),
                },
            );
            vec![name, owner, int(&obj.value["revision"]), age]
        }
        Kind::PodDisruptionBudget => vec![
            name,
            int_or_text(&spec["minAvailable"]),
            int_or_text(&spec["maxUnavailable"]),
            int(&status["disruptionsAllowed"]),
            age,
        ],
        Kind::ConfigMap => {
            let n = obj.value["data"].len() + obj.value["binaryData"].len();
            vec![name, n.to_string(), age]
        }
        Kind::Secret => {
            let kind = obj.value["type"].str().to_owned();
            vec![name, kind, obj.value["data"].len().to_string(), age]
        }
        Kind::Event => return event(obj, now),
        Kind::Job => batch::job(obj, age, now),
        Kind::CronJob => batch::cron_job(obj, age, now),
        Kind::Ingress => net::ingress(obj, age),
        Kind::IngressClass => {
            let p = &spec["parameters"];
            let group = p["apiGroup"].as_str().map_or_else(String::new, |g| format!(".{g}"));
            let parameters = if p.is_null() {
                "<none>".into()
            } else {
                format!("{}{group}/{}", p["kind"].str(), p["name"].str())
            };
            vec![name, spec["controller"].str().to_owned(), parameters, age]
        }
        Kind::HorizontalPodAutoscaler => {
            let target = &spec["scaleTargetRef"];
            vec![
                name,
                format!("{}/{}", target["kind"].str(), target["name"].str()),
                scale::targets(obj),
                spec["minReplicas"].as_int().unwrap_or(1).to_string(),
                int(&spec["maxReplicas"]),
                int(&status["currentReplicas"]),
                age,
            ]
        }
        Kind::NetworkPolicy => vec![name, selector(&spec["podSelector"]), age],
        Kind::PriorityClass => vec![
            name,
            int(&obj.value["value"]),
            obj.value["globalDefault"].is_true().to_string(),
            age,
            obj.value["preemptionPolicy"].as_str().unwrap_or("PreemptLowerPriority").to_owned(),
        ],
        Kind::Role | Kind::ClusterRole | Kind::CustomResourceDefinition | Kind::LimitRange => {
            vec![name, meta["creationTimestamp"].str().to_owned()]
        }
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            let r = &obj.value["roleRef"];
            let mut row = vec![name, format!("{}/{}", r["kind"].str(), r["name"].str()), age];
            row.extend(["User", "Group", "ServiceAccount"].map(|k| subjects(obj, k)));
            row
        }
        Kind::Lease => vec![name, spec["holderIdentity"].str().to_owned(), age],
        Kind::ResourceQuota => {
            let (mut requests, mut limits) = (Vec::new(), Vec::new());
            for (resource, hard) in obj.status()["hard"].pairs() {
                let used = obj.status()["used"][resource.as_str()].as_str().unwrap_or("0");
                let cell = format!("{resource}: {used}/{}", hard.str());
                if resource.starts_with("limits.") {
                    limits.push(cell);
                } else {
                    requests.push(cell);
                }
            }
            vec![name, requests.join(", "), limits.join(", "), age]
        }
        Kind::PodTemplate => {
            let template = &obj.value["template"];
            let (names, images) = (containers(template, "name"), containers(template, "image"));
            vec![name, names, images, labels(&template["metadata"]["labels"])]
        }
        Kind::RuntimeClass => vec![name, obj.value["handler"].str().to_owned(), age],
        Kind::CSIDriver => {
            let flag = |field: &str, unset| spec[field].as_bool().unwrap_or(unset).to_string();
            let tokens = &spec["tokenRequests"];
            let audiences = joined(tokens.items().iter().map(|t| t["audience"].str()));
            vec![
                name,
                flag("attachRequired", true),
                flag("podInfoOnMount", false),
                flag("storageCapacity", false),
                if tokens.is_null() { "<unset>".into() } else { audiences },
                flag("requiresRepublish", false),
                or_none(&joined(spec["volumeLifecycleModes"].items().iter().map(Value::str))),
                age,
            ]
        }
        Kind::CSINode => vec![name, spec["drivers"].len().to_string(), age],
        _ => vec![name, age],
    };
    for cell in &mut row {
        *cell = super::one_line(cell);
    }
    row
}

/// Those of one kind that a binding is about.
fn subjects(obj: &Obj, kind: &str) -> String {
    let all = obj.value["subjects"].items().iter().filter(|s| s["kind"].str() == kind);
    let names: Vec<String> = all
        .map(|s| match kind {
            "ServiceAccount" => format!("{}/{}", s["namespace"].str(), s["name"].str()),
            _ => s["name"].str().to_owned(),
        })
        .collect();
    names.join(", ")
}

pub(super) fn title(b: bool) -> String {
    if b { "True".into() } else { "False".into() }
}

/// Storage class of a claim or a volume; the old annotation goes first.
pub fn class_of(obj: &Obj) -> String {
    match obj.annotation("volume.beta.kubernetes.io/storage-class") {
        Some(class) => class.to_owned(),
        None => obj.spec()["storageClassName"].str().to_owned(),
    }
}

fn event(obj: &Obj, now: u64) -> Vec<String> {
    let e = &obj.value;
    let first = if e["firstTimestamp"].is_null() { &e["eventTime"] } else { &e["firstTimestamp"] };
    let mut last = if e["lastTimestamp"].is_null() { first } else { &e["lastTimestamp"] };
    let mut count = e["count"].int_or(1).max(1);
    if !e["series"].is_null() {
        last = &e["series"]["lastObservedTime"];
        count = e["series"]["count"].int_or(1);
    }
    let about = &e["involvedObject"];
    let object = if about["name"].is_empty() {
        about["kind"].str().to_lowercase()
    } else {
        format!("{}/{}", about["kind"].str().to_lowercase(), about["name"].str())
    };
    let component = match e["source"]["component"].str() {
        "" => e["reportingComponent"].str(),
        c => c,
    };
    let host = match e["source"]["host"].str() {
        "" => e["reportingInstance"].str(),
        h => h,
    };
    let source =
        if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") };
    vec![
        ago(last, now),
        e["type"].str().to_owned(),
        e["reason"].str().to_owned(),
        object,
        about["fieldPath"].str().to_owned(),
        source,
        super::one_line(e["message"].str().trim()),
        ago(first, now),
        count.to_string(),
        e["metadata"]["name"].str().to_owned(),
    ]
}
