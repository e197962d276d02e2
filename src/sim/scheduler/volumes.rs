//! What claims mean for placement: VolumeBinding, VolumeRestrictions, VolumeZone
//! (behaviour/storage.md 4, 7 and 8).

use super::affinity::node_selector_matches;
use super::filter::Reasons;
use crate::api::{Key, Kind, Obj};
use crate::apiserver::Sub;
use crate::controllers::volume_binder::matching;
use crate::queue::Comp;
use crate::storage::mounts;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// Annotation that asks the provisioner for a volume that this node can reach.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// A pod's claims, sorted by what they ask of a node.
pub(super) struct Claims {
    /// Volumes of bound claims.
    bound: Vec<Obj>,
    /// Claims of WaitForFirstConsumer classes that are not bound yet, with their class.
    unbound: Vec<(Obj, Obj)>,
    /// A ReadWriteOncePod claim that another pod uses.
    exclusive_in_use: bool,
}

/// Names of the claims that a pod mounts.
pub(super) fn claim_names(pod: &Obj) -> impl Iterator<Item = Str> {
    pod.spec()["volumes"].items().iter().filter_map(|v| mounts::claim_name(pod, v))
}

fn is_bound(claim: &Obj) -> bool {
    !claim.spec()["volumeName"].is_empty()
        && claim.annotation("pv.kubernetes.io/bind-completed").is_some()
}

impl Claims {
    /// Looks at the claims; an error is the sentence for the whole pod and the claim.
    pub(super) fn of(w: &World, pod: &Obj) -> Result<Self, (String, Option<Key>)> {
        let ns = pod.ns();
        let mut claims = Self { bound: Vec::new(), unbound: Vec::new(), exclusive_in_use: false };
        let mut immediate = None;
        for name in claim_names(pod) {
            let key = Key::new(Kind::PersistentVolumeClaim, ns.clone(), name.clone());
            let Some(claim) = w.store.by_key(&key) else {
                let ephemeral = |v: &Value| {
                    v.has("ephemeral") && mounts::claim_name(pod, v).as_ref() == Some(&name)
                };
                let why = if pod.spec()["volumes"].items().iter().any(ephemeral) {
                    format!(
                        "waiting for ephemeral volume controller to create the persistentvolumeclaim \"{name}\""
                    )
                } else {
                    format!("persistentvolumeclaim \"{name}\" not found")
                };
                return Err((why, Some(key)));
            };
            if claim.status()["phase"].str() == "Lost" {
                let volume = claim.spec()["volumeName"].str();
                let why = format!(
                    "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{volume}\""
                );
                return Err((why, Some(key)));
            }
            if claim.terminating() {
                let why = format!("persistentvolumeclaim \"{name}\" is being deleted");
                return Err((why, Some(key)));
            }
            if is_bound(claim) {
                let volume = &claim.spec()["volumeName"];
                let Some(pv) = w.store.get(Kind::PersistentVolume, "", volume.str()) else {
                    let why = format!("persistentvolume \"{}\" not found", volume.str());
                    return Err((why, Some(key)));
                };
                claims.bound.push(pv.clone());
            } else {
                let class = &claim.spec()["storageClassName"];
                let class = w.store.get(Kind::StorageClass, "", class.str());
                match class.filter(|c| c.value["volumeBindingMode"].str() == "WaitForFirstConsumer")
                {
                    Some(class) if claim.spec()["volumeName"].is_empty() => {
                        claims.unbound.push((claim.clone(), class.clone()));
                    }
                    _ => immediate = immediate.or(Some(key.clone())),
                }
            }
            let once_pod =
                claim.spec()["accessModes"].items().iter().any(|m| m.str() == "ReadWriteOncePod");
            claims.exclusive_in_use |= once_pod && in_use(w, pod, &ns, &name);
        }
        match immediate {
            Some(key) => {
                Err(("pod has unbound immediate PersistentVolumeClaims".into(), Some(key)))
            }
            None => Ok(claims),
        }
    }

    /// Has the pod no claims that decide about nodes?
    pub(super) fn is_empty(&self) -> bool {
        self.bound.is_empty() && self.unbound.is_empty() && !self.exclusive_in_use
    }

