//! Disks: what is on them, which pod sees which, attach and detach (behaviour/storage.md 8).

pub mod claims;
pub mod fs;
pub mod mounts;
mod resize;

pub use claims::default_class;
pub use resize::admit_resize;

use std::collections::BTreeMap;
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
}

/// A change that storage may care for.
pub fn on_change(w: &mut World, change: ChangeType, _old: Option<&Obj>, new: &Obj) {
    if change != ChangeType::Deleted {
        return;
    }
    match new.kind {
        Kind::Pod => {
            let uid = new.uid();
            for kind in ["empty", "root"] {
                erase(w, &format!("{kind}/{uid}/"));
            }
        }
        // what the provisioner deletes is gone; a retained backing keeps its bytes
        Kind::PersistentVolume if new.spec()["persistentVolumeReclaimPolicy"].str() == "Delete" => {
            w.storage.disks.remove(&mounts::disk_id(new, ""));
        }
        _ => {}
    }
}

/// Drops all disks whose id begins so.
fn erase(w: &mut World, prefix: &str) {
    let from = crate::value::text(prefix);
    loop {
        let next = w.storage.disks.range(from.clone()..).next();
        let Some((id, _)) = next.filter(|(id, _)| id.starts_with(prefix)) else { return };
        let id = id.clone();
        w.storage.disks.remove(&id);
    }
}

/// Own steps of provisioner and attach/detach.
pub fn timer(_w: &mut World, _comp: Comp, _key: &Key, _uid: &Str, _what: &'static str, _n: u64) {}
