//! The filter plugins, in the scheduler's order: the first that refuses a node names why.

use super::affinity::{self, Terms};
use super::preempt::priority;
use super::volumes::Claims;
use super::{InOrder, Usage, placed, requests};
use crate::api::{Obj, quantity};
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
    /// Does anything but room and taints decide: the pod's wishes, its claims, its neighbours?
    choosy: bool,
    /// Other resources than CPU and memory that it asks for, thousandths.
    others: Vec<(Str, i128)>,
}

/// A reason, and whether removing pods from the node could help.
pub(super) type Reasons = Vec<(Str, bool)>;

fn one<T>(reason: &'static str, resolvable: bool) -> Result<T, Reasons> {
    Err(vec![(Str::Lit(reason), resolvable)])
}

impl<'a> Pass<'a> {
    pub(super) fn new(w: &'a World, pod: &'a Obj, claims: &'a Claims) -> Self {
        let spec = pod.spec();
        let usage = InOrder::of(&w.scheduler.usage);
        let terms = Terms::of(w, pod);
        let choosy = !spec["nodeSelector"].is_empty()
            || !spec["affinity"].is_null()
            || !terms.is_empty()
            || !claims.is_empty();
        let (wants, others) = (requests(spec), other_requests(spec));
        Self { w, pod, claims, wants, terms, usage, choosy, others }
    }

    /// Looks at a node; nodes come in the order of their names. Gives the number of pods there.
    pub(super) fn check(&mut self, node: &Obj) -> Result<i64, Reasons> {
        if !node.allocatable().open {
            self.taints(node)?;
        }
        if !self.choosy {
            return self.resources(node);
        }
        let spec = self.pod.spec();
        if !affinity::node_matches(spec, node) {
            return one("node(s) didn't match Pod's node affinity/selector", false);
        }
        if self.terms.ports_taken(node.name_ref()) {
            return one("node(s) didn't have free ports for the requested pod ports", true);
        }
        let pods = self.resources(node)?;
        self.claims.check(self.w, node)?;
        self.terms.spread_allows(node)?;
        self.terms.affinity_allows(node)?;
        Ok(pods)
    }

    fn taints(&self, node: &Obj) -> Result<(), Reasons> {
        let spec = self.pod.spec();
        if node.spec()["unschedulable"].is_true() && !tolerates_unschedulable(spec) {
            return one("node(s) were unschedulable", false);
        }
        if untolerated_taint(spec, node.spec()) {
            return one("node(s) had untolerated taint(s)", false);
        }
        Ok(())
    }

    fn resources(&mut self, node: &Obj) -> Result<i64, Reasons> {
        let free = node.allocatable();
        let empty = Usage::default();
        let mut used = self.usage.at(node.name_ref()).unwrap_or(&empty);
        let pods = used.pods;
        let with_nominated;
        if !self.w.scheduler.nominated.is_empty() {
            with_nominated = self.nominated(node, used.clone());
            used = &with_nominated;
        }
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
        for (name, wants) in &self.others {
            let free = quantity::of(&node.status()["allocatable"][name.as_str()]);
            let here = placed(self.w).filter(|(_, place)| *place == node.name_ref());
            let used: i128 = here
                .flat_map(|(p, _)| other_requests(p.spec()))
                .filter(|(n, _)| n == name)
                .map(|(_, n)| n)
                .sum();
            if used + wants > free {
                reasons.push((format!("Insufficient {name}").into(), *wants <= free));
            }
        }
        if reasons.is_empty() { Ok(pods) } else { Err(reasons) }
    }
}

/// What a pod asks for besides CPU and memory (thousandths): the containers together, or any
/// init container that asks for more.
fn other_requests(spec: &Value) -> Vec<(Str, i128)> {
    let mut all: Vec<(Str, i128)> = Vec::new();
    for (part, together) in [("containers", true), ("initContainers", false)] {
        for c in spec.get(part).items() {
            let limits = c["resources"]["limits"].pairs();
            let asked = &c["resources"]["requests"];
            let extra = limits.filter(|(name, _)| !asked.has(name));
            for (name, v) in asked.pairs().chain(extra) {
                if matches!(name.as_str(), "cpu" | "memory") {
                    continue;
                }
                let n = quantity::of(v);
                match all.iter_mut().find(|(known, _)| known == name) {
                    Some((_, sum)) if together => *sum = sum.saturating_add(n),
                    Some((_, sum)) => *sum = n.max(*sum),
                    None => all.push((name.clone(), n)),
                }
            }
        }
    }
    all.retain(|(_, n)| *n > 0);
    all
}

impl Pass<'_> {
    /// Room is being made on the node for other pods, of the same or a higher priority: they
    /// count as if they were there.
    fn nominated(&self, node: &Obj, mut used: Usage) -> Usage {
        for (uid, (key, place)) in &self.w.scheduler.nominated {
            if place == node.name_ref()
                && *uid != self.pod.uid()
                && let Some(other) = self.w.store.by_key(key)
                && priority(other) >= priority(self.pod)
            {
                let wants = requests(other.spec());
                used.cpu += wants.cpu;
                used.memory += wants.memory;
                used.pods += wants.pods;
            }
        }
        used
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

/// Do neither cordon nor taints of the node keep the pod away?
pub(super) fn tolerates_node(pod: &Value, node: &Obj) -> bool {
    (!node.spec()["unschedulable"].is_true() || tolerates_unschedulable(pod))
        && !untolerated_taint(pod, node.spec())
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