    /// Can the node reach the bound volumes, and can the others be had there?
    pub(super) fn check(&self, w: &World, node: &Obj) -> Result<(), Reasons> {
        let refuse = |why: &'static str, resolvable| Err(vec![(Str::Lit(why), resolvable)]);
        if self.exclusive_in_use {
            return refuse(
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
                true,
            );
        }
        for pv in &self.bound {
            if !reaches(pv, node) {
                return refuse("node(s) didn't match PersistentVolume's node affinity", false);
            }
            for label in ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"] {
                if let Some(zone) = pv.label(label)
                    && node.label(label).is_some_and(|z| !zone.split("__").any(|x| x == z))
                {
                    return refuse("node(s) had no available volume zone", false);
                }
            }
        }
        let mut taken = Vec::new();
        for (claim, class) in &self.unbound {
            if let Some(pv) = find_volume(w, claim, node, &taken) {
                taken.push(pv.uid());
            } else if class.value["provisioner"].str() == "kubernetes.io/no-provisioner"
                || !topology_allowed(class, node)
            {
                return refuse("node(s) didn't find available persistent volumes to bind", false);
            }
        }
        Ok(())
    }
}

fn in_use(w: &World, pod: &Obj, ns: &Str, claim: &str) -> bool {
    w.store.list(Kind::Pod, ns).any(|other| {
        let placed = super::occupies(other) || w.scheduler.assumed.contains_key(&other.uid());
        let aside = w.scheduler.aside.contains(&other.uid());
        placed && !aside && other.uid() != pod.uid() && claim_names(other).any(|c| c == claim)
    })
}

fn reaches(pv: &Obj, node: &Obj) -> bool {
    let needed = &pv.spec()["nodeAffinity"]["required"];
    needed.is_null() || node_selector_matches(needed, node)
}

fn topology_allowed(class: &Obj, node: &Obj) -> bool {
    let allowed = class.value["allowedTopologies"].items();
    allowed.is_empty()
        || allowed.iter().any(|t| {
            t["matchLabelExpressions"].items().iter().all(|e| {
                let have = node.label(e["key"].str());
                e["values"].items().iter().any(|v| v.as_str() == have && have.is_some())
            })
        })
}

/// The smallest available volume that suits the claim and the node.
fn find_volume(w: &World, claim: &Obj, node: &Obj, taken: &[Str]) -> Option<Obj> {
    let fits = |pv: &Obj| reaches(pv, node) && !taken.contains(&pv.uid());
    matching::find_fitting(w, claim, &fits).cloned()
}

/// Before binding the pod: binds volumes or asks for them on the chosen node. Gives a claim
/// that has to be waited for, if any.
pub(super) fn prepare(w: &mut World, pod: &Obj, node: &Str) -> Option<Key> {
    let claims = Claims::of(w, pod).ok()?;
    let node_obj = w.store.get(Kind::Node, "", node)?.clone();
    let mut taken = Vec::new();
    let mut first = None;
    for (claim, _) in &claims.unbound {
        first = first.or_else(|| Some(claim.key()));
        if let Some(pv) = find_volume(w, claim, &node_obj, &taken) {
            taken.push(pv.uid());
            let claim_ref = value!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": (claim.name()),
                "namespace": (claim.ns()), "resourceVersion": (value::text(claim.resource_version())),
                "uid": (claim.uid())
            });
            w.acting(Comp::Scheduler, "sched.bind-volume", |w| {
                w.modify(&pv.key(), Sub::Main, |v| {
                    v.entry("spec").set("claimRef", claim_ref);
                    if !matching::bound_to(&pv, claim) {
                        v.path_mut("metadata.annotations")
                            .set(matching::BOUND_BY_CONTROLLER, "yes");
                    }
                })
            });
        } else {
            w.acting(Comp::Scheduler, "sched.select-node", |w| {
                w.modify(&claim.key(), Sub::Main, |v| {
                    v.path_mut("metadata.annotations").set(SELECTED_NODE, node);
                })
            });
        }
    }
    first
}

/// A claim of the pod that is not bound yet.
pub(super) fn pending(w: &World, pod: &Obj) -> Option<Key> {
    let ns = pod.ns();
    claim_names(pod)
        .map(|name| Key::new(Kind::PersistentVolumeClaim, ns.clone(), name))
        .find(|key| w.store.by_key(key).is_some_and(|c| !is_bound(c)))
}
