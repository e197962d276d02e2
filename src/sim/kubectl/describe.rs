//! What `kubectl describe` says of an object (behaviour/kubectl.md 9), in kubectl 1.36's layout.

use std::fmt::Write as _;

use crate::api::time::{human, parse};
use crate::api::{Kind, Obj};
use crate::kubectl::print::rows;
use crate::kubectl::verbs::template::{
    container, list, pairs, tabbed, time, toleration, volumes_at,
};
use crate::value::Value;
use crate::world::World;

/// Annotation that is not shown.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Aligns tab-separated cells as Go's `text/tabwriter` does with a padding of two: a column is
/// as wide as its widest cell among neighbouring lines that have that column.
pub fn align(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.lines().map(|l| l.split('\t').collect()).collect();
    let mut out = String::new();
    block(&lines, &mut Vec::new(), &mut out);
    out
}

fn block(lines: &[Vec<&str>], widths: &mut Vec<usize>, out: &mut String) {
    let column = widths.len();
    let mut at = 0;
    let mut done = 0;
    let has = |l: &Vec<&str>| column + 1 < l.len();
    while at < lines.len() {
        if !has(&lines[at]) {
            at += 1;
            continue;
        }
        print(&lines[done..at], widths, out);
        let end = at + lines[at..].iter().take_while(|l| has(l)).count();
        let widest = lines[at..end].iter().map(|l| l[column].chars().count()).max().unwrap_or(0);
        widths.push(widest + 2);
        block(&lines[at..end], widths, out);
        widths.pop();
        (at, done) = (end, end);
    }
    print(&lines[done..], widths, out);
}

fn print(lines: &[Vec<&str>], widths: &[usize], out: &mut String) {
    for line in lines {
        for (i, cell) in line.iter().enumerate() {
            match widths.get(i) {
                Some(w) if i + 1 < line.len() => {
                    let _ = write!(out, "{cell:w$}");
                }
                _ => out.push_str(cell),
            }
        }
        out.push('\n');
    }
}

/// The whole text about an object.
pub fn describe(w: &World, obj: &Obj, events: bool) -> String {
    let mut out = String::new();
    match obj.kind {
        Kind::Pod => pod(w, &mut out, obj),
        Kind::StatefulSet => statefulset(w, &mut out, obj),
        Kind::Deployment => deployment(w, &mut out, obj),
        Kind::ReplicaSet => replicaset(w, &mut out, obj),
        Kind::Service => service(w, &mut out, obj),
        Kind::PersistentVolumeClaim => claim(w, &mut out, obj),
        Kind::PersistentVolume => volume(&mut out, obj),
        Kind::StorageClass => class(&mut out, obj),
        Kind::Node => node(w, &mut out, obj),
        Kind::PodDisruptionBudget => budget(&mut out, obj),
        Kind::EndpointSlice => slice(&mut out, obj),
        Kind::ConfigMap | Kind::Secret => data(&mut out, obj),
        Kind::Namespace => {
            head(&mut out, obj);
            line(&mut out, "Status", obj.status()["phase"].str());
            out.push_str("\nNo resource quota.\n\nNo LimitRange resource.\n");
            return align(&out);
        }
        _ => {
            head(&mut out, obj);
            line(&mut out, "API Version", obj.value["apiVersion"].str());
            line(&mut out, "Kind", obj.value["kind"].str());
            generic(&mut out, obj);
        }
    }
    let quiet = matches!(obj.kind, Kind::ConfigMap | Kind::Secret);
    if events && !quiet {
        event_lines(w, &mut out, obj);
    }
    align(&out)
}

fn line(out: &mut String, label: &str, value: &str) {
    let _ = writeln!(out, "{label}:\t{value}");
}

fn shown_labels(out: &mut String, label: &str, map: &Value) {
    list(out, "", label, &pairs(map, "="));
}

