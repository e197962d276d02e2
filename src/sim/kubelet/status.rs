//! The status that a kubelet writes (behaviour/pod-lifecycle.md 1, 3).

use super::deadline;
use super::run::{Container, Exit, Phase, PodRun, Restart, Stage};
use crate::api::time::{SECOND, rfc3339};
use crate::value;
use crate::value::{Short, Str, Value, text};

/// What the status depends on besides pod and containers.
pub struct Style {
    /// The recordings' program writes fewer fields than a kubelet.
    pub recording: bool,
    /// Now, microseconds.
    pub at: u64,
    /// Now, as the API shows it.
    pub now: Str,
}

impl Style {
    /// A moment as the API shows it: most are of this very second, and share its text.
    fn stamp(&self, at: u64) -> Str {
        if at / SECOND == self.at / SECOND { self.now.clone() } else { rfc3339(at) }
    }
}

/// The whole `status` of a pod.
pub fn build(run: &PodRun, pod: &Value, style: &Style) -> Value {
    let old = &pod["status"];
    let phase = phase(run);
    let list = |range: std::ops::Range<usize>| -> Value {
        range.map(|i| container(run, i, style)).collect::<Vec<_>>().into()
    };
    // in the order of the keys: each goes to the end
    let mut status = Value::with_room(11);
    status.set("conditions", conditions(run, pod, phase, style));
    status.set("containerStatuses", list(run.inits..run.containers.len()));
    status.set("hostIP", &run.host_ip);
    if !style.recording {
        status.set("hostIPs", addresses(&old["hostIPs"], &run.host_ip));
    }
    if run.inits > 0 {
        status.set("initContainerStatuses", list(0..run.inits));
    }
    if !style.recording {
        status.set("observedGeneration", &pod["metadata"]["generation"]);
    }
    status.set("phase", phase);
    let seen = matches!(phase, "Pending") && style.recording;
    if !run.ip.is_empty() && !seen {
        status.set("podIP", &run.ip);
        status.set("podIPs", addresses(&old["podIPs"], &run.ip));
    }
    status.set("qosClass", &old["qosClass"]);
    match &old["startTime"] {
        Value::Null => status.set("startTime", style.stamp(run.since)),
        t => status.set("startTime", t),
    }
    for kept in ["nominatedNodeName", "resize", "reason", "message"] {
        if old.has(kept) {
            status.set(kept, &old[kept]);
        }
    }
    if run.overdue && run.stage == Stage::Finished {
        status.set("reason", deadline::REASON);
        status.set("message", deadline::MESSAGE);
    }
    status
}

/// The list of one address; what was written before stays shared.
fn addresses(old: &Value, ip: &Str) -> Value {
    if old[0]["ip"].str() == ip.as_str() { old.clone() } else { value!([{"ip": ip}]) }
}

/// `status.phase` from the containers' states.
pub fn phase(run: &PodRun) -> &'static str {
    let mains = &run.containers[run.inits..];
    let ended = mains.iter().all(|c| c.exit().is_some());
    let failed = run.containers.iter().any(|c| !c.sidecar && c.exit().is_some_and(|e| e.code != 0));
    match run.stage {
        Stage::Stopped => return if ended && !failed { "Succeeded" } else { "Failed" },
        Stage::Finished => {
            return if failed || !ended || run.overdue { "Failed" } else { "Succeeded" };
        }
        _ => {}
    }
    let waits = |c: &Container| matches!(c.shown(), Phase::Waiting(..)) && c.last.is_none();
    if run.containers[..run.inits]
        .iter()
        .any(|c| !c.sidecar && c.exit().is_none_or(|e| e.code != 0))
        || mains.iter().any(waits)
    {
        return "Pending";
    }
    if ended && run.restart != Restart::Always && !mains.iter().any(|c| c.pending) {
        return if failed { "Failed" } else { "Succeeded" };
    }
    "Running"
}

/// Conditions that a kubelet writes; others are kept.
const OWN: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

