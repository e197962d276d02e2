//! Nodes: conditions, capacity, and the pods that are there with what they ask for.

use std::fmt::Write as _;

use super::*;
use crate::api::quantity::{canonical, milli};
use crate::api::time::rfc3339;
use crate::config::Latency;

/// A node's text.
pub(super) fn node(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Roles", &rows::roles(obj));
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    line(out, "CreationTimestamp", &time(&obj.meta()["creationTimestamp"]));
    let mut taints: Vec<&Value> = spec["taints"].items().iter().collect();
    taints.sort_by_key(|t| (t["effect"].str(), t["key"].str()));
    let taints: Vec<String> = taints
        .into_iter()
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
    lease(w, out, &obj.name());
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
        ("machineID", "Machine ID"),
        ("systemUUID", "System UUID"),
        ("bootID", "Boot ID"),
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
    let all: Vec<&str> = spec["podCIDRs"].items().iter().map(Value::str).collect();
    if !all.is_empty() {
        line(out, "PodCIDRs", &all.join(","));
    }
    used(w, out, obj);
}

fn lease(w: &World, out: &mut String, name: &str) {
    // the recorded cluster had no kubelets, and so no leases
    if w.config.latency != Latency::Recording {
        let renewed = Value::from(rfc3339(w.lease_renewed(name)));
        out.push_str("Lease:\n");
        line(out, "  HolderIdentity", name);
        line(out, "  AcquireTime", "<unset>");
        return line(out, "  RenewTime", &time(&renewed));
    }
    let Some(lease) = w.store.get(Kind::Lease, "kube-node-lease", name) else {
        let why = crate::apiserver::error::Status::not_found(Kind::Lease, name);
        return line(out, "Lease", &format!("Failed to get lease: {}", why.message));
    };
    let spec = lease.spec();
    out.push_str("Lease:\n");
    let at = |v: &Value| if v.is_null() { "<unset>".to_owned() } else { time(v) };
    line(out, "  HolderIdentity", spec["holderIdentity"].as_str().unwrap_or("<unset>"));
    line(out, "  AcquireTime", &at(&spec["acquireTime"]));
    line(out, "  RenewTime", &at(&spec["renewTime"]));
}

/// What containers ask for, or may use at most, of a resource, in thousandths: init containers
/// run before the others, those that go on running count with them.
fn wanted(pod: &Obj, field: &str, resource: &str) -> i128 {
    let of = |c: &Value| milli(c["resources"][field][resource].str()).unwrap_or(0);
    let spec = pod.spec();
    let mut sidecars = 0;
    let mut start = 0;
    for c in spec["initContainers"].items() {
        if c["restartPolicy"].str() == "Always" {
            sidecars += of(c);
            start = start.max(sidecars);
        } else {
            start = start.max(sidecars + of(c));
        }
    }
    let run: i128 = spec["containers"].items().iter().map(of).sum();
    start.max(run + sidecars)
}

/// `500m (6%)`.
fn share(amount: i128, of: &str, resource: &str) -> String {
    let whole = milli(of).unwrap_or(0);
    let percent = if whole == 0 { 0 } else { amount * 100 / whole };
    // bytes are shown in the largest binary unit that leaves a whole number
    let text = match (resource, amount % (1024 * 1000)) {
        ("cpu", _) | (_, 1..) => canonical(&format!("{amount}m")),
        _ => canonical(&format!("{}Ki", amount / 1000 / 1024)),
    };
    format!("{} ({percent}%)", text.as_deref().unwrap_or("0"))
}

/// The pods of the node and what they ask for together.
fn used(w: &World, out: &mut String, obj: &Obj) {
    let name = obj.name();
    let whole = &obj.status()["allocatable"];
    let pods: Vec<&Obj> = w
        .store
        .all(Kind::Pod)
        .filter(|p| {
            p.pod().node == name && !matches!(p.status()["phase"].str(), "Succeeded" | "Failed")
        })
        .collect();
    let columns =
        [("requests", "cpu"), ("limits", "cpu"), ("requests", "memory"), ("limits", "memory")];
    let _ = writeln!(out, "Non-terminated Pods:\t({} in total)", pods.len());
    out.push_str("  Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n  ---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n");
    for p in &pods {
        let cells = columns.map(|(f, r)| share(wanted(p, f, r), whole[r].str(), r));
        let age = rows::ago(&p.meta()["creationTimestamp"], w.now);
        let _ = writeln!(out, "  {}\t{}\t\t{}\t{age}", p.ns(), p.name(), cells.join("\t"));
    }
    out.push_str("Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n  Resource\tRequests\tLimits\n  --------\t--------\t------\n");
    for r in ["cpu", "memory", "ephemeral-storage"] {
        let sum = |f: &str| pods.iter().map(|p| wanted(p, f, r)).sum::<i128>();
        let [requests, limits] = ["requests", "limits"].map(|f| share(sum(f), whole[r].str(), r));
        let _ = writeln!(out, "  {r}\t{requests}\t{limits}");
    }
}
