//! Pods and what makes them.

use std::fmt::Write as _;

use super::*;

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

pub(super) fn statefulset(w: &World, out: &mut String, obj: &Obj) {
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

pub(super) fn deployment(w: &World, out: &mut String, obj: &Obj) {
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
    conditions(out, status);
    let (ns, uid) = (obj.ns(), obj.uid());
    let mut sets: Vec<&Obj> = w
        .store
        .list(Kind::ReplicaSet, &ns)
        .filter(|r| r.controller_uid() == uid.as_str())
        .collect();
    sets.sort_by_key(|r| (r.meta()["creationTimestamp"].to_str(), r.name()));
    let text = |r: &&Obj| {
        format!(
            "{} ({}/{} replicas created)",
            r.name(),
            r.status()["replicas"].int_or(0),
            r.spec()["replicas"].int_or(0)
        )
    };
    // a set is the new one if it has the Deployment's template, else it is an old one
    let same = |r: &Obj| {
        let mut template = r.spec()["template"].clone();
        template.path_mut("metadata.labels").remove("pod-template-hash");
        template == spec["template"]
    };
    let newest = sets.iter().position(|r| same(r)).map(|i| sets.remove(i));
    let old: Vec<String> = sets.iter().map(text).collect();
    line(
        out,
        "OldReplicaSets",
        if old.is_empty() { "<none>".to_owned() } else { old.join(", ") }.as_str(),
    );
    line(out, "NewReplicaSet", &newest.as_ref().map_or_else(|| "<none>".to_owned(), text));
}

pub(super) fn replicaset(w: &World, out: &mut String, obj: &Obj) {
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
    conditions(out, status);
}

/// The conditions of what makes pods, with their reasons.
fn conditions(out: &mut String, status: &Value) {
    if status["conditions"].is_empty() {
        return;
    }
    out.push_str("Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------\n");
    for c in status["conditions"].items() {
        let (kind, status, reason) = (c["type"].str(), c["status"].str(), c["reason"].str());
        let _ = writeln!(out, "  {kind} \t{status}\t{reason}");
    }
}

fn controlled_by(out: &mut String, obj: &Obj) {
    if let Some(r) = obj.controller_ref() {
        line(out, "Controlled By", &format!("{}/{}", r["kind"].str(), r["name"].str()));
    }
}

pub(super) fn pod(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    line(out, "Priority", &spec["priority"].int_or(0).to_string());
    if !spec["priorityClassName"].is_empty() {
        line(out, "Priority Class Name", spec["priorityClassName"].str());
    }
    if !spec["runtimeClassName"].is_empty() {
        line(out, "Runtime Class Name", spec["runtimeClassName"].str());
    }
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
        let lasts = match due.saturating_sub(w.now) / SECOND {
            0 | 1 => human(w.now.saturating_sub(due)),
            // a duration that has not begun
            _ => "<invalid>".to_owned(),
        };
        line(out, "Status", &format!("Terminating (lasts {lasts})"));
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
    let seccomp = &spec["securityContext"]["seccompProfile"];
    if !seccomp.is_null() {
        line(out, "SeccompProfile", seccomp["type"].str());
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
    if !status["nominatedNodeName"].is_empty() {
        line(out, "NominatedNodeName", status["nominatedNodeName"].str());
    }
    for (field, statuses, label) in [
        ("initContainers", "initContainerStatuses", "Init Containers"),
        ("containers", "containerStatuses", "Containers"),
    ] {
        if spec[field].is_empty() {
            continue;
        }
        let _ = writeln!(out, "{label}:");
        for c in spec[field].items() {
            let own = status[statuses].items().iter().find(|s| s["name"] == c["name"]);
            container(out, "  ", c, own, Some(&obj.value));
        }
    }
    if !spec["readinessGates"].is_empty() {
        out.push_str("Readiness Gates:\n  Type\tStatus\n");
        for gate in spec["readinessGates"].items() {
            let kind = gate["conditionType"].str();
            let state = crate::api::object::condition(&obj.value, kind)["status"].str();
            let state = if state.is_empty() { "<none>" } else { state };
            let _ = writeln!(out, "  {kind} \t{state} ");
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
    list(out, "", "Tolerations", &tolerations(spec));
    spread(out, "", spec);
}

fn count(v: &Value) -> String {
    v.as_int().map_or_else(|| "<unset>".to_owned(), |n| n.to_string())
}

fn set(out: &mut String, label: &str, v: &Value, unit: &str) {
    if let Some(n) = v.as_int() {
        line(out, label, &format!("{n}{unit}"));
    }
}

pub(super) fn job(out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    line(out, "Selector", &rows::selector(&spec["selector"]).replace("<none>", ""));
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    if let Some(owner) = obj.controller_ref() {
        line(out, "Controlled By", &format!("{}/{}", owner["kind"].str(), owner["name"].str()));
    }
    set(out, "Parallelism", &spec["parallelism"], "");
    line(out, "Completions", &count(&spec["completions"]));
    line(out, "Completion Mode", spec["completionMode"].str());
    line(out, "Suspend", &spec["suspend"].is_true().to_string());
    set(out, "Backoff Limit", &spec["backoffLimit"], "");
    set(out, "TTL Seconds After Finished", &spec["ttlSecondsAfterFinished"], "");
    for (field, label) in [("startTime", "Start Time"), ("completionTime", "Completed At")] {
        if !status[field].is_null() {
            line(out, label, &time(&status[field]));
        }
    }
    set(out, "Active Deadline Seconds", &spec["activeDeadlineSeconds"], "s");
    let n = |field: &str| status[field].int_or(0);
    let ready = match status["ready"].as_int() {
        Some(n) => format!(" ({n} Ready)"),
        None => String::new(),
    };
    let pods = format!(
        "{} Active{ready} / {} Succeeded / {} Failed",
        n("active"),
        n("succeeded"),
        n("failed")
    );
    line(out, "Pods Statuses", &pods);
    out.push_str(&tabbed(&spec["template"]));
}

pub(super) fn cron_job(out: &mut String, obj: &Obj) {
    let spec = obj.spec();
    head(out, obj);
    line(out, "Schedule", spec["schedule"].str());
    line(out, "Concurrency Policy", spec["concurrencyPolicy"].str());
    line(out, "Suspend", if spec["suspend"].is_true() { "True" } else { "False" });
    line(out, "Time Zone", spec["timeZone"].as_str().unwrap_or("<unset>"));
    line(out, "Successful Job History Limit", &count(&spec["successfulJobsHistoryLimit"]));
    line(out, "Failed Job History Limit", &count(&spec["failedJobsHistoryLimit"]));
    let deadline = spec["startingDeadlineSeconds"].as_int();
    let deadline = deadline.map_or_else(|| "<unset>".to_owned(), |n| format!("{n}s"));
    line(out, "Starting Deadline Seconds", &deadline);
    let job = &spec["jobTemplate"]["spec"];
    let selector = if job["selector"].is_null() {
        "<unset>".to_owned()
    } else {
        rows::selector(&job["selector"])
    };
    line(out, "Selector", &selector);
    line(out, "Parallelism", &count(&job["parallelism"]));
    line(out, "Completions", &count(&job["completions"]));
    set(out, "Active Deadline Seconds", &job["activeDeadlineSeconds"], "s");
    out.push_str(&tabbed(&job["template"]));
    let last = &obj.status()["lastScheduleTime"];
    let last = if last.is_null() { "<unset>".to_owned() } else { time(last) };
    line(out, "Last Schedule Time", &last);
    let active: Vec<&str> =
        obj.status()["active"].items().iter().map(|j| j["name"].str()).collect();
    line(
        out,
        "Active Jobs",
        &if active.is_empty() { "<none>".to_owned() } else { active.join(", ") },
    );
}

pub(super) fn daemon_set(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    line(out, "Selector", &rows::selector(&spec["selector"]));
    line(out, "Node-Selector", &rows::labels(&spec["template"]["spec"]["nodeSelector"]));
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    for (field, label) in [
        ("desiredNumberScheduled", "Desired Number of Nodes Scheduled"),
        ("currentNumberScheduled", "Current Number of Nodes Scheduled"),
        ("updatedNumberScheduled", "Number of Nodes Scheduled with Up-to-date Pods"),
        ("numberAvailable", "Number of Nodes Scheduled with Available Pods"),
        ("numberMisscheduled", "Number of Nodes Misscheduled"),
    ] {
        let _ = writeln!(out, "{label}: {}", status[field].int_or(0));
    }
    line(out, "Pods Status", &pods_status(w, obj));
    out.push_str(&tabbed(&spec["template"]));
}
