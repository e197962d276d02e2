//! Disks: what is on them, which pod sees which, attach and detach (behaviour/storage.md 8).

pub mod attach;
pub mod claims;
pub mod fs;
pub mod mounts;
mod resize;
#[cfg(test)]
mod tests;

pub use claims::default_class;
pub use resize::admit_resize;

use crate::collections::BTreeMap;
use std::rc::Rc;

use crate::api::{Key, Kind, Obj};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::Str;
use crate::world::World;

/// Disks and attachments.
#[derive(Clone, Default)]
pub struct State {
    /// What is on each disk, by id; a disk without an entry is empty.
    pub(crate) disks: BTreeMap<Str, Rc<fs::Tree>>,
    /// Counts changes of what is on disks, which are not in the log.
    pub writes: u64,
    /// Which volume is attached where.
    pub(crate) attach: attach::State,
}

/// A change that storage may care for.
pub fn on_change(w: &mut World, change: ChangeType, _old: Option<&Obj>, new: &Obj) {
    if new.kind == Kind::Node {
        attach::node_changed(w, &new.name());
    }
    if change != ChangeType::Deleted {
        return;
    }
    match new.kind {
        Kind::Pod => {
            attach::pod_gone(w, new);
            let uid = new.uid();
            for kind in ["empty", "root"] {
                erase(w, &format!("{kind}/{uid}/"));
            }
        }
        Kind::PersistentVolume => {
            // what the provisioner deletes is gone; a retained backing keeps its bytes
            if new.spec()["persistentVolumeReclaimPolicy"].str() == "Delete" {
                w.storage.disks.remove(&mounts::disk_id(new, ""));
            }
            attach::volume_gone(w, &new.name());
        }
        _ => {}
    }
}

/// Drops all disks whose id begins so.
fn erase(w: &mut World, prefix: &str) {
    if w.storage.disks.is_empty() {
        return;
    }
    let from = crate::value::text(prefix);
    loop {
        let next = w.storage.disks.range(from.clone()..).next();
        let Some((id, _)) = next.filter(|(id, _)| id.starts_with(prefix)) else { return };
        let id = id.clone();
        w.storage.disks.remove(&id);
    }
}

/// Own steps of provisioner and attach/detach.
pub fn timer(w: &mut World, comp: Comp, key: &Key, uid: &Str, what: &'static str, n: u64) {
    if comp == Comp::AttachDetach {
        attach::timer(w, key, uid, what, n);
    }
}
