//! The attach/detach controller (behaviour/storage.md 8).
//!
//! # Divergence from real Kubernetes
//! It learns of a pod when the node's kubelet does, and nodes do not list their volumes.

use crate::collections::{BTreeMap, BTreeSet};

use super::mounts;
use crate::api::time::SECOND;
use crate::api::{Key, Kind, Obj, Object};
use crate::apiserver::events::Note;
use crate::apiserver::{DeleteOptions, Sub, WriteOptions};
use crate::config::Delay;
use crate::queue::Comp;
use crate::value;
use crate::value::Str;
use crate::world::World;

/// How long an unhealthy node may hold a volume that no pod uses any more
/// (`ReconcilerMaxWaitForUnmountDuration`).
const MAX_WAIT: u64 = 360 * SECOND;

/// One volume at one node.
#[derive(Clone, Debug)]
struct Attachment {
    /// The node.
    node: Str,
    /// Name of the VolumeAttachment.
    object: Str,
    /// Is it there, or still on its way?
    attached: bool,
    /// Pods (uids) on that node that use it or wait for it.
    users: BTreeSet<Str>,
    /// Counts its detachments that were begun: only the last one counts.
    turn: u64,
}

/// All attachments, by volume.
#[derive(Clone, Default)]
pub struct State {
    volumes: BTreeMap<Str, Vec<Attachment>>,
    /// Pods (uid, key) that wait until a volume is free, with whether that was reported.
    waiting: BTreeMap<Str, BTreeMap<Str, Key>>,
}

/// Does a volume have to be attached to a node before it can be mounted there?
fn attachable(pv: &Object) -> bool {
    let spec = pv.spec();
    ["csi", "awsElasticBlockStore", "gcePersistentDisk", "azureDisk", "cinder", "vsphereVolume"]
        .iter()
        .any(|source| !spec[*source].is_null())
}

/// Can only one node have it?
fn exclusive(pv: &Object) -> bool {
    let modes = pv.spec()["accessModes"].items();
    !modes.iter().any(|m| matches!(m.str(), "ReadWriteMany" | "ReadOnlyMany"))
}

/// The attachable volumes of a pod.
fn volumes(w: &World, pod: &Obj) -> Vec<Obj> {
    let claims = pod.spec()["volumes"].items().iter().filter_map(|v| mounts::claim_name(pod, v));
    claims
        .filter_map(|claim| mounts::volume_of_claim(w, &pod.ns(), &claim))
        .filter(|pv| attachable(pv))
        .cloned()
        .collect()
}

/// A pod on a node needs its volumes: true if all are attached there. Otherwise the kubelet
/// is woken when they are.
pub(crate) fn request(w: &mut World, uid: &Str, pod: &Obj) -> bool {
    let mut ready = true;
    for pv in volumes(w, pod) {
        ready &= w.acting(Comp::AttachDetach, "attach.request", |w| one(w, uid, pod, &pv));
    }
    ready
}

fn one(w: &mut World, uid: &Str, pod: &Obj, pv: &Obj) -> bool {
    let node = pod.spec()["nodeName"].to_str();
    let name = pv.name();
    let list = w.storage.attach.volumes.entry(name.clone()).or_default();
    if let Some(a) = list.iter_mut().find(|a| a.node == node) {
        a.users.insert(uid.clone());
        return a.attached;
    }
    if !list.is_empty() && exclusive(pv) {
        let waiting = w.storage.attach.waiting.entry(name.clone()).or_default();
        if waiting.insert(uid.clone(), pod.key()).is_none() {
            let message = multi_attach(w, pod, &name);
            let note = Note::warning("attachdetach-controller", "FailedAttachVolume", message);
            w.event(pod, note);
        }
        return false;
    }
    let driver = pv.spec()["csi"]["driver"].as_str().unwrap_or("kubernetes.io/cloud");
    let object: Str =
        format!("csi-{}", crate::kubelet::hex64(&["attachment", driver, &name, &node])).into();
    list.push(Attachment {
        node: node.clone(),
        object: object.clone(),
        attached: false,
        users: BTreeSet::from([uid.clone()]),
        turn: 0,
    });
    let made = w.create(
        Kind::VolumeAttachment,
        value!({
            "metadata": {"name": (object.clone())},
            "spec": {
                "attacher": (driver.to_owned()), "nodeName": node,
                "source": {"persistentVolumeName": (name.clone())}
            },
            "status": {"attached": false}
        }),
        WriteOptions::TRUSTED,
    );
    let key = Key::new(Kind::VolumeAttachment, "", object);
    let va = made.map_or_else(|_| Str::default(), |o| o.uid());
    let at = w.now + w.delay(Delay::Attach, &[&name, &va]);
    w.timer_at(Comp::AttachDetach, key, name, "attach.done", 0, at, false);
    false
}

