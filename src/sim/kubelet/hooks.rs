//! Life-cycle hooks: what runs after a container has started and before it is stopped
//! (behaviour/pod-lifecycle.md 1, 3).
//!
//! # Divergence from real Kubernetes
//! When a preStop hook is over is told by its text ([`workload::hook_time`]), not by its script.

use super::run::{HOOK_ERROR, PodRun, Stage};
use super::{event, later, number, probes, restart, scripts, stop};
use crate::api::Obj;
use crate::api::time::{SECOND, seconds};
use crate::apiserver::events::EventType::{Normal, Warning};
use crate::value::{Str, Value};
use crate::workload::{self, Script};
use crate::world::World;

/// The container has started: so does its postStart hook. Until that is over the kubelet does
/// nothing else for the pod.
pub(super) fn begin(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let spec = run.spec(&pod.value, i);
    let hook = &spec["lifecycle"]["postStart"];
    let n = number(&run, i);
    if let Some(script) = Script::of_hook(w, pod, spec, hook) {
        return scripts::hook(w, uid, pod, n, script, false);
    }
    if let Some(why) = refused(w, &run, pod, spec, hook) {
        return failed(w, uid, pod, i, why);
    }
    let time = workload::hook_time(hook);
    let endless = run.containers[i].restarts > 0 || time > scripts::LONG;
    later(w, uid, "kubelet.hook", n, time, endless);
}

/// Why a hook fails at once: nobody answers over HTTP, or its program is not there.
fn refused(w: &World, run: &PodRun, pod: &Obj, spec: &Value, hook: &Value) -> Option<Str> {
    let (http, command) = (&hook["httpGet"], hook["exec"]["command"].items());
    let (what, why) = if let Some(program) = command.first() {
        let program = program.str();
        if !workload::lacks_program(w, pod, spec, program) {
            return None;
        }
        let words: Vec<&str> = command.iter().map(Value::str).collect();
        let why = format!(
            "rpc error: code = Unknown desc = failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: {program:?}: executable file not found in $PATH"
        );
        (format!("Exec lifecycle hook ([{}])", words.join(" ")), why)
    } else if !http.is_null() && http["host"].is_empty() {
        let port = workload::port_number(pod, Some(spec), &http["port"])?;
        if workload::listener(w, &run.key, port).is_some() {
            return None;
        }
        let (ip, path) = (&run.ip, http["path"].as_str().unwrap_or("/"));
        let scheme = if http["scheme"].str() == "HTTPS" { "https" } else { "http" };
        let why = format!(
            "Get \"{scheme}://{ip}:{port}{path}\": dial tcp {ip}:{port}: connect: connection refused"
        );
        (format!("HTTP lifecycle hook ({path})"), why)
    } else {
        return None;
    };
    Some(complaint(run, spec, &what, &format!("{why}, message: \"\"")).into())
}

/// What a container that waits says of its hook.
fn complaint(run: &PodRun, spec: &Value, what: &str, why: &str) -> String {
    let (name, pod, ns, uid) = (spec["name"].str(), &run.key.name, &run.key.ns, &run.uid);
    format!("{what} for Container {name:?} in Pod \"{pod}_{ns}({uid})\" failed - error: {why}")
}

/// A hook that is no script is over.
pub(super) fn due(w: &mut World, uid: &Str, pod: &Obj, n: u64) {
    if let Some(i) = restart::same_life(w, uid, n) {
        over(w, uid, pod, i);
    }
}

/// The postStart hook has done its work: the pod goes on.
fn over(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    let goes_on = w.kubelet.edit(uid, |r| {
        let waited = r.containers[i].before.take().is_some();
        if waited {
            r.busy = false;
        }
        waited && r.stage == Stage::Containers
    });
    if goes_on == Some(true) {
        probes::begin(w, uid, pod, i);
        super::start::next(w, uid, pod);
    }
}

/// The script of a hook has ended with that code, having printed that.
pub(super) fn ended(
    w: &mut World,
    uid: &Str,
    pod: &Obj,
    i: usize,
    before_stop: bool,
    (code, said): (i32, &str),
) {
    if before_stop {
        if code != 0 {
            complain(w, uid, pod, i);
        }
        return;
    }
    if code == 0 {
        return over(w, uid, pod, i);
    }
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let spec = run.spec(&pod.value, i);
    let command = spec["lifecycle"]["postStart"]["exec"]["command"].items();
    let command = command.iter().map(Value::str).collect::<Vec<_>>().join(" ");
    let why = format!("command '{command}' exited with {code}: {said}, message: {said:?}");
    let why = complaint(&run, spec, &format!("Exec lifecycle hook ([{command}])"), &why);
    failed(w, uid, pod, i, why.into());
}

/// The postStart hook has failed: its container is stopped.
fn failed(w: &mut World, uid: &Str, pod: &Obj, i: usize, why: Str) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let c = &run.containers[i];
    if c.before.is_none() || run.stage != Stage::Containers {
        return;
    }
    event(w, &run, pod, Some(i), Warning, "FailedPostStartHook", "PostStartHook failed");
    event(w, &run, pod, Some(i), Normal, "Killing", "FailedPostStartHook");
    let grace = seconds(pod.spec()["terminationGracePeriodSeconds"].int_or(30));
    let (after, code) = stop::container_end(w, &run, &pod.value, i, grace);
    let (n, endless) = (number(&run, i) | (code as u64 & 0xff) << 56, c.restarts > 0);
    drop(run);
    w.kubelet.edit(uid, |r| {
        let c = &mut r.containers[i];
        c.stopping = true;
        c.failed = Some((HOOK_ERROR, why));
    });
    before_stop(w, uid, pod, i);
    later(w, uid, "kubelet.exit", n, after.max(SECOND / 10), endless);
}

/// The container is being stopped: its preStop hook runs.
pub(super) fn before_stop(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let spec = run.spec(&pod.value, i);
    let hook = &spec["lifecycle"]["preStop"];
    if hook.is_null() {
        return;
    }
    if let Some(script) = Script::of_hook(w, pod, spec, hook) {
        scripts::hook(w, uid, pod, number(&run, i), script, true);
    } else if refused(w, &run, pod, spec, hook).is_some() {
        complain(w, uid, pod, i);
    }
}

/// The container has ended: a preStop hook that still runs ends with it.
pub(super) fn cut_off(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    let Some(run) = w.kubelet.pods.get(uid) else { return };
    let n = number(run, i);
    if scripts::drop_hook(w, uid, n) {
        complain(w, uid, pod, i);
    }
}

fn complain(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    event(w, &run, pod, Some(i), Warning, "FailedPreStopHook", "PreStopHook failed");
}