fn conditions(run: &PodRun, pod: &Value, phase: &str, style: &Style) -> Value {
    let old = pod["status"]["conditions"].items();
    let generation = &pod["metadata"]["generation"];
    let mut list: Vec<Value> = Vec::with_capacity(5);
    let mut put = |kind: &'static str, ok: bool, reason: &'static str, message: String| {
        let status = if ok { "True" } else { "False" };
        let before = old.iter().find(|c| c["type"].str() == kind);
        let before = before.filter(|c| c["status"].str() == status);
        // most conditions of most writes are those of the write before, and stay shared
        if let Some(c) = before
            && !style.recording
            && c["observedGeneration"] == *generation
            && c["reason"].str() == reason
            && c["message"].str() == message
        {
            list.push(c.clone());
            return;
        }
        let since = match before {
            Some(c) => c["lastTransitionTime"].clone(),
            None => Value::from(&style.now),
        };
        let mut c = value!({
            "lastProbeTime": null, "lastTransitionTime": since, "status": status, "type": kind
        } + 3);
        if !style.recording {
            c.set("observedGeneration", generation);
            if !reason.is_empty() {
                c.set("reason", reason);
            }
            if !message.is_empty() {
                c.set("message", message);
            }
        }
        list.push(c);
    };
    let none = String::new;
    let over = matches!(run.stage, Stage::Stopped | Stage::Finished);
    let sandbox = style.recording || (!run.ip.is_empty() && !over);
    put("PodReadyToStartContainers", sandbox, "", none());
    let initialized = run.initialized()
        || phase == "Succeeded"
        || run.containers[run.inits..].iter().any(|c| c.life > 0);
    let pending_inits = || {
        let names: Vec<&str> = (0..run.inits)
            .filter(|i| {
                let c = &run.containers[*i];
                !(run.ready(*i) || c.sidecar && c.started())
            })
            .map(|i| run.containers[i].name.as_str())
            .collect();
        format!("containers with incomplete status: [{}]", names.join(" "))
    };
    if phase == "Succeeded" {
        put("Initialized", true, "PodCompleted", none());
    } else if initialized {
        put("Initialized", true, "", none());
    } else {
        put("Initialized", false, "ContainersNotInitialized", pending_inits());
    }
    let unready: Vec<&str> = (0..run.containers.len())
        .filter(|i| !run.containers[*i].init || run.containers[*i].sidecar)
        .filter(|i| !run.ready(*i))
        .map(|i| run.containers[i].name.as_str())
        .collect();
    let gates = readiness_gates(pod);
    let (reason, message) = match phase {
        "Succeeded" => ("PodCompleted", none()),
        "Failed" => ("PodFailed", none()),
        _ if unready.is_empty() => ("", none()),
        _ => (
            "ContainersNotReady",
            format!("containers with unready status: [{}]", unready.join(" ")),
        ),
    };
    let all = unready.is_empty() && !over;
    match gates {
        Some(why) if all => put("Ready", false, "ReadinessGatesNotReady", why),
        _ => put("Ready", all, reason, message.clone()),
    }
    put("ContainersReady", all, reason, message);
    match old.iter().find(|c| c["type"].str() == "PodScheduled") {
        Some(c) if style.recording => list.push(c.clone()),
        Some(c) => {
            let mut c = c.clone();
            if c["observedGeneration"] != *generation {
                c.set("observedGeneration", generation);
            }
            list.push(c);
        }
        None => put("PodScheduled", true, "", none()),
    }
    list.extend(old.iter().filter(|c| !OWN.contains(&c["type"].str())).cloned());
    list.into()
}

/// Why the pod's readiness gates keep it unready, if they do.
fn readiness_gates(pod: &Value) -> Option<String> {
    let gates = pod["spec"]["readinessGates"].items();
    let mut why = Vec::new();
    for gate in gates {
        let kind = gate["conditionType"].str();
        let c = crate::api::object::condition(pod, kind);
        match c["status"].str() {
            "True" => {}
            "" => why.push(format!(
                "corresponding condition of pod readiness gate {kind:?} does not exist."
            )),
            s => why.push(format!(
                "the status of pod readiness gate {kind:?} is not \"True\", but {s}"
            )),
        }
    }
    if why.is_empty() { None } else { Some(why.join(", ")) }
}

fn container(run: &PodRun, i: usize, style: &Style) -> Value {
    let c = &run.containers[i];
    let ready = run.ready(i) && !matches!(run.stage, Stage::Stopped | Stage::Finished)
        || c.init && !c.sidecar && run.ready(i);
    // in the recordings a pod that is kept unready has not started either
    let started = c.started() && !(style.recording && run.unready);
    let state = match c.shown() {
        Phase::Waiting(reason, message) => {
            let mut w = value!({"reason": (*reason)});
            if !message.is_empty() {
                w.set("message", message);
            }
            value!({"waiting": w})
        }
        Phase::Running(since) => value!({"running": {"startedAt": (style.stamp(*since))}}),
        Phase::Ended(exit) => terminated(exit),
    };
    let mut v = value!({
        "image": (&c.image),
        "imageID": "",
        "lastState": (c.last.as_ref().map_or_else(Value::map, terminated)),
        "name": (&c.name),
        "ready": ready,
        "restartCount": (i64::from(c.restarts)),
        "started": started,
        "state": state
    } + 1);
    if !style.recording && !c.id.is_empty() {
        v.set("containerID", &c.id);
        v.set("imageID", &c.image_id);
    }
    v
}

fn terminated(exit: &Exit) -> Value {
    let mut t = value!({"exitCode": (exit.code), "reason": (exit.reason)});
    if exit.reason == "StartError" {
        t.set("finishedAt", rfc3339(exit.finished));
        t.set("startedAt", "1970-01-01T00:00:00Z");
    } else if exit.started.is_some() || exit.reason != "ContainerStatusUnknown" {
        t.set("finishedAt", rfc3339(exit.finished));
        t.set("startedAt", rfc3339(exit.started.unwrap_or(exit.finished)));
    } else {
        t.set("finishedAt", Value::Null);
        t.set("startedAt", Value::Null);
    }
    if !exit.id.is_empty() {
        t.set("containerID", &exit.id);
    }
    if !exit.message.is_empty() {
        t.set("message", &exit.message);
    }
    value!({"terminated": t})
}

/// `imageID`: the repository with a digest, which is the same for the same image.
pub fn image_id(image: &str) -> Str {
    if image.contains('@') {
        return text(image);
    }
    let full = super::images::canonical(image);
    let repo = full.rsplit_once(':').map_or(full.as_str(), |(r, _)| r);
    format!("{repo}@sha256:{}", hex64(&["digest", &full])).into()
}

/// 64 hexadecimal digits that depend on nothing but the label.
pub fn hex64(label: &[&str]) -> String {
    let mut s = crate::rng::Stream::new(0, label);
    let mut text = String::with_capacity(64);
    for _ in 0..4 {
        let mut part = Short::default();
        part.number(s.next(), 16, 16);
        text.push_str(part.as_str());
    }
    text
}
