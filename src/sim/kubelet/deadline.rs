//! `activeDeadlineSeconds`: how long a pod may be active on its node.

use super::run::Stage;
use super::{event, later, stop};
use crate::api::Obj;
use crate::api::time::{SECOND, seconds};
use crate::apiserver::events::EventType::Normal;
use crate::value::Str;
use crate::world::World;

/// Why such a pod has failed.
pub(super) const REASON: &str = "DeadlineExceeded";
/// The same in more words.
pub(super) const MESSAGE: &str = "Pod was active on the node longer than the specified deadline";

/// The moment of its deadline is noted, if it has one.
pub(super) fn watch(w: &mut World, uid: &Str, pod: &Obj) {
    if let Some(due) = due(w, uid, pod) {
        let after = due.saturating_sub(w.now);
        // a controller replaces what has failed, without end
        let endless = after > 60 * SECOND || !pod.meta()["ownerReferences"].is_empty();
        later(w, uid, "kubelet.deadline", 0, after, endless);
    }
}

fn due(w: &World, uid: &Str, pod: &Obj) -> Option<u64> {
    let limit = pod.spec()["activeDeadlineSeconds"].as_int()?;
    w.kubelet.pod(uid).map(|r| r.since.saturating_add(seconds(limit)))
}

/// It is past the deadline, unless that was changed meanwhile.
pub(super) fn passed(w: &mut World, uid: &Str, pod: &Obj) {
    let late = due(w, uid, pod).is_some_and(|due| due <= w.now);
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    if late && run.stage < Stage::Finished {
        event(w, &run, pod, None, Normal, REASON, MESSAGE);
        drop(run);
        w.kubelet.edit(uid, |r| r.overdue = true);
        stop::kill(w, uid, pod);
    }
}
