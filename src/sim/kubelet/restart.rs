//! How containers end and start again (behaviour/pod-lifecycle.md 5).

use super::run::{Container, Exit, HOOK_ERROR, Phase, RUN_ERROR, Restart, Stage};
use super::start::{next, turn};
use super::{deadline, event, hooks, later, number, stop, write_status};
use crate::api::Obj;
use crate::api::time::{SECOND, seconds};
use crate::apiserver::events::EventType::{Normal, Warning};
use crate::config::Latency;
use crate::storage::fs;
use crate::value::{Str, Value, text};
use crate::workload;
use crate::world::World;

/// Longest back-off of restarts, seconds.
const MAX_BACKOFF: u64 = 300;

pub(super) fn same_life(w: &World, uid: &Str, n: u64) -> Option<usize> {
    let i = (n & 0xff) as usize;
    let life = n << 8 >> 16;
    w.kubelet.pod(uid).filter(|r| r.containers.get(i).is_some_and(|c| c.life == life)).map(|_| i)
}

/// A process that ends by itself does so.
pub(super) fn exit_due(w: &mut World, uid: &Str, pod: &Obj, n: u64) {
    if let Some(i) = same_life(w, uid, n) {
        ended(w, uid, pod, i, (n >> 56) as i64);
    }
}

/// The main process of the i-th container has ended.
pub(super) fn ended(w: &mut World, uid: &Str, pod: &Obj, i: usize, code: i64) {
    let now = w.now;
    let said = last_words(w, uid, pod, i, code);
    let done = w.kubelet.edit(uid, |r| {
        let c = &mut r.containers[i];
        let Phase::Running(since) = c.phase else { return None };
        if c.before.take().is_some() {
            r.busy = false;
        }
        let failed = c.failed.take();
        let (reason, why) = match &failed {
            Some((RUN_ERROR, why)) => ("StartError", why.clone()),
            _ if code == 0 => ("Completed", said),
            _ => ("Error", said),
        };
        let before = c.last.as_ref().map_or(0, |e| e.finished);
        let due = before + c.backoff.map_or(0, |(seconds, _)| seconds * SECOND);
        c.phase = Phase::Ended(Exit {
            code,
            reason,
            message: why,
            started: Some(since),
            finished: now,
            id: c.id.clone(),
        });
        if r.stage != Stage::Containers {
            return None;
        }
        let c = &r.containers[i];
        let again = c.sidecar
            || c.changed
            || match r.restart {
                Restart::Always => !c.init || code != 0,
                Restart::OnFailure => code != 0,
                Restart::Never => false,
            };
        let later_on = c.restarts > 1;
        let killed = c.stopping && due <= now && failed.is_none();
        if let Some((waiting, why)) = failed.filter(|_| again) {
            waits(&mut r.containers[i], waiting, why);
        }
        Some((again, number(r, i), later_on, killed))
    });
    hooks::cut_off(w, uid, pod, i);
    let Some(Some((shall, n, later_on, killed))) = done else { return };
    if shall && killed && w.config.latency == Latency::Realistic {
        // what the kubelet stops for a restart it starts in the same breath
        again(w, uid, pod, i);
        return;
    }
    if shall {
        let relist = if w.config.latency == Latency::Realistic { SECOND } else { 0 };
        later(w, uid, "kubelet.restart", n, relist, later_on);
    } else {
        finish(w, uid, pod);
    }
    next(w, uid, pod);
}

/// The termination message of a container that ends: what it wrote to the file for it, or, after
/// a failure and if that is wanted, the end of its log.
fn last_words(w: &World, uid: &Str, pod: &Obj, i: usize, code: i64) -> Str {
    /// Most bytes of the file, and of the log.
    const FILE: usize = 4096;
    const LOG: usize = 2048;
    /// Most lines of the log.
    const LINES: usize = 80;
    let tail = |s: &str, most: usize| -> Str {
        let from = (s.len().saturating_sub(most)..=s.len()).find(|i| s.is_char_boundary(*i));
        text(s.get(from.unwrap_or(0)..).unwrap_or(""))
    };
    let Some(run) = w.kubelet.pod(uid) else { return Str::default() };
    let spec = run.spec(&pod.value, i);
    let (key, name) = (&run.key, run.containers[i].name.as_str());
    let file = fs::read(w, key, name, spec["terminationMessagePath"].str()).unwrap_or_default();
    let falls_back = spec["terminationMessagePolicy"].str() == "FallbackToLogsOnError";
    if !file.is_empty() || code == 0 || !falls_back {
        return tail(&file, FILE);
    }
    let lines = workload::logs(w, key, name, false).unwrap_or_default();
    let last = lines.iter().skip(lines.len().saturating_sub(LINES));
    tail(&last.map(|l| format!("{}\n", l.text)).collect::<String>(), LOG)
}

/// Are all containers done for good? Then so is the pod.
fn finish(w: &mut World, uid: &Str, pod: &Obj) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let failed_init = run.restart == Restart::Never
        && run.containers[..run.inits].iter().any(|c| c.exit().is_some_and(|e| e.code != 0));
    let mains = &run.containers[run.inits..];
    let over = mains.iter().all(|c| {
        c.exit().is_some_and(|e| match run.restart {
            Restart::Always => false,
            Restart::OnFailure => e.code == 0,
            Restart::Never => true,
        }) && !c.pending
    });
    if !failed_init && !over {
        return;
    }
    for i in 0..run.inits {
        if run.containers[i].running() {
            let message = format!("Stopping container {}", run.containers[i].name);
            event(w, &run, pod, Some(i), Normal, "Killing", message);
        }
    }
    drop(run);
    let now = w.now;
    w.kubelet.edit(uid, |r| {
        r.stage = Stage::Finished;
        for c in &mut r.containers[..r.inits] {
            if let Phase::Running(since) = c.phase {
                let (id, started) = (c.id.clone(), Some(since));
                let (code, reason, message) = (0, "Completed", Str::default());
                c.phase = Phase::Ended(Exit { code, reason, message, started, finished: now, id });
            }
        }
    });
    write_status(w, uid, "kubelet.finished");
}

