//! Scripts of containers and hooks ([`crate::workload::Script`]) from one look to the next.

use super::restart::{ended, same_life};
use super::{hooks, later, number};
use crate::api::Obj;
use crate::api::time::{MS, SECOND};
use crate::queue::Comp;
use crate::value::Str;
use crate::workload::{self, Script};
use crate::world::World;

/// Bit of a timer's number that tells a hook's script from the container's own.
const HOOK: u64 = 1 << 56;
/// Bit that tells the hook before the end from that after the start.
const BEFORE_STOP: u64 = 1 << 57;
/// The shortest life of an init container.
const SHORT: u64 = 200 * MS;
/// Scripts that wait longer do not keep `settle` waiting.
pub(super) const LONG: u64 = 60 * SECOND;

/// A container has started: so does its script. Gives true if the end of the script is the end
/// of the container: of an init container, and of one that `waits`.
pub(super) fn begin(w: &mut World, uid: &Str, pod: &Obj, i: usize, waits: bool) -> bool {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return false };
    let spec = run.spec(&pod.value, i);
    let n = number(&run, i);
    let init = run.containers[i].init && !run.containers[i].sidecar;
    if spec["command"].is_empty() && spec["args"].is_empty() {
        return false;
    }
    let Some(script) = Script::of_container(w, pod, spec, init) else { return false };
    w.kubelet.scripts.insert((uid.clone(), n), script);
    if init || waits {
        w.kubelet.turns.insert((uid.clone(), n), 0);
    }
    go_on(w, uid, pod, n);
    init || waits
}

/// A script that has more than a repetition before it, whatever its next look is for.
const STIRRED: u64 = u64::MAX;

/// A Service has changed, for which scripts may wait in a loop: their next turns are more than
/// repetitions.
pub(super) fn stir(w: &mut World) {
    if w.kubelet.turns.is_empty() {
        return;
    }
    for ((uid, n), due) in w.kubelet.turns.clone() {
        if (1..STIRRED).contains(&due) {
            later(w, &uid, "kubelet.script", n, due.saturating_sub(w.now), false);
        }
    }
    w.kubelet.turns.values_mut().for_each(|due| *due = STIRRED);
}

/// The script of a hook of the container with that number begins.
pub(super) fn hook(w: &mut World, uid: &Str, pod: &Obj, n: u64, script: Script, before_stop: bool) {
    let n = n | HOOK | if before_stop { BEFORE_STOP } else { 0 };
    w.kubelet.scripts.insert((uid.clone(), n), script);
    go_on(w, uid, pod, n);
}

/// Ends the hook that runs before the end of a container. False if there is none.
pub(super) fn drop_hook(w: &mut World, uid: &Str, n: u64) -> bool {
    w.kubelet.scripts.remove(&(uid.clone(), n | HOOK | BEFORE_STOP)).is_some()
}

/// Looks at a script.
pub(super) fn go_on(w: &mut World, uid: &Str, pod: &Obj, n: u64) {
    let id = (uid.clone(), n);
    let Some(mut script) = w.kubelet.scripts.remove(&id) else { return };
    let Some(i) = same_life(w, uid, n) else {
        w.kubelet.turns.remove(&id);
        return;
    };
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let c = &run.containers[i];
    let super::run::Phase::Running(since) = c.phase else { return };
    // what a program asked for when it was started counts too
    let code = w.acting(Comp::Workload, "workload.script", |w| script.poll(w, &run.key, &c.name));
    let wakes = std::mem::take(&mut w.kubelet.wakes);
    let decides = w.kubelet.turns.contains_key(&id);
    let again = c.restarts > 0;
    // what has gone on for so long is taken for a repetition
    let long = decides && w.now - since > LONG;
    match code {
        Some(code) if decides => {
            w.kubelet.turns.remove(&id);
            let code = i64::from(code);
            if w.now > since {
                ended(w, uid, pod, i, code);
            } else {
                let n = n | (code as u64 & 0xff) << 56;
                later(w, uid, "kubelet.exit", n, SHORT, again);
            }
        }
        Some(code) if n & HOOK != 0 => {
            hooks::ended(w, uid, pod, i, n & BEFORE_STOP != 0, (code, script.said()));
        }
        Some(_) => {}
        None if wakes.is_empty() && !decides && n & HOOK == 0 => {}
        None if !decides && n & HOOK == 0 && w.kubelet.scripts.len() >= workload::MOST => {}
        None => {
            w.kubelet.scripts.insert(id.clone(), script);
            for (after, background) in wakes {
                // loops of main containers turn once a second at most, others ten times
                let main = !decides && n & HOOK == 0;
                let least = if main { SECOND } else { SECOND / 10 };
                let after = if background || long { after.max(least) } else { after };
                let mut background = background || after > LONG || again || long;
                if let Some(due) = w.kubelet.turns.get_mut(&id) {
                    background &= *due != STIRRED || after > LONG;
                    *due = if background { w.now + after } else { 0 };
                }
                later(w, uid, "kubelet.script", n, after, background);
            }
        }
    }
}
