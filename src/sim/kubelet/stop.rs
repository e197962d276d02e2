//! Graceful termination (behaviour/pod-lifecycle.md 3).

use super::run::{Exit, Phase, PodRun, Stage};
use super::{event, hooks, later, recording, write_status};
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
        begin(w, uid, &run, pod);
    }
    let after = stop_time(w, &run, pod);
    later(w, uid, "kubelet.stopped", 0, after, false);
}

/// The containers are told to stop.
fn begin(w: &mut World, uid: &Str, run: &PodRun, pod: &Obj) {
    announce(w, run, pod);
    w.kubelet.edit(uid, |r| r.stage = Stage::Stopping);
    for i in 0..run.containers.len() {
        if run.containers[i].running() && !recording(w) {
            hooks::before_stop(w, uid, pod, i);
        }
    }
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
    let own = pod.spec()["terminationGracePeriodSeconds"].int_or(30);
    seconds(pod.meta()["deletionGracePeriodSeconds"].int_or(own))
}

/// How long the i-th container needs to stop, and its exit code then.
pub(super) fn container_end(
    w: &World,
    run: &PodRun,
    pod: &Value,
    i: usize,
    grace: u64,
) -> (u64, i64) {
    let spec = run.spec(pod, i);
    // a hook that takes longer is abandoned
    let hook = workload::hook_time(&spec["lifecycle"]["preStop"]).min(grace);
    // at least two seconds between SIGTERM and SIGKILL, whatever the hook took
    let limit = grace.max(hook + 2 * SECOND);
    let after = hook + w.delay(Delay::Stop, &[&run.uid, &run.containers[i].name]);
    match workload::process(spec).term {
        Term::Obeys(code) if after <= limit => (after, code),
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
    // what nobody deleted stays
    let stays = run.overdue && !pod.terminating();
    if recording(w) && !stays {
        w.kubelet.edit(uid, |r| r.stage = Stage::Stopped);
        gone(w, uid, &run.key);
        return;
    }
    let grace = grace(&pod);
    let codes: Vec<i64> =
        (0..run.containers.len()).map(|i| container_end(w, &run, &pod.value, i, grace).1).collect();
    for i in 0..run.containers.len() {
        hooks::cut_off(w, uid, &pod, i);
    }
    drop(run);
    let now = w.now;
    w.kubelet.edit(uid, |r| {
        let initialized = r.initialized();
        r.stage = if stays { Stage::Finished } else { Stage::Stopped };
        for (c, code) in r.containers.iter_mut().zip(codes) {
            c.before = None;
            match &c.phase {
                Phase::Running(since) => {
                    let reason = if code == 0 { "Completed" } else { "Error" };
                    c.phase = Phase::Ended(Exit {
                        code,
                        reason,
                        message: Str::default(),
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
                            message: Str::Lit(
                                "The container could not be located when the pod was terminated",
                            ),
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
    if stays {
        return;
    }
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
