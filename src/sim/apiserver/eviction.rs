//! The eviction subresource of pods: deletion that asks the PodDisruptionBudgets first
//! (behaviour/pod-lifecycle.md 8).

use crate::api::time::rfc3339;
use crate::api::{Key, Kind, Obj, Phase, selector};
use crate::apiserver::error::{Cause, Reason, Status};
use crate::apiserver::{DeleteOptions, Sub};
use crate::controllers::disruption::set_allowed_condition;
use crate::value;
use crate::value::Str;
use crate::world::World;

/// Message of every refusal that may pass.
const REFUSED: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

impl World {
    /// Evicts a pod: takes one of its budget's allowed disruptions, marks the pod, deletes it.
    ///
    /// # Errors
    /// 404; 429 if the budget allows no disruption now; 500 if the pod has several budgets.
    pub fn evict(&mut self, key: &Key, opts: &DeleteOptions) -> Result<(), Status> {
        let Some(pod) = self.store.by_key(key).cloned() else {
            return Err(Status::not_found(Kind::Pod, &key.name));
        };
        if guarded(&pod) {
            self.ask_budget(&pod, opts.dry_run)?;
        }
        if !opts.dry_run {
            let now = rfc3339(self.now);
            self.modify(key, Sub::Status, |v| {
                let list = v.path_mut("status.conditions").list_mut();
                list.retain(|c| c["type"].str() != "DisruptionTarget");
                list.push(value!({
                    "lastProbeTime": null, "lastTransitionTime": now,
                    "message": "Eviction API: evicting", "reason": "EvictionByEvictionAPI",
                    "status": "True", "type": "DisruptionTarget"
                }));
            });
        }
        self.delete(key, opts).map(drop)
    }

    fn ask_budget(&mut self, pod: &Obj, dry_run: bool) -> Result<(), Status> {
        let ns = pod.ns();
        let labels = &pod.meta()["labels"];
        let budgets: Vec<Obj> = self
            .store
            .list(Kind::PodDisruptionBudget, &ns)
            .filter(|b| selector::matches(&b.spec()["selector"], labels))
            .cloned()
            .collect();
        let Some(budget) = budgets.first() else { return Ok(()) };
        if budgets.len() > 1 {
            return Err(Status::new(
                Reason::InternalError,
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            ));
        }
        let status = budget.status();
        let (healthy, desired) =
            (status["currentHealthy"].int_or(0), status["desiredHealthy"].int_or(0));
        if !pod.pod().ready {
            let always = budget.spec()["unhealthyPodEvictionPolicy"].str() == "AlwaysAllow";
            if always || (healthy >= desired && desired > 0) {
                return Ok(());
            }
        }
        let name = budget.name();
        let refuse = |why: String| {
            let mut refusal = Status::new(Reason::TooManyRequests, REFUSED);
            refusal.causes.push(Cause { field: Str::default(), message: why.into() });
            Err(refusal)
        };
        if status["observedGeneration"].int_or(0) < budget.meta()["generation"].int_or(0) {
            return refuse(format!(
                "The disruption budget {name} is still being processed by the server."
            ));
        }
        let allowed = status["disruptionsAllowed"].int_or(0);
        if allowed <= 0 {
            return refuse(format!(
                "The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"
            ));
        }
        if dry_run {
            return Ok(());
        }
        let (key, now) = (budget.key(), self.now);
        self.modify(&key, Sub::Status, |v| {
            let status = v.entry("status");
            status.set("disruptionsAllowed", allowed - 1);
            status.entry("disruptedPods").set(pod.name(), rfc3339(now));
            set_allowed_condition(status, now);
        });
        Ok(())
    }
}

/// Does the budget count for the pod? Not for one that serves nobody (any more).
fn guarded(pod: &Obj) -> bool {
    let facts = pod.pod();
    !facts.terminating && !matches!(facts.phase, Phase::Pending | Phase::Succeeded | Phase::Failed)
}
