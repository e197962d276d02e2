//! The filter plugins, in the scheduler's order: the first that refuses a node names why.

use super::affinity::{self, Terms};
use super::volumes::Claims;
use super::{InOrder, Usage, requests};
use crate::api::Obj;
use crate::value::{Str, Value};
use crate::world::World;

/// One pod's look at all nodes.
pub(super) struct Pass<'a> {
    w: &'a World,
    pod: &'a Obj,
    claims: &'a Claims,
    wants: Usage,
    terms: Terms<'a>,
    usage: InOrder<'a, Usage>,
    /// Has the pod wishes about nodes at all?
    choosy: bool,
}

/// A reason, and whether removing pods from the node could help.
pub(super) type Reasons = Vec<(Str, bool)>;

fn one(reason: &'static str, resolvable: bool) -> Result<(), Reasons> {
    Err(vec![(Str::Lit(reason), resolvable)])
}

impl<'a> Pass<'a> {
    pub(super) fn new(w: &'a World, pod: &'a Obj, claims: &'a Claims) -> Self {
        let spec = pod.spec();
        let choosy = !spec["nodeSelector"].is_empty() || !spec["affinity"].is_null();
        let usage = InOrder::of(&w.scheduler.usage);
        Self { w, pod, claims, wants: requests(spec), terms: Terms::of(w, pod), usage, choosy }
    }

    /// Looks at a node; nodes come in the order of their names.
    pub(super) fn check(&mut self, node: &Obj) -> Result<(), Reasons> {
        let spec = self.pod.spec();
        if !node.allocatable().open {
            if node.spec()["unschedulable"].is_true() && !tolerates_unschedulable(spec) {
                return one("node(s) were unschedulable", false);
            }
            if untolerated_taint(spec, node.spec()) {
                return one("node(s) had untolerated taint(s)", false);
            }
        }
        if self.choosy && !affinity::node_matches(spec, node) {
            return one("node(s) didn't match Pod's node affinity/selector", false);
        }
        if self.terms.ports_taken(node.name_ref()) {
            return one("node(s) didn't have free ports for the requested pod ports", true);
        }
        self.resources(node)?;
        self.claims.check(self.w, node)?;
        self.terms.spread_allows(node)?;
        self.terms.affinity_allows(node)
    }

    fn resources(&mut self, node: &Obj) -> Result<(), Reasons> {
        let free = node.allocatable();
        let empty = Usage::default();
        let used = self.usage.at(node.name_ref()).unwrap_or(&empty);
        let mut reasons = Vec::new();
        if (used.pods + 1) * 1000 > free.pods {
            reasons.push((Str::Lit("Too many pods"), true));
        }
        let cpu = self.wants.cpu;
        if cpu > 0 && used.cpu.saturating_add(cpu) > free.cpu {
            reasons.push((Str::Lit("Insufficient cpu"), cpu <= free.cpu));
        }
        let memory = self.wants.memory;
        if memory > 0 && used.memory.saturating_add(memory).saturating_mul(1000) > free.memory {
            let fits = memory.saturating_mul(1000) <= free.memory;
            reasons.push((Str::Lit("Insufficient memory"), fits));
        }
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }
}

/// Does a toleration cover a taint?
pub fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let effect = toleration["effect"].str();
    let key = toleration["key"].str();
    (effect.is_empty() || effect == taint["effect"].str())
        && (key.is_empty() || key == taint["key"].str())
        && match toleration["operator"].str() {
            "Exists" => true,
            _ => !key.is_empty() && toleration["value"].str() == taint["value"].str(),
        }
}

fn untolerated_taint(pod: &Value, node: &Value) -> bool {
    node["taints"].items().iter().any(|taint| {
        matches!(taint["effect"].str(), "NoSchedule" | "NoExecute")
            && !pod["tolerations"].items().iter().any(|t| tolerates(t, taint))
    })
}

fn tolerates_unschedulable(pod: &Value) -> bool {
    let taint = crate::value!({"effect": "NoSchedule", "key": "node.kubernetes.io/unschedulable"});
    pod["tolerations"].items().iter().any(|t| tolerates(t, &taint))
}
