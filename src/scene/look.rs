//! What a scene is read from, gathered once for each: with a thousand pods on stage, nothing may
//! be looked for once a pod.

use podium_sim::api::object::condition;
use podium_sim::api::{Kind, Obj};
use podium_sim::collections::{BTreeMap, BTreeSet};
use podium_sim::log::{ChangeType, What};
use podium_sim::{Str, World};

/// The last telling event of each pod, by uid: kubelets tell of pulls and mounts by events only.
#[derive(Default)]
pub(crate) struct Signs {
    last: BTreeMap<Str, Str>,
    /// Why a set's next pod cannot be created, by the set's uid.
    refused: BTreeMap<Str, Str>,
    /// Entries of the log that were read.
    read: u64,
}

impl Signs {
    /// Reads what the log has said since the last time; all of it if time went back.
    pub(crate) fn follow(&mut self, w: &World) {
        let len = w.log.len();
        if len < self.read {
            *self = Self::default();
        }
        for (_, record) in w.log.since(self.read) {
            match &record.what {
                What::Change { change: ChangeType::Added, new, .. } if new.kind == Kind::Event => {
                    self.hear(new);
                }
                What::Change { change: ChangeType::Deleted, new, .. } if new.kind == Kind::Pod => {
                    self.last.remove(new.uid_ref());
                }
                _ => {}
            }
        }
        self.read = len;
    }

    fn hear(&mut self, event: &Obj) {
        let Some(told) = event.told() else { return };
        match (told.kind, told.reason.as_str()) {
            (
                "Pod",
                "Pulling"
                | "Pulled"
                | "Created"
                | "Started"
                | "SuccessfulAttachVolume"
                | "FailedMount",
            ) => {
                self.last.insert(told.uid.clone(), told.reason.clone());
            }
            ("StatefulSet", "FailedCreate") => {
                let message = event.value["message"].str();
                let error = message.split_once("error: ").map_or(message, |(_, error)| error);
                self.refused.insert(told.uid.clone(), error.to_owned().into());
            }
            ("StatefulSet", "SuccessfulCreate") => {
                self.refused.remove(told.uid);
            }
            _ => {}
        }
    }

    /// Why the next pod of that set cannot be created.
    pub(crate) fn refused(&self, set: &str) -> Option<&Str> {
        self.refused.get(set)
    }

    /// The sign of a pod.
    pub(crate) fn of(&self, pod: &Obj) -> Option<&Str> {
        self.last.get(pod.uid_ref())
    }

    /// Are its volumes mounted, though it may not run yet? The kubelet mounts them before it
    /// pulls an image.
    pub(crate) fn mounted(&self, pod: &Obj) -> bool {
        self.of(pod)
            .is_some_and(|s| !matches!(s.as_str(), "SuccessfulAttachVolume" | "FailedMount"))
    }
}

/// The world of a scene, with what is asked for each pod and disk.
pub(crate) struct Look<'a> {
    pub(crate) w: &'a World,
    pub(crate) signs: &'a Signs,
    /// Attachments by volume.
    attachments: BTreeMap<&'a str, &'a Obj>,
    /// Nodes that do not answer, as far as the cluster knows.
    lost: BTreeSet<&'a str>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(w: &'a World, signs: &'a Signs) -> Self {
        let attachments = w
            .store
            .all(Kind::VolumeAttachment)
            .map(|a| (a.spec()["source"]["persistentVolumeName"].str(), a))
            .collect();
        let ready = |n: &Obj| condition(&n.value, "Ready")["status"].str() == "True";
        let lost = w.store.all(Kind::Node).filter(|n| !ready(n)).map(|n| n.name_ref().as_str());
        Self { w, signs, attachments, lost: lost.collect() }
    }

    /// Does the node not answer?
    pub(crate) fn lost(&self, node: &str) -> bool {
        self.lost.contains(node)
    }

    /// Are there attachments at all?
    pub(crate) fn attaches(&self) -> bool {
        !self.attachments.is_empty()
    }

    /// The attachment of a volume.
    pub(crate) fn attachment(&self, volume: &str) -> Option<&'a Obj> {
        self.attachments.get(volume).copied()
    }

    /// Node that a volume is attached to.
    pub(crate) fn attached_to(&self, volume: &str) -> Option<Str> {
        self.attachment(volume)
            .filter(|a| a.status()["attached"].is_true())
            .map(|a| a.spec()["nodeName"].to_str())
    }
}