fn annotations(out: &mut String, map: &Value) {
    let shown: Vec<String> = map
        .pairs()
        .filter(|(k, _)| k.as_str() != LAST_APPLIED)
        .map(|(k, v)| format!("{k}: {}", v.str()))
        .collect();
    list(out, "", "Annotations", &shown);
}

fn head(out: &mut String, obj: &Obj) {
    line(out, "Name", &obj.name());
    if obj.kind.info().namespaced {
        line(out, "Namespace", &obj.ns());
    }
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
}

fn finalizers(out: &mut String, obj: &Obj) {
    let names: Vec<&str> = obj.meta()["finalizers"].items().iter().map(Value::str).collect();
    line(out, "Finalizers", &format!("[{}]", names.join(" ")));
}

/// How many pods of a controller are in which phase.
fn pods_status(w: &World, obj: &Obj) -> String {
    let (ns, uid) = (obj.ns(), obj.uid());
    let mut counts = [0; 4];
    for p in w.store.list(Kind::Pod, &ns).filter(|p| p.controller_uid() == uid.as_str()) {
        let i = match p.status()["phase"].str() {
            "Running" => 0,
            "Succeeded" => 2,
            "Failed" => 3,
            _ => 1,
        };
        counts[i] += 1;
    }
    let [running, waiting, succeeded, failed] = counts;
    format!("{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed")
}

fn statefulset(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    line(out, "CreationTimestamp", &time(&obj.meta()["creationTimestamp"]));
    line(out, "Selector", &rows::selector(&spec["selector"]));
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    let (desired, total) = (spec["replicas"].int_or(1), status["replicas"].int_or(0));
    line(out, "Replicas", &format!("{desired} desired | {total} total"));
    line(out, "Update Strategy", spec["updateStrategy"]["type"].str());
    if let Some(p) = spec["updateStrategy"]["rollingUpdate"]["partition"].as_int() {
        line(out, "  Partition", &p.to_string());
    }
    line(out, "Pods Status", &pods_status(w, obj));
    out.push_str(&tabbed(&spec["template"]));
    if spec["volumeClaimTemplates"].is_empty() {
        line(out, "Volume Claims", "<none>");
        return;
    }
    out.push_str("Volume Claims:\n");
    for t in spec["volumeClaimTemplates"].items() {
        line(out, "  Name", t["metadata"]["name"].str());
        line(out, "  StorageClass", t["spec"]["storageClassName"].str());
        list(out, "  ", "Labels", &pairs(&t["metadata"]["labels"], "="));
        list(out, "  ", "Annotations", &pairs(&t["metadata"]["annotations"], "="));
        line(out, "  Capacity", t["spec"]["resources"]["requests"]["storage"].str());
        let modes: Vec<&str> = t["spec"]["accessModes"].items().iter().map(Value::str).collect();
        line(out, "  Access Modes", &format!("[{}]", modes.join(" ")));
    }
}

