//! Claims, volumes and where they are plugged in.

use podium_sim::api::object::Phase;
use podium_sim::api::{Kind, Obj};
use podium_sim::{Str, World};

use crate::look::Look;
use crate::model::{Disk, Plug};

/// Files shown on a disk.
const FILES: usize = 2;
/// Characters of a file shown.
const PREVIEW: usize = 40;

/// A disk; `pod` is the one that may use it, if it exists.
pub(crate) fn card(look: &Look<'_>, claim: &Obj, pod: Option<&Obj>, tint: i64) -> Disk {
    let volume = claim.spec()["volumeName"].to_str();
    let bound = claim.status()["phase"].str() == "Bound";
    let phase =
        if claim.terminating() { "Terminating".into() } else { claim.status()["phase"].to_str() };
    let size =
        [&claim.status()["capacity"]["storage"], &claim.spec()["resources"]["requests"]["storage"]]
            .into_iter()
            .find(|v| !v.is_null())
            .map_or_else(Str::default, |v| {
                v.as_str().map_or_else(|| v.to_string().into(), |_| v.to_str())
            });
    let node = look.attached_to(&volume).unwrap_or_default();
    let plug =
        if volume.is_empty() || !bound { Plug::Empty } else { plug(look, &volume, &node, pod) };
    let files = files(look.w, &volume);
    Disk { key: claim.key(), uid: claim.uid(), phase, size, volume, node, plug, files, tint }
}

fn plug(look: &Look<'_>, volume: &str, node: &str, pod: Option<&Obj>) -> Plug {
    let leaving = look.attachment(volume).is_some_and(|a| a.terminating());
    match pod {
        Some(pod) => {
            let facts = pod.pod();
            let ended = matches!(facts.phase, Phase::Succeeded | Phase::Failed);
            let here = !facts.node.is_empty() && (!look.attaches() || facts.node == *node);
            if ended {
                Plug::Leaving
            } else if here && (facts.phase == Phase::Running || look.signs.mounted(pod)) {
                Plug::In
            } else if facts.terminating {
                Plug::Leaving
            } else {
                Plug::Going
            }
        }
        None if leaving || !node.is_empty() => Plug::Leaving,
        None => Plug::Out,
    }
}

/// The first files of a volume, and the beginning of what is in them.
fn files(w: &World, volume: &str) -> Vec<(Str, Str)> {
    let Some(pv) = w.store.get(Kind::PersistentVolume, "", volume) else { return Vec::new() };
    podium_sim::storage::mounts::contents(w, pv)
        .into_iter()
        .take(FILES)
        .map(|(path, text)| {
            let line = text.lines().next().unwrap_or_default();
            (path, line.chars().take(PREVIEW).collect::<String>().into())
        })
        .collect()
}
