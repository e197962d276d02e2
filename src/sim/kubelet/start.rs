//! From a pod's binding to its running containers, and restarts
//! (behaviour/pod-lifecycle.md 1, 5).

use std::rc::Rc;

use super::restart::ended;
use super::run::{Phase, PodRun, ProbeRun, RUN_ERROR, Stage};
use super::{
    deadline, event, hooks, images, later, number, probes, recording, references, scripts, status,
    write_status,
};
use crate::api::time::{MS, SECOND};
use crate::api::{Key, Kind, Obj};
use crate::apiserver::events::EventType::{Normal, Warning};
use crate::config::Delay;
use crate::value::{Str, decimal};
use crate::workload;
use crate::world::World;

/// Longest back-off of pulls, seconds.
const MAX_BACKOFF: u64 = 300;
/// A pod whose containers could not be started is looked at again after ten seconds, or half
/// as much more.
const RETRY: u64 = 12 * SECOND;

/// The kubelet sees the pod for the first time.
pub(super) fn first_sync(w: &mut World, uid: &Str, pod: &Obj) {
    let node = pod.spec()["nodeName"].str();
    let host_ip = w.store.get(Kind::Node, "", node).map(|n| {
        let addresses = n.status()["addresses"].items();
        addresses.iter().find(|a| a["type"].str() == "InternalIP").map(|a| a["address"].to_str())
    });
    let now = w.now;
    let fresh = w.kubelet.edit(uid, |r| {
        if r.stage != Stage::New {
            return false;
        }
        r.stage = Stage::Volumes;
        r.since = now;
        r.host_ip = host_ip.flatten().unwrap_or_default();
        true
    });
    if fresh == Some(true) {
        deadline::watch(w, uid, pod);
        write_status(w, uid, "kubelet.creating");
        volumes(w, uid, pod, 0);
    }
}

/// Are the pod's volumes there? If not, what it waits for is remembered.
/// `tries`: how often they could not be mounted so far, if this is the next of these tries.
pub(super) fn volumes(w: &mut World, uid: &Str, pod: &Obj, tries: u64) {
    if tries > 0 {
        w.kubelet.edit(uid, |r| r.remounts = false);
    }
    if w.kubelet.pod(uid).is_none_or(|r| r.stage != Stage::Volumes) {
        return;
    }
    if let Some(claim) = unbound_claim(w, pod) {
        wait_for(w, uid, claim);
        return;
    }
    if !recording(w) && w.config.attach && !crate::storage::attach::request(w, uid, pod) {
        if w.kubelet.edit(uid, |r| !std::mem::replace(&mut r.mounting, true)) == Some(true) {
            later(w, uid, "kubelet.mount-timeout", 0, MOUNT_TIMEOUT, true);
        }
        return;
    }
    if let Err((volume, (why, on))) = references::volumes(w, pod) {
        let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
        let message = format!("MountVolume.SetUp failed for volume \"{volume}\" : {why}");
        event(w, &run, pod, None, Warning, "FailedMount", message);
        drop(run);
        wait_for(w, uid, on);
        if w.kubelet.edit(uid, |r| !std::mem::replace(&mut r.remounts, true)) == Some(true) {
            let after = ((500 * MS) << tries.min(8)).min(MOUNT_BACKOFF);
            later(w, uid, "kubelet.wake", tries + 1, after, true);
        }
        return;
    }
    w.kubelet.edit(uid, |r| r.stage = Stage::Sandbox);
    let after = w.delay(Delay::Sandbox, &[uid]);
    later(w, uid, "kubelet.sandbox", 0, after, false);
}

/// Longest pause between tries to mount a volume; they begin with half a second and double.
const MOUNT_BACKOFF: u64 = 122 * SECOND;
/// Longest wait for volumes in one try.
const MOUNT_TIMEOUT: u64 = 123 * SECOND;

/// The kubelet gives up waiting for volumes, and begins again.
pub(super) fn mount_timeout(w: &mut World, uid: &Str, pod: &Obj) {
    let Some(run) = w.kubelet.pods.get(uid).cloned().filter(|r| r.stage == Stage::Volumes) else {
        return;
    };
    let names: Vec<&str> = pod.spec()["volumes"]
        .items()
        .iter()
        .filter(|v| crate::storage::mounts::claim_name(pod, v).is_some())
        .map(|v| v["name"].str())
        .collect();
    let message = format!(
        "Unable to attach or mount volumes: unmounted volumes=[{}], unattached volumes=[], failed to process volumes=[]: context deadline exceeded",
        names.join(" ")
    );
    event(w, &run, pod, None, Warning, "FailedMount", message);
    later(w, uid, "kubelet.mount-timeout", 0, MOUNT_TIMEOUT, true);
}