fn deployment(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    line(out, "CreationTimestamp", &time(&obj.meta()["creationTimestamp"]));
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    line(out, "Selector", &rows::selector(&spec["selector"]));
    let n = |v: &Value| v.int_or(0);
    let replicas = format!(
        "{} desired | {} updated | {} total | {} available | {} unavailable",
        n(&spec["replicas"]),
        n(&status["updatedReplicas"]),
        n(&status["replicas"]),
        n(&status["availableReplicas"]),
        n(&status["unavailableReplicas"])
    );
    line(out, "Replicas", &replicas);
    line(out, "StrategyType", spec["strategy"]["type"].str());
    line(out, "MinReadySeconds", &n(&spec["minReadySeconds"]).to_string());
    let rolling = &spec["strategy"]["rollingUpdate"];
    if !rolling.is_null() {
        let part = |v: &Value| match v {
            Value::Int(i) => i.to_string(),
            v => v.str().to_owned(),
        };
        let text = format!(
            "{} max unavailable, {} max surge",
            part(&rolling["maxUnavailable"]),
            part(&rolling["maxSurge"])
        );
        line(out, "RollingUpdateStrategy", &text);
    }
    out.push_str(&tabbed(&spec["template"]));
    if !status["conditions"].is_empty() {
        out.push_str("Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------\n");
        for c in status["conditions"].items() {
            let _ = writeln!(
                out,
                "  {} \t{}\t{}",
                c["type"].str(),
                c["status"].str(),
                c["reason"].str()
            );
        }
    }
    let (ns, uid) = (obj.ns(), obj.uid());
    let mut sets: Vec<&Obj> = w
        .store
        .list(Kind::ReplicaSet, &ns)
        .filter(|r| r.controller_uid() == uid.as_str())
        .collect();
    let revision = |r: &Obj| {
        r.annotation("deployment.kubernetes.io/revision")
            .and_then(|n| n.parse::<i64>().ok())
            .unwrap_or(0)
    };
    sets.sort_by_key(|r| revision(r));
    let text = |r: &&Obj| {
        format!(
            "{} ({}/{} replicas created)",
            r.name(),
            r.status()["replicas"].int_or(0),
            r.spec()["replicas"].int_or(0)
        )
    };
    let newest = sets.pop();
    let old: Vec<String> = sets.iter().map(text).collect();
    line(
        out,
        "OldReplicaSets",
        if old.is_empty() { "<none>".to_owned() } else { old.join(", ") }.as_str(),
    );
    line(out, "NewReplicaSet", &newest.as_ref().map_or_else(|| "<none>".to_owned(), text));
}

fn replicaset(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    line(out, "Selector", &rows::selector(&spec["selector"]));
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    controlled_by(out, obj);
    let (current, desired) = (status["replicas"].int_or(0), spec["replicas"].int_or(0));
    line(out, "Replicas", &format!("{current} current / {desired} desired"));
    line(out, "Pods Status", &pods_status(w, obj));
    out.push_str(&tabbed(&spec["template"]));
}

fn controlled_by(out: &mut String, obj: &Obj) {
    if let Some(r) = obj.controller_ref() {
        line(out, "Controlled By", &format!("{}/{}", r["kind"].str(), r["name"].str()));
    }
}

fn pod(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    line(out, "Priority", &spec["priority"].int_or(0).to_string());
    if !spec["serviceAccountName"].is_empty() {
        line(out, "Service Account", spec["serviceAccountName"].str());
    }
    let node = spec["nodeName"].str();
    if node.is_empty() {
        line(out, "Node", "<none>");
    } else {
        line(out, "Node", &format!("{node}/{}", status["hostIP"].str()));
    }
    if !status["startTime"].is_null() {
        line(out, "Start Time", &time(&status["startTime"]));
    }
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    if obj.terminating() && !matches!(status["phase"].str(), "Succeeded" | "Failed") {
        let due = parse(obj.meta()["deletionTimestamp"].str()).unwrap_or(w.now);
        line(out, "Status", &format!("Terminating (lasts {})", human(w.now.saturating_sub(due))));
        let grace = obj.meta()["deletionGracePeriodSeconds"].int_or(0);
        line(out, "Termination Grace Period", &format!("{grace}s"));
    } else {
        line(out, "Status", status["phase"].str());
    }
    for (field, label) in [("reason", "Reason"), ("message", "Message")] {
        if !status[field].is_empty() {
            line(out, label, status[field].str());
        }
    }
    line(out, "IP", status["podIP"].str());
    if status["podIPs"].is_empty() {
        line(out, "IPs", "<none>");
    } else {
        out.push_str("IPs:\n");
        for ip in status["podIPs"].items() {
            line(out, "  IP", ip["ip"].str());
        }
    }
    controlled_by(out, obj);
    for (field, statuses, label) in [
        ("initContainers", "initContainerStatuses", "Init Containers"),
        ("containers", "containerStatuses", "Containers"),
    ] {
        if spec[field].is_empty() {
            continue;
        }
        let _ = writeln!(out, "{label}:");
        for c in spec[field].items() {
            let none = Value::map();
            let own = status[statuses].items().iter().find(|s| s["name"] == c["name"]);
            container(out, "  ", c, if node.is_empty() { None } else { own.or(Some(&none)) });
        }
    }
    if !status["conditions"].is_empty() {
        out.push_str("Conditions:\n  Type\tStatus\n");
        for c in status["conditions"].items() {
            let _ = writeln!(out, "  {} \t{} ", c["type"].str(), c["status"].str());
        }
    }
    volumes_at(out, "", "  ", &spec["volumes"]);
    line(out, "QoS Class", status["qosClass"].str());
    list(out, "", "Node-Selectors", &pairs(&spec["nodeSelector"], "="));
    let tolerations: Vec<String> = spec["tolerations"].items().iter().map(toleration).collect();
    list(out, "", "Tolerations", &tolerations);
}