/// Who holds the volume, in the controller's words.
fn multi_attach(w: &World, pod: &Obj, pv: &Str) -> String {
    let start = format!("Multi-Attach error for volume \"{pv}\" ");
    let (mut here, mut elsewhere) = (Vec::new(), 0);
    for a in w.storage.attach.volumes.get(pv).into_iter().flatten() {
        for user in &a.users {
            match w.kubelet.pod(user) {
                Some(run) if run.key.ns == pod.ns() => here.push(run.key.name.to_string()),
                Some(_) => elsewhere += 1,
                None => {}
            }
        }
    }
    match (here.is_empty(), elsewhere) {
        (true, 0) => format!(
            "{start}Volume is already exclusively attached to one node and can't be attached to another"
        ),
        (true, n) => format!("{start}Volume is already used by {n} pod(s) in different namespaces"),
        (false, 0) => format!("{start}Volume is already used by pod(s) {}", here.join(", ")),
        (false, n) => format!(
            "{start}Volume is already used by pod(s) {} and {n} pod(s) in different namespaces",
            here.join(", ")
        ),
    }
}

/// The volume has arrived at its node.
fn done(w: &mut World, key: &Key, pv: &Str) {
    let list = w.storage.attach.volumes.get_mut(pv);
    let Some(a) = list.and_then(|l| l.iter_mut().find(|a| a.object == key.name)) else { return };
    a.attached = true;
    let users: Vec<Str> = a.users.iter().cloned().collect();
    let node = a.node.clone();
    w.modify(key, Sub::Main, |v| v.entry("status").set("attached", true));
    let message = format!("AttachVolume.Attach succeeded for volume \"{pv}\"");
    for uid in &users {
        let pod = w.kubelet.pod(uid).map(|r| r.key.clone());
        if let Some(pod) = pod.and_then(|k| w.store.by_key(&k)).cloned() {
            let note =
                Note::normal("attachdetach-controller", "SuccessfulAttachVolume", message.clone());
            w.event(&pod, note);
        }
        crate::kubelet::wake_pod(w, uid);
    }
    if users.is_empty() {
        let_go(w, pv, &node);
    }
}

/// A pod no longer uses its volumes: its kubelet has unmounted them.
pub(crate) fn release(w: &mut World, uid: &Str, pod: &Obj) {
    if w.storage.attach.volumes.is_empty() {
        return;
    }
    let node = pod.spec()["nodeName"].to_str();
    for pv in volumes(w, pod) {
        forget_user(w, uid, &pv.name());
        let_go(w, &pv.name(), &node);
    }
}

fn forget_user(w: &mut World, uid: &Str, pv: &Str) {
    if let Some(list) = w.storage.attach.volumes.get_mut(pv) {
        for a in list {
            a.users.remove(uid);
        }
    }
    if let Some(waiting) = w.storage.attach.waiting.get_mut(pv) {
        waiting.remove(uid);
        if waiting.is_empty() {
            w.storage.attach.waiting.remove(pv);
        }
    }
}

/// Begins to detach a volume that nobody uses at that node.
fn let_go(w: &mut World, pv: &Str, node: &Str) {
    after(w, pv, node, "attach.detach", |w| w.delay(Delay::Detach, &[pv, &w.now.to_string()]));
}

fn after(
    w: &mut World,
    pv: &Str,
    node: &Str,
    what: &'static str,
    delay: impl FnOnce(&World) -> u64,
) {
    let at = w.now + delay(w);
    let list = w.storage.attach.volumes.get_mut(pv);
    let free = list
        .and_then(|l| l.iter_mut().find(|a| a.node == *node && a.users.is_empty() && a.attached));
    if let Some(a) = free {
        a.turn += 1;
        let (key, turn) = (Key::new(Kind::VolumeAttachment, "", a.object.clone()), a.turn);
        w.timer_at(Comp::AttachDetach, key, pv.clone(), what, turn, at, false);
    }
}

