//! One volume: free, reserved, bound or released, and what its reclaim policy asks for.

use crate::api::{Key, Kind, Obj};
use crate::apiserver::DeleteOptions;
use crate::apiserver::events::Note;
use crate::controllers::volume_binder::{COMPONENT, PROVISIONED_BY, changed, matching, set_phase};
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::queue::Comp;
use crate::value::Str;
use crate::world::World;

/// Decides about a volume.
pub(super) fn sync(w: &World, volume: &Obj, plan: &mut Plan) {
    let r = &volume.spec()["claimRef"];
    if r.is_null() || r["uid"].is_empty() {
        return set_phase(w, volume, "Available", None, plan);
    }
    let key = Key::new(Kind::PersistentVolumeClaim, r["namespace"].to_str(), r["name"].to_str());
    let claim = w.store.by_key(&key).filter(|c| c.meta()["uid"] == r["uid"]);
    let Some(claim) = claim else { return release(w, volume, plan) };
    let named = claim.spec()["volumeName"].str();
    if named.is_empty() {
        if matching::modes_differ(volume, claim) {
            mismatch(volume, claim, plan);
        } else {
            plan.act("pv.finish-binding", Action::Wake(Comp::VolumeBinder, key));
        }
    } else if named == volume.meta()["name"].str() {
        set_phase(w, volume, "Bound", None, plan);
    } else if volume.annotation(PROVISIONED_BY).is_some() && policy(volume) == "Delete" {
        // made for this claim, which took another one meanwhile
        release(w, volume, plan);
    } else {
        unbind(w, volume, plan);
    }
}

fn policy(volume: &Obj) -> &str {
    volume.spec()["persistentVolumeReclaimPolicy"].str()
}

fn mismatch(volume: &Obj, claim: &Obj, plan: &mut Plan) {
    let (v, c) = (volume.name(), claim.name());
    for (about, message) in [
        (
            volume,
            format!(
                "Cannot bind PersistentVolume to requested PersistentVolumeClaim {c:?} due to incompatible volumeMode."
            ),
        ),
        (
            claim,
            format!(
                "Cannot bind PersistentVolume {v:?} to requested PersistentVolumeClaim {c:?} due to incompatible volumeMode."
            ),
        ),
    ] {
        let note = Note::warning(COMPONENT, "VolumeMismatch", message);
        plan.act("pv.tell", Action::Event(about.clone(), note));
    }
}

/// The claim is gone.
fn release(w: &World, volume: &Obj, plan: &mut Plan) {
    let phase = volume.status()["phase"].str();
    if !matches!(phase, "Released" | "Failed") {
        // the write wakes the volume again, and then it is reclaimed
        return set_phase(w, volume, "Released", None, plan);
    }
    match policy(volume) {
        "Delete" => delete(w, volume, plan),
        "Recycle" => recycle(w, volume, plan),
        _ => {}
    }
}

/// Deletes what no external provisioner made: only a `hostPath` below /tmp can be.
fn delete(w: &World, volume: &Obj, plan: &mut Plan) {
    let external = volume.annotation(PROVISIONED_BY);
    if volume.terminating() || external.is_some_and(|p| !p.starts_with("kubernetes.io/")) {
        return;
    }
    let path = volume.spec()["hostPath"]["path"].str();
    let name = volume.name();
    if path.is_empty() {
        let message = format!(
            "error getting deleter volume plugin for volume {:?}: no deletable volume plugin matched",
            name.as_str()
        );
        fail(w, volume, "VolumeFailedDelete", message, plan);
    } else if !path.starts_with("/tmp/") {
        let message =
            format!("host_path deleter only supports /tmp/.+ but received provided {path}");
        fail(w, volume, "VolumeFailedDelete", message, plan);
    } else {
        let opts = DeleteOptions { uid: Some(volume.uid()), ..DeleteOptions::default() };
        plan.push(
            Effect::new("pv.delete", Action::Delete(volume.key(), opts)).on_error(OnError::Ignore),
        );
    }
}

/// Empties a volume and offers it again; only `hostPath` and `nfs` know how.
fn recycle(w: &World, volume: &Obj, plan: &mut Plan) {
    let spec = volume.spec();
    if spec["hostPath"].is_null() && spec["nfs"].is_null() {
        let message = "No recycler plugin found for the volume!".to_owned();
        return fail(w, volume, "VolumeFailedRecycle", message, plan);
    }
    let note = Note::normal(COMPONENT, "VolumeRecycled", "Volume recycled");
    plan.act("pv.tell", Action::Event(volume.clone(), note));
    unbind(w, volume, plan);
}

fn fail(w: &World, volume: &Obj, reason: &'static str, message: String, plan: &mut Plan) {
    if volume.status()["phase"].str() == "Failed" {
        return;
    }
    set_phase(w, volume, "Failed", Some(Str::from(&message)), plan);
    let note = Note::warning(COMPONENT, reason, message);
    plan.act("pv.tell", Action::Event(volume.clone(), note));
}

/// Takes back what the controller reserved, or only the uid where a person reserved it.
fn unbind(w: &World, volume: &Obj, plan: &mut Plan) {
    let value = changed(volume, |v| {
        if volume.annotation(matching::BOUND_BY_CONTROLLER).is_some() {
            v.entry("spec").remove("claimRef");
            let annotations = v.entry("metadata").entry("annotations");
            annotations.remove(matching::BOUND_BY_CONTROLLER);
        } else {
            v.entry("spec").entry("claimRef").remove("uid");
        }
    });
    plan.act("pv.unbind", Action::Update(Kind::PersistentVolume, value));
    set_phase(w, volume, "Available", None, plan);
}