fn service(w: &World, out: &mut String, obj: &Obj) {
    let spec = obj.spec();
    head(out, obj);
    line(out, "Selector", &rows::labels(&spec["selector"]));
    line(out, "Type", spec["type"].str());
    let families: Vec<&str> = spec["ipFamilies"].items().iter().map(Value::str).collect();
    line(out, "IP Family Policy", spec["ipFamilyPolicy"].str());
    line(
        out,
        "IP Families",
        if families.is_empty() { "<none>".to_owned() } else { families.join(",") }.as_str(),
    );
    line(out, "IP", spec["clusterIP"].str());
    let ips: Vec<&str> = spec["clusterIPs"].items().iter().map(Value::str).collect();
    line(out, "IPs", if ips.is_empty() { "<none>".to_owned() } else { ips.join(",") }.as_str());
    if !spec["externalName"].is_empty() {
        line(out, "External Name", spec["externalName"].str());
    }
    for p in spec["ports"].items() {
        let name = p["name"].as_str().filter(|n| !n.is_empty()).unwrap_or("<unset>");
        let protocol = p["protocol"].str();
        let _ = writeln!(out, "Port:\t{name}\t{}/{protocol}", p["port"].int_or(0));
        let target = match &p["targetPort"] {
            Value::Int(n) => n.to_string(),
            v => v.str().to_owned(),
        };
        line(out, "TargetPort", &format!("{target}/{protocol}"));
        if let Some(n) = p["nodePort"].as_int().filter(|n| *n != 0) {
            let _ = writeln!(out, "NodePort:\t{name}\t{n}/{protocol}");
        }
        line(out, "Endpoints", &endpoints(w, obj, p));
    }
    line(out, "Session Affinity", spec["sessionAffinity"].str());
    if !spec["externalTrafficPolicy"].is_empty() {
        line(out, "External Traffic Policy", spec["externalTrafficPolicy"].str());
    }
    if !spec["internalTrafficPolicy"].is_empty() {
        line(out, "Internal Traffic Policy", spec["internalTrafficPolicy"].str());
    }
}

/// Ready addresses behind a Service's port.
fn endpoints(w: &World, svc: &Obj, port: &Value) -> String {
    let all: Vec<String> = crate::net::dns::endpoints(w, &svc.name(), &svc.ns())
        .iter()
        .filter(|e| e.ready)
        .filter_map(|e| {
            let p = e.ports.items().iter().find(|p| p["name"].str() == port["name"].str())?;
            Some(format!("{}:{}", e.ip, p["port"].int_or(0)))
        })
        .collect();
    match all.len() {
        0 => String::new(),
        1..=3 => all.join(","),
        n => format!("{} + {} more...", all[..3].join(","), n - 3),
    }
}

