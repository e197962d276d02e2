//! What a pod is doing.

use podium_sim::api::object::{Phase, condition};
use podium_sim::api::{Kind, Obj};
use podium_sim::{Str, Value};

use crate::look::Look;
use crate::model::{Pod, PodState};

/// Waiting reason of the first container (init containers too) that has a bad one.
fn trouble(status: &Value) -> Str {
    ["initContainerStatuses", "containerStatuses"]
        .iter()
        .flat_map(|list| status[*list].items())
        .map(|c| &c["state"]["waiting"]["reason"])
        .find(|r| !matches!(r.str(), "" | "ContainerCreating" | "PodInitializing"))
        .map_or_else(Str::default, Value::to_str)
}

/// State and technical word of a pod.
pub fn state(pod: &Obj, sign: Option<&str>) -> (PodState, Str) {
    let facts = pod.pod();
    let status = pod.status();
    if facts.phase == Phase::Failed && !facts.terminating {
        return (PodState::Failed, status["reason"].to_str());
    }
    if facts.terminating {
        return (PodState::Terminating, Str::default());
    }
    if facts.phase == Phase::Succeeded {
        return (PodState::Succeeded, "Completed".into());
    }
    let trouble = trouble(status);
    if !trouble.is_empty() {
        return (PodState::BackOff, trouble);
    }
    if facts.phase == Phase::Running {
        let state = if facts.ready { PodState::Ready } else { PodState::Running };
        return (state, Str::default());
    }
    if facts.node.is_empty() {
        let scheduled = condition(&pod.value, "PodScheduled");
        if scheduled["reason"].str() == "Unschedulable" {
            return (PodState::Unschedulable, "Unschedulable".into());
        }
        return (PodState::Pending, Str::default());
    }
    if status["containerStatuses"].items().is_empty() {
        return (PodState::Scheduled, Str::default());
    }
    let state = match sign {
        Some("Pulling") => PodState::Pulling,
        Some("FailedMount") => PodState::Attaching,
        _ => PodState::Starting,
    };
    (state, Str::default())
}

/// Image without registry and path.
fn image(pod: &Obj) -> Str {
    let image = pod.spec()["containers"][0]["image"].str();
    image.rsplit('/').next().unwrap_or(image).to_owned().into()
}

/// A pod's card. `newest` is the revision that its workload wants now.
pub(crate) fn card(look: &Look<'_>, pod: &Obj, newest: &str) -> Pod {
    let facts = pod.pod();
    let uid = pod.uid();
    let sign = look.signs.of(pod);
    let (mut state, reason) = state(pod, sign.map(Str::as_str));
    if state == PodState::Starting && sign.is_none() && attaching(look, pod) {
        state = PodState::Attaching;
    }
    let restarts =
        pod.status()["containerStatuses"].items().iter().map(|c| c["restartCount"].int_or(0)).sum();
    let hash = facts.revision.rsplit('-').next().unwrap_or_default().to_owned();
    Pod {
        key: pod.key(),
        uid,
        state,
        reason,
        ip: facts.ip.clone(),
        node: facts.node.clone(),
        node_down: look.lost(&facts.node),
        outdated: !newest.is_empty() && !hash.is_empty() && facts.revision != *newest,
        revision: hash.into(),
        image: image(pod),
        restarts,
    }
}

/// Does it still wait for a volume on its node?
fn attaching(look: &Look<'_>, pod: &Obj) -> bool {
    let ns = pod.ns();
    pod.spec()["volumes"].items().iter().any(|v| {
        let claim = v["persistentVolumeClaim"]["claimName"].str();
        !claim.is_empty()
            && look.w.store.get(Kind::PersistentVolumeClaim, &ns, claim).is_some_and(|c| {
                let volume = c.spec()["volumeName"].str();
                look.attaches() && look.attached_to(volume).is_none_or(|n| n != pod.pod().node)
            })
    })
}
