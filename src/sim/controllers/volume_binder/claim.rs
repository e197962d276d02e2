//! One claim: find it a volume, ask for one, or see what became of the one it had.

use crate::api::time::SECOND;
use crate::api::{Key, Kind, Obj, Phase};
use crate::apiserver::events::Note;
use crate::controllers::volume_binder::{
    BETA_PROVISIONER, BIND_COMPLETED, COMPONENT, PROVISIONER, SELECTED_NODE, again, bind, changed,
    matching,
};
use crate::controllers::{Action, Plan};
use crate::queue::Comp;
use crate::storage::claims;
use crate::value::Str;
use crate::world::World;

/// Provisioners that were once part of Kubernetes, and the drivers that took their place.
const MIGRATED: [(&str, &str); 7] = [
    ("kubernetes.io/aws-ebs", "ebs.csi.aws.com"),
    ("kubernetes.io/azure-disk", "disk.csi.azure.com"),
    ("kubernetes.io/azure-file", "file.csi.azure.com"),
    ("kubernetes.io/cinder", "cinder.csi.openstack.org"),
    ("kubernetes.io/gce-pd", "pd.csi.storage.gke.io"),
    ("kubernetes.io/portworx-volume", "pxd.portworx.com"),
    ("kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"),
];

/// Decides about a claim.
pub(super) fn sync(w: &World, claim: &Obj, plan: &mut Plan) {
    if claim.annotation(BIND_COMPLETED).is_some() {
        bound(w, claim, plan);
    } else if claim.spec()["volumeName"].is_empty() {
        unbound(w, claim, plan);
    } else {
        names_volume(w, claim, plan);
    }
}

fn volume_of<'a>(w: &'a World, claim: &Obj) -> Option<&'a Obj> {
    w.store.get(Kind::PersistentVolume, "", claim.spec()["volumeName"].str())
}

/// The binding was finished once: is the volume still there, and still this claim's?
fn bound(w: &World, claim: &Obj, plan: &mut Plan) {
    let lost = |reason, message: &'static str, plan: &mut Plan| {
        if claim.status()["phase"].str() == "Lost" {
            return;
        }
        let value = changed(claim, |v| {
            let status = v.entry("status");
            status.set("phase", "Lost");
            status.remove("accessModes");
            status.remove("capacity");
        });
        plan.act("pv.lost", Action::UpdateStatus(Kind::PersistentVolumeClaim, value));
        tell(claim, Note::warning(COMPONENT, reason, message), plan);
    };
    if claim.spec()["volumeName"].is_empty() {
        let message =
            "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
        return lost("ClaimLost", message, plan);
    }
    let Some(volume) = volume_of(w, claim) else {
        let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
        return lost("ClaimLost", message, plan);
    };
    let r = &volume.spec()["claimRef"];
    if r.is_null() || r["uid"] == claim.meta()["uid"] {
        bind(w, claim, volume, "pv.bind", plan);
    } else {
        let message = "Two claims are bound to the same volume, this one is bound incorrectly";
        lost("ClaimMisbound", message, plan);
    }
}

/// The claim asks for one particular volume.
fn names_volume(w: &World, claim: &Obj, plan: &mut Plan) {
    let name = claim.spec()["volumeName"].str();
    let wait = |w: &World, plan: &mut Plan| {
        let volume = Key::new(Kind::PersistentVolume, "", claim.spec()["volumeName"].to_str());
        plan.waits = Some(("pv.wait-named", Some(volume), Str::default()));
        again(w, plan);
    };
    let Some(volume) = volume_of(w, claim) else { return wait(w, plan) };
    if matching::bound_to(volume, claim) {
        bind(w, claim, volume, "pv.bind", plan);
    } else if !volume.spec()["claimRef"].is_null() {
        let message = format!("volume {name:?} already bound to a different claim.");
        tell(claim, Note::warning(COMPONENT, "FailedBinding", message), plan);
        wait(w, plan);
    } else if let Some(why) = matching::unsatisfied(volume, claim) {
        let message = format!("Cannot bind to requested volume {name:?}: {why}");
        tell(claim, Note::warning(COMPONENT, "VolumeMismatch", message), plan);
        wait(w, plan);
    } else {
        bind(w, claim, volume, "pv.bind", plan);
    }
}