fn claim(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    line(out, "StorageClass", &rows::class_of(obj));
    if obj.terminating() {
        let due = parse(obj.meta()["deletionTimestamp"].str()).unwrap_or(w.now);
        line(out, "Status", &format!("Terminating (lasts {})", human(w.now.saturating_sub(due))));
    } else {
        line(out, "Status", status["phase"].str());
    }
    line(out, "Volume", spec["volumeName"].str());
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    finalizers(out, obj);
    let bound = !spec["volumeName"].is_empty();
    line(out, "Capacity", if bound { status["capacity"]["storage"].str() } else { "" });
    line(
        out,
        "Access Modes",
        if bound { rows::modes(&status["accessModes"]) } else { String::new() }.as_str(),
    );
    line(out, "VolumeMode", spec["volumeMode"].str());
    let (ns, name) = (obj.ns(), obj.name());
    let users: Vec<String> = w
        .store
        .list(Kind::Pod, &ns)
        .filter(|p| {
            p.spec()["volumes"]
                .items()
                .iter()
                .any(|v| v["persistentVolumeClaim"]["claimName"].str() == name.as_str())
        })
        .map(|p| p.name().to_string())
        .collect();
    list(out, "", "Used By", &users);
    if !status["conditions"].is_empty() {
        out.push_str("Conditions:\n  Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage\n  ----\t------\t-----------------\t------------------\t------\t-------\n");
        for c in status["conditions"].items() {
            let _ = writeln!(
                out,
                "  {} \t{} \t{}\t{}\t{}\t{}",
                c["type"].str(),
                c["status"].str(),
                time(&c["lastProbeTime"]),
                time(&c["lastTransitionTime"]),
                c["reason"].str(),
                c["message"].str()
            );
        }
    }
}

fn volume(out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    finalizers(out, obj);
    line(out, "StorageClass", &rows::class_of(obj));
    line(out, "Status", if obj.terminating() { "Terminating" } else { status["phase"].str() });
    let r = &spec["claimRef"];
    let claim = if r.is_null() {
        String::new()
    } else {
        format!("{}/{}", r["namespace"].str(), r["name"].str())
    };
    line(out, "Claim", &claim);
    line(out, "Reclaim Policy", spec["persistentVolumeReclaimPolicy"].str());
    line(out, "Access Modes", &rows::modes(&spec["accessModes"]));
    line(out, "VolumeMode", spec["volumeMode"].str());
    line(out, "Capacity", spec["capacity"]["storage"].str());
    let terms = spec["nodeAffinity"]["required"]["nodeSelectorTerms"].items();
    if terms.is_empty() {
        line(out, "Node Affinity", "<none>");
    } else {
        out.push_str("Node Affinity:\n  Required Terms:\n");
        for (i, t) in terms.iter().enumerate() {
            let expressions: Vec<String> = t["matchExpressions"]
                .items()
                .iter()
                .map(|e| {
                    let values: Vec<&str> = e["values"].items().iter().map(Value::str).collect();
                    format!(
                        "{} {} [{}]",
                        e["key"].str(),
                        e["operator"].str().to_lowercase(),
                        values.join(", ")
                    )
                })
                .collect();
            let _ = writeln!(out, "    Term {i}:\t{}", expressions.join(", "));
        }
    }
    line(out, "Message", status["message"].str());
    out.push_str("Source:\n");
    if !spec["hostPath"].is_null() {
        line(out, "    Type", "HostPath (bare host directory volume)");
        line(out, "    Path", spec["hostPath"]["path"].str());
        line(out, "    HostPathType", spec["hostPath"]["type"].str());
    } else if !spec["csi"].is_null() {
        let c = &spec["csi"];
        line(out, "    Type", "CSI (a Container Storage Interface (CSI) volume source)");
        line(out, "    Driver", c["driver"].str());
        line(out, "    FSType", c["fsType"].str());
        line(out, "    VolumeHandle", c["volumeHandle"].str());
        line(out, "    ReadOnly", &c["readOnly"].is_true().to_string());
        list(out, "    ", "VolumeAttributes", &pairs(&c["volumeAttributes"], "="));
    } else if !spec["local"].is_null() {
        line(
            out,
            "    Type",
            "LocalVolume (a persistent volume backed by local storage on a node)",
        );
        line(out, "    Path", spec["local"]["path"].str());
    } else if !spec["nfs"].is_null() {
        line(out, "    Type", "NFS (an NFS mount that lasts the lifetime of a pod)");
        line(out, "    Server", spec["nfs"]["server"].str());
        line(out, "    Path", spec["nfs"]["path"].str());
        line(out, "    ReadOnly", &spec["nfs"]["readOnly"].is_true().to_string());
    } else {
        out.push_str("    <unknown>\n");
    }
}

