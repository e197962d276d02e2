//! The STATUS, READY and RESTARTS columns of pods (behaviour/pod-lifecycle.md 2).

use crate::api::object::condition;
use crate::api::time;
use crate::value::Value;

/// What a row of `kubectl get pods` says of a pod's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodState {
    /// `1/1`.
    pub ready: String,
    /// `Running`, `Terminating`, `Init:0/1`, …
    pub status: String,
    /// `3 (45s ago)`.
    pub restarts: String,
}

fn sidecar(c: &Value) -> bool {
    c["restartPolicy"].str() == "Always"
}

fn ended(state: &Value, prefix: &str) -> String {
    let t = &state["terminated"];
    match t["reason"].str() {
        "" if t["signal"].int_or(0) != 0 => format!("{prefix}Signal:{}", t["signal"].int_or(0)),
        "" => format!("{prefix}ExitCode:{}", t["exitCode"].int_or(0)),
        reason => format!("{prefix}{reason}"),
    }
}

/// Computes the columns; `now` in microseconds.
pub fn state(pod: &Value, now: u64) -> PodState {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let init = spec["initContainers"].items();
    let mut total = spec["containers"].len();
    total += init.iter().filter(|c| sidecar(c)).count();
    let mut text = match status["reason"].str() {
        "" => status["phase"].str().to_owned(),
        reason => reason.to_owned(),
    };
    if condition(pod, "PodScheduled")["reason"].str() == "SchedulingGated" {
        text = "SchedulingGated".into();
    }
    let (mut ready, mut restarts, mut last) = (0, 0, None);
    let (mut side_restarts, mut side_last) = (0, None);
    let mut initializing = false;
    for (i, c) in status["initContainerStatuses"].items().iter().enumerate() {
        let own = init.iter().find(|x| x["name"] == c["name"]);
        let side = own.is_some_and(sidecar);
        restarts += c["restartCount"].int_or(0);
        last = last.max(finished(c));
        if side {
            side_restarts += c["restartCount"].int_or(0);
            side_last = side_last.max(finished(c));
        }
        let s = &c["state"];
        if !s["terminated"].is_null() && s["terminated"]["exitCode"].int_or(0) == 0 {
            continue;
        }
        if side && c["started"].is_true() {
            ready += i64::from(c["ready"].is_true());
            continue;
        }
        text = if s["terminated"].is_null() {
            match s["waiting"]["reason"].str() {
                "" | "PodInitializing" => format!("Init:{i}/{}", init.len()),
                reason => format!("Init:{reason}"),
            }
        } else {
            ended(s, "Init:")
        };
        initializing = true;
        break;
    }
    if !initializing || condition(pod, "Initialized")["status"].str() == "True" {
        (restarts, last) = (side_restarts, side_last);
        let mut running = false;
        let mut error = None;
        for c in status["containerStatuses"].items().iter().rev() {
            restarts += c["restartCount"].int_or(0);
            last = last.max(finished(c));
            let s = &c["state"];
            if !s["waiting"]["reason"].is_empty() {
                s["waiting"]["reason"].str().clone_into(&mut text);
            } else if !s["terminated"].is_null() {
                text = ended(s, "");
                if s["terminated"]["exitCode"].int_or(0) != 0 {
                    error = Some(text.clone());
                }
            } else if c["ready"].is_true() && !s["running"].is_null() {
                running = true;
                ready += 1;
            }
        }
        if text == "Completed" && running {
            text = if condition(pod, "Ready")["status"].str() == "True" {
                "Running".into()
            } else {
                error.unwrap_or_else(|| "NotReady".into())
            };
        }
    }
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        if status["reason"].str() == "NodeLost" {
            text = "Unknown".into();
        } else if !matches!(status["phase"].str(), "Succeeded" | "Failed") {
            text = "Terminating".into();
        }
    }
    let restarts = match last {
        Some(at) if restarts > 0 => {
            format!("{restarts} ({} ago)", time::human(now.saturating_sub(at)))
        }
        _ => restarts.to_string(),
    };
    PodState { ready: format!("{ready}/{total}"), status: text, restarts }
}

/// When the container's last run ended.
fn finished(c: &Value) -> Option<u64> {
    time::parse(c["lastState"]["terminated"]["finishedAt"].str())
}