/// Notes that a pod waits for an object.
fn wait_for(w: &mut World, uid: &Str, on: Key) {
    w.kubelet.waiting.entry(on).or_default().insert(uid.clone());
    w.kubelet.edit(uid, |r| r.waits = true);
}

/// Something that the pod waits for has changed.
pub(super) fn woken(w: &mut World, uid: &Str, pod: &Obj, tries: u64) {
    let Some(run) = w.kubelet.pod(uid) else { return };
    if run.stage == Stage::Volumes {
        volumes(w, uid, pod, tries);
        return;
    }
    let held = |c: &super::run::Container| {
        matches!(c.phase, Phase::Waiting("CreateContainerConfigError", _))
    };
    let list: Vec<usize> =
        run.containers.iter().enumerate().filter(|(_, c)| held(c)).map(|(i, _)| i).collect();
    for i in list {
        retry(w, uid, pod, i);
    }
}

fn unbound_claim(w: &World, pod: &Obj) -> Option<Key> {
    for volume in pod.spec()["volumes"].items() {
        let Some(name) = crate::storage::mounts::claim_name(pod, volume) else { continue };
        let claim = Key::new(Kind::PersistentVolumeClaim, pod.ns(), name);
        let bound = w.store.by_key(&claim).is_some_and(|c| c.status()["phase"].str() == "Bound");
        if !bound {
            return Some(claim);
        }
    }
    None
}

/// Sandbox and network are there.
pub(super) fn sandbox(w: &mut World, uid: &Str, pod: &Obj) {
    if w.kubelet.pod(uid).is_none_or(|r| r.stage != Stage::Sandbox) {
        return;
    }
    let Some((node, host_ip)) = w.kubelet.pod(uid).map(|r| (r.node.clone(), r.host_ip.clone()))
    else {
        return;
    };
    let (ip, n) =
        if pod.spec()["hostNetwork"].is_true() { (host_ip, 0) } else { super::pod_ip(w, &node) };
    w.kubelet.edit(uid, |r| {
        r.ip = ip;
        r.ip_number = n;
        r.stage = Stage::Containers;
    });
    next(w, uid, pod);
}

/// What an idle kubelet does next for a pod: starts the container whose turn it is, or
/// reports how things are.
pub(super) fn next(w: &mut World, uid: &Str, pod: &Obj) {
    let Some(run) = w.kubelet.pod(uid) else { return };
    if run.busy || run.stage != Stage::Containers {
        return;
    }
    match turn(run) {
        Some(i) => {
            // the look that finds the next init container's turn reports first how things are;
            // main containers are started in one go
            if i > 0 && i <= run.inits && run.containers[i].life == 0 && !recording(w) {
                write_status(w, uid, "kubelet.status");
            }
            start(w, uid, pod, i);
        }
        None => write_status(w, uid, "kubelet.status"),
    }
}

/// The container whose turn it is to be started.
pub(super) fn turn(run: &PodRun) -> Option<usize> {
    for (i, c) in run.containers.iter().enumerate() {
        if c.init && !c.sidecar {
            if c.exit().is_some_and(|e| e.code == 0) && !c.pending {
                continue;
            }
            return c.pending.then_some(i);
        }
        if c.pending {
            return Some(i);
        }
        // a sidecar lets the next ones start once it has started itself
        if c.sidecar && !c.started() && c.life <= 1 {
            return None;
        }
    }
    None
}

fn start(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    w.kubelet.edit(uid, |r| {
        r.busy = true;
        r.containers[i].pending = false;
    });
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let spec = run.spec(&pod.value, i);
    let image = &run.containers[i].image;
    if let Some(why) = images::invalid(image) {
        let why = format!("Failed to apply default image tag {:?}: {why}", image.as_str());
        event(w, &run, pod, Some(i), Warning, "InspectFailed", why.clone());
        event(w, &run, pod, Some(i), Warning, "Failed", "Error: InvalidImageName");
        return tried_in_vain(w, uid, pod, i, "InvalidImageName", why.into());
    }
    let always = images::always_pull(spec);
    let present =
        !recording(w) && w.kubelet.images.get(&run.node).is_some_and(|s| s.contains(image));
    if present && !always {
        let message = format!(
            "Container image \"{image}\" already present on machine and can be accessed by the pod"
        );
        event(w, &run, pod, Some(i), Normal, "Pulled", message);
        let after = w.delay(Delay::Start, &[uid, &run.containers[i].name]);
        later(w, uid, "kubelet.create", i as u64, after, background(&run, i));
        return;
    }
    if spec["imagePullPolicy"].str() == "Never" {
        let why = format!("Container image \"{image}\" is not present with pull policy of Never");
        event(w, &run, pod, Some(i), Warning, "ErrImageNeverPull", why.clone());
        event(w, &run, pod, Some(i), Warning, "Failed", "Error: ErrImageNeverPull");
        return tried_in_vain(w, uid, pod, i, "ErrImageNeverPull", why.into());
    }
    event(w, &run, pod, Some(i), Normal, "Pulling", format!("Pulling image \"{image}\""));
    let label = [uid.as_str(), run.containers[i].name.as_str()];
    let later_on = background(&run, i);
    if images::pull_error(image, false).is_some() {
        let after = w.delay(Delay::PullError, &label);
        later(w, uid, "kubelet.pull-failed", i as u64, after, later_on);
    } else {
        let what = if present || recording(w) { Delay::Start } else { Delay::Pull };
        let after = w.delay(what, &label);
        later(w, uid, "kubelet.pulled", i as u64 | (after / MS) << 8, after, later_on);
    }
}