fn class(out: &mut String, obj: &Obj) {
    let v = &obj.value;
    let default = obj.annotation("storageclass.kubernetes.io/is-default-class") == Some("true");
    line(out, "Name", &obj.name());
    line(out, "IsDefaultClass", if default { "Yes" } else { "No" });
    let notes: Vec<String> = pairs(&obj.meta()["annotations"], "=");
    line(
        out,
        "Annotations",
        if notes.is_empty() { "<none>".to_owned() } else { notes.join(",") }.as_str(),
    );
    line(out, "Provisioner", v["provisioner"].str());
    line(out, "Parameters", &rows::labels(&v["parameters"]));
    let expansion = match v["allowVolumeExpansion"].as_bool() {
        None => "<unset>",
        Some(true) => "True",
        Some(false) => "False",
    };
    line(out, "AllowVolumeExpansion", expansion);
    let options: Vec<&str> = v["mountOptions"].items().iter().map(Value::str).collect();
    if options.is_empty() {
        out.push_str("MountOptions:\t<none>\n");
    } else {
        line(out, "MountOptions", &options.join("\n\t"));
    }
    line(out, "ReclaimPolicy", v["reclaimPolicy"].str());
    line(out, "VolumeBindingMode", v["volumeBindingMode"].str());
}

fn node(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Roles", &rows::roles(obj));
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    line(out, "CreationTimestamp", &time(&obj.meta()["creationTimestamp"]));
    let taints: Vec<String> = spec["taints"]
        .items()
        .iter()
        .map(|t| {
            let value = if t["value"].is_empty() {
                String::new()
            } else {
                format!("={}", t["value"].str())
            };
            format!("{}{value}:{}", t["key"].str(), t["effect"].str())
        })
        .collect();
    list(out, "", "Taints", &taints);
    line(out, "Unschedulable", &spec["unschedulable"].is_true().to_string());
    out.push_str("Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n  ----\t------\t-----------------\t------------------\t------\t-------\n");
    for c in status["conditions"].items() {
        let _ = writeln!(
            out,
            "  {} \t{} \t{} \t{} \t{} \t{}",
            c["type"].str(),
            c["status"].str(),
            time(&c["lastHeartbeatTime"]),
            time(&c["lastTransitionTime"]),
            c["reason"].str(),
            c["message"].str()
        );
    }
    out.push_str("Addresses:\n");
    for a in status["addresses"].items() {
        line(out, &format!("  {}", a["type"].str()), a["address"].str());
    }
    for (field, label) in [("capacity", "Capacity"), ("allocatable", "Allocatable")] {
        let _ = writeln!(out, "{label}:");
        for (k, v) in status[field].pairs() {
            line(out, &format!("  {k}"), v.str());
        }
    }
    out.push_str("System Info:\n");
    for (field, label) in [
        ("kernelVersion", "Kernel Version"),
        ("osImage", "OS Image"),
        ("operatingSystem", "Operating System"),
        ("architecture", "Architecture"),
        ("containerRuntimeVersion", "Container Runtime Version"),
        ("kubeletVersion", "Kubelet Version"),
    ] {
        line(out, &format!("  {label}"), status["nodeInfo"][field].str());
    }
    line(out, "PodCIDR", spec["podCIDR"].str());
    let name = obj.name();
    let pods: Vec<&Obj> = w
        .store
        .all(Kind::Pod)
        .filter(|p| {
            p.pod().node == name && !matches!(p.status()["phase"].str(), "Succeeded" | "Failed")
        })
        .collect();
    let _ = writeln!(out, "Non-terminated Pods:\t({} in total)", pods.len());
    out.push_str("  Namespace\tName\tAge\n  ---------\t----\t---\n");
    for p in pods {
        let _ = writeln!(
            out,
            "  {}\t{}\t{}",
            p.ns(),
            p.name(),
            rows::ago(&p.meta()["creationTimestamp"], w.now)
        );
    }
}