/// Any volume that suits will do.
fn unbound(w: &World, claim: &Obj, plan: &mut Plan) {
    let delayed = claims::delayed(w, claim);
    if let Some(volume) = matching::find(w, claim, delayed) {
        return bind(w, claim, volume, "pv.bind", plan);
    }
    // a default class that appeared later is filled in; that wakes the claim again
    if claims::classless(&claim.value)
        && let Some(class) = claims::default_class(w)
    {
        let value = changed(claim, |v| v.entry("spec").set("storageClassName", class));
        plan.act("pv.default-class", Action::Update(Kind::PersistentVolumeClaim, value));
        return;
    }
    again(w, plan);
    if delayed && claim.annotation(SELECTED_NODE).is_none() {
        wait_for_consumer(w, claim, plan);
    } else if !claims::class_of(claim).is_empty() {
        provision(w, claim, plan);
    } else {
        let message = "no persistent volumes available for this claim and no storage class is set";
        tell(claim, Note::normal(COMPONENT, "FailedBinding", message), plan);
        plan.waits = Some(("pv.wait-volume", None, Str::default()));
    }
}

/// `WaitForFirstConsumer`: nothing happens until a pod that uses the claim has a node.
fn wait_for_consumer(w: &World, claim: &Obj, plan: &mut Plan) {
    // whoever makes a claim and its pod (a StatefulSet) needs a request for each; the claim is
    // looked at in between
    let first_look = !w.verdicts.contains_key(&(Comp::VolumeBinder, claim.key()));
    let born = |o: &Obj| o.meta()["creationTimestamp"].to_str();
    let pods: Vec<&Obj> = claims::users(w, &claim.ns(), &claim.name())
        .filter(|p| {
            let facts = p.pod();
            facts.node.is_empty()
                && !matches!(facts.phase, Phase::Succeeded | Phase::Failed)
                && !(first_look && born(p) >= born(claim))
        })
        .collect();
    let names: Vec<&str> = pods.iter().map(|p| p.meta()["name"].str()).collect();
    let note = match names.as_slice() {
        [] => Note::normal(
            COMPONENT,
            "WaitForFirstConsumer",
            "waiting for first consumer to be created before binding",
        ),
        [one] => Note::normal(
            COMPONENT,
            "WaitForPodScheduled",
            format!("waiting for pod {one} to be scheduled"),
        ),
        many => Note::normal(
            COMPONENT,
            "WaitForPodScheduled",
            format!("waiting for pods {} to be scheduled", many.join(",")),
        ),
    };
    tell(claim, note, plan);
    plan.waits = Some(("pv.wait-consumer", pods.first().map(|p| p.key()), Str::default()));
}

/// Asks the class's provisioner for a volume.
fn provision(w: &World, claim: &Obj, plan: &mut Plan) {
    let failed = |message: String, plan: &mut Plan| {
        plan.waits = Some(("pv.wait-class", None, message.clone().into()));
        tell(claim, Note::warning(COMPONENT, "ProvisioningFailed", message), plan);
    };
    let Some(class) = claims::class(w, claim) else {
        let name = claims::class_of(claim);
        return failed(format!("storageclass.storage.k8s.io {name:?} not found"), plan);
    };
    let named = class.value["provisioner"].to_str();
    let migrated = MIGRATED.iter().find(|(old, _)| *old == named.as_str());
    let provisioner = migrated.map_or(named, |(_, csi)| Str::Lit(csi));
    if provisioner.starts_with("kubernetes.io/") {
        return failed(format!("no volume plugin matched name: {provisioner}"), plan);
    }
    let asked = claim.annotation(PROVISIONER) == Some(&provisioner);
    if !asked {
        let value = changed(claim, |v| {
            let annotations = v.entry("metadata").entry("annotations");
            annotations.set(BETA_PROVISIONER, &provisioner);
            annotations.set(PROVISIONER, &provisioner);
        });
        plan.act("pv.ask-provisioner", Action::Update(Kind::PersistentVolumeClaim, value));
    }
    // that write wakes the claim again, which is no news
    let verdict = w.verdicts.get(&(Comp::VolumeBinder, claim.key()));
    if !asked || verdict.is_none_or(|v| v.since + SECOND < w.now) {
        let message = format!(
            "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
        );
        tell(claim, Note::normal(COMPONENT, "ExternalProvisioning", message), plan);
    }
    plan.waits = Some(("pv.wait-provisioner", None, provisioner));
}

fn tell(claim: &Obj, note: Note, plan: &mut Plan) {
    plan.act("pv.tell", Action::Event(claim.clone(), note));
}