/// The container cannot be started: the next regular look at the pod tries again.
fn tried_in_vain(
    w: &mut World,
    uid: &Str,
    pod: &Obj,
    i: usize,
    reason: &'static str,
    message: Str,
) {
    waits(w, uid, i, reason, message);
    later(w, uid, "kubelet.retry", i as u64, RETRY, true);
    next(w, uid, pod);
}

/// Repetitions of a failing container do not keep `settle` waiting.
fn background(run: &PodRun, i: usize) -> bool {
    let c = &run.containers[i];
    c.restarts > 1 || c.pulls > 0
}

/// Puts a container that cannot be started into a waiting state.
fn waits(w: &mut World, uid: &Str, i: usize, reason: &'static str, message: Str) {
    w.kubelet.edit(uid, |r| {
        r.busy = false;
        let c = &mut r.containers[i];
        if let Phase::Ended(exit) = std::mem::replace(&mut c.phase, Phase::Waiting(reason, message))
        {
            c.last = Some(exit);
        }
    });
}

fn is_busy(w: &World, uid: &Str) -> bool {
    w.kubelet.pod(uid).is_some_and(|r| r.busy && r.stage == Stage::Containers)
}

/// The image is there.
pub(super) fn pulled(w: &mut World, uid: &Str, pod: &Obj, i: usize, ms: u64) {
    if !is_busy(w, uid) {
        return;
    }
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let image = run.containers[i].image.clone();
    w.kubelet.images.entry(run.node.clone()).or_default().insert(image.clone());
    let size = if recording(w) { 10 } else { images::size(&image) };
    let took = duration(ms);
    let message = format!(
        "Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {size} bytes."
    );
    event(w, &run, pod, Some(i), Normal, "Pulled", message);
    if recording(w) {
        drop(run);
        create(w, uid, pod, i);
        return;
    }
    let after = w.delay(Delay::Start, &[uid, &run.containers[i].name]);
    later(w, uid, "kubelet.create", i as u64, after, background(&run, i));
}

/// `1.234s`, `300ms`, as Go prints durations.
pub(super) fn duration(ms: u64) -> String {
    if ms < 1000 {
        return format!("{ms}ms");
    }
    let fraction = format!("{:03}", ms % 1000);
    let fraction = fraction.trim_end_matches('0');
    let (m, s) = (ms / 60_000, ms / 1000 % 60);
    let dot = if fraction.is_empty() { "" } else { "." };
    if m > 0 { format!("{m}m{s}{dot}{fraction}s") } else { format!("{s}{dot}{fraction}s") }
}

/// The pull ended in an error.
pub(super) fn pull_failed(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    if !is_busy(w, uid) {
        return;
    }
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let image = run.containers[i].image.clone();
    let recorded = recording(w);
    let error = images::pull_error(&image, recorded).unwrap_or_default();
    let message = format!("Failed to pull image \"{image}\": {error}");
    event(w, &run, pod, Some(i), Warning, "Failed", message);
    if !recorded {
        event(w, &run, pod, Some(i), Warning, "Failed", "Error: ErrImagePull");
    }
    drop(run);
    waits(w, uid, i, "ErrImagePull", if recorded { "not found".into() } else { error.into() });
    let tries = w.kubelet.edit(uid, |r| {
        r.containers[i].pulls += 1;
        r.containers[i].pulls
    });
    let after = if recorded { 300 * MS } else { 2 * SECOND };
    later(w, uid, "kubelet.pull-wait", i as u64, after, tries.unwrap_or(0) > 1);
    next(w, uid, pod);
}

