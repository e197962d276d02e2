//! `status` of a Deployment: counters and the conditions Available and Progressing.

use crate::api::object::condition;
use crate::api::time::{SECOND, parse, rfc3339, seconds};
use crate::controllers::Action;
use crate::controllers::deployment::sets::Set;
use crate::controllers::deployment::{Pass, fence};
use crate::controllers::replicaset::FAILURE;
use crate::value;
use crate::value::{Str, Value};

impl Pass<'_> {
    /// Does the Deployment want to be told when it is stuck?
    pub(super) fn has_deadline(&self) -> bool {
        let deadline = self.d.spec()["progressDeadlineSeconds"].as_int();
        deadline.is_some_and(|d| d < i64::from(i32::MAX))
    }

    /// The condition Progressing as it stands; `Null` if there is none.
    pub(super) fn progress(&self) -> &Value {
        condition(&self.value, "Progressing")
    }

    /// Sets a condition; nothing changes if it says the same already.
    pub(super) fn set_condition(
        &mut self,
        kind: &'static str,
        status: &'static str,
        reason: &'static str,
        message: impl Into<Str>,
    ) {
        let before = condition(&self.value, kind);
        if before["status"].str() == status && before["reason"].str() == reason {
            return;
        }
        let now = rfc3339(self.w.now);
        let since = if before["status"].str() == status {
            before["lastTransitionTime"].to_str()
        } else {
            now.clone()
        };
        self.drop_condition(kind);
        let message = message.into();
        self.value.path_mut("status.conditions").list_mut().push(value!({
            "lastTransitionTime": since, "lastUpdateTime": now, "message": message,
            "reason": reason, "status": status, "type": kind
        }));
    }

    fn drop_condition(&mut self, kind: &str) {
        if self.value["status"].has("conditions") {
            let list = self.value.path_mut("status.conditions").list_mut();
            list.retain(|c| c["type"].str() != kind);
        }
    }

    /// Says that a paused Deployment is paused, and that it goes on.
    pub(super) fn note_pause(&mut self) {
        let before = self.progress()["reason"].str();
        if !self.has_deadline() || before == "ProgressDeadlineExceeded" {
            return;
        }
        let paused = self.d.spec()["paused"].is_true();
        let (reason, message) = match (paused, before == "DeploymentPaused") {
            (true, false) => ("DeploymentPaused", "Deployment is paused"),
            (false, true) => ("DeploymentResumed", "Deployment is resumed"),
            _ => return,
        };
        self.set_condition("Progressing", "Unknown", reason, message);
        self.write("deploy.pause");
    }

    /// Is everything there, up to date and available? By the status given, or the stored one.
    pub(super) fn complete(&self, status: Option<&Value>) -> bool {
        let status = status.unwrap_or(self.d.status());
        let all = |key: &str| status.get(key).int_or(0) == self.replicas;
        all("updatedReplicas")
            && all("replicas")
            && all("availableReplicas")
            && status["observedGeneration"].int_or(0) >= self.d.meta()["generation"].int_or(0)
    }

    /// Puts the counters and the condition Available into the pass's value.
    fn count(&mut self, sets: &[Set], new: Option<usize>) {
        let sum =
            |key: &str| -> i64 { sets.iter().map(|s| s.obj.status().get(key).int_or(0)).sum() };
        let available = sum("availableReplicas");
        let wanted: i64 = sets.iter().map(Set::replicas).sum();
        let updated = new.and_then(|i| sets.get(i));
        let updated = updated.map_or(0, |s| s.obj.status()["replicas"].int_or(0));
        let generation = self.d.meta()["generation"].int_or(0);
        let mut next = value!({
            "observedGeneration": generation,
            "terminatingReplicas": (sum("terminatingReplicas"))
        });
        for (key, n) in [
            ("availableReplicas", available),
            ("readyReplicas", sum("readyReplicas")),
            ("replicas", sum("replicas")),
            ("unavailableReplicas", (wanted - available).max(0)),
            ("updatedReplicas", updated),
        ] {
            if n != 0 {
                next.set(key, n);
            }
        }
        for kept in ["collisionCount", "conditions"] {
            if self.value["status"].has(kept) {
                next.set(kept, &self.value["status"][kept]);
            }
        }
        self.value.set("status", next);
        let (_, unavailable) = fence(self.d, self.replicas);
        if available >= self.replicas - unavailable {
            let message = "Deployment has minimum availability.";
            self.set_condition("Available", "True", "MinimumReplicasAvailable", message);
        } else {
            let message = "Deployment does not have minimum availability.";
            self.set_condition("Available", "False", "MinimumReplicasUnavailable", message);
        }
    }

    /// Status outside a rollout: counters alone.
    pub(super) fn write_plain_status(&mut self, sets: &[Set], new: Option<usize>) {
        let before = self.value["status"].clone();
        self.count(sets, new);
        if self.value["status"] != before {
            self.write("deploy.status");
        }
    }

    /// Status during a rollout: counters, and how it gets on.
    pub(super) fn write_rollout_status(&mut self, sets: &[Set], new: Option<usize>) {
        let before = self.value["status"].clone();
        self.count(sets, new);
        if !self.has_deadline() {
            self.drop_condition("Progressing");
        }
        let n = |s: &Value, key: &str| s.get(key).int_or(0);
        let after = self.value["status"].clone();
        let was = self.progress().clone();
        let done = n(&after, "replicas") == n(&after, "updatedReplicas")
            && was["reason"].str() == "NewReplicaSetAvailable";
        if self.has_deadline() && !done {
            let subject = match new.and_then(|i| sets.get(i)) {
                Some(set) => format!("ReplicaSet \"{}\"", set.obj.name()),
                None => format!("Deployment \"{}\"", self.d.name()),
            };
            let old = |s: &Value| n(s, "replicas") - n(s, "updatedReplicas");
            let more = |key: &str| n(&after, key) > n(&before, key);
            let progressing = more("updatedReplicas")
                || old(&after) < old(&before)
                || more("readyReplicas")
                || more("availableReplicas");
            if self.complete(Some(&after)) {
                let message = format!("{subject} has successfully progressed.");
                self.set_condition("Progressing", "True", "NewReplicaSetAvailable", message);
            } else if progressing {
                // the same reason again still moves the time of the last update
                self.drop_condition("Progressing");
                let message = format!("{subject} is progressing.");
                self.set_condition("Progressing", "True", "ReplicaSetUpdated", message);
                if was["status"].str() == "True" {
                    let list = self.value.path_mut("status.conditions").list_mut();
                    if let Some(last) = list.last_mut() {
                        last.set("lastTransitionTime", &was["lastTransitionTime"]);
                    }
                }
            } else if self.timed_out(&was) {
                let message = format!("{subject} has timed out progressing.");
                self.set_condition("Progressing", "False", "ProgressDeadlineExceeded", message);
            }
        }
        self.note_failure(sets, new);
        if self.value["status"] == before {
            self.look_again(&was);
        } else {
            self.write("deploy.status");
        }
    }

    /// Says of a set what that says: that its pods cannot be made. The new set goes first.
    fn note_failure(&mut self, sets: &[Set], new: Option<usize>) {
        let new = new.and_then(|i| sets.get(i));
        let mut told = new.into_iter().chain(sets).map(|s| condition(&s.obj.value, FAILURE));
        let Some(told) = told.find(|c| !c.is_null()) else {
            self.drop_condition(FAILURE);
            return;
        };
        let before = condition(&self.value, FAILURE);
        let same = |key: &str| before.get(key) == told.get(key);
        if same("status") && same("reason") {
            return;
        }
        let mut told = told.clone();
        told.set("lastUpdateTime", told["lastTransitionTime"].clone());
        if same("status") {
            told.set("lastTransitionTime", &before["lastTransitionTime"]);
        }
        self.drop_condition(FAILURE);
        self.value.path_mut("status.conditions").list_mut().push(told);
    }

    fn deadline(&self, progress: &Value) -> u64 {
        let from = parse(progress["lastUpdateTime"].str()).unwrap_or(0);
        from + seconds(self.d.spec()["progressDeadlineSeconds"].int_or(0))
    }

    fn timed_out(&self, progress: &Value) -> bool {
        match progress["reason"].str() {
            "" | "NewReplicaSetAvailable" => false,
            "ProgressDeadlineExceeded" => true,
            _ => self.deadline(progress) < self.w.now,
        }
    }

    /// Comes back when the deadline is over, without keeping anybody waiting for it.
    fn look_again(&mut self, progress: &Value) {
        let idle = matches!(
            progress["reason"].str(),
            "" | "NewReplicaSetAvailable" | "ProgressDeadlineExceeded"
        );
        if !self.has_deadline() || idle || self.complete(None) {
            return;
        }
        let after = self.deadline(progress).saturating_sub(self.w.now) + SECOND;
        self.plan.act("deploy.deadline", Action::Requeue(after, true));
    }
}
