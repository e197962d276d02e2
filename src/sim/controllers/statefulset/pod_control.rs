//! Decisions about one pod as effects: create with its claims, delete, put right.
//! Event texts are those of section 11.

use crate::api::{Key, Kind, Obj, Object};
use crate::apiserver::DeleteOptions;
use crate::apiserver::events::Note;
use crate::controllers::statefulset::COMPONENT;
use crate::controllers::statefulset::identity::{
    self, Member, Set, claim_name, claim_owner_refs, foreign_controller, new_claim,
};
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::value::{Str, Value};
use crate::world::World;

/// Live claims of a pod, one for each template that has one.
fn claims<'a>(w: &'a World, set: &'a Set<'_>, pod: &'a str) -> impl Iterator<Item = &'a Obj> {
    set.templates().filter_map(move |t| w.store.get(identity::CLAIM, &set.ns, &claim_name(t, pod)))
}

/// What a pass does with a pod when its claims cannot be had, as the event says: the verb and
/// the reason; `None` if there is no event about the pod.
pub(super) type Doing = Option<(&'static str, &'static str)>;

/// The pod is being made.
pub(super) const CREATING: Doing = Some(("Create", "FailedCreate"));
/// The pod is being put right.
const UPDATING: Doing = Some(("Update", "FailedUpdate"));

/// Creates the pod's missing claims. False if one is being deleted: the pass must fail then.
pub(super) fn create_claims(
    w: &World,
    set: &Set<'_>,
    pod: &str,
    doing: Doing,
    plan: &mut Plan,
) -> bool {
    let mut going = Vec::new();
    for template in set.templates() {
        let name = claim_name(template, pod);
        match w.store.get(identity::CLAIM, &set.ns, &name) {
            Some(claim) if claim.terminating() => {
                going.push(format!("pvc {name} is being deleted"));
            }
            Some(_) => {}
            None => create_claim(set, template, pod, &name, doing, plan),
        }
    }
    let why = match going.as_slice() {
        [] => return true,
        [one] => one.clone(),
        all => format!("[{}]", all.join(", ")),
    };
    let mut fail = Effect::new("sts.claim-terminating", Action::Fail(why.into()));
    if let Some((verb, reason)) = doing {
        fail = fail.failed(set.obj, refused(set, verb, reason, pod));
    }
    plan.push(fail);
    false
}

fn create_claim(
    set: &Set<'_>,
    template: &Value,
    pod: &str,
    name: &str,
    doing: Doing,
    plan: &mut Plan,
) {
    let claim = Action::Create(identity::CLAIM, new_claim(set, template, pod));
    let done = format!("Create Claim {name} Pod {pod} in StatefulSet {} success", set.name);
    let failed =
        format!("Create Claim {name} for Pod {pod} in StatefulSet {} failed error:", set.name);
    let mut effect = Effect::new("sts.create-claim", claim)
        .done(set.obj, Note::normal(COMPONENT, "SuccessfulCreate", done))
        .failed(set.obj, Note::warning(COMPONENT, "FailedCreate", failed));
    if let Some((verb, reason)) = doing {
        let mut note = refused(set, verb, reason, pod);
        note.message = format!("{} failed to create PVC {name}:", note.message).into();
        effect = effect.failed(set.obj, note);
    }
    plan.push(effect);
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
    delete(set, pod.name(), Some(pod.uid()), rule, plan);
}

/// Deletes the pod that this very pass creates.
pub(super) fn delete_new(set: &Set<'_>, ordinal: i64, rule: &'static str, plan: &mut Plan) {
    delete(set, set.pod_name(ordinal), None, rule, plan);
}

fn delete(set: &Set<'_>, name: Str, uid: Option<Str>, rule: &'static str, plan: &mut Plan) {
    let (done, failed) = (
        told(set, "Delete", "SuccessfulDelete", &name),
        refused(set, "Delete", "FailedDelete", &name),
    );
    let opts = DeleteOptions { uid, ..DeleteOptions::default() };
    let pod = Key::new(Kind::Pod, set.ns.clone(), name);
    plan.push(
        Effect::new(rule, Action::Delete(pod, opts)).done(set.obj, done).failed(set.obj, failed),
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
    claims(w, set, pod).find(|c| identity::stale(set, c, pod)).map(|c| c.key())
}

/// Have all claims of the pod the owners that the retention policy wants?
fn claims_match(w: &World, set: &Set<'_>, pod: Member<'_>) -> bool {
    claims(w, set, pod.name).all(|c| claim_owner_refs(set, c, pod).is_none())
}

/// Makes the owner references of the pod's claims match the retention policy, and tells of
/// those that another controller has.
pub(super) fn retain_claims(w: &World, set: &Set<'_>, pod: Member<'_>, plan: &mut Plan) {
    for claim in claims(w, set, pod.name) {
        if foreign_controller(set, claim, pod) {
            let message = format!(
                "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim",
                claim.name()
            );
            let note = Note::warning(COMPONENT, "ConflictingController", message);
            plan.act("sts.foreign-claim", Action::Event(set.obj.clone(), note));
        }
        if let Some(refs) = claim_owner_refs(set, claim, pod) {
            let mut value = claim.value.clone();
            value.entry("metadata").set("ownerReferences", refs);
            plan.push(
                Effect::new("sts.retention", Action::Update(identity::CLAIM, value))
                    .on_error(OnError::Ignore),
            );
        }
    }
}

/// The same for a pod outside the set's range.
pub(super) fn retain_condemned(w: &World, set: &Set<'_>, pod: &Object, plan: &mut Plan) {
    let (name, uid) = (pod.name(), pod.uid());
    let pod = Member { name: &name, uid: &uid, condemned: true };
    if !claims_match(w, set, pod) {
        retain_claims(w, set, pod, plan);
    }
}

/// Puts identity, storage and retention of a live pod right; does nothing if they are. `retained`:
/// the pass has just seen to retention. False if the API server will refuse it, as it does every
/// change of a live pod's volumes: the pass must fail then.
pub(super) fn update_pod(
    w: &World,
    set: &Set<'_>,
    pod: &Obj,
    retained: bool,
    plan: &mut Plan,
) -> bool {
    let identity = identity::identity_matches(pod);
    if identity && !set.has_claims() {
        return true;
    }
    let (name, uid) = (pod.name(), pod.uid());
    let member = Member { name: &name, uid: &uid, condemned: false };
    let storage = identity::storage_matches(set, pod);
    let retention = retained || claims_match(w, set, member);
    if identity && storage && retention {
        return true;
    }
    if !storage && !create_claims(w, set, &name, UPDATING, plan) {
        return false;
    }
    if !retention {
        retain_claims(w, set, member, plan);
    }
    if identity && storage {
        // the pod itself is written as it is, which changes nothing, and counts as updated
        let note = told(set, "Update", "SuccessfulUpdate", &name);
        plan.act("sts.retention", Action::Event(set.obj.clone(), note));
        return true;
    }
    plan.push(
        Effect::new("sts.repair-pod", Action::Update(Kind::Pod, identity::repaired(set, pod)))
            .done(set.obj, told(set, "Update", "SuccessfulUpdate", &name))
            .failed(set.obj, refused(set, "Update", "FailedUpdate", &name)),
    );
    storage
}