/// The next look finds the image in its back-off.
pub(super) fn pull_wait(w: &mut World, uid: &Str, i: usize) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let c = &run.containers[i];
    if run.stage != Stage::Containers || !matches!(c.phase, Phase::Waiting("ErrImagePull", _)) {
        return;
    }
    let Some(pod) = w.store.by_key(&run.key).cloned() else { return };
    let image = c.image.clone();
    let text = format!("Back-off pulling image \"{image}\"");
    let recorded = recording(w);
    let message = if recorded {
        text.clone()
    } else {
        let error = images::pull_error(&image, false).unwrap_or_default();
        format!("{text}: ErrImagePull: {error}")
    };
    if !recorded {
        event(w, &run, &pod, Some(i), Normal, "BackOff", text);
        event(w, &run, &pod, Some(i), Warning, "Failed", "Error: ImagePullBackOff");
        let wait = (10 << (c.pulls.max(1) - 1).min(5)).min(MAX_BACKOFF);
        later(w, uid, "kubelet.pull-retry", i as u64, (wait - 2) * SECOND, true);
    }
    drop(run);
    w.kubelet.edit(uid, |r| {
        r.containers[i].phase = Phase::Waiting("ImagePullBackOff", message.into());
    });
    write_status(w, uid, "kubelet.image-back-off");
}

/// Tries a container again that waits for its image or its configuration.
pub(super) fn retry(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    let waiting = w.kubelet.edit(uid, |r| {
        let c = &mut r.containers[i];
        let waiting = matches!(c.phase, Phase::Waiting(..)) && !c.pending;
        c.pending |= waiting;
        waiting
    });
    if waiting == Some(true) {
        next(w, uid, pod);
    }
}

/// `imageID` of an image, made once for each.
fn image_id(w: &mut World, image: &Str) -> Str {
    let known = w.kubelet.image_ids.entry(image.clone());
    known.or_insert_with(|| status::image_id(image)).clone()
}

/// Creates and starts the container.
pub(super) fn create(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    if !is_busy(w, uid) {
        return;
    }
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let spec = run.spec(&pod.value, i);
    if let Err((why, on)) = references::environment(w, pod, spec) {
        event(w, &run, pod, Some(i), Warning, "Failed", format!("Error: {why}"));
        drop(run);
        wait_for(w, uid, on);
        return tried_in_vain(w, uid, pod, i, "CreateContainerConfigError", why.into());
    }
    event(w, &run, pod, Some(i), Normal, "Created", "Container created");
    let error = workload::start_error(w, pod, spec);
    match &error {
        Some(why) => event(w, &run, pod, Some(i), Warning, "Failed", format!("Error: {why}")),
        None => event(w, &run, pod, Some(i), Normal, "Started", "Container started"),
    }
    let c = &run.containers[i];
    let process =
        if c.init && !c.sidecar { workload::init_process(spec) } else { workload::process(spec) };
    // the recordings' program knows no probes
    let probed = !recording(w);
    let startup = probed && !spec["startupProbe"].is_null();
    let readiness = probed && !spec["readinessProbe"].is_null();
    let liveness = probed && !spec["livenessProbe"].is_null();
    let fine = [!startup, true, !readiness];
    let hooked = error.is_none() && !spec["lifecycle"]["postStart"].is_null();
    let image_id = image_id(w, &c.image);
    let fails = error.is_some();
    let given = Some(Rc::new(workload::given(w, pod, spec)));
    drop(run);
    let now = w.now;
    let n = w.kubelet.edit(uid, |r| {
        r.busy = hooked;
        let c = &mut r.containers[i];
        c.image_id = image_id;
        c.given = given;
        let before = std::mem::replace(&mut c.phase, Phase::Running(now));
        if let Phase::Ended(exit) = &before {
            c.last = Some(exit.clone());
        }
        c.before = hooked.then_some(before);
        c.failed = error.map(|why| (RUN_ERROR, why.into()));
        c.life += 1;
        c.pulls = 0;
        c.stopping = false;
        c.changed = false;
        c.id = ("containerd://".to_owned()
            + &status::hex64(&[uid, &c.name, decimal(c.life).as_str()]))
            .into();
        for (probe, ok) in c.probes.iter_mut().zip(fine) {
            *probe = ProbeRun { ok, ..ProbeRun::default() };
        }
        number(r, i)
    });
    let n = n.unwrap_or(0);
    if fails {
        // what the runtime reports of a program that it could not start
        return ended(w, uid, pod, i, 128);
    }
    if hooked {
        hooks::begin(w, uid, pod, i);
    } else if startup || readiness || liveness {
        probes::begin(w, uid, pod, i);
    }
    if scripts::begin(w, uid, pod, i, process.waits) {
        next(w, uid, pod);
        return;
    }
    match process.ends {
        Some((0, code)) => ended(w, uid, pod, i, code),
        Some((after, code)) => {
            let endless = after > 60 * SECOND
                || w.kubelet.pod(uid).is_some_and(|r| r.containers[i].restarts > 0);
            let n = n | (code as u64 & 0xff) << 56;
            later(w, uid, "kubelet.exit", n, after, endless);
            next(w, uid, pod);
        }
        None => next(w, uid, pod),
    }
}