fn budget(out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    for (field, label) in [("minAvailable", "Min available"), ("maxUnavailable", "Max unavailable")]
    {
        match &spec[field] {
            Value::Null => {}
            Value::Int(n) => line(out, label, &n.to_string()),
            v => line(out, label, v.str()),
        }
    }
    line(out, "Selector", &rows::selector(&spec["selector"]));
    out.push_str("Status:\n");
    for (field, label) in [
        ("disruptionsAllowed", "Allowed disruptions"),
        ("currentHealthy", "Current"),
        ("desiredHealthy", "Desired"),
        ("expectedPods", "Total"),
    ] {
        line(out, &format!("    {label}"), &status[field].int_or(0).to_string());
    }
}

fn slice(out: &mut String, obj: &Obj) {
    head(out, obj);
    line(out, "AddressType", obj.value["addressType"].str());
    if obj.value["ports"].is_empty() {
        line(out, "Ports", "<unset>");
    } else {
        out.push_str("Ports:\n  Name\tPort\tProtocol\n  ----\t----\t--------\n");
        for p in obj.value["ports"].items() {
            let name = p["name"].as_str().filter(|n| !n.is_empty()).unwrap_or("<unset>");
            let _ = writeln!(out, "  {name}\t{}\t{}", p["port"].int_or(0), p["protocol"].str());
        }
    }
    if obj.value["endpoints"].is_empty() {
        line(out, "Endpoints", "<none>");
        return;
    }
    out.push_str("Endpoints:\n");
    for e in obj.value["endpoints"].items() {
        let addresses: Vec<&str> = e["addresses"].items().iter().map(Value::str).collect();
        let _ = writeln!(out, "  - Addresses:\t{}", addresses.join(","));
        out.push_str("    Conditions:\n");
        line(out, "      Ready", &e["conditions"]["ready"].is_true().to_string());
        line(out, "    Hostname", e["hostname"].as_str().unwrap_or("<unset>"));
        let r = &e["targetRef"];
        line(out, "    TargetRef", &format!("{}/{}", r["kind"].str(), r["name"].str()));
        line(out, "    NodeName", e["nodeName"].as_str().unwrap_or("<unset>"));
        line(out, "    Zone", e["zone"].as_str().unwrap_or("<unset>"));
    }
}

fn data(out: &mut String, obj: &Obj) {
    head(out, obj);
    if obj.kind == Kind::Secret {
        let _ = writeln!(out, "\nType:\t{}", obj.value["type"].str());
    }
    out.push_str("\nData\n====\n");
    for (k, v) in obj.value["data"].pairs() {
        if obj.kind == Kind::Secret {
            // base64 has four characters for three bytes
            let text = v.str();
            let bytes = text.trim_end_matches('=').len() * 3 / 4;
            let _ = writeln!(out, "{k}:\t{bytes} bytes");
        } else {
            let _ = writeln!(out, "{k}:\n----\n{}\n", v.str());
        }
    }
    if obj.kind == Kind::ConfigMap {
        out.push_str("\nBinaryData\n====\n\n");
    }
}