/// The kubelet finds a container that has ended and shall run: at once, or after a back-off.
pub(super) fn restart(w: &mut World, uid: &Str, pod: &Obj, n: u64) {
    let Some(i) = same_life(w, uid, n) else { return };
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let c = &run.containers[i];
    let exit = match c.phase {
        Phase::Waiting(HOOK_ERROR | RUN_ERROR, _) => c.last.as_ref(),
        _ => c.exit(),
    };
    let Some(exit) = exit.filter(|_| run.stage == Stage::Containers) else { return };
    let due = c.backoff.map_or(0, |(seconds, _)| exit.finished + seconds * SECOND);
    if due <= w.now {
        again(w, uid, pod, i);
        return;
    }
    let (seconds, _) = c.backoff.unwrap_or_default();
    let (name, pod_name, ns) = (&c.name, &run.key.name, &run.key.ns);
    let message = format!(
        "back-off {} restarting failed container={name} pod={pod_name}_{ns}({uid})",
        super::start::duration(seconds * 1000)
    );
    let text = format!("Back-off restarting failed container {name} in pod {pod_name}_{ns}({uid})");
    event(w, &run, pod, Some(i), Warning, "BackOff", text);
    drop(run);
    w.kubelet.edit(uid, |r| waits(&mut r.containers[i], "CrashLoopBackOff", message.into()));
    later(w, uid, "kubelet.backoff", n, due - w.now, true);
    write_status(w, uid, "kubelet.crash-back-off");
}

/// A container that has ended waits to be started again.
fn waits(c: &mut Container, reason: &'static str, message: Str) {
    let waiting = Phase::Waiting(reason, message);
    if let Phase::Ended(exit) = std::mem::replace(&mut c.phase, waiting) {
        c.last = Some(exit);
    }
}

/// The back-off is over.
pub(super) fn backoff_over(w: &mut World, uid: &Str, pod: &Obj, n: u64) {
    if let Some(i) = same_life(w, uid, n) {
        again(w, uid, pod, i);
    }
}

/// Starts a container again.
fn again(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    let now = w.now;
    // another image has started it already
    let started = |c: &Container| c.pending || matches!(c.phase, Phase::Running(_));
    if w.kubelet.pods.get(uid).is_none_or(|r| r.containers.get(i).is_none_or(started)) {
        return;
    }
    w.kubelet.edit(uid, |r| {
        let c = &mut r.containers[i];
        let finished = c.exit().or(c.last.as_ref()).map_or(now, |e| e.finished);
        c.backoff = Some(match c.backoff {
            // ten minutes without an end: from the start again
            Some((_, since)) if finished.saturating_sub(since) > 2 * MAX_BACKOFF * SECOND => {
                (10, now)
            }
            Some((seconds, _)) => ((2 * seconds).min(MAX_BACKOFF), now),
            None => (10, now),
        });
        c.restarts += 1;
        c.pending = true;
    });
    next(w, uid, pod);
}

/// The pod's spec or annotations changed: another image restarts its container.
pub(super) fn respec(w: &mut World, uid: &Str, pod: &Obj) {
    let unready = super::run::unready(&pod.value);
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    if run.unready != unready {
        w.kubelet.edit(uid, |r| r.unready = unready);
        if run.stage == Stage::Containers {
            write_status(w, uid, "kubelet.ready");
        }
    }
    deadline::watch(w, uid, pod);
    let mut killed = Vec::new();
    for (i, c) in run.containers.iter().enumerate() {
        let image: Value = run.spec(&pod.value, i)["image"].clone();
        if image.str().is_empty() || image.str() == c.image.as_str() {
            continue;
        }
        if c.running() {
            let message = format!("Container {} definition changed, will be restarted", c.name);
            event(w, &run, pod, Some(i), Normal, "Killing", message);
            killed.push(i);
        }
        w.kubelet.edit(uid, |r| {
            let c = &mut r.containers[i];
            c.image = image.to_str();
            c.changed = c.running();
            c.pulls = 0;
            if matches!(c.phase, Phase::Waiting(..)) && r.stage == Stage::Containers && !r.busy {
                r.containers[i].pending = true;
            }
        });
    }
    drop(run);
    for i in killed {
        stop_container(w, uid, pod, i, None);
    }
    next_if_pending(w, uid, pod);
}

pub(super) fn next_if_pending(w: &mut World, uid: &Str, pod: &Obj) {
    if w.kubelet.pod(uid).is_some_and(|r| r.stage == Stage::Containers && turn(r).is_some()) {
        next(w, uid, pod);
    }
}

/// Stops one container for a restart that needs no back-off.
pub(super) fn stop_container(w: &mut World, uid: &Str, pod: &Obj, i: usize, grace: Option<i64>) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let own = pod.spec()["terminationGracePeriodSeconds"].int_or(30);
    let grace = seconds(grace.unwrap_or(own));
    let (after, code) = stop::container_end(w, &run, &pod.value, i, grace);
    let n = number(&run, i) | (code as u64 & 0xff) << 56;
    let endless = run.containers[i].restarts > 0;
    drop(run);
    w.kubelet.edit(uid, |r| r.containers[i].stopping = true);
    hooks::before_stop(w, uid, pod, i);
    later(w, uid, "kubelet.exit", n, after, endless);
}
