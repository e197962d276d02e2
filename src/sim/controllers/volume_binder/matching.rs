//! Which volume suits which claim (behaviour/storage.md 3).

use crate::api::{Obj, Object, quantity, selector};
use crate::storage::claims;
use crate::value::Value;
use crate::world::World;

/// Annotation of what the controller bound by itself, on claim or volume.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

/// Size of a volume, in thousandths of a byte.
pub fn size(volume: &Object) -> i128 {
    quantity::milli(volume.spec()["capacity"]["storage"].str()).unwrap_or(0)
}

/// Size that a claim asks for, in thousandths of a byte.
pub fn request(claim: &Object) -> i128 {
    quantity::milli(claim.spec()["resources"]["requests"]["storage"].str()).unwrap_or(0)
}

fn mode(obj: &Object) -> &str {
    match obj.spec()["volumeMode"].str() {
        "" => "Filesystem",
        mode => mode,
    }
}

/// Do claim and volume want different volume modes?
pub fn modes_differ(volume: &Object, claim: &Object) -> bool {
    mode(volume) != mode(claim)
}

fn attributes_differ(volume: &Object, claim: &Object) -> bool {
    let class = "volumeAttributesClassName";
    volume.spec().get(class).str() != claim.spec().get(class).str()
}

/// Has the volume all access modes that the claim asks for?
fn access_modes_suit(volume: &Object, claim: &Object) -> bool {
    let has = volume.spec()["accessModes"].items();
    claim.spec()["accessModes"].items().iter().all(|m| has.contains(m))
}

/// Is the volume reserved for, or bound to, this very claim?
pub fn bound_to(volume: &Object, claim: &Object) -> bool {
    let r = &volume.spec()["claimRef"];
    let uid = r["uid"].str();
    !r.is_null()
        && r["name"] == claim.meta()["name"]
        && r["namespace"] == claim.meta()["namespace"]
        && (uid.is_empty() || uid == claim.meta()["uid"].str())
}

/// What keeps a claim from a volume that it names; `None` if nothing does.
pub fn unsatisfied(volume: &Object, claim: &Object) -> Option<String> {
    if volume.terminating() {
        return Some(format!(
            "the volume is marked for deletion {:?}",
            volume.meta()["name"].str()
        ));
    }
    let why = if size(volume) < request(claim) {
        "requested PV is too small"
    } else if claims::class_of(volume) != claims::class_of(claim) {
        "storageClassName does not match"
    } else if attributes_differ(volume, claim) {
        "volumeAttributesClassName does not match"
    } else if modes_differ(volume, claim) {
        "incompatible volumeMode"
    } else if !access_modes_suit(volume, claim) {
        "incompatible accessMode"
    } else {
        return None;
    };
    Some(why.to_owned())
}

/// The volume for a claim as the controller chooses it: one that is reserved for the claim, or
/// the smallest that suits. Sets of access modes are looked at one by one, the fewest modes
/// first. `delayed` leaves all volumes out but reserved ones, for `WaitForFirstConsumer`.
pub fn find<'a>(w: &'a World, claim: &Object, delayed: bool) -> Option<&'a Obj> {
    let mut volumes = claims::candidates(w, claim);
    volumes.retain(|v| access_modes_suit(v, claim));
    let mut sets: Vec<(usize, Vec<&str>)> = Vec::new();
    for volume in &volumes {
        let set = mode_set(volume);
        if !sets.iter().any(|(_, s)| *s == set) {
            sets.push((set.len(), set));
        }
    }
    sets.sort();
    sets.iter().find_map(|(_, set)| {
        let of_set = volumes.iter().filter(|v| mode_set(v) == *set);
        best(of_set, claim, delayed, &|_| true)
    })
}

/// The volume for a claim as the scheduler chooses it, among those that `fits` lets through
/// (the node reaches them, no other claim of the pod takes them).
pub fn find_fitting<'a>(
    w: &'a World,
    claim: &Object,
    fits: &dyn Fn(&Obj) -> bool,
) -> Option<&'a Obj> {
    let mut volumes = claims::candidates(w, claim);
    volumes
        .retain(|v| access_modes_suit(v, claim) && claims::class_of(v) == claims::class_of(claim));
    best(volumes.iter(), claim, false, fits)
}

fn mode_set(volume: &Object) -> Vec<&str> {
    let mut set: Vec<&str> = volume.spec()["accessModes"].items().iter().map(Value::str).collect();
    set.sort_unstable();
    set.dedup();
    set
}

fn best<'a, 'b>(
    volumes: impl Iterator<Item = &'b &'a Obj>,
    claim: &Object,
    delayed: bool,
    fits: &dyn Fn(&Obj) -> bool,
) -> Option<&'a Obj>
where
    'a: 'b,
{
    let wanted = request(claim);
    let mut smallest: Option<(i128, &Obj)> = None;
    for volume in volumes.copied() {
        let reserved = bound_to(volume, claim);
        if (!reserved && !volume.spec()["claimRef"].is_null())
            || size(volume) < wanted
            || modes_differ(volume, claim)
            || attributes_differ(volume, claim)
            || volume.terminating()
        {
            continue;
        }
        if reserved {
            return fits(volume).then_some(volume);
        }
        let wanted_labels = &claim.spec()["selector"];
        if delayed
            || volume.status()["phase"].str() != "Available"
            || !(wanted_labels.is_null()
                || selector::matches(wanted_labels, &volume.meta()["labels"]))
            || claims::class_of(volume) != claims::class_of(claim)
            || !fits(volume)
        {
            continue;
        }
        if smallest.is_none_or(|(size, _)| self::size(volume) < size) {
            smallest = Some((self::size(volume), volume));
        }
    }
    smallest.map(|(_, volume)| volume)
}