/// A pod object is gone although its kubelet has not unmounted its volumes.
pub(super) fn pod_gone(w: &mut World, pod: &Obj) {
    if w.storage.attach.volumes.is_empty() {
        return;
    }
    let uid = pod.uid();
    let node = pod.spec()["nodeName"].to_str();
    for pv in volumes(w, pod) {
        let pv = pv.name();
        let held = w
            .storage
            .attach
            .volumes
            .get(&pv)
            .is_some_and(|l| l.iter().any(|a| a.node == node && a.users.contains(&uid)));
        forget_user(w, &uid, &pv);
        if !held {
            continue;
        }
        if !w.kubelet.is_down(&node) {
            let_go(w, &pv, &node);
        } else if out_of_service(w, &node) {
            after(w, &pv, &node, "attach.force", |_| 0);
        } else {
            after(w, &pv, &node, "attach.force", |_| MAX_WAIT);
        }
    }
}

fn out_of_service(w: &World, node: &Str) -> bool {
    let node = w.store.by_key(&Key::new(Kind::Node, "", node.clone()));
    node.is_some_and(|n| {
        let mut taints = n.spec()["taints"].items().iter();
        taints.any(|t| t["key"].str() == "node.kubernetes.io/out-of-service")
    })
}

/// A node is back, or was taken out of service: volumes that nobody uses there may go now.
pub(super) fn node_changed(w: &mut World, node: &Str) {
    let free: Vec<Str> = w
        .storage
        .attach
        .volumes
        .iter()
        .filter(|(_, l)| l.iter().any(|a| a.node == *node && a.attached && a.users.is_empty()))
        .map(|(pv, _)| pv.clone())
        .collect();
    if free.is_empty() {
        return;
    }
    let (down, out) = (w.kubelet.is_down(node), out_of_service(w, node));
    for pv in free {
        if !down {
            let_go(w, &pv, node);
        } else if out {
            after(w, &pv, node, "attach.force", |_| 0);
        }
    }
}

fn detached(w: &mut World, key: &Key, pv: &Str, turn: u64, force: bool) {
    let Some(list) = w.storage.attach.volumes.get_mut(pv) else { return };
    let Some(at) = list.iter().position(|a| a.object == key.name) else { return };
    let a = &list[at];
    // a node that is healthy again unmounts by itself, one that is not cannot
    if a.turn != turn || !a.users.is_empty() || force != w.kubelet.is_down(&a.node) {
        return;
    }
    list.remove(at);
    if list.is_empty() {
        w.storage.attach.volumes.remove(pv);
    }
    // the object may have been deleted by hand
    let _ = w.delete(key, &DeleteOptions::default());
    let waiting = w.storage.attach.waiting.remove(pv).unwrap_or_default();
    for uid in waiting.keys() {
        crate::kubelet::wake_pod(w, uid);
    }
}

/// A volume is gone for good.
pub(super) fn volume_gone(w: &mut World, pv: &Str) {
    for a in w.storage.attach.volumes.remove(pv).unwrap_or_default() {
        let key = Key::new(Kind::VolumeAttachment, "", a.object);
        // the object may have been deleted by hand
        let _ = w.delete(&key, &DeleteOptions::default());
    }
}

/// The controller's own steps; `pv` travels in the place of the uid.
pub(super) fn timer(w: &mut World, key: &Key, pv: &Str, what: &'static str, n: u64) {
    match what {
        "attach.done" => done(w, key, pv),
        "attach.detach" => detached(w, key, pv, n, false),
        "attach.force" => detached(w, key, pv, n, true),
        _ => {}
    }
}

/// Is the volume attached to a node, and to which?
pub fn attached_to<'a>(w: &'a World, pv: &str) -> impl Iterator<Item = &'a Str> {
    w.storage.attach.volumes.get(pv).into_iter().flatten().filter(|a| a.attached).map(|a| &a.node)
}
