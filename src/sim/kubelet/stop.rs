//! Graceful termination (behaviour/pod-lifecycle.md 3).

use super::run::{Exit, Phase, PodRun, Stage};
use super::{event, later, recording, write_status};
use crate::api::time::{SECOND, seconds};
use crate::api::{Key, Obj};
use crate::apiserver::DeleteOptions;
use crate::apiserver::events::EventType;
use crate::config::{Delay, Latency};
use crate::queue::Comp;
use crate::value::{Str, Value};
use crate::workload::{self, Term};
use crate::world::World;

/// Tells that the running containers are being stopped.
pub(super) fn announce(w: &mut World, run: &PodRun, pod: &Obj) {
    for i in run.inits..run.containers.len() {
        let c = &run.containers[i];
        if c.running() || recording(w) {
            let message = format!("Stopping container {}", c.name);
            event(w, run, pod, Some(i), EventType::Normal, "Killing", message);
        }
    }
    for i in 0..run.inits {
        let c = &run.containers[i];
        if c.running() {
            let message = format!("Stopping container {}", c.name);
            event(w, run, pod, Some(i), EventType::Normal, "Killing", message);
        }
    }
}

/// The pod is marked for deletion: stop its containers. A second call means that the grace
/// period was shortened.
pub(super) fn kill(w: &mut World, uid: &Str, pod: &Obj) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    if run.stage > Stage::Stopping {
        return;
    }
    if run.stage < Stage::Stopping {
        announce(w, &run, pod);
        let uid = uid.clone();
        w.kubelet.edit(&uid, |r| r.stage = Stage::Stopping);
    }
    let after = stop_time(w, &run, pod);
    later(w, uid, "kubelet.stopped", 0, after, false);
}

/// Microseconds until the last container has ended.
fn stop_time(w: &World, run: &PodRun, pod: &Obj) -> u64 {
    if recording(w) {
        return w.delay(Delay::Stop, &[&run.uid]);
    }
    let grace = grace(pod);
    let end = |sidecars: bool| {
        run.containers
            .iter()
            .enumerate()
            .filter(|(_, c)| c.running() && c.init == sidecars)
            .map(|(i, _)| container_end(w, run, &pod.value, i, grace).0)
            .max()
            .unwrap_or(0)
    };
    // sidecars go last
    let none = w.config.latency == Latency::Instant;
    let total = end(false) + end(true).min(grace);
    if none && total < SECOND { 0 } else { total }
}

fn grace(pod: &Obj) -> u64 {
    seconds(pod.meta()["deletionGracePeriodSeconds"].int_or(30))
}

/// How long the i-th container needs to stop, and its exit code then.
fn container_end(w: &World, run: &PodRun, pod: &Value, i: usize, grace: u64) -> (u64, i64) {
    let spec = run.spec(pod, i);
    let hook = workload::hook_time(&spec["lifecycle"]["preStop"]);
    let own = match workload::process(spec).term {
        Term::Obeys(code) => {
            let after = w.delay(Delay::Stop, &[&run.uid, &run.containers[i].name]);
            Some((hook.saturating_add(after), code))
        }
        Term::Ignores => None,
    };
    // at least two seconds between SIGTERM and SIGKILL, whatever the hook took
    let limit = if hook >= grace { grace + 2 * SECOND } else { grace };
    match own {
        Some((after, code)) if after <= limit => (after, code),
        _ => (limit, 137),
    }
}

/// All containers have ended: say so, and let the volumes go.
pub(super) fn stopped(w: &mut World, uid: &Str) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    if run.stage != Stage::Stopping {
        return;
    }
    let Some(pod) = w.store.by_key(&run.key).cloned() else { return };
    if recording(w) {
        w.kubelet.edit(uid, |r| r.stage = Stage::Stopped);
        gone(w, uid, &run.key);
        return;
    }
    let grace = grace(&pod);
    let codes: Vec<i64> =
        (0..run.containers.len()).map(|i| container_end(w, &run, &pod.value, i, grace).1).collect();
    drop(run);
    let now = w.now;
    w.kubelet.edit(uid, |r| {
        let initialized = r.initialized();
        r.stage = Stage::Stopped;
        for (c, code) in r.containers.iter_mut().zip(codes) {
            match &c.phase {
                Phase::Running(since) => {
                    let reason = if code == 0 { "Completed" } else { "Error" };
                    c.phase = Phase::Ended(Exit {
                        code,
                        reason,
                        message: "",
                        started: Some(*since),
                        finished: now,
                        id: c.id.clone(),
                    });
                }
                Phase::Waiting(..) if initialized || c.last.is_some() => {
                    // a container that is not there counts as failed
                    c.phase = Phase::Ended(match c.last.take() {
                        Some(last) => last,
                        None => Exit {
                            code: 137,
                            reason: "ContainerStatusUnknown",
                            message: "The container could not be located when the pod was terminated",
                            started: None,
                            finished: now,
                            id: Str::default(),
                        },
                    });
                }
                _ => {}
            }
        }
    });
    write_status(w, uid, "kubelet.stopped");
    crate::storage::attach::release(w, uid, &pod);
    let after = w.delay(Delay::Cleanup, &[uid]);
    later(w, uid, "kubelet.gone", 0, after, false);
}

/// The kubelet confirms: the object may go.
pub(super) fn gone(w: &mut World, uid: &Str, key: &Key) {
    if w.kubelet.pod(uid).is_some_and(|r| r.stage == Stage::Stopped) {
        let opts =
            DeleteOptions { grace: Some(0), uid: Some(uid.clone()), ..DeleteOptions::default() };
        w.acting(Comp::Kubelet, "kubelet.gone", |w| {
            // gone already, or another pod of that name: nothing to confirm
            let _ = w.delete(key, &opts);
        });
    }
}
