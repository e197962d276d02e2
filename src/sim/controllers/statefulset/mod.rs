//! The StatefulSet controller, divided as upstream's `pkg/controller/statefulset`:
//! `control` decides, `identity` names pods and claims, `pod_control` turns decisions on a
//! pod into effects, `revision` keeps the history, `status` counts; `roster` spares a pass the
//! look at pods that it has nothing to do with.
//! Specification: behaviour/statefulset-controller.md; section numbers below are its own.

mod control;
pub mod identity;
mod pod_control;
pub mod revision;
pub mod roster;
mod status;
#[cfg(test)]
mod tests;

pub use control::reconcile;

use crate::api::{Key, Kind, Obj};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::world::World;

/// Name under which the controller's events appear.
pub const COMPONENT: &str = "statefulset-controller";

/// Which changes put a set into the queue (section 1): the set itself, its pods, and orphans
/// that its selector matches. Claims, volumes, Services and nodes do not.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    match new.kind {
        Kind::StatefulSet => w.enqueue(Comp::StatefulSet, new.key()),
        Kind::Pod => pod_changed(w, change, old, new),
        _ => {}
    }
}

fn pod_changed(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    roster::on_change(w, old, Some(new).filter(|_| change != ChangeType::Deleted));
    let mut wake = Vec::new();
    wake.extend(owner(w, new));
    if let Some(old) = old.filter(|o| o.meta()["ownerReferences"] != new.meta()["ownerReferences"])
        && let Some(key) = owner(w, old)
        && !wake.contains(&key)
    {
        wake.push(key);
    }
    let orphan = new.controller_ref().is_none();
    let relevant = match change {
        ChangeType::Added => true,
        ChangeType::Modified => old.is_some_and(|o| {
            o.meta()["labels"] != new.meta()["labels"] || o.controller_uid() != new.controller_uid()
        }),
        ChangeType::Deleted => false,
    };
    if orphan && relevant {
        let ns = new.ns();
        for set in w.store.list(Kind::StatefulSet, &ns) {
            if crate::api::selector::matches(&set.spec()["selector"], &new.meta()["labels"]) {
                wake.push(set.key());
            }
        }
    }
    for key in wake {
        w.enqueue(Comp::StatefulSet, key);
    }
}

/// Key of the set that controls the object, if that very set (same uid) is still there.
fn owner(w: &World, obj: &Obj) -> Option<Key> {
    let r = obj.controller_ref()?;
    if r["kind"].str() != "StatefulSet" {
        return None;
    }
    let set = w.store.get(Kind::StatefulSet, obj.meta()["namespace"].str(), r["name"].str())?;
    (set.meta()["uid"].str() == r["uid"].str()).then(|| set.key())
}
