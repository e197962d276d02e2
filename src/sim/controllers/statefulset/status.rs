//! Predicates on pods and the counters of `status` (sections 3 and 8).

use crate::api::time::seconds;
use crate::api::{Obj, Object, Phase};
use crate::controllers::statefulset::identity::Set;
use crate::controllers::statefulset::revision::Revisions;
use crate::value;
use crate::value::Value;

/// Running and Ready; a terminating pod may still be.
pub(super) fn running_and_ready(pod: &Object) -> bool {
    let facts = pod.pod();
    facts.phase == Phase::Running && facts.ready
}

/// Ready for `minReadySeconds`; the phase is not looked at.
pub(super) fn available(set: &Set<'_>, pod: &Object, now: u64) -> bool {
    let facts = pod.pod();
    facts.ready && (set.min_ready == 0 || available_at(set, pod) <= now)
}

/// When a ready pod becomes available, microseconds.
pub(super) fn available_at(set: &Set<'_>, pod: &Object) -> u64 {
    pod.pod().ready_since() + seconds(set.min_ready)
}

/// Not available, or on its way out.
pub(super) fn unavailable(set: &Set<'_>, pod: &Object, now: u64) -> bool {
    pod.pod().terminating || !available(set, pod, now)
}

/// Failed or Succeeded: it will not run again.
pub(super) fn finished(pod: &Object) -> bool {
    matches!(pod.pod().phase, Phase::Failed | Phase::Succeeded)
}

/// Counters over the claimed pods.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) replicas: i64,
    pub(super) ready: i64,
    pub(super) available: i64,
    pub(super) current: i64,
    pub(super) updated: i64,
}

impl Counts {
    pub(super) fn add(&mut self, set: &Set<'_>, pod: &Obj, revisions: &Revisions, now: u64) {
        let facts = pod.pod();
        self.replicas += 1;
        if running_and_ready(pod) {
            self.ready += 1;
            self.available += i64::from(available(set, pod, now));
        }
        if !facts.terminating {
            self.current += i64::from(facts.revision == revisions.current.name);
            self.updated += i64::from(facts.revision == revisions.update.name);
        }
    }
}

/// `status` after the pass.
pub(super) fn object(set: &Set<'_>, mut counts: Counts, revisions: &Revisions) -> Value {
    let mut current = revisions.current.name.clone();
    let update = revisions.update.name.clone();
    let rolling = set.strategy() != "OnDelete";
    let complete = counts.updated == counts.replicas
        && counts.ready == counts.replicas
        && counts.replicas == set.replicas;
    if rolling && complete {
        current.clone_from(&update);
        counts.current = counts.updated;
    }
    let mut status = value!({
        "availableReplicas": (counts.available),
        "collisionCount": (revisions.collisions),
        "currentRevision": current,
        "observedGeneration": (set.obj.meta()["generation"].int_or(0)),
        "replicas": (counts.replicas),
        "updateRevision": update
    });
    for (key, n) in [
        ("currentReplicas", counts.current),
        ("readyReplicas", counts.ready),
        ("updatedReplicas", counts.updated),
    ] {
        if n != 0 {
            status.set(key, n);
        }
    }
    status
}