/// Kinds without a layout of their own: their fields in order.
fn generic(out: &mut String, obj: &Obj) {
    let mut rest = obj.value.clone();
    for key in ["apiVersion", "kind", "metadata"] {
        rest.remove(key);
    }
    out.push_str("Metadata:\n");
    line(out, "  Creation Timestamp", obj.meta()["creationTimestamp"].str());
    line(out, "  Resource Version", obj.resource_version());
    line(out, "  UID", &obj.uid());
    fields(out, &rest, 0);
}

/// `readyReplicas` as `Ready Replicas`.
fn title(key: &str) -> String {
    let mut text = String::new();
    for (i, c) in key.chars().enumerate() {
        if i == 0 {
            text.extend(c.to_uppercase());
        } else {
            if c.is_uppercase() {
                text.push(' ');
            }
            text.push(c);
        }
    }
    text
}

fn fields(out: &mut String, v: &Value, depth: usize) {
    let pad = "  ".repeat(depth);
    for (k, v) in v.pairs() {
        let label = title(k);
        match v {
            Value::Map(_) => {
                let _ = writeln!(out, "{pad}{label}:");
                fields(out, v, depth + 1);
            }
            Value::List(l) => {
                let _ = writeln!(out, "{pad}{label}:");
                for item in l.iter() {
                    match item {
                        Value::Map(_) => fields(out, item, depth + 1),
                        other => {
                            let _ =
                                writeln!(out, "{pad}  {}", crate::kubectl::jsonpath::shown(other));
                        }
                    }
                }
            }
            other => {
                let _ = writeln!(out, "{pad}{label}:\t{}", crate::kubectl::jsonpath::shown(other));
            }
        }
    }
}

/// The events about an object, by the time of their last occurrence.
fn event_lines(w: &World, out: &mut String, obj: &Obj) {
    let uid = obj.uid();
    let mut events: Vec<(u64, &Obj)> = w
        .store
        .all(Kind::Event)
        .filter(|e| e.value["involvedObject"]["uid"].str() == uid.as_str())
        .map(|e| (last_seen(&e.value), e))
        .collect();
    if events.is_empty() {
        line(out, "Events", "<none>");
        return;
    }
    events.sort_by_key(|(at, _)| *at);
    out.push_str(
        "Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n",
    );
    for (at, e) in events {
        let v = &e.value;
        let count = match v["series"]["count"].as_int() {
            Some(n) => n,
            None => v["count"].int_or(1),
        };
        let first =
            if v["firstTimestamp"].is_null() { &v["eventTime"] } else { &v["firstTimestamp"] };
        let age = human(w.now.saturating_sub(at));
        let age = if count > 1 {
            format!("{age} (x{count} over {})", rows::ago(first, w.now))
        } else {
            age
        };
        let from = match v["source"]["component"].str() {
            "" => v["reportingComponent"].str(),
            c => c,
        };
        let field = v["involvedObject"]["fieldPath"].str();
        let message = v["message"].str().trim();
        let message =
            if field.is_empty() { message.to_owned() } else { format!("{field}: {message}") };
        let _ =
            writeln!(out, "  {}\t{}\t{age}\t{from}\t{message}", v["type"].str(), v["reason"].str());
    }
}

fn last_seen(e: &Value) -> u64 {
    let last = [&e["series"]["lastObservedTime"], &e["lastTimestamp"], &e["eventTime"]];
    last.iter().find_map(|v| v.as_str().and_then(parse)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_reach_as_far_as_their_neighbours() {
        let text = "Name:\tweb\nUpdate Strategy:\tx\nPod Template:\n  Labels:\ta\n  Containers:\n   n:\n    Image:\ti\n    Host Port:\tp\n";
        let want = "Name:             web\nUpdate Strategy:  x\nPod Template:\n  Labels:  a\n  Containers:\n   n:\n    Image:      i\n    Host Port:  p\n";
        assert_eq!(align(text), want);
    }
}
