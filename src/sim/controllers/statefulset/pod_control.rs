//! Decisions about one pod as effects: create with its claims, delete, put right.
//! Event texts are those of section 11.

use crate::api::{Key, Kind, Obj, Object};
use crate::apiserver::DeleteOptions;
use crate::apiserver::events::Note;
use crate::controllers::statefulset::COMPONENT;
use crate::controllers::statefulset::identity::{
    self, ClaimOwners, Set, claim_name, claim_owner_refs, foreign_controller, new_claim,
};
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::value::{Str, Value};
use crate::world::World;

/// Live claims of a pod, one for each template that has one.
fn claims<'a>(w: &'a World, set: &'a Set<'_>, pod: &'a str) -> impl Iterator<Item = &'a Obj> {
    set.templates()
        .iter()
        .filter_map(move |t| w.store.get(identity::CLAIM, &set.ns, &claim_name(t, pod)))
}

/// Creates the pod's missing claims. False if one is being deleted: the pass must fail then.
pub(super) fn create_claims(w: &World, set: &Set<'_>, pod: &str, plan: &mut Plan) -> bool {
    for template in set.templates() {
        let name = claim_name(template, pod);
        match w.store.get(identity::CLAIM, &set.ns, &name) {
            Some(claim) if claim.terminating() => {
                let message = format!("Create Pod {pod} in StatefulSet {} failed error:", set.name);
                plan.push(
                    Effect::new(
                        "sts.claim-terminating",
                        Action::Fail(format!("pvc {name} is being deleted").into()),
                    )
                    .failed(set.obj, Note::warning(COMPONENT, "FailedCreate", message)),
                );
                return false;
            }
            Some(_) => {}
            None => plan.push(
                Effect::new(
                    "sts.create-claim",
                    Action::Create(identity::CLAIM, new_claim(set, template, pod)),
                )
                .done(
                    set.obj,
                    Note::normal(
                        COMPONENT,
                        "SuccessfulCreate",
                        format!(
                            "Create Claim {name} Pod {pod} in StatefulSet {} success",
                            set.name
                        ),
                    ),
                )
                .failed(
                    set.obj,
                    Note::warning(
                        COMPONENT,
                        "FailedCreate",
                        format!(
                            "Create Claim {name} for Pod {pod} in StatefulSet {} failed error:",
                            set.name
                        ),
                    ),
                ),
            ),
        }
    }
    true
}

/// Creates the pod.
pub(super) fn create_pod(set: &Set<'_>, pod: Value, plan: &mut Plan) {
    let name = pod["metadata"]["name"].to_str();
    plan.push(
        Effect::new("sts.create-pod", Action::Create(Kind::Pod, pod))
            .done(set.obj, told(set, "Create", "SuccessfulCreate", &name))
            .failed(set.obj, refused(set, "Create", "FailedCreate", &name)),
    );
}

/// Deletes the pod, with the rule that wants it gone.
pub(super) fn delete_pod(set: &Set<'_>, pod: &Object, rule: &'static str, plan: &mut Plan) {
    let name = pod.name();
    let opts = DeleteOptions { uid: Some(pod.uid()), ..DeleteOptions::default() };
    plan.push(
        Effect::new(rule, Action::Delete(pod.key(), opts))
            .done(set.obj, told(set, "Delete", "SuccessfulDelete", &name))
            .failed(set.obj, refused(set, "Delete", "FailedDelete", &name)),
    );
}

fn told(set: &Set<'_>, verb: &str, reason: &'static str, pod: &str) -> Note {
    let message = format!("{verb} Pod {pod} in StatefulSet {} successful", set.name);
    Note::normal(COMPONENT, reason, message)
}

fn refused(set: &Set<'_>, verb: &str, reason: &'static str, pod: &str) -> Note {
    let message = format!("{verb} Pod {pod} in StatefulSet {} failed error:", set.name);
    Note::warning(COMPONENT, reason, message)
}

/// Is one of the slot's claims still owned by an earlier pod of that name?
pub(super) fn stale_claim(w: &World, set: &Set<'_>, pod: &str) -> Option<Key> {
    claims(w, set, pod).find(|c| identity::stale(c, pod, "")).map(|c| c.key())
}

/// Makes the owner references of the pod's claims match the retention policy; true if one
/// had to change.
pub(super) fn fix_claims(
    w: &World,
    set: &Set<'_>,
    pod: &Object,
    condemned: bool,
    plan: &mut Plan,
) -> bool {
    let name = pod.name();
    let wanted = ClaimOwners::wanted(set, condemned);
    let policy = set.deletes("whenDeleted") || set.deletes("whenScaled");
    let mut changed = false;
    for claim in claims(w, set, &name) {
        if foreign_controller(set, claim, &name) {
            if policy {
                let message = format!(
                    "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim",
                    claim.name()
                );
                let note = Note::warning(COMPONENT, "ConflictingController", message);
                plan.act("sts.foreign-claim", Action::Event(claim.clone(), note));
            }
            continue;
        }
        if let Some(refs) = claim_owner_refs(set, claim, Some(pod), wanted) {
            let mut value = claim.value.clone();
            value.entry("metadata").set("ownerReferences", refs);
            plan.push(
                Effect::new("sts.retention", Action::Update(identity::CLAIM, value))
                    .on_error(OnError::Ignore),
            );
            changed = true;
        }
    }
    changed
}

/// Puts identity, storage and retention of a live pod right; does nothing if they are.
pub(super) fn update_pod(w: &World, set: &Set<'_>, pod: &Obj, plan: &mut Plan) {
    let identity = identity::identity_matches(pod);
    if identity && set.templates().is_empty() {
        return;
    }
    let storage = identity::storage_matches(set, pod);
    if !storage && !create_claims(w, set, &pod.name(), plan) {
        return;
    }
    let claims = fix_claims(w, set, pod, false, plan);
    if identity && storage && !claims {
        return;
    }
    let name: Str = pod.name();
    plan.push(
        Effect::new("sts.repair-pod", Action::Update(Kind::Pod, identity::repaired(set, pod)))
            .done(set.obj, told(set, "Update", "SuccessfulUpdate", &name))
            .failed(set.obj, refused(set, "Update", "FailedUpdate", &name)),
    );
}
