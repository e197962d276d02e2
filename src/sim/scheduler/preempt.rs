//! Preemption (behaviour/pod-lifecycle.md 6; Kubernetes' `DefaultPreemption`): a pod that fits
//! nowhere may take the place of pods of lower priority.

use std::cmp::Reverse;

use super::filter::Pass;
use super::volumes::Claims;
use super::{COMPONENT, Refused, account, place_of, summary};
use crate::api::{Kind, Obj, selector};
use crate::apiserver::events::Note;
use crate::apiserver::{DeleteOptions, Sub};
use crate::queue::Comp;
use crate::value;
use crate::value::Str;
use crate::world::World;

/// `spec.priority`.
pub(super) fn priority(pod: &Obj) -> i64 {
    pod.spec()["priority"].int_or(0)
}

/// Why a node does not help: all its pods are as important.
const NO_VICTIMS: Str = Str::Lit("No preemption victims found for incoming pod");

/// A node that could be had, and the pods that would have to go: the most important first.
struct Candidate {
    node: Str,
    victims: Vec<Obj>,
    /// How many of them a disruption budget protects.
    protected: usize,
}

/// Makes room for a pod that was refused everywhere: gives the node that will be free, or what
/// the scheduler says if there is none.
pub(super) fn preempt(w: &mut World, pod: &Obj, refused: &[Refused]) -> Result<Str, String> {
    if pod.spec()["preemptionPolicy"].str() == "Never" {
        return Err("not eligible due to preemptionPolicy=Never.".to_owned());
    }
    let nominated = pod.status()["nominatedNodeName"].to_str();
    if !nominated.is_empty() && refused.iter().any(|r| r.node == nominated && r.resolvable) {
        let leaving = |p: &Obj| {
            *place_of(w, p) == nominated && p.terminating() && priority(p) < priority(pod)
        };
        if w.store.all(Kind::Pod).any(leaving) {
            return Err("not eligible due to a terminating pod on the nominated node.".to_owned());
        }
    }
    let lowest = w.scheduler.priorities.iter().next().map_or(i64::MAX, |(lowest, _)| *lowest);
    let mut candidates = Vec::new();
    let mut reasons = Vec::new();
    for r in refused {
        let why = if r.resolvable && lowest >= priority(pod) {
            vec![NO_VICTIMS]
        } else if r.resolvable {
            match victims(w, pod, &r.node) {
                Ok(candidate) => {
                    candidates.push(candidate);
                    continue;
                }
                Err(why) => why,
            }
        } else {
            vec![Str::Lit("Preemption is not helpful for scheduling")]
        };
        reasons.push(why);
    }
    let best = candidates.into_iter().min_by_key(|c| {
        // more victims weigh more, however low they are
        let priorities = || c.victims.iter().map(|v| priority(v) + (1 << 31));
        // of equals the one whose victims have run for the shortest time
        let since = c.victims.first().map(|v| v.status()["startTime"].to_str());
        (
            c.protected,
            priorities().max(),
            priorities().sum::<i64>(),
            c.victims.len(),
            Reverse(since),
        )
    });
    let Some(best) = best else {
        return Err(summary(refused.len(), reasons.iter().flatten()));
    };
    for victim in &best.victims {
        evict(w, pod, victim, &best.node);
    }
    Ok(best.node)
}

/// The fewest and least important pods of a node that have to go, or why that does not help.
fn victims(w: &mut World, pod: &Obj, node: &Str) -> Result<Candidate, Vec<Str>> {
    let lower =
        |p: &&Obj| super::occupies(p) && p.pod().node == *node && priority(p) < priority(pod);
    let mut all: Vec<Obj> = w.store.all(Kind::Pod).filter(lower).cloned().collect();
    if all.is_empty() {
        return Err(vec![NO_VICTIMS]);
    }
    all.sort_by_key(|p| (Reverse(priority(p)), p.status()["startTime"].to_str()));
    for p in &all {
        set_aside(w, p, node);
    }
    let result = fits(w, pod, node).map(|()| {
        let protected = protected(w, &all);
        let mut candidate = Candidate { node: node.clone(), victims: Vec::new(), protected: 0 };
        // as many as possible stay: those that a budget protects are asked first
        for shielded in [true, false] {
            for p in all.iter().filter(|p| protected.contains(&p.uid()) == shielded) {
                put_back(w, p, node);
                if fits(w, pod, node).is_err() {
                    set_aside(w, p, node);
                    candidate.victims.push(p.clone());
                    candidate.protected += usize::from(shielded);
                }
            }
        }
        candidate.victims.sort_by_key(|p| Reverse(priority(p)));
        candidate
    });
    for p in &all {
        if w.scheduler.aside.contains(&p.uid()) {
            put_back(w, p, node);
        }
    }
    result
}

fn set_aside(w: &mut World, pod: &Obj, node: &Str) {
    account(w, pod, node.clone(), -1);
    w.scheduler.aside.insert(pod.uid());
}

fn put_back(w: &mut World, pod: &Obj, node: &Str) {
    account(w, pod, node.clone(), 1);
    w.scheduler.aside.remove(&pod.uid());
}

fn fits(w: &World, pod: &Obj, node: &Str) -> Result<(), Vec<Str>> {
    let (Ok(claims), Some(node)) = (Claims::of(w, pod), w.store.get(Kind::Node, "", node)) else {
        return Err(Vec::new());
    };
    let checked = Pass::new(w, pod, &claims).check(node);
    checked.map(|_| ()).map_err(|reasons| reasons.into_iter().map(|(why, _)| why).collect())
}

/// Those of the pods (uids) for which a disruption budget has no disruption left.
fn protected(w: &World, pods: &[Obj]) -> Vec<Str> {
    let allowed = |b: &Obj| b.status()["disruptionsAllowed"].int_or(0);
    let mut budgets: Vec<(&Obj, i64)> =
        w.store.all(Kind::PodDisruptionBudget).map(|b| (b, allowed(b))).collect();
    let mut found = Vec::new();
    for pod in pods {
        for (budget, left) in &mut budgets {
            let selects = selector::matches(&budget.spec()["selector"], &pod.meta()["labels"]);
            if budget.ns() == pod.ns()
                && selects
                && !budget.status()["disruptedPods"].has(pod.name_ref())
            {
                *left -= 1;
                if *left < 0 && found.last() != Some(&pod.uid()) {
                    found.push(pod.uid());
                }
            }
        }
    }
    found
}

fn evict(w: &mut World, pod: &Obj, victim: &Obj, node: &Str) {
    if victim.terminating() {
        return;
    }
    let now = crate::api::time::rfc3339(w.now);
    let message = format!("{COMPONENT}: preempting to accommodate a higher priority pod");
    w.acting(Comp::Scheduler, "sched.preempt", |w| {
        w.modify(&victim.key(), Sub::Status, |v| {
            let generation = v["metadata"]["generation"].clone();
            super::set_condition(
                v,
                "DisruptionTarget",
                value!({
                    "lastProbeTime": null, "lastTransitionTime": now, "message": message,
                    "observedGeneration": generation, "reason": "PreemptionByScheduler",
                    "status": "True", "type": "DisruptionTarget"
                }),
            );
        });
        let opts = DeleteOptions { uid: Some(victim.uid()), ..DeleteOptions::default() };
        // gone meanwhile: that is what was wanted
        let _ = w.delete(&victim.key(), &opts);
        let message = format!("Preempted by pod {} on node {node}", pod.uid());
        w.event(victim, Note::normal(COMPONENT, "Preempted", message));
    });
}
