//! Which changes could help a pod that no node took: Kubernetes' queueing hints. What refused
//! it decides what it is tried again for; a change that helps none of that leaves it, and what
//! it was told last, alone.

use super::filter::tolerates_node;
use super::{affinity, requests};
use crate::api::Obj;

/// What refused a pod, a bit each.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Why(u16);

/// Cordons and taints.
const TAINTS: u16 = 1;
/// `nodeSelector` and node affinity.
const NODE_AFFINITY: u16 = 1 << 1;
/// CPU, memory, number of pods.
const ROOM: u16 = 1 << 2;
/// Host ports.
const PORTS: u16 = 1 << 3;
/// Claims and where their volumes can be reached.
const VOLUMES: u16 = 1 << 4;
/// A ReadWriteOncePod claim in use.
const EXCLUSIVE: u16 = 1 << 5;
/// Hard topology spread.
const SPREAD: u16 = 1 << 6;
/// Pod affinity and anti-affinity.
const NEIGHBOURS: u16 = 1 << 7;

impl Why {
    /// The pod's claims, before any node was looked at.
    pub(super) const CLAIMS: Self = Self(VOLUMES);
    /// There was nothing to refuse it.
    pub(super) const ANYTHING: Self = Self(u16::MAX);

    /// From the reasons of all nodes.
    pub(super) fn of<'a>(reasons: impl Iterator<Item = &'a str>) -> Self {
        let bit = |reason: &str| match reason {
            "node(s) were unschedulable" | "node(s) had untolerated taint(s)" => TAINTS,
            "node(s) didn't match Pod's node affinity/selector" => NODE_AFFINITY,
            r if r.contains("free ports") => PORTS,
            r if r.contains("ReadWriteOncePod") => EXCLUSIVE,
            r if r.contains("topology spread") => SPREAD,
            r if r.contains("affinity rules") => NEIGHBOURS,
            r if r.contains("olume") => VOLUMES,
            _ => ROOM,
        };
        Self(reasons.fold(0, |all, reason| all | bit(reason)))
    }

    fn any(self, bits: u16) -> bool {
        self.0 & bits != 0
    }

    /// A placed pod is gone.
    pub(super) fn helped_by_departure(self) -> bool {
        self.any(ROOM | PORTS | EXCLUSIVE | SPREAD | NEIGHBOURS)
    }

    /// There is a new volume, or a new class.
    pub(super) fn helped_by_storage(self) -> bool {
        self.any(VOLUMES)
    }

    /// A node is new (`old` is `None`), another, or (`new` is `None`) gone.
    pub(super) fn helped_by_node(self, pod: &Obj, old: Option<&Obj>, new: Option<&Obj>) -> bool {
        let Some(new) = new else { return self.any(SPREAD) };
        let spec = pod.spec();
        let relabelled = old.is_none_or(|o| o.meta()["labels"] != new.meta()["labels"]);
        let now = |fits: &dyn Fn(&Obj) -> bool| fits(new) && !old.is_some_and(fits);
        let enough = |node: &Obj| {
            let (wants, has) = (requests(spec), node.allocatable());
            wants.cpu <= has.cpu && wants.memory.saturating_mul(1000) <= has.memory
        };
        let grown = old.is_none_or(|o| o.status()["allocatable"] != new.status()["allocatable"]);
        (self.any(TAINTS) && now(&|n| tolerates_node(spec, n)))
            || (self.any(NODE_AFFINITY) && now(&|n| affinity::node_matches(spec, n)))
            || (self.any(ROOM) && grown && enough(new))
            || (self.any(PORTS | EXCLUSIVE) && old.is_none())
            || (self.any(VOLUMES | SPREAD | NEIGHBOURS) && relabelled)
    }
}
